from itertools import combinations

import numpy as np
import polars as pl
import pytest

from features.network.account_links import (
    RANKED,
    account_profiles,
    pair_traits,
    rank_shares,
    three_digits,
    with_profiles,
    with_rarity,
)
from features.network.account_pairs import pair_sums
from features.network.baskets import account_baskets
from features.network.meetings import (
    OPERATOR,
    Bounds,
    empty_evidence,
    loyal_accounts,
    meeting_rows,
    place_statistics,
    sharing_rows,
    wide_candidates,
    wide_meetings,
)

#: Account 1 took 3 and 4 yuan of two ingredients, account 2 the reverse; accounts 5 to 24 one ingredient each.
TAKEN = pl.DataFrame(
    [(1, 7, 3.0), (1, 8, 4.0), (2, 8, 3.0), (2, 7, 4.0), (1, 9, 0.0)]
    + [(member, member % 3, 10.0) for member in range(5, 25)],
    schema=["member", "drug", "value"],
    orient="row",
)
VISIT = {"member": 1, "place": 1, "day": 100, "minute": 600, "operator": 1, "value": 0.0}


def visits(*rows):
    full = [VISIT | {"visit": number} | row for number, row in enumerate(rows)]
    kinds = {"day": pl.Int32, "value": pl.Float64}
    return pl.DataFrame(full).with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())


def random_visits(seed, rows=400):
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "member": draw.integers(1, 25, rows),
            "place": draw.integers(1, 5, rows),
            "day": draw.integers(100, 130, rows).astype(np.int32),
            "minute": draw.integers(480, 1000, rows),
            "operator": draw.integers(1, 9, rows),
            "value": draw.integers(0, 3, rows) * 10.0,
            "visit": np.arange(rows),
        }
    )


def by_hand(frame, minutes):
    """Pairs of accounts and the days and places on which they were within some minutes."""
    found = set()
    for a, b in combinations(frame.iter_rows(named=True), 2):
        at = [each["day"] * 1440 + each["minute"] for each in (a, b)]
        if (
            a["place"] == b["place"]
            and abs(at[0] - at[1]) <= minutes
            and a["member"] != b["member"]
        ):
            earlier = a if at[0] <= at[1] else b
            pair = tuple(sorted((a["member"], b["member"])))
            found.add((*pair, a["place"], earlier["day"]))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_meetings_are_those_that_a_look_at_every_pair_finds(seed):
    frame = random_visits(seed)

    rows = meeting_rows(frame, Bounds())

    found = list(rows.select("src", "dst", "thing", "day").iter_rows())
    assert len(found) == len(set(found))
    assert set(found) == by_hand(frame, 15)
    wide = wide_meetings(frame, Bounds())
    days = {}
    for src, dst, place, _ in by_hand(frame, 240):
        days[src, dst, place] = days.get((src, dst, place), 0) + 1
    assert {tuple(row[:3]): row[3] for row in wide.iter_rows()} == days


def test_fifteen_minutes_count_on_either_side_of_any_clock_and_of_midnight():
    frame = visits(
        {"member": 1, "minute": 614},
        {"member": 2, "minute": 629},
        {"member": 3, "minute": 645},
        {"member": 4, "place": 2, "day": 100, "minute": 1435},
        {"member": 5, "place": 2, "day": 101, "minute": 5},
    )

    rows = meeting_rows(frame, Bounds())

    assert set(rows.select("src", "dst", "day", "gap").iter_rows()) == {
        (1, 2, 100, 15),
        (4, 5, 100, 10),
    }


def test_visits_of_which_only_the_day_is_known_are_no_meetings():
    timed = visits({"member": 1}, {"member": 2, "minute": 605}, {"member": 3, "place": 2})
    days = [{"member": n, "place": place, "minute": None} for n in (4, 5) for place in (1, 2, 3)]
    frame = pl.concat([timed, visits(*days).with_columns(pl.col("minute").cast(pl.Int64))])

    met = meeting_rows(frame, Bounds())

    assert met.select("src", "dst").rows() == [(1, 2)]
    assert wide_meetings(frame, Bounds()).select("src", "dst").rows() == [(1, 2)]
    usual = place_statistics(frame, Bounds()).select("place", "visits", "near_chance")
    assert usual.rows() == [(1, 4, 1.0), (2, 3, 0.0), (3, 2, 0.0)]


def test_a_crowd_makes_pairs_with_the_next_in_line_only_and_the_rest_is_counted():
    crowd = visits(*({"member": number} for number in range(1000)))

    rows = meeting_rows(crowd, Bounds(near_visits=3))

    assert rows.height == 3 * 997 + 2 + 1
    [usual] = place_statistics(crowd, Bounds(near_visits=3)).to_dicts()
    assert usual["near_cut"] == 1000 * 999 // 2 - rows.height
    assert usual["near_chance"] == 1.0


def test_a_thing_of_too_many_accounts_makes_no_pairs():
    held = pl.DataFrame(
        {
            "kind": "device",
            "thing": [1, 1, *[2] * 61],
            "member": [1, 2, *range(61)],
            "strength": None,
            "share": None,
        },
        schema_overrides={"strength": pl.Float64, "share": pl.Float64},
    )

    rows = sharing_rows(held, Bounds())

    assert rows.select("src", "dst", "strength").rows() == [(1, 2, 1.0)]


