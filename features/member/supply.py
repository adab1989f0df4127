"""Supply on hand: how much of each ingredient an account collected, and how much should be left."""

import numpy as np
import polars as pl

from expectations.landing.codes import STAY
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
from features.member.ordering import in_order, told_apart

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


def supply_features(facts: MemberFacts) -> pl.DataFrame:
    """Over-supply of each member's ingredients, one row per member_id with a supply in the horizon."""
    fills = fills_with_stock(facts)
    found = _fills_of_members(fills)
    for part in (_by_ingredient(fills), _class_overlap(fills), _ramp(fills, facts)):
        found = found.join(part, on="member_id", how="left")
    return found


def fills_with_stock(facts: MemberFacts) -> pl.DataFrame:
    """One row per member, ingredient, day and institution: the supply given, and the stock on hand before.

    A member takes one day's supply a day from the first fill on, none while admitted: the hospital
    gives it. `stock_before` and the overlaps are in days; `overlap` counts the days that the fill is
    the first to cover twice, `overlap_elsewhere` those that it is the first to cover together with a
    fill of another institution; `recent` is the supply of 90 days, the fill included.
    """
    fills = _with_admitted_days(_fills(facts), facts)
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


def _fills(facts: MemberFacts) -> pl.DataFrame:
    """The supply given of each ingredient on a day at an institution, sorted."""
    drugs = (
        facts.outside_drugs.filter(pl.col("supply") > 0)
        .select(
            *("member_id", "ingredient", "ago", "time", "institution_id", "supply", "fund_cents"),
            "drug_class",
            chronic=pl.col("chronic").fill_null(value=False),
            unexplained_cents=pl.when("fits_member").then(0).otherwise("fund_cents"),
            ddd=(pl.col("quantity") * pl.col("ddd_per_box")).fill_null(0.0),
            label_ddd=pl.col("ddd_per_box") / pl.col("days_per_box"),
            day=pl.struct("member_id", "ingredient", "ago").rle_id(),
        )
        .with_columns(is_alone=told_apart(pl.col("day")))
    )
    # Nearly always it is one row a day, so that few have to be grouped.
    summed = (
        drugs.filter(~pl.col("is_alone"))
        .group_by("day", "institution_id", maintain_order=True)
        .agg(
            pl.first("member_id", "ingredient", "ago", "drug_class", "is_alone"),
            pl.min("time"),
            pl.sum("supply", "fund_cents", "unexplained_cents", "ddd"),
            pl.max("chronic", "label_ddd"),
        )
    )
    fills = pl.concat([drugs.filter("is_alone"), summed.select(drugs.columns)])
    return (
        in_order(fills, pl.col("day"), ("time", "institution_id"))
        .drop("day", "is_alone")
        .with_columns(
            pl.col("member_id").set_sorted(),
            supply=pl.col("supply").clip(upper_bound=_MOST_DAYS).round(2),
        )
    )


def _fills_of_members(fills: pl.DataFrame) -> pl.DataFrame:
    """Sums over all ingredients of a member."""
    is_half_year, chronic = within(180), pl.col("chronic")
    # Worked out before grouping: plain sums of many small groups are much faster.
    parts = fills.select(
        "member_id",
        overlap_days_180d=_if(is_half_year, "overlap"),
        elsewhere_overlap_days_180d=_if(is_half_year, "overlap_elsewhere"),
        elsewhere_overlap_days_365d="overlap_elsewhere",
        early_refill_count_180d=is_half_year & pl.col("early"),
        elsewhere_early_refill_count_180d=is_half_year & pl.col("early_elsewhere"),
        repeat_elsewhere_7d_count_90d=within(_QUARTER) & pl.col("repeat_elsewhere"),
        long_fills=chronic & (pl.col("supply") >= _LONG_DAYS),
        chronic_fills=chronic,
    )
    # In the order of rows: sums of doubles depend on it.
    return (
        parts.group_by("member_id", maintain_order=True)
        .agg(pl.all().sum())
        .with_columns(long_fill_share_365d=share(pl.col("long_fills"), pl.col("chronic_fills")))
        .drop("long_fills", "chronic_fills")
    )


