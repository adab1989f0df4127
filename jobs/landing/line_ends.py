"""How the lines and the records of a CSV file end."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

#: What is wrong with a file of two kinds of line end of which one is CR.
LONE_RETURNS = (
    "ends some lines with a carriage return alone and others not: use one kind of line end"
)
_LONGEST_FIELD = 1 << 30


@dataclass
class LineEnds:
    """Takes a file's bytes chunk by chunk, and knows which ends of lines were among them.

    Attributes:
        crlf: whether CR LF was.
        lf: whether LF without CR was.
        lone_cr: whether CR without LF was.
    """

    crlf: bool = False
    lf: bool = False
    lone_cr: bool = False
    _held: bytes = b""

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Take the next bytes; `is_last` where no LF can follow them."""
        if self._held:
            chunk, self._held = self._held + chunk, b""
        if chunk.endswith(b"\r") and not is_last:
            chunk, self._held = chunk[:-1], b"\r"
        if b"\r" not in chunk:
            self.lf = self.lf or b"\n" in chunk
            return
        crlf = chunk.count(b"\r\n")
        self.crlf = self.crlf or crlf > 0
        self.lf = self.lf or chunk.count(b"\n") > crlf
        self.lone_cr = self.lone_cr or chunk.count(b"\r") > crlf


def text_lines(pieces: Iterable[str]) -> Iterator[str]:
    """The lines of a text that comes in pieces, each with its end: LF, CR LF or CR."""
    held = ""
    for piece in pieces:
        lines = list(io.StringIO(held + piece, newline=""))
        # The last may go on in the next piece; a CR at its end may be half of a CR LF.
        held = "" if not lines or lines[-1].endswith("\n") else lines.pop()
        yield from lines
    if held:
        yield held


def record_ends(lines: Iterable[str], dialect: dict[str, Any], comment: str = "") -> set[str]:
    """The ends of a CSV's records and of its first line, by which Spark reads all others.

    Breaks of lines within quotes do not count. The search ends when a second kind is found.

    Args:
        lines: with their ends.
        dialect: as `csv.reader` takes it.
        comment: what remarks begin with; none if empty.
    """
    ends: set[str] = set()
    last, is_between = "", True

    def remembered() -> Iterator[str]:
        nonlocal last, is_between
        for line in lines:
            if not last:
                ends.add(_end(line))
            last = line
            if comment and is_between and line.startswith(comment):
                continue
            is_between = False
            yield line

    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        for _ in csv.reader(remembered(), **dialect):
            is_between = True
            ends.add(_end(last))
            if len(ends - {""}) > 1:
                break
    except csv.Error:
        # No CSV as Python has it: what is wrong with it, Spark will say.
        return ends - {""}
    finally:
        csv.field_size_limit(limit)
    return ends - {""}


def _end(line: str) -> str:
    if line.endswith("\r\n"):
        return "\r\n"
    return line[-1] if line.endswith(("\n", "\r")) else ""
