"""What a file is that was delivered as CSV and is none, told by its first bytes."""

import codecs
import re
import unicodedata
import zlib
from functools import partial

_AS_CSV = "not text: save it as CSV in UTF-8"
_EXPORT = "not text: export the table as CSV in UTF-8"
_UNPACK = "not text: unpack it, and deliver each CSV file by itself"
_PLAIN = "deliver it plain or as gzip"
_NO_KEY = "is encrypted, and there is no key for it here: deliver it plain"
#: How files begin that are not text: the place of the mark, the mark, and what is to be told.
_BINARY_MARKS = (
    (0, b"\x1f\x8b", "gzip data where text should be: pack it once, and let its name end in .gz"),
    (0, b"PK\x03\x04", f"an Excel workbook or another ZIP archive, {_AS_CSV}"),
    (0, b"PK\x05\x06", f"an empty ZIP archive, {_AS_CSV}"),
    (0, b"\xd0\xcf\x11\xe0", f"an old Excel workbook, {_AS_CSV}"),
    (257, b"ustar", f"a tar archive, {_UNPACK}"),
    (0, b"7z\xbc\xaf\x27\x1c", f"a 7z archive, {_UNPACK}"),
    (0, b"Rar!\x1a\x07", f"a RAR archive, {_UNPACK}"),
    (0, b"BZh", f"packed by bzip2: {_PLAIN}"),
    (0, b"\xfd7zXZ", f"packed by xz: {_PLAIN}"),
    (0, b"\x28\xb5\x2f\xfd", f"packed by zstd: {_PLAIN}"),
    (0, b"\x04\x22\x4d\x18", f"packed by lz4: {_PLAIN}"),
    (0, b"\x02\x21\x4c\x18", f"packed by lz4: {_PLAIN}"),
    (0, b"LZIP", f"packed by lzip: {_PLAIN}"),
    (0, b"\x89LZO", f"packed by lzop: {_PLAIN}"),
    (0, b"\xff\x06\x00\x00sNaPpY", f"packed by Snappy: {_PLAIN}"),
    (0, b"\x1f\x9d", f"packed by compress: {_PLAIN}"),
    (
        0,
        b"PAR1",
        "a Parquet file: let its name end in .parquet, and in a mapping set format: parquet",
    ),
    (0, b"ORC", "an ORC file, not text: deliver CSV or Parquet, or in a mapping set format: orc"),
    (0, b"Obj\x01", "an Avro file, not text: deliver CSV or Parquet"),
    (0, b"ARROW1", "a Feather or Arrow file, not text: deliver CSV or Parquet"),
    (0, b"FEA1", "a Feather file, not text: deliver CSV or Parquet"),
    (0, b"\xff\xff\xff\xff", "a stream of Arrow, not text: deliver CSV or Parquet"),
    (0, b"SEQ\x06", "a sequence file of Hadoop, not text: deliver CSV or Parquet"),
    (0, b"RCF\x01", "an RCFile of Hive, not text: deliver CSV or Parquet"),
    (0, b"\x89HDF\r\n", f"an HDF5 file, {_EXPORT}"),
    (0, b"SQLite format 3\0", f"an SQLite database, {_EXPORT}"),
    (4, b"Standard Jet DB", f"an Access database, {_EXPORT}"),
    (4, b"Standard ACE DB", f"an Access database, {_EXPORT}"),
    (0, b"PGCOPY\n\xff\r\n\0", f"a binary COPY of PostgreSQL, {_EXPORT}"),
    (0, b"PGDMP", f"a dump of PostgreSQL, {_EXPORT}"),
    (3, b"EXPORT:V", f"a dump of Oracle, {_EXPORT}"),
    (0, b"$FL2", f"an SPSS file, {_EXPORT}"),
    (84, b"SAS FILE", f"a SAS file, {_EXPORT}"),
    (0, b"\x80\x04\x95", f"a pickle of Python, {_EXPORT}"),
    (0, b"%PDF", "a PDF, not text"),
    (0, b"\x89PNG", "a picture, not CSV"),
    (0, b"\xff\xd8\xff", "a picture, not CSV"),
)
#: How files of text begin that is not CSV, after blanks and blank lines.
_TEXT_MARKS = (
    (b"{\\rtf", "an RTF document, not CSV: save it as CSV in UTF-8"),
    (b"<stata_dta>", f"a Stata file, {_EXPORT}"),
    (b"<", "XML or HTML, not CSV"),
    (b"[", "JSON, not CSV"),
    (b"{", "JSON, not CSV"),
    *((mark, "SQL, not CSV") for mark in (b"-- ", b"--\n", b"--\r", b"/*", b"INSERT INTO ")),
    *((mark, "SQL, not CSV") for mark in (b"CREATE TABLE ", b"DROP TABLE ")),
)
_ENCRYPTED = (b"-----BEGIN PGP MESSAGE", b"Salted__")
_WHITE = b" \t\r\n"
#: Types of dBASE and FoxPro tables, by their first byte.
_DBF_TYPES = b"\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x8b\xcb\xf5\xfb"
_DBF_HEADER_END = 0x0D
_ZLIB_MARK, _ZLIB_CHECK = 0x78, 31
_FIRST_LINE = re.compile(rb"[^\r\n]{0,4096}")
#: Control characters that no program puts between fields.
_ODD_CONTROL = re.compile(rb"[\x04-\x08\x0e-\x1a]")
_WIDE_HEAD = 4096
_WIDE = {"UTF-32": ("utf-32-le", "utf-32-be"), "UTF-16": ("utf-16-le", "utf-16-be")}
#: Control characters that text may hold, as blanks.
_SPACES = dict.fromkeys(map(ord, "\t\r\n\x01"), " ")
_WIDE_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def fault_of_kind(head: bytes) -> str:
    """Why a file cannot be CSV in UTF-8 whatever its header is; empty if it can.

    Args:
        head: its first bytes, a mark of UTF-8 taken off.
    """
    if kind := binary_kind(head):
        return f"is {kind}"
    if wide := wide_encoding(head):
        return f"is {wide}, and the contract wants UTF-8: save it as UTF-8"
    text = head.lstrip(_WHITE)
    if text.startswith(_ENCRYPTED):
        return _NO_KEY
    if kind := next((told for mark, told in _TEXT_MARKS if text.startswith(mark)), ""):
        return f"is {kind}"
    if _is_binary(text):
        return "is binary data, not text: deliver CSV in UTF-8"
    return ""


