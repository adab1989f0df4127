"""Who gets which label, and up to when features may look."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from models.labels import institution_labels, subject_labels

AS_OF = date(2024, 6, 1)
_SCHEMA = (
    "case_id string, subject_type string, subject_id string, role string, clue_time timestamp,"
    " open_time timestamp, decision_time timestamp, outcome string, is_final boolean, gang_id string,"
    " trigger string, loss_amount decimal(16,2)"
)
_BASE: dict[str, Any] = {
    "case_id": "c1",
    "subject_type": "institution",
    "subject_id": "a",
    "role": "pharmacy",
    "clue_time": None,
    "open_time": datetime(2024, 3, 10, 9),
    "decision_time": datetime(2024, 5, 1),
    "outcome": "criminal",
    "is_final": True,
    "gang_id": None,
    "trigger": None,
    "loss_amount": None,
}
Cases = Callable[..., DataFrame]


@pytest.fixture
def closed_cases(spark: SparkSession) -> Cases:
    def frame(*rows: dict[str, Any]) -> DataFrame:
        return spark.createDataFrame([_BASE | row for row in rows], _SCHEMA)

    return frame


def labels_of(cases: DataFrame, as_of: date = AS_OF) -> dict[str, int]:
    return {
        row["institution_id"]: row["label"] for row in institution_labels(cases, as_of).collect()
    }


def test_only_decided_final_cases_of_culprits_confirm_and_only_clean_records_clear(
    closed_cases: Cases,
) -> None:
    cases = closed_cases(
        {"subject_id": "criminal"},
        {"subject_id": "administrative", "outcome": "administrative", "is_final": None},
        {"subject_id": "cleared", "outcome": "cleared", "role": None},
        {"subject_id": "no finding", "outcome": "no_finding", "role": "none"},
        {"subject_id": "both", "outcome": "cleared"},
        {"subject_id": "both", "case_id": "c2"},
        {"subject_id": "open", "decision_time": None, "outcome": None},
        {"subject_id": "cleared, then open", "outcome": "cleared"},
        {
            "subject_id": "cleared, then open",
            "case_id": "c2",
            "decision_time": None,
            "outcome": None,
        },
        {"subject_id": "withdrawn", "outcome": "withdrawn"},
        {"subject_id": "appeal", "is_final": False},
        {"subject_id": "appeal, once cleared", "is_final": False},
        {"subject_id": "appeal, once cleared", "case_id": "c2", "outcome": "cleared"},
        {"subject_id": "victim", "role": "victim"},
        {"subject_id": "victim, cleared", "role": "victim"},
        {"subject_id": "victim, cleared", "case_id": "c2", "outcome": "cleared"},
        {"subject_id": "doctor", "subject_type": "doctor"},
        {"subject_id": "decided at as-of", "decision_time": datetime(2024, 6, 1)},
        {
            "subject_id": "decided a second before",
            "decision_time": datetime(2024, 5, 31, 23, 59, 59),
        },
    )

    assert labels_of(cases) == {
        "criminal": 1,
        "administrative": 1,
        "cleared": 0,
        "no finding": 0,
        "both": 1,
        "victim, cleared": 0,
        "decided a second before": 1,
    }


def test_a_positive_is_cut_the_day_before_its_earliest_confirmed_case_began(
    closed_cases: Cases,
) -> None:
    cases = closed_cases(
        {"case_id": "cleared before", "outcome": "cleared", "open_time": datetime(2023, 1, 5)},
        {"case_id": "by clue", "clue_time": datetime(2024, 2, 20, 23, 30)},
        {"case_id": "later", "open_time": datetime(2024, 4, 1)},
        {"subject_id": "b", "clue_time": None},
    )

    rows = institution_labels(cases, AS_OF).orderBy("institution_id").collect()

    assert [tuple(row) for row in rows] == [
        ("a", 1, date(2024, 2, 19), date(2024, 2, 19)),
        ("b", 1, date(2024, 3, 9), date(2024, 3, 9)),
    ]


def test_no_cut_lies_on_or_after_the_as_of_date_even_if_dates_contradict(
    closed_cases: Cases,
) -> None:
    cases = closed_cases({"open_time": datetime(2024, 7, 15)})

    assert institution_labels(cases, AS_OF).first()["cut_date"] == date(2024, 5, 31)


def test_negatives_draw_their_cuts_from_the_positives_in_their_proportions(
    closed_cases: Cases,
) -> None:
    # Three positives in four are cut on 9 March, one on 9 January.
    opened = [datetime(2024, 3, 10)] * 3 + [datetime(2024, 1, 10)]
    positives = [{"subject_id": f"p{n}", "open_time": time} for n, time in enumerate(opened)]
    negatives = [
        {"subject_id": f"n{n}", "outcome": "no_finding", "open_time": datetime(2024, 5, 1)}
        for n in range(400)
    ]

    rows = (
        institution_labels(closed_cases(*positives, *negatives), AS_OF)
        .filter("label = 0")
        .collect()
    )

    early = sum(row["cut_date"] == date(2024, 1, 9) for row in rows)
    assert {row["cut_date"] for row in rows} == {date(2024, 1, 9), date(2024, 3, 9)}
    assert 70 <= early <= 130  # a quarter of 400, give or take 3.5 standard deviations


def test_cuts_are_the_same_whatever_the_order_and_partitioning(closed_cases: Cases) -> None:
    rows = [
        {"subject_id": f"s{n}", "outcome": "criminal" if n % 3 else "cleared",
         "open_time": datetime(2024, 1, 1) + timedelta(days=n)}
        for n in range(30)
    ]  # fmt: skip

    forward = institution_labels(closed_cases(*rows), AS_OF)
    backward = institution_labels(closed_cases(*rows[::-1]).repartition(5), AS_OF)

    assert {tuple(row) for row in forward.collect()} == {tuple(row) for row in backward.collect()}


@pytest.mark.parametrize(("cuts", "is_snapped"), [(12, False), (13, True)])
def test_many_cut_dates_are_snapped_down_to_the_first_of_the_month(
    closed_cases: Cases, cuts: int, is_snapped: bool
) -> None:
    cases = closed_cases(
        *({"subject_id": f"p{n:02}", "open_time": datetime(2024, 3, 10 + n)} for n in range(cuts)),
        {"subject_id": "n", "outcome": "cleared"},
    )

    rows = institution_labels(cases, AS_OF).collect()

    assert len(rows) == cuts + 1
    for row in rows:
        wanted = row["cut_date"].replace(day=1) if is_snapped else row["cut_date"]
        assert row["feature_date"] == wanted <= row["cut_date"]


def test_without_a_positive_there_is_no_row(closed_cases: Cases) -> None:
    assert (
        labels_of(
            closed_cases({"outcome": "cleared"}, {"subject_id": "b", "outcome": "no_finding"})
        )
        == {}
    )


def test_members_are_labelled_as_institutions_are_and_each_label_says_where_it_comes_from(
    closed_cases: Cases,
) -> None:
    person = {"subject_type": "person", "role": "card_holder", "trigger": "tip", "gang_id": "g"}
    cases = closed_cases(
        {**person, "case_id": "later", "decision_time": datetime(2024, 5, 20), "outcome": "criminal",
         "open_time": datetime(2024, 4, 1)},
        {**person, "case_id": "first", "outcome": "administrative", "loss_amount": Decimal("12.50")},
        {**person, "case_id": "cleared", "outcome": "cleared", "open_time": datetime(2024, 1, 1)},
        {**person, "subject_id": "lone", "gang_id": None, "trigger": "random_audit", "is_final": None},
        {**person, "subject_id": "n", "case_id": "n1", "outcome": "cleared", "role": "none"},
        {**person, "subject_id": "n", "case_id": "n2", "outcome": "no_finding", "trigger": None,
         "decision_time": datetime(2024, 5, 30)},
        {**person, "subject_id": "used", "role": "victim"},
        {**person, "subject_id": "open", "decision_time": None, "outcome": None},
        {"subject_id": "an institution"},
    )  # fmt: skip

    rows = {row["subject_id"]: row for row in subject_labels(cases, AS_OF, "member").collect()}

    assert set(rows) == {"a", "lone", "n"}
    a, lone, n = rows["a"], rows["lone"], rows["n"]
    assert {row["subject_type"] for row in rows.values()} == {"member"}
    assert (a["label"], a["case_id"], a["cut_date"]) == (1, "first", date(2024, 3, 9))
    assert (a["typology"], lone["typology"], n["typology"]) == (
        "gang_card_holder",
        "lone_card_holder",
        None,
    )
    assert (a["loss_amount"], a["decided_on"]) == (Decimal("12.50"), date(2024, 5, 1))
    assert (n["label"], n["case_id"], n["days_since_decision"]) == (0, "n2", 2)
    assert n["cut_date"] in {a["cut_date"], lone["cut_date"]}
    assert a["origin"] == (
        "a case decided as administrative 31 days before the as-of date, opened by tip;"
        " no appeal is pending"
    )
    assert lone["origin"].endswith("opened by random audit; nothing is said of an appeal")
    assert n["origin"] == (
        "a case decided as no finding 2 days before the as-of date; no appeal is pending"
    )


def test_both_ways_of_labelling_institutions_agree(closed_cases: Cases) -> None:
    outcomes = ("criminal", "cleared", "withdrawn", "no_finding", "administrative")
    cases = closed_cases(
        *(
            {"subject_id": f"s{n % 17}", "case_id": f"c{n}", "outcome": outcomes[n * 7 % 5],
             "is_final": n % 11 != 0, "open_time": datetime(2024, 1, 1) + timedelta(days=n)}
            for n in range(40)
        )
    )  # fmt: skip

    short = institution_labels(cases, AS_OF).select("institution_id", "label", "cut_date")
    long = subject_labels(cases, AS_OF, "institution").select("subject_id", "label", "cut_date")

    assert sorted(map(tuple, short.collect())) == sorted(map(tuple, long.collect()))
    assert short.count() > 5
