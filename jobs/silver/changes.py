"""What is affected in one table: the batches that are new since the last run, or all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused
from expectations.landing.table import LandingTable
from expectations.ops import TABLE_BALANCE, quarantine
from jobs.lake.progress import Seen, is_as_left, read_progress
from jobs.lake.tables import Lake
from jobs.landing.batch_history import KeptBatch

JOB_NAME = "conform_tables"
#: A smaller table is rebuilt whole: that takes fewer queries, which counts for more than fewer rows.
FEW_ROWS = 200_000


@dataclass(frozen=True)
class LastRun:
    """What the last finished run of conform_tables left, by table.

    Args:
        balances: the row of `ops/table_balance`.
        progress: the state of the silver tables, by their names.
    """

    balances: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    progress: Mapping[str, Seen] = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """What is new in a table since the last run.

    Args:
        batches: the batches in bronze, as the ledger of ingest_batch has them.
        new: the days of those that silver does not show yet.
        parent_epochs: the epochs of the tables that this one refers to.
        is_all: whether silver has to be rebuilt from every batch.
        epoch: the table's until now; None where it is not known what silver shows.
        before: the table's last balance; empty where silver is rebuilt.
        waiting: how many orphans are in quarantine by batch, whether or not a run that died put them there.
    """

    batches: Mapping[date, KeptBatch]
    new: tuple[date, ...]
    parent_epochs: Mapping[str, str]
    is_all: bool
    epoch: str | None
    before: Mapping[str, Any]
    waiting: Mapping[date, int] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether silver and quarantine are what they have to be already."""
        return not self.new and not self.orphans

    @property
    def has_history(self) -> bool:
        """Whether silver holds rows of batches that are not new."""
        return not self.is_all and len(self.new) < len(self.batches)

    @property
    def is_small(self) -> bool:
        """Whether the table is rebuilt whole because it has few rows."""
        return self.is_all and self.rows_landed <= FEW_ROWS

    @property
    def orphans(self) -> int:
        """Orphans of older batches that wait for what they point at."""
        return int(self.before.get("rows_quarantined") or 0)

    @property
    def rows_landed(self) -> int:
        """Rows in bronze, as ingest_batch counted them."""
        return kept_rows(self.batches, self.batches)

    @property
    def rows_new(self) -> int:
        """Those of them that silver does not show yet."""
        return kept_rows(self.batches, self.new)

    @property
    def new_versions(self) -> list[str]:
        """The versions of the new batches."""
        return [self.batches[day].version for day in self.new]


def kept_rows(batches: Mapping[date, KeptBatch], days: Iterable[date]) -> int:
    """The rows in bronze of some days' batches."""
    return sum(batches[day].rows_kept for day in days if day in batches)


def last_run(lake: Lake) -> LastRun:
    """What the last finished run left. A balance counts only if the progress of the same run was written."""
    progress = read_progress(lake, JOB_NAME)
    if not progress or not lake.exists(TABLE_BALANCE):
        return LastRun()
    runs = {seen.run_id for seen in progress.values()}
    rows = lake.read(TABLE_BALANCE).filter(F.col("run_id").isin(*runs)).collect()
    by_run = {(row["run_id"], f"silver.{row['table_name']}"): row.asDict() for row in rows}
    finished = (by_run.get((seen.run_id, name)) for name, seen in progress.items())
    return LastRun({row["table_name"]: row for row in finished if row}, progress)


def changes_of(
    lake: Lake,
    table: LandingTable,
    batches: Mapping[date, KeptBatch],
    last: LastRun,
    epochs: Mapping[str, str],
) -> Changes:
    """Compare bronze with what the last run left.

    Silver is rebuilt whole when nothing is known of a last run, when silver's data are not as that run left
    them (a run died between two commits), when a batch was sent again or is gone, when a parent's keys have
    come to be known at another time than then, or when other orphans are in quarantine than the balance says.

    Args:
        lake: the lake.
        table: the table.
        batches: its batches in bronze, from the ledger of ingest_batch.
        last: what the last run left.
        epochs: the epochs of the tables that are done already.

    Raises:
        DataRefused: when silver holds batches and the ledger none.
    """
    parents = {each.parent for each in table.references if each.parent != table.name}
    parent_epochs = {name: epochs[name] for name in sorted(parents) if name in epochs}
    found = last.balances.get(table.name)
    is_silver_known = found is not None and is_as_left(lake, table.silver, last.progress)
    before = dict(found) if found is not None and is_silver_known else {}
    known: Mapping[date, str] = before.get("batches") or {}
    if not batches and lake.exists(table.silver):
        raise DataRefused(
            f"ops.landing_batch has no batch of {table.name}, while {table.silver.name} holds some:"
            " restore ops.landing_batch, or run ingest_batch again"
        )
    fresh = set(batches) - set(known)
    is_same = (
        bool(before)
        and before["parent_epochs"] == parent_epochs
        and all(day in batches and batches[day].version == known[day] for day in known)
    )
    waiting: Mapping[date, int] = {}
    if fresh or not is_same or before["rows_quarantined"]:
        waiting = _orphans_by_batch(lake, table)
        of_known = sum(rows for day, rows in waiting.items() if day not in fresh)
        is_same = is_same and of_known == before["rows_quarantined"]
        is_few = kept_rows(batches, batches) <= FEW_ROWS
        is_all = not is_same or is_few
    else:
        is_all = False
    return Changes(
        batches=batches,
        new=tuple(sorted(batches if is_all else fresh)),
        parent_epochs=parent_epochs,
        is_all=is_all,
        epoch=before["epoch"] if before else None,
        before={} if is_all else before,
        waiting=waiting,
    )


def _orphans_by_batch(lake: Lake, table: LandingTable) -> dict[date, int]:
    """The orphans in a table's quarantine, counted: both columns are partitions, so no file is opened."""
    contract = quarantine(table.name)
    if not lake.exists(contract):
        return {}
    mine = lake.read(contract).filter(F.col("job") == JOB_NAME)
    return {row["batch"]: row["count"] for row in mine.groupBy("batch").count().collect()}
