import networkx as nx
import numpy as np
import polars as pl
import pytest

from features.network.ring_history import ring_names
from features.network.rings import (
    RingRules,
    communities,
    components_in_one_task,
    standing_rings,
)


@pytest.mark.parametrize("seed", range(5))
def test_components_are_those_of_networkx(seed):
    draw = np.random.default_rng(seed)
    pairs = draw.integers(-50, 50, (60, 2)) * 10**15
    edges = pl.DataFrame(pairs, schema=["src", "dst"], orient="row")
    # Doubles, both directions, self-loops.
    edges = pl.concat([edges, edges.head(9).select(src="dst", dst="src"), edges.head(5)])
    edges = pl.concat([edges, pl.DataFrame({"src": [7], "dst": [7]})])

    found = components_in_one_task(edges)

    expected = {
        node: min(part) for part in nx.connected_components(nx.Graph(edges.rows())) for node in part
    }
    assert dict(found.iter_rows()) == expected


def test_components_of_nothing_and_of_null_ends_are_none():
    edges = pl.DataFrame({"src": ["a", None], "dst": [None, "b"]})
    assert components_in_one_task(edges).is_empty()


def clique(names, component="c", probability=0.9):
    return [
        {"src": a, "dst": b, "probability": probability, "component": component}
        for place, a in enumerate(names)
        for b in names[place + 1 :]
    ]


def test_two_rings_with_one_link_between_them_are_told_apart():
    one, two = ["a1", "a2", "a3", "a4"], ["b1", "b2", "b3", "b4"]
    between = [{"src": "a1", "dst": "b1", "probability": 0.6, "component": "c"}]
    links = pl.DataFrame(clique(one) + clique(two) + between)

    found = dict(communities(links, 0.2).iter_rows())

    assert found == dict.fromkeys(one, "a1") | dict.fromkeys(two, "b1")


def test_communities_do_not_depend_on_order_or_on_other_components():
    draw = np.random.default_rng(1)
    rows = [
        {
            "src": f"m{a:02}",
            "dst": f"m{b:02}",
            "probability": float(draw.random()),
            "component": "c",
        }
        for a in range(30)
        for b in range(a + 1, 30)
        if draw.random() < 0.3
    ]
    links = pl.DataFrame(rows)
    alone = communities(links, 0.1)

    other = pl.DataFrame(clique(["x1", "x2", "x3"], "a"))
    both = communities(pl.concat([other, links]).sample(fraction=1, shuffle=True, seed=2), 0.1)

    assert both.filter(pl.col("member").str.starts_with("m")).equals(alone)


def weighed(rows):
    return pl.DataFrame(rows).with_columns(
        weight=(pl.col("probability") / (1 - pl.col("probability"))).log(),
        first_date=pl.lit(None, pl.Date),
        last_date=pl.lit(None, pl.Date),
    )


def test_a_ring_stands_with_enough_accounts_and_density_and_more_links_than_chance():
    chain = [
        {"src": f"z{n}", "dst": f"z{n + 1}", "probability": 0.9, "component": "z"} for n in range(9)
    ]
    # Nine links of 45 pairs are too thin.
    rules = RingRules(min_density=0.3)
    links = weighed(clique(["a", "b", "c", "d"]) + clique(["p", "q"], "p") + chain)
    members = pl.DataFrame(
        {
            "member": ["a", "b", "c", "d", "p", "q", *(f"z{n}" for n in range(10))],
            "community": ["a"] * 4 + ["p"] * 2 + ["z0"] * 10,
        }
    )

    rings, people = standing_rings(links, members, 10_000, rules)

    [ring] = rings.to_dicts()
    assert (ring["community"], ring["accounts"], ring["links"], ring["density"]) == ("a", 4, 6, 1.0)
    assert ring["confidence"] == pytest.approx(0.9)
    assert people["member"].to_list() == ["a", "b", "c", "d"]
    # Among four accounts in all, six links of sixteen thrown are nothing.
    assert standing_rings(links, members, 17, rules)[0].is_empty()


def named(**groups):
    return {name: frozenset(members) for name, members in groups.items()}


def test_a_ring_keeps_its_id_while_members_come_and_go():
    first, born = ring_names(named(a="abcd"), {})
    [ring] = first.values()
    assert born[0]["event"] == "born"

    second, events = ring_names(named(b="bcde"), {ring: frozenset("abcd")})

    assert second == {"b": ring}
    assert events == [
        {
            "ring_id": ring,
            "event": "continued",
            "accounts": 4,
            "joined": 1,
            "departed": 1,
            "other_ring_ids": [],
        }
    ]


def test_a_merge_keeps_the_larger_id_and_names_the_one_taken_in():
    ids, events = ring_names(named(a="abcdefg"), named(r1="abcd", r2="efg"))

    assert ids == {"a": "r1"}
    found = {each["ring_id"]: (each["event"], each["other_ring_ids"]) for each in events}
    assert found == {"r1": ("merged", ["r2"]), "r2": ("ended", ["r1"])}


def test_a_split_leaves_the_id_with_the_larger_part():
    ids, events = ring_names(named(a="abcd", e="efg"), named(r1="abcdefg"))

    assert ids["a"] == "r1"
    assert ids["e"] != "r1"
    found = {each["ring_id"]: (each["event"], each["other_ring_ids"]) for each in events}
    assert found == {"r1": ("continued", []), ids["e"]: ("split", ["r1"])}


def test_a_ring_that_is_gone_has_ended_and_a_stranger_is_born():
    ids, events = ring_names(named(x="xyz"), named(r1="abcd"))

    found = {each["ring_id"]: each["event"] for each in events}
    assert found == {"r1": "ended", ids["x"]: "born"}


def test_ids_do_not_depend_on_the_order_of_groups():
    before = named(r1="abcd", r2="efgh")
    groups = {"a": frozenset("abef"), "c": frozenset("cdgh")}
    one, _ = ring_names(groups, before)
    two, _ = ring_names(dict(reversed(groups.items())), dict(reversed(before.items())))
    assert one == two
