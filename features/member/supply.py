"""Supply on hand: what an account has been given of each ingredient, and what should be left of it."""

import numpy as np
import numpy.typing as npt
import polars as pl

from features.member.frames import HORIZON, MemberFacts, within

_Ints = npt.NDArray[np.int64]
#: Days are counted in hundredths, whole numbers: the same rows give the same bits.
_PART = 100
#: Larger than any number of hundredths of days: keeps segments apart in a running maximum.
_APART = np.int64(1) << 40
#: A refill is early when a quarter of the previous fill's days are still on hand.
_EARLY = 0.25
_OVER = 1.2
_GRACE_DAYS = 30
#: A long prescription: four weeks and more at once.
_LONG_DAYS = 28
_WEEK = 7
#: A fill that claims more days than this counts as this many: a slip of the keyboard.
_MOST_DAYS = 3650


def supply_features(facts: MemberFacts) -> pl.DataFrame:
    """Over-supply of each member's ingredients, one row per member_id with a supply in the horizon."""
    fills = fills_with_stock(facts)
    by_ingredient = _by_ingredient(fills, facts)
    over = pl.col("supply_180") / 180 > _OVER
    # In the order of rows: sums of doubles depend on it.
    members = by_ingredient.group_by("member_id", maintain_order=True).agg(
        supply_ratio_max_90d=(pl.col("supply_90") / 90).max(),
        supply_ratio_max_180d=(pl.col("supply_180") / 180).max(),
        supply_ratio_max_365d=(pl.col("supply_365") / 365).max(),
        excess_days_180d=(pl.col("supply_180") - 180 - _GRACE_DAYS).clip(0).sum(),
        stock_days_max=pl.col("stock_now").max(),
        stock_peak_days_365d=pl.col("stock_peak").max(),
        overlap_days_180d=pl.col("overlap").sum(),
        elsewhere_overlap_days_180d=pl.col("overlap_elsewhere").sum(),
        early_refill_count_180d=pl.col("early").sum().cast(pl.Float64),
        elsewhere_early_refill_count_180d=pl.col("early_elsewhere").sum().cast(pl.Float64),
        repeat_elsewhere_7d_count_90d=pl.col("repeat_elsewhere").sum().cast(pl.Float64),
        dose_ratio_max_90d=pl.col("dose_ratio").max(),
        oversupplied_ingredient_count_180d=over.sum().cast(pl.Float64),
        elsewhere_overlap_days_365d=pl.col("overlap_elsewhere_365").sum(),
        excess_fund_sum_365d=pl.col("excess_fund").sum(),
        long_fill_share_365d=pl.col("long_fills").filter(pl.col("is_chronic")).sum()
        / pl.col("fills").filter(pl.col("is_chronic")).sum(),
    )
    return members.join(_class_overlap(fills), on="member_id", how="left")


def fills_with_stock(facts: MemberFacts) -> pl.DataFrame:
    """One row per member, ingredient, day and institution: what was given, and what was on hand before.

    A member takes one day's supply a day from the first fill on, none while admitted: the hospital
    gives it. `stock_before` and the overlaps are in days; `overlap` counts the days of a fill that an
    earlier one already covers, `overlap_elsewhere` those covered by the longest-lasting earlier fill
    when that came from another institution.
    """
    fills = (
        facts.drugs.filter((pl.col("supply") > 0) & (pl.col("visit_type") != "21"))
        .group_by("member_id", "ingredient", "ago", "institution_id")
        .agg(
            pl.sum("supply", "fund_cents"),
            pl.first("atc", "chronic"),
            unexplained_cents=pl.col("fund_cents").filter(~pl.col("fits_member")).sum(),
            ddd=(pl.col("quantity") * pl.col("ddd_per_box")).sum(),
            label_ddd=(pl.col("ddd_per_box") / pl.col("days_per_box")).max(),
        )
        .sort(
            ["member_id", "ingredient", "ago", "institution_id"],
            descending=[False, False, True, False],
        )
    )
    fills = _with_admitted_days(fills, facts)
    segment = (
        fills.select(pl.struct("member_id", "ingredient").rle_id())
        .to_series()
        .to_numpy()
        .astype(np.int64)
    )
    day = (-fills["ago"].to_numpy().astype(np.int64) - fills["admitted"].to_numpy()) * _PART
    supply = np.rint(fills["supply"].clip(0, _MOST_DAYS).to_numpy() * _PART).astype(np.int64)
    place = fills["institution_id"].rank("dense").to_numpy().astype(np.int64)
    columns = _running(segment, day, supply, place)
    return fills.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def _running(
    segment: _Ints, day: _Ints, supply: _Ints, place: _Ints
) -> dict[str, npt.NDArray[np.generic]]:
    """Stock and overlaps of fills sorted by segment and day, all at once.

    Stock before fill i is (C[i-1] - day[i]) less the smallest value that this difference has had up to
    i, with C the running total of supply: Lindley's recursion for a store that can't go below zero.
    """
    is_first = _firsts(segment)
    total = np.cumsum(supply) - supply
    total -= _carried(total, is_first)
    level = total - day
    lowest = -_running_max(-level, segment)
    stock_before = level - lowest
    end = day + supply
    latest = _before(_running_max(end, segment), is_first, _far_before())
    twice = np.minimum(end, latest)
    twice_before = _before(
        _running_max(np.where(is_first, day, twice), segment), is_first, _far_before()
    )
    overlap = np.clip(twice - np.maximum(day, twice_before), 0, None)
    # The end that lasts longest and where it came from, in one number.
    tagged = _running_max(end * _places(place) + place, segment)
    tagged_before = _before(tagged, is_first, _far_before())
    elsewhere = (tagged_before % _places(place) != place) & ~is_first
    previous = _before(supply, is_first, 0)
    previous_place = _before(place, is_first, -1)
    gap = day - _before(day, is_first, _far_before())
    moved = (previous_place != place) & ~is_first
    early = (stock_before >= _EARLY * previous) & (stock_before > 0) & ~is_first
    return {
        "stock_before": stock_before / _PART,
        "overlap": overlap / _PART,
        "overlap_elsewhere": np.where(elsewhere, np.clip(np.minimum(end, latest) - day, 0, None), 0)
        / _PART,
        "early": early,
        "early_elsewhere": early & moved,
        "repeat_elsewhere": moved & (gap <= _WEEK * _PART),
    }


