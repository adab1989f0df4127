"""What one pass over the bytes of a CSV file tells: its header, encoding, ends of lines and number of fields."""

import codecs
import csv
import io
import re
from dataclasses import dataclass, field

from charset_normalizer import from_bytes

_HEAD = 1 << 20
_SAMPLE = 1 << 16
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
_UNKNOWN = "none of the usual encodings"
#: The commonest Chinese letters in GBK. To a library many of them look Korean, above all the same few again and again.
_COMMON_CHINESE = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe]|[\x00-\x7f])*")
#: Bytes that begin a letter of three bytes or more, as Chinese ones have in UTF-8.
_WIDE = re.compile(rb"[\xe0-\xff]")
_LONE_RETURN = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True)
class TextFacts:
    """What a CSV file is like.

    Attributes:
        columns: the header.
        first_fields: fields of the first record; 0 if there is none.
        mixed_line_ends: whether lines end in CR LF and in LF.
        encoding: what the bytes look like where they are not UTF-8.
        error: why the file can't be used.
        warning: what is odd about it.
    """

    columns: tuple[str, ...] = ()
    first_fields: int = 0
    mixed_line_ends: bool = False
    encoding: str = ""
    error: str = ""
    warning: str = ""


@dataclass
class TextScan:
    """Takes a file's bytes chunk by chunk, and says at the end what it is like."""

    head: bytes = b""
    _held: bytes = b""
    _sample: bytes = b""
    _is_narrow: bool = False
    _is_wide: bool = False
    _quotes: int = 0
    _ends: dict[str, bool] = field(
        default_factory=lambda: dict.fromkeys(("crlf", "lf", "cr"), False)
    )
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if len(self.head) < _HEAD:
            self.head += chunk[: _HEAD - len(self.head)]
        self._look_at_letters(chunk)
        self._look_at_line_ends(chunk)

    def facts(self) -> TextFacts:
        """What the whole file is like."""
        self._look_at_line_ends(b"", is_last=True)
        if not self.head.strip():
            return TextFacts(error="is empty: even a file without rows needs a header")
        if wide := _two_byte_encoding(self.head):
            return TextFacts(error=f"is {wide}, and the contract wants UTF-8: save it as UTF-8")
        if self._ends["cr"] and (self._ends["crlf"] or self._ends["lf"]):
            return TextFacts(
                error="ends some lines with a carriage return alone and others not: use one kind of line end"
            )
        try:
            header, first = _first_records(self.head)
        except csv.Error:
            return TextFacts(error="has a header that is no CSV (an open quote?)")
        encoding = likely_encoding(self._sample) if self._sample else ""
        warning = ""
        if self._is_narrow and not self._is_wide and not encoding:
            warning = (
                "has letters that are UTF-8 by their bytes, but may as well be Chinese ones in GBK: look"
                " whether they mean anything"
            )
        is_mixed = self._ends["crlf"] and self._ends["lf"]
        return TextFacts(tuple(header), len(first), is_mixed, encoding, warning=warning)

    def _look_at_letters(self, chunk: bytes) -> None:
        if chunk.isascii() and not self._decoder.getstate()[0]:
            return
        text = self._decoder.decode(chunk)
        self._is_narrow = True
        self._is_wide = self._is_wide or bool(_WIDE.search(chunk.removeprefix(codecs.BOM_UTF8)))
        if _REPLACED in text and len(self._sample) < _SAMPLE:
            bad = [line for line in chunk.splitlines() if not _is_utf8(line)]
            self._sample += b"\n".join(bad)[:_SAMPLE]

    def _look_at_line_ends(self, chunk: bytes, *, is_last: bool = False) -> None:
        if self._held:
            chunk, self._held = self._held + chunk, b""
        if chunk.endswith(b"\r") and not is_last:
            chunk, self._held = chunk[:-1], b"\r"
        if b"\r" not in chunk:
            self._ends["lf"] = self._ends["lf"] or b"\n" in chunk
        else:
            crlf = chunk.count(b"\r\n")
            self._ends["crlf"] = self._ends["crlf"] or crlf > 0
            self._ends["lf"] = self._ends["lf"] or chunk.count(b"\n") > crlf
            if not self._ends["cr"] and chunk.count(b"\r") > crlf:
                # A lone return ends a line unless it stands between quotes.
                outside = chunk.split(b'"')[self._quotes % 2 :: 2]
                self._ends["cr"] = any(_LONE_RETURN.search(piece) for piece in outside)
        if b'"' in chunk:
            self._quotes += chunk.count(b'"')


def likely_encoding(sample: bytes) -> str:
    """The encoding that bytes look like which are not UTF-8; a guess, for people."""
    if _COMMON_CHINESE.fullmatch(sample):
        # Korean in EUC-KR has such bytes too; here Chinese is what senders write.
        return _NAMES["gb18030"]
    best = from_bytes(sample, cp_isolation=list(_NAMES)).best()
    return _NAMES.get(best.encoding, _UNKNOWN) if best else _UNKNOWN


def _two_byte_encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    # Every other byte of plain letters is zero then.
    return "UTF-16" if head[:40].count(0) >= len(head[:40]) // 2 else ""


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
