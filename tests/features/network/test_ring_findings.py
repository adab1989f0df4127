from itertools import product

import numpy as np
import polars as pl
import pytest

from features.network.ring_findings import RingEvidence, codes_of_rings, ring_findings
from features.network.roles import carriers_of_rings
from features.network.rotation import false_discovery, rotation


def months(*rows):
    return np.array([[mark == "x" for mark in row] for row in rows])


def carried(*rows):
    return pl.DataFrame(
        [("r", *row) for row in rows],
        schema={"ring_id": pl.String, "member_id": pl.String, "carrier_kind": pl.String}
        | {"carrier": pl.String, "visits": pl.Int64},
        orient="row",
    )


def evidence(names, carriers=(), places=("p",), homes=None, used=(), kin=()):
    visited = pl.DataFrame(
        [("r", name, place, 6) for name in names for place in places],
        schema={"ring_id": pl.String, "member_id": pl.String, "institution_id": pl.String}
        | {"visits": pl.Int64},
        orient="row",
    )
    pairs = carried(*carriers)
    text = {"ring_id": pl.String, "member_id": pl.String, "month": pl.Int64}
    return RingEvidence(
        members=pl.DataFrame(
            {"ring_id": ["r" for _ in names], "member": list(names)},
            schema={"ring_id": pl.String, "member": pl.String},
        ),
        carriers=carriers_of_rings(pairs, visited),
        carried=pairs,
        homes=pl.DataFrame(
            {"member_id": list(names), "household_id": list(homes or names)},
            schema={"member_id": pl.String, "household_id": pl.String},
        ),
        visited=visited,
        used=pl.DataFrame([("r", *row) for row in used], schema=text, orient="row"),
        kin_links=pl.DataFrame(
            [("r", *row) for row in kin],
            schema=dict.fromkeys(("ring_id", "kin", "kin_of"), pl.String),
            orient="row",
        ),
    )


def found(*args, **more):
    return {row["finding"]: row for row in ring_findings(evidence(*args, **more)).to_dicts()}


def test_the_chance_of_a_rotation_is_that_of_all_beginnings():
    used = months("xx....", "..xx..", "....xx", "......", "xxxxxx")
    test = rotation(used)
    assert test is not None
    # Each beginning of each card, written out.
    counts = []
    for shifts in product(range(6), repeat=3):
        n = sum(np.roll(row, by).astype(int) for row, by in zip(used[:3], shifts, strict=True))
        counts.append((n * (n - 1) // 2).sum())
    assert test.together == 0
    assert test.expected == pytest.approx(np.mean(counts))
    assert test.chance == pytest.approx(np.mean([each == 0 for each in counts]), abs=0.01)
    # In the order of use; what is never used comes last.
    assert test.order == (0, 1, 4, 2, 3)


def test_cards_that_are_used_together_do_not_rotate():
    together = rotation(months("xxx...", "xxx...", ".xxx..", "xxx..."))
    assert together is not None
    assert together.chance > 0.9


@pytest.mark.parametrize(
    "used",
    [months("xx..", "..xx"), months("x..", ".x.", "..x"), months("xxxx", "xxxx", "....", "x...")],
)
def test_too_few_cards_or_months_are_not_tested(used):
    assert rotation(used) is None


def test_of_many_tests_only_those_stand_that_chance_does_not_give():
    assert false_discovery([0.001, 0.04, 0.5, 0.9], 0.05) == [True, False, False, False]
    assert false_discovery([0.03, 0.04, 0.045, 0.05], 0.05) == [True] * 4
    assert false_discovery([], 0.05) == []


def test_chance_alone_seldom_makes_a_rotation():
    draw = np.random.default_rng(5)
    chances = []
    for _ in range(150):
        length = draw.integers(2, 8, 6)
        rows = [np.roll(np.arange(12) < n, draw.integers(0, 12)) for n in length]
        test = rotation(np.array(rows))
        assert test is not None
        chances.append(test.chance)
    # A test's chances are spread evenly, or lie higher.
    assert np.mean(np.array(chances) <= 0.05) <= 0.1


def test_rotation_is_a_finding_with_its_numbers():
    names = "abcdef"
    used = [(name, 24000 + 2 * at + n) for at, name in enumerate(names) for n in (0, 1)]
    row = found(names, used=used)["rotation"]
    assert row["holds"]
    assert (row["value"], row["accounts"]) == (0.0, 6)
    assert row["expected"] == pytest.approx(15 * 4 / 12)
    assert row["significance"] >= 2
    assert row["subject_ids"] == list(names)


def test_one_who_carries_the_others_splits_the_roles_and_neighbours_who_carry_each_other_do_not():
    carriers = [(name, "member", "boss", 3) for name in "abcdef"]
    row = found("abcdef", carriers)["role_split"]
    assert row["holds"]
    assert (row["value"], row["accounts"], row["subject_ids"]) == (1.0, 6, ["boss"])
    assert row["expected"] == pytest.approx(1 / 6)

    mutual = [(one, "member", other, 3) for one in "abcdef" for other in "abcdef" if one != other]
    assert "role_split" not in found("abcdef", mutual)
    # Two of two may be chance.
    assert not found("ab", [(name, "member", "boss", 3) for name in "ab"])["role_split"]["holds"]


def test_kin_outside_the_ring_is_listed_as_kin():
    row = found("abc", kin=[("wife", "a"), ("son", "a"), ("wife", "b")])["linked_kin"]
    assert (row["value"], row["accounts"], row["subject_ids"]) == (2.0, 2, ["son", "wife"])
    assert (row["expected"], row["significance"]) == (None, None)


def test_findings_say_how_a_ring_works():
    given = evidence(
        "abcd",
        [(each, "phone", "f", 2) for each in "ab"],
        places=("p", "q", "s"),
        homes=["h", "h", "i", "j"],
    )
    rows = ring_findings(given)
    by_code = {row["finding"]: row for row in rows.to_dicts()}
    assert codes_of_rings(given.members, rows).to_dicts() == [
        {"ring_id": "r", "findings": ["family", "many_places", "shared_credentials"]}
    ]
    assert by_code["family"]["subject_ids"] == ["a", "b"]
    assert by_code["many_places"]["subject_ids"] == ["p", "q", "s"]
    assert (by_code["shared_credentials"]["value"], by_code["shared_credentials"]["accounts"]) == (
        0.5,
        2,
    )


def test_a_ring_without_any_finding_has_an_empty_list():
    given = evidence("abcd", places=("p",))
    codes = codes_of_rings(given.members, ring_findings(given))
    assert codes.to_dicts() == [{"ring_id": "r", "findings": []}]


def test_no_rings_have_no_findings():
    none = evidence("")
    rows = ring_findings(none)
    assert rows.is_empty()
    assert codes_of_rings(none.members, rows).is_empty()
