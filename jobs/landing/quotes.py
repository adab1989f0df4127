"""Ends of lines and quotes in the bytes of a CSV file: whether they stand where RFC 4180 has them."""

import codecs
from dataclasses import dataclass, field

import numpy as np

from jobs.landing.line_ends import LineEnds

_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D
_COMMA = 0x2C
#: What stands before a quote that opens a field, and after one that closes it; two quotes are one in a text.
_BESIDE = np.zeros(256, bool)
_BESIDE[[_QUOTE, _LF, _CR, _COMMA]] = True


@dataclass
class LineScan:
    """Takes a file's bytes chunk by chunk; the last time with `is_last`.

    Attributes:
        ends: which ends of lines there are; between quotes counts too.
        has_cr: whether lines end in a CR alone, outside quotes.
        quotes: how many quotes there are.
        is_odd: whether a quote stands where RFC 4180 has none, as after a blank or a backslash.
        is_within: whether a line ends between quotes; not to be relied on where quotes are odd.
    """

    ends: LineEnds = field(default_factory=LineEnds)
    has_cr: bool = False
    quotes: int = 0
    is_odd: bool = False
    is_within: bool = False
    _held: bytes = b""
    _before: int = _LF
    _is_begun: bool = False

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Take the next bytes."""
        chunk, self._held = self._held + chunk, b""
        if not self._is_begun:
            if not is_last and len(chunk) < len(codecs.BOM_UTF8):
                self._held = chunk
                return
            chunk, self._is_begun = chunk.removeprefix(codecs.BOM_UTF8), True
        # What these two mean is known by the letter after them.
        if not is_last and chunk.endswith((b"\r", b'"')):
            chunk, self._held = chunk[:-1], chunk[-1:]
        if not chunk:
            return
        self.ends.feed(chunk, is_last=True)
        if b'"' in chunk:
            self._look_at_quotes(chunk)
        elif self.quotes % 2:
            self.is_within = self.is_within or b"\n" in chunk or b"\r" in chunk
        elif not self.has_cr and b"\r" in chunk:
            self.has_cr = chunk.count(b"\r") > chunk.count(b"\r\n")
        self._before = chunk[-1]

    def _look_at_quotes(self, chunk: bytes) -> None:
        letters = np.frombuffer(chunk, np.uint8)
        places = np.flatnonzero(letters == _QUOTE)
        first = self.quotes % 2
        if not self.is_odd:
            # The letter before the first quote may be in the last chunk, none may follow the last one.
            before = letters[places[first::2] - 1]
            if places[0] == 0 and not first:
                before[0] = self._before
            after = letters[np.minimum(places[1 - first :: 2] + 1, len(letters) - 1)]
            self.is_odd = not (_BESIDE[before].all() and _BESIDE[after].all())
        if not self.is_within or (not self.has_cr and b"\r" in chunk):
            is_end = letters == _LF
            is_return = letters == _CR
            ends = np.flatnonzero(is_end | is_return)
            is_within = (np.searchsorted(places, ends) + first) % 2 == 1
            self.is_within = self.is_within or bool(is_within.any())
            outside = ends[~is_within]
            # A lone return ends a line unless it stands between quotes.
            returns = outside[is_return[outside]]
            follows = np.append(is_end, False)[returns + 1]
            self.has_cr = self.has_cr or not follows.all()
        self.quotes += len(places)
