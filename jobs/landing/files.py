"""Files of a landing folder, local or on object storage: copied, hashed, inspected."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import IO

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from expectations.contract.errors import JobError
from expectations.landing.column_rules import has_contract_types, sound_sums
from expectations.landing.plausible import Plausible
from expectations.landing.table import LandingTable
from jobs.landing.copies import copy_landed, cut_copy
from jobs.landing.entries import NotReadable, NotThere, filesystem
from jobs.landing.parquet_sizes import exceeds, slices
from jobs.landing.parquet_types import (
    Form,
    column_forms,
    fault_of_pages,
    fault_of_unreadable,
)
from jobs.landing.text_scan import TextFacts, TextScan

_CHUNK = 1 << 20
_PIECE = 1 << 14
#: The first byte of every gzip member.
_GZIP_MARK = 0x1F
_GZIP_MARKS = b"\x1f\x8b"


@dataclass(frozen=True)
class Limits:
    """What a file may unpack to, and which times are plausible."""

    max_bytes: int
    plausible: Plausible


@dataclass(frozen=True)
class FileFacts:
    """What one pass over a file's bytes found; `error` says why it cannot be used.

    `rows` and `sums` (of the amounts) are there when it is certain that no row breaks the contract. `copy` is
    what Spark reads; `failure` says what went wrong on our side. `padding` counts zeros after a gzip file's end.
    """

    path: str
    sha256: str = ""
    columns: tuple[str, ...] = ()
    layout: str = ""
    forms: tuple[Form, ...] = ()
    text: TextFacts = field(default_factory=TextFacts)
    error: str = ""
    rows: int = 0
    sums: dict[str, Decimal] | None = None
    copy: str = ""
    failure: str = ""
    size: int = 0
    padding: int = 0


def inspect_files(
    spark: SparkSession, files: Sequence[tuple[str, LandingTable]], limits: Limits, copies: str
) -> dict[str, FileFacts]:
    """Copy and inspect files of some tables in parallel on the executors; by path.

    Raises:
        JobError: when a copy cannot be written.
    """
    if not files:
        return {}
    width = min(len(files), spark.sparkContext.defaultParallelism * 4)
    tasks = spark.sparkContext.parallelize(files, width)
    found = tasks.map(lambda file: inspect_landed(*file, limits, copies)).collect()
    for facts in found:
        if facts.failure:
            raise JobError(facts.failure)
    return {facts.path: facts for facts in found}


def inspect_landed(path: str, table: LandingTable, limits: Limits, copies: str) -> FileFacts:
    """Take a private copy of a file and inspect that; whatever is wrong with one is no other's fault."""
    try:
        copy = copy_landed(path, copies, limits.max_bytes)
        facts = inspect_file(copy, table, limits)
        if facts.padding:
            cut_copy(copy, facts.size - facts.padding)
    except NotThere:
        return FileFacts(path, error="is named in the manifest but is not in the folder")
    except NotReadable as error:
        return FileFacts(path, error=str(error))
    except OSError as error:
        told = error.strerror or type(error).__name__
        return FileFacts(path, failure=f"{path} can't be copied below lake.root: {told}")
    except Exception as error:
        # Libraries name values in what they say, so only the kind of error is told.
        return FileFacts(path, error=f"can't be inspected ({type(error).__name__}): send it again")
    return replace(facts, path=path, copy=copy)


def inspect_file(path: str, table: LandingTable, limits: Limits) -> FileFacts:
    """Hash a file, read its header, and see whether it is whole, of bearable size, and sound."""
    system, inner = filesystem(path)
    with system.open_input_stream(inner, compression=None) as stream:
        if not path.endswith(".parquet"):
            return _inspect_csv(path, stream, limits.max_bytes)
        digest = _digest(stream)
    return _inspect_parquet(path, digest, table, limits)


