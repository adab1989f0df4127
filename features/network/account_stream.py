"""The making of pairs of accounts, spread over tasks: by institution, by thing, by pair, by account."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, from_arrow_type

from features.network.account_links import (
    RANKED,
    account_profiles,
    pair_traits,
    three_digits,
    with_rarity,
)
from features.network.account_pairs import PAIR_COLUMNS, pair_sums
from features.network.baskets import account_baskets
from features.network.marks import MARKS, with_marks
from features.network.meetings import (
    EVIDENCE,
    WIDE,
    Bounds,
    loyal_accounts,
    meeting_rows,
    place_statistics,
    sharing_rows,
    wide_meetings,
)

_ARROW = {
    pl.Int64: pa.int64(),
    pl.Int32: pa.int32(),
    pl.Float64: pa.float64(),
    pl.String: pa.string(),
    pl.Boolean: pa.bool_(),
}
_PLACES = {
    "place": pl.Int64,
    "visits": pl.Int64,
    "near_chance": pl.Float64,
    "wide_chance": pl.Float64,
    "near_cut": pl.Int64,
    "wide_cut": pl.Int64,
}
_LOYAL = {
    "kind": pl.String,
    "thing": pl.Int64,
    "member": pl.Int64,
    "strength": pl.Float64,
    "share": pl.Float64,
}
_VISIT = {
    **dict.fromkeys(("member", "place"), pl.Int64),
    **dict.fromkeys(("day", "minute"), pl.Int32),
    "value": pl.Float64,
    "visit": pl.Int64,
}
_MARKED = _VISIT | {name: pl.Int64 for names in MARKS.values() for name in names}
_MET = {"src": pl.Int64, "dst": pl.Int64, "place": pl.Int64, "days": pl.Int32}
_PROFILE = {
    "member": pl.Int64,
    "places": pl.List(pl.Int64),
    "place_visits": pl.List(pl.Int32),
    "visits": pl.Int32,
    "value": pl.Float64,
    "visits_3": pl.Float64,
    "value_3": pl.Float64,
}

_BASKET = {"member": pl.Int64, "drugs": pl.List(pl.Int64), "drug_values": pl.List(pl.Float64)}

Columns = Mapping[str, Any]
Work = Callable[[pl.DataFrame], pl.DataFrame]


def usual_meetings(visits: DataFrame, bounds: Bounds) -> DataFrame:
    """`place_statistics` of visits that lie together by `place`."""
    return _worked(visits, lambda rows: place_statistics(rows, bounds), _PLACES)


def loyal(visits: DataFrame, bounds: Bounds) -> DataFrame:
    """`loyal_accounts` of visits that lie together by `place`."""
    return _worked(visits, lambda rows: loyal_accounts(rows, bounds), _LOYAL)


def marked_visits(visits: DataFrame, held: DataFrame, bounds: Bounds, tasks: int) -> DataFrame:
    """`with_marks` of all visits, together by `place` again.

    Args:
        visits: `member`, `place`, `day`, `minute`, `value`, `visit`.
        held: `member`, `thing`.
        bounds: see `Bounds`.
        tasks: into how many accounts and institutions are split.
    """

    def work(rows: pl.DataFrame) -> pl.DataFrame:
        is_thing = pl.col("thing").is_not_null()
        return with_marks(rows.filter(~is_thing), rows.filter(is_thing), bounds.reach)

    rows = visits.select(*_VISIT).unionByName(
        held.select("member", "thing"), allowMissingColumns=True
    )
    marked = _worked(rows.repartition(tasks, "member"), work, _MARKED)
    return marked.repartition(tasks, "place")


def pairs_of_accounts(visits: DataFrame, held: DataFrame, bounds: Bounds, tasks: int) -> DataFrame:
    """`pair_sums` of all candidates.

    Args:
        visits: from `marked_visits`.
        held: `kind`, `thing`, `member`, `strength`, `share`: things, and operators from `loyal`.
        bounds: see `Bounds`.
        tasks: into how many the pairs are split.
    """
    near = _worked(visits, lambda rows: meeting_rows(rows, bounds), EVIDENCE)
    shared = _worked(
        held.repartition(tasks, "kind", "thing"), lambda rows: sharing_rows(rows, bounds), EVIDENCE
    )
    wide = _worked(visits, lambda rows: wide_meetings(rows, bounds), _MET)
    rows = near.unionByName(shared).unionByName(_wide_candidates(wide))
    return _worked(rows.repartition(tasks, "src", "dst"), pair_sums, PAIR_COLUMNS)


def profiles(visits: DataFrame, taken: DataFrame, members: DataFrame, tasks: int) -> DataFrame:
    """`account_profiles` and `account_baskets` of each account with a visit.

    Args:
        visits: `member`, `place`, `value`.
        taken: as `account_baskets` takes it.
        members: what is known of people, one row per `member`.
        tasks: into how many the accounts are split.

    Returns:
        One row per account; `visits_3` and `value_3` are those numbers in three digits.
    """

    def work(rows: pl.DataFrame) -> pl.DataFrame:
        found = account_profiles(rows)
        return found.with_columns(
            three_digits("visits").alias("visits_3"), three_digits("value").alias("value_3")
        )

    sums = _worked(
        visits.select("member", "place", "value").repartition(tasks, "member"), work, _PROFILE
    )
    baskets = _worked(taken.repartition(tasks, "member"), account_baskets, _BASKET)
    return sums.join(baskets, on="member", how="left").join(members, on="member", how="left")


def traits(
    pairs: DataFrame,
    profiles: DataFrame,
    places: pl.DataFrame,
    ranks: dict[str, pl.DataFrame],
    as_of_day: int,
    then: Work,
    columns: Columns,
) -> DataFrame:
    """`pair_traits` of each pair, and what `then` makes of them.

    Args:
        pairs: from `pairs_of_accounts`.
        profiles: from `profiles`.
        places: as `pair_traits` takes them; they travel to every task.
        ranks: the same.
        as_of_day: days since 1970.
        then: gives rows of `columns`.
        columns: what is given.
    """
    for end in ("src", "dst"):
        side = profiles.select(*(F.col(name).alias(f"{end}_{name}") for name in profiles.columns))
        joined = side.withColumnRenamed(f"{end}_member", end).drop(
            *(f"{end}_{name}_3" for name in RANKED)
        )
        pairs = pairs.join(joined, on=end, how="left")
    known = with_rarity(places)
    return _worked(pairs, lambda rows: then(pair_traits(rows, known, ranks, as_of_day)), columns)


def _wide_candidates(met: DataFrame) -> DataFrame:
    """As `wide_candidates`: three days at two or more places."""
    found = (
        met.groupBy("src", "dst")
        .agg(F.sum("days").cast("double").alias("strength"), F.count("*").cast("int").alias("gap"))
        .filter("strength >= 3 AND gap >= 2")
        .withColumn("kind", F.lit(WIDE))
    )
    return found.select(
        *(
            (F.col(name) if name in found.columns else F.lit(None))
            .cast(from_arrow_type(_arrow(kind)))
            .alias(name)
            for name, kind in EVIDENCE.items()
        )
    )


def _arrow(kind: Any) -> pa.DataType:
    """A type of Polars as the one of Arrow that Spark takes."""
    if isinstance(kind, pl.List):
        return pa.list_(_arrow(kind.inner))
    if isinstance(kind, pl.Struct):
        return pa.struct([(field.name, _arrow(field.dtype)) for field in kind.fields])
    return _ARROW[kind.base_type()]


def _worked(rows: DataFrame, work: Work, columns: Columns) -> DataFrame:
    """Rows of a whole task through a function of Polars."""
    schema = pa.schema([(name, _arrow(kind)) for name, kind in columns.items()])

    def in_arrow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)
        if not held:
            return
        frame = pl.from_arrow(pa.Table.from_batches(held))
        assert isinstance(frame, pl.DataFrame)
        found = work(frame).select(pl.col(name).cast(kind) for name, kind in columns.items())
        yield from found.to_arrow().cast(schema).to_batches(max_chunksize=100_000)

    return rows.mapInArrow(in_arrow, from_arrow_schema(schema))


def both_with_visits(links: DataFrame, profiles: DataFrame) -> DataFrame:
    """Links of accounts that both have visits: a phone on file may join somebody who has none.

    Args:
        links: `src`, `dst` and more.
        profiles: `member`, one row per account with a visit.
    """
    for end in ("src", "dst"):
        known = profiles.select(F.col("member").alias(end))
        links = links.join(known, on=end, how="left_semi")
    return links
