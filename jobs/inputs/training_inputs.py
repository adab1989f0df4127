"""What the training set of accounts is made of: the days of features, and who belongs together."""

from datetime import date

import polars as pl
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.gold.ring import MEMBER_RING_FEATURE
from expectations.landing.inquiry import CLOSED_CASE
from expectations.landing.reference import PERSON
from features.network.rings import components_in_one_task
from jobs.inputs.member_scores import inputs_of_day
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake

#: What a day needs rows in, with the job that writes it.
DAILY_TABLES = (MEMBER_FEATURE, INDICATOR, MEMBER_RING_FEATURE)
#: These jobs, in this order, build the features of a day where the facts are there.
DAILY_JOBS = (
    "build_member_features",
    "score_resemblance",
    "build_account_links",
    "find_rings",
    "flag_indicators",
)


def feature_days(lake: Lake, before: date) -> list[date]:
    """Days before a date of which all of DAILY_TABLES have rows."""
    found: list[set[date]] = []
    for table in DAILY_TABLES:
        rows = lake.read_if_exists(table).filter(F.col("as_of_date") < F.lit(before))
        found.append({row["as_of_date"] for row in rows.select("as_of_date").distinct().collect()})
    return sorted(set.intersection(*found))


def inputs_of(lake: Lake, day: date) -> DataFrame:
    """The model's inputs of every member with features of a day, and what the fund paid for its drugs."""
    paid = lake.of_day(MEMBER_FEATURE, day).select("member_id", "drug_fund_sum_365d")
    return inputs_of_day(lake, day).join(paid, on="member_id", how="inner")


def people_in_cases(lake: Lake, as_of: date) -> DataFrame:
    """Everybody in a case that was known as of a day, open ones too: `member_id`, once."""
    cases = lake.read_as_of_if_exists(CLOSED_CASE.silver, as_of)
    people = cases.filter(F.col("subject_type") == "person")
    return people.select(F.col("subject_id").alias("member_id")).distinct()


def components_of(lake: Lake, as_of: date, members: DataFrame, days: list[date]) -> pl.DataFrame:
    """Who must share a fold: members of one household, of one ring on any of the days, or of one case.

    Args:
        lake: the lake.
        as_of: households and cases as known then.
        members: `member_id`, each once; they fit one task.
        days: of the rings.

    Returns:
        `member_id, component`, the smallest of the given members in it.
    """
    chosen = F.broadcast(members)
    people = lake.read_as_of_if_exists(PERSON.silver, as_of)
    cases = lake.read_as_of_if_exists(CLOSED_CASE.silver, as_of).filter("subject_type = 'person'")
    rings = lake.read(MEMBER_RING_FEATURE).filter(F.col("as_of_date").isin(days))
    ties = [
        people.select("member_id", F.col("household_id").alias("tie"), F.lit("home").alias("kind")),
        rings.select("member_id", F.col("ring_id").alias("tie"), F.lit("ring").alias("kind")),
        cases.select(
            F.col("subject_id").alias("member_id"),
            F.col("case_id").alias("tie"),
            F.lit("case").alias("kind"),
        ),
    ]
    edges = [
        to_polars(each.filter("tie IS NOT NULL").join(chosen, on="member_id", how="left_semi"))
        for each in ties
    ]
    return components_by_ties(to_polars(members)["member_id"], pl.concat(edges))


def components_by_ties(members: pl.Series, ties: pl.DataFrame) -> pl.DataFrame:
    """Components of members who share ties, `member_id, component`, one row per member.

    Args:
        members: ids, each once.
        ties: `member_id, kind, tie`; the same tie of one kind joins its members.
    """
    itself = pl.DataFrame({"src": "member:" + members, "dst": "member:" + members})
    edges = ties.select(
        src="member:" + pl.col("member_id"), dst=pl.col("kind") + ":" + pl.col("tie")
    )
    found = components_in_one_task(pl.concat([itself, edges]))
    of_members = pl.DataFrame({"member_id": members, "id": "member:" + members}).join(
        found, on="id", how="inner"
    )
    return of_members.select(
        "member_id", component=pl.col("member_id").min().over("component")
    ).sort("member_id")
