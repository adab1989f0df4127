"""Doctors, counters and shops of a ring, on rings made by hand. No Spark."""

import polars as pl
import pytest

from features.network.ring_parties import ring_counters, ring_doctors, ring_shops

#: A ring of four.
FOUR = pl.DataFrame({"ring_id": "r", "member_id": list("abcd")})


def named(found):
    return {row["subject_id"]: (row["role"], row["role_score"]) for row in found.to_dicts()}


def doctors(rows, place="h"):
    """Accounts of the ring with their main doctor at an institution."""
    names = ("ring_id", "member_id", "institution_id", "doctor_id")
    whole = [("r", who, place, doctor) for who, doctor in rows]
    return pl.DataFrame(whole, schema=dict.fromkeys(names, pl.String), orient="row")


def patients(*rows, place="h"):
    """How many of everybody have each main doctor."""
    kinds = {"institution_id": pl.String, "doctor_id": pl.String, "accounts": pl.Int64}
    return pl.DataFrame([(place, *row) for row in rows], schema=kinds, orient="row")


def test_a_doctor_who_is_the_main_one_of_the_ring_and_of_few_others_is_named():
    mains = doctors([("a", "d"), ("b", "d"), ("c", "d"), ("d", None)])
    found = ring_doctors(mains, patients(("d", 8), ("e", 300), (None, 100)), FOUR)
    assert named(found) == {"d": ("doctor", 0.75)}
    assert found["subject_type"].to_list() == ["doctor"]
    assert found["reasons"].to_list() == [["main_doctor_beyond_others"]]


def test_the_doctor_of_a_village_has_everybody_and_is_not_named():
    mains = doctors([(who, "d") for who in "abcd"])
    assert ring_doctors(mains, patients(("d", 200)), FOUR).is_empty()


def test_the_rings_own_accounts_do_not_make_a_doctor_usual():
    # Two of two. Of ten others nobody: (0 + 1) / (10 + 2) each, one in 144 both.
    mains = doctors([("a", "d"), ("b", "d")])
    assert named(ring_doctors(mains, patients(("d", 2), ("e", 10)), FOUR)) == {"d": ("doctor", 0.5)}
    # Of six others one: (1 + 1) / (6 + 2) each, one in 16 both.
    assert ring_doctors(mains, patients(("d", 3), ("e", 5)), FOUR).is_empty()


def test_one_account_with_a_rare_doctor_names_nobody():
    mains = doctors([("a", "d"), ("b", "e"), ("c", "e"), ("d", "e")])
    assert ring_doctors(mains, patients(("d", 2), ("e", 4000)), FOUR).is_empty()


def test_a_doctor_at_two_institutions_is_named_once():
    mains = pl.concat(
        [
            doctors([("a", "d"), ("b", "d"), ("c", "d")]),
            doctors([(who, "d") for who in "abcd"], place="g"),
        ]
    )
    everybody = pl.concat([patients(("d", 5), ("e", 500), place=place) for place in ("h", "g")])
    assert named(ring_doctors(mains, everybody, FOUR)) == {"d": ("doctor", 1.0)}


def test_of_many_doctors_one_in_twenty_may_be_named_by_chance():
    # Two of two at a chance of 3 in 100 is one in 900: enough alone, not among 400 that were asked about.
    pair = doctors([("a", "d"), ("b", "d")])
    everybody = patients(("d", 4), ("e", 96))
    assert named(ring_doctors(pair, everybody, FOUR)) == {"d": ("doctor", 0.5)}
    others = [doctors([("c", "e")]).with_columns(ring_id=pl.lit(f"r{n}")) for n in range(400)]
    assert ring_doctors(pl.concat([pair, *others]), everybody, FOUR).is_empty()


def mains(*rows, area="1/1"):
    kinds = dict.fromkeys(("ring_id", "member_id", "area", "institution_id"), pl.String)
    return pl.DataFrame(
        [("r", who, area, where) for who, where in rows], schema=kinds, orient="row"
    )


def neighbours(*rows, area="1/1"):
    kinds = {"area": pl.String, "institution_id": pl.String, "accounts": pl.Int64}
    return pl.DataFrame([(area, *row) for row in rows], schema=kinds, orient="row")


