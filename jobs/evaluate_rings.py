"""Judge the rings of a simulated province against its truth: gold.ring_result and a table."""

from pathlib import Path

import polars as pl
from pyspark.sql import functions as F
from rich.table import Table

from expectations.contract.errors import ConfigError
from expectations.gold.ring import RING, RING_MEMBER, RING_RESULT
from jobs.network.ring_inputs import to_polars
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options
from jobs.runtime.log import CONSOLE
from models.detection import Figure
from models.ring_judgement import RingTruth, ring_figures

_LONE = "lone_collector"
_TABLES = ("truth_person", "truth_line", "truth_gang", "truth_benign")


def check(config: Config, options: Options) -> None:
    """The truth has to be there."""
    if options.truth is None:
        raise ConfigError("--truth FOLDER is missing: give the truth that simulate_province wrote")
    for name in _TABLES:
        if not list(Path(options.truth).glob(f"{name}.*")):
            raise ConfigError(f"--truth {options.truth}: there is no {name}.parquet or .csv in it")


def main(run: JobRun) -> str:
    """Judge the rings of the as-of date."""
    lake, day = run.lake, run.as_of
    assert run.options.truth is not None
    ranks = lake.read_day(RING, day).select("ring_id", F.col("rank").alias("ring_rank"))
    people = (
        lake.read_day(RING_MEMBER, day)
        .filter("subject_type = 'member'")
        .join(ranks, on="ring_id", how="inner")
        .select(
            "ring_id", "ring_rank", F.col("subject_id").alias("member_id"), "role", "organiser_rank"
        )
    )
    found = ring_figures(to_polars(people), read_ring_truth(Path(run.options.truth)))
    rows = [(day, each.measure, each.slice, each.value, each.n) for each in found]
    frame = run.spark.createDataFrame(rows, RING_RESULT.schema).coalesce(1)
    lake.replace(frame, RING_RESULT, {"as_of_date": day})
    _print(found)
    return f"{ranks.count()} rings judged"


def read_ring_truth(folder: Path) -> RingTruth:
    """The truth that rings are judged by; who works alone is no gang."""
    gangs = _read(folder, "truth_gang", "gang_id", "typology", "organiser_psn_no").join(
        _read(folder, "truth_gang", "gang_id", "active_from", "active_to").select(
            "gang_id",
            days=(_day("active_to") - _day("active_from")).dt.total_days(),
        ),
        on="gang_id",
        how="inner",
    )
    gangs = gangs.filter(pl.col("typology") != _LONE).rename({"organiser_psn_no": "organiser_id"})
    people = (
        _read(folder, "truth_person", "psn_no", "gang_id", "role")
        .join(gangs.select("gang_id"), on="gang_id", how="semi")
        .unique(["psn_no", "gang_id"], keep="first", maintain_order=True)
        .rename({"psn_no": "member_id"})
    )
    lines = _read(folder, "truth_line", "psn_no")
    benign = _read(folder, "truth_benign", "psn_no", "benign_type")
    return RingTruth(
        people, frozenset(lines["psn_no"]), gangs, benign.rename({"psn_no": "member_id"})
    )


def _day(name: str) -> pl.Expr:
    """A day of the truth: Parquet may hold a time, CSV a text; its first ten letters are a day."""
    return pl.col(name).str.head(10).str.to_date()


def _read(folder: Path, name: str, *columns: str) -> pl.DataFrame:
    path = folder / f"{name}.parquet"
    if path.exists():
        frame = pl.read_parquet(path, columns=list(columns))
    else:
        frame = pl.read_csv(folder / f"{name}.csv", columns=list(columns), infer_schema=False)
    return frame.select(pl.col(name).cast(pl.String) for name in columns)


def _print(found: list[Figure]) -> None:
    table = Table("measure", "slice", "value", "n", title="rings against the truth", box=None)
    for each in found:
        value = "-" if each.value is None else f"{each.value:.3f}"
        table.add_row(each.measure, each.slice, value, str(each.n))
    CONSOLE.print(table)


JOB = Job(
    "evaluate_rings",
    "Judge the rings of a simulated province against its truth",
    main,
    ("as_of", "truth"),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
