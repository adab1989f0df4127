import polars as pl

from features.network.roles import carriers_of_rings, role_rows, unseen_heads


def ring(names, ring_id="r"):
    return pl.DataFrame({"ring_id": ring_id, "member": list(names), "strength": [2.0] * len(names)})


def visited(names, place="p", visits=6, ring_id="r"):
    return pl.DataFrame(
        {"ring_id": ring_id, "member_id": list(names), "institution_id": place, "visits": visits}
    )


def carried(*rows):
    names = ["ring_id", "member_id", "carrier_kind", "carrier", "visits"]
    kinds = dict.fromkeys(names[:-1], pl.String) | {"visits": pl.Int64}
    return pl.DataFrame([("r", *row) for row in rows], schema=kinds, orient="row")


def parties(*rows):
    """Doctors and institutions: kind, subject, role and the reason."""
    kinds = {"ring_id": pl.String, "subject_type": pl.String, "subject_id": pl.String}
    kinds |= {"role": pl.String, "role_score": pl.Float64, "reasons": pl.List(pl.String)}
    whole = [("r", kind, subject, role, 0.5, [why]) for kind, subject, role, why in rows]
    return pl.DataFrame(whole, schema=kinds, orient="row")


def roles(members, carriers, others=None):
    rows = role_rows(members, carriers, parties() if others is None else others)
    return {
        (row["subject_type"], row["subject_id"]): (row["role"], row["organiser_rank"])
        for row in rows.to_dicts()
    }


def test_who_carries_most_of_a_ring_heads_it_and_another_carrier_collects():
    visits = visited("abcd")
    of_boss = [(each, "member", "boss", 3) for each in "abc"]
    of_runner = [(each, "member", "runner", 3) for each in "cd"]
    once = ("d", "member", "a", 1)
    carriers = carriers_of_rings(carried(*of_boss, *of_runner, once), visits)

    rows = role_rows(ring("abcd"), carriers, parties())

    found = roles(ring("abcd"), carriers)
    assert found["member", "boss"] == ("organiser", 1)
    assert found["member", "runner"] == ("collector", 2)
    # One account, and that once: with a card in the ring, a card holder.
    assert found["member", "a"][0] == "card_holder"
    assert found["member", "b"][0] == "card_holder"
    assert unseen_heads(rows).rows() == [("r", False)]


def test_nobody_is_an_organiser_without_another_collector_or_with_an_equal_one():
    visits = visited("abcd")
    alone = [(each, "member", "one", 3) for each in "abcd"]
    equal = [(each, "member", "two", 3) for each in "abcd"]

    found = roles(ring("abcd"), carriers_of_rings(carried(*alone), visits))
    both = roles(ring("abcd"), carriers_of_rings(carried(*alone, *equal), visits))

    assert found["member", "one"] == ("collector", 1)
    assert (both["member", "one"][0], both["member", "two"][0]) == ("collector", "collector")


def test_cards_that_are_shown_for_each_other_make_nobody_a_collector():
    visits = visited("abc")
    pairs = ["ab", "ac", "ba", "bc", "ca", "cb"]
    carriers = carriers_of_rings(carried(*((x, "member", y, 1) for x, y in pairs)), visits)

    rows = role_rows(ring("abc"), carriers, parties())

    assert set(rows.filter(pl.col("subject_type") == "member")["role"]) == {"card_holder"}
    assert unseen_heads(rows).rows() == [("r", True)]
    # Who carries two, and is carried by one, collects.
    some = carried(*((x, "member", y, 1) for x, y in ["ba", "ca", "ab"]))
    assert roles(ring("abc"), carriers_of_rings(some, visits))["member", "a"] == ("collector", 1)


def test_a_relative_who_comes_for_one_account_takes_no_part():
    visits = visited("abc")
    one = ("a", "member", "daughter", 9)
    two = [(each, "member", "boss", 3) for each in "bc"]

    found = roles(ring("abc"), carriers_of_rings(carried(one, *two), visits))

    assert ("member", "daughter") not in found
    assert found["member", "boss"] == ("collector", 1)
    alone = role_rows(ring("abc"), carriers_of_rings(carried(one), visits), parties())
    assert unseen_heads(alone).rows() == [("r", True)]


def test_cards_alone_have_an_unseen_head():
    visits = visited("abc")
    rows = role_rows(ring("abc"), carriers_of_rings(carried(), visits), parties())
    assert set(rows.filter(pl.col("subject_type") == "member")["role"]) == {"card_holder"}
    assert unseen_heads(rows).rows() == [("r", True)]


def test_holders_whom_one_operator_serves_and_nobody_carries_are_victims():
    visits = visited("abc")
    carriers = carriers_of_rings(
        carried(*((each, "operator", "p/o1", 5) for each in "abc")), visits
    )

    found = roles(ring("abc"), carriers)

    assert found["member", "a"][0] == "victim"
    assert found["operator", "p/o1"] == ("dispenser", None)


def test_an_operator_among_several_is_nobodys_keeper():
    visits = visited("abc", visits=20)
    carriers = carriers_of_rings(
        carried(*((each, "operator", "p/o1", 5) for each in "abc")), visits
    )
    assert roles(ring("abc"), carriers)["member", "a"][0] == "card_holder"


def test_a_phone_that_shows_several_vouchers_is_a_collectors():
    visits = visited("abcd")
    carriers = carriers_of_rings(
        carried(*((each, "phone", "f00d", 2) for each in "ab"), ("c", "phone", "beef", 2)), visits
    )
    found = roles(ring("abcd"), carriers)
    assert found["phone", "f00d"] == ("collector", None)
    assert ("phone", "beef") not in found


def test_a_counter_that_also_sells_boxes_again_has_one_row_with_both_reasons():
    others = parties(
        ("institution", "p", "seller", "boxes_of_the_ring_sold_again"),
        ("institution", "p", "pharmacy", "main_counter_beyond_neighbours"),
        ("doctor", "d", "doctor", "main_doctor_beyond_others"),
    )
    rows = role_rows(ring("abc"), carriers_of_rings(carried(), visited("abc")), others)
    [counter] = rows.filter(pl.col("subject_type") == "institution").to_dicts()
    assert (counter["subject_id"], counter["role"]) == ("p", "pharmacy")
    assert counter["reasons"] == ["main_counter_beyond_neighbours", "boxes_of_the_ring_sold_again"]
    assert rows.filter(pl.col("role") == "doctor")["organiser_rank"].to_list() == [None]
