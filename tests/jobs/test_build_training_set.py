"""Labels and training rows of accounts, by the real jobs on a small lake made by hand."""

import math
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from pyspark.sql import functions as F
from support.frames import frame_of
from support.look_ahead import looking_ahead

from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.gold.fact import VISIT_FACT
from expectations.gold.member_model import MEMBER_TRAINING_ROW, SUBJECT_LABEL
from expectations.gold.ring import MEMBER_RING_FEATURE
from expectations.landing.inquiry import CLOSED_CASE
from expectations.landing.reference import PERSON
from expectations.ops import JOB_RUN
from jobs import build_earlier_days, build_labels, build_training_set
from jobs.inputs import training_inputs
from jobs.inputs.training_inputs import components_by_ties
from models.training_set import days_that_serve_most, days_to_build, draw_share

AS_OF = "2025-12-01"
SPRING, SUMMER, LATER = date(2025, 4, 1), date(2025, 7, 1), date(2025, 12, 15)
ARRIVED = datetime(2025, 1, 2)
SILVER = {
    "batch": date(2025, 1, 1),
    "batch_version": "1",
    "source_file": "part-0.csv",
    "arrive_time": ARRIVED,
    "valid_from": ARRIVED,
    "is_first": True,
    "key_hash": 0,
    "record_number": 0,
}
CASE = SILVER | {
    "subject_type": "person",
    "role": "card_holder",
    "trigger": "tip",
    "open_time": datetime(2025, 7, 15),
    "decision_time": datetime(2025, 10, 1),
    "outcome": "criminal",
    "is_final": True,
}
CASES = [
    # Cut on 14 July: features of the first of July.
    {"subject_id": "p1", "case_id": "c1", "gang_id": "g"},
    {"subject_id": "p2", "case_id": "c1", "gang_id": "g"},
    # Cut on 9 May: features of the first of April.
    {"subject_id": "p3", "case_id": "c2", "clue_time": datetime(2025, 5, 10)},
    # No features so early.
    {"subject_id": "early", "case_id": "c3", "open_time": datetime(2025, 3, 20)},
    # No row: known only by a case.
    {"subject_id": "no account", "case_id": "c4"},
    {"subject_id": "n1", "case_id": "c5", "outcome": "cleared"},
    {"subject_id": "open", "case_id": "c6", "decision_time": None, "outcome": None},
    {"subject_id": "h1", "subject_type": "institution", "case_id": "c7", "role": "pharmacy"},
]
NAMES = ["p1", "p2", "p3", "early", "n1", "open", *(f"m{number}" for number in range(40))]


def case_rows(spark, cases):
    return frame_of(spark, CLOSED_CASE.silver, *(CASE | each for each in cases))


def add_day(lake, spark, day, points):
    """Features of a day; `points` of the rule of everybody's whose name ends on 1."""
    features = [
        {
            "member_id": name,
            "as_of_date": day,
            "excess_fund_sum_365d": 5.0,
            "drug_fund_sum_365d": 9.0,
            "peer_group": "all",
        }
        for name in NAMES
    ]
    shown = [
        {
            "as_of_date": day,
            "subject_type": "member",
            "subject_id": name,
            "family": "supply",
            "reason_code": "OVER_SUPPLY",
            "points": points,
            "typology": "over_supply",
            "feature": "x",
            "value": 1.0,
            "threshold": 1.0,
            "window_days": 365,
            "settlement_ids": [],
        }
        for name in NAMES
        if name.endswith("1")
    ]
    linked = [
        {
            "member_id": name,
            "as_of_date": day,
            "ring_id": "r",
            "settlement_ids": [],
            "link_weight_two_best_365d": points,
        }
        for name in ("p3", "m7")
    ]
    for table, rows in (
        (MEMBER_FEATURE, features),
        (INDICATOR, shown),
        (MEMBER_RING_FEATURE, linked),
    ):
        lake.replace(frame_of(spark, table, *rows), table, {"as_of_date": day})


@pytest.fixture(scope="module")
def workspace(new_workspace, spark):
    made = new_workspace("train.unlabelled=20")
    people = [
        SILVER | {"member_id": name, "household_id": "home" if name in ("m1", "m2") else name}
        for name in NAMES
    ]
    made.lake.replace(frame_of(spark, PERSON.silver, *people), PERSON.silver)
    made.lake.replace(case_rows(spark, CASES), CLOSED_CASE.silver)
    for day, points in ((SPRING, 1.0), (SUMMER, 2.0)):
        add_day(made.lake, spark, day, points)
    # A day without indicators is no day of features.
    made.lake.replace(
        frame_of(
            spark,
            MEMBER_FEATURE,
            {"member_id": "p1", "as_of_date": date(2025, 7, 10), "peer_group": "all"},
        ),
        MEMBER_FEATURE,
        {"as_of_date": date(2025, 7, 10)},
    )
    return made