def _by_ingredient(fills: pl.DataFrame, facts: MemberFacts) -> pl.DataFrame:
    """The windows of each member's ingredients."""
    recent = within(180)
    last_stock = (pl.col("stock_before") + pl.col("supply")).last() - pl.col("ago").last()
    # What the holder could have used: a day's supply a day since the first fill, and a month ahead.
    usable = pl.col("ago").max() + _GRACE_DAYS
    excess = (1 - usable / pl.col("supply").sum()).clip(0, 1)
    return fills.group_by("member_id", "ingredient", maintain_order=True).agg(
        supply_90=pl.col("supply").filter(within(90)).sum(),
        supply_180=pl.col("supply").filter(recent).sum(),
        supply_365=pl.col("supply").filter(within(HORIZON)).sum(),
        stock_now=last_stock.clip(0),
        stock_peak=(pl.col("stock_before") + pl.col("supply")).max(),
        overlap=pl.col("overlap").filter(recent).sum(),
        overlap_elsewhere=pl.col("overlap_elsewhere").filter(recent).sum(),
        early=pl.col("early").filter(recent).sum(),
        early_elsewhere=pl.col("early_elsewhere").filter(recent).sum(),
        repeat_elsewhere=pl.col("repeat_elsewhere").filter(within(90)).sum(),
        dose_ratio=pl.col("ddd").filter(within(90)).sum() / (90 * pl.col("label_ddd").max()),
        overlap_elsewhere_365=pl.col("overlap_elsewhere").sum(),
        excess_fund=(
            pl.col("fund_cents").sum() * excess + pl.col("unexplained_cents").sum() * (1 - excess)
        )
        / 100,
        is_chronic=pl.col("chronic").first().fill_null(value=False),
        long_fills=(pl.col("supply") >= _LONG_DAYS).sum(),
        fills=pl.len(),
    )


def _class_overlap(fills: pl.DataFrame) -> pl.DataFrame:
    """Days in the last 90 on which two drugs of one class were newly given while the other lasted."""
    coded = fills.filter((pl.col("atc").str.len_chars() >= 5) & within(90))
    spans = coded.with_columns(
        drug_class=pl.col("atc").str.slice(0, 5),
        day=-pl.col("ago").cast(pl.Float64),
    ).sort("member_id", "drug_class", "day", "ingredient", "institution_id")
    before = ["member_id", "drug_class"]
    other = pl.col("ingredient").shift(1).over(before) != pl.col("ingredient")
    last_end = (pl.col("day") + pl.col("supply")).shift(1).over(before)
    end = pl.col("day") + pl.col("supply")
    double = (pl.min_horizontal(last_end, end, pl.lit(0.0)) - pl.col("day")).clip(0)
    return (
        spans.with_columns(double=pl.when(other).then(double).otherwise(0.0))
        .group_by("member_id")
        .agg(class_overlap_days_90d=pl.sum("double"))
    )


def _with_admitted_days(fills: pl.DataFrame, facts: MemberFacts) -> pl.DataFrame:
    """Add the days that the member had been admitted before each fill, within the horizon."""
    stays = facts.visits.filter(pl.col("visit_type") == "21").select(
        "member_id",
        first=(
            pl.lit(facts.as_of) - pl.coalesce("start", pl.col("time").dt.date())
        ).dt.total_days(),
        last=(pl.lit(facts.as_of) - pl.coalesce("end", pl.col("time").dt.date())).dt.total_days(),
    )
    if stays.is_empty():
        return fills.with_columns(admitted=pl.lit(0, pl.Int64))
    begun = pl.col("first").clip(0, HORIZON) - pl.max_horizontal("last", "ago")
    days = (
        fills.select("member_id", "ago")
        .unique()
        .join(stays, on="member_id")
        .group_by("member_id", "ago")
        .agg(admitted=begun.clip(0).sum())
    )
    return fills.join(
        days, on=["member_id", "ago"], how="left", maintain_order="left"
    ).with_columns(pl.col("admitted").fill_null(0))


def _firsts(segment: _Ints) -> npt.NDArray[np.bool_]:
    firsts = np.ones(len(segment), np.bool_)
    firsts[1:] = segment[1:] != segment[:-1]
    return firsts


def _carried(values: _Ints, is_first: npt.NDArray[np.bool_]) -> _Ints:
    """The value at the first row of each segment, on all its rows."""
    at = np.flatnonzero(is_first)
    return np.repeat(values[at], np.diff(np.append(at, len(values))))


def _running_max(values: _Ints, segment: _Ints) -> _Ints:
    apart = segment * _APART
    highest: _Ints = np.maximum.accumulate(values + apart) - apart
    return highest


def _before(values: _Ints, is_first: npt.NDArray[np.bool_], start: int | np.int64) -> _Ints:
    """The value of the row before in the same segment."""
    before = np.roll(values, 1)
    before[is_first] = start
    return before


def _far_before() -> np.int64:
    return -(_APART >> 2)


def _places(place: _Ints) -> np.int64:
    return np.int64(place.max(initial=0) + 1)
