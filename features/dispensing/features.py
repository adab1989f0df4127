"""Dispensing of institutions, doctors and drugs: sales with the members who got them, and features."""

from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.feature.dispensing import (
    DOCTOR_FEATURES,
    DRUG_FEATURES,
    INSTITUTION_DRUG_FEATURES,
)
from expectations.landing.codes import STAY
from features.clock import has_hour
from features.dispensing.sums import (
    PERIOD,
    TO_DEVIATION,
    YEAR,
    declared,
    log_spread,
    part,
    resale_rate,
    resales,
    spikes,
    top_member,
    totals,
)
from features.refunds import signed

_OVER = 1.2
#: Fewer institutions of a type than this are no peers.
_MIN_PEERS = 20
#: Robust deviations from the median that count as outlying (Iglewicz and Hoaglin, 1993).
_OUTLYING = 3.5
_RATIOS = (
    "drug_amount_per_member_365d",
    "lines_per_member_365d",
    "cold_chain_share_365d",
    "tonic_share_365d",
    "resalable_share_365d",
    "e_voucher_share_365d",
    "certificate_share_365d",
    "top_member_share_365d",
)


def sales(
    fees: DataFrame, visits: DataFrame, drugs: DataFrame, member_features: DataFrame, as_of: date
) -> DataFrame:
    """Drugs dispensed outside stays in the last year, one row per settlement, drug and doctor.

    Args:
        fees: gold.fee_fact as it stood as of the date; refunds have negative amounts.
        visits: gold.visit_fact as it stood then.
        drugs: silver.drug as of then.
        member_features: gold.member_feature of the date.
        as_of: the date.
    """
    first = F.lit(as_of - timedelta(days=YEAR))
    recent = (F.col("service_date") >= first) & (F.col("service_date") < F.lit(as_of))
    at = visits.filter(recent & ~F.col("visit_type").eqNullSafe(F.lit(STAY))).select(
        "settlement_id", "institution_id", "visit_type", "credential_type", "is_refund"
    )
    taken_back = {
        name: signed(F.col(name), F.col("is_refund")) for name in ("quantity", "line_amount")
    }
    known = drugs.select(
        "drug_id",
        F.coalesce("is_cold_chain", F.lit(False)).alias("is_cold_chain"),
        F.coalesce(F.col("category") == "herb_tonic", F.lit(False)).alias("is_tonic"),
        F.coalesce(F.col("resale_ratio") > 0, F.lit(False)).alias("is_resalable"),
    )
    over = member_features.filter(F.col("supply_ratio_max_365d") > _OVER).select(
        "member_id", F.lit(True).alias("is_over")
    )
    return (
        fees.filter(recent & F.col("drug_id").isNotNull())
        .select(
            "settlement_id",
            "member_id",
            "drug_id",
            "doctor_id",
            "service_date",
            "quantity",
            "line_amount",
        )
        .join(at, on="settlement_id", how="inner")
        .withColumns(taken_back)
        .drop("is_refund")
        .join(F.broadcast(known), on="drug_id", how="left")
        .join(over, on="member_id", how="left")
        .withColumn("is_over", F.coalesce("is_over", F.lit(False)))
        .withColumn("ago", F.datediff(F.lit(as_of), "service_date"))
    )


def institution_drug_features(
    sold: DataFrame,
    institutions: DataFrame,
    members: DataFrame,
    visits: DataFrame,
    scans: DataFrame,
    as_of: date,
) -> DataFrame:
    """Compute `INSTITUTION_DRUG_FEATURES`, one row per institution_id that dispensed or scanned.

    Args:
        sold: from `sales`.
        institutions: silver.institution as of the date.
        members: silver.person as of the date.
        visits: gold.visit_fact as it stood as of the date.
        scans: silver.trace_scan as of the date.
        as_of: the date.
    """
    by = "institution_id"
    places = institutions.select(by, F.substring("district", 1, 4).alias("city"))
    homes = members.select("member_id", F.substring("district", 1, 4).alias("home"))
    recent = (
        sold.filter(F.col("ago") <= 90)
        .join(places, on=by, how="left")
        .join(homes, on="member_id", how="left")
    )
    nonlocal_share = recent.groupBy(by).agg(
        part(F.col("home") != F.col("city")).alias("nonlocal_share_90d")
    )
    parts = [
        totals(sold, by),
        top_member(sold, by),
        spikes(sold, by),
        nonlocal_share,
        _busiest_hours(visits, as_of),
        _scan_features(scans, as_of),
    ]
    features = reduce(lambda left, right: left.join(right, on=by, how="full"), parts)
    typed = features.join(institutions.select(by, "institution_type"), on=by, how="left")
    return _with_outlying(typed).select(by, *declared(INSTITUTION_DRUG_FEATURES))


