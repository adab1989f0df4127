"""Days of supply, on whole columns at once: stock on hand and days that are covered twice.

Rows are sorted by segment (one member's fills of one thing), then by day. Days are counted in
hundredths, whole numbers: the same rows give the same bits.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
#: Hundredths of a day in a day.
PART = 100
#: Larger than any number of hundredths of days: keeps segments apart in a running maximum.
_APART = np.int64(1) << 40
_FAR_BEFORE = -(_APART >> 2)


def firsts(segment: Ints) -> npt.NDArray[np.bool_]:
    """Whether each row is the first of its segment."""
    is_first = np.ones(len(segment), np.bool_)
    is_first[1:] = segment[1:] != segment[:-1]
    return is_first


def before(
    values: Ints, is_first: npt.NDArray[np.bool_], start: int | np.int64 = _FAR_BEFORE
) -> Ints:
    """The value of the row before in the same segment."""
    shifted = np.roll(values, 1)
    shifted[is_first] = start
    return shifted


def stock_before(segment: Ints, day: Ints, supply: Ints) -> Ints:
    """The stock left of earlier fills at the time of each fill, at a use of one day's supply a day.

    It is (C[i-1] - day[i]) less the smallest value that this difference has had up to i, with C the
    running total of supply: Lindley's recursion for a store that can't go below zero.
    """
    total = np.cumsum(supply) - supply
    level = total - _carried(total, firsts(segment)) - day
    return level + _running_max(-level, segment)


def covered_twice(segment: Ints, day: Ints, end: Ints, owner: Ints) -> tuple[Ints, Ints]:
    """The half-open span of days that each fill makes covered by two owners.

    A fill of an owner covers the days from `day` until before `end`. Each day counts once, for the first
    fill that covers it twice. Only the longest-lasting earlier fill matters: if it has the same owner, days
    are already covered twice up to the end of the other owners' longest fill.
    """
    is_first = firsts(segment)
    owners = np.int64(owner.max(initial=0) + 1)
    longest = before(_running_max(end * owners + owner, segment), is_first)
    is_other = (longest % owners != owner) & ~is_first
    until = np.where(is_other, np.minimum(end, longest // owners), day)
    start = np.maximum(day, before(_running_max(until, segment), is_first))
    return start, np.maximum(until, start)


def recent_supply(segment: Ints, day: Ints, supply: Ints, days: int) -> Ints:
    """The supply given in a number of days up to each fill, the fill and its day included."""
    place = segment * _APART + day
    first = np.searchsorted(place, place - (days - 1) * PART, side="left")
    total = np.cumsum(supply)
    return total - (total - supply)[first]


def rows_so_far(segment: Ints) -> Ints:
    """The number of each row in its segment, from 0."""
    number = np.arange(len(segment))
    return number - _carried(number, firsts(segment))


def _carried(values: Ints, is_first: npt.NDArray[np.bool_]) -> Ints:
    """The value at the first row of each segment, on all its rows."""
    at = np.flatnonzero(is_first)
    return np.repeat(values[at], np.diff(np.append(at, len(values))))


def _running_max(values: Ints, segment: Ints) -> Ints:
    apart = segment * _APART
    highest: Ints = np.maximum.accumulate(values + apart) - apart
    return highest
