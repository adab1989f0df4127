"""A job's progress with the tables that it reads and writes: `ops/table_progress`.

Progress is the last commit that changed data, so maintenance of a table does not cause a rebuild. A job
writes its progress last. If a run dies before, the next run knows that the tables are unfinished.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.ops import TABLE_PROGRESS
from jobs.lake.delta_log import DeltaLogReader
from jobs.lake.sequence import next_sequence
from jobs.lake.tables import Lake


@dataclass(frozen=True)
class Seen:
    """The state of a table at the end of a job's last finished run.

    Args:
        run_id: the run that wrote this state.
        data_version: the table's last commit that changed data.
        table_id: Delta's id of the table; None if its log no longer has it.
    """

    run_id: str
    data_version: int
    table_id: str | None


def read_progress(lake: Lake, job: str) -> dict[str, Seen]:
    """A job's last written state of each table, by the table's name; empty before its first run."""
    if not lake.exists(TABLE_PROGRESS):
        return {}
    mine = lake.read(TABLE_PROGRESS).filter(F.col("job") == job)
    last = F.max(F.struct("sequence", "run_id", "data_version", "table_id")).alias("last")
    rows = mine.groupBy("table_name").agg(last).select("table_name", "last.*").collect()
    return {
        row["table_name"]: Seen(row["run_id"], row["data_version"], row["table_id"]) for row in rows
    }


def write_progress(lake: Lake, job: str, run_id: str, tables: Iterable[TableContract]) -> None:
    """Write the state of tables, as the run read or left them, in one commit."""
    number, now = next_sequence(lake, TABLE_PROGRESS), datetime.now(UTC)
    rows = [
        (run_id, job, table.name, now_at.table_id, now_at.data_version, now, number)
        for table in tables
        if (now_at := state(lake, table, run_id)) is not None
    ]
    if rows:
        frame = lake.spark.createDataFrame(rows, TABLE_PROGRESS.schema)
        lake.append(frame.coalesce(1), TABLE_PROGRESS)


def state(lake: Lake, table: TableContract, run_id: str) -> Seen | None:
    """The state of a table in the version that the run uses; None if it does not exist or its log does not show it."""
    if not lake.exists(table):
        return None
    log = DeltaLogReader(lake.spark, lake.path(table))
    version = log.data_version(lake.version(table))
    return None if version is None else Seen(run_id, version, log.table_id())


def is_as_left(lake: Lake, table: TableContract, progress: Mapping[str, Seen]) -> bool:
    """Whether a table's data are unchanged since a job wrote its state."""
    seen = progress.get(table.name)
    return seen is not None and seen == state(lake, table, seen.run_id)


def first_new_version(lake: Lake, table: TableContract, progress: Mapping[str, Seen]) -> int | None:
    """The first version of a table with changes that are new to a job; None if the whole table is new.

    One above the version that the run uses means that nothing is new.
    """
    seen, log = progress.get(table.name), DeltaLogReader(lake.spark, lake.path(table))
    if seen is None or seen.table_id != log.table_id():
        return None
    return log.first_new_version(seen.data_version, lake.version(table))
