"""From rows of evidence to one row per pair of accounts: which pairs are looked at, and what they did."""

from typing import Any

import polars as pl

from features.network.meetings import NEAR, OPERATOR, WIDE

#: Things that two accounts may have in common.
SHARED = ("device", "proxy", "proxy_phone", "phone")
#: Days of meeting that are kept as evidence.
_DAYS_SHOWN = 6
#: Shape of `pair_sums`, for a task that has no rows.
PAIR_COLUMNS: dict[str, Any] = {
    "src": pl.Int64,
    "dst": pl.Int64,
    "met_days": pl.Int32,
    "met_places": pl.Int32,
    "gap_median": pl.Float64,
    "first_day": pl.Int32,
    "last_day": pl.Int32,
    "src_met_value": pl.Float64,
    "dst_met_value": pl.Float64,
    "both_took_days": pl.Int32,
    "main_place": pl.Int64,
    "visits_shown": pl.List(pl.Int64),
    "wide_days": pl.Float64,
    "wide_places": pl.Int32,
    "operator_surprise": pl.Float64,
    "operators": pl.Int32,
    **{f"{kind}_count": pl.Int32 for kind in SHARED},
    **{f"{kind}_rarity": pl.Float64 for kind in SHARED},
    "proxy_share_low": pl.Float64,
    "proxy_share_high": pl.Float64,
}


def pair_sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum the evidence about each pair, and keep the pairs that are candidates.

    A candidate met on two days within minutes, or on three days within hours at two places, or both are
    loyal to one operator, or they share a thing.

    Args:
        rows: `EVIDENCE` of whole pairs.

    Returns:
        `PAIR_COLUMNS`, one row per `src` < `dst`; counts are 0 where there is nothing, times and places
        null where they never met.
    """
    # Only pairs with one meeting and nothing else are many: they are out before anything is summed.
    several = rows.group_by("src", "dst").agg(
        near=(pl.col("kind") == NEAR).sum(), other=(pl.col("kind") != NEAR).sum()
    )
    chosen = several.filter((pl.col("near") >= 2) | (pl.col("other") > 0)).select("src", "dst")
    rows = rows.join(chosen, on=["src", "dst"], how="semi")
    sums = _met(rows.filter(pl.col("kind") == NEAR))
    for other in (
        _wide(rows.filter(pl.col("kind") == WIDE)),
        _operators(rows.filter(pl.col("kind") == OPERATOR)),
        *(_things(rows.filter(pl.col("kind") == kind), kind) for kind in SHARED),
        _proxy_shares(rows.filter(pl.col("kind") == "proxy")),
    ):
        sums = sums.join(other, on=["src", "dst"], how="full", coalesce=True)
    is_candidate = (
        (pl.col("met_days") >= 2)
        | (pl.col("wide_days") > 0)
        | (pl.col("operators") > 0)
        | pl.any_horizontal(pl.col(f"{kind}_count") > 0 for kind in SHARED)
    )
    never_null = [
        name
        for name in PAIR_COLUMNS
        if name.endswith(("_days", "_places", "_count", "_rarity", "_value"))
        or name in ("operators", "operator_surprise", "proxy_share_low", "proxy_share_high")
    ]
    return (
        sums.with_columns(pl.col(never_null).fill_null(0))
        .filter(is_candidate)
        .select(pl.col(name).cast(kind) for name, kind in PAIR_COLUMNS.items())
        .sort("src", "dst")
    )


def _met(rows: pl.DataFrame) -> pl.DataFrame:
    """Meetings within minutes: of several on one day the closest counts."""
    days = rows.sort("src", "dst", "day", "gap", "thing").unique(
        ["src", "dst", "day"], keep="first", maintain_order=True
    )
    places = (
        rows.group_by("src", "dst", "thing")
        .agg(days=pl.len())
        .sort("src", "dst", "days", "thing", descending=[False, False, True, False])
        .group_by("src", "dst", maintain_order=True)
        .agg(met_places=pl.len(), main_place=pl.first("thing"))
    )
    value = pl.min_horizontal("src_value", "dst_value")
    shown = pl.concat_list("src_visit", "dst_visit").sort_by([-value, pl.col("gap"), pl.col("day")])
    met = days.group_by("src", "dst").agg(
        met_days=pl.len(),
        gap_median=pl.median("gap"),
        first_day=pl.min("day"),
        last_day=pl.max("day"),
        src_met_value=pl.sum("src_value"),
        dst_met_value=pl.sum("dst_value"),
        both_took_days=((pl.col("src_value") > 0) & (pl.col("dst_value") > 0)).sum(),
        visits_shown=shown.head(_DAYS_SHOWN).list.explode(),
    )
    return met.join(places, on=["src", "dst"])


def _wide(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("src", "dst").agg(wide_days=pl.max("strength"), wide_places=pl.max("gap"))


def _operators(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("src", "dst").agg(
        operator_surprise=pl.max("strength"), operators=pl.n_unique("thing")
    )


def _things(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    return rows.group_by("src", "dst").agg(
        pl.n_unique("thing").alias(f"{kind}_count"), pl.max("strength").alias(f"{kind}_rarity")
    )


def _proxy_shares(rows: pl.DataFrame) -> pl.DataFrame:
    """Of both accounts' visits, the share at which a common proxy came: the lower and the higher of the two.

    Of several proxies the one with the largest share counts, for each.
    """
    both = ("src_share", "dst_share")
    return rows.group_by("src", "dst").agg(
        proxy_share_low=pl.min_horizontal(both).max(),
        proxy_share_high=pl.max_horizontal(both).max(),
    )
