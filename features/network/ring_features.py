"""What an account's links and ring say of it."""

import polars as pl
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

#: Settlements that are named for an account, of its two best links.
MOST_NAMED = 20


def account_link_features(links: DataFrame) -> DataFrame:
    """What the links of each account say, one row per `member_id` with a link outside its household.

    Args:
        links: gold.account_link of a date. An account with one link counts as having the weakest of them
            beside it.

    Returns:
        `member_id`, the features of `account_link`, `settlement_ids`.
    """
    outside = links.filter("NOT is_kin")
    weakest = F.broadcast(outside.agg(F.min("weight").alias("weakest")))
    ends = outside.select(F.col("src").alias("member_id"), F.col("dst").alias("other"), *_KEPT)
    ends = ends.unionByName(
        outside.select(F.col("dst").alias("member_id"), F.col("src").alias("other"), *_KEPT)
    )
    # The best first, of equal ones the smaller other account.
    best = F.struct((-F.col("weight")).alias("order"), "other", "settlement_ids")
    first = F.slice(F.sort_array(F.collect_list(best)), 1, 2).alias("best")
    grouped = ends.groupBy("member_id").agg(
        first,
        F.max("probability").alias("link_probability_best_365d"),
        F.count_if("has_passed").cast("double").alias("linked_account_count_365d"),
        F.round(F.sum("probability"), 6).alias("link_probability_sum_365d"),
    )
    second = F.when(F.size("best") > 1, -F.col("best")[1]["order"]).otherwise(F.col("weakest"))
    ids = F.flatten(F.transform("best", lambda each: each["settlement_ids"]))
    return grouped.join(weakest, how="cross").select(
        "member_id",
        F.round((-F.col("best")[0]["order"] + second) / 2, 6).alias("link_weight_two_best_365d"),
        "link_probability_best_365d",
        "linked_account_count_365d",
        "link_probability_sum_365d",
        F.slice(F.array_distinct(ids), 1, MOST_NAMED).alias("settlement_ids"),
    )


def links_of_rings(links: DataFrame, members: DataFrame, pass_probability: float) -> DataFrame:
    """The links that rings stand on, and those as sure from their accounts to kin, who may be outside.

    Args:
        links: `src`, `dst`, `probability`, `has_passed`, `is_kin`.
        members: `ring_id`, `member`; an account is in one ring at most.
        pass_probability: from which on a link to kin is as sure.

    Returns:
        `ring_id`, `src`, `dst`, `probability`, `is_kin`.
    """
    rows = links.select("src", "dst", "probability", "has_passed", "is_kin")
    for end in ("src", "dst"):
        of = members.select(F.col("member").alias(end), F.col("ring_id").alias(f"{end}_ring"))
        rows = rows.join(F.broadcast(of), on=end, how="left")
    is_inside = F.col("has_passed") & (F.col("src_ring") == F.col("dst_ring"))
    is_to_kin = F.col("is_kin") & (F.col("probability") >= pass_probability)
    # A link to kin in another ring is of both.
    of_rings = F.array_distinct(F.array_compact(F.array("src_ring", "dst_ring")))
    return rows.filter(is_inside | is_to_kin).select(
        F.explode(of_rings).alias("ring_id"), "src", "dst", "probability", "is_kin"
    )


def ring_member_features(
    members: pl.DataFrame, rings: pl.DataFrame, homes: pl.DataFrame
) -> pl.DataFrame:
    """What the ring of each account says, one row per `member_id` in a ring.

    Args:
        members: `ring_id`, `member`.
        rings: `ring_id`, `accounts`, `density`.
        homes: `member`, `household`.
    """
    known = members.join(homes, on="member", how="left").with_columns(
        kin=pl.when(pl.col("household").is_not_null())
        .then(pl.len().over("ring_id", "household") - 1)
        .otherwise(0)
    )
    return known.join(rings, on="ring_id", how="inner").select(
        pl.col("member").alias("member_id"),
        "ring_id",
        pl.col("accounts").cast(pl.Float64).alias("ring_account_count_365d"),
        pl.col("density").alias("ring_density_365d"),
        (pl.col("kin") / (pl.col("accounts") - 1).clip(1)).alias("ring_kin_share_365d"),
    )


_KEPT = ("weight", "probability", "has_passed", "settlement_ids")