def doctor_features(sold: DataFrame, certificates: DataFrame, as_of: date) -> DataFrame:
    """Compute `DOCTOR_FEATURES`, one row per doctor_id who billed a drug or diagnosed a certificate.

    Args:
        sold: from `sales`.
        certificates: silver.special_cert as of the date.
        as_of: the date.
    """
    by = "doctor_id"
    billed = sold.filter(F.col(by).isNotNull())
    begun = F.datediff(F.lit(as_of), "start_date")
    issued = (
        certificates.filter(F.col(by).isNotNull() & begun.between(1, YEAR))
        .groupBy(by)
        .agg(F.count("*").cast("double").alias("certificate_count_365d"))
    )
    level = F.log("certificate_count_365d")
    spread = F.broadcast(log_spread(issued, "certificate_count_365d"))
    compared = issued.crossJoin(spread).withColumn(
        "certificate_count_deviation_365d",
        F.when(F.col("deviation") > 0, (level - F.col("mean")) / F.col("deviation")),
    )
    return (
        totals(billed, by)
        .join(top_member(billed, by), on=by, how="inner")
        .join(_places(billed, by), on=by, how="inner")
        .join(compared, on=by, how="full")
        .select(by, *declared(DOCTOR_FEATURES))
    )


def drug_features(sold: DataFrame, scans: DataFrame, as_of: date) -> DataFrame:
    """Compute `DRUG_FEATURES`, one row per drug_id that was dispensed.

    Args:
        sold: from `sales`.
        scans: silver.trace_scan as of the date.
        as_of: the date.
    """
    by = "drug_id"
    of_member = sold.groupBy(by, "member_id").agg(F.sum("quantity").alias("quantity"))
    of_drug = Window.partitionBy(by)
    place = F.row_number().over(of_drug.orderBy(F.desc("quantity"), "member_id"))
    heaviest = F.greatest(F.lit(1), F.ceil(F.count("*").over(of_drug) / 100))
    top = (
        of_member.withColumn("is_top", place <= heaviest)
        .groupBy(by)
        .agg(part(F.col("is_top"), "quantity").alias("top_member_share_365d"))
    )
    resold = (
        resales(scans, as_of, YEAR).groupBy(by).agg(resale_rate().alias("resold_code_rate_365d"))
    )
    return (
        totals(sold, by)
        .join(_places(sold, by), on=by, how="inner")
        .join(spikes(sold, by), on=by, how="left")
        .join(top, on=by, how="inner")
        .join(resold, on=by, how="left")
        .select(by, *declared(DRUG_FEATURES))
    )


def _places(sold: DataFrame, by: str) -> DataFrame:
    """The number of institutions at which a subject's drugs were sold, one row each."""
    count = F.count_distinct("institution_id").cast("double")
    return sold.groupBy(by).agg(count.alias("institution_count_365d"))


def _busiest_hours(visits: DataFrame, as_of: date) -> DataFrame:
    days = F.datediff(F.lit(as_of), "service_date")
    hour = F.date_trunc("hour", "settlement_time")
    return (
        visits.filter(
            days.between(1, PERIOD)
            & F.col("operator_id").isNotNull()
            & has_hour(F.col("settlement_time"))
            & ~F.col("is_refund")
        )
        .groupBy("institution_id", "operator_id", hour.alias("hour"))
        .agg(F.count_distinct("member_id").alias("members"))
        .groupBy("institution_id")
        .agg(F.max("members").cast("double").alias("operator_members_per_hour_max_30d"))
    )


def _scan_features(scans: DataFrame, as_of: date) -> DataFrame:
    by = "institution_id"
    days = F.datediff(F.lit(as_of), "scan_time")
    recent = scans.filter(days.between(1, 180) & ~F.coalesce("is_split_pack", F.lit(False)))
    counts = recent.groupBy(by).agg(
        F.count_if(F.col("scan_type") == "sale").alias("sold"),
        F.count_if(F.col("scan_type") == "inbound").alias("received"),
    )
    gap = F.greatest(F.col("sold") - F.col("received"), F.lit(0)) / F.col("sold")
    received = (
        scans.filter(F.col("scan_type") == "inbound")
        .select(by, "trace_code", F.lit(True).alias("known"))
        .distinct()
    )
    orphans = (
        recent.filter(F.col("scan_type") == "sale")
        .join(received, on=[by, "trace_code"], how="left")
        .groupBy(by)
        .agg(F.avg(F.col("known").isNull().cast("double")).alias("orphan_sale_share_180d"))
    )
    rates = resales(scans, as_of, 90).groupBy(by).agg(resale_rate().alias("resold_code_rate_90d"))
    return (
        counts.select(by, F.when(F.col("sold") > 0, gap).alias("stock_gap_share_180d"))
        .join(orphans, on=by, how="left")
        .join(rates, on=by, how="left")
    )


def _with_outlying(features: DataFrame) -> DataFrame:
    """Add the number of ratios that lie far from the median of institutions of the same type."""
    # In windows, not joins: the plan of the features would stand in a join three times.
    alike = Window.partitionBy("institution_type").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    off = {name: f"{name}__off" for name in _RATIOS}
    distances = {
        off[name]: F.abs(F.col(name) - F.percentile(name, 0.5).over(alike)) for name in _RATIOS
    }
    spreads = {name: F.percentile(off[name], 0.5).over(alike) for name in _RATIOS}
    outlying = reduce(
        Column.__add__,
        (
            F.when(
                (spreads[name] > 0) & (F.col(off[name]) > _OUTLYING * TO_DEVIATION * spreads[name]),
                1.0,
            ).otherwise(0.0)
            for name in _RATIOS
        ),
    )
    peers = F.count("*").over(alike)
    return features.withColumns(distances).withColumn(
        "outlying_ratio_count_365d",
        F.when((peers >= _MIN_PEERS) & F.col("institution_type").isNotNull(), outlying),
    )
