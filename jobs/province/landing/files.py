"""Landing batches as they lie on disk, to be read and written again with manifests that fit."""

import csv
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

_SUMMED = pa.decimal128(38, 6)
MANIFEST = "_manifest.json"


@dataclass(frozen=True)
class LandedBatch:
    """One batch of a table with its manifest."""

    table: str
    day: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def rows(self) -> int:
        """Rows of all its files."""
        return int(self.manifest["rows"])

    @property
    def files(self) -> dict[str, int]:
        """Rows by file name."""
        return {file["name"]: int(file["rows"]) for file in self.manifest["files"]}

    def write_manifest(self) -> None:
        """Put the manifest on disk, in one step."""
        path = self.folder / f".{MANIFEST}"
        path.write_text(json.dumps(self.manifest, indent=1), encoding="utf-8")
        path.replace(self.folder / MANIFEST)


def landed(root: Path, table: str) -> list[LandedBatch]:
    """A table's batches in the order of their dates."""
    found = []
    for path in sorted((root / table).glob(f"batch=*/{MANIFEST}")):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found.append(LandedBatch(table, manifest["batch"], path.parent, manifest))
    return found


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A file's rows: a CSV file as text, a Parquet file as it is typed."""
    if path.suffix == ".parquet":
        return _decoded(pq.ParquetFile(path).read(columns=columns))
    content = path.read_bytes()
    raw = gzip.decompress(content) if path.suffix == ".gz" else content
    header = next(csv.reader([raw.split(b"\n", 1)[0].decode().rstrip("\r")]))
    options = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        include_columns=columns,
    )
    parsing = pa_csv.ParseOptions(newlines_in_values=True)
    return pa_csv.read_csv(pa.BufferReader(raw), parse_options=parsing, convert_options=options)


def _decoded(rows: pa.Table) -> pa.Table:
    """Without dictionaries: a value that is in none has to find room."""
    for place, column in enumerate(rows.schema):
        if pa.types.is_dictionary(column.type):
            plain = rows[column.name].cast(column.type.value_type)
            rows = rows.set_column(place, column.name, plain)
    return rows


def write_table(path: Path, rows: pa.Table) -> str:
    """Write a file in the format that its name says; its SHA-256."""
    buffer = pa.BufferOutputStream()
    if path.suffix == ".parquet":
        pq.write_table(rows, buffer, compression="zstd")
    else:
        header = ",".join(rows.column_names) + "\n"
        options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        buffer.write(header.encode())
        pa_csv.write_csv(rows, buffer, options)
    content: bytes = buffer.getvalue().to_pybytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(content)
    temporary.replace(path)
    return hashlib.sha256(content).hexdigest()


def sums(rows: pa.Table, columns: Sequence[str]) -> dict[str, Decimal]:
    """The sum of each amount column that the rows have."""
    return {
        name: pc.sum(rows[name].cast(_SUMMED, safe=False)).as_py() or Decimal(0)
        for name in columns
        if name in rows.column_names
    }


def replace_file(
    batch: LandedBatch, name: str, rows: pa.Table, change: Mapping[str, Decimal]
) -> None:
    """Write one of a batch's files anew and enter it in the manifest, which the caller writes.

    Args:
        batch: the batch.
        name: the file.
        rows: what it holds now.
        change: by how much the control sums change.
    """
    digest = write_table(batch.folder / name, rows)
    manifest = batch.manifest
    for file in manifest["files"]:
        if file["name"] == name:
            manifest["rows"] += rows.num_rows - file["rows"]
            file.update(rows=rows.num_rows, sha256=digest)
    control = manifest.get("control") or {}
    for column, difference in change.items():
        if column in control:
            old = Decimal(control[column])
            control[column] = f"{(old + difference).quantize(Decimal('0.000001')).normalize():f}"


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text, times and dates in the form of the landing contract."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d %H:%M:%S")
    return column.cast(pa.string())


def with_cells(rows: pa.Table, column: str, cells: Mapping[int, str]) -> pa.Table:
    """The rows with some cells of a column set, given as text, in the column's own type."""
    old = rows[column].combine_chunks()
    at = sorted(cells)
    mask = np.zeros(len(old), dtype=bool)
    mask[at] = True
    others = pa.array([cells[row] for row in at], pa.string()).cast(old.type)
    changed = pc.replace_with_mask(old, pa.array(mask), others)
    return rows.set_column(rows.column_names.index(column), column, changed)


def with_text_column(rows: pa.Table, column: str) -> pa.Table:
    """The rows with a column as text, so that it can hold what is no value of its type."""
    return rows.set_column(rows.column_names.index(column), column, as_text(rows[column]))
