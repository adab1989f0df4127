"""A list of accounts against a truth that is small enough to count by hand."""

import random
from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score

from models.detection import (
    Figure,
    Truth,
    average_precision,
    days_to_detection,
    figures,
    pooled_interval,
    reranked,
)

ACTIVE = {"a": date(2025, 1, 10), "b": date(2025, 3, 1), "c": date(2025, 2, 1), "d": None}


@pytest.fixture
def truth():
    """Four accounts of 400 people are in fraud, for 1,000 yuan in all; places 1 to 4 are seen."""
    accounts = pl.DataFrame(
        {
            "member_id": ["a", "b", "c", "d"],
            "typology": ["rented_cards", "rented_cards", "lone", "unknown"],
            "active_from": list(ACTIVE.values()),
            "loss": [500.0, 100.0, 300.0, 100.0],
        }
    )
    benign = pl.DataFrame(
        {
            "member_id": ["x", "y", "z", "a", "u"],
            "benign_type": ["dialysis", "dialysis", "dialysis", "dialysis", "carer"],
        }
    )
    return Truth(accounts, benign, insured=400)


def ranked(*members):
    return pl.DataFrame({"member_id": members, "rank": range(1, len(members) + 1)})


def told(found, measure):
    return {each.slice: (each.value, each.n) for each in found if each.measure == measure}


def test_figures_are_those_counted_by_hand(truth):
    found = figures(ranked("a", "x", "c", "u", "b", "w"), truth, [2, 5])
    # Hits at places 1, 3 and 5; d is not listed and never found.
    assert told(found, "average_precision") == {"": (pytest.approx((1 + 2 / 3 + 3 / 5) / 4), 4)}
    assert told(found, "precision") == {"2": (0.5, 2), "5": (0.6, 5), "1%": (0.5, 4)}
    assert told(found, "recall") == {"2": (0.25, 4), "5": (0.75, 4), "1%": (0.5, 4)}
    assert told(found, "loss_recall") == {"2": (0.5, 4), "5": (0.9, 4), "1%": (0.8, 4)}
    # One account in a hundred is in fraud.
    assert told(found, "lift") == {
        "2": (pytest.approx(50), 2),
        "5": (pytest.approx(60), 5),
        "1%": (pytest.approx(50), 4),
    }
    assert told(found, "recall_by_typology") == {
        "lone": (1.0, 1),
        "rented_cards": (0.5, 2),
        "unknown": (0.0, 1),
    }
    assert told(found, "loss_recall_by_typology") == {
        "lone": (1.0, 1),
        "rented_cards": (pytest.approx(500 / 600), 2),
        "unknown": (0.0, 1),
    }
    # x alone of the three dialysis patients who are in no fraud, and the carer.
    assert told(found, "false_alarms_by_benign") == {
        "carer": (1.0, 1),
        "dialysis": (pytest.approx(1 / 3), 3),
    }


def test_a_list_shorter_than_a_capacity_is_judged_by_the_capacity(truth):
    found = figures(ranked("a", "b"), truth, [10])
    assert told(found, "precision")["10"] == (0.2, 10)