def test_the_share_of_a_common_proxy_is_told_for_both_accounts():
    shares = {(1, 7): 0.5, (2, 7): 0.04, (1, 8): 0.1, (2, 8): 0.3}
    held = pl.DataFrame(
        [("proxy", thing, member, None, share) for (member, thing), share in shares.items()],
        schema={"kind": pl.String, "thing": pl.Int64, "member": pl.Int64}
        | {"strength": pl.Float64, "share": pl.Float64},
        orient="row",
    )
    device = held.head(2).with_columns(kind=pl.lit("device"), share=pl.lit(None, pl.Float64))

    rows = sharing_rows(pl.concat([held, device]), Bounds())
    [pair] = pair_sums(rows).to_dicts()
    assert (pair["proxy_share_low"], pair["proxy_share_high"]) == (0.1, 0.5)
    [without] = pair_sums(rows.filter(pl.col("kind") == "device")).to_dicts()
    assert (without["proxy_share_low"], without["proxy_share_high"]) == (0.0, 0.0)


def test_an_account_is_loyal_to_an_operator_whom_others_rarely_meet():
    frame = visits(
        *({"member": 1, "operator": 7, "day": day} for day in range(100, 106)),
        *({"member": 2, "operator": 7, "day": day} for day in range(110, 115)),
        *({"member": 10 + number % 40, "operator": number % 7} for number in range(400)),
    )

    loyal = loyal_accounts(frame, Bounds())

    assert set(loyal["member"]) >= {1, 2}
    # Of two who are loyal both have the operator in common.
    pairs = sharing_rows(loyal, Bounds())
    assert (1, 2) in set(pairs.filter(pl.col("kind") == OPERATOR).select("src", "dst").iter_rows())


def test_once_together_is_no_candidate_and_three_wide_days_need_two_places():
    once = meeting_rows(visits({"member": 1}, {"member": 2}), Bounds())
    assert pair_sums(once).is_empty()

    apart = [
        {"member": member, "place": place, "day": day, "minute": 600 + 100 * member}
        for day, place in ((100, 1), (101, 1), (102, 2))
        for member in (1, 2)
    ]
    found = wide_candidates(wide_meetings(visits(*apart), Bounds()))
    assert found.select("src", "dst", "strength", "gap").rows() == [(1, 2, 3.0, 2)]
    one_place = [row | {"place": 1} for row in apart]
    assert wide_candidates(wide_meetings(visits(*one_place), Bounds())).is_empty()


def traits_of(frame, pieces):
    """Traits with the visits given institution by institution in some order, as tasks would."""
    near = pl.concat(
        [
            empty_evidence(),
            *(meeting_rows(frame.filter(pl.col("place") == p), Bounds()) for p in pieces),
        ]
    )
    places = pl.concat(
        [place_statistics(frame.filter(pl.col("place") == p), Bounds()) for p in pieces]
    ).with_columns(lat=pl.lit(30.0), lon=pl.lit(120.0))
    people = pl.DataFrame({"member": range(1, 25)}).with_columns(
        birth_day=pl.lit(-3000, pl.Int32),
        household=pl.col("member") // 2,
        address=pl.col("member") // 4,
        lat=30.0 + pl.col("member") / 100,
        lon=pl.lit(120.0),
    )
    profiles = (
        account_profiles(frame)
        .join(account_baskets(TAKEN), on="member", how="left")
        .join(people, on="member", how="left")
    )
    ranks = {
        name: rank_shares(profiles.group_by(three_digits(name)).agg(accounts=pl.len()), name)
        for name in RANKED
    }
    pairs = pair_sums(near.sample(fraction=1.0, shuffle=True, seed=len(pieces)))
    return pair_traits(with_profiles(pairs, profiles), with_rarity(places), ranks, 20_000)


def test_traits_do_not_depend_on_how_visits_are_split_or_ordered():
    frame = random_visits(9, 900)

    one = traits_of(frame, [1, 2, 3, 4])
    other = traits_of(frame.sample(fraction=1.0, shuffle=True, seed=3), [4, 2, 1, 3])

    assert one.height > 20
    assert one.equals(other)


def test_expected_meetings_are_those_of_all_common_institutions():
    frame = visits(
        {"member": 1},
        {"member": 2},
        {"member": 1, "day": 101},
        {"member": 2, "day": 101, "minute": 605},
        {"member": 1, "place": 2, "day": 103},
        {"member": 2, "place": 2, "day": 104},
        {"member": 3, "place": 2, "day": 104},
    )

    [pair] = traits_of(frame, [1, 2]).filter((pl.col("src") == 1) & (pl.col("dst") == 2)).to_dicts()

    # Place 1: two of six pairs of visits meet, 2 x 2 visits; place 2: one of three, 1 x 1.
    assert pair["expected_near"] == pytest.approx(4 * 2 / 6 + 1 / 3)
    assert pair["met_days"] == 2
    assert pair["common_places"] == 2
    assert pair["home_km"] == pytest.approx(1.11, abs=0.01)
    assert pair["is_kin"] is False
    assert pair["is_same_address"] == 1.0 * (1 // 4 == 2 // 4)
    assert pair["met_places"] == 1
    assert pair["places_surprise"] == 0
    # (3, 4) and (4, 3): 24 / 25. An ingredient of no value is none.
    assert pair["basket_likeness"] == pytest.approx(0.96)


def test_baskets_with_nothing_in_common_are_not_alike():
    frame = visits(
        *({"member": m, "day": day, "minute": 600 + m} for day in (1, 2) for m in (3, 6, 7, 9))
    )

    found = traits_of(frame, [1]).select("src", "dst", "basket_likeness")

    # Accounts 6 and 9 took one ingredient, 7 another, 3 nothing.
    alike = {(src, dst): likeness for src, dst, likeness in found.iter_rows()}
    assert alike == dict.fromkeys(combinations((3, 6, 7, 9), 2), 0.0) | {(6, 9): 1.0}
