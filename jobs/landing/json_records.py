"""Whether a JSON file holds its records as Spark is told to read them.

Spark reads the first document of a line, or with `multiLine` the first of a file, and passes over what comes
after it without a word, in the mode FAILFAST too.
"""

import re
from dataclasses import dataclass, field

import numpy as np

TWO_IN_FILE = (
    "holds more than one JSON document, and with multiLine Spark reads only the first: without that"
    " option each line is a record"
)
TWO_IN_LINE = "has a line with more than one JSON document, of which Spark reads only the first: write one on each line"
OVER_LINES = (
    "has a damaged record, or one over several lines: if the file is one JSON document, set the"
    " reader option multiLine"
)
STRAY = "has something between its records that is no record: a record may be damaged"
OPEN_TEXT = "has a text that is not closed within its line: a record is damaged"
CUT = "ends within a record: it was cut"

_TEXT = rb'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"'
_TEXTS = rb"%s|%s" % (_TEXT, _TEXT.replace(b'"', b"'"))
_REMARKS = rb"/\*(?s:.*?)\*/|//[^\r\n]*"
#: What is cut out, and all up to a text that is not closed; without comments and with them.
_CUT_OUT = (re.compile(_TEXTS), re.compile(rb"%s|%s" % (_TEXTS, _REMARKS)))
_CLOSED = (
    re.compile(rb"(?:[^\"']*+(?:%s))*+[^\"']*+" % _TEXTS),
    re.compile(rb"(?:[^\"'/]*+(?:%s|%s|/))*+[^\"'/]*+" % (_TEXTS, _REMARKS)),
)
_BLANK, _OPEN, _CLOSE, _LINE_END, _OTHER = range(5)


def _kinds(*, has_lines: bool) -> np.ndarray:
    """What each byte is."""
    kinds = np.full(256, _OTHER, np.uint8)
    # A comma after a record, as in the lines of an array without its brackets, loses nothing.
    kinds[list(b" \t,\r\n")] = _BLANK
    kinds[list(b"{[")] = _OPEN
    kinds[list(b"}]")] = _CLOSE
    if has_lines:
        kinds[list(b"\r\n")] = _LINE_END
    return kinds


@dataclass
class JsonScan:
    """Takes the bytes of a JSON file in UTF-8, chunk by chunk, and says what would be read wrongly.

    Attributes:
        is_multiline: whether the file is to be one document; else each line is.
        has_remarks: whether comments are allowed. Then the file has to come in one chunk.
    """

    is_multiline: bool
    has_remarks: bool = False
    _depth: int = 0
    _held: bytes = b""
    _is_line_used: bool = False
    _table: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._table = _kinds(has_lines=not self.is_multiline)

    def feed(self, chunk: bytes) -> str:
        """Take the next bytes; what is wrong with them, or nothing."""
        plain, self._held, is_sound = self._without_texts(self._held + chunk)
        # No text of JSON goes over several lines.
        if not is_sound or b"\n" in self._held or b"\r" in self._held:
            return OPEN_TEXT
        return self._structure_fault(plain)

    def end(self) -> str:
        """What is wrong with the end of the file, or nothing."""
        return CUT if self._held or self._depth else ""

    def _without_texts(self, chunk: bytes) -> tuple[bytes, bytes, bool]:
        """What stands outside texts, the beginning of one that goes on, and whether all are of one line."""
        parts = chunk.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        open_text = b'"' + parts.pop() if len(parts) % 2 == 0 else b""
        outside, inside = b"".join(parts[::2]), b"".join(parts[1::2])
        if b"'" not in outside and not self.has_remarks:
            return outside, open_text, not (b"\n" in inside or b"\r" in inside)
        # Texts in single quotes, which Spark takes too, and comments: slower.
        closed = _CLOSED[self.has_remarks].match(chunk)
        end = closed.end() if closed else 0
        return _CUT_OUT[self.has_remarks].sub(b"", chunk[:end]), chunk[end:], True

    def _structure_fault(self, plain: bytes) -> str:
        kinds = self._table[np.frombuffer(plain, np.uint8)]
        kinds = kinds[kinds != _BLANK]
        steps = (kinds == _OPEN).astype(np.int64) - (kinds == _CLOSE)
        after = self._depth + np.cumsum(steps)
        before = after - steps
        self._depth = int(after[-1]) if len(after) else self._depth
        if ((kinds == _LINE_END) & (before > 0)).any():
            return OVER_LINES
        outside = kinds[before <= 0]
        if np.isin(outside, (_OTHER, _CLOSE)).any():
            return STRAY
        return self._second_document(outside)

    def _second_document(self, outside: np.ndarray) -> str:
        """Whether two documents begin without an end of line between them."""
        used = np.concatenate(([self._is_line_used], outside == _OPEN))
        self._is_line_used = bool(used[-1])
        if not (used[1:] & used[:-1]).any():
            return ""
        return TWO_IN_FILE if self.is_multiline else TWO_IN_LINE
