"""What the habits of both accounts add to a link, beside plain Python."""

import math

import pytest

from features.network.habits import with_habits
from features.network.ring_features import links_of_rings

LINKS = (
    "src string, dst string, weight double, probability double, is_kin boolean, has_passed boolean"
)
SHARES = {"odd": 0.999, "odder": 0.9999, "usual": 0.3}


@pytest.fixture(scope="module")
def weighed(spark):
    links = [
        ("odd", "odder", -1.0, 0.269, False, True),
        ("odder", "usual", 3.0, 0.953, False, True),
        ("odd", "unknown", 3.0, 0.953, False, True),
        ("odd", "zz", 9.0, 0.9999, True, False),
    ]
    shares = spark.createDataFrame(
        [*SHARES.items(), ("zz", 1.0)], "member_id string, resemblance_share_365d double"
    )
    rows = with_habits(spark.createDataFrame(links, LINKS), shares, 0.2)
    return {(row["src"], row["dst"]): row for row in rows.collect()}


def expected(weight: float, share: float) -> float:
    return weight + 1.2 * (-math.log(max(1 - share, 1e-9)) - 3.5)


def test_the_less_unusual_account_decides(weighed):
    both = weighed["odd", "odder"]
    assert both["weight"] == pytest.approx(expected(-1.0, 0.999), abs=1e-6)
    assert both["probability"] == pytest.approx(1 / (1 + math.exp(-both["weight"])), abs=1e-6)
    assert both["has_passed"]
    one = weighed["odder", "usual"]
    assert one["weight"] == pytest.approx(expected(3.0, 0.3), abs=1e-6)
    # 3 - 1.2 x 3.14 is -0.77: it says less than it did.
    assert one["probability"] == pytest.approx(0.316, abs=0.001)


def test_an_account_that_was_not_weighed_is_like_most(weighed):
    assert weighed["odd", "unknown"]["weight"] == pytest.approx(expected(3.0, 0.5), abs=1e-6)


def test_kin_never_passes(weighed):
    kin = weighed["odd", "zz"]
    assert kin["probability"] > 0.99
    assert not kin["has_passed"]


def test_without_resemblance_links_stay_as_they_are(spark):
    links = spark.createDataFrame([("a", "b", 1.0, 0.7, False, True)], LINKS)
    assert with_habits(links, None, 0.2) is links


def test_links_of_rings_are_those_inside_and_those_to_kin(spark):
    rows = [
        ("a", "b", 2.0, 0.9, False, True),
        ("a", "c", 2.0, 0.9, False, True),
        ("b", "d", 0.0, 0.1, False, False),
        ("b", "k", 2.0, 0.9, True, False),
        ("c", "k", 0.0, 0.1, True, False),
        ("x", "y", 2.0, 0.9, False, True),
        # Kin in two rings.
        ("a", "c2", 2.0, 0.9, True, False),
    ]
    members = spark.createDataFrame(
        [("r1", "a"), ("r1", "b"), ("r1", "d"), ("r2", "c"), ("r2", "c2")],
        "ring_id string, member string",
    )
    found = links_of_rings(spark.createDataFrame(rows, LINKS), members, 0.2).collect()
    assert {(row["ring_id"], row["src"], row["dst"]) for row in found} == {
        ("r1", "a", "b"),
        ("r1", "b", "k"),
        ("r1", "a", "c2"),
        ("r2", "a", "c2"),
    }
