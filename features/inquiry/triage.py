"""Parcels, clues and boxes that came up in another province, by account: for triage by people only."""

from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.gold.triage import TRIAGE_FEATURES
from expectations.landing.codes import STAY
from features.boxes import holder_sales
from features.member.frames import HORIZON
from features.provinces import province_of

#: A phone or address of more accounts than this, a dormitory's, says nothing about one of them.
MAX_SHARERS = 20
_HALF, _QUARTER, _YEAR = 180, 90, 365
_HOURS_AFTER = 72
_DISPENSERS = ("pharmacy", "clinic")
#: What drugs were shipped as: tea and clothes in the police's reports, food beside them.
_OTHER_GOODS = r"(?i)茶|衣|食品|tea|clothes|food"


@dataclass(frozen=True)
class Holders:
    """The accounts of each phone and address.

    Args:
        owned: `member_id, kind, hash`; `kind` is phone or address.
        crowded: `kind, hash` of more than `MAX_SHARERS` accounts, which are left out of `owned`.
    """

    owned: DataFrame
    crowded: DataFrame


def holders(members: DataFrame) -> Holders:
    """Phones and addresses with their accounts, unless too many accounts share them.

    Args:
        members: silver.person as of the date.
    """
    each = F.explode(
        F.array(
            F.struct(F.lit("phone").alias("kind"), F.col("phone_hash").alias("hash")),
            F.struct(F.lit("address").alias("kind"), F.col("address_hash").alias("hash")),
        )
    )
    known = members.select("member_id", each.alias("each")).select("member_id", "each.*")
    known = known.filter(F.col("hash").isNotNull())
    by_hash = Window.partitionBy("kind", "hash")
    counted = known.withColumn("sharers", F.count("*").over(by_hash))
    is_crowded = F.col("sharers") > MAX_SHARERS
    return Holders(
        counted.filter(~is_crowded).drop("sharers"),
        counted.filter(is_crowded).select("kind", "hash").distinct(),
    )


def parcels_sent(parcels: DataFrame, legal_basis_id: str, as_of: date) -> DataFrame:
    """Parcels of the last 180 days under a legal basis, with their senders; one row per kind and waybill.

    Args:
        parcels: silver.parcel as of the date.
        legal_basis_id: the warrant or request; parcels obtained under any other are left out.
        as_of: the date.
    """
    sender = F.explode(
        F.array(
            F.struct(F.lit("phone").alias("kind"), F.col("sender_phone_hash").alias("hash")),
            F.struct(F.lit("address").alias("kind"), F.col("sender_address_hash").alias("hash")),
        )
    )
    days = F.datediff(F.lit(as_of), "send_time")
    return (
        parcels.filter((F.col("legal_basis_id") == legal_basis_id) & days.between(1, _HALF))
        .select(
            "waybill_id",
            "send_time",
            days.alias("ago"),
            "weight_kg",
            F.coalesce(F.col("receiver_address_type").isin(*_DISPENSERS), F.lit(False)).alias(
                "is_to_dispenser"
            ),
            F.coalesce("is_cold_pack", F.lit(False)).alias("is_cold"),
            F.coalesce(F.col("declared_goods").rlike(_OTHER_GOODS), F.lit(False)).alias("is_other"),
            sender.alias("sender"),
        )
        .select("*", "sender.*")
        .drop("sender")
        .filter(F.col("hash").isNotNull())
    )


def crowded_parcels(sent: DataFrame, holders: Holders) -> DataFrame:
    """Waybills without an account because too many accounts share the phone or address; one row each."""
    owned = sent.join(holders.owned, on=["kind", "hash"], how="left_semi").select("waybill_id")
    return (
        sent.join(holders.crowded, on=["kind", "hash"], how="left_semi")
        .select("waybill_id")
        .distinct()
        .join(owned, on="waybill_id", how="left_anti")
    )


def pickups(visits: DataFrame, fees: DataFrame) -> DataFrame:
    """Drug visits with their boxes, without stays and refunds; one row per settlement_id.

    Args:
        visits: gold.visit_fact as it stood as of the date.
        fees: gold.fee_fact as it stood then.
    """
    boxes = (
        fees.filter(F.col("drug_id").isNotNull())
        .groupBy("settlement_id")
        .agg(F.sum("quantity").cast("double").alias("boxes"))
    )
    is_stay = F.col("visit_type").eqNullSafe(STAY)
    return (
        visits.filter(~F.col("is_refund") & ~is_stay)
        .join(boxes, on="settlement_id", how="inner")
        .select("settlement_id", "member_id", "settlement_time", "boxes")
    )


def triage_features(
    sent: DataFrame,
    holders: Holders,
    collected: DataFrame,
    clues: DataFrame,
    scans: DataFrame,
    institutions: DataFrame,
    as_of: date,
) -> DataFrame:
    """Compute `TRIAGE_FEATURES`, one row per member_id with a parcel, a clue or a box seen elsewhere.

    Args:
        sent: from `parcels_sent`.
        holders: from `holders`.
        collected: from `pickups`.
        clues: silver.clue as of the date.
        scans: silver.trace_scan as of the date.
        institutions: silver.institution as of the date.
        as_of: the date.
    """
    owned = sent.join(holders.owned, on=["kind", "hash"], how="inner")
    linked = owned.drop("kind", "hash").distinct()
    parts = [
        _parcels(_after_pickups(linked, collected)),
        _clue_weights(clues, holders, as_of),
        _resold_elsewhere(scans, institutions, as_of),
    ]
    features = reduce(lambda left, right: left.join(right, on="member_id", how="full"), parts)
    return features.select("member_id", *(each.name for each in TRIAGE_FEATURES))


