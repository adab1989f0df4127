"""Judge the rings of a simulated province against its truth: gold.ring_result and a table."""

from datetime import date
from pathlib import Path

import polars as pl
from pyspark.sql import functions as F
from rich.table import Table

from expectations.gold.ring import RING, RING_MEMBER, RING_RESULT
from jobs.inputs.claims import first_visit
from jobs.inputs.truth import gang_skills, require_truth, truth_table
from jobs.lake.frames import to_polars
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options
from jobs.runtime.log import CONSOLE
from models.detection import Figure
from models.ring_judgement import gangs_hit, ring_figures
from models.ring_role_judgement import discovery_figures
from models.ring_truth import RingTruth, no_parties

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
    parties = (
        lake.read_day(RING_MEMBER, day)
        .filter("subject_type IN ('doctor', 'institution')")
        .select("ring_id", "subject_type", "subject_id", "role")
    )
    truth = read_ring_truth(Path(run.options.truth))
    found = ring_figures(to_polars(people), to_polars(parties), truth)
    found += discovery_figures(_hits_of_days(run, truth), truth, first_visit(lake, day))
    rows = [(day, each.measure, each.slice, each.value, each.n) for each in found]
    frame = run.spark.createDataFrame(rows, RING_RESULT.schema).coalesce(1)
    lake.replace(frame, RING_RESULT, {"as_of_date": day})
    _print(found)
    return f"{ranks.count()} rings judged"


def _hits_of_days(run: JobRun, truth: RingTruth) -> dict[date, list[str]]:
    """Gangs that a ring hits, on each day with rings up to the as-of date."""
    people = (
        run.lake.read(RING_MEMBER)
        .filter((F.col("subject_type") == "member") & (F.col("as_of_date") <= F.lit(run.as_of)))
        .select("as_of_date", "ring_id", F.col("subject_id").alias("member_id"))
    )
    days = to_polars(people).partition_by("as_of_date", as_dict=True)
    return {day: sorted(gangs_hit(rows, truth)) for (day,), rows in days.items()}


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
            "active_from",
            days=(pl.col("active_to") - pl.col("active_from")).dt.total_days(),
        )
        .join(gang_skills(folder), on="gang_id", how="left")
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
        people=people,
        cards=frozenset(lines["psn_no"]),
        gangs=gangs,
        benign=benign.rename({"psn_no": "member_id"}),
        parties=pl.concat([no_parties(), *_parties(folder)]),
    )


def _parties(folder: Path) -> list[pl.DataFrame]:
    """Doctors and institutions of gangs, as far as the truth names any."""
    kinds = {"doctor": "dr_codg", "institution": "fixmedins_code"}
    return [
        truth_table(folder, f"truth_{kind}", "gang_id", key, "role").select(
            pl.col("gang_id").cast(pl.String),
            subject_type=pl.lit(kind),
            subject_id=pl.col(key).cast(pl.String),
            role=pl.col("role").cast(pl.String),
        )
        for kind, key in kinds.items()
        if list(folder.glob(f"truth_{kind}.*"))
    ]


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
