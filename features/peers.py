"""Who a member is compared with, and what is usual among them."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

#: Smaller groups say little about the hundredth highest of a hundred: a coarser one is taken.
MIN_PEERS = 1000
_BAND_YEARS = 20
_OLDEST_BAND = 4
#: Between the parts of a group's name, the widest first.
_BETWEEN = ", "
#: The quantiles that are kept of each feature.
MEDIAN, HIGH = 0.5, 0.99


def peer_groups(members: DataFrame, certified: DataFrame, as_of: date) -> DataFrame:
    """Give every member a group of peers, one row per member_id of `certified`.

    Peers agree in whether they hold a special-disease certificate, in age band, sex and district. A
    group of fewer than `MIN_PEERS` drops the district, then sex, then the age. Those whom this leaves in
    a wider group may be few themselves: see `_counted_in`.

    Args:
        members: silver.person as of the date.
        certified: `member_id, has_certificate` of the members that have features.
        as_of: the date.
    """
    years = F.floor(F.datediff(F.lit(as_of), "birth_date") / (365.25 * _BAND_YEARS))
    # `least` skips what is empty: people of unknown age would be the oldest.
    known_band = F.when(years.isNotNull(), F.least(years, F.lit(_OLDEST_BAND)))
    band = F.coalesce(known_band.cast("string"), F.lit("unknown"))
    known = members.select(
        "member_id",
        F.concat(F.lit("age "), band).alias("age"),
        F.concat(F.lit("sex "), F.coalesce("sex", F.lit("9"))).alias("sex"),
        F.concat(F.lit("district "), F.coalesce("district", F.lit("unknown"))).alias("place"),
    )
    held = F.when(F.col("has_certificate") > 0, "certificate").otherwise("no certificate")
    rows = certified.select("member_id", held.alias("held")).join(known, on="member_id", how="left")
    columns = ["held", "age", "sex", "place"]
    levels = [F.concat_ws(_BETWEEN, *columns[:size]) for size in range(4, 0, -1)]
    sizes = rows.groupBy(*columns).agg(F.count("*").alias("n"))
    # From one line for each combination, few whatever the province, to the size of each level.
    sized = [
        F.sum("n").over(Window.partitionBy(*columns[:size])).alias(f"n_{size}")
        for size in range(4, 0, -1)
    ]
    chosen = sizes.select(*columns, *sized)
    group = levels[-1]
    for size in range(2, 5):
        group = F.when(F.col(f"n_{size}") >= MIN_PEERS, levels[4 - size]).otherwise(group)
    lookup = chosen.select(*columns, group.alias("peer_group"))
    keys = [rows[name].eqNullSafe(lookup[name]) for name in columns]
    return rows.join(F.broadcast(lookup), keys, how="left").select(rows["member_id"], "peer_group")


def peer_statistics(features: DataFrame, names: Sequence[str]) -> DataFrame:
    """Median and 99th percentile of features among peers, one row per peer_group and feature.

    A group of fewer than `MIN_PEERS` takes in all members whose groups are within it.

    Values are cut to three digits first and an empty one counts as 0, so that few distinct values
    have to be held and the result does not depend on the order of rows.

    Args:
        features: `peer_group` and the named features.
        names: which.
    """
    features = _counted_in(features.select("peer_group", *names))
    wanted = F.array(F.lit(MEDIAN), F.lit(HIGH))
    quantiles = [F.percentile(three_digits(name), wanted).alias(name) for name in names]
    by_group = features.groupBy("peer_group").agg(F.count("*").alias("peers"), *quantiles)
    one = [
        F.struct(
            F.lit(name).alias("feature"),
            F.col(name)[0].alias("median"),
            F.col(name)[1].alias("high"),
        )
        for name in names
    ]
    return by_group.select("peer_group", "peers", F.explode(F.array(*one)).alias("one")).select(
        "peer_group", "peers", "one.*"
    )


def fund_percentiles(features: DataFrame) -> DataFrame:
    """Share of peers whose drug_fund_sum_365d is no higher, by `peer_group` and `amount` in three digits."""
    counts = (
        _counted_in(features.select("peer_group", "drug_fund_sum_365d"))
        .withColumn("amount", three_digits("drug_fund_sum_365d"))
        .groupBy("peer_group", "amount")
        .agg(F.count("*").alias("n"))
    )
    group = Window.partitionBy("peer_group")
    up_to = group.orderBy("amount").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return counts.select(
        "peer_group",
        "amount",
        (F.sum("n").over(up_to) / F.sum("n").over(group)).alias("drug_fund_percentile_365d"),
    )


def _counted_in(features: DataFrame) -> DataFrame:
    """A row for every group in whose statistics a member counts: its own, and wider ones of few members.

    The leftovers of narrower groups may be a handful (the people of unknown sex, those of a small
    district), and a handful says nothing about what is high. What a group is within, its name begins with.
    """
    few = (
        features.groupBy("peer_group")
        .count()
        .filter(F.col("count") < MIN_PEERS)
        .agg(F.collect_set("peer_group").alias("few"))
    )
    parts = F.split("peer_group", _BETWEEN)
    around = F.transform(
        F.sequence(F.lit(1), F.size(parts)),
        lambda size: F.array_join(F.slice(parts, F.lit(1), size), _BETWEEN),
    )
    wider = F.filter(around, lambda name: F.array_contains("few", name))
    groups = F.array_union(F.array("peer_group"), wider)
    return (
        features.crossJoin(F.broadcast(few)).withColumn("peer_group", F.explode(groups)).drop("few")
    )


def three_digits(name: str) -> Column:
    """A value cut to its first three digits; empty and negative ones are 0."""
    value = F.coalesce(name, F.lit(0.0))
    # Divided at the end: 700 thousandths are then the 0.7 that they came from.
    scale = F.pow(F.lit(10.0), 2 - F.floor(F.log10(value)))
    return F.when(value > 0, F.floor(value * scale) / scale).otherwise(0.0)
