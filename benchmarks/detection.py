"""How good the lists of accounts are, on provinces of several generators.

    python -m benchmarks.detection build/detection --generators ours city countryside
        --members 20000 --seeds 101 102

makes a province for each generator and seed (once), runs the jobs from `ingest_batch` to `propose_accounts`
and `evaluate_detection` on it in one session, and prints one table for all. What was judged is kept by the hash of
the code, the configuration and the province, so that a second call prints the same at once. `shared` is
to judge by: choose nothing on it. `--until build_member_features` judges nothing, and leaves lakes from which
`train_model` with `train.source=simulated` learns. `--habits 4` makes what honest people and careless counters do four
times as common as usual in our own provinces.
"""

import argparse
import hashlib
import json
import shutil
import statistics
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import yaml
from pyspark.sql import SparkSession

from benchmarks.provinces import GENERATORS
from expectations.gold.account import DETECTION_RESULT, HIGH_RISK_ACCOUNT
from jobs import evaluate_detection
from jobs.inputs.truth import read_truth
from jobs.lake.tables import Lake
from jobs.province.settings import Benign, Desks, load_settings
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import code_version, execute
from jobs.runtime.job import Job, Options
from jobs.runtime.pipeline import needed_steps
from jobs.runtime.session import start_session
from models.detection import pooled_interval

#: Setting, measure, slice; to value and what it rests on.
Figures = dict[tuple[str, str, str], tuple[float | None, int]]

_LAST = "propose_accounts"
_HEADLINES = (("average_precision", ""), ("precision", "100"), ("loss_recall", "1%"))


