"""What rings are found in, as of a date: links that passed, and who carries whom."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import MEMBER_FEATURE
from expectations.gold.ring import ACCOUNT_LINK
from expectations.landing.event import PROXY_PICKUP
from expectations.landing.reference import PERSON
from features.member.rows import held_values
from jobs.lake.tables import Lake
from jobs.network.account_inputs import visits_between, with_value

#: Visits that one operator or phone has to serve of an account before it counts as its carrier.
_MIN_SERVED = 2


def links_of(lake: Lake, as_of: date) -> DataFrame:
    """Links as of a day.

    Raises:
        DataRefused: when they have not been built.
    """
    lake.read(ACCOUNT_LINK)
    return lake.read(ACCOUNT_LINK).filter(F.col("as_of_date") == F.lit(as_of))


def households(lake: Lake, as_of: date, members: DataFrame) -> DataFrame:
    """Household of some members, one row per `member_id` that has one."""
    people = lake.read_as_of_if_exists(PERSON.silver, as_of).select("member_id", "household_id")
    return people.filter("household_id IS NOT NULL").join(
        F.broadcast(members), on="member_id", how="left_semi"
    )


def losses(lake: Lake, as_of: date, members: DataFrame) -> DataFrame:
    """`member_id`, `loss`: the fund's part of what was dispensed beyond own use in a year, yuan."""
    features = lake.read_day(MEMBER_FEATURE, as_of)
    return features.join(F.broadcast(members), on="member_id", how="left_semi").select(
        "member_id", F.coalesce("excess_fund_sum_365d", F.lit(0.0)).alias("loss")
    )


def visits_of(lake: Lake, as_of: date, days: int, members: DataFrame) -> DataFrame:
    """`visits_between` of some members: a small part of all, to be kept where it is read several times."""
    return visits_between(lake, as_of, days).join(
        F.broadcast(members), on="member_id", how="left_semi"
    )


def carriers(lake: Lake, as_of: date, visits: DataFrame) -> DataFrame:
    """Who carries some accounts, one row per account, kind and carrier.

    A proxy, or the owner of a proxy's phone, who is insured here is a `member`; a phone that showed
    vouchers is a `phone`; an operator who served an account twice and more is an `operator`.

    Args:
        lake: the lake.
        as_of: the date.
        visits: of these accounts, as `visits_between` has them.

    Returns:
        `member_id`, `carrier_kind`, `carrier`, `visits` (long), `places` (long).
    """
    people = lake.read_as_of_if_exists(PERSON.silver, as_of)
    proxies = visits.select(
        "member_id",
        "settlement_id",
        "institution_id",
        F.explode(held_values("proxies", as_of)).alias("cert_hash"),
    )
    by_paper = people.filter("cert_hash IS NOT NULL").select(
        "cert_hash", F.col("member_id").alias("carrier")
    )
    pickups = lake.read_as_of_if_exists(PROXY_PICKUP.silver, as_of).filter(
        "proxy_phone_hash IS NOT NULL"
    )
    phones = visits.select("settlement_id", "member_id", "institution_id").join(
        pickups, on="settlement_id", how="inner"
    )
    by_phone = people.filter("phone_hash IS NOT NULL").select(
        F.col("phone_hash").alias("proxy_phone_hash"), F.col("member_id").alias("carrier")
    )
    owners = proxies.join(by_paper, on="cert_hash", how="inner").select(
        "member_id", "carrier", "settlement_id", "institution_id"
    )
    callers = phones.join(by_phone, on="proxy_phone_hash", how="inner").select(
        "member_id", "carrier", "settlement_id", "institution_id"
    )
    both = owners.unionByName(callers).filter("carrier != member_id").distinct()
    found = _carried(both, "member", F.col("carrier"), 1)
    devices = visits.filter("device_hash IS NOT NULL")
    found = found.unionByName(_carried(devices, "phone", F.col("device_hash"), 1))
    operators = visits.filter("operator_id IS NOT NULL")
    name = F.concat_ws("/", "institution_id", "operator_id")
    return found.unionByName(_carried(operators, "operator", name, _MIN_SERVED))


def places_of(visits: DataFrame) -> DataFrame:
    """Visits by account and institution: `member_id`, `institution_id`, `visits`."""
    return visits.groupBy("member_id", "institution_id").agg(F.count("*").alias("visits"))


def months_of_use(
    lake: Lake, as_of: date, days: int, visits: DataFrame, members: DataFrame
) -> DataFrame:
    """Months in which some members took drugs that are resold: `member_id`, `month` since the year 0.

    Args:
        lake: the lake.
        as_of: the date.
        days: before it.
        visits: of these members, from `visits_of`.
        members: `member_id`.
    """
    month = F.year("service_date") * 12 + F.month("service_date") - 1
    return (
        with_value(lake, visits, as_of, days, members)
        .filter("value > 0")
        .select("member_id", month.cast("long").alias("month"))
        .distinct()
    )


def kin_links(links: DataFrame, members: DataFrame, pass_probability: float) -> DataFrame:
    """Links of some members to kin of whom they are as sure as of a link that passes.

    Args:
        links: gold.account_link of a date.
        members: `member_id` of all accounts in rings: kin among them is left out.
        pass_probability: `account_links.pass_probability`.

    Returns:
        `member_id`, `kin`.
    """
    sure = links.filter(F.col("is_kin") & (F.col("probability") >= pass_probability))
    ends = sure.select(F.col("src").alias("member_id"), F.col("dst").alias("kin")).unionByName(
        sure.select(F.col("dst").alias("member_id"), F.col("src").alias("kin"))
    )
    outside = ends.join(
        F.broadcast(members.withColumnRenamed("member_id", "kin")), on="kin", how="left_anti"
    )
    return outside.join(F.broadcast(members), on="member_id", how="left_semi")


def _carried(rows: DataFrame, kind: str, carrier: Column, least: int) -> DataFrame:
    return (
        rows.groupBy("member_id", F.lit(kind).alias("carrier_kind"), carrier.alias("carrier"))
        .agg(
            F.count_distinct("settlement_id").alias("visits"),
            F.count_distinct("institution_id").alias("places"),
        )
        .filter(F.col("visits") >= least)
    )
