"""How fast landing files become silver, and whether a month costs the same with a year behind it.

    python -m benchmarks.landing_speed FOLDER --members 1000000 --months 12

simulates settlement, fee_detail and person into FOLDER (once), then runs ingest_batch and
conform_tables month by month in one session. Lines are fee lines. Beside it stands what plain Spark
needs to write the last month's rows twice as Delta, checking nothing: no run can be faster. With
--validate, validate_tables is compared with the same counts in plain Spark.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from expectations.contract.suite import rules
from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from jobs import conform_tables, ingest_batch, validate_tables
from jobs.lake.tables import Lake
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, Options
from jobs.runtime.session import jvm_peak_memory_mb, start_session

_TABLES = ("settlement", "fee_detail", "person")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--at-once", action="store_true", help="all months in one run")
    parser.add_argument("--validate", action="store_true", help="measure validate_tables too")
    given = parser.parse_args()
    landing = _landing(given.folder, given.members, given.months)
    lake = given.folder / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    config = load_config(
        "conf/local.yaml",
        [
            f"landing.root={landing}",
            f"lake.root={lake}",
            f"report.root={given.folder / 'report'}",
            f"log.file={given.folder / 'log.jsonl'}",
        ],
    )
    spark = start_session("landing_speed", config.spark.properties_file)
    console = Console()
    console.print(f"{platform.machine()}, {os.cpu_count()} cores, {given.members:,} members")
    days = sorted(each.name.removeprefix("batch=") for each in (landing / "fee_detail").iterdir())
    table = Table(
        "batches", "lines", "ingest s", "conform s", "lines/s", "CPU s", "peak MiB", box=None
    )
    seconds: list[float] = []
    lines_before = 0
    for step in [None] if given.at_once else [date.fromisoformat(day) for day in days]:
        cpu = _cpu_seconds(spark)
        ingested = _timed(spark, config, ingest_batch.JOB, Options(batch=step))
        conformed = _timed(spark, config, conform_tables.JOB, Options())
        cpu = _cpu_seconds(spark) - cpu
        lines = Lake(spark, str(lake)).read(FEE_DETAIL.silver).count() - lines_before
        lines_before += lines
        seconds.append((ingested + conformed) / lines)
        table.add_row(
            str(step or "all"),
            f"{lines:,}",
            f"{ingested:.1f}",
            f"{conformed:.1f}",
            f"{1 / seconds[-1]:,.0f}",
            f"{cpu:.0f}",
            str(jvm_peak_memory_mb(spark)),
        )
    console.print(table)
    if len(seconds) > 3:
        # The first step also brings all persons, and compiles the session's code.
        for name, first in (("first", seconds[0]), ("second", seconds[1])):
            ratio = median(seconds[-3:]) / first
            console.print(f"cost per line, the last three months to the {name}: {ratio:.2f}")
    plain = min(_plain_writes(spark, landing, given.folder, days[-1]) for _ in range(2))
    console.print(f"plain Spark, the last month written twice: {plain:.1f} s")
    if given.validate:
        _compare_validation(spark, config, console)


def _cpu_seconds(spark: SparkSession) -> float:
    """What the JVM has used of all cores so far, compiling included: says more on a shared machine."""
    assert spark._jvm is not None
    used = spark._jvm.java.lang.ProcessHandle.current().info().totalCpuDuration()
    return float(used.get().toMillis()) / 1000


def _plain_writes(spark: SparkSession, landing: Path, folder: Path, day: str) -> float:
    """Seconds to read a month's files and write them as Delta twice, one table after the other."""
    clock = time.perf_counter()
    for table in _TABLES:
        source = str(landing / table / f"batch={day}")
        for copy in ("once", "twice"):
            target = folder / "plain" / f"{table}-{copy}"
            shutil.rmtree(target, ignore_errors=True)
            if copy == "once":
                rows = spark.read.parquet(source).select(
                    "*",
                    F.lit("0" * 64).alias("batch_version"),
                    F.col("_metadata.file_name").alias("source_file"),
                    F.col("_metadata.row_index").alias("record_number"),
                )
            else:
                rows = spark.read.format("delta").load(source)
            rows.write.format("delta").save(str(target))
            source = str(target)
    return time.perf_counter() - clock


def _landing(folder: Path, members: int, months: int) -> Path:
    landing = folder / "landing"
    if not (landing / "_province.json").exists():
        command = [sys.executable, "-m", "jobs.simulate_province", "--seed", "1"]
        command += [
            "--members",
            str(members),
            "--months",
            str(months),
            "--tables",
            ",".join(_TABLES),
        ]
        command += ["--out", str(landing), "--truth", str(folder / "truth")]
        subprocess.run(command, check=True)
    return landing


def _timed(spark: SparkSession, config: Config, job: Job, options: Options) -> float:
    clock = time.perf_counter()
    result = execute(job, spark, config, options)
    if result.exit_code:
        raise SystemExit(f"{job.name}: {result.message}")
    return time.perf_counter() - clock


def _compare_validation(spark: SparkSession, config: Config, console: Console) -> None:
    """validate_tables beside the same checks by hand: one aggregation and one grouping a key."""
    for turn in ("cold", "warm"):
        ours = _timed(spark, config, validate_tables.JOB, Options())
        lake = Lake(spark, config.lake.root)
        clock = time.perf_counter()
        for table in validate_tables.validated_tables(lake):
            rows = lake.read_silver(table, None)
            broken = [
                F.count_if(rule.is_broken())
                for rule in rules(table.silver, table.silver_key)
                if rule.is_broken is not None
            ]
            rows.agg(F.count("*"), *broken).collect()
            rows.groupBy(*table.silver_key).count().filter("count > 1").count()
        plain = time.perf_counter() - clock
        lines = lake.read(FEE_DETAIL.silver).count() + lake.read(SETTLEMENT.silver).count()
        console.print(
            f"validate_tables, {turn}: {ours:.1f} s; plain Spark {plain:.1f} s; ratio {ours / plain:.2f};"
            f" {lines:,} rows of settlement and fee_detail"
        )


if __name__ == "__main__":
    main()
