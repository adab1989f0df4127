"""The order of accounts, its reasons in words, and how people decided."""

import random
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from support.frames import frame_of

from expectations.gold.account import ACCOUNT_DECISION, INDICATOR
from features.indicator.accounts import current_state, in_words, ranked_accounts
from models.detection import reranked

TEXTS = {
    "COUNT": "{value:.0f} visits",
    "YUAN": "{value:,.0f} yuan, 100 % of it",
    "RATIO": "{value:.1f} times",
    "SHARE": "{value:.0%} of drugs",
    "PLAIN": "five and more",
}
#: subject, family, reason code, value, points, held back by.
SHOWN = [
    ("a", "supply", "RATIO", 2.25, 2.0, None),
    ("a", "supply", "COUNT", 12.0, 1.5, None),
    ("a", "volume", "YUAN", 1234567.0, 1.0, None),
    ("b", "supply", "RATIO", 1.2, 3.0, None),
    ("c", "supply", "RATIO", 1.2, 3.0, None),
    ("d", "supply", "RATIO", 1.2, 3.0, None),
    ("e", "supply", "SHARE", 0.456, 4.0, "DIALYSIS"),
    ("e", "volume", "PLAIN", 1.0, 0.5, None),
    ("f", "supply", "RATIO", 9.0, 4.0, "DIALYSIS"),
]
LOSSES = {"a": 100.0, "b": 100.004, "c": 100.001, "d": 200.0, "e": None, "f": 999.0, "g": 999.0}


def shown_frame(spark, rows):
    named = ("subject_id", "family", "reason_code", "value", "points", "held_back_by")
    return frame_of(
        spark,
        INDICATOR,
        *(
            dict(zip(named, row, strict=True))
            | {"typology": f"of {row[1]}", "threshold": 1.0, "peer_median": 0.5}
            for row in rows
        ),
    )


def losses_frame(spark, losses):
    return spark.createDataFrame(
        list(losses.items()), "member_id string, excess_fund_sum_365d double"
    )


def test_places_by_points_links_and_resemblance_add_up_where_their_rules_speak(spark):
    shown = shown_frame(
        spark,
        [
            ("a", "links", "LINKED", 0.9, 2.0, None),
            ("b", "use", "MANY", 9.0, 8.0, None),
            ("c", "use", "MANY", 9.0, 8.0, None),
            ("d", "links", "LINKED", 0.9, 2.0, None),
            ("d", "use", "MANY", 9.0, 8.0, None),
            ("f", "resemblance", "ALIKE", 0.99, 2.0, None),
            ("g", "resemblance", "ALIKE", 0.999, 2.0, None),
            ("h", "links", "LINKED", 0.9, 2.0, None),
        ],
    )
    links = spark.createDataFrame(
        [
            ("a", "r1", 0.6, 1.0),
            ("b", None, 0.9, 3.0),
            ("d", None, 0.6, 0.5),
            ("e", "r1", 0.9, 9.0),
            ("h", None, 0.1, -40.0),
        ],
        "member_id string, ring_id string, link_probability_best_365d double,"
        " link_weight_two_best_365d double",
    )
    losses = losses_frame(spark, dict.fromkeys("abcdefgh", 1.0))

    ranked = ranked_accounts(shown, losses, links).orderBy("rank").collect()

    # By points b, c and d stand first to third. By links a stands before d and h for its two best, and each place counts
    # twice, as far as the links are probable: 0.731, 0.622 and, as h's are not at all, 0.01. So d has
    # 1/23 + 2 x 0.622/22. Nobody is on the list for a link that the rule says nothing of: b's counts for nothing, e is not
    # there. By resemblance g stands before f.
    found = [(row["member_id"], round(row["priority"], 2), row["ring_id"]) for row in ranked]
    assert found == [
        ("d", -2.3, None),
        ("a", -2.66, "r1"),
        ("b", -3.04, None),
        ("g", -3.04, None),
        ("c", -3.09, None),
        ("f", -3.09, None),
        ("h", -7.05, None),
    ]


@pytest.fixture(scope="module")
def accounts(spark):
    ranked = ranked_accounts(shown_frame(spark, SHOWN), losses_frame(spark, LOSSES))
    rows = ranked.withColumn("reasons", in_words("reasons", TEXTS)).collect()
    return {row["member_id"]: row for row in rows}


def test_the_strongest_of_each_family_adds_up_and_ties_go_to_loss_then_id(accounts):
    # b and c are equal to the cent, so the id decides; f has nothing that counts, g shows nothing.
    found = [
        (row["rank"], name, row["points"], row["expected_loss_amount"])
        for name, row in accounts.items()
    ]
    assert sorted(found) == [
        (1, "d", 3.0, Decimal("200.00")),
        (2, "a", 3.0, Decimal("100.00")),
        (3, "b", 3.0, Decimal("100.00")),
        (4, "c", 3.0, Decimal("100.00")),
        (5, "e", 0.5, Decimal("0.00")),
    ]