def main() -> None:
    """Make, run, judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generators", nargs="+", default=["ours"], choices=[*GENERATORS])
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--fraud-share", type=float, default=0.003)
    parser.add_argument("--csv", type=Path, help="write every figure of the table there too")
    parser.add_argument("--until", default=_LAST, help="the last step; judged only after the list")
    parser.add_argument("--habits", type=float, help="honest habits to the usual ones; ours alone")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    spark = start_session("detection", "conf/spark-local.conf")
    found: dict[str, list[Figures]] = {}
    lists: dict[str, list[tuple[pl.DataFrame, pl.DataFrame]]] = {}
    for name in given.generators:
        for seed in given.seeds:
            options = ["--months", str(given.months), "--fraud-share", str(given.fraud_share)]
            if given.habits is not None and name == "ours":
                options += ["--settings", str(_habits(given.folder, given.habits))]
            made = GENERATORS[name].province(given.folder, given.members, seed, *options)
            if given.until != _LAST:
                run_until(spark, made, given.set, given.until)
                continue
            figures, ranked = judged(spark, made, given.set)
            truth = read_truth(made / "truth", given.members)
            found.setdefault(name, []).append(figures)
            lists.setdefault(name, []).append((ranked, truth.accounts))
    if not lists:
        return
    print(
        f"{given.members:,} members, {given.months} months, fraud share {given.fraud_share}, seeds {given.seeds}"
    )
    for name, pairs in lists.items():
        low, high = pooled_interval(pairs)
        print(
            f"{name}: average precision between {low:.3f} and {high:.3f} (90 %, gangs drawn whole)"
        )
    print()
    rows = figures_of(found)
    print(table(rows))
    if given.csv:
        size = (
            pl.lit(given.members).alias("members"),
            pl.lit(given.fraud_share).alias("fraud_share"),
        )
        rows.select("generator", *size, pl.exclude("generator")).write_csv(given.csv)


def _habits(folder: Path, times: float) -> Path:
    """A settings file in which honest habits are so many times as common as usual, as far as a share can be."""
    settings = load_settings("conf/simulation/province.yaml").model_dump()
    for section, form in (("benign", Benign), ("desks", Desks)):
        for name, usual in settings[section].items():
            limits = [getattr(limit, "le", None) for limit in form.model_fields[name].metadata]
            [most] = [float(limit) for limit in limits if limit is not None]
            settings[section][name] = min(times * usual, most)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"habits-{times:g}.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def judged(
    spark: SparkSession, made: Path, settings: Sequence[str]
) -> tuple[Figures, pl.DataFrame]:
    """The figures of one province and its list, from what was kept or from a run of the jobs."""
    config = load_config("conf/local.yaml", list(settings))
    parts = [code_version(), config.model_dump_json()]
    parts += [Path(config.detect.typologies).read_text(encoding="utf-8")]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    kept, listed = made / f"figures-{key}.json", made / f"list-{key}.parquet"
    if not (kept.exists() and listed.exists()):
        figures, ranked = _run_all(spark, made, settings)
        ranked.write_parquet(listed)
        kept.write_text(json.dumps([[*name, *value] for name, value in figures.items()]))
    rows = json.loads(kept.read_text())
    return {(a, b, c): (value, n) for a, b, c, value, n in rows}, pl.read_parquet(listed)


def run_until(
    spark: SparkSession, made: Path, settings: Sequence[str], last: str
) -> tuple[Config, date]:
    """Run the jobs on a province from its landing folder to a step, in a lake made anew.

    Returns:
        The configuration with the province's folders, and the as-of date.
    """
    lake_root = made / "lake"
    # Made anew each time: an older code's lists and models would pass for this one's.
    for folder in (lake_root, made / "mlflow-artifacts"):
        shutil.rmtree(folder, ignore_errors=True)
    (made / "mlflow.db").unlink(missing_ok=True)
    places = [
        f"landing.root={made}/landing",
        f"lake.root={lake_root}",
        f"log.file={made}/log.jsonl",
        f"mlflow.tracking_uri=sqlite:///{made}/mlflow.db",
        f"mlflow.artifact_root={made}/mlflow-artifacts",
    ]
    config = load_config("conf/local.yaml", [*places, *settings])
    day = _day_after_the_last_batch(made / "landing")
    # Certifying silver is left out.
    for step in needed_steps(config, last, {"validate_tables"}):
        _run(spark, step.job, config, step.options(Options(as_of=day)))
    return config, day


def _run_all(
    spark: SparkSession, made: Path, settings: Sequence[str]
) -> tuple[Figures, pl.DataFrame]:
    config, day = run_until(spark, made, settings, _LAST)
    _run(spark, evaluate_detection.JOB, config, Options(as_of=day, truth=f"{made}/truth"))
    lake = Lake(spark, config.lake.root)
    rows = lake.read(DETECTION_RESULT).filter(f"as_of_date = DATE'{day}'").collect()
    listed = lake.read(HIGH_RISK_ACCOUNT).filter(f"as_of_date = DATE'{day}'")
    ranked = pl.from_arrow(listed.select("member_id", "rank").toArrow())
    assert isinstance(ranked, pl.DataFrame)
    figures = {
        (row["setting"], row["measure"], row["slice"]): (row["value"], row["n"]) for row in rows
    }
    return figures, ranked.sort("rank")


def _day_after_the_last_batch(landing: Path) -> date:
    days = (path.name.removeprefix("batch=") for path in landing.glob("*/batch=*"))
    return date.fromisoformat(max(days)) + timedelta(days=1)


def figures_of(found: Mapping[str, Sequence[Figures]]) -> pl.DataFrame:
    """Mean, least and most of every figure over each generator's provinces, one row per figure.

    Rankings other than the whole list and naive ones have their headline figures only.
    """
    rows = []
    for generator, provinces in found.items():
        for key in sorted({key for figures in provinces for key in figures}, key=_order):
            setting, measure, part = key
            if setting != "all" and (measure, part) not in _HEADLINES:
                continue
            told = [figures[key] for figures in provinces if key in figures]
            values = [value for value, _ in told if value is not None]
            if not values:
                continue
            is_named = setting == "all" or setting.startswith("by ")
            rows.append(
                {
                    "generator": generator,
                    "ranking": setting if is_named else f"without {setting}",
                    "measure": measure,
                    "of": part,
                    "mean": round(statistics.mean(values), 3),
                    "least": round(min(values), 3),
                    "most": round(max(values), 3),
                    "rests_on_least": min(size for _, size in told),
                    "rests_on_most": max(size for _, size in told),
                }
            )
    return pl.DataFrame(rows)


def table(rows: pl.DataFrame) -> str:
    """The same as Markdown."""
    lines = [
        "| generator | ranking | measure | of | mean | least | most | rests on |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['generator']} | {row['ranking']} | {row['measure']} | {row['of']}"
        f" | {row['mean']:.3f} | {row['least']:.3f} | {row['most']:.3f}"
        f" | {row['rests_on_least']} to {row['rests_on_most']} |"
        for row in rows.iter_rows(named=True)
    ]
    return "\n".join(lines)


def _order(key: tuple[str, str, str]) -> tuple[bool, bool, str, str, int, str]:
    setting, measure, part = key
    number = int(part) if part.isdigit() else 0
    return setting != "all", not setting.startswith("by "), setting, measure, number, part


def _run(spark: SparkSession, job: Job, config: Config, options: Options) -> None:
    result = execute(job, spark, config, options)
    if result.exit_code:
        raise SystemExit(f"{job.name} ended with {result.exit_code}: {result.message}")


if __name__ == "__main__":
    main()
