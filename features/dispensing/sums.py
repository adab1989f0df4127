"""Sums over dispensed drugs, shared by the features of institutions, doctors and drugs.

`sold` has the columns of `features.dispensing.features.sales`; `by` is the id by which rows are grouped.
"""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract.feature import FeatureDefinition
from expectations.landing.codes import CERTIFICATE_VISIT, E_VOUCHER
from features.boxes import OF_INSTITUTION, box_sales

YEAR, PERIOD = 365, 30
#: Median absolute deviation to standard deviation, for a normal distribution.
TO_DEVIATION = 1.4826


def totals(sold: DataFrame, by: str) -> DataFrame:
    """Amounts, members and shares of kinds of drugs, one row per `by`."""
    amount = F.sum("line_amount")
    members = F.count_distinct(F.when(F.col("line_amount") > 0, F.col("member_id")))
    return sold.groupBy(by).agg(
        amount.cast("double").alias("drug_amount_sum_365d"),
        members.cast("double").alias("drug_member_count_365d"),
        F.when(members > 0, amount.cast("double") / members).alias("drug_amount_per_member_365d"),
        F.when(members > 0, F.count_if(F.col("line_amount") > 0) / members).alias(
            "lines_per_member_365d"
        ),
        part(F.col("is_cold_chain")).alias("cold_chain_share_365d"),
        part(F.col("is_tonic")).alias("tonic_share_365d"),
        part(F.col("is_resalable")).alias("resalable_share_365d"),
        part(F.col("credential_type") == E_VOUCHER).alias("e_voucher_share_365d"),
        part(F.col("visit_type") == CERTIFICATE_VISIT).alias("certificate_share_365d"),
        part(F.col("is_over")).alias("oversupplied_share_365d"),
    )


def top_member(sold: DataFrame, by: str) -> DataFrame:
    """The largest part of the amount that one member has, one row per `by`."""
    of_member = sold.groupBy(by, "member_id").agg(F.sum("line_amount").alias("line_amount"))
    whole = F.sum("line_amount").cast("double")
    return of_member.groupBy(by).agg(
        F.when(whole > 0, F.max("line_amount").cast("double") / whole).alias(
            "top_member_share_365d"
        )
    )


def spikes(sold: DataFrame, by: str) -> DataFrame:
    """The last 30 days against the earlier periods of 30 days of the year, twelve in all."""
    period = F.floor((F.col("ago") - 1) / PERIOD)
    periods = sold.filter(period < YEAR // PERIOD)
    sums = periods.groupBy(by, period.alias("period")).agg(
        F.sum("line_amount").cast("double").alias("amount")
    )
    gathered = sums.groupBy(by).agg(
        F.max(F.when(F.col("period") == 0, F.col("amount"))).alias("last"),
        F.collect_list(F.when(F.col("period") > 0, F.col("amount"))).alias("earlier"),
    )
    every = F.sort_array(
        F.concat(
            "earlier", F.array_repeat(F.lit(0.0), F.lit(YEAR // PERIOD - 1) - F.size("earlier"))
        )
    )
    middle = (YEAR // PERIOD - 1) // 2
    median = F.col("every")[middle]
    off = F.sort_array(F.transform("every", lambda each: F.abs(each - F.col("median"))))[middle]
    return (
        gathered.withColumn("every", every)
        .withColumn("median", median)
        .withColumn("spread", F.lit(TO_DEVIATION) * off + F.col("median") / 10)
        .select(
            by,
            F.when(
                F.col("spread") > 0,
                (F.coalesce("last", F.lit(0.0)) - F.col("median")) / F.col("spread"),
            ).alias("drug_amount_spike_365d"),
        )
    )


def resales(scans: DataFrame, as_of: date, window: int) -> DataFrame:
    """Boxes sold in a window and not returned, and whether the code was sold to somebody else before."""
    days = F.datediff(F.lit(as_of), "scan_time")
    is_repeat = F.coalesce(F.col("previous_kind").isin(*OF_INSTITUTION), F.lit(False))
    return box_sales(scans).filter(days.between(1, window)).withColumn("is_repeat", is_repeat)


def resale_rate() -> Column:
    """Boxes of `resales` that were sold before, per 10,000."""
    return 10_000 * F.count_if("is_repeat") / F.count("*")


def log_spread(rows: DataFrame, name: str) -> DataFrame:
    """Mean and sample standard deviation of the logarithms of a positive count: `mean, deviation`, one row.

    Equal counts are grouped and the distinct ones are added in their order, so the same rows give the same
    last bits for any partitioning. There are few distinct counts. The deviation is null below two counts.
    """
    counted = rows.groupBy(F.log(name).alias("level")).agg(F.count("*").alias("n"))
    levels = F.sort_array(F.collect_list(F.struct("level", "n"))).alias("levels")
    everyone = F.aggregate("levels", F.lit(0).cast("long"), lambda sum_, each: sum_ + each["n"])
    sums = F.aggregate("levels", F.lit(0.0), lambda sum_, each: sum_ + each["level"] * each["n"])
    squares = F.aggregate(
        "levels",
        F.lit(0.0),
        lambda sum_, each: sum_ + F.pow(each["level"] - F.col("mean"), 2) * each["n"],
    )
    return (
        counted.agg(levels)
        .withColumn("everyone", everyone)
        .withColumn("mean", F.when(F.col("everyone") > 0, sums / F.col("everyone")))
        .select(
            "mean",
            F.when(F.size("levels") > 1, F.sqrt(squares / (F.col("everyone") - 1))).alias(
                "deviation"
            ),
        )
    )


def part(condition: Column, of: str = "line_amount") -> Column:
    """The share of an amount for which a condition holds; null if there is no amount."""
    whole = F.sum(of).cast("double")
    return F.when(
        whole > 0, F.sum(F.when(condition, F.col(of)).otherwise(0)).cast("double") / whole
    )


def declared(features: tuple[FeatureDefinition, ...]) -> list[Column]:
    """The columns of features, as doubles."""
    return [F.col(each.name).cast("double").alias(each.name) for each in features]
