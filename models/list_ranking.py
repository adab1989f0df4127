"""The list of accounts by rules and model together, and the draws beside it."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.member_model import blended


def ranked_with_model(
    accounts: DataFrame, scores: DataFrame | None, blend_weight: float, week: int
) -> DataFrame:
    """Rank the accounts of the list by rules and model together.

    With a blend weight of 0, or without scores, priority and rank stay those of the rules. Accounts
    without a score keep the priority of the rules.

    Args:
        accounts: `features.indicator.accounts.ranked_accounts`.
        scores: gold.member_score of the day; None without a model.
        blend_weight: how much the model may move the list.
        week: the accounts of a week, for `ranked_by`.

    Returns:
        The accounts with `ranked_by` and `model_version`; these are rules and null without a model's say.
    """
    if scores is None or blend_weight == 0:
        return accounts.withColumns(
            {"ranked_by": F.lit("rules"), "model_version": F.lit(None).cast("string")}
        )
    of_model = scores.select("member_id", "score", "model_version")
    by_rules = F.col("priority")
    joined = accounts.join(of_model, on="member_id", how="left").withColumn(
        "blended", F.coalesce(blended(by_rules, F.col("score"), blend_weight), by_rules)
    )
    by_model = Window.orderBy(F.desc_nulls_last("score"), "member_id")
    first = Window.orderBy(F.desc("blended"), F.desc("expected_loss_amount"), "member_id")
    model_rank = F.row_number().over(by_model)
    return (
        joined.withColumn("ranked_by", _speaker(F.col("rank"), model_rank, week))
        .withColumn("rank", F.row_number().over(first).cast("long"))
        .withColumn("priority", F.col("blended"))
        .drop("blended", "score")
    )


def _speaker(rule_rank: Column, model_rank: Column, week: int) -> Column:
    """Which of the two would have an account among the week's; if neither, which has it higher."""
    by_rules, by_model = rule_rank <= week, model_rank <= week
    return (
        F.when(by_rules & by_model, "both")
        .when(by_rules, "rules")
        .when(by_model, "model")
        .when(rule_rank == model_rank, "both")
        .otherwise(F.when(rule_rank < model_rank, "rules").otherwise("model"))
    )


def audit_counts(capacity: int, share: float) -> tuple[int, int]:
    """How many of a week's accounts are drawn: from the rest of the list, and from accounts not on it."""
    drawn = int(capacity * share + 1e-9)
    return drawn - drawn // 2, drawn // 2


def audit_draws(
    listed: DataFrame, members: DataFrame, day: date, week: int, counts: tuple[int, int]
) -> DataFrame:
    """Draw accounts that are not among the week's: `member_id, stratum, rank, propensity`.

    A hash of the day and the account orders each stratum, so a day's draw is the same in every run and
    has nothing to do with the list. If a stratum has fewer accounts than draws, all of them are drawn.

    Args:
        listed: the accounts of the list, with `rank`.
        members: the members of the day.
        day: the as-of date, which seeds the draw.
        week: the ranked accounts of the week, which are not drawn.
        counts: draws from the rest of the list, and from accounts not on it.
    """
    ranks = listed.select("member_id", "rank")
    from_list, from_others = counts
    rest = ranks.filter(F.col("rank") > week)
    others = members.select("member_id").join(ranks, on="member_id", how="left_anti")
    return _drawn(rest, "listed", from_list, day).unionByName(
        _drawn(others.withColumn("rank", F.lit(None).cast("long")), "unlisted", from_others, day)
    )


def _drawn(accounts: DataFrame, stratum: str, count: int, day: date) -> DataFrame:
    """The first `count` accounts of a stratum by hash, with the chance of each to be among them."""
    order = F.xxhash64(F.lit(f"audit {day.isoformat()}"), "member_id")
    total = accounts.agg(F.count("*").alias("accounts"))
    first = accounts.withColumn("order", order).orderBy("order", "member_id").limit(count)
    return first.join(F.broadcast(total), how="cross").select(
        "member_id",
        F.lit(stratum).alias("stratum"),
        "rank",
        (F.least(F.lit(count), F.col("accounts")) / F.col("accounts")).alias("propensity"),
    )