def _after_pickups(linked: DataFrame, collected: DataFrame) -> DataFrame:
    """Add the drug visit that a parcel followed within 72 hours, if any: `pickup, boxes`.

    Visits and parcels of a member are sorted together and the last visit is carried forward, so no pairs
    are made. At the same moment the visit comes before the parcel.
    """
    events = linked.withColumn("time", F.col("send_time")).unionByName(
        collected.join(linked.select("member_id").distinct(), on="member_id", how="left_semi")
        .withColumnRenamed("settlement_time", "time")
        .withColumn("visit", F.struct("time", "settlement_id", "boxes"))
        .drop("settlement_id", "boxes"),
        allowMissingColumns=True,
    )
    order = Window.partitionBy("member_id").orderBy(
        "time", F.col("visit").isNull(), "visit.settlement_id", "waybill_id"
    )
    so_far = order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    last = F.last("visit", ignorenulls=True).over(so_far)
    seconds = F.unix_timestamp("time") - F.unix_timestamp("last.time")
    is_after = seconds <= _HOURS_AFTER * 3600
    return (
        events.withColumn("last", last)
        .filter(F.col("waybill_id").isNotNull())
        .withColumns(
            {
                "pickup": F.when(is_after, F.col("last.settlement_id")),
                "boxes": F.when(is_after, F.col("last.boxes")),
            }
        )
        .drop("visit", "last", "time")
    )


def _parcels(linked: DataFrame) -> DataFrame:
    recent = F.col("ago") <= _QUARTER
    is_after = F.col("pickup").isNotNull()
    # Several parcels may follow one visit; its boxes count once.
    visits = F.sort_array(F.collect_set(F.when(recent, F.struct("pickup", "boxes"))))
    boxes = F.aggregate(
        F.filter(visits, lambda each: each["pickup"].isNotNull()),
        F.lit(0.0),
        lambda total, each: total + each["boxes"],
    )
    # Doubles are added in their order, not in that of the rows: their last bits depend on it.
    weights = F.sort_array(F.collect_list(F.when(recent & is_after, F.col("weight_kg"))))
    weight = F.when(
        F.size(weights) > 0, F.aggregate(weights, F.lit(0.0), lambda total, each: total + each)
    )
    is_drug_linked = F.col("is_to_dispenser") | F.col("is_cold") | is_after
    return linked.groupBy("member_id").agg(
        F.count("*").cast("double").alias("parcel_count_180d"),
        _count(recent & is_after).alias("parcel_after_pickup_count_90d"),
        F.when(boxes > 0, weight / boxes).alias("parcel_kg_per_box_90d"),
        F.avg(F.col("is_to_dispenser").cast("double")).alias("parcel_to_pharmacy_share_180d"),
        _count(F.col("is_other") & is_drug_linked).alias("parcel_other_goods_count_180d"),
    )


def _clue_weights(clues: DataFrame, holders: Holders, as_of: date) -> DataFrame:
    right = F.count_if(F.col("is_verified"))
    checked = F.count("is_verified")
    # One right and one wrong added: a channel of which nothing is known weighs a half.
    rates = clues.groupBy("channel").agg(((right + 1) / (checked + 2)).alias("rate"))
    days = F.datediff(F.lit(as_of), "receive_time")
    heard = (
        clues.filter(days.between(1, _YEAR) & ~F.col("is_verified").eqNullSafe(F.lit(False)))
        .join(F.broadcast(rates), on=clues["channel"].eqNullSafe(rates["channel"]), how="inner")
        .select("clue_id", "subject_type", "subject_id", "rate")
    )
    of_members = heard.filter(F.col("subject_type") == "person").withColumnRenamed(
        "subject_id", "member_id"
    )
    of_things = heard.join(
        holders.owned.withColumnsRenamed({"kind": "subject_type", "hash": "subject_id"}),
        on=["subject_type", "subject_id"],
        how="inner",
    )
    columns = ["member_id", "clue_id", "rate"]
    both = of_members.select(columns).union(of_things.select(columns))
    rate = F.col("rate").cast("decimal(18,12)")
    return (
        both.filter(F.col("member_id").isNotNull())
        .groupBy("member_id")
        .agg(F.round(F.sum(rate).cast("double"), 6).alias("clue_weight_365d"))
    )


def _resold_elsewhere(scans: DataFrame, institutions: DataFrame, as_of: date) -> DataFrame:
    def provinces(name: str) -> DataFrame:
        return institutions.select(
            F.col("institution_id").alias(name),
            province_of("district").alias(f"{name}_province"),
        )

    sold = (
        holder_sales(scans, as_of, HORIZON)
        .filter("is_resold")
        .withColumn("next_institution_id", F.col("next.institution_id"))
    )
    return (
        sold.join(provinces("institution_id"), on="institution_id", how="inner")
        .join(provinces("next_institution_id"), on="next_institution_id", how="inner")
        .filter(F.col("institution_id_province") != F.col("next_institution_id_province"))
        .groupBy("member_id")
        .agg(F.count("*").cast("double").alias("resold_elsewhere_box_count_365d"))
    )


def _count(condition: Column) -> Column:
    return F.count_if(condition).cast("double")