def test_without_fraud_there_is_nothing_to_measure():
    nobody = pl.DataFrame(
        schema={
            "member_id": pl.String,
            "typology": pl.String,
            "active_from": pl.Date,
            "loss": pl.Float64,
        }
    )
    benign = pl.DataFrame(schema={"member_id": pl.String, "benign_type": pl.String})
    found = figures(ranked("a", "b"), Truth(nobody, benign, insured=100), [2])
    assert told(found, "average_precision") == {"": (None, 0)}
    assert told(found, "precision")["2"] == (0.0, 2)
    assert told(found, "lift")["2"] == (None, 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_average_precision_is_that_of_scikit_learn(seed):
    rng = random.Random(seed)
    members = [f"m{n}" for n in range(60)]
    rng.shuffle(members)
    listed = members[:40]
    positive = [name for name in members if rng.random() < 0.3]
    accounts = pl.DataFrame(
        {
            "member_id": positive,
            "typology": "lone",
            "active_from": date(2025, 1, 1),
            "loss": 1.0,
        }
    )
    benign = pl.DataFrame(schema={"member_id": pl.String, "benign_type": pl.String})
    found = figures(ranked(*listed), Truth(accounts, benign, insured=60), [])
    # Those that are not listed are found last, at once: scikit-learn counts such ties together.
    scores = [len(listed) - place for place in range(len(listed))]
    expected = average_precision_score([name in positive for name in listed], scores)
    share = sum(name in positive for name in listed) / len(positive)
    assert told(found, "average_precision")[""][0] == pytest.approx(expected * share)


def test_days_run_from_the_offence_or_the_first_list_to_the_first_place_in_the_top(truth):
    lists = {
        date(2025, 2, 1): ranked("a", "b", "x", "y", "c"),
        date(2025, 4, 1): ranked("b", "x", "y", "c", "a"),
    }
    found = days_to_detection(lists, truth)
    # a: 10 January, but the first list is of 1 February: 0 days. b: seen before its offence began and
    # again 31 days after it. c: 1 February, in the top on 1 April: 59 days. d is never seen.
    assert found == [
        Figure("days_to_detection", "", 31.0, 3),
        Figure("ever_seen", "", 0.75, 4),
    ]


def test_days_are_empty_without_lists_and_without_anyone_seen(truth):
    assert days_to_detection({}, truth) == []
    assert days_to_detection({date(2025, 4, 1): ranked("x", "y")}, truth) == [
        Figure("days_to_detection", "", None, 0),
        Figure("ever_seen", "", 0.0, 4),
    ]


def indicators(*rows):
    return pl.DataFrame(
        rows,
        schema=["member_id", "family", "points", "held_back_by", "expected_loss"],
        orient="row",
    ).with_columns(value=pl.lit(1.0))


def test_only_the_strongest_of_a_family_counts_and_ties_go_to_the_larger_loss():
    shown = indicators(
        ("a", "supply", 2.0, None, 50.0),
        ("a", "supply", 1.5, None, 50.0),
        ("a", "trace", 1.0, None, 50.0),
        ("b", "trace", 3.0, None, 70.0),
        ("c", "trace", 3.0, None, 50.0),
        ("d", "trace", 3.5, "DIALYSIS", 999.0),
        ("d", "supply", 1.0, None, 999.0),
        ("e", "supply", 3.0, "DIALYSIS", 999.0),
    )
    assert reranked(shown).rows() == [
        ("b", 3.0, 1),
        ("a", 3.0, 2),
        ("c", 3.0, 3),
        ("d", 1.0, 4),
    ]
    assert reranked(shown, without="trace").rows() == [("a", 2.0, 1), ("d", 1.0, 2)]


def test_skilled_and_crude_gangs_are_judged_with_the_others_taken_off_the_list(truth):
    skills = pl.Series("skill", [0.9, 0.1, 0.9, None])
    found = figures(
        ranked("b", "a", "x", "c"),
        Truth(truth.accounts.with_columns(skills), truth.benign, 400),
        [2],
    )
    # Without b and d: a first, c third.
    assert told(found, "average_precision_by_skill") == {
        "below 0.5": (pytest.approx(1.0), 1),
        "0.5 and more": (pytest.approx((1 + 2 / 3) / 2), 2),
    }
    assert told(found, "loss_recall_by_skill")["0.5 and more"] == (1.0, 2)


def test_people_in_a_decided_case_are_left_out_of_what_is_said_of_the_others(truth):
    known = Truth(truth.accounts, truth.benign, 400, frozenset({"a", "x"}))
    found = figures(ranked("a", "x", "u", "b"), known, [2])
    # u first, b second, of b, c and d.
    assert told(found, "average_precision_undecided") == {"": (pytest.approx(0.5 / 3), 3)}


def test_average_precision_with_weights_is_that_of_a_list_with_repeated_hits():
    rng = np.random.default_rng(2)
    for _ in range(20):
        is_hit = rng.random(30) < 0.3
        weights = rng.integers(0, 4, int(is_hit.sum())).astype(float)
        ranks = np.flatnonzero(is_hit) + 1.0
        found = average_precision(ranks, weights, float(weights.sum()))
        labels, counts = is_hit.astype(int), np.ones(30)
        counts[is_hit] = weights
        expected = (
            average_precision_score(labels, -np.arange(30.0), sample_weight=counts)
            if weights.sum()
            else 0.0
        )
        assert found == pytest.approx(expected)


def test_the_interval_draws_gangs_whole():
    accounts = pl.DataFrame(
        {
            "member_id": [f"a{n}" for n in range(20)],
            "gang_id": ["one"] * 10 + ["two"] * 10,
            "loss": [1.0] * 20,
        }
    )
    # Gang one is first on the list, gang two is not listed at all.
    listed = pl.DataFrame({"member_id": [f"a{n}" for n in range(10)], "rank": range(1, 11)})

    low, high = pooled_interval([(listed, accounts)])

    # One draw in four has gang two alone, one in four gang one alone.
    assert (low, high) == (0.0, 1.0)


def test_reranking_adds_places_by_links_resemblance_and_points_as_the_list_does():
    shown = pl.DataFrame(
        [
            ("a", "links", 2.0, 1.0, 0.6, 1.0),
            ("b", "use", 8.0, 1.0, 0.9, 3.0),
            ("c", "use", 8.0, 1.0, None, None),
            ("d", "links", 2.0, 1.0, 0.6, 0.5),
            ("d", "use", 8.0, 1.0, 0.6, 0.5),
            ("e", "resemblance", 2.0, 0.99, None, None),
            ("f", "resemblance", 2.0, 0.999, None, None),
        ],
        schema=["member_id", "family", "points", "value", "best_link", "two_best"],
        orient="row",
    ).with_columns(held_back_by=pl.lit(None, dtype=pl.String), expected_loss=pl.lit(1.0))

    # Links are 0.622 and 0.731 probable: d has 1/23 + 2 x 0.622/22, a 2 x 0.731/21. f and b have 1/21 each (of equal
    # loss the smaller id comes first), c and e 1/22.
    assert reranked(shown)["member_id"].to_list() == ["d", "a", "b", "f", "c", "e"]
    assert reranked(shown, without="links")["member_id"].to_list() == ["b", "f", "c", "e", "d"]
