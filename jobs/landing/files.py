"""Files of a landing folder, local or on object storage: listing, reading, inspecting."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO

import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from expectations.landing.column_rules import has_contract_types, sound_sums
from expectations.landing.table import LandingTable
from jobs.landing.parquet_sizes import exceeds, slices
from jobs.landing.parquet_types import Form, column_forms
from jobs.landing.text_scan import TextFacts, TextScan

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a file may unpack to, and how long an event may lie after its arrival."""

    max_bytes: int
    clock_skew_hours: int


@dataclass(frozen=True)
class FileFacts:
    """What one pass over a file's bytes found; `error` says why it cannot be used.

    `rows` and `sums` (of the amounts) are there when it is certain that no row breaks the contract.
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


def filesystem(path: str) -> tuple[pafs.FileSystem, str]:
    """The file system of a path, and the path within it."""
    if "://" in path:
        found: tuple[pafs.FileSystem, str] = pafs.FileSystem.from_uri(
            path.replace("s3a://", "s3://")
        )
        return found
    return pafs.LocalFileSystem(), str(Path(path).absolute())


def folder_entries(path: str) -> list[tuple[str, bool]]:
    """The names in a folder with whether each is a folder, sorted; empty when it is not there."""
    system, inner = filesystem(path)
    found = system.get_file_info(pafs.FileSelector(inner, allow_not_found=True))
    return sorted((entry.base_name, entry.type == pafs.FileType.Directory) for entry in found)


def read_bytes(path: str) -> bytes:
    """A whole small file.

    Raises:
        FileNotFoundError: when it is not there.
    """
    system, inner = filesystem(path)
    with system.open_input_stream(inner, compression=None) as stream:
        content: bytes = stream.read()
    return content


def inspect_files(
    spark: SparkSession, files: Sequence[tuple[str, LandingTable]], limits: Limits
) -> dict[str, FileFacts]:
    """Inspect files of some tables in parallel on the executors; by path."""
    if not files:
        return {}
    width = min(len(files), spark.sparkContext.defaultParallelism * 4)
    tasks = spark.sparkContext.parallelize(files, width)
    found = tasks.map(lambda file: inspect_file(*file, limits)).collect()
    return {facts.path: facts for facts in found}


def inspect_file(path: str, table: LandingTable, limits: Limits) -> FileFacts:
    """Hash a file, read its header, and see whether it is whole, of bearable size, and sound."""
    try:
        system, inner = filesystem(path)
        with system.open_input_stream(inner, compression=None) as stream:
            if not path.endswith(".parquet"):
                return _inspect_csv(path, stream, limits.max_bytes)
            digest = _digest(stream)
        return _inspect_parquet(path, digest, table, limits)
    except FileNotFoundError:
        return FileFacts(path, error="is named in the manifest but is not in the folder")


def _inspect_parquet(path: str, digest: str, table: LandingTable, limits: Limits) -> FileFacts:
    system, inner = filesystem(path)
    try:
        with system.open_input_file(inner) as opened, pq.ParquetFile(opened) as file:
            if exceeds(opened, file, limits.max_bytes):
                return FileFacts(path, digest, error=_too_large(limits.max_bytes))
            forms = column_forms(file)
            sums = _sound_sums(opened, file, table, limits)
            rows = file.metadata.num_rows
    except (OSError, ValueError):
        return FileFacts(
            path, digest, error="is not a readable Parquet file (damaged or truncated)"
        )
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
    return sound_sums(slices(source, file, columns), table, limits.clock_skew_hours)


def _too_large(max_bytes: int) -> str:
    return f"unpacks to more than landing.max_file_gib ({max_bytes / (1 << 30):g})"


def _inspect_csv(path: str, stream: IO[bytes], max_bytes: int) -> FileFacts:
    digest = hashlib.sha256()
    scan = TextScan()
    unpacked = 0
    try:
        for packed, plain in _unpacked(stream, gzipped=path.endswith(".gz")):
            digest.update(packed)
            unpacked += len(plain)
            if unpacked > max_bytes:
                return FileFacts(path, error=_too_large(max_bytes))
            scan.feed(plain)
    except (EOFError, zlib.error):
        # The rest is hashed so that the hash is that of the file as it lies there.
        return FileFacts(path, error="is a damaged or truncated gzip file: send it again")
    text = scan.facts()
    layout = f"{text.columns} {text.mixed_line_ends}"
    return FileFacts(path, digest.hexdigest(), text.columns, layout, text=text, error=text.error)


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _unpacked(stream: IO[bytes], *, gzipped: bool) -> Iterator[tuple[bytes, bytes]]:
    """Chunks of a file as they lie and as unpacked, never more than 16 MiB of the latter at once.

    Raises:
        EOFError: when a gzip file ends before its end mark.
    """
    member = None
    while chunk := stream.read(_CHUNK):
        if not gzipped:
            yield chunk, chunk
            continue
        yield chunk, b""
        rest = chunk
        while rest:
            member = member or zlib.decompressobj(wbits=31)
            yield b"", member.decompress(rest, 16 * _CHUNK)
            while member.unconsumed_tail:
                yield b"", member.decompress(member.unconsumed_tail, 16 * _CHUNK)
            rest = member.unused_data if member.eof else b""
            if member.eof:
                member = None
    if gzipped and member is not None:
        raise EOFError
