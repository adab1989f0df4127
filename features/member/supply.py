"""Supply on hand: what an account has been given of each ingredient, and what should be left of it."""

import numpy as np
import polars as pl

from features.member.coverage import (
    PART,
    Ints,
    before,
    covered_twice,
    firsts,
    recent_supply,
    rows_so_far,
    stock_before,
)
from features.member.frames import HORIZON, MemberFacts, per, share, within, yuan

#: A refill is early when a quarter of the previous fill's days are still on hand.
_EARLY = 0.25
_OVER = 1.2
_GRACE_DAYS = 30
#: A long prescription: four weeks and more at once.
_LONG_DAYS = 28
_WEEK = 7
_QUARTER = 90
#: A fill that claims more days than this counts as this many: a slip of the keyboard.
_MOST_DAYS = 3650
#: ATC codes of this length name a class of drugs.
_CLASS_LENGTH = 5


def supply_features(facts: MemberFacts) -> pl.DataFrame:
    """Over-supply of each member's ingredients, one row per member_id with a supply in the horizon."""
    fills = fills_with_stock(facts)
    by_ingredient = _by_ingredient(fills)
    over = pl.col("supply_180") > _OVER * 180
    # In the order of rows: sums of doubles depend on it.
    members = by_ingredient.group_by("member_id", maintain_order=True).agg(
        supply_ratio_max_90d=per(pl.col("supply_90").max(), _QUARTER),
        supply_ratio_max_180d=per(pl.col("supply_180").max(), 180),
        supply_ratio_max_365d=per(pl.col("supply_365").max(), HORIZON),
        excess_days_180d=(pl.col("supply_180") - 180 - _GRACE_DAYS).clip(0).sum(),
        stock_days_max=pl.col("stock_now").max(),
        stock_peak_days_365d=pl.col("stock_peak").max(),
        overlap_days_180d=pl.col("overlap").sum(),
        elsewhere_overlap_days_180d=pl.col("overlap_elsewhere").sum(),
        early_refill_count_180d=pl.col("early").sum(),
        elsewhere_early_refill_count_180d=pl.col("early_elsewhere").sum(),
        repeat_elsewhere_7d_count_90d=pl.col("repeat_elsewhere").sum(),
        dose_ratio_max_90d=pl.col("dose_ratio").max(),
        oversupplied_ingredient_count_180d=over.sum(),
        elsewhere_overlap_days_365d=pl.col("overlap_elsewhere_365").sum(),
        excess_fund_sum_365d=pl.col("excess_fund").sum(),
        long_fill_share_365d=share(pl.col("long_fills").sum(), pl.col("chronic_fills").sum()),
    )
    return members.join(_class_overlap(fills), on="member_id", how="left").join(
        _ramp(fills, facts), on="member_id", how="left"
    )


def fills_with_stock(facts: MemberFacts) -> pl.DataFrame:
    """One row per member, ingredient, day and institution: what was given, and what was on hand before.

    A member takes one day's supply a day from the first fill on, none while admitted: the hospital
    gives it. `stock_before` and the overlaps are in days; `overlap` counts the days that the fill is
    the first to cover twice, `overlap_elsewhere` those that it is the first to cover together with a
    fill of another institution; `recent` is what came in 90 days, the fill included.
    """
    fills = (
        facts.drugs.filter((pl.col("supply") > 0) & pl.col("visit_type").ne_missing("21"))
        # Worked out before grouping: plain sums of many small groups are much faster.
        .select(
            *("member_id", "ingredient", "ago", "time", "institution_id", "supply", "fund_cents"),
            "atc",
            chronic=pl.col("chronic").fill_null(value=False),
            unexplained_cents=pl.when("fits_member").then(0).otherwise("fund_cents"),
            ddd=pl.col("quantity") * pl.col("ddd_per_box"),
            label_ddd=pl.col("ddd_per_box") / pl.col("days_per_box"),
        )
        .group_by("member_id", "ingredient", "ago", "institution_id")
        .agg(
            pl.sum("supply", "fund_cents", "unexplained_cents", "ddd"),
            pl.first("atc"),
            pl.min("time"),
            pl.max("chronic", "label_ddd"),
        )
        .with_columns(supply=pl.col("supply").clip(upper_bound=_MOST_DAYS).round(2))
        .sort("member_id", "ingredient", "time", "institution_id")
    )
    fills = _with_admitted_days(fills, facts)
    segment = _numbers(fills, pl.struct("member_id", "ingredient").rle_id())
    calendar = _numbers(fills, -pl.col("ago").cast(pl.Int64) * PART)
    # Days in hospital do not pass for what is at home.
    day = calendar - _numbers(fills, "admitted") * PART
    supply = _numbers(fills, (pl.col("supply") * PART).round())
    place = _numbers(fills, pl.col("institution_id").rank("dense"))
    is_first = firsts(segment)
    stock = stock_before(segment, day, supply)
    twice = covered_twice(segment, day, day + supply, rows_so_far(segment))
    elsewhere = covered_twice(segment, day, day + supply, place)
    moved = (before(place, is_first) != place) & ~is_first
    early = (stock >= _EARLY * before(supply, is_first, 0)) & (stock > 0) & ~is_first
    columns = {
        "stock_before": stock / PART,
        "overlap": (twice[1] - twice[0]) / PART,
        "overlap_elsewhere": (elsewhere[1] - elsewhere[0]) / PART,
        "early": early,
        "early_elsewhere": early & moved,
        "repeat_elsewhere": moved & (calendar - before(calendar, is_first) <= _WEEK * PART),
        "recent": recent_supply(segment, calendar, supply, _QUARTER) / PART,
    }
    return fills.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def _by_ingredient(fills: pl.DataFrame) -> pl.DataFrame:
    """The windows of each member's ingredients."""
    # Days since the last fill, less those in hospital; `last` throughout, for a mixture is slow.
    since = pl.col("ago") - (pl.col("admitted_in_all") - pl.col("admitted"))
    last_stock = (pl.col("stock_before") + pl.col("supply") - since).last()
    # What the holder could have used: a day's supply a day since the first fill, and a month ahead.
    usable = pl.col("ago").max() + _GRACE_DAYS
    excess = (1 - usable / pl.col("supply").sum()).clip(0, 1)
    chronic = pl.col("chronic")
    return fills.group_by("member_id", "ingredient", maintain_order=True).agg(
        supply_90=_sum_within("supply", _QUARTER),
        supply_180=_sum_within("supply", 180),
        supply_365=pl.col("supply").sum(),
        stock_now=last_stock.clip(0),
        stock_peak=(pl.col("stock_before") + pl.col("supply")).max(),
        overlap=_sum_within("overlap", 180),
        overlap_elsewhere=_sum_within("overlap_elsewhere", 180),
        early=_sum_within("early", 180),
        early_elsewhere=_sum_within("early_elsewhere", 180),
        repeat_elsewhere=_sum_within("repeat_elsewhere", _QUARTER),
        dose_ratio=_sum_within("ddd", _QUARTER) / (_QUARTER * pl.col("label_ddd").max()),
        overlap_elsewhere_365=pl.col("overlap_elsewhere").sum(),
        excess_fund=yuan(
            pl.col("fund_cents").sum() * excess + pl.col("unexplained_cents").sum() * (1 - excess)
        ),
        long_fills=(chronic & (pl.col("supply") >= _LONG_DAYS)).sum(),
        chronic_fills=chronic.sum(),
    )


