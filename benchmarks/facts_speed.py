"""What facts save: a month on top of a year, features from facts and from lines, indicators from features.

    python -m benchmarks.facts_speed build/facts --members 42000 420000 830000
    python -m benchmarks.facts_speed build/facts --members 830000 --features 3

For each size: thirteen months are simulated (once) and written to silver straight from the clean landing
files. Then `build_facts` runs on a year, on the thirteenth month on top of it, and on everything anew in
another lake; `build_member_features` and `flag_indicators` run on the facts; and the same features are
computed from silver's lines without facts. All in one warm session. With `--features`, only the last two
are compared, so many times in turn, on the lakes that a run before left.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from benchmarks.landing_frames import write_silver
from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from expectations.landing.reference import PERSON
from expectations.tables import LANDING_TABLES
from features.facts import fee_facts, visit_facts
from features.member.rows import fee_rows, person_rows, shared_rows, visit_rows
from features.member.stream import computed_features, member_stream
from jobs import build_facts, build_member_features, flag_indicators
from jobs.inputs.member_inputs import member_kinds, member_references
from jobs.lake.tables import Lake, rows_as_of
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, Options
from jobs.runtime.session import jvm_peak_memory_mb, start_session

_AS_OF = date(2026, 2, 1)
_TABLES = (
    "settlement,fee_detail,person,institution,drug,special_disease,special_cert,proxy_pickup,"
    "settlement_code"
)
_MONTHS = 13
_WARM_UP = 5_000


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, nargs="+", default=[42_000, 420_000, 830_000])
    parser.add_argument(
        "--features", type=int, metavar="RUNS", help="compare features alone, on lakes left before"
    )
    given = parser.parse_args()
    spark = start_session("facts_speed", "conf/spark-local.conf")
    if given.features:
        _compared(spark, given.folder, sorted(given.members), given.features)
        return
    measured(spark, given.folder, _WARM_UP)
    steps = [measured(spark, given.folder, members) for members in sorted(given.members)]
    names = [name for name in steps[0] if name != "fee lines"]
    table = Table("seconds", *(f"{step['fee lines']:,.0f} fee lines" for step in steps), box=None)
    for name in names:
        table.add_row(name, *(f"{step[name]:.1f}" for step in steps))
    for name, part, whole in (
        ("a month / anew", "facts, a month on top", "facts, anew"),
        ("from facts / from lines", "features from facts", "features from lines"),
    ):
        table.add_row(name, *(f"{step[part] / step[whole]:.2f}" for step in steps))
    for name in ("features from facts", "flag_indicators"):
        cost = [step[name] / step["fee lines"] * 1e6 for step in steps]
        table.add_row(f"{name}, us a line", *(f"{each:.2f}" for each in cost))
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(f"{os.cpu_count()} cores, peak of Spark's JVM {jvm_peak_memory_mb(spark)} MiB")


def measured(spark: SparkSession, folder: Path, members: int) -> dict[str, float]:
    """Seconds of each step for a province of so many members, and its fee lines."""
    root = folder / f"members{members}"
    landing = root / "landing"
    if not landing.exists():
        command = [sys.executable, "-m", "jobs.simulate_province", "--members", str(members)]
        command += ["--months", str(_MONTHS), "--seed", "1", "--tables", _TABLES]
        command += ["--out", str(landing), "--truth", str(root / "truth")]
        subprocess.run(command, check=True)
    days = sorted(
        date.fromisoformat(each.name.removeprefix("batch="))
        for each in (landing / FEE_DETAIL.name).iterdir()
        if each.is_dir()
    )
    grown, anew = _config(root, "grown"), _config(root, "anew")
    for config, until in ((grown, days[:-1]), (anew, days)):
        lake = Lake(spark, config.lake.root)
        for table in LANDING_TABLES:
            if (landing / table.name).exists():
                write_silver(
                    lake, landing, table, until if table.name in _events(landing) else None
                )
    seconds = {"facts, a year": _timed(spark, build_facts.JOB, grown)}
    lake = Lake(spark, grown.lake.root)
    for name in _events(landing):
        table = next(each for each in LANDING_TABLES if each.name == name)
        write_silver(lake, landing, table, days[-1:])
    seconds["facts, a month on top"] = _timed(spark, build_facts.JOB, grown)
    seconds["facts, anew"] = _timed(spark, build_facts.JOB, anew)
    lake = Lake(spark, anew.lake.root)
    seconds["features from facts"] = _computed(spark, lake, from_facts=True)
    seconds["features from lines"] = _computed(spark, lake, from_facts=False)
    options = Options(as_of=_AS_OF)
    seconds["build_member_features"] = _timed(spark, build_member_features.JOB, anew, options)
    seconds["flag_indicators"] = _timed(spark, flag_indicators.JOB, anew, options)
    return seconds | {"fee lines": float(lake.read(FEE_DETAIL.silver).count())}


def _compared(spark: SparkSession, folder: Path, sizes: list[int], runs: int) -> None:
    """Print least, median and most seconds of features from facts and from lines, run in turn."""
    table = Table("seconds", "from facts", "from lines", "ratio of medians", box=None)
    for members in (_WARM_UP, *sizes):
        lake = Lake(spark, _place(folder / f"members{members}", "anew").lake.root)
        each = [
            [_computed(spark, lake, from_facts=way) for way in (True, False)] for _ in range(runs)
        ]
        if members == _WARM_UP:
            continue
        facts, lines = (sorted(found) for found in zip(*each, strict=True))
        told = [
            f"{seconds[0]:.1f}, {median(seconds):.1f}, {seconds[-1]:.1f}"
            for seconds in (facts, lines)
        ]
        lines_read = lake.read(FEE_DETAIL.silver).count()
        table.add_row(f"{lines_read:,} fee lines", *told, f"{median(facts) / median(lines):.2f}")
    Console(soft_wrap=True).print(table)


def _events(landing: Path) -> list[str]:
    """Event tables that were landed in every month."""
    return [
        table.name
        for table in LANDING_TABLES
        if table.kind == "event" and (landing / table.name).exists()
    ]


def _config(root: Path, name: str) -> Config:
    shutil.rmtree(root / name, ignore_errors=True)
    return _place(root, name)


def _place(root: Path, name: str) -> Config:
    return load_config(
        "conf/local.yaml", [f"lake.root={root / name}", f"log.file={root / 'log.jsonl'}"]
    )


def _timed(spark: SparkSession, job: Job, config: Config, options: Options | None = None) -> float:
    result = execute(job, spark, config, options or Options())
    if result.exit_code:
        raise SystemExit(f"{job.name}: {result.message}")
    return result.seconds


def _computed(spark: SparkSession, lake: Lake, *, from_facts: bool) -> float:
    """Seconds from tables to features; nothing is written, so that only computing is compared."""
    clock = time.perf_counter()
    kinds = member_kinds(lake, _AS_OF)
    if not from_facts:
        people = lake.read_as_of_if_exists(PERSON.silver, _AS_OF)
        versions = [
            lake.read(table.silver) for table in (SETTLEMENT, SETTLEMENT_CODE, PROXY_PICKUP)
        ]
        visits = visit_rows(rows_as_of(visit_facts(*versions), _AS_OF), _AS_OF)
        fees = rows_as_of(fee_facts(lake.read(FEE_DETAIL.silver)), _AS_OF)
        kinds |= {
            "visits": visits,
            "fees": fee_rows(fees, _AS_OF),
            "persons": person_rows(people),
            "shared": shared_rows(visits, people, _AS_OF),
        }
    stream = member_stream(kinds, lake.rows_read)
    found = computed_features(stream, member_references(lake, _AS_OF), _AS_OF)
    found.write.format("noop").mode("overwrite").save()
    return time.perf_counter() - clock


if __name__ == "__main__":
    main()
