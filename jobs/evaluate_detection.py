"""Judge the lists of a simulated province against its truth: gold.detection_result and a table."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from pyspark.sql import Column
from pyspark.sql import functions as F
from rich.table import Table

from expectations.contract.errors import DataRefused
from expectations.gold.account import DETECTION_RESULT, HIGH_RISK_ACCOUNT, INDICATOR, MEMBER_FEATURE
from expectations.gold.ring import MEMBER_RING_FEATURE
from expectations.landing.inquiry import CLOSED_CASE
from expectations.landing.reference import PERSON
from features.provinces import most_common_province, province_of
from jobs.inputs.truth import read_truth, require_truth
from jobs.lake.frames import to_polars
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options
from jobs.runtime.log import CONSOLE
from models.detection import Figure, Truth, days_to_detection, figures, reranked

#: With every rule, beside the families that are switched off in turn.
ALL = "all"
_CAPACITIES = (50, 100, 200, 500)
_NAIVE = (
    "drug_amount_sum_365d",
    "visit_count_365d",
    "institution_count_90d",
    "supply_ratio_max_365d",
)


def check(config: Config, options: Options) -> None:
    """The truth has to be there."""
    require_truth(options.truth, "truth_person", "truth_line", "truth_benign")


def main(run: JobRun) -> str:
    """Judge every list up to the as-of date, and that date's list with each family switched off."""
    lake, day = run.lake, run.as_of
    assert run.options.truth is not None
    insured = lake.read_as_of_if_exists(PERSON.silver, day).filter(_is_own(run)).count()
    truth = read_truth(Path(run.options.truth), insured, _decided(run))
    indicators = _indicators(run)
    days = sorted(each for each in indicators["as_of_date"].unique().to_list() if each <= day)
    if day not in days:
        raise DataRefused(f"gold.indicator has no rows as of {day}: run flag_indicators first")
    proposed = _proposed(run)
    lists = {
        each: proposed.get(each, reranked(indicators.filter(pl.col("as_of_date") == each)))
        for each in days
    }
    rows: list[dict[str, Any]] = []
    for each, ranked in lists.items():
        rows += _rows(each, ALL, figures(ranked, truth, _CAPACITIES))
    rows += _rows(day, ALL, days_to_detection(lists, truth))
    today = indicators.filter(pl.col("as_of_date") == day)
    for family in sorted(today["family"].unique()):
        without = reranked(today, without=family)
        rows += _rows(day, family, _headline(without, truth))
    for name, ranking in _naive(run).items():
        rows += _rows(day, f"by {name}", _headline(ranking, truth))
    frame = run.spark.createDataFrame(rows, DETECTION_RESULT.schema).coalesce(1)
    lake.replace(frame, DETECTION_RESULT, {"as_of_date": days})
    _print([row for row in rows if row["as_of_date"] == day])
    return f"{len(days)} lists judged, {truth.accounts.height} accounts in fraud among {insured}"


def _is_own(run: JobRun) -> Column:
    """Insured in the province that most people are: people from elsewhere are not its accounts."""
    people = run.lake.read_as_of_if_exists(PERSON.silver, run.as_of)
    most = most_common_province(people.select(province_of("district").alias("province"))).first()
    if most is None:
        return F.lit(True)
    return F.coalesce(province_of("district") == most["here"], F.lit(True))


def _decided(run: JobRun) -> frozenset[str]:
    """The members of cases that had been decided before the day."""
    cases = run.lake.read_as_of_if_exists(CLOSED_CASE.silver, run.as_of).filter(
        (F.col("subject_type") == "person") & (F.col("decision_time") < F.lit(run.as_of))
    )
    return frozenset(row["subject_id"] for row in cases.select("subject_id").distinct().collect())


def _proposed(run: JobRun) -> dict[date, pl.DataFrame]:
    """The lists that people were given, by their days."""
    if not run.lake.exists(HIGH_RISK_ACCOUNT):
        return {}
    listed = run.lake.read(HIGH_RISK_ACCOUNT).select("as_of_date", "member_id", "rank")
    frame = pl.from_arrow(listed.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return {
        row["as_of_date"]: frame.filter(pl.col("as_of_date") == row["as_of_date"]).sort("rank")
        for row in frame.select("as_of_date").unique().iter_rows(named=True)
    }


def _naive(run: JobRun) -> dict[str, pl.DataFrame]:
    """Rankings by one feature alone, the largest first: what anybody could do."""
    rows = run.lake.read_day(MEMBER_FEATURE, run.as_of).select("member_id", *_NAIVE)
    frame = pl.from_arrow(rows.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return {
        name: frame.filter(pl.col(name) > 0)
        .sort([name, "member_id"], descending=[True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1))
        .select("member_id", "rank")
        for name in _NAIVE
    }


def _headline(ranked: pl.DataFrame, truth: Truth) -> list[Figure]:
    """The figures of a whole list, without its slices."""
    told = figures(ranked, truth, _CAPACITIES)
    return [each for each in told if "_by_" not in each.measure and "_un" not in each.measure]


def _indicators(run: JobRun) -> pl.DataFrame:
    loss = run.lake.read(MEMBER_FEATURE).select(
        F.col("member_id").alias("subject_id"),
        "as_of_date",
        # As features.accounts has it: amounts that are equal to the cent are equal.
        F.coalesce("excess_fund_sum_365d", F.lit(0.0)).cast("decimal(16,2)").alias("expected_loss"),
    )
    rows = (
        run.lake.read(INDICATOR)
        .filter(F.col("subject_type") == "member")
        .join(loss, on=["subject_id", "as_of_date"], how="inner")
        .select(
            "as_of_date",
            F.col("subject_id").alias("member_id"),
            "family",
            "points",
            "value",
            "held_back_by",
            "expected_loss",
        )
    )
    if run.lake.exists(MEMBER_RING_FEATURE):
        links = run.lake.read(MEMBER_RING_FEATURE).select(
            "member_id",
            "as_of_date",
            F.col("link_probability_best_365d").alias("best_link"),
            F.col("link_weight_two_best_365d").alias("two_best"),
        )
        rows = rows.join(links, on=["member_id", "as_of_date"], how="left")
    return to_polars(rows)


def _rows(day: Any, setting: str, told: list[Figure]) -> list[dict[str, Any]]:
    return [
        {
            "as_of_date": day,
            "setting": setting,
            "measure": each.measure,
            "slice": each.slice,
            "value": each.value,
            "n": each.n,
        }
        for each in told
    ]


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table("rules")
    for name in ("measure", "of"):
        # Where there is little room, as in a file, names go on in the next line.
        table.add_column(name, overflow="fold")
    for name in ("value", "rests on"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        if row["setting"] == ALL or (row["measure"], row["slice"]) in (
            ("precision", "100"),
            ("loss_recall", "1%"),
        ):
            shown = "" if row["value"] is None else f"{row['value']:.3f}"
            is_named = row["setting"] == ALL or row["setting"].startswith("by ")
            rules = row["setting"] if is_named else f"without {row['setting']}"
            table.add_row(rules, row["measure"], row["slice"], shown, f"{row['n']:,}")
    CONSOLE.print(table)


JOB = Job(
    "evaluate_detection",
    "Judge the lists of a simulated province against its truth",
    main,
    ("as_of", "truth"),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