def test_reasons_come_in_the_order_of_points_with_those_held_back_last(accounts):
    reasons = {
        name: [each["reason_code"] for each in row["reasons"]] for name, row in accounts.items()
    }
    assert reasons == {
        "a": ["RATIO", "COUNT", "YUAN"],
        "b": ["RATIO"],
        "c": ["RATIO"],
        "d": ["RATIO"],
        "e": ["PLAIN", "SHARE"],
    }
    assert accounts["a"]["typologies"] == ["of supply", "of volume"]
    assert accounts["e"]["typologies"] == ["of volume"]
    first = accounts["e"]["reasons"][1].asDict()
    assert first == {
        "reason_code": "SHARE",
        "typology": "of supply",
        "value": 0.456,
        "threshold": 1.0,
        "peer_median": 0.5,
        "points": 4.0,
        "held_back_by": "DIALYSIS",
        "text": "46% of drugs",
    }


def test_a_sentence_shows_the_value_as_python_would(accounts):
    said = {
        each["reason_code"]: (each["text"], TEXTS[each["reason_code"]].format(value=each["value"]))
        for row in accounts.values()
        for each in row["reasons"]
        if row["member_id"] in ("a", "e")
    }
    assert set(said) == set(TEXTS)
    # Java rounds 2.25 up, Python to the even digit.
    assert said.pop("RATIO")[0] == "2.3 times"
    assert {code: text for code, (text, _) in said.items()} == {
        code: expected for code, (_, expected) in said.items()
    }


def test_reranking_without_spark_gives_the_same_order(spark):
    rng = random.Random(4)
    losses = {f"m{n:02d}": round(rng.random() * 3, 3) for n in range(40)}
    shown = [
        (
            name,
            family,
            f"{family}{n}",
            round(rng.random(), 2),
            rng.choice([0.1, 0.2, 0.3, 1.5]),
            rng.choice([None, None, "DIALYSIS"]),
        )
        for name in losses
        for family in ("supply", "volume", "trace", "resemblance")
        for n in range(rng.randint(0, 2))
    ]
    ranked = ranked_accounts(shown_frame(spark, shown), losses_frame(spark, losses)).collect()
    cents = {
        name: Decimal(str(loss)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        for name, loss in losses.items()
    }
    table = pl.DataFrame(
        [
            (name, family, value, points, held, cents[name])
            for name, family, _, value, points, held in shown
        ],
        schema=["member_id", "family", "value", "points", "held_back_by", "expected_loss"],
        orient="row",
    )
    expected = [(row["member_id"], row["points"], row["rank"]) for row in ranked]
    assert reranked(table).rows() == sorted(expected, key=lambda row: row[2])
    assert len({points for _, points, _ in expected}) < len(expected) / 2


def test_of_two_decisions_the_one_noted_last_stands_though_the_clock_went_back(spark):
    named = ("decision_id", "member_id", "decision", "decided_at", "sequence")
    decisions = [
        ("1", "a", "approved", datetime(2025, 6, 2), 1),
        ("2", "a", "rejected", datetime(2025, 6, 1), 2),
        # From before decisions had numbers: older than all others.
        ("3", "a", "approved", datetime(2025, 6, 3), None),
    ]
    frame = frame_of(
        spark, ACCOUNT_DECISION, *(dict(zip(named, row, strict=True)) for row in decisions)
    )
    found = [tuple(row) for row in current_state(frame, date(2025, 7, 1)).collect()]
    assert found == [("a", "rejected", datetime(2025, 6, 1))]


def test_the_last_decision_before_the_day_stands(spark):
    decisions = [
        ("2", "a", "approved", datetime(2025, 6, 1)),
        ("1", "a", "rejected", datetime(2025, 6, 30, 23, 59)),
        ("3", "a", "approved", datetime(2025, 7, 1)),
        ("5", "b", "approved", datetime(2025, 6, 1)),
        ("4", "b", "rejected", datetime(2025, 6, 1)),
        ("6", "c", "approved", datetime(2025, 7, 2)),
    ]
    named = ("decision_id", "member_id", "decision", "decided_at")
    frame = frame_of(
        spark, ACCOUNT_DECISION, *(dict(zip(named, row, strict=True)) for row in decisions)
    )
    found = {tuple(row) for row in current_state(frame, date(2025, 7, 1)).collect()}
    assert found == {
        ("a", "rejected", datetime(2025, 6, 30, 23, 59)),
        # At the same moment the larger id.
        ("b", "approved", datetime(2025, 6, 1)),
    }
