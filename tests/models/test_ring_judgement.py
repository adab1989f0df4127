from datetime import date

import polars as pl
import pytest

from models.ring_judgement import gangs_hit, ring_figures
from models.ring_role_judgement import discovery_figures
from models.ring_truth import RingTruth


def truth():
    """Gang A of five cards and an organiser, gang B of four; lone c; honest h."""
    people = [(f"a{n}", "A", "card_holder") for n in range(5)] + [("boss", "A", "organiser")]
    people += [(f"b{n}", "B", "card_holder") for n in range(4)]
    frame = pl.DataFrame(people, schema=["member_id", "gang_id", "role"], orient="row")
    gangs = pl.DataFrame(
        [
            ("A", "rented_cards", 90, "boss", 0.9, date(2024, 12, 1)),
            ("B", "cold_chain", 90, None, 0.1, date(2025, 3, 1)),
        ],
        schema=["gang_id", "typology", "days", "organiser_id", "skill", "active_from"],
        orient="row",
    )
    parties = pl.DataFrame(
        [
            ("A", "doctor", "d1", "doctor"),
            ("A", "institution", "p1", "pharmacy"),
            ("B", "institution", "p2", "pharmacy"),
        ],
        schema=["gang_id", "subject_type", "subject_id", "role"],
        orient="row",
    )
    benign = pl.DataFrame({"member_id": ["h1", "h2", "h3"], "benign_type": ["couple"] * 3})
    cards = frozenset(name for name, _, role in people if role == "card_holder")
    return RingTruth(frame, cards, gangs, benign, parties)


def rings(*rows):
    names = ["ring_id", "ring_rank", "member_id", "role", "organiser_rank"]
    return pl.DataFrame(rows, schema=names, orient="row")


FOUND = rings(
    *(("r1", 1, f"a{n}", "card_holder", n + 2) for n in range(3)),
    ("r1", 1, "boss", "organiser", 1),
    *(("r2", 2, f"h{n}", "card_holder", n) for n in (1, 2, 3)),
    ("r3", 3, "b0", "victim", 1),
    *(("r3", 3, f"x{n}", "card_holder", n + 2) for n in range(3)),
)


PARTIES = pl.DataFrame(
    [
        ("r1", "doctor", "d1", "doctor"),
        ("r1", "institution", "p9", "pharmacy"),
        ("r1", "institution", "s1", "seller"),
        ("r2", "doctor", "d1", "doctor"),
    ],
    schema=["ring_id", "subject_type", "subject_id", "role"],
    orient="row",
)


@pytest.fixture(scope="module")
def figures():
    found = ring_figures(FOUND, PARTIES, truth())
    return {(each.measure, each.slice): (each.value, each.n) for each in found}


def test_a_hit_has_half_of_the_cards_and_half_of_the_members(figures):
    # r1 has three of five cards and is pure; r3 has one of four.
    assert figures["ring_recall", ""] == (0.5, 2)
    assert figures["ring_recall_by_typology", "rented_cards"] == (1.0, 1)
    assert figures["ring_recall_by_typology", "cold_chain"] == (0.0, 1)
    assert figures["purity_of_hits", ""] == (1.0, 1)
    assert figures["purity", ""] == (pytest.approx((1 + 0 + 0.25) / 3), 3)
    assert figures["mostly_one_gang_of_first_20", ""] == (pytest.approx(1 / 3), 3)


def test_honest_rings_are_named_by_their_group(figures):
    assert figures["benign_rings", ""] == (pytest.approx(2 / 3), 3)
    assert figures["benign_rings_by_group", "couple"] == (pytest.approx(1 / 3), 1)
    assert figures["benign_rings_by_group", "ordinary"] == (pytest.approx(1 / 3), 1)


def test_b_cubed_is_as_by_hand(figures):
    # In r1 each of four is right about all; three honest ones and three strangers about themselves of
    # three and four; b0 about itself of four.
    precision = (4 * 1 + 3 * (1 / 3) + 3 * (1 / 4) + 1 / 4) / 11
    # Gang A: four find four of six, two are in no ring; gang B: each finds itself of four.
    recall = (4 * 4 / 6 + 2 * 1 / 6 + 4 * 1 / 4) / 10
    assert figures["b_cubed_precision", ""][0] == pytest.approx(precision)
    assert figures["b_cubed_recall", ""][0] == pytest.approx(recall)


def test_roles_and_organisers_are_judged_where_a_gang_is_hit(figures):
    assert figures["organiser_in_first_3", ""] == (1.0, 1)
    # Card holders: three of five right, nobody wrong; the organiser right.
    assert figures["role_macro_f1", ""][0] == pytest.approx((2 * 3 / (2 * 3 + 2) + 1) / 2)


def test_roles_are_judged_by_typology_and_skill_and_each_for_itself(figures):
    assert figures["role_macro_f1_by_typology", "rented_cards"] == figures["role_macro_f1", ""]
    assert figures["role_macro_f1_by_skill", "0.5 and more"] == figures["role_macro_f1", ""]
    assert figures["organiser_in_first_3_by_typology", "rented_cards"] == (1.0, 1)
    assert figures["organiser_in_first_3_by_skill", "0.5 and more"] == (1.0, 1)
    assert figures["ring_recall_by_skill", "below 0.5"] == (0.0, 1)
    # Gang B is hit by no ring, so nothing of it is judged.
    assert ("role_macro_f1_by_typology", "cold_chain") not in figures
    assert figures["role_recall", "card_holder"] == (pytest.approx(3 / 5), 5)


def test_doctors_and_institutions_of_a_hit_gang_are_judged_and_shops_are_not(figures):
    assert figures["role_precision", "doctor"] == (1.0, 1)
    assert figures["role_recall", "doctor"] == (1.0, 1)
    assert figures["role_precision", "pharmacy"] == (0.0, 1)
    assert figures["role_recall", "pharmacy"] == (0.0, 1)
    assert ("role_precision", "seller") not in figures


def test_a_gang_waits_from_its_start_or_the_first_claim_to_its_first_ring():
    days = {
        date(2025, 6, 1): ["A", "B"],
        date(2025, 5, 1): ["A"],
        date(2025, 4, 1): gangs_hit(FOUND.filter(pl.col("ring_id") == "r2"), truth()),
    }
    found = discovery_figures(days, truth(), date(2025, 1, 1))
    waited = {(each.measure, each.slice): (each.value, each.n) for each in found}
    # A is older than the claims: 120 days from January 1 to May 1; B 92 from March 1 to June 1.
    assert waited["days_to_discovery", ""] == (106.0, 2)
    assert waited["days_to_discovery_by_typology", "rented_cards"] == (120.0, 1)
    assert waited["days_to_discovery_by_skill", "below 0.5"] == (92.0, 1)


def test_two_gangs_in_one_ring_are_over_merged():
    both = rings(*(("r", 1, name, "card_holder", 1) for name in ("a0", "a1", "b0", "b1")))
    found = {each.measure: each.value for each in ring_figures(both, PARTIES.clear(), truth())}
    assert found["over_merged"] == 1.0
    assert found["ring_recall"] == 0.5