def _by_ingredient(fills: pl.DataFrame) -> pl.DataFrame:
    """Values per ingredient of a member: the largest of any, and the excess of each."""
    # Days since the last fill, less those in hospital.
    since = pl.col("ago") - (pl.col("admitted_in_all") - pl.col("admitted"))
    on_hand = pl.col("stock_before") + pl.col("supply")
    sums = ("supply", "supply_90", "supply_180", "fund_cents", "unexplained_cents", "ddd")
    pairs = (
        fills.select(
            *("member_id", "ago", "supply", "fund_cents", "unexplained_cents", "label_ddd"),
            pair=pl.struct("member_id", "ingredient").rle_id().set_sorted(),
            supply_90=_if(within(_QUARTER), "supply"),
            supply_180=_if(within(180), "supply"),
            ddd=_if(within(_QUARTER), "ddd"),
            stock_now=on_hand - since,
            stock_peak=on_hand,
        )
        .group_by("pair", maintain_order=True)
        .agg(
            pl.first("member_id"),
            pl.sum(*sums),
            pl.last("stock_now"),
            pl.max("stock_peak", "ago", "label_ddd"),
        )
        # Hundredths are all that there is; the rest is what binary fractions leave.
        .with_columns(pl.col("supply", "supply_90", "supply_180").round(2))
    )
    # What the holder could have used: a day's supply a day since the first fill, and a month ahead.
    usable = pl.col("ago") + _GRACE_DAYS
    excess = (1 - usable / pl.col("supply")).clip(0, 1)
    half_year = pl.col("supply_180")
    return (
        pairs.select(
            pl.col("member_id").set_sorted(),
            "stock_peak",
            *("supply", "supply_90", "supply_180"),
            stock_now=pl.col("stock_now").clip(0),
            dose_ratio=pl.col("ddd") / (_QUARTER * pl.col("label_ddd")),
            excess_days=(half_year - 180 - _GRACE_DAYS).clip(0),
            is_over=half_year > _OVER * 180,
            excess_fund=yuan(
                pl.col("fund_cents") * excess + pl.col("unexplained_cents") * (1 - excess)
            ),
        )
        .group_by("member_id", maintain_order=True)
        .agg(
            supply_ratio_max_90d=per(pl.max("supply_90"), _QUARTER),
            supply_ratio_max_180d=per(pl.max("supply_180"), 180),
            supply_ratio_max_365d=per(pl.max("supply"), HORIZON),
            excess_days_180d=pl.sum("excess_days"),
            stock_days_max=pl.max("stock_now"),
            stock_peak_days_365d=pl.max("stock_peak"),
            dose_ratio_max_90d=pl.max("dose_ratio"),
            oversupplied_ingredient_count_180d=pl.sum("is_over"),
            excess_fund_sum_365d=pl.sum("excess_fund"),
        )
    )


def _class_overlap(fills: pl.DataFrame) -> pl.DataFrame:
    """Days of the last 90 on which the supply covered two or more ingredients of one class."""
    coded = fills.select(
        "member_id", "drug_class", "ago", "time", "ingredient", "institution_id", "supply"
    ).drop_nulls("drug_class")
    classes = int(_numbers(coded, "drug_class").max(initial=0))
    of_class = pl.col("member_id").rle_id().cast(pl.Int64) * (classes + 1) + pl.col("drug_class")
    coded = in_order(
        coded,
        of_class * (HORIZON + 1) - pl.col("ago"),
        ("time", "ingredient", "institution_id"),
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
        coded.select(
            pl.col("member_id").set_sorted(), double=pl.Series(np.clip(seen, 0, None) / PART)
        )
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
    """Add the days in hospital before each fill, and in all, within the horizon.

    A day counts once, however many settlements a stay has.
    """
    stays = (
        facts.visits.filter(pl.col("visit_type") == STAY)
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
    # Few members have been admitted at all.
    held = (
        fills.select("member_id", "ago", row=pl.int_range(pl.len()))
        .join(in_all, on="member_id")
        .join(stays, on="member_id")
        .group_by("row")
        .agg(
            pl.first("admitted_in_all"),
            admitted=(pl.col("first") - pl.max_horizontal("last", "ago")).clip(0).sum(),
        )
    )
    return fills.with_columns(
        pl.Series(name, np.zeros(fills.height, np.int64)).scatter(held["row"], held[name])
        for name in ("admitted", "admitted_in_all")
    )


def _days_ago(facts: MemberFacts, column: str) -> pl.Expr:
    day = pl.coalesce(column, pl.col("time").dt.date())
    return (pl.lit(facts.as_of) - day).dt.total_days()


def _if(condition: pl.Expr, column: str) -> pl.Expr:
    return pl.when(condition).then(column).otherwise(0)


def _numbers(rows: pl.DataFrame, column: pl.Expr | str) -> Ints:
    return rows.select(column).to_series().cast(pl.Int64).to_numpy()
