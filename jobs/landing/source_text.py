"""What Spark would read wrongly in a text file of a source without a word: seen in its bytes, before it is read."""

import bz2
import csv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jobs.landing.entries import NotReadable
from jobs.landing.json_records import JsonScan
from jobs.landing.line_ends import LONE_RETURNS, LineEnds, record_ends, text_lines
from jobs.landing.other_kinds import binary_kind
from jobs.landing.told_encoding import ToldEncoding, UnknownEncoding
from jobs.landing.unpacking import unpacked

_BLOCK = 1 << 20
_BOM = "\ufeff"
_MIXED = "ends some lines in CR LF and others in LF: use one kind"
_ZEROS = "has zeros after the end of its gzip data, at which Spark stops: pack it again"
#: What Spark takes for the end of a line unless it is told.
_LINE_ENDS = ("\n", "\r\n", "\r")
#: Separators that Spark knows by a name.
_NAMED = {"\\t": "\t", "\\\\": "\\", "\\0": "\0", "\\u0000": "\0"}


def text_fault(path: str, kind: str, options: dict[str, str]) -> str:
    """Why a CSV or JSON file must not be read as a mapping says; empty if it may.

    Args:
        path: the file.
        kind: csv or json.
        options: those of the reader, by `by_plain_name`.
    """
    try:
        return _json_fault(path, options) if kind == "json" else _csv_fault(path, options)
    except NotReadable as fault:
        return str(fault)
    except UnknownEncoding:
        return ""


def first_record(path: str, options: dict[str, str]) -> list[str]:
    """The first record of a CSV file; none if it can't be told."""
    try:
        lines = text_lines(_pieces(path, options))
        return next((record for record in csv.reader(lines, **_dialect(options)) if record), [])
    except (NotReadable, UnknownEncoding, csv.Error):
        return []


def _csv_fault(path: str, options: dict[str, str]) -> str:
    ends = LineEnds()
    for piece in _pieces(path, options):
        ends.feed(piece.encode())
    ends.feed(b"", is_last=True)
    # Read line by line, every end of a line is taken for one.
    is_whole = options.get("multiline") == "true" or "linesep" in options
    if not is_whole or ends.crlf + ends.lf + ends.lone_cr < 2:
        return ""
    # They may be breaks within quotes: looked at anew, as this takes longer.
    lines = text_lines(_pieces(path, options))
    found = record_ends(lines, _dialect(options), options.get("comment", ""))
    if len(found) < 2:
        return ""
    return LONE_RETURNS if "\r" in found else _MIXED


def _json_fault(path: str, options: dict[str, str]) -> str:
    is_multiline = options.get("multiline") == "true"
    has_remarks = options.get("allowcomments") == "true"
    scan = JsonScan(is_multiline, has_remarks)
    pieces = _pieces(path, options)
    if has_remarks:
        pieces = iter(["".join(pieces)])
    # What ends its records by other letters is only looked at for its encoding.
    is_plain = is_multiline or options.get("linesep", "\n") in _LINE_ENDS
    for piece in pieces:
        if is_plain and (fault := scan.feed(piece.encode())):
            return fault
    return scan.end()


def _dialect(options: dict[str, str]) -> dict[str, Any]:
    """How `csv.reader` reads what Spark reads by these options."""
    separator, quote = options.get("sep", ","), options.get("quote", '"')
    # Of a separator of several letters the last: fields begin after it, and so do their quotes.
    dialect: dict[str, Any] = {"delimiter": _NAMED.get(separator, separator)[-1]}
    if not quote:
        return dialect | {"quoting": csv.QUOTE_NONE}
    escape = options.get("escape", "\\")
    if escape == quote:
        return dialect | {"quotechar": quote}
    escape = _NAMED.get(escape, escape)
    return dialect | {"quotechar": quote, "doublequote": False, "escapechar": escape or None}


def _pieces(path: str, options: dict[str, str]) -> Iterator[str]:
    """The text of a file, piece by piece, without a mark of its byte order.

    Raises:
        NotReadable: when the file is no text, or not in the encoding that is told.
        UnknownEncoding: when that is not known here.
    """
    told = ToldEncoding(options.get("encoding", "UTF-8"))
    blocks = _blocks(path)
    first = next(blocks, b"")
    if kind := binary_kind(first):
        raise NotReadable(f"is {kind}")
    told.begin(first)
    yield told.text(first).removeprefix(_BOM)
    yield from map(told.text, blocks)
    yield told.text(b"", is_last=True)


def _blocks(path: str) -> Iterator[bytes]:
    """The unpacked bytes of a file in blocks; Spark unpacks by the file's name too."""
    held = b""
    with ExitStack() as opened:
        if path.endswith(".bz2"):
            stream: Any = opened.enter_context(bz2.open(path))
        else:
            stream = opened.enter_context(Path(path).open("rb"))
        for _, plain, zeros in unpacked(stream, gzipped=path.endswith(".gz")):
            if zeros:
                raise NotReadable(_ZEROS)
            held += plain
            if len(held) >= _BLOCK:
                yield held
                held = b""
    if held:
        yield held
