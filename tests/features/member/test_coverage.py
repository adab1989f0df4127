"""Days that fills last, against going through them one by one."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.member.coverage import (
    PART,
    covered_twice,
    recent_supply,
    rows_so_far,
    stock_before,
)

#: Segment, day, supply and owner of fills; small numbers, so that fills often meet.
FILLS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-60, 0), st.integers(1, 40), st.integers(0, 2)),
    max_size=25,
).map(lambda fills: sorted(fills, key=lambda each: each[:2]))
Fills = list[tuple[int, int, int, int]]


def columns(fills: Fills) -> list[np.ndarray]:
    table = np.array(fills, np.int64).reshape(-1, 4)
    return [table[:, 0], table[:, 1], table[:, 2], table[:, 3]]


@given(FILLS)
@settings(max_examples=100, deadline=None)
def test_stock_is_used_up_a_day_at_a_time_within_a_segment(fills: Fills) -> None:
    segment, day, supply, _ = columns(fills)

    actual = stock_before(segment, day, supply).tolist()

    expected, stock, before = [], 0, (-1, 0)
    for number, at, given_days, _ in fills:
        if number != before[0]:
            stock = 0
        else:
            for _ in range(at - before[1]):
                stock = max(0, stock - 1)
        expected.append(stock)
        stock += given_days
        before = (number, at)
    assert actual == expected


@given(FILLS)
@settings(max_examples=100, deadline=None)
def test_each_day_that_two_owners_cover_counts_once_with_the_fill_that_doubles_it(
    fills: Fills,
) -> None:
    segment, day, supply, owner = columns(fills)

    start, stop = covered_twice(segment, day, day + supply, owner)

    actual = [set(range(a, b)) for a, b in zip(start.tolist(), stop.tolist(), strict=True)]
    owners, expected = defaultdict(set), []
    for number, at, lasts, whose in fills:
        days = range(at, at + lasts)
        expected.append(
            {x for x in days if len(owners[number, x]) == 1 and whose not in owners[number, x]}
        )
        for x in days:
            owners[number, x].add(whose)
    assert actual == expected


@given(FILLS, st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_recent_supply_holds_the_fills_of_the_last_days_so_far(fills: Fills, days: int) -> None:
    segment, day, supply, _ = columns(fills)

    actual = recent_supply(segment, day * PART, supply, days).tolist()

    expected = [
        sum(
            each[2]
            for each in fills[: place + 1]
            if each[0] == fill[0] and fill[1] - each[1] < days
        )
        for place, fill in enumerate(fills)
    ]
    assert actual == expected


def test_rows_are_numbered_within_their_segment() -> None:
    assert rows_so_far(np.array([4, 4, 4, 7, 9, 9])).tolist() == [0, 1, 2, 0, 0, 1]


@pytest.mark.parametrize("segments", [2, 400_000])
def test_the_longest_supplies_of_many_segments_and_places_do_not_run_into_each_other(
    segments: int,
) -> None:
    # Two fills of ten years in each segment, from the day a year ago on; as many places as rows.
    segment = np.repeat(np.arange(segments), 2)
    day = np.full(2 * segments, -365 * PART)
    supply = np.full(2 * segments, 3650 * PART)
    owner = np.arange(2 * segments)[::-1].copy()

    start, stop = covered_twice(segment, day, day + supply, owner)

    assert ((stop - start).reshape(-1, 2) == [0, 3650 * PART]).all()
    assert (stock_before(segment, day, supply).reshape(-1, 2) == [0, 3650 * PART]).all()
