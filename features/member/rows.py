"""The input rows of member features, in Spark: facts and references as of a date."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from features.boxes import holder_sales
from features.days import possible_day
from features.member.frames import CARE_TYPES, HORIZON

#: Sharing of phones and proxies is looked at over so many days.
_SHARING_DAYS = 90


def visit_rows(visits: DataFrame, as_of: date) -> DataFrame:
    """Visits of the horizon for `MemberRows.visits`, with the `day` and `device` of `shared_rows`.

    Args:
        visits: gold.visit_fact as it stood as of the date.
        as_of: the date.
    """
    return _of_horizon(visits, as_of).select(
        "member_id",
        "settlement_id",
        F.when(F.col("is_refund"), F.col("original_settlement_id")).alias("original_settlement_id"),
        "is_refund",
        F.col("service_date").alias("day"),
        F.col("settlement_time").cast("timestamp_ntz").alias("time"),
        "institution_id",
        "visit_type",
        F.col("diagnosis_code").alias("diagnosis"),
        held_values("diagnoses", as_of).alias("diagnoses"),
        F.col("credential_type").alias("credential"),
        F.col("device_hash").alias("device"),
        F.array_min(held_values("proxies", as_of)).alias("proxy"),
        F.col("start_date").alias("start"),
        F.col("end_date").alias("end"),
        _cents("total_amount").alias("cents"),
        _cents("fund_amount").alias("fund_cents"),
    )


def fee_rows(fees: DataFrame, as_of: date) -> DataFrame:
    """Drugs, examinations and treatments of the horizon for `MemberRows.fees`.

    Other fees count only in the amounts of the visit. Fees of a stay may lie before its settlement.

    Args:
        fees: gold.fee_fact as it stood as of the date.
        as_of: the date.
    """
    is_looked_at = F.col("drug_id").isNotNull() | F.col("item_type").isin(*CARE_TYPES)
    return (
        _of_horizon(fees, as_of)
        .filter(is_looked_at)
        .select(
            "member_id",
            "settlement_id",
            F.col("service_date").alias("day"),
            "item_type",
            "drug_id",
            "doctor_id",
            F.col("quantity").cast("double").alias("quantity"),
            _cents("line_amount").alias("cents"),
            F.col("stated_supply_days").cast("double").alias("stated_days"),
            F.col("unstated_quantity").cast("double").alias("unstated_quantity"),
        )
    )


def person_rows(members: DataFrame) -> DataFrame:
    """What is known of members, from silver.person as of the date.

    A death or pause before birth, or in a year in which nobody was insured, is a placeholder; a pause before
    the first insured day is over. Somebody may be insured after death: that is what a ghost's account is.
    """
    return members.select(
        "member_id",
        possible_day("paused_from", "birth_date", "insured_from").alias("paused_from"),
        possible_day("death_date", "birth_date").alias("death_date"),
        # Beyond the globe it is a placeholder, or latitude and longitude are confused.
        F.when(F.abs("home_latitude") <= 90, F.col("home_latitude")).alias("latitude"),
        F.when(F.abs("home_longitude") <= 180, F.col("home_longitude")).alias("longitude"),
    )


def certificate_rows(certificates: DataFrame) -> DataFrame:
    """Certificates, from silver.special_cert as of the date."""
    return certificates.select(
        "member_id",
        "special_disease_code",
        "start_date",
        "end_date",
        F.col("annual_cap_amount").cast("double").alias("annual_cap"),
    )


def sale_rows(scans: DataFrame, as_of: date) -> DataFrame:
    """Boxes sold to members for `MemberRows.sales`.

    Args:
        scans: silver.trace_scan as of the date.
        as_of: the date.
    """
    sold = holder_sales(scans, as_of, HORIZON)
    gap = F.when(F.col("is_resold"), F.datediff("next.scan_time", "scan_time"))
    return sold.select(
        "member_id",
        "drug_id",
        F.to_date("scan_time").alias("day"),
        F.col("is_resold").alias("sold_again"),
        gap.cast("double").alias("gap_days"),
        "chance_ppb",
    )


def shared_rows(visits: DataFrame, members: DataFrame, as_of: date) -> DataFrame:
    """Accounts that share a phone or a proxy with each member, at most one row per kind and shared phone or proxy.

    Args:
        visits: rows of `visit_rows`.
        members: silver.person as of the date.
        as_of: the date.
    """
    # By the day as it is stored: files of other days are not opened.
    since = F.lit(as_of - timedelta(days=_SHARING_DAYS))
    things = F.explode(
        F.array(
            F.struct(F.lit("device").alias("kind"), F.col("device").alias("thing")),
            F.struct(F.lit("proxy").alias("kind"), F.col("proxy").alias("thing")),
        )
    )
    held = (
        visits.filter(
            (F.col("day") >= since) & (F.col("device").isNotNull() | F.col("proxy").isNotNull())
        )
        .select("member_id", things.alias("each"))
        .select("member_id", "each.kind", "each.thing")
        .filter(F.col("thing").isNotNull())
        .distinct()
    )
    homes = members.select("member_id", "household_id")
    # Nobody is kin to people of whom nothing is known.
    home = F.coalesce("household_id", "member_id").alias("household")
    by_thing = Window.partitionBy("kind", "thing")
    by_home = Window.partitionBy("kind", "thing", "household")
    return (
        held.join(homes, on="member_id", how="left")
        .select("member_id", "kind", "thing", home)
        .withColumn("accounts", F.count("*").over(by_thing).cast("int"))
        .withColumn("relatives", F.count("*").over(by_home).cast("int"))
        .filter(F.col("accounts") > 1)
        .select("member_id", "kind", "accounts", "relatives")
    )


def held_values(dated: str, as_of: date) -> Column:
    """The values of an array of visit_fact that held as of a date."""
    cut = F.lit(as_of.isoformat()).cast("timestamp")
    # Nearly always all of them held, which compiled code can tell; a filter's function is interpreted.
    latest, ended = F.array_max(f"{dated}.valid_from"), F.array_max(f"{dated}.valid_to")
    held = F.filter(
        dated,
        lambda each: (
            (each["valid_from"] < cut) & (each["valid_to"].isNull() | (each["valid_to"] >= cut))
        ),
    )
    some = F.transform(held, lambda each: each["value"])
    return F.when((latest < cut) & ended.isNull(), F.col(f"{dated}.value")).otherwise(some)


def _of_horizon(facts: DataFrame, as_of: date) -> DataFrame:
    first = as_of - timedelta(days=HORIZON)
    return facts.filter(
        (F.col("service_date") >= F.lit(first)) & (F.col("service_date") < F.lit(as_of))
    )


def _cents(amount: str) -> Column:
    # By way of doubles, which hold every number of cents up to 2^53: a product of decimals is an object.
    return F.rint(F.col(amount).cast("double") * 100).cast("long")
