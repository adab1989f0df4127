"""Judge the lists of a simulated province against its truth: gold.detection_result and a table."""

from pathlib import Path
from typing import Any

import polars as pl
from pyspark.sql import Column
from pyspark.sql import functions as F
from rich.table import Table

from expectations.contract.errors import ConfigError, DataRefused
from expectations.gold.account import DETECTION_RESULT, INDICATOR, MEMBER_FEATURE
from expectations.gold.ring import MEMBER_RING_FEATURE
from expectations.landing.reference import PERSON
from features.provinces import most_common_province, province_of
from jobs.inputs.member_inputs import delivered
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options
from jobs.runtime.log import CONSOLE
from models.detection import Figure, Truth, days_to_detection, figures, reranked

#: With every rule, beside the families that are switched off in turn.
ALL = "all"
_CAPACITIES = (50, 100, 200, 500)


def check(config: Config, options: Options) -> None:
    """The truth has to be there."""
    if options.truth is None:
        raise ConfigError("--truth FOLDER is missing: give the truth that simulate_province wrote")
    for name in ("truth_person", "truth_line", "truth_benign"):
        if not list(Path(options.truth).glob(f"{name}.*")):
            raise ConfigError(f"--truth {options.truth}: there is no {name}.parquet or .csv in it")


def main(run: JobRun) -> str:
    """Judge every list up to the as-of date, and that date's list with each family switched off."""
    lake, day = run.lake, run.as_of
    assert run.options.truth is not None
    insured = delivered(lake, PERSON, day).filter(_is_own(run)).count()
    truth = read_truth(Path(run.options.truth), insured)
    indicators = _indicators(run)
    days = sorted(each for each in indicators["as_of_date"].unique().to_list() if each <= day)
    if day not in days:
        raise DataRefused(f"gold.indicator has nothing as of {day}: run flag_indicators first")
    lists = {each: reranked(indicators.filter(pl.col("as_of_date") == each)) for each in days}
    rows: list[dict[str, Any]] = []
    for each, ranked in lists.items():
        rows += _rows(each, ALL, figures(ranked, truth, _CAPACITIES))
    rows += _rows(day, ALL, days_to_detection(lists, truth))
    today = indicators.filter(pl.col("as_of_date") == day)
    for family in sorted(today["family"].unique()):
        without = reranked(today, without=family)
        kept = [each for each in figures(without, truth, _CAPACITIES) if "_by_" not in each.measure]
        rows += _rows(day, family, kept)
    frame = run.spark.createDataFrame(rows, DETECTION_RESULT.schema).coalesce(1)
    lake.replace(frame, DETECTION_RESULT, {"as_of_date": days})
    _print([row for row in rows if row["as_of_date"] == day])
    return f"{len(days)} lists judged, {truth.accounts.height} accounts in fraud among {insured}"


def read_truth(folder: Path, insured: int) -> Truth:
    """The truth tables that detection of accounts is judged by.

    Only accounts that were used count: someone in a gang who never billed cannot be seen in claims.
    """
    lines = _read(folder, "truth_line", "psn_no", "fund_loss")
    lines = lines.group_by("psn_no").agg(loss=pl.sum("fund_loss"))
    people = _read(folder, "truth_person", "psn_no", "gang_id", "active_from", "typology")
    people = people.sort("active_from", "gang_id")
    accounts = (
        lines.join(
            people.group_by("psn_no", maintain_order=True).agg(
                pl.first("typology"), pl.min("active_from")
            ),
            on="psn_no",
            how="left",
        )
        .with_columns(pl.col("typology").fill_null("unknown"))
        .rename({"psn_no": "member_id"})
    )
    benign = _read(folder, "truth_benign", "psn_no", "benign_type").rename({"psn_no": "member_id"})
    return Truth(accounts, benign.select("member_id", "benign_type"), insured)


def _read(folder: Path, name: str, *columns: str) -> pl.DataFrame:
    """Some columns of a table of the truth; an id of figures alone is text all the same."""
    path = folder / f"{name}.parquet"
    if not path.exists():
        path = folder / f"{name}.csv"
    try:
        if path.suffix == ".csv":
            frame = pl.read_csv(path, columns=list(columns), infer_schema=False)
        else:
            frame = pl.read_parquet(path, columns=list(columns))
        # Parquet may hold a time, CSV a text; a day is the first ten letters of both.
        return frame.with_columns(pl.col(columns).cast(pl.String)).with_columns(
            pl.col("^active_from$").str.head(10).str.to_date(),
            pl.col("^fund_loss$").cast(pl.Float64),
        )
    except pl.exceptions.PolarsError as error:
        told = str(error).splitlines()[0]
        raise DataRefused(f"{path}: {', '.join(columns)} can't be read from it: {told}") from None


def _is_own(run: JobRun) -> Column:
    """Insured in the province that most people are: people from elsewhere are not its accounts."""
    people = delivered(run.lake, PERSON, run.as_of)
    most = most_common_province(people.select(province_of("district").alias("province"))).first()
    if most is None:
        return F.lit(True)
    return F.coalesce(province_of("district") == most["here"], F.lit(True))


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
        .join(loss, on=["subject_id", "as_of_date"])
        .select(
            "as_of_date",
            F.col("subject_id").alias("member_id"),
            "family",
            "points",
            "held_back_by",
            "expected_loss",
        )
    )
    if run.lake.exists(MEMBER_RING_FEATURE):
        links = run.lake.read(MEMBER_RING_FEATURE).select(
            "member_id", "as_of_date", F.col("link_weight_two_best_365d").alias("link_weight")
        )
        rows = rows.join(links, on=["member_id", "as_of_date"], how="left")
    frame = pl.from_arrow(rows.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return frame


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
            rules = ALL if row["setting"] == ALL else f"without {row['setting']}"
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