def _class_overlap(fills: pl.DataFrame) -> pl.DataFrame:
    """Days in the last 90 on which drugs of a class lasted that hold two ingredients and more."""
    coded = (
        fills.filter(pl.col("atc").str.len_chars() >= _CLASS_LENGTH)
        .with_columns(drug_class=pl.col("atc").str.head(_CLASS_LENGTH))
        .sort("member_id", "drug_class", "time", "ingredient")
    )
    day = _numbers(coded, -pl.col("ago").cast(pl.Int64) * PART)
    start, stop = covered_twice(
        _numbers(coded, pl.struct("member_id", "drug_class").rle_id()),
        day,
        day + _numbers(coded, (pl.col("supply") * PART).round()),
        _numbers(coded, pl.col("ingredient").rank("dense")),
    )
    seen = np.minimum(stop, 0) - np.maximum(start, -_QUARTER * PART)
    return (
        coded.select("member_id", double=pl.Series(np.clip(seen, 0, None) / PART))
        .group_by("member_id")
        .agg(class_overlap_days_90d=pl.col("double").sum())
    )


def _ramp(fills: pl.DataFrame, facts: MemberFacts) -> pl.DataFrame:
    """How soon after the newest certificate began 90 days held too much of an ingredient."""
    begun = facts.certificates.group_by("member_id").agg(
        begun=(pl.lit(facts.as_of) - pl.col("start_date").max()).dt.total_days()
    )
    return (
        fills.filter(pl.col("recent") > _OVER * _QUARTER)
        .join(begun, on="member_id")
        .filter(pl.col("ago") <= pl.col("begun"))
        .group_by("member_id")
        .agg(certificate_ramp_days_365d=(pl.col("begun") - pl.col("ago")).min())
    )


def _with_admitted_days(fills: pl.DataFrame, facts: MemberFacts) -> pl.DataFrame:
    """Add the days that the member had been admitted before each fill, and in all, within the horizon.

    A day counts once, however many settlements a stay has.
    """
    stays = (
        facts.visits.filter(pl.col("visit_type") == "21")
        .select("member_id", first=_days_ago(facts, "start"), last=_days_ago(facts, "end"))
        .with_columns(pl.col("first").clip(0, HORIZON), pl.col("last").clip(0, HORIZON))
        .sort("member_id", "first", "last", descending=[False, True, False])
        .with_columns(
            first=pl.min_horizontal("first", pl.col("last").cum_min().shift(1).over("member_id"))
        )
        .filter(pl.col("first") > pl.col("last"))
    )
    in_all = stays.group_by("member_id").agg(
        admitted_in_all=(pl.col("first") - pl.col("last")).sum()
    )
    days = (
        fills.select("member_id", "ago")
        .join(in_all, on="member_id", how="semi")
        .unique()
        .join(stays, on="member_id")
        .group_by("member_id", "ago")
        .agg(admitted=(pl.col("first") - pl.max_horizontal("last", "ago")).clip(0).sum())
    )
    return (
        fills.join(days, on=["member_id", "ago"], how="left", maintain_order="left")
        .join(in_all, on="member_id", how="left", maintain_order="left")
        .with_columns(pl.col("admitted", "admitted_in_all").fill_null(0))
    )


def _days_ago(facts: MemberFacts, column: str) -> pl.Expr:
    day = pl.coalesce(column, pl.col("time").dt.date())
    return (pl.lit(facts.as_of) - day).dt.total_days()


def _sum_within(column: str, days: int) -> pl.Expr:
    return pl.col(column).filter(within(days)).sum()


def _numbers(rows: pl.DataFrame, column: pl.Expr | str) -> Ints:
    return rows.select(column).to_series().cast(pl.Int64).to_numpy()
