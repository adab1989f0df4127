import polars as pl
import pytest

from models.ring_judgement import RingTruth, ring_figures


def truth():
    """Gang A of five cards and an organiser, gang B of four; lone c; honest h."""
    people = [(f"a{n}", "A", "card_holder") for n in range(5)] + [("boss", "A", "organiser")]
    people += [(f"b{n}", "B", "card_holder") for n in range(4)]
    frame = pl.DataFrame(people, schema=["member_id", "gang_id", "role"], orient="row")
    gangs = pl.DataFrame(
        [("A", "rented_cards", 90, "boss"), ("B", "cold_chain", 90, None)],
        schema=["gang_id", "typology", "days", "organiser_id"],
        orient="row",
    )
    benign = pl.DataFrame({"member_id": ["h1", "h2", "h3"], "benign_type": ["couple"] * 3})
    cards = frozenset(name for name, _, role in people if role == "card_holder")
    return RingTruth(frame, cards, gangs, benign)


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


@pytest.fixture(scope="module")
def figures():
    found = ring_figures(FOUND, truth())
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


def test_two_gangs_in_one_ring_are_over_merged():
    both = rings(*(("r", 1, name, "card_holder", 1) for name in ("a0", "a1", "b0", "b1")))
    found = {each.measure: each.value for each in ring_figures(both, truth())}
    assert found["over_merged"] == 1.0
    assert found["ring_recall"] == 0.5
