"""Seconds, memory and cost per line of `build_account_links` and `find_rings`: a year, and a month on top.

    python -m benchmarks.account_links build/links --members 42000 210000

simulates a province of each size for 13 months and builds its facts and features, then times both jobs as of the end
of the year (cold, as a first run is) and as of a month later with that month's claims.
"""

import argparse
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from benchmarks.contenders import python_peak_memory_mb
from benchmarks.landing_frames import write_silver
from expectations.gold.fact import FEE_FACT
from expectations.gold.ring import ACCOUNT_LINK, RING
from expectations.tables import LANDING_TABLES
from jobs import build_account_links, build_facts, build_member_features, find_rings
from jobs.lake.tables import Lake
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, Options
from jobs.runtime.session import jvm_peak_memory_mb, start_session

_CONSOLE = Console(soft_wrap=True, width=150)
_TABLES = (
    "settlement,fee_detail,person,institution,drug,special_disease,special_cert,proxy_pickup,"
    "settlement_code"
)
_YEAR_END, _MONTH_LATER = date(2026, 1, 1), date(2026, 2, 1)


def main() -> None:
    """Time both jobs at each size and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, nargs="+", default=[42_000])
    given = parser.parse_args()
    spark = start_session("account_links", "conf/spark-local.conf")
    table = Table("members", "fee lines", "as of", "job", "seconds", "us/line", "result", box=None)
    for members in given.members:
        config = _province(spark, given.folder / f"members{members}", members)
        lake = Lake(spark, config.lake.root)
        for day in (_YEAR_END, _MONTH_LATER):
            lines = lake.read_as_of(FEE_FACT, day).count()
            for job in (build_account_links.JOB, find_rings.JOB):
                start = time.perf_counter()
                message = _run(job, spark, config, day)
                seconds = time.perf_counter() - start
                row = (f"{members:,}", f"{lines:,}", f"{day}", job.name, f"{seconds:.1f}")
                table.add_row(*row, f"{1e6 * seconds / lines:.2f}", message)
        links = lake.of_day(ACCOUNT_LINK, _MONTH_LATER).count()
        rings = lake.of_day(RING, _MONTH_LATER).count()
        _CONSOLE.print(f"{members:,} members: {links:,} links, {rings:,} rings at the end")
    _CONSOLE.print(table)
    _CONSOLE.print(
        f"{os.cpu_count()} cores; peak of Spark's JVM {jvm_peak_memory_mb(spark):,} MiB, of its largest"
        f" Python worker {python_peak_memory_mb():,} MiB"
    )


def _province(spark: SparkSession, folder: Path, members: int) -> Config:
    """A lake with facts and features of both days; made once."""
    config = load_config(
        "conf/local.yaml",
        [
            f"landing.root={folder / 'landing'}",
            f"lake.root={folder / 'lake'}",
            f"log.file={folder / 'log.jsonl'}",
        ],
    )
    if (folder / "ready").exists():
        return config
    command = [sys.executable, "-m", "jobs.simulate_province", "--members", str(members)]
    command += ["--months", "13", "--seed", "1", "--fraud-share", "0.003", "--tables", _TABLES]
    command += ["--out", str(folder / "landing"), "--truth", str(folder / "truth")]
    subprocess.run(command, check=True)
    lake = Lake(spark, config.lake.root)
    for table in LANDING_TABLES:
        if (folder / "landing" / table.name).exists():
            write_silver(lake, folder / "landing", table)
    _run(build_facts.JOB, spark, config, None)
    for day in (_YEAR_END, _MONTH_LATER):
        _run(build_member_features.JOB, spark, config, day)
    (folder / "ready").touch()
    return config


def _run(job: Job, spark: SparkSession, config: Config, day: date | None) -> str:
    result = execute(job, spark, config, Options(as_of=day))
    if result.exit_code:
        sys.exit(f"{job.name}: {result.message}")
    return result.message


if __name__ == "__main__":
    main()
