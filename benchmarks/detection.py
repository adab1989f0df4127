"""How good the lists of accounts are: provinces simulated, every job run on them, lists judged.

    python -m benchmarks.detection build/detection --seeds 101 102 103 --members 100000 --straight

simulates a province for each seed (once), runs the jobs from `ingest_batch` to `evaluate_detection` on it in one
session, with a list at the end of every period, and writes the mean and spread over the seeds of every
figure of the last list as Markdown. What the seeds were used for is in docs/detection.md.
"""

import argparse
import importlib
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.landing_frames import write_silver
from expectations.gold.account import DETECTION_RESULT
from expectations.tables import LANDING_TABLES
from jobs.lake.tables import Lake
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, Options
from jobs.runtime.session import start_session

_ONCE = ("ingest_batch", "conform_tables", "build_facts")
_EACH = ("build_member_features", "flag_indicators", "propose_accounts")
_JUDGED = "evaluate_detection"
_ENDS = [*(date(2025, month, 1) for month in range(2, 13)), date(2026, 1, 1)]


def main() -> None:
    """Simulate, run, judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--fraud-share", type=float, default=0.003)
    parser.add_argument("--lists", type=int, default=len(_ENDS), help="lists, the last ones")
    parser.add_argument(
        "--straight",
        action="store_true",
        help="silver straight from the clean landing files: the same rows, many minutes sooner",
    )
    given = parser.parse_args()
    spark = start_session("detection", "conf/spark-local.conf")
    found = [
        judged(
            spark,
            given.folder / f"seed{seed}",
            seed,
            given.members,
            given.fraud_share,
            _ENDS[-given.lists :],
            given.straight,
        )
        for seed in given.seeds
    ]
    print(
        f"{given.members:,} members, 12 months, fraud share {given.fraud_share}, seeds {given.seeds}\n"
    )
    print(table(found))


def judged(
    spark: SparkSession,
    root: Path,
    seed: int,
    members: int,
    share: float,
    ends: Sequence[date],
    is_straight: bool,
) -> dict[tuple[str, str, str], tuple[float | None, int]]:
    """The figures of one province, by setting, measure and slice, with what each rests on."""
    config = load_config(
        "conf/local.yaml",
        [f"landing.root={root}/landing", f"lake.root={root}/lake", f"log.file={root}/log.jsonl"],
    )
    if not (root / "truth").exists():
        simulate = [sys.executable, "-m", "jobs.simulate_province", "--members", str(members)]
        simulate += ["--months", "12", "--seed", str(seed), "--fraud-share", str(share)]
        simulate += ["--out", f"{root}/landing", "--truth", f"{root}/truth"]
        subprocess.run(simulate, check=True)
    # Made anew each time: an older code's lists would pass for this one's.
    shutil.rmtree(config.lake.root, ignore_errors=True)
    if is_straight:
        lake = Lake(spark, config.lake.root)
        for table in LANDING_TABLES:
            if (root / "landing" / table.name).exists():
                write_silver(lake, root / "landing", table)
    for name in _ONCE[2:] if is_straight else _ONCE:
        _run(spark, name, config, Options())
    for end in ends:
        for name in _EACH:
            _run(spark, name, config, Options(as_of=end))
    _run(spark, _JUDGED, config, Options(as_of=ends[-1], truth=f"{root}/truth"))
    rows = (
        Lake(spark, config.lake.root)
        .read(DETECTION_RESULT)
        .filter(f"as_of_date = DATE'{ends[-1]}'")
    )
    return {
        (row["setting"], row["measure"], row["slice"]): (row["value"], row["n"])
        for row in rows.collect()
    }


def table(found: Sequence[dict[tuple[str, str, str], tuple[float | None, int]]]) -> str:
    """Mean, least and most of every figure over the provinces."""
    lines = [
        "| rules | measure | of | mean | least | most | rests on |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key in sorted({key for figures in found for key in figures}, key=_order):
        setting, measure, part = key
        if setting != "all" and (measure, part) not in (
            ("precision", "100"),
            ("loss_recall", "1%"),
        ):
            continue
        values = [
            value for figures in found if key in figures and (value := figures[key][0]) is not None
        ]
        if not values:
            continue
        sizes = [figures[key][1] for figures in found if key in figures]
        rules = "all" if setting == "all" else f"without {setting}"
        lines.append(
            f"| {rules} | {measure} | {part} | {statistics.mean(values):.3f} | {min(values):.3f} |"
            f" {max(values):.3f} | {min(sizes)} to {max(sizes)} |"
        )
    return "\n".join(lines)


def _order(key: tuple[str, str, str]) -> tuple[bool, str, str, int, str]:
    setting, measure, part = key
    return setting != "all", setting, measure, int(part) if part.isdigit() else 0, part


def _run(spark: SparkSession, name: str, config: Config, options: Options) -> None:
    job: Job = importlib.import_module(f"jobs.{name}").JOB
    result = execute(job, spark, config, options)
    if result.exit_code:
        raise SystemExit(f"{name} ended with {result.exit_code}: {result.message}")


if __name__ == "__main__":
    main()
