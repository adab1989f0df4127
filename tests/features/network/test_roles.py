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


def roles(members, carriers, visits):
    rows = role_rows(members, carriers, visits)
    return {
        (row["subject_type"], row["subject_id"]): (row["role"], row["organiser_rank"])
        for row in rows.to_dicts()
    }


def test_who_carries_most_of_a_ring_heads_it_and_another_carrier_collects():
    visits = visited("abcd")
    carriers = carriers_of_rings(
        carried(*((each, "member", "boss", 3) for each in "abc"), ("d", "member", "a", 2)), visits
    )

    rows = role_rows(ring("abcd"), carriers, visits)

    found = roles(ring("abcd"), carriers, visits)
    assert found["member", "boss"] == ("organiser", 1)
    assert found["member", "a"] == ("collector", 2)
    assert found["member", "b"][0] == "card_holder"
    assert unseen_heads(rows).rows() == [("r", False)]


def test_a_relative_who_comes_for_one_account_takes_no_part():
    visits = visited("abc")
    one = ("a", "member", "daughter", 9)
    two = [(each, "member", "boss", 3) for each in "bc"]

    found = roles(ring("abc"), carriers_of_rings(carried(one, *two), visits), visits)

    assert ("member", "daughter") not in found
    assert found["member", "boss"] == ("organiser", 1)
    alone = role_rows(ring("abc"), carriers_of_rings(carried(one), visits), visits)
    assert unseen_heads(alone).rows() == [("r", True)]


def test_cards_alone_have_an_unseen_head():
    visits = visited("abc")
    rows = role_rows(ring("abc"), carriers_of_rings(carried(), visits), visits)
    assert set(rows.filter(pl.col("subject_type") == "member")["role"]) == {"card_holder"}
    assert unseen_heads(rows).rows() == [("r", True)]


def test_holders_whom_one_operator_serves_and_nobody_carries_are_victims():
    visits = visited("abc")
    carriers = carriers_of_rings(
        carried(*((each, "operator", "p/o1", 5) for each in "abc")), visits
    )

    found = roles(ring("abc"), carriers, visits)

    assert found["member", "a"][0] == "victim"
    assert found["operator", "p/o1"] == ("dispenser", None)
    assert found["institution", "p"] == ("pharmacy", None)


def test_an_operator_among_several_is_nobodys_keeper():
    visits = visited("abc", visits=20)
    carriers = carriers_of_rings(
        carried(*((each, "operator", "p/o1", 5) for each in "abc")), visits
    )
    assert roles(ring("abc"), carriers, visits)["member", "a"][0] == "card_holder"


def test_a_phone_that_shows_several_vouchers_is_a_collectors():
    visits = visited("abcd")
    carriers = carriers_of_rings(
        carried(*((each, "phone", "f00d", 2) for each in "ab"), ("c", "phone", "beef", 2)), visits
    )
    found = roles(ring("abcd"), carriers, visits)
    assert found["phone", "f00d"] == ("collector", None)
    assert ("phone", "beef") not in found
