"""What one pass over the bytes of a CSV file tells: its header, encoding, ends of lines, quotes and number of fields."""

import codecs
import csv
import io
import re
from dataclasses import dataclass, field

import numpy as np
from charset_normalizer import from_bytes

from jobs.landing.line_ends import LONE_RETURNS
from jobs.landing.other_kinds import fault_of_kind
from jobs.landing.quotes import LineScan

_HEAD = 1 << 20
_SAMPLE = 1 << 16
_MOST_COLUMNS = 2_000
_REPLACED = "\ufffd"
#: Encodings that senders use instead of UTF-8, by the name that Python and Java know them by.
_NAMES = {
    "gb18030": "GB18030 (GBK)",
    "big5": "Big5",
    "shift_jis": "Shift_JIS",
    "euc_kr": "EUC-KR",
    "cp1251": "windows-1251",
    "cp1252": "windows-1252",
}
#: A letter beyond 16 bits as two of three bytes each.
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_CESU = "CESU-8 (Oracle's UTF8; its AL32UTF8 is UTF-8)"
#: What others put between fields, and what to call it.
_SEPARATORS = {
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars (|)",
    "\x01": "Hive's control characters",
    "\uff0c": "full-width commas",
    "\u3001": "Chinese enumeration commas",
}
_UNKNOWN = "none of the usual encodings"
#: The commonest Chinese letters in GBK. To a library many of them look Korean, above all the same few again and again.
_COMMON_CHINESE = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe]|[\x00-\x7f])*")
#: Letters of three bytes or more, as Chinese ones have in UTF-8.
_WIDE = re.compile("[\u0800-\U0010ffff]")
_BOM = "\ufeff"
#: Of the letters beyond ASCII those that do not show, and blanks: Unicode's Cc, Cf, Z.
_UNSEEN = re.compile(
    "[\x80-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
#: A blank at the beginning or the end of a field.
_PADDINGS = (b" ,", b", ", b' "', b'" ', b" \n", b" \r", b"\n ", b"\r ")
_PLAIN_BLANKS = (b" ", b"\t")
_BLANK, _LF, _CR, _DELETE = 0x20, 0x0A, 0x0D, 0x7F
_BLANKS = b" \t\r\n\0"
#: What some programs take for the end of a line, and CSV does not.
_ODD_LINE_END = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")
_GUESSED = (
    "has letters that are UTF-8 by their bytes, but may as well be Chinese ones in GBK: look"
    " whether they mean anything"
)
_ODD_QUOTES = (
    "has quotes that are not as RFC 4180 has them (after a blank, or with a backslash): texts may have"
    " kept some, and ids that did are in quarantine"
)


@dataclass(frozen=True)
class TextFacts:
    """What a CSV file is like.

    Attributes:
        columns: the header.
        first_fields: fields of the first record; 0 if there is none.
        is_quote_open: whether it has an odd number of quotes, so that one may not be closed.
        is_quote_odd: whether one stands where RFC 4180 has none.
        mixed_line_ends: whether lines end in CR LF and in LF.
        is_bare: whether no field has blanks around it and no letter that does not show is in it.
        encoding: what the bytes look like where they are not UTF-8.
        error: why the file can't be used.
        warnings: what is odd about it.
    """

    columns: tuple[str, ...] = ()
    first_fields: int = 0
    mixed_line_ends: bool = False
    is_quote_open: bool = False
    is_quote_odd: bool = False
    is_bare: bool = False
    encoding: str = ""
    error: str = ""
    warnings: tuple[str, ...] = ()


@dataclass
class TextScan:
    """Takes a file's bytes chunk by chunk, and says at the end what it is like."""

    head: bytes = b""
    _sample: bytes = b""
    _is_begun: bool = False
    _is_bare: bool = True
    _last: bytes = b"\n"
    _is_narrow: bool = False
    _is_wide: bool = False
    _lines: LineScan = field(default_factory=LineScan)
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if len(self.head) < _HEAD:
            self.head += chunk[: _HEAD - len(self.head)]
        self._look_at_letters(chunk)
        self._look_at_blanks(chunk)
        self._lines.feed(chunk)

    def facts(self) -> TextFacts:
        """What the whole file is like."""
        lines = self._lines
        lines.feed(b"", is_last=True)
        head = self.head.removeprefix(codecs.BOM_UTF8)
        if not head.strip(_BLANKS):
            return TextFacts(error="is empty: even a file without rows needs a header")
        if fault := fault_of_kind(head):
            return TextFacts(error=fault)
        if lines.has_cr and (lines.ends.crlf or lines.ends.lf):
            return TextFacts(error=LONE_RETURNS)
        try:
            header, first = _first_records(self.head)
        except csv.Error:
            return TextFacts(error="has a header that is no CSV (an open quote?)")
        encoding = likely_encoding(self._sample) if self._sample else ""
        if fault := _header_fault(header, encoding):
            return TextFacts(error=fault)
        is_guessed = self._is_narrow and not self._is_wide and not encoding
        warnings = {_GUESSED: is_guessed, _ODD_QUOTES: lines.is_odd}
        # Where quotes are odd, nobody knows what stands between them.
        is_bare = self._is_bare and not lines.is_odd and not lines.is_within
        return TextFacts(
            tuple(header),
            len(first),
            mixed_line_ends=lines.ends.crlf and lines.ends.lf,
            is_quote_open=lines.quotes % 2 == 1,
            is_quote_odd=lines.is_odd,
            is_bare=is_bare and self._last not in _PLAIN_BLANKS,
            encoding=encoding,
            warnings=tuple(told for told, is_so in warnings.items() if is_so),
        )

    def _look_at_letters(self, chunk: bytes) -> None:
        if chunk.isascii() and not self._decoder.getstate()[0]:
            self._is_begun = self._is_begun or bool(chunk)
            return
        text = self._decoder.decode(chunk)
        if not self._is_begun:
            self._is_begun = bool(text)
            text = text.removeprefix(_BOM)
        self._is_narrow = self._is_narrow or not text.isascii()
        self._is_bare = self._is_bare and not _UNSEEN.search(text)
        self._is_wide = self._is_wide or bool(_WIDE.search(text))
        if _REPLACED in text and len(self._sample) < _SAMPLE:
            self._sample += sample_of_other(chunk)

    def _look_at_blanks(self, chunk: bytes) -> None:
        if not chunk or not self._is_bare:
            return
        letters = np.frombuffer(chunk, np.uint8)
        is_control = (letters < _BLANK) & (letters != _LF) & (letters != _CR) | (letters == _DELETE)
        padded = self._last + chunk
        self._is_bare = not is_control.any() and not any(mark in padded for mark in _PADDINGS)
        self._last = chunk[-1:]


def sample_of_other(chunk: bytes) -> bytes:
    """Those lines of some bytes that are not UTF-8, to guess their encoding from."""
    return b"\n".join(line for line in chunk.splitlines() if not _is_utf8(line))[:_SAMPLE]


def likely_encoding(sample: bytes) -> str:
    """The encoding that bytes look like which are not UTF-8; a guess, for people."""
    if _SURROGATE.search(sample):
        return _CESU
    if _COMMON_CHINESE.fullmatch(sample):
        # Korean in EUC-KR has such bytes too; here Chinese is what senders write.
        return _NAMES["gb18030"]
    best = from_bytes(sample, cp_isolation=list(_NAMES)).best()
    return _NAMES.get(best.encoding, _UNKNOWN) if best else _UNKNOWN


def _header_fault(header: list[str], encoding: str) -> str:
    """Why a file's first record cannot be a header."""
    if any(_REPLACED in name for name in header):
        told = f", its bytes look like {encoding}" if encoding else ""
        return f"is not UTF-8 in its header{told}: save it as UTF-8"
    if len(header) > _MOST_COLUMNS:
        return f"has a header of {len(header)} columns: is it one, and does its line end?"
    if any(_ODD_LINE_END.search(name) for name in header):
        return "has lines that end neither in LF nor in CR LF"
    if len(header) != 1:
        return ""
    if "\n" in header[0]:
        return "has a header that is no CSV (an open quote?)"
    found = [told for mark, told in _SEPARATORS.items() if mark in header[0]]
    return f"has {found[0]} between its fields, and the contract wants commas" if found else ""


def _first_records(head: bytes) -> tuple[list[str], list[str]]:
    text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")
    records = (record for record in csv.reader(io.StringIO(text, newline="")) if record)
    header = next(records, [])
    try:
        return header, next(records, [])
    except csv.Error:
        return header, []


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