def test_a_main_counter_that_neighbours_do_not_have_is_a_pharmacy_of_the_ring():
    found = ring_counters(
        mains(("a", "p"), ("b", "p"), ("c", "p"), ("d", None)),
        neighbours(("p", 5), ("q", 60), (None, 100)),
        FOUR,
    )
    assert named(found) == {"p": ("pharmacy", 0.75)}
    assert found["reasons"].to_list() == [["main_counter_beyond_neighbours"]]


def test_the_main_counter_of_everybody_around_is_not_named():
    found = ring_counters(
        mains(("a", "p"), ("b", "p"), ("c", "p"), ("d", None)),
        neighbours(("p", 130), ("q", 20), (None, 20)),
        FOUR,
    )
    assert found.is_empty()


def test_each_account_is_compared_with_its_own_neighbours():
    far = mains(("c", "p"), ("d", "p"), area="9/9")
    found = ring_counters(
        pl.concat([mains(("a", "p"), ("b", "p")), far]),
        # Around a and b everybody goes to p; where c and d live, nobody else does.
        pl.concat([neighbours(("p", 100), ("q", 2)), neighbours(("p", 2), ("q", 98), area="9/9")]),
        FOUR,
    )
    # Four of four at a mean chance of (99/102 + 1/100) / 2, a half: one in sixteen.
    assert found.is_empty()


def boxes(*rows):
    names = ("ring_id", "member_id", "institution_id", "shop")
    kinds = dict.fromkeys(names, pl.String) | {"boxes": pl.Int64}
    return pl.DataFrame([("r", *row) for row in rows], schema=kinds, orient="row")


def usual(*rows):
    kinds = {"institution_id": pl.String, "boxes": pl.Int64, "resold": pl.Int64}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def test_a_shop_where_boxes_of_the_ring_come_up_again_is_a_seller():
    sold = boxes(("a", "p", None, 50), ("a", "p", "s", 2), ("b", "p", "s", 1))
    # Three where one in a thousand, of 53, is seen again anywhere.
    found = ring_shops(sold, usual(("p", 10_000, 10)), FOUR)
    assert named(found) == {"s": ("seller", 0.5)}
    assert found["reasons"].to_list() == [["boxes_of_the_ring_sold_again"]]


@pytest.mark.parametrize(("again", "careless"), [(1, 1), (3, 200)])
def test_a_mistyped_code_or_careless_counters_make_nobody_a_seller(again, careless):
    # One box is never enough; three of 100 are not where the counter's boxes are seen again once in fifty.
    sold = boxes(("a", "p", None, 100), ("b", "p", "s", again))
    assert ring_shops(sold, usual(("p", 10_000, careless)), FOUR).is_empty()


def test_a_counter_that_served_the_ring_alone_is_taken_for_a_usual_one():
    sold = boxes(("a", "p", None, 100), ("b", "p", "s", 2))
    assert not ring_shops(sold, usual(("q", 10_000, 2)), FOUR).is_empty()
    assert ring_shops(sold, usual(("q", 10_000, 190)), FOUR).is_empty()


def test_a_counter_with_few_other_boxes_is_as_careless_as_all_are():
    sold = boxes(("a", "p", None, 100), ("b", "p", "s", 3))
    assert ring_shops(sold, usual(("p", 10, 0), ("q", 10_000, 190)), FOUR).is_empty()


def test_carelessness_excuses_no_more_than_one_box_in_fifty():
    # Seven of 107, where chance gives at most two.
    sold = boxes(("a", "p", None, 100), ("b", "p", "s", 7))
    assert named(ring_shops(sold, usual(("p", 10_000, 1_000)), FOUR)) == {"s": ("seller", 0.25)}


def test_without_doctors_homes_or_scans_nothing_is_said():
    assert ring_doctors(doctors([]), patients(), FOUR).is_empty()
    assert ring_counters(mains(), neighbours(), FOUR).is_empty()
    assert ring_shops(boxes(), usual(), FOUR).is_empty()
    # Boxes of the ring alone: there is nothing to compare with.
    assert ring_shops(boxes(("a", "p", "s", 5)), usual(), FOUR).is_empty()
