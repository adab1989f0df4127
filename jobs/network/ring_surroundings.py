"""What doctors, counters and shops of rings are compared with, as of a date: everybody's main ones, everybody's boxes."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.gold.fact import FEE_FACT
from expectations.landing.inquiry import TRACE_SCAN
from expectations.landing.reference import PERSON
from features.boxes import sales_to_members
from jobs.lake.tables import Lake, rows_as_of
from jobs.network.account_inputs import visits_between

#: Side of an area in which neighbours live, degrees: about two kilometres.
_AREA = 0.02
#: An account has a main doctor or a main counter from so many visits on.
_MIN_VISITS = 3


def main_doctors(
    lake: Lake, as_of: date, days: int, members: DataFrame, used: DataFrame
) -> DataFrame:
    """Who billed drugs at half or more of an account's visits to an institution, of accounts with three there.

    A visit that two doctors billed counts for both.

    Args:
        lake: the lake.
        as_of: the date.
        days: before it.
        members: `member_id` of accounts in rings.
        used: `institution_id` of those that are looked at: the ones that rings used.

    Returns:
        `member_id` (null for everybody else, who are summed), `institution_id`, `doctor_id` (null if
        nobody), `accounts` (long).
    """
    visits = visits_between(lake, as_of, days).select(
        "settlement_id", "member_id", "institution_id"
    )
    since = as_of - timedelta(days=days)
    doctors = rows_as_of(lake.read(FEE_FACT), as_of).filter(
        F.col("doctor_id").isNotNull() & (F.col("service_month") >= f"{since:%Y-%m}")
    )
    billed = (
        visits.join(F.broadcast(used), on="institution_id", how="left_semi")
        .join(doctors.select("settlement_id", "doctor_id"), on="settlement_id", how="inner")
        .distinct()
    )
    return _counted(_mains(billed, "doctor_id", "institution_id"), "institution_id", members)


def main_counters(lake: Lake, as_of: date, days: int, members: DataFrame) -> DataFrame:
    """Where accounts have at least half of their visits, of accounts with three, by the area in which they live.

    Who has no known home is left out.

    Args:
        lake: the lake.
        as_of: the date.
        days: before it.
        members: `member_id` of accounts in rings; their areas are looked at.

    Returns:
        `member_id` (null for everybody else, who are summed), `area`, `institution_id` (null if nowhere),
        `accounts` (long).
    """
    people = lake.read_as_of_if_exists(PERSON.silver, as_of)
    homes = people.select("member_id", _area().alias("area")).filter("area IS NOT NULL")
    areas = homes.join(F.broadcast(members), on="member_id", how="left_semi").select("area")
    near = homes.join(F.broadcast(areas.distinct()), on="area", how="left_semi")
    mains = _mains(
        visits_between(lake, as_of, days).select("member_id", "institution_id"), "institution_id"
    )
    return _counted(mains.join(near, on="member_id", how="inner"), "area", members)


def boxes_sold(lake: Lake, as_of: date, days: int, members: DataFrame) -> DataFrame:
    """Boxes that were sold to members, by where, and where those of some accounts were sold again.

    Args:
        lake: the lake.
        as_of: the date.
        days: before it.
        members: `member_id` of accounts in rings.

    Returns:
        `member_id` (null for everybody else, who are summed), `institution_id`, `shop` (of accounts in rings; null
        for boxes that were not sold again), `boxes` (long), `resold` (long).
    """
    scans = lake.read_as_of_if_exists(TRACE_SCAN.silver, as_of)
    sold = _with_ringed(sales_to_members(scans, as_of, days), members)
    shop = F.when(F.col("is_resold") & F.col("ringed").isNotNull(), F.col("next.institution_id"))
    return (
        sold.groupBy("ringed", "institution_id", shop.alias("shop"))
        .agg(F.count("*").alias("boxes"), F.count_if("is_resold").alias("resold"))
        .withColumnRenamed("ringed", "member_id")
    )


def _mains(visits: DataFrame, what: str, *within: str) -> DataFrame:
    """What at least half of an account's visits have in common; null if nothing. One row per account and `within`."""
    by = ["member_id", *within]
    # In the order of accounts once, for both sums.
    counts = visits.repartition("member_id").groupBy(*by, what).agg(F.count("*").alias("visits"))
    most = F.max(F.struct("visits", what)).alias("most")
    is_main = 2 * F.col("most.visits") >= F.col("visits")
    return (
        counts.groupBy(*by)
        .agg(most, F.sum("visits").alias("visits"))
        .filter(F.col("visits") >= _MIN_VISITS)
        .select(*by, F.when(is_main, F.col(f"most.{what}")).alias(what))
    )


def _counted(mains: DataFrame, among: str, members: DataFrame) -> DataFrame:
    [what] = {*mains.columns} - {"member_id", among}
    return (
        _with_ringed(mains, members)
        .groupBy("ringed", among, what)
        .agg(F.count("*").alias("accounts"))
        .withColumnRenamed("ringed", "member_id")
    )


def _with_ringed(rows: DataFrame, members: DataFrame) -> DataFrame:
    """Rows with `ringed`: the account, if it is in a ring."""
    ringed = F.broadcast(members.withColumn("ringed", F.col("member_id")))
    return rows.join(ringed, on="member_id", how="left")


def _area() -> Column:
    """Cell of a grid in which a home lies; null if that is not known."""
    row, column = (
        # Adding zero turns -0.0 into 0.0.
        (F.rint(F.col(name) / _AREA) + F.lit(0.0)).cast("string")
        for name in ("home_latitude", "home_longitude")
    )
    return F.when(row.isNotNull() & column.isNotNull(), F.concat_ws("/", row, column))
