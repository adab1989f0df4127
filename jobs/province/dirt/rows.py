"""Faults of single rows: which rows of which files, and the files written again with them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from expectations.landing.table import LandingField, LandingTable
from jobs.province.dirt.fault_ledger import KINDS, Fault
from jobs.province.landing.files import (
    LandedBatch,
    as_text,
    read_table,
    replace_file,
    sums,
    with_cells,
    with_text_column,
)

#: A batch with fewer rows gets no row faults: a share of few rows says little.
FEWEST_ROWS = 30
#: What cannot be read, by type; strings can always be read.
_UNREADABLE = {
    "timestamp": "2025-13-41 25:61:00",
    "date": "31.02.2025",
    "boolean": "maybe",
    "integer": "one",
    "double": "n/a",
    "decimal": "12,5o",
}
_FORM = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Place:
    """One row of one file."""

    batch: LandedBatch
    file: str
    row: int

    @property
    def path(self) -> Path:
        """The file."""
        return self.batch.folder / self.file


@dataclass
class _FilePlan:
    batch: LandedBatch
    removed: set[int] = field(default_factory=set)
    #: column, row: text of another value
    cells: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    #: the same for what is no value
    spoiled: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    added: list[pa.Table] = field(default_factory=list)
    #: fault number: its row, or that of the added ones counted from -1 down
    marks: dict[int, int] = field(default_factory=dict)


@lru_cache(maxsize=4)
def _rows_of(path: Path) -> pa.Table:
    return read_table(path)


class DirtyRows:
    """Collects row faults of landing files, then writes the files with them."""

    def __init__(
        self, faults: list[Fault], rng: np.random.Generator, clock_skew_hours: int
    ) -> None:
        """Begin without faults.

        Args:
            faults: the ledger so far, which is added to.
            rng: what the draws are made with.
            clock_skew_hours: how long an event may lie after its arrival, as in the configuration.
        """
        self.faults = faults
        self._rng = rng
        self._skew = clock_skew_hours
        self._plans: dict[Path, _FilePlan] = {}
        self._used: set[tuple[Path, int]] = set()

    def drawn(self, batches: Iterable[LandedBatch], count: int) -> list[Place]:
        """Rows that have no fault yet, every row as likely as the other."""
        files = [
            (batch, name, rows)
            for batch in batches
            if batch.rows >= FEWEST_ROWS
            for name, rows in batch.files.items()
        ]
        ends = np.cumsum([rows for *_, rows in files])
        if not len(ends) or not ends[-1]:
            return []
        wanted = min(count, int(ends[-1]) // 3)
        at = np.sort(self._rng.choice(ends[-1], wanted, replace=False))
        which = np.searchsorted(ends, at, side="right")
        places = [
            Place(files[n][0], files[n][1], int(position - ends[n] + files[n][2]))
            for n, position in zip(which, at, strict=True)
        ]
        return [place for place in places if (place.path, place.row) not in self._used]

    def record(self, place: Place) -> dict[str, str | None]:
        """The row as text by column."""
        row = _rows_of(place.path).slice(place.row, 1)
        return {name: as_text(row[name])[0].as_py() for name in row.column_names}

    def duplicate(self, table: LandingTable, place: Place, target: Place | None) -> None:
        """Deliver a row once more, in its own file or in a later batch."""
        to = target or place
        number = self._add("duplicate_across" if target else "duplicate_row", table, to, place)
        self._append(to, _rows_of(place.path).slice(place.row, 1), number)

    def delay(self, table: LandingTable, place: Place, target: Place) -> None:
        """Deliver a row in a later batch only, as one that arrived then."""
        number = self._add("late_row", table, target, place)
        self._plan(place).removed.add(place.row)
        moved = _rows_of(place.path).slice(place.row, 1)
        self._append(
            target, with_cells(moved, "arrive_time", {0: f"{target.batch.day} 12:00:00"}), number
        )

    def shift_clock(self, table: LandingTable, place: Place, *, beyond: bool) -> int:
        """Let an event happen after it arrived, by more or by less than clocks may differ."""
        hours = self._skew + int(self._rng.integers(2, 900)) if beyond else self._skew // 2
        arrived = datetime.strptime(str(self.record(place)["arrive_time"]), _FORM)
        reason = f"{table.event_time}: lies in the future of arrive_time (a clock error?)"
        number = self._add(
            "clock_error" if beyond else "clock_slip", table, place, reason=reason if beyond else ""
        )
        later = (arrived + timedelta(hours=hours)).strftime(_FORM)
        self._set(place, table.event_time, later, number)
        return number

    def spoil(self, table: LandingTable, place: Place) -> int:
        """Make one value unreadable."""
        columns = [
            each
            for each in table.fields
            if each.type != "string" and self.record(place).get(each.name)
        ]
        column: LandingField = columns[int(self._rng.integers(len(columns)))]
        reason = f"{column.name}: can't be read as {column.type}"
        number = self._add("unreadable", table, place, reason=reason)
        kind = column.type.split("(")[0]
        plan = self._plan(place)
        plan.spoiled[column.name][place.row] = _UNREADABLE[kind]
        plan.marks[number] = place.row
        return number

    def misdirect(self, table: LandingTable, place: Place, column: str, parent: str) -> int:
        """Let a row point at a parent that there is not."""
        kind = {"settlement": "unknown_settlement", "person": "unknown_member"}[parent]
        reason = f"{column}: points at no row of {parent}"
        number = self._add(kind, table, place, reason=reason)
        self._set(place, column, self._rng.bytes(8).hex(), number)
        return number

    def remove(self, table: LandingTable, place: Place, kind: str) -> tuple[int, pa.Table]:
        """Take a row out; its fault and the row."""
        number = self._add(kind, table, place)
        self._plan(place).removed.add(place.row)
        return number, _rows_of(place.path).slice(place.row, 1)

    def write(self) -> None:
        """Write every file that has faults, and enter in the ledger where they lie."""
        for path, plan in self._plans.items():
            self._write(path, plan)
        for batch in {id(plan.batch): plan.batch for plan in self._plans.values()}.values():
            batch.write_manifest()
        self._plans.clear()
        _rows_of.cache_clear()

    def _write(self, path: Path, plan: _FilePlan) -> None:
        rows = read_table(path)
        amounts = list(plan.batch.manifest.get("control") or {})
        before = sums(rows, amounts)
        for column, cells in plan.cells.items():
            rows = with_cells(rows, column, cells)
        for column in plan.spoiled:
            # As text before rows are added and removed: places still are those of the plan.
            plan.added = [with_text_column(each, column) for each in plan.added]
            rows = with_text_column(rows, column)
        spoiled = rows
        for column, cells in plan.spoiled.items():
            spoiled = with_cells(spoiled, column, cells)
        kept = np.setdiff1d(np.arange(rows.num_rows), sorted(plan.removed))
        # The sender's control sums are those of the values before they became unreadable.
        after = sums(pa.concat_tables([rows.take(kept), *plan.added]), amounts)
        whole = pa.concat_tables([spoiled.take(kept), *plan.added])
        change = {name: after[name] - before[name] for name in after}
        replace_file(plan.batch, path.name, whole, change)
        for number, row in plan.marks.items():
            place = len(kept) - row if row < 0 else int(np.searchsorted(kept, row)) + 1
            self.faults[number] = replace(self.faults[number], record=place)

    def _plan(self, place: Place) -> _FilePlan:
        self._used.add((place.path, place.row))
        return self._plans.setdefault(place.path, _FilePlan(place.batch))

    def _append(self, place: Place, row: pa.Table, number: int) -> None:
        plan = self._plans.setdefault(place.path, _FilePlan(place.batch))
        plan.added.append(row)
        plan.marks[number] = -len(plan.added)

    def _set(self, place: Place, column: str, text: str, number: int) -> None:
        plan = self._plan(place)
        plan.cells[column][place.row] = text
        plan.marks[number] = place.row

    def _add(
        self,
        kind: str,
        table: LandingTable,
        place: Place,
        source: Place | None = None,
        reason: str = "",
    ) -> int:
        """Enter a fault; `place` is where the faulty row will lie, `source` where it lay."""
        origin = source or place
        self._used.add((origin.path, origin.row))
        record = self.record(origin)
        key = "|".join(str(record[name]) for name in table.key)
        number = len(self.faults)
        self.faults.append(
            Fault(
                number,
                kind,
                table.name,
                place.batch.day,
                place.file,
                0,
                key,
                1,
                *KINDS[kind],
                reason,
            )
        )
        return number


def children_of(
    batches: Iterable[LandedBatch], column: str, wanted: set[str]
) -> Iterator[tuple[LandedBatch, str]]:
    """For each row that points at a wanted settlement, its batch and the settlement."""
    values = pa.array(sorted(wanted))
    for batch in batches:
        for name in batch.files:
            found = read_table(batch.folder / name, [column])[column].cast(pa.string())
            for setl_id in found.filter(pa.compute.is_in(found, value_set=values)).to_pylist():
                yield batch, setl_id
