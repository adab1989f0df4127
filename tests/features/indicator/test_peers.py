"""Peers: who is compared with whom, and what is usual among them, against numpy."""

import random
from datetime import date

import numpy as np
import pytest
from support.frames import frame_of

from expectations.landing.reference import PERSON
from features.indicator import peers
from features.indicator.peers import QUANTILES, fund_percentiles, peer_groups, peer_statistics

AS_OF = date(2025, 7, 1)


def test_a_small_group_falls_back_to_a_coarser_one(spark, monkeypatch):
    monkeypatch.setattr(peers, "MIN_PEERS", 3)
    people = {
        # Three of a kind are a group; of the next two, one lives elsewhere: the district goes.
        "a": ("1950-01-01", "1", "330101"),
        "b": ("1951-01-01", "1", "330101"),
        "c": ("1952-01-01", "1", "330101"),
        "d": ("1950-01-01", "1", "330102"),
        # Two women: sex goes too, and with it comes the band of 60 to 79.
        "e": ("1950-01-01", "2", "330101"),
        "f": ("1950-01-01", "2", "330101"),
        # Alone in the band: age goes.
        "g": ("1990-01-01", "2", "330101"),
        # Alone with a certificate: there is nothing coarser.
        "h": ("1990-01-01", "2", "330101"),
        "i": (None, None, None),
        # Bands are of 20 years, the last from 80 on.
        "j": ("1945-06-30", "1", "330101"),
        "k": ("1920-06-30", "1", "330101"),
        "l": ("1930-06-30", "1", "330101"),
    }
    rows = [
        {
            "member_id": name,
            "birth_date": born and date.fromisoformat(born),
            "sex": sex,
            "district": district,
        }
        for name, (born, sex, district) in people.items()
    ]
    certified = [(name, 1.0 if name == "h" else None) for name in [*people, "nobody"]]
    groups = peer_groups(
        frame_of(spark, PERSON.silver, *rows),
        spark.createDataFrame(certified, "member_id string, has_certificate double"),
        AS_OF,
    )
    found = {row["member_id"]: row["peer_group"] for row in groups.collect()}
    men = "no certificate, age 3, sex 1"
    old = "no certificate, age 4, sex 1, district 330101"
    assert found == {
        "a": f"{men}, district 330101",
        "b": f"{men}, district 330101",
        "c": f"{men}, district 330101",
        "d": men,
        "e": "no certificate, age 3",
        "f": "no certificate, age 3",
        "g": "no certificate",
        "h": "certificate",
        "i": "no certificate",
        "j": old,
        "k": old,
        "l": old,
        "nobody": "no certificate",
    }


@pytest.fixture(scope="module")
def groups():
    """Values of two groups with gaps, zeros, ties and every size of number."""
    rng = random.Random(5)
    values = {}
    for name, size in (("big", 400), ("small", 7)):
        values[name] = [
            None if rng.random() < 0.1 else round(rng.lognormvariate(3, 3), rng.choice([0, 1, 4]))
            for _ in range(size)
        ]
    return values | {"equal": [0.7] * 5, "empty": [None, None]}


@pytest.fixture(scope="module")
def features(spark, groups):
    rows = [(group, value) for group, values in groups.items() for value in values]
    return spark.createDataFrame(rows, "peer_group string, drug_fund_sum_365d double")


def test_the_quantiles_are_those_of_numpy(features, groups):
    found = {
        row["peer_group"]: (row["feature"], row["peers"], *(row[name] for name in QUANTILES))
        for row in peer_statistics(features, ["drug_fund_sum_365d"]).collect()
    }
    for group, values in groups.items():
        name, size, *kept = found[group]
        expected = np.percentile([value or 0.0 for value in values], [50, 90, 99, 99.9])
        assert (name, size) == ("drug_fund_sum_365d", len(values))
        # Three digits are kept.
        assert kept == pytest.approx(list(expected), rel=0.01)
        assert max(kept) <= max(value or 0.0 for value in values)
    assert found["equal"][2:] == (0.7, 0.7, 0.7, 0.7)
    assert set(found) == set(groups)


def test_few_are_compared_with_all_whom_their_group_describes(spark, monkeypatch):
    monkeypatch.setattr(peers, "MIN_PEERS", 4)
    men, women = "certificate, age 3, sex 1", "certificate, age 3, sex 2"
    values = {
        men: [1.0, 2.0, 3.0, 4.0],
        f"{women}, district 330101": [5.0, 6.0, 7.0, 8.0],
        # A district with two of them, and somebody of unknown sex.
        women: [100.0, 200.0],
        "certificate, age 3": [1000.0],
        # Others of the same beginning, in words only.
        "certificate, age 30": [9.0] * 4,
    }
    rows = [(group, value) for group, members in values.items() for value in members]
    frame = spark.createDataFrame(rows, "peer_group string, drug_fund_sum_365d double")
    described = {group: list(members) for group, members in values.items()}
    described[women] += [5.0, 6.0, 7.0, 8.0]
    described["certificate, age 3"] += [1.0, 2.0, 3.0, 4.0, *described[women]]
    found = {
        row["peer_group"]: (row["peers"], row["median"], row["high"])
        for row in peer_statistics(frame, ["drug_fund_sum_365d"]).collect()
    }
    assert found == {
        group: (
            len(members),
            pytest.approx(np.percentile(members, 50)),
            pytest.approx(np.percentile(members, 99)),
        )
        for group, members in described.items()
    }
    shares = {
        (row["peer_group"], row["amount"]): row["drug_fund_percentile_365d"]
        for row in fund_percentiles(frame).collect()
    }
    assert shares["certificate, age 3", 1000.0] == 1
    assert shares[women, 100.0] == 5 / 6
    assert shares[men, 4.0] == 1


def test_the_share_of_peers_who_are_no_higher_is_counted_in_three_digits(spark):
    values = [None, 0.0, 0.123456, 5.0, 5.0, 12_345.0, 12_399.0]
    rows = [("one", value) for value in values] + [("other", 5.0)]
    found = {
        (row["peer_group"], row["amount"]): row["drug_fund_percentile_365d"]
        for row in fund_percentiles(
            spark.createDataFrame(rows, "peer_group string, drug_fund_sum_365d double")
        ).collect()
    }
    assert found == {
        ("one", 0.0): 2 / 7,
        ("one", 0.123): 3 / 7,
        ("one", 5.0): 5 / 7,
        ("one", 12_300.0): 1.0,
        ("other", 5.0): 1.0,
    }
