"""Bytes of plain and gzipped files, chunk by chunk, and what is wrong with a gzip file."""

import zlib
from collections.abc import Iterator
from typing import IO

from jobs.landing.entries import NotReadable

_CHUNK = 1 << 20
_PIECE = 1 << 14
#: The first byte of every gzip member.
_GZIP_MARK = 0x1F
_GZIP_MARKS = b"\x1f\x8b"


def unpacked(stream: IO[bytes], *, gzipped: bool) -> Iterator[tuple[bytes, bytes, int]]:
    """Chunks of a file as they lie and as unpacked, and how many zeros pad it after its end.

    Never more than 16 MiB are unpacked at once. A gzip file has one member or more. Zeros after the last one
    come from tapes and block devices and belong to no member; gzip ignores them, Spark would stop at them.

    Raises:
        NotReadable: when a gzip file is none, is damaged, ends before its end mark, or goes on after it.
    """
    first = b""
    try:
        for packed, plain, zeros in _members(stream) if gzipped else _chunks(stream):
            first = first or packed[:2]
            yield packed, plain, zeros
    except (EOFError, zlib.error):
        if not _GZIP_MARKS.startswith(first):
            raise NotReadable("is no gzip file, although its name says so") from None
        raise NotReadable("is a damaged or truncated gzip file: send it again") from None


def _chunks(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes, int]]:
    while chunk := stream.read(_CHUNK):
        yield chunk, chunk, 0


def _members(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes, int]]:
    member, members, is_padding = None, 0, False
    while chunk := stream.read(_CHUNK):
        yield chunk, b"", 0
        # In small pieces: what comes after a member is copied, and members may be tiny and many.
        for start in range(0, len(chunk), _PIECE):
            rest = chunk[start : start + _PIECE]
            while rest:
                if member is None:
                    is_padding = is_padding or (members > 0 and rest[0] == 0)
                    if is_padding or (members and rest[0] != _GZIP_MARK):
                        if rest.strip(b"\0"):
                            raise NotReadable(
                                "has other bytes after the end of its gzip data: send it again"
                            )
                        yield b"", b"", len(rest)
                        break
                    member, members = zlib.decompressobj(wbits=31), members + 1
                yield b"", member.decompress(rest, 16 * _CHUNK), 0
                rest = member.unused_data if member.eof else member.unconsumed_tail
                if member.eof:
                    member = None
    if member is not None:
        raise EOFError
