"""What the model of accounts looks at, as rows of a day."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.feature.member_model import (
    FAMILIES,
    MEMBER_MODEL_INPUT_NAMES,
    MEMBER_MODEL_INPUTS,
)
from expectations.gold.account import FAMILIES_APART, UNLISTED_PRIORITY
from features.indicator.accounts import points_of_accounts, with_priority

_LINK_INPUTS = tuple(each.name for each in MEMBER_MODEL_INPUTS if each.is_of_links)[1:]


def member_rows(
    features: DataFrame, links: DataFrame | None, indicators: DataFrame | None
) -> DataFrame:
    """The inputs of the model, one row per member of `features`: `member_id, as_of_date` and the inputs in order.

    Indicators that something explains count for nothing. Points of a family are 0 where no rule of it
    speaks. The inputs of links are null for accounts without a link. The prior is the `priority` of
    `features.indicator.accounts.ranked_accounts`, and its lowest value for accounts that are not on the
    list.

    Args:
        features: gold.member_feature of one day.
        links: gold.member_ring_feature of that day; None where links have not been built.
        indicators: gold.indicator of that day, of all subjects or of members; None where there are none.
    """
    spark = features.sparkSession
    if links is None:
        linked = ", ".join(f"{name} double" for name in _LINK_INPUTS)
        links = spark.createDataFrame([], f"member_id string, {linked}")
    if indicators is None:
        indicators = spark.createDataFrame(
            [],
            "subject_type string, subject_id string, family string, points double, value double, held_back_by string",
        )
    rows = (
        features.select(
            "member_id",
            "as_of_date",
            F.coalesce("excess_fund_sum_365d", F.lit(0.0))
            .cast("decimal(16,2)")
            .cast("double")
            .alias("excess_fund_amount"),
        )
        .join(_points(indicators), on="member_id", how="left")
        .join(links.select("member_id", *_LINK_INPUTS), on="member_id", how="left")
    )
    zeros = [f"points_{family}" for family in FAMILIES] + ["own_points", "indicator_count"]
    return (
        rows.join(_priors(rows), on="member_id", how="left")
        .fillna(0.0, subset=zeros)
        .fillna(UNLISTED_PRIORITY, subset=["prior"])
        .select("member_id", "as_of_date", *MEMBER_MODEL_INPUT_NAMES)
    )


def _priors(rows: DataFrame) -> DataFrame:
    """`member_id, prior` of the accounts that are on the list."""
    listed = rows.filter(F.col("is_linked").isNotNull()).select(
        F.col("member_id").alias("subject_id"),
        "own_points",
        "is_linked",
        "resemblance",
        F.col("link_probability_best_365d").alias("best_link"),
        F.col("link_weight_two_best_365d").alias("two_best"),
        F.col("excess_fund_amount").alias("expected_loss_amount"),
    )
    return with_priority(listed).select(
        F.col("subject_id").alias("member_id"), F.col("priority").alias("prior")
    )


def _points(indicators: DataFrame) -> DataFrame:
    """Points by family, their sum and number, one row per member_id with an indicator that counts."""
    is_own = ~F.col("family").isin(*FAMILIES_APART)
    of_families = (
        F.max(F.when(F.col("family") == family, F.col("points"))).alias(f"points_{family}")
        for family in FAMILIES
    )
    fired = F.sum(F.when(is_own, F.col("fired"))).cast("double").alias("indicator_count")
    points = points_of_accounts(indicators.filter("subject_type = 'member'"), fired, *of_families)
    return points.withColumnRenamed("subject_id", "member_id").drop("points")
