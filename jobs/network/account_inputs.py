"""What links between accounts are computed from, as of a date: visits, things in use, people, places."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.codes import STAY
from expectations.landing.event import PROXY_PICKUP
from expectations.landing.reference import DRUG, INSTITUTION, PERSON
from features.clock import has_hour
from features.member.rows import held_values
from features.refunds import is_left, left_amount, signed
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake, rows_as_of


@dataclass(frozen=True)
class AccountInputs:
    """Frames with ids as numbers of 64 bits: they only have to be told apart.

    Attributes:
        visits: `member`, `place`, `day`, `minute` (null if only the day is known), `operator`, `value`, `visit`,
            one row per visit.
        taken: `member`, `drug` (an ingredient), `value` (resale value, yuan), one row per account and ingredient.
        held: `kind`, `thing`, `member`, `strength` (null), `share` (of the account's visits, where a proxy
            came; otherwise null): phones, proxies and their phones in use.
        members: `member`, `birth_day`, `household`, `address`, `lat`, `lon`, one row per person.
        places: `place`, `lat`, `lon`, one row per institution.
        names: `member`, `member_id`.
        settlements: `visit`, `settlement_id`.
    """

    visits: DataFrame
    taken: DataFrame
    held: DataFrame
    members: DataFrame
    places: pl.DataFrame
    names: DataFrame
    settlements: DataFrame


def meeting_facts(lake: Lake, as_of: date, days: int) -> DataFrame:
    """What `account_inputs` reads of the visits of the days before a date.

    Raises:
        DataRefused: when the facts have not been built.
    """
    return visits_between(lake, as_of, days).select(
        *("settlement_id", "member_id", "institution_id", "service_date", "settlement_time"),
        *("operator_id", "device_hash"),
        held_values("proxies", as_of).alias("proxies"),
    )


def account_inputs(lake: Lake, facts: DataFrame, as_of: date, days: int) -> AccountInputs:
    """What links need of the days before a date.

    Args:
        lake: the lake.
        facts: from `meeting_facts`; they are read several times.
        as_of: the date.
        days: before it.
    """
    visits = with_value(lake, facts, as_of, days).select(
        _number("member_id").alias("member"),
        _number("institution_id").alias("place"),
        F.unix_date("service_date").alias("day"),
        F.when(
            has_hour(F.col("settlement_time")),
            F.hour("settlement_time") * 60 + F.minute("settlement_time"),
        ).alias("minute"),
        F.when(F.col("operator_id").isNotNull(), F.xxhash64("institution_id", "operator_id")).alias(
            "operator"
        ),
        F.coalesce("value", F.lit(0.0)).alias("value"),
        _number("settlement_id").alias("visit"),
    )
    people = lake.read_as_of_if_exists(PERSON.silver, as_of)
    members = people.select(
        _number("member_id").alias("member"),
        F.unix_date("birth_date").alias("birth_day"),
        _number("household_id").alias("household"),
        _number("address_hash").alias("address"),
        F.col("home_latitude").alias("lat"),
        F.col("home_longitude").alias("lon"),
    )
    places = to_polars(
        lake.read_as_of_if_exists(INSTITUTION.silver, as_of).select(
            _number("institution_id").alias("place"),
            F.col("latitude").alias("lat"),
            F.col("longitude").alias("lon"),
        )
    )
    return AccountInputs(
        visits=visits,
        taken=_taken(lake, as_of, days),
        held=_held(lake, facts, people, as_of),
        members=members,
        places=places.sort("place"),
        names=facts.select("member_id").distinct().withColumn("member", _number("member_id")),
        settlements=facts.select(_number("settlement_id").alias("visit"), "settlement_id"),
    )


def visits_between(lake: Lake, as_of: date, days: int) -> DataFrame:
    """Visits of the days before a date, as they stood, with the amounts that refunds leave.

    Without stays, which are no meetings at a counter, without refunds, and without what refunds leave nothing
    of (`features.refunds`).
    """
    facts = rows_as_of(lake.read(VISIT_FACT), as_of)
    refunds = (
        facts.filter("is_refund")
        .groupBy(F.col("original_settlement_id").alias("settlement_id"))
        .agg(F.sum("total_amount").alias("refunded"), F.sum("fund_amount").alias("fund_refunded"))
    )
    visits = facts.filter(
        ~F.col("is_refund")
        & ~F.col("visit_type").eqNullSafe(STAY)
        & _is_between(as_of - timedelta(days=days), as_of)
    )
    return (
        visits.join(refunds, on="settlement_id", how="left")
        .filter(is_left(F.col("total_amount"), F.col("refunded")))
        .withColumn("total_amount", left_amount(F.col("total_amount"), F.col("refunded")))
        .withColumn("fund_amount", left_amount(F.col("fund_amount"), F.col("fund_refunded")))
        .drop("refunded", "fund_refunded")
    )


def drug_fees_between(lake: Lake, as_of: date, days: int) -> DataFrame:
    """Fees for drugs of the days before a date, as they stood; see `_after_refunds`."""
    return _after_refunds(_drug_fees(lake, as_of, days), lake, as_of)


def with_value(
    lake: Lake, visits: DataFrame, as_of: date, days: int, members: DataFrame | None = None
) -> DataFrame:
    """Visits with the resale value of what they took: list amounts of chronic drugs by their resale ratio.

    Args:
        lake: the lake.
        visits: from `visits_between`.
        as_of: the date.
        days: before it.
        members: `member_id` of the few accounts whose visits these are; None for all.
    """
    fees = _resold_fees(lake, as_of, days)
    if members is not None:
        fees = fees.join(F.broadcast(members), on="member_id", how="left_semi")
    value = fees.groupBy("settlement_id").agg(_value().alias("value"))
    return visits.join(value, on="settlement_id", how="left")


def _taken(lake: Lake, as_of: date, days: int) -> DataFrame:
    """What each account took of each ingredient that is resold; a refund takes away what it gave back."""
    fees = _resold_fees(lake, as_of, days)
    return (
        fees.groupBy("member_id", "ingredient")
        .agg(_value().alias("value"))
        .select(_number("member_id").alias("member"), _number("ingredient").alias("drug"), "value")
    )


def _resold_fees(lake: Lake, as_of: date, days: int) -> DataFrame:
    """`drug_fees_between` of chronic drugs that are resold, with `resale_ratio` and `ingredient`."""
    drugs = (
        lake.read_as_of_if_exists(DRUG.silver, as_of)
        .filter("is_chronic AND resale_ratio > 0")
        .select("drug_id", "resale_ratio", F.coalesce("ingredient", "drug_id").alias("ingredient"))
    )
    fees = _drug_fees(lake, as_of, days).join(F.broadcast(drugs), on="drug_id", how="inner")
    # Only now: a tenth of the fees meets the refunds.
    return _after_refunds(fees, lake, as_of)


def _drug_fees(lake: Lake, as_of: date, days: int) -> DataFrame:
    return rows_as_of(lake.read(FEE_FACT), as_of).filter(
        F.col("drug_id").isNotNull() & _is_between(as_of - timedelta(days=days), as_of)
    )


def _after_refunds(fees: DataFrame, lake: Lake, as_of: date) -> DataFrame:
    """Fees; those of a refund are of the settlement that it reverses, and take back from it."""
    refunds = (
        rows_as_of(lake.read(VISIT_FACT), as_of)
        .filter("is_refund")
        .select("settlement_id", "is_refund", "original_settlement_id")
    )
    taken_back = {
        name: signed(F.col(name), F.col("is_refund")) for name in ("quantity", "line_amount")
    }
    return (
        fees.join(refunds, on="settlement_id", how="left")
        .withColumns(taken_back)
        .withColumn("settlement_id", F.coalesce("original_settlement_id", "settlement_id"))
        .drop("is_refund", "original_settlement_id")
    )


def _is_between(since: date, until: date) -> Column:
    """Whether a fact's day is in [since, until); by month too, as facts are partitioned by it."""
    return (
        (F.col("service_month") >= f"{since:%Y-%m}")
        & (F.col("service_date") >= F.lit(since))
        & (F.col("service_date") < F.lit(until))
    )


