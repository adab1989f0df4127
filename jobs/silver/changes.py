"""What conform_tables has to do for one table: which batches are new since it last ran, or all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from expectations.landing.table import LandingTable
from expectations.ops import TABLE_BALANCE
from jobs.lake.tables import Lake
from jobs.landing.batch_history import KeptBatch

#: A smaller table is made anew whole: the fewer queries count for more than the fewer rows.
FEW_ROWS = 200_000


@dataclass(frozen=True)
class Changes:
    """The batches of a table that silver does not show yet.

    `is_all` says that silver has to be made anew from every batch; then there is nothing `before`.
    `epoch` is the table's until now; None where it is not known what silver showed until now.
    """

    batches: Mapping[date, KeptBatch]
    new: tuple[date, ...]
    parent_epochs: Mapping[str, str]
    is_all: bool
    epoch: str | None
    before: Mapping[str, Any]

    @property
    def has_history(self) -> bool:
        """Whether silver holds rows of batches that are not new."""
        return not self.is_all and len(self.new) < len(self.batches)

    @property
    def is_small(self) -> bool:
        """Whether all of the table's few rows are to be made anew."""
        return self.is_all and self.rows_landed <= FEW_ROWS

    @property
    def rows_landed(self) -> int:
        """Rows in bronze, as ingest_batch counted them."""
        return kept_rows(self.batches, self.batches)

    @property
    def rows_new(self) -> int:
        """Those of them that silver does not show yet."""
        return kept_rows(self.batches, self.new)


def kept_rows(batches: Mapping[date, KeptBatch], days: Iterable[date]) -> int:
    """The rows in bronze of some days' batches."""
    return sum(batches[day].rows_kept for day in days if day in batches)


def newest_balances(lake: Lake) -> dict[str, Mapping[str, Any]]:
    """The newest row of `ops/table_balance` of every table."""
    if not lake.exists(TABLE_BALANCE):
        return {}
    rows = lake.read(TABLE_BALANCE)
    newest = rows.groupBy("table_name").agg(F.max_by(F.struct(*rows.columns), "written_at"))
    return {table: row.asDict() for table, row in newest.collect()}


def changes_of(
    lake: Lake,
    table: LandingTable,
    batches: Mapping[date, KeptBatch],
    before: Mapping[str, Any] | None,
    epochs: Mapping[str, str],
) -> Changes:
    """Compare bronze (`batches`) with what the table's newest balance says of the last time.

    All has to be done again when a batch has another version than then or is gone, when a parent's
    keys have come to be known at another time than then (`epochs`), when silver is at another version
    (a run died between two commits), or when nothing is known of a last time.
    """
    parents = {each.parent for each in table.references if each.parent != table.name}
    parent_epochs = {name: epochs[name] for name in sorted(parents) if name in epochs}
    last = before or {}
    known = last.get("batches") or {}
    is_known = lake.exists(table.silver) and last.get("silver_version") == lake.version(
        table.silver
    )
    is_same = (
        is_known
        and last["parent_epochs"] == parent_epochs
        and all(
            day in batches and batches[day].version == version for day, version in known.items()
        )
    )
    fresh = set(batches) - set(known)
    is_worked_on = bool(fresh or last.get("rows_quarantined"))
    is_all = not is_same or (is_worked_on and kept_rows(batches, batches) <= FEW_ROWS)
    return Changes(
        batches=batches,
        new=tuple(sorted(batches if is_all else fresh)),
        parent_epochs=parent_epochs,
        is_all=is_all,
        epoch=last["epoch"] if is_known else None,
        before={} if is_all else last,
    )
