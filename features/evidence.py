"""The settlements behind an indicator."""

from datetime import date, timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from features.member_rows import held_values

#: Settlements that are named with an indicator.
MOST_NAMED = 20
#: Days before a date in which evidence lies, the longest window and a day, and in which a visit's fees do.
_VISIT_DAYS, _FEE_DAYS = 366, 366 + 92
#: Which visits show a pattern: those with drugs, or those of which something more holds.
EVIDENCE = {
    "drugs": "has_drug",
    "certificate": "has_drug AND visit_type = '14'",
    "cold_chain": "has_cold_chain",
    "e_voucher": "has_drug AND credential_type = '01'",
    "proxy": "has_drug AND has_proxy",
    "tonic": "has_tonic",
}


def visits_with_kinds(
    visits: DataFrame, fees: DataFrame, drugs: DataFrame, as_of: date
) -> DataFrame:
    """What a settlement of the year holds, one row per settlement_id; refunds and what they undo are left out.

    Args:
        visits: gold.visit_fact as it stood as of a date, of all subjects or some, refunds with what they undo.
        fees: gold.fee_fact as it stood then, with all fees of these visits.
        drugs: silver.drug as of then.
        as_of: the date.
    """
    visits, fees = (
        facts.filter(F.col("service_date") >= F.lit(as_of - timedelta(days=days)))
        for facts, days in ((visits, _VISIT_DAYS), (fees, _FEE_DAYS))
    )
    kinds = (
        fees.filter(F.col("drug_id").isNotNull())
        .join(
            F.broadcast(drugs.select("drug_id", "is_cold_chain", "category")),
            on="drug_id",
            how="left",
        )
        .groupBy("settlement_id")
        .agg(
            F.lit(True).alias("has_drug"),
            F.max(F.coalesce("is_cold_chain", F.lit(False))).alias("has_cold_chain"),
            F.max(F.coalesce(F.col("category") == "herb_tonic", F.lit(False))).alias("has_tonic"),
        )
    )
    refunds = (
        visits.filter("is_refund")
        .groupBy(F.col("original_settlement_id").alias("settlement_id"))
        .agg(F.sum("total_amount").alias("refunded_amount"))
    )
    is_left = F.col("refunded_amount").isNull() | (
        F.col("total_amount") > -F.col("refunded_amount")
    )
    return (
        visits.filter(~F.col("is_refund"))
        .join(refunds, on="settlement_id", how="left")
        .filter(is_left)
        .drop("refunded_amount")
        .withColumn(
            "has_proxy", F.coalesce(F.size(held_values("proxies", as_of)) > 0, F.lit(False))
        )
        .join(kinds, on="settlement_id", how="left")
    )


def with_evidence(found: DataFrame, visits: DataFrame, as_of: date) -> DataFrame:
    """Add first and last day and the dearest settlements of what shows each indicator.

    Args:
        found: `subject_id, reason_code, evidence, window_days` and more.
        visits: from `visits_with_kinds`, with `subject_id`.
        as_of: the date.
    """
    asked = found.select("subject_id", "reason_code", "evidence", "window_days")
    shows = F.lit(False)
    for name, condition in EVIDENCE.items():
        shows = shows | ((F.col("evidence") == name) & F.expr(condition))
    days_before = F.datediff(F.lit(as_of), "service_date")
    shown = visits.join(asked, on="subject_id").filter(
        shows & (days_before <= F.greatest("window_days", F.lit(30))) & (days_before >= 1)
    )
    by_indicator = Window.partitionBy("subject_id", "reason_code")
    dearest = by_indicator.orderBy(F.desc("total_amount"), "settlement_id")
    gathered = (
        shown.withColumn("place", F.row_number().over(dearest))
        .groupBy("subject_id", "reason_code")
        .agg(
            F.min("service_date").alias("first_date"),
            F.max("service_date").alias("last_date"),
            F.sort_array(
                F.collect_list(
                    F.when(F.col("place") <= MOST_NAMED, F.struct("place", "settlement_id"))
                )
            ).alias("named"),
        )
        .withColumn("settlement_ids", F.transform("named", lambda each: each["settlement_id"]))
        .drop("named")
    )
    return found.join(gathered, on=["subject_id", "reason_code"], how="left").withColumn(
        "settlement_ids", F.coalesce("settlement_ids", F.array().cast("array<string>"))
    )
