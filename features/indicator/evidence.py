"""The settlements behind an indicator."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.landing.codes import CERTIFICATE_VISIT, E_VOUCHER
from features.member.rows import held_values
from features.refunds import is_left

#: Settlements that are named with an indicator.
MOST_NAMED = 20
#: Days before a date in which evidence lies, the longest window and a day.
_MOST_DAYS = 366
#: A settlement's fees are of so many days before it, or later.
_FEE_DAYS = 92
#: Which visits show a pattern: those with drugs, or those of which something more holds.
EVIDENCE = {
    "drugs": "has_drug",
    "certificate": "has_drug AND has_certificate",
    "cold_chain": "has_cold_chain",
    "e_voucher": "has_drug AND has_e_voucher",
    "proxy": "has_drug AND has_proxy",
    "tonic": "has_tonic",
}
#: What these look at: of a visit, and of its fees.
_OF_VISIT = {
    "has_certificate": f"visit_type = '{CERTIFICATE_VISIT}'",
    "has_e_voucher": f"credential_type = '{E_VOUCHER}'",
}
_OF_FEE = {
    "has_drug": "true",
    "has_cold_chain": "is_cold_chain",
    "has_tonic": "category = 'herb_tonic'",
}


def visits_with_kinds(
    visits: DataFrame,
    fees: DataFrame,
    drugs: DataFrame,
    as_of: date,
    asked: DataFrame | None = None,
) -> DataFrame:
    """Settlements of the year with the kinds of items in them, one row per member_id and settlement_id.

    Refunds, and settlements of which they leave nothing (`features.refunds`), are left out. A fee or a refund
    of another member's settlement is ignored.

    Args:
        visits: gold.visit_fact as it stood as of a date.
        fees: gold.fee_fact as it stood then.
        drugs: silver.drug as of then.
        as_of: the date.
        asked: `member_id, window_days` of the indicators of members, if only their longest windows are
            needed. If it is marked for broadcast, it is sent to every task. Rows are grouped by member.

    Returns:
        `member_id, settlement_id, service_date, total_amount` and the columns that `EVIDENCE` uses.
    """
    visits, fees = (
        facts.filter(F.col("service_date") >= F.lit(as_of - timedelta(days=days)))
        for facts, days in ((visits, _MOST_DAYS), (fees, _MOST_DAYS + _FEE_DAYS))
    )
    if asked is not None:
        visits, fees = _of_members(visits, fees, asked, as_of)
    is_refund = F.col("is_refund")
    of_visit = {name: F.expr(holds) for name, holds in _OF_VISIT.items()}
    of_visit["has_proxy"] = F.size(held_values("proxies", as_of)) > 0
    settled = visits.select(
        "member_id",
        F.when(is_refund, F.col("original_settlement_id"))
        .otherwise(F.col("settlement_id"))
        .alias("settlement_id"),
        *(F.when(~is_refund, F.col(name)).alias(name) for name in ("service_date", "total_amount")),
        F.when(is_refund, F.col("total_amount")).alias("refunded_amount"),
        *(_known(~is_refund & holds).alias(name) for name, holds in of_visit.items()),
    )
    of_drugs = F.broadcast(drugs.select("drug_id", "is_cold_chain", "category"))
    dispensed = (
        fees.filter(F.col("drug_id").isNotNull())
        .join(of_drugs, on="drug_id", how="left")
        .select(
            "member_id",
            "settlement_id",
            *(_known(F.expr(holds)).alias(name) for name, holds in _OF_FEE.items()),
        )
    )
    # Visits, refunds and fees meet in one shuffle, as rows of one frame.
    rows = settled.unionByName(dispensed, allowMissingColumns=True)
    return (
        (rows if asked is None else rows.repartition("member_id"))
        .groupBy("member_id", "settlement_id")
        .agg(
            F.max("service_date").alias("service_date"),
            F.max("total_amount").alias("total_amount"),
            F.sum("refunded_amount").alias("refunded_amount"),
            *(F.max(name).alias(name) for name in (*of_visit, *_OF_FEE)),
        )
        .filter(F.col("service_date").isNotNull())
        .filter(is_left(F.col("total_amount"), F.col("refunded_amount")))
        .drop("refunded_amount")
    )


def with_evidence(found: DataFrame, visits: DataFrame, as_of: date) -> DataFrame:
    """Add the first day, the last day and the most expensive settlements of each indicator's evidence.

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
    shown = visits.join(asked, on="subject_id", how="inner").filter(
        shows & (days_before <= _days_shown()) & (days_before >= 1)
    )
    dearest = F.struct(-F.col("total_amount"), "settlement_id")
    gathered = shown.groupBy("subject_id", "reason_code").agg(
        F.min("service_date").alias("first_date"),
        F.max("service_date").alias("last_date"),
        F.min_by("settlement_id", dearest, MOST_NAMED).alias("settlement_ids"),
    )
    return found.join(gathered, on=["subject_id", "reason_code"], how="left").withColumn(
        "settlement_ids", F.coalesce("settlement_ids", F.array().cast("array<string>"))
    )


def _of_members(
    visits: DataFrame, fees: DataFrame, asked: DataFrame, as_of: date
) -> tuple[DataFrame, DataFrame]:
    """Visits in a member's longest window, their fees, and all refunds."""
    since = asked.select(
        F.col("member_id").alias("asked_id"), F.date_sub(F.lit(as_of), _days_shown()).alias("since")
    )
    is_asked = F.col("member_id") == F.col("asked_id")
    of_visit = F.col("is_refund") | (F.col("service_date") >= F.col("since"))
    of_fee = F.date_add("service_date", _FEE_DAYS) >= F.col("since")
    # Someone may be asked about more than once: for a semi-join that is no matter.
    return (
        visits.join(since, on=is_asked & of_visit, how="left_semi"),
        fees.join(since, on=is_asked & of_fee, how="left_semi"),
    )


def _days_shown() -> Column:
    """The days before a date that evidence covers: the window of the indicator, but at least 30."""
    return F.greatest("window_days", F.lit(30))


def _known(holds: Column) -> Column:
    return F.coalesce(holds, F.lit(False))