def run_both(workspace):
    labels = workspace.run(build_labels.JOB, AS_OF)
    training = workspace.run(build_training_set.JOB, AS_OF)
    assert (labels.exit_code, training.exit_code) == (0, 0), training.message
    return labels, training


def rows_of(workspace, table=MEMBER_TRAINING_ROW):
    rows = workspace.lake.read(table).filter(F.col("as_of_date") == AS_OF).collect()
    return [row.asDict() for row in rows]


@pytest.fixture(scope="module")
def done(workspace):
    return run_both(workspace)


def test_labels_of_both_subjects_are_counted(workspace, done):
    labels, _ = done
    assert labels.message == ("5 members confirmed, 1 cleared; 1 institutions confirmed, 0 cleared")
    assert len(rows_of(workspace, SUBJECT_LABEL)) == 7


def test_a_label_has_the_features_of_the_last_full_day_that_is_not_after_its_cut(workspace, done):
    rows = {row["member_id"]: row for row in rows_of(workspace) if row["label"] is not None}

    assert {name: row["feature_date"] for name, row in rows.items() if row["label"]} == {
        "p1": SUMMER,
        "p2": SUMMER,
        "p3": SPRING,
    }
    assert all(row["feature_date"] <= row["cut_date"] for row in rows.values())
    # Of six accounts with equal points, in the order of their names, p1 is the last.
    assert (rows["p1"]["points_supply"], rows["p1"]["prior"]) == (2.0, round(math.log(1 / 26), 6))
    assert (rows["p3"]["link_weight_two_best_365d"], rows["p3"]["own_points"]) == (1.0, 0.0)
    assert (rows["p1"]["trigger"], rows["p1"]["typology"]) == ("tip", "gang_card_holder")
    assert {row["propensity"] for row in rows.values()} == {1.0}


def test_labels_without_a_day_are_counted_and_it_is_said_how_to_serve_them(done):
    message = done[1].message
    assert message.startswith("3 confirmed and 1 cleared members with features of 2 days, ")
    assert message.endswith(
        "; features of 2025-03-01, 2025-05-01 would serve more labels, as far as claims reach back:"
        " run build_member_features, score_resemblance, build_account_links, find_rings, flag_indicators with --as-of"
        " each of these days"
    )


def test_the_rest_is_drawn_with_a_chance_that_is_on_record_and_nobody_in_a_case_is(workspace, done):
    drawn = [row for row in rows_of(workspace) if row["label"] is None]

    assert drawn
    assert not {row["member_id"] for row in drawn} & {"p1", "p2", "p3", "early", "n1", "open"}
    # m1, m11, m21, m31 on either day are on the list: fewer than half of 20. 72 others are not.
    listed = [row for row in drawn if row["points_supply"] > 0]
    assert len(listed) == 8
    assert {row["propensity"] for row in listed} == {1.0}
    assert {row["propensity"] for row in drawn if row not in listed} == {10 / 72}
    assert {row["feature_date"] for row in listed} == {SPRING, SUMMER}


def test_who_belongs_together_shares_a_component(workspace, done):
    component = {row["member_id"]: row["component"] for row in rows_of(workspace)}

    assert component["p1"] == component["p2"] == "p1"
    # One ring, of whom m7 may not have been drawn.
    assert component["p3"] == min({"m7", "p3"} & component.keys())
    assert component["n1"] == "n1"


def test_versions_of_everything_read_are_on_record(workspace, done):
    [run] = workspace.lake.read(JOB_RUN).filter("job = 'build_training_set'").limit(1).collect()
    assert {"gold.subject_label", "gold.member_feature", "gold.indicator"} <= run["inputs"].keys()
    assert {"gold.member_ring_feature", "silver.closed_case", "silver.person"} <= run[
        "inputs"
    ].keys()


def arrive_later(workspace, spark):
    """Everything that may come after the day: decisions, corrections, a new home, features of later days."""
    lake, later = workspace.lake, datetime(2025, 12, 5)
    corrected = [each | {"valid_to": later} for each in CASES[:1]]
    new = [
        CASES[0] | {"valid_from": later, "outcome": "cleared"},
        {"subject_id": "m3", "case_id": "c9", "valid_from": later},
    ]
    lake.replace(case_rows(spark, [*corrected, *CASES[1:], *new]), CLOSED_CASE.silver)
    moved = SILVER | {"member_id": "m4", "household_id": "home", "valid_from": later}
    lake.append(frame_of(spark, PERSON.silver, moved), PERSON.silver)
    add_day(lake, spark, LATER, 7.0)