def _inspect_parquet(path: str, digest: str, table: LandingTable, limits: Limits) -> FileFacts:
    system, inner = filesystem(path)
    try:
        with system.open_input_file(inner) as opened, pq.ParquetFile(opened) as file:
            if exceeds(opened, file, limits.max_bytes):
                return FileFacts(path, digest, error=_too_large(limits.max_bytes))
            if fault := fault_of_pages(file):
                return FileFacts(path, digest, error=fault)
            forms = column_forms(file)
            sums = _sound_sums(opened, file, table, limits)
            rows = file.metadata.num_rows
    except (OSError, ValueError):
        with system.open_input_file(inner) as opened:
            return FileFacts(path, digest, error=fault_of_unreadable(opened))
    except NotImplementedError:
        return FileFacts(path, digest, error="uses a feature of Parquet that can't be read here")
    names = tuple(form.name for form in forms)
    layout = ", ".join(f"{form.name} {form.stored}" for form in forms)
    return FileFacts(path, digest, names, layout, forms, rows=rows, sums=sums)


def _sound_sums(
    source: IO[bytes], file: pq.ParquetFile, table: LandingTable, limits: Limits
) -> dict[str, Decimal] | None:
    """`sound_sums` of a file, a slice in memory at a time."""
    schema = file.schema_arrow
    if not has_contract_types(schema, table):
        return None
    columns = [name for name in table.columns if name in schema.names]
    return sound_sums(slices(source, file, columns), table, limits.plausible)


def _too_large(max_bytes: int) -> str:
    return f"unpacks to more than landing.max_file_gib ({max_bytes / (1 << 30):.3g})"


def _inspect_csv(path: str, stream: IO[bytes], max_bytes: int) -> FileFacts:
    digest = hashlib.sha256()
    scan = TextScan()
    first = b""
    size = unpacked = padding = 0
    try:
        for packed, plain, zeros in _unpacked(stream, gzipped=path.endswith(".gz")):
            digest.update(packed)
            first = first or packed[:2]
            size += len(packed)
            unpacked += len(plain)
            padding += zeros
            if unpacked > max_bytes:
                return FileFacts(path, error=_too_large(max_bytes))
            scan.feed(plain)
    except (EOFError, zlib.error):
        if not _GZIP_MARKS.startswith(first):
            return FileFacts(path, error="is no gzip file, although its name says so")
        return FileFacts(path, error="is a damaged or truncated gzip file: send it again")
    except _BytesAfterEnd:
        return FileFacts(
            path, error="has other bytes after the end of its gzip data: send it again"
        )
    text = scan.facts()
    layout = f"{text.columns} {text.mixed_line_ends} {text.is_bare}"
    return FileFacts(
        path,
        digest.hexdigest(),
        text.columns,
        layout,
        text=text,
        error=text.error,
        size=size,
        padding=padding if unpacked else 0,
    )


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


class _BytesAfterEnd(Exception):
    """A gzip file goes on after its last member, with something else than padding."""


def _unpacked(stream: IO[bytes], *, gzipped: bool) -> Iterator[tuple[bytes, bytes, int]]:
    """Chunks of a file as they lie and as unpacked, and how many zeros pad it after its end.

    Never more than 16 MiB are unpacked at once. A gzip file has one member or more. Zeros after the last one
    come from tapes and block devices and belong to no member; gzip ignores them, Spark would stop at them.

    Raises:
        EOFError: when a gzip file ends before its end mark.
        zlib.error: when it is damaged.
        _BytesAfterEnd: when something else than a member or padding comes after a member.
    """
    member, members, is_padding = None, 0, False
    while chunk := stream.read(_CHUNK):
        if not gzipped:
            yield chunk, chunk, 0
            continue
        yield chunk, b"", 0
        # In small pieces: what comes after a member is copied, and members may be tiny and many.
        for start in range(0, len(chunk), _PIECE):
            rest = chunk[start : start + _PIECE]
            while rest:
                if member is None:
                    is_padding = is_padding or (members > 0 and rest[0] == 0)
                    if is_padding or (members and rest[0] != _GZIP_MARK):
                        if rest.strip(b"\0"):
                            raise _BytesAfterEnd
                        yield b"", b"", len(rest)
                        break
                    member, members = zlib.decompressobj(wbits=31), members + 1
                yield b"", member.decompress(rest, 16 * _CHUNK), 0
                rest = member.unused_data if member.eof else member.unconsumed_tail
                if member.eof:
                    member = None
    if member is not None:
        raise EOFError
