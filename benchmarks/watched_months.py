"""What `monitor_model` says of a model over six months in which prescribing rules change.

    python -m benchmarks.watched_months build/watched

simulates a province of 25 months. From its twentieth month on most refills without a certificate are for twelve weeks
instead of four (`care.longer_from`). A model of accounts is trained as of the day before; then the daily jobs and
`monitor_model` run as of the first day of each of the next months. With `--unchanged` the rules stay as they are,
to see which warnings come without a reason.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import yaml
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from expectations.gold.member_score import MODEL_MONITOR
from jobs.lake.tables import Lake
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Options
from jobs.runtime.pipeline import Step, needed_steps
from jobs.runtime.session import start_session

_CONSOLE = Console(soft_wrap=True, width=150)
_SETTINGS = Path("conf/simulation/province.yaml")
_START, _CHANGE = date(2024, 1, 1), date(2025, 8, 1)
_WATCHED = (
    *(date(2025, month, 1) for month in (9, 10, 11, 12)),
    date(2026, 1, 1),
    date(2026, 2, 1),
)
#: Run once for all days, or at training alone.
_ONCE = ("ingest_batch", "conform_tables", "build_facts")
_TRAINING = ("build_earlier_days", "build_training_set", "train_model:member")


def main() -> None:
    """Simulate, train, watch, and print what was watched by month."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--unchanged", action="store_true", help="prescribing rules stay")
    given = parser.parse_args()
    _simulate(given.folder, given.members, None if given.unchanged else _CHANGE)
    config = load_config(
        "conf/local.yaml",
        [
            f"landing.root={given.folder}/landing",
            f"lake.root={given.folder}/lake",
            f"report.root={given.folder}/report",
            f"log.file={given.folder}/log.jsonl",
            f"mlflow.tracking_uri=sqlite:///{given.folder}/mlflow.db",
            f"mlflow.artifact_root={given.folder}/mlflow-artifacts",
            "train.earlier_days=2",
            "train.min_positives=20",
        ],
    )
    spark = start_session("watched_months", "conf/spark-local.conf")
    watched = needed_steps(config, "monitor_model", {"validate_tables"})
    daily = [step for step in watched if step.key not in {*_ONCE, *_TRAINING}]
    _run(spark, config, [step for step in watched if step.key in _ONCE], _WATCHED[-1])
    _run(spark, config, [step for step in watched if step.key not in _ONCE], _CHANGE)
    for day in _WATCHED:
        _run(spark, config, daily, day)
    _CONSOLE.print(_table(Lake(spark, config.lake.root).read(MODEL_MONITOR)))
    _CONSOLE.print(f"the page of the last day: {given.folder}/report/models/monitor.html")


def _simulate(folder: Path, members: int, change: date | None) -> None:
    """The province, with the rules changed from a day on; made once."""
    if (folder / "simulated").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    settings = yaml.safe_load(_SETTINGS.read_text(encoding="utf-8"))
    settings["care"]["longer_from"] = change
    (folder / "province.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    command = [sys.executable, "-m", "jobs.simulate_province", "--members", str(members)]
    command += ["--months", "25", "--start", f"{_START}", "--seed", "1", "--fraud-share", "0.04"]
    command += ["--settings", f"{folder}/province.yaml"]
    command += ["--out", f"{folder}/landing", "--truth", f"{folder}/truth"]
    subprocess.run(command, check=True)
    (folder / "simulated").touch()


def _run(spark: SparkSession, config: Config, steps: Sequence[Step], day: date) -> None:
    for step in steps:
        result = execute(step.job, spark, config, step.options(Options(as_of=day)))
        # Without a model there is nothing to watch.
        if result.exit_code or (step.key == "train_model:member" and result.outcome == "skipped"):
            sys.exit(f"{step.key} as of {day}: {result.message}")


def _table(rows: DataFrame) -> Table:
    """By day: the index of the scores, the inputs that drifted, precision, calibration and districts."""
    table = Table(
        "as of", "score PSI", "inputs that drifted", "precision", "calibration gap", "other"
    )
    by_day: dict[date, list[dict[str, object]]] = {}
    for row in rows.orderBy("as_of_date", "measure", F.desc("value")).collect():
        by_day.setdefault(row["as_of_date"], []).append(row.asDict())
    for day, of_day in by_day.items():
        found = {row["measure"]: row for row in of_day if not row["slice"]}
        drifted = [
            f"{row['slice']} {row['value']:.2f}"
            for row in of_day
            if row["measure"] == "input_psi" and row["is_warning"]
        ]
        other = [
            f"{row['measure']} {row['slice']}"
            for row in of_day
            if row["is_warning"] and row["measure"] in ("label_delay_days", "district_share")
        ]
        told = [_told(found.get(name)) for name in ("score_psi", "precision", "calibration_gap")]
        table.add_row(f"{day}", told[0], ", ".join(drifted), *told[1:], ", ".join(other))
    return table


def _told(row: dict[str, object] | None) -> str:
    if row is None or row["value"] is None:
        return ""
    return f"{row['value']:.3f} of {row['n']}" + (" !" if row["is_warning"] else "")


if __name__ == "__main__":
    main()
