"""Writes the landing folder: part files by table, batch and unit, and the manifests when all are there."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from expectations.landing.reference import REFERENCE_TABLES
from expectations.tables import LANDING_BY_NAME
from jobs.landing.manifests import MANIFEST
from jobs.province.arrays.days import DAY
from jobs.province.care.bill_tables import Arrivals
from jobs.province.settings import Settings

Format = Literal["parquet", "csv"]
_SUMMED = pa.decimal128(38, 6)
#: Registers of people come by id, as a register does. Neighbours and kin would otherwise stand together, and where
#: somebody stands would say in what kind of household.
_BY_PERSON = frozenset(table.name for table in REFERENCE_TABLES if "psn_no" in table.key)


@dataclass(frozen=True)
class PartFile:
    """A file of a batch as its manifest announces it."""

    table: str
    batch: date
    name: str
    rows: int
    sha256: str
    control: dict[str, Decimal]


@dataclass(frozen=True)
class Calendar:
    """The batches of a month: one, or one a day, named after the last day of what they hold."""

    settings: Settings
    months: int
    daily: bool

    @property
    def end(self) -> int:
        """Seconds from the start to the end of the last month."""
        return self.settings.month_days(self.months - 1)[1] * DAY

    def batches(self, month: int) -> list[tuple[date, int]]:
        """Dates of a month's batches, and the second at which each ends."""
        first, after = self.settings.month_days(month)
        last = range(first, after) if self.daily else [after - 1]
        return [(self.settings.day(day), (day + 1) * DAY) for day in last]


@dataclass
class Delivery:
    """What one unit delivers; rows that arrive in later batches wait for them."""

    root: Path
    unit: int
    calendar: Calendar
    format: Format
    tables: frozenset[str]
    files: list[PartFile] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _waiting: dict[str, list[Arrivals]] = field(default_factory=lambda: defaultdict(list))

    def add(self, arrivals: Arrivals) -> None:
        """Take rows in; those that arrive after the last month are left out."""
        known = int(np.searchsorted(arrivals.arrive, self.calendar.end, side="left"))
        if arrivals.table in self.tables and known:
            kept = Arrivals(arrivals.table, arrivals.rows.slice(0, known), arrivals.arrive[:known])
            self._waiting[arrivals.table].append(kept)

    def write(self, month: int) -> None:
        """Write the batches of a month; nothing that arrives in it may be added after."""
        for day, end in self.calendar.batches(month):
            for table, waiting in self._waiting.items():
                due, later = [], []
                for arrivals in waiting:
                    cut = int(np.searchsorted(arrivals.arrive, end, side="left"))
                    if cut:
                        due.append(arrivals.rows.slice(0, cut))
                    if cut < len(arrivals.arrive):
                        later.append(_rest(arrivals, cut))
                self._waiting[table] = later
                if due:
                    self._write_part(table, day, pa.concat_tables(due, promote_options="default"))
        # What waits is copied, so that the rest of its month's rows can be let go.
        for table, waiting in self._waiting.items():
            self._waiting[table] = [_copied(arrivals) for arrivals in waiting]

    def _write_part(self, table: str, day: date, rows: pa.Table) -> None:
        folder = self.root / table / f"batch={day}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"part-{self.unit:06d}.{self.format}"
        if table in _BY_PERSON:
            rows = rows.sort_by([("psn_no", "ascending"), ("arrive_time", "ascending")])
        content = _content(rows, self.format)
        temporary = folder / f".{name}"
        temporary.write_bytes(content)
        temporary.replace(folder / name)
        control = {
            column: pc.sum(rows[column].cast(_SUMMED)).as_py() or Decimal(0)
            for column in LANDING_BY_NAME[table].amounts
        }
        digest = hashlib.sha256(content).hexdigest()
        self.files.append(PartFile(table, day, name, rows.num_rows, digest, control))
        self.rows[table] += rows.num_rows


def write_manifests(root: Path, files: Iterable[PartFile]) -> int:
    """Announce what was written, batch by batch, and remove files that are no longer part of it.

    Returns:
        The number of batches.
    """
    batches: dict[tuple[str, date], list[PartFile]] = defaultdict(list)
    for file in files:
        batches[file.table, file.batch].append(file)
    for (table, day), parts in batches.items():
        folder = root / table / f"batch={day}"
        parts.sort(key=lambda part: part.name)
        names = {part.name for part in parts}
        for lying in folder.iterdir():
            if lying.name not in names:
                lying.unlink()
        manifest = {
            "table": table,
            "batch": day.isoformat(),
            "rows": sum(part.rows for part in parts),
            "control": {
                column: f"{sum((part.control[column] for part in parts), Decimal(0)):f}"
                for column in LANDING_BY_NAME[table].amounts
            },
            "files": [
                {"name": part.name, "rows": part.rows, "sha256": part.sha256} for part in parts
            ],
        }
        temporary = folder / f".{MANIFEST}"
        temporary.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        temporary.replace(folder / MANIFEST)
    return len(batches)


def clear_manifests(root: Path, tables: Sequence[str]) -> None:
    """Take back the announcements of an earlier run: a batch in the making has no manifest."""
    for table in tables:
        for manifest in (root / table).glob(f"batch=*/{MANIFEST}"):
            manifest.unlink()


def _content(rows: pa.Table, form: Format) -> bytes:
    buffer = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(
            rows,
            buffer,
            compression="zstd",
            compression_level=1,
            write_statistics=False,
            store_decimal_as_integer=True,
            use_dictionary=[field.name for field in rows.schema if _repeats(field)],
        )
    else:
        plain = pa.table({name: _plain(rows[name]) for name in rows.column_names})
        buffer.write((",".join(plain.column_names) + "\n").encode())
        options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        pa_csv.write_csv(plain, buffer, options)
    content: bytes = buffer.getvalue().to_pybytes()
    return content


def _repeats(field: pa.Field) -> bool:
    return bool(pa.types.is_dictionary(field.type) or pa.types.is_decimal(field.type))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as CSV shows it: no codes, times to the second."""
    if pa.types.is_dictionary(column.type):
        return column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("s"))
    return column


def _rest(arrivals: Arrivals, cut: int) -> Arrivals:
    return Arrivals(arrivals.table, arrivals.rows.slice(cut), arrivals.arrive[cut:])


def _copied(arrivals: Arrivals) -> Arrivals:
    every = pa.array(np.arange(len(arrivals.arrive)))
    return Arrivals(arrivals.table, arrivals.rows.take(every), arrivals.arrive.copy())
