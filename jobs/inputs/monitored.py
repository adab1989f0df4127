"""What monitor_model reads: the day, what it is compared with, and what cases have said since."""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused, JobSkipped
from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES
from expectations.gold.account import HIGH_RISK_ACCOUNT, MEMBER_FEATURE
from expectations.gold.member_model import MEMBER_TRAINING_ROW
from expectations.gold.member_score import AUDIT_DRAW, MEMBER_SCORE
from expectations.landing.inquiry import CLOSED_CASE
from expectations.landing.reference import PERSON
from jobs.inputs.member_scores import inputs_of_day
from jobs.lake.tables import Lake
from jobs.runtime.job import JobRun
from models.monitoring import decided_accounts, values_of

#: The name of the score among the inputs.
SCORE = "score"


def version_of_day(run: JobRun) -> tuple[str, str]:
    """The name and version of the model that scored the run's day.

    Raises:
        JobSkipped: when no model scored it.
    """
    if run.lake.exists(MEMBER_SCORE):
        first = run.lake.of_day(MEMBER_SCORE, run.as_of).first()
        if first is not None:
            return first["model_name"], first["model_version"]
    raise JobSkipped(
        f"no model of accounts scored {run.as_of}: run score_subjects --subject member"
        f" --as-of {run.as_of} first"
    )


def values_of_day(run: JobRun, day: date, version: str) -> DataFrame:
    """Inputs and scores of all members of a day: name, value."""
    scores = run.lake.of_day(MEMBER_SCORE, day).filter(F.col("model_version") == version)
    inputs = values_of(inputs_of_day(run.lake, day), MEMBER_MODEL_INPUT_NAMES)
    return inputs.unionByName(values_of(scores, [SCORE]))


def reference_values(
    run: JobRun, version: str, trained_on: date | None
) -> tuple[tuple[str, date], DataFrame] | None:
    """What the day is compared with (`scores` or `training`, of a day), and its values; None if there is nothing.

    The first day that the version scored; on that day itself the rows that it was trained on, each
    standing for as many accounts as its propensity says. Scores of the training rows are not kept.

    Args:
        run: the run.
        version: the version that scored its day.
        trained_on: the as-of date of the version's training rows, if it is known.
    """
    lake = run.lake
    days = lake.read(MEMBER_SCORE).filter(
        (F.col("model_version") == version) & (F.col("as_of_date") < F.lit(run.as_of))
    )
    first = days.agg(F.min("as_of_date").alias("day")).first()
    if first is not None and first["day"] is not None:
        try:
            return ("scores", first["day"]), values_of_day(run, first["day"], version)
        except DataRefused as gone:
            run.log.warning("the first scored day cannot be compared with", reason=str(gone))
    if trained_on is None or not lake.exists(MEMBER_TRAINING_ROW):
        return None
    trained = lake.of_day(MEMBER_TRAINING_ROW, trained_on)
    if trained.isEmpty():
        return None
    # An account without a label stands for those that were not drawn.
    copies = F.sequence(
        F.lit(1), F.greatest(F.round(1 / F.col("propensity")), F.lit(1)).cast("int")
    )
    repeated = trained.withColumn("copy", F.explode(copies))
    return ("training", trained_on), values_of(repeated, MEMBER_MODEL_INPUT_NAMES)


def decided_before(run: JobRun) -> DataFrame:
    """`decided_accounts` as of the run's day."""
    cases = run.lake.read_as_of_if_exists(CLOSED_CASE.silver, run.as_of)
    before = F.col("decision_time") < F.lit(run.as_of.isoformat()).cast("timestamp")
    return decided_accounts(cases.filter(before))


def weeks_accounts(lake: Lake, day: date, days: int) -> DataFrame:
    """The week's accounts of the lists of some days up to a day: as_of_date, member_id."""
    since = day - timedelta(days=days)
    return (
        lake.read_if_exists(HIGH_RISK_ACCOUNT)
        .filter(F.col("is_within_capacity") & F.col("as_of_date").between(since, day))
        .select("as_of_date", "member_id")
    )


def draws_until(lake: Lake, day: date, days: int) -> DataFrame:
    """The accounts drawn at random on some days up to a day: as_of_date, member_id, stratum."""
    since = day - timedelta(days=days)
    draws = lake.read_if_exists(AUDIT_DRAW).filter(F.col("as_of_date").between(since, day))
    return draws.select("as_of_date", "member_id", "stratum")


def alerts_by_district(run: JobRun) -> list[tuple[str, int, int]]:
    """Each district with accounts of the week: its code, these accounts, and its members of the day.

    Members without a district are the district "".
    """
    lake, day = run.lake, run.as_of
    people = lake.read_as_of_if_exists(PERSON.silver, day).select("member_id", "district")
    week = weeks_accounts(lake, day, 0).select("member_id", F.lit(1).alias("is_alert"))
    members = lake.of_day(MEMBER_FEATURE, day).select("member_id")
    rows = (
        members.join(people, on="member_id", how="left")
        .join(week, on="member_id", how="left")
        .groupBy(F.coalesce("district", F.lit("")).alias("district"))
        .agg(F.count("is_alert").alias("alerts"), F.count("*").alias("members"))
    )
    return [(row["district"], row["alerts"], row["members"]) for row in rows.collect()]
