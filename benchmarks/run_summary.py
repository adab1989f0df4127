"""What the last run of each job cost, from ops/job_run: `python -m benchmarks.run_summary LAKE`."""

import os
import platform
import sys

from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from expectations.ops import JOB_RUN, LANDING_BATCH, TABLE_BALANCE
from jobs.lake.tables import Lake
from jobs.runtime.pipeline import STEPS
from jobs.runtime.session import start_session


def main(root: str) -> None:
    """Print seconds, rows and peak memory per job, and the balance of rows per table."""
    lake = Lake(start_session("run_summary", "conf/spark-local.conf"), root)
    console = Console()
    runs = lake.read(JOB_RUN).orderBy(F.asc_nulls_first("sequence"), "ended_at").collect()
    newest = {row["job"]: row for row in runs}
    table = Table("job", "outcome", "seconds", "rows read", "rows written", "peak MiB", box=None)
    for name in (*(step.name for step in STEPS), "run_pipeline"):
        if row := newest.get(name):
            seconds, peak = f"{row['seconds']:.1f}", str(row["peak_memory_mb"])
            table.add_row(
                name, row["outcome"], seconds, str(row["rows_read"]), str(row["rows_written"]), peak
            )
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores; peak MiB is the driver JVM's so far"
    )
    console.print(table)
    console.print(_balances(lake))


def _balances(lake: Lake) -> Table:
    """Landed = conformed + superseded + quarantined, table by table, over all batches and versions."""
    kept = lake.read(LANDING_BATCH).filter(F.col("outcome") == "kept")
    landed = {
        row["table_name"]: row
        for row in kept.groupBy("table_name")
        .agg(
            F.sum("rows_landed").alias("landed"),
            F.sum("rows_quarantined").alias("quarantined"),
            F.sum("rows_superseded").alias("superseded"),
        )
        .collect()
    }
    newest = {
        row["table_name"]: row
        for row in lake.read(TABLE_BALANCE)
        .orderBy(F.asc_nulls_first("sequence"), "written_at")
        .collect()
    }
    table = Table(
        "table", "landed", "conformed", "superseded", "quarantined", "difference", box=None
    )
    for name, row in newest.items():
        first = landed[name]
        superseded = row["rows_superseded"] + first["superseded"]
        quarantined = row["rows_quarantined"] + first["quarantined"]
        rest = first["landed"] - row["rows_conformed"] - superseded - quarantined
        numbers = (first["landed"], row["rows_conformed"], superseded, quarantined, rest)
        table.add_row(name, *(str(number) for number in numbers))
    return table


if __name__ == "__main__":
    main(sys.argv[1])
