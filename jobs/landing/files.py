"""Files of a landing folder, local or on object storage: copied, hashed, inspected."""

import hashlib
from collections.abc import Sequence
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
from jobs.landing.unpacking import unpacked

_CHUNK = 1 << 20


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
    size = unpacked_size = padding = 0
    try:
        for packed, plain, zeros in unpacked(stream, gzipped=path.endswith(".gz")):
            digest.update(packed)
            size += len(packed)
            unpacked_size += len(plain)
            padding += zeros
            if unpacked_size > max_bytes:
                return FileFacts(path, error=_too_large(max_bytes))
            scan.feed(plain)
    except NotReadable as error:
        return FileFacts(path, error=str(error))
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
        padding=padding if unpacked_size else 0,
    )


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