def binary_kind(head: bytes) -> str:
    """What a file is that is no text, by its first bytes; empty if it may be text."""
    for place, mark, told in _BINARY_MARKS:
        if head.startswith(mark, place):
            return told
    if _is_zlib(head):
        return f"packed by zlib: {_PLAIN}"
    return f"a dBASE table (DBF), {_EXPORT}" if _is_dbf(head) else ""


def _is_zlib(head: bytes) -> bool:
    # Its two bytes may be letters of a text, so it is unpacked.
    if not head or head[0] != _ZLIB_MARK or int.from_bytes(head[:2], "big") % _ZLIB_CHECK:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head, _WIDE_HEAD))
    except zlib.error:
        return False


def _is_dbf(head: bytes) -> bool:
    """Whether a file has no mark but a type, a day and the length of a header that ends there."""
    if len(head) < 32 or head[0] not in _DBF_TYPES:
        return False
    length = int.from_bytes(head[8:10], "little")
    ends = head[length - 1 : length], head[length - 264 : length - 263]
    is_day = 1 <= head[2] <= 12 and 1 <= head[3] <= 31
    return is_day and length > 32 and bytes([_DBF_HEADER_END]) in ends


def wide_encoding(head: bytes) -> str:
    """UTF-16 or UTF-32 if a file is text in it, marked as such or not."""
    if wide := next((name for mark, name in _WIDE_BOMS if head.startswith(mark)), ""):
        return wide
    first = head[:_WIDE_HEAD]
    # Plain letters, digits, commas and line ends have zeros beside them, three of them in UTF-32.
    if b"\0" not in first:
        return ""
    forms = (
        name for name, encodings in _WIDE.items() if any(map(partial(_is_text, first), encodings))
    )
    return next(forms, "")


def _is_text(first: bytes, encoding: str) -> bool:
    """Whether bytes are text in an encoding of two or four bytes."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(first)
    except UnicodeDecodeError:
        return False
    if any(unicodedata.category(each) in ("Cc", "Cn") for each in text.translate(_SPACES)):
        return False
    # Letters of ASCII in UTF-8 look like Chinese ones two by two, and a zero among them like a comma.
    if first.isascii():
        return first.count(0) * 5 >= len(first) * 2
    return "\n" in text and any(mark in text for mark in ",;\t|")


def _is_binary(text: bytes) -> bool:
    """Whether the first line holds what no header in any encoding does."""
    found = _FIRST_LINE.match(text)
    first = found[0] if found else b""
    if b"\0" in first:
        return True
    # A letter may be cut at the end.
    is_text = "\ufffd" not in first.decode("utf-8", errors="replace")[:-1]
    return not is_text and bool(_ODD_CONTROL.search(first))