def _value() -> Column:
    """The resale value of fees, yuan."""
    # Whole tenths of a fen: a sum of doubles would depend on the order of its rows.
    worth = F.rint(F.col("line_amount").cast("double") * F.col("resale_ratio") * 1000)
    return F.greatest(F.sum(worth.cast("long")), F.lit(0)) / 1000


def _held(lake: Lake, visits: DataFrame, people: DataFrame, as_of: date) -> DataFrame:
    """Who uses which phone or proxy, one row per kind, thing and account."""
    devices = _thing("device", "device_hash", visits.filter("device_hash IS NOT NULL"))
    held = devices.unionByName(_thing("proxy", "proxy", _proxies(visits), F.col("share")))
    pickups = (
        lake.read_as_of_if_exists(PROXY_PICKUP.silver, as_of)
        .filter("proxy_phone_hash IS NOT NULL")
        .join(visits.select("settlement_id", "member_id"), on="settlement_id", how="inner")
    )
    held = held.unionByName(_thing("proxy_phone", "proxy_phone_hash", pickups))
    phones = people.filter("phone_hash IS NOT NULL")
    return held.unionByName(_thing("phone", "phone_hash", phones)).distinct()


def _proxies(visits: DataFrame) -> DataFrame:
    """`member_id`, `proxy`, `share` of the account's visits at which the proxy came."""
    carried = visits.select("member_id", "settlement_id", F.explode("proxies").alias("proxy"))
    by_proxy = (
        carried.filter("proxy IS NOT NULL")
        .groupBy("member_id", "proxy")
        .agg(F.count_distinct("settlement_id").alias("carried"))
    )
    totals = visits.groupBy("member_id").agg(F.count("*").alias("visits"))
    return by_proxy.join(totals, on="member_id", how="inner").withColumn(
        "share", F.col("carried") / F.col("visits")
    )


def _thing(kind: str, column: str, rows: DataFrame, share: Column | None = None) -> DataFrame:
    return rows.select(
        F.lit(kind).alias("kind"),
        _number(column).alias("thing"),
        _number("member_id").alias("member"),
        F.lit(None).cast("double").alias("strength"),
        (F.lit(None) if share is None else share).cast("double").alias("share"),
    )


def _number(column: str) -> Column:
    return F.when(F.col(column).isNotNull(), F.xxhash64(column))