def test_rows_that_arrive_later_change_nothing_and_a_feature_that_looks_ahead_is_caught(
    workspace, spark, done, monkeypatch
):
    def build():
        run_both(workspace)
        return rows_of(workspace)

    key = ("member_id", "feature_date")
    assert looking_ahead(build, lambda: arrive_later(workspace, spark), key) == set()

    # A leak, planted: inputs of the newest day there is, whatever the day of the label.
    def newest(lake, day):
        days = lake.read(MEMBER_FEATURE).agg(F.max("as_of_date")).first()[0]
        return training_inputs.inputs_of(lake, days).withColumn("as_of_date", F.lit(day))

    monkeypatch.setattr(build_training_set, "inputs_of", newest)
    leaked = looking_ahead(
        build, lambda: add_day(workspace.lake, spark, LATER + timedelta(days=1), 8.0), key
    )
    assert {"own_points", "points_supply", "link_weight_two_best_365d"} <= leaked


def test_without_a_day_of_features_it_is_said_what_to_build(new_workspace, spark):
    made = new_workspace()
    made.lake.replace(case_rows(spark, CASES), CLOSED_CASE.silver)
    made.run(build_labels.JOB, AS_OF)

    result = made.run(build_training_set.JOB, AS_OF)

    assert (result.exit_code, result.outcome) == (0, "skipped")
    assert result.message.startswith(
        "none of 6 labelled members has features of a day before its cut; features of 2025-03-01,"
    )


def test_without_a_confirmed_case_there_are_no_labels(new_workspace, spark):
    made = new_workspace()
    made.lake.replace(case_rows(spark, CASES[-3:-1]), CLOSED_CASE.silver)

    result = made.run(build_labels.JOB, AS_OF)

    assert (result.outcome, result.message) == (
        "skipped",
        "no subject was confirmed by a case decided before 2025-12-01: there are no labels",
    )


def test_days_worth_building_are_firsts_of_months_before_cuts_without_a_near_day():
    cuts = [
        (date(2025, 5, 9), date(2025, 4, 1)),
        (date(2025, 5, 20), date(2025, 4, 25)),
        (date(2025, 3, 2), None),
        (date(2025, 6, 30), date(2025, 6, 1)),
    ]
    assert days_to_build(cuts) == [date(2025, 3, 1), date(2025, 5, 1)]


def test_the_chance_of_a_draw_is_never_above_one():
    assert [draw_share(10, rows) for rows in (0, 5, 40)] == [1.0, 1.0, 0.25]


def test_components_join_by_ties_of_any_kind_but_not_by_equal_names_of_different_kinds():
    members = pl.Series(["a", "b", "c", "d", "e"])
    ties = pl.DataFrame(
        [("b", "home", "1"), ("c", "home", "1"), ("c", "ring", "2"), ("d", "ring", "2"),
         ("a", "ring", "1"), ("e", "case", "a")],
        schema=["member_id", "kind", "tie"], orient="row",
    )  # fmt: skip

    found = components_by_ties(members, ties)

    assert dict(found.iter_rows()) == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "e"}


def test_the_days_that_most_labels_wait_for_are_built_first():
    cuts = [
        *(date(2025, 5, day) for day in (2, 9, 30)),
        *(date(2025, 3, day) for day in (1, 31)),
        date(2025, 4, 7),
        date(2025, 6, 20),
    ]
    assert days_that_serve_most(cuts, 2) == [date(2025, 3, 1), date(2025, 5, 1)]
    assert days_that_serve_most(cuts, 3) == [date(2025, 3, 1), date(2025, 4, 1), date(2025, 5, 1)]
    assert days_that_serve_most(cuts, 9) == days_to_build([(cut, None) for cut in cuts])
    assert days_that_serve_most([], 2) == []


def test_an_earlier_day_that_is_there_is_not_built_again(new_workspace, spark):
    made = new_workspace("train.earlier_days=2")
    made.lake.replace(case_rows(spark, CASES), CLOSED_CASE.silver)
    visit = {
        "member_id": "p1",
        "settlement_id": "s1",
        "service_date": date(2025, 1, 1),
        "service_month": "2025-01",
        "settlement_time": datetime(2025, 1, 1, 9),
        "institution_id": "h1",
        "is_refund": False,
        "valid_from": ARRIVED,
    }
    made.lake.replace(frame_of(spark, VISIT_FACT, visit), VISIT_FACT)
    # The cuts lie in July, in May and, with too few claims before it, in March.
    for day in (date(2025, 5, 1), SUMMER):
        add_day(made.lake, spark, day, 1.0)
    made.run(build_labels.JOB, AS_OF)

    told = made.run(build_earlier_days.JOB, AS_OF)

    assert (told.outcome, told.exit_code) == ("skipped", 0), told.message
    assert "waits for features of another day after 2025-03-02" in told.message


def test_no_earlier_day_is_built_unless_asked_for(workspace):
    told = workspace.run(build_earlier_days.JOB, AS_OF)
    assert (told.outcome, told.exit_code) == ("skipped", 0)
    assert "train.earlier_days is 0" in told.message
