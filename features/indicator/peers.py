"""Peers of a member, and the usual values among them."""

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
#: The quantiles that are kept of each feature, by the column of gold.peer_statistic.
QUANTILES = {"median": 0.5, "upper": 0.9, "high": 0.99, "extreme": 0.999}


def peer_groups(members: DataFrame, certified: DataFrame, as_of: date) -> DataFrame:
    """Give every member a group of peers, one row per member_id of `certified`.

    Peers have the same age band, sex and district, and all or none of them hold a special-disease
    certificate. A group of fewer than `MIN_PEERS` drops the district, then sex, then age. Few members may
    be left over in a wider group: see `_of_whole_groups`.

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
    return rows.join(F.broadcast(lookup), on=keys, how="left").select(
        rows["member_id"], "peer_group"
    )


def peer_statistics(features: DataFrame, names: Sequence[str]) -> DataFrame:
    """`QUANTILES` of features among peers, one row per peer_group and feature.

    A group of fewer than `MIN_PEERS` uses all members whose groups are within it.

    Values are first cut to three digits, and null counts as 0. There are then few distinct values to count,
    and the result does not depend on the order of rows. Quantiles between two ranks are interpolated.

    Args:
        features: `peer_group` and the named features.
        names: the features.
    """
    sizes = features.groupBy("peer_group").agg(F.count("*").alias("n"))
    peers = _of_whole_groups(sizes, sizes).withColumnRenamed("n", "peers")
    # Most values are 0: those are what the others leave.
    own = (
        features.select("peer_group", F.posexplode(F.array(*names)).alias("place", "value"))
        .filter(F.col("value") > 0)
        .groupBy("peer_group", "place", three_digits("value").alias("value"))
        .agg(F.count("*").alias("n"))
    )
    counts = _of_whole_groups(own, sizes)
    of_one = Window.partitionBy("peer_group", "place")
    up_to = of_one.orderBy("value").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    ranked = (
        counts.withColumns({"up_to": F.sum("n").over(up_to), "others": F.sum("n").over(of_one)})
        .join(F.broadcast(peers), on="peer_group", how="inner")
        .withColumn("zeros", F.col("peers") - F.col("others"))
    )
    found = ranked.groupBy("peer_group", "place").agg(
        *(_quantile(part).alias(name) for name, part in QUANTILES.items())
    )
    places = F.posexplode(F.array(*(F.lit(name) for name in names))).alias("place", "feature")
    return (
        peers.select("peer_group", "peers", places)
        .join(found, on=["peer_group", "place"], how="left")
        .select(
            "peer_group",
            "peers",
            "feature",
            *(F.coalesce(name, F.lit(0.0)).alias(name) for name in QUANTILES),
        )
    )


def _quantile(part: float) -> Column:
    """A quantile of a group: it has `zeros` zeros, and `up_to` rows at or below each `value`."""
    rank = (F.col("peers") - 1) * F.lit(part)
    below, above = (
        F.min(
            F.when(whole < F.col("zeros"), 0.0).when(
                whole < F.col("zeros") + F.col("up_to"), F.col("value")
            )
        )
        for whole in (F.floor(rank), F.ceil(rank))
    )
    return below + F.max(rank - F.floor(rank)) * (above - below)


def fund_percentiles(features: DataFrame) -> DataFrame:
    """Share of peers whose drug_fund_sum_365d is no higher, by `peer_group` and `amount` in three digits."""
    own = features.groupBy("peer_group", three_digits("drug_fund_sum_365d").alias("amount")).agg(
        F.count("*").alias("n")
    )
    counts = _of_whole_groups(own, own.groupBy("peer_group").agg(F.sum("n").alias("n")))
    group = Window.partitionBy("peer_group")
    up_to = group.orderBy("amount").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return counts.select(
        "peer_group",
        "amount",
        (F.sum("n").over(up_to) / F.sum("n").over(group)).alias("drug_fund_percentile_365d"),
    )


def _of_whole_groups(counts: DataFrame, sizes: DataFrame) -> DataFrame:
    """Counts by group, increased to the counts of all members that each small group describes.

    A member counts in the statistics of its own group and of wider groups with few members. Small leftover
    groups (people of unknown sex, of a small district) use the statistics of the wider group, because a few
    people do not show which values are high. A group's name begins with the name of the wider group.

    Args:
        counts: `peer_group`, the columns of the counted value, and `n`.
        sizes: `peer_group, n`: the members of each group.
    """
    few = sizes.filter(F.col("n") < MIN_PEERS).agg(F.collect_set("peer_group").alias("few"))
    parts = F.split("peer_group", _BETWEEN)
    around = F.transform(
        F.sequence(F.lit(1), F.size(parts)),
        lambda size: F.array_join(F.slice(parts, F.lit(1), size), _BETWEEN),
    )
    wider = F.filter(around, lambda name: F.array_contains("few", name))
    groups = F.array_union(F.array("peer_group"), wider)
    counted_in = sizes.crossJoin(F.broadcast(few)).select(
        "peer_group", F.explode(groups).alias("counted_in")
    )
    keys = [name for name in counts.columns if name not in ("peer_group", "n")]
    return (
        counts.join(F.broadcast(counted_in), on="peer_group", how="inner")
        .withColumn("peer_group", F.col("counted_in"))
        .groupBy("peer_group", *keys)
        .agg(F.sum("n").alias("n"))
    )


def three_digits(name: str) -> Column:
    """A value cut to its first three digits; null and negative values are 0."""
    value = F.coalesce(name, F.lit(0.0))
    # Divided at the end: 700 thousandths are then the 0.7 that they came from.
    scale = F.pow(F.lit(10.0), 2 - F.floor(F.log10(value)))
    return F.when(value > 0, F.floor(value * scale) / scale).otherwise(0.0)
