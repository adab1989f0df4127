"""Columns of a view's files, where they differ from file to file."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq

from jobs.landing.source_text import first_record


def data_files(paths: Sequence[str]) -> list[str]:
    """The files that Spark reads for some paths: those below folders too, without hidden ones."""
    return [str(file) for path in map(Path, paths) for file in _files_of(path)]


def _files_of(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for inner in sorted(path.rglob("*")):
        names = inner.relative_to(path).parts
        if inner.is_file() and not any(is_hidden(name) for name in names):
            yield inner


def is_hidden(name: str) -> bool:
    """Whether Spark passes over a file or folder of that name."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def missing_column(kind: str, files: Sequence[str]) -> str:
    """Which column is in one Parquet or ORC file and not in another; Spark would give nulls for it."""
    first: tuple[str, dict[str, str]] | None = None
    for file in files:
        names = {name.lower(): name for name in _types(kind, file)}
        if not names:
            continue
        first = first or (file, names)
        known, both = first[1], first[1] | names
        for here, there, lacking in (
            (first[0], file, known.keys() - names.keys()),
            (file, first[0], names.keys() - known.keys()),
        ):
            if lacking:
                return (
                    f"{here} has a column {both[min(lacking)]}, and {there} has not: give all files of"
                    " a view the same columns"
                )
    return ""


def other_type(kind: str, file: str, files: Sequence[str]) -> str:
    """Which column is of another type in a Parquet or ORC file than in another one; empty if none is."""
    here = {name.lower(): kind for name, kind in _types(kind, file).items()}
    for other in files:
        for name, stored in _types(kind, other).items():
            if here.get(name.lower(), stored) != stored:
                return f"its column {name} is {here[name.lower()]}, and {stored} in {other}"
    return ""


def other_header(
    file: str, files: Sequence[str], options: dict[str, str], is_told: Callable[[str], bool]
) -> str:
    """Where a CSV file's header differs from another file's; a name only if it may be told."""
    here = [name.lower() for name in first_record(file, options)]
    for other in files:
        there = first_record(other, options)
        if len(there) != len(here):
            return f"its header has {len(here)} columns, and {len(there)} in {other}"
        for place, name in enumerate(there):
            if name.lower() != here[place]:
                told = f" ({name})" if is_told(name) else ""
                return f"its header differs from that of {other} in column {place + 1}{told}"
    return ""


def _types(kind: str, file: str) -> dict[str, str]:
    """The columns of a file with their types, those within others too; none if it can't be read here."""
    try:
        schema = pq.read_schema(file) if kind == "parquet" else orc.ORCFile(file).schema
    except (OSError, ValueError, NotImplementedError):
        # Spark may read it, or says itself that it is damaged.
        return {}
    return dict(_leaves("", schema))


def _leaves(above: str, columns: pa.Schema | pa.StructType) -> Iterator[tuple[str, str]]:
    for column in columns:
        name = f"{above}{column.name}"
        if pa.types.is_struct(column.type):
            yield from _leaves(f"{name}.", column.type)
        else:
            yield name, str(column.type)
