"""Marks change no candidate, only how many pairs are looked at."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.network.account_pairs import pair_sums
from features.network.marks import MARKS, in_common, marks_of, with_marks
from features.network.meetings import (
    Bounds,
    loyal_accounts,
    meeting_rows,
    sharing_rows,
    wide_candidates,
    wide_meetings,
)

HELD = {"kind": pl.String, "thing": pl.Int64, "member": pl.Int64}
HELD |= {"strength": pl.Float64, "share": pl.Float64}


def night_and_day(seed, members, rows):
    """Visits at few institutions at any hour, so that many meet across midnight."""
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "member": draw.integers(1, members, rows),
            "place": draw.integers(1, 6, rows),
            "day": draw.integers(100, 140, rows).astype(np.int32),
            "minute": np.where(
                draw.random(rows) < 0.5,
                draw.integers(0, 1440, rows),
                (1430 + draw.integers(0, 20, rows)) % 1440,
            ),
            "operator": draw.integers(1, 9, rows),
            "value": draw.integers(0, 3, rows) * 10.0,
            "visit": np.arange(rows),
        }
    )


def proxies(seed, members):
    draw = np.random.default_rng(seed)
    rows = [("proxy", int(draw.integers(1, members // 2)), member) for member in range(1, members)]
    return pl.DataFrame([(*row, None, 0.5) for row in rows], schema=HELD, orient="row")


def candidates(visits, held, bounds):
    near = meeting_rows(visits, bounds)
    wide = wide_meetings(visits, bounds)
    rows = [near, sharing_rows(held, bounds), wide_candidates(wide)]
    return pair_sums(pl.concat(rows)), near.height, wide.height


@pytest.mark.parametrize(("seed", "members"), [(1, 40), (2, 200), (3, 600)])
def test_the_same_pairs_with_and_without_marks(seed, members):
    bounds = Bounds()
    visits = night_and_day(seed, members, 2000)
    held = pl.concat([proxies(seed, members), loyal_accounts(visits, bounds)])

    plain, near, wide = candidates(visits, held, bounds)
    marked, near_left, wide_left = candidates(
        with_marks(visits, held.select("member", "thing"), bounds.reach), held, bounds
    )

    assert plain.height > 100
    assert_frame_equal(marked, plain)
    # Where accounts come often all of them may have something in common; where they don't, few have.
    assert (near_left, wide_left) <= (near, wide)
    if members == 600:
        assert near_left < near / 2
        assert wide_left < wide / 2


def test_what_happens_at_the_institution_itself_is_nothing_in_common():
    visits = pl.DataFrame(
        [(1, 7, 100, 600), (2, 7, 100, 605), (3, 7, 100, 610), (1, 8, 103, 1439), (3, 8, 104, 1)],
        schema={"member": pl.Int64, "place": pl.Int64, "day": pl.Int32, "minute": pl.Int64},
        orient="row",
    )
    held = pl.DataFrame({"member": [2, 3], "thing": [5, 5]})

    found = with_marks(visits, held, 240).sort("place", "member")

    assert found.columns == [*visits.columns, *MARKS["elsewhere"], *MARKS["things"]]
    pairs = np.array([0, 0, 1]), np.array([1, 2, 2])
    # Accounts 1 and 3 met again at another place, across midnight; 2 and 3 have a thing in common.
    assert in_common(marks_of(found, "elsewhere"), *pairs).tolist() == [False, True, False]
    assert in_common(marks_of(found, "things"), *pairs).tolist() == [False, False, True]
