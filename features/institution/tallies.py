"""Tallies: how often each member, district, code, doctor, amount or day occurs at an institution.

All counts of visits are in one long frame, so that the visits are shuffled only once. `kind` is the kind of
a tally: member, district, case (the case group), day, amount, stay, refund, or a kind of mark (diagnosis,
procedure, drg, doctor, attending, ...).
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.feature.institution import MAX_INSTITUTIONS_OF_MEMBER, PEER_PRIOR_CLAIMS

#: Quotients are summed as decimals: a sum of doubles depends on their order, so on the partitioning.
QUOTIENT = "decimal(38,14)"

_KEY = ("institution_id", "setting", "kind", "value")


def visit_tallies(facts: DataFrame) -> DataFrame:
    """Count what occurs on visits, one row per (institution_id, setting, kind, value).

    `claims` is the number of visits on which the value occurs. Each visit is in exactly one `case` tally,
    which also has the sums over visits. The `member` tallies have the columns of the member. A visit that
    was refunded in full has only a `refund` tally, with value `full` instead of `part`.
    """
    of_claim = F.concat(
        F.col("marks"),
        F.array(
            _entry("member", F.col("member_id")),
            _entry("district", F.col("district")),
            _entry("case", F.col("case_group")),
            _entry("day", F.col("start_day")),
            _entry("amount", F.col("amount")),
            _entry("stay", F.when(F.col("setting") == "inpatient", F.col("stay_days"))),
        ),
    )
    refund = _entry("refund", F.when(F.col("is_claim"), "part").otherwise("full"))
    entries = F.concat(
        F.when(F.col("is_claim"), of_claim).otherwise(F.array()),
        F.when(F.col("is_refunded"), F.array(refund)).otherwise(F.array()),
    )
    exploded = facts.withColumn("entry", F.explode(entries)).select(
        "*", "entry.kind", "entry.value"
    )
    is_case, is_member = F.col("kind") == "case", F.col("kind") == "member"
    amount, stay = F.col("amount"), F.col("stay_days")
    per_day = (amount / stay).cast(QUOTIENT)
    return (
        exploded.filter(F.col("value").isNotNull())
        .groupBy(*_KEY)
        .agg(
            F.count("*").alias("claims"),
            F.sum(F.when(is_case, amount)).alias("amount"),
            F.try_sum(F.when(is_case, amount * amount)).alias("amount_squares"),
            F.max(F.when(is_case, amount)).alias("amount_max"),
            F.sum(F.when(is_case, F.col("fund_amount"))).alias("fund_amount"),
            F.sum(F.when(is_case, per_day)).alias("daily_amount"),
            F.sum(F.when(is_case, stay)).alias("stay"),
            F.sum(F.when(is_case, stay.cast("long") * stay)).alias("stay_squares"),
            F.max(F.when(is_member, F.col("is_deceased"))).alias("is_deceased"),
            F.max(F.when(is_member, F.col("condition_count"))).alias("condition_count"),
        )
    )


def peer_tallies(tallies: DataFrame) -> DataFrame:
    """Add the counts of the same value at all institutions of the setting; the rows stay the same.

    `all_claims` and `all_institutions` are these counts. `other` lists the other institutions of a member.
    It is empty above `MAX_INSTITUTIONS_OF_MEMBER`, to limit the number of pairs.

    The peers' average of a case group, shrunk to the mean m of all claims with the weight w of
    `PEER_PRIOR_CLAIMS`, is (sum + w m) / (claims + w). m is computed later, so `expected_amount` and
    `expected_stay` are the claims times the term without m, and `expected_weight` is the claims times the
    factor of m.
    """
    alike = Window.partitionBy("setting", "kind", "value").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    is_case, is_member = F.col("kind") == "case", F.col("kind") == "member"
    here = F.col("institution_id")
    with_peers = (
        tallies.withColumn("all_claims", F.sum("claims").over(alike))
        .withColumn("all_institutions", F.count("*").over(alike))
        .withColumn("all_amount", F.sum("amount").over(alike))
        .withColumn("all_stay", F.sum("stay").over(alike))
        .withColumn("seen_at", F.collect_list(F.when(is_member, here)).over(alike))
    )
    weight = F.col("claims").cast("double") / (F.col("all_claims") + PEER_PRIOR_CLAIMS)
    is_bounded = F.col("all_institutions") <= MAX_INSTITUTIONS_OF_MEMBER
    return (
        with_peers.withColumn("expected_amount", _product(is_case, weight, "all_amount"))
        .withColumn("expected_stay", _product(is_case, weight, "all_stay"))
        .withColumn("expected_weight", F.when(is_case, weight * PEER_PRIOR_CLAIMS).cast(QUOTIENT))
        .withColumn(
            "other",
            F.when(is_bounded, F.array_except("seen_at", F.array(here))).otherwise(F.array()),
        )
        .drop("seen_at", "all_amount", "all_stay")
    )


def _entry(kind: str, value: Column) -> Column:
    return F.struct(F.lit(kind).alias("kind"), value.cast("string").alias("value"))


def _product(condition: Column, weight: Column, total: str) -> Column:
    return F.when(condition, weight * F.col(total).cast("double")).cast(QUOTIENT)
