"""Judge the rings of a simulated province against its truth: gold.ring_result and a table."""

from pathlib import Path

import polars as pl
from pyspark.sql import functions as F
from rich.table import Table

from expectations.gold.ring import RING, RING_MEMBER, RING_RESULT
from jobs.inputs.truth import require_truth, truth_table
from jobs.lake.frames import to_polars
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
    require_truth(options.truth, *_TABLES)


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
    columns = ("gang_id", "typology", "organiser_psn_no", "active_from", "active_to")
    gangs = (
        truth_table(folder, "truth_gang", *columns)
        .filter(pl.col("typology") != _LONE)
        .select(
            "gang_id",
            "typology",
            pl.col("organiser_psn_no").alias("organiser_id"),
            days=(pl.col("active_to") - pl.col("active_from")).dt.total_days(),
        )
    )
    people = (
        truth_table(folder, "truth_person", "psn_no", "gang_id", "role")
        .join(gangs.select("gang_id"), on="gang_id", how="semi")
        .unique(["psn_no", "gang_id"], keep="first", maintain_order=True)
        .rename({"psn_no": "member_id"})
    )
    lines = truth_table(folder, "truth_line", "psn_no")
    benign = truth_table(folder, "truth_benign", "psn_no", "benign_type")
    return RingTruth(
        people, frozenset(lines["psn_no"]), gangs, benign.rename({"psn_no": "member_id"})
    )


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
