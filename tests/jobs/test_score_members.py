"""Accounts scored by their model, and the list that uses the scores: real MLflow, real tables, tiny trees."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from support.registered import (
    MEMBER_NAME,
    register_members,
    store_of,
    training_rows,
    write_members,
    write_rows,
)
from xgboost import Booster, DMatrix

from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES
from expectations.gold.account import HIGH_RISK_ACCOUNT, INDICATOR, MEMBER_FEATURE
from expectations.gold.member_model import MEMBER_TRAINING_ROW
from expectations.gold.member_score import AUDIT_DRAW, MEMBER_SCORE
from features.indicator.model_inputs import member_rows
from jobs import compare_models, propose_accounts, score_subjects
from models.model_files import load_verified

DAY, TRAINED = date(2025, 6, 1), date(2025, 5, 1)
AS_OF = DAY.isoformat()


@pytest.fixture(scope="module")
def workspace(new_workspace):
    made = new_workspace("detect.capacity=10", "detect.audit_share=0.4")
    write_members(made, DAY)
    return made


def scored(workspace):
    return workspace.run(score_subjects.JOB, AS_OF, subject="member")


def listed(workspace):
    result = workspace.run(propose_accounts.JOB, AS_OF)
    assert result.exit_code == 0
    rows = workspace.lake.of_day(HIGH_RISK_ACCOUNT, DAY).orderBy("rank").collect()
    return {row["member_id"]: row for row in rows}


@pytest.fixture(scope="module")
def by_rules(workspace):
    """The list before there is a model."""
    result = scored(workspace)
    assert (result.exit_code, result.outcome) == (0, "skipped")
    assert f"no model {MEMBER_NAME} was trained" in result.message
    return listed(workspace)


@pytest.fixture(scope="module")
def scores(workspace, by_rules):
    """The list was made before, so that the module's order does not matter."""
    calibration = json.dumps({"slope": 0.5, "intercept": -1.0})
    register_members(workspace, TRAINED, 0.5, calibration=calibration)
    result = scored(workspace)
    assert (result.exit_code, result.outcome) == (0, "succeeded")
    return {row["member_id"]: row for row in workspace.lake.of_day(MEMBER_SCORE, DAY).collect()}


def inputs(workspace):
    """The model's inputs as the job computes them, by account."""
    lake = workspace.lake
    rows = member_rows(lake.of_day(MEMBER_FEATURE, DAY), None, lake.of_day(INDICATOR, DAY))
    return rows.orderBy("member_id").toPandas()


def test_without_a_model_the_list_is_that_of_the_rules(by_rules):
    assert list(by_rules) == [f"m{at:02d}" for at in range(20)]
    assert {(row["ranked_by"], row["model_version"]) for row in by_rules.values()} == {
        ("rules", None)
    }


def test_every_account_gets_the_calibrated_probability_of_the_trees(workspace, scores):
    store = store_of(workspace)
    model = load_verified(store, store.aliased(MEMBER_NAME, "champion"))
    booster = Booster()
    booster.load_model(bytearray(model.booster))
    rows = inputs(workspace)
    matrix = DMatrix(rows[list(model.features)].astype(float), feature_names=list(model.features))
    log_odds = booster.predict(matrix, output_margin=True).astype(float)

    found = np.array([scores[name]["score"] for name in rows["member_id"]])

    assert len(scores) == 40
    assert found == pytest.approx(1 / (1 + np.exp(1.0 - 0.5 * log_odds)), abs=1e-9)
    assert {(row["model_version"], row["blend_weight"]) for row in scores.values()} == {("1", 0.5)}


def test_reasons_are_the_largest_exact_contributions_in_words(workspace, scores):
    store = store_of(workspace)
    model = load_verified(store, store.aliased(MEMBER_NAME, "champion"))
    booster = Booster()
    booster.load_model(bytearray(model.booster))
    rows = inputs(workspace)
    values = rows[list(model.features)].astype(float)
    parts = booster.predict(DMatrix(values, feature_names=list(model.features)), pred_contribs=True)
    for at, name in enumerate(rows["member_id"]):
        raising = sorted((-part, place) for place, part in enumerate(parts[at][:-1]) if part > 0)
        wanted = [MEMBER_MODEL_INPUT_NAMES[place] for _, place in raising[:3]]
        assert [each["input"] for each in scores[name]["reasons"]] == wanted
    last = scores["m39"]["reasons"][0]
    assert (last["input"], last["value"]) == ("excess_fund_amount", 390.0)
    assert last["text"] == (
        "fund's part of what was dispensed beyond the holder's own use in a year: 390 yuan"
    )


def test_the_model_moves_the_list_and_the_list_says_who_speaks(workspace, by_rules, scores):
    with_model = listed(workspace)

    assert set(with_model) == set(by_rules)
    assert list(with_model) != list(by_rules)
    assert [row["rank"] for row in with_model.values()] == list(range(1, 21))
    # Six of the week are ranked: by rules m00 to m05, by the model the accounts with most money.
    by_model = sorted(with_model, key=lambda name: (-scores[name]["score"], name))
    for name, row in with_model.items():
        rule_rank, model_rank = by_rules[name]["rank"], by_model.index(name) + 1
        if min(rule_rank, model_rank) <= 6:
            speaks = {(True, True): "both", (True, False): "rules", (False, True): "model"}
            assert row["ranked_by"] == speaks[rule_rank <= 6, model_rank <= 6]
        assert row["model_version"] == "1"
        odds = np.log(scores[name]["score"] / (1 - scores[name]["score"]))
        assert row["priority"] == pytest.approx(
            0.5 * by_rules[name]["priority"] + 0.5 * odds, abs=1e-5
        )


def test_a_weight_of_0_leaves_the_list_as_it_was(workspace, by_rules, scores):
    store = store_of(workspace)
    unmoved = register_members(workspace, TRAINED, 0.0)
    store.client.set_registered_model_alias(MEMBER_NAME, "champion", unmoved.version)
    try:
        assert scored(workspace).exit_code == 0
        assert listed(workspace) == by_rules
    finally:
        store.client.set_registered_model_alias(MEMBER_NAME, "champion", "1")
        assert scored(workspace).exit_code == 0


def test_a_share_of_the_week_is_drawn_at_random_with_its_propensity(workspace, by_rules):
    def drawn():
        assert workspace.run(propose_accounts.JOB, AS_OF).exit_code == 0
        return sorted(workspace.lake.of_day(AUDIT_DRAW, DAY).collect())

    first, again = drawn(), drawn()

    assert first == again
    of_list = [row for row in first if row["stratum"] == "listed"]
    others = [row for row in first if row["stratum"] == "unlisted"]
    assert (len(of_list), len(others)) == (2, 2)
    assert all(row["rank"] > 6 and row["propensity"] == 2 / 14 for row in of_list)
    assert all(row["rank"] is None and row["propensity"] == 2 / 20 for row in others)
    week = workspace.lake.of_day(HIGH_RISK_ACCOUNT, DAY).filter("is_within_capacity")
    assert week.count() == 6


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"catalogue_digest": "f" * 64}, "the inputs meant something else when it was trained"),
        ({"feature_names": '["prior"]'}, "its trees look at other inputs than its tag"),
        ({"features": ("excess_fund_amount", "shoe_size")}, "it looks at shoe_size, which"),
    ],
)
def test_a_model_whose_inputs_differ_from_todays_is_refused(workspace, scores, changes, told):
    store = store_of(workspace)
    made = register_members(workspace, TRAINED, 0.5, **changes)
    store.client.set_registered_model_alias(MEMBER_NAME, "champion", made.version)
    try:
        result = scored(workspace)
    finally:
        store.client.set_registered_model_alias(MEMBER_NAME, "champion", "1")
    assert (result.exit_code, result.outcome) == (3, "refused")
    assert told in result.message
    assert "run train_model --subject member again" in result.message


def test_versions_of_the_model_of_accounts_are_compared_on_the_training_rows_and_on_the_list(
    workspace, scores
):
    write_rows(workspace, MEMBER_TRAINING_ROW, training_rows(), TRAINED)
    champion = register_members(workspace, TRAINED, 0.25, features=("prior", "indicator_count"))
    names = ("prior", "excess_fund_amount")
    challenger = register_members(workspace, TRAINED, 1.0, features=names)

    result = workspace.run(
        compare_models.JOB,
        AS_OF,
        subject="member",
        version=challenger.version,
        against=champion.version,
    )

    assert result.exit_code == 0
    stem = f"member_version_{challenger.version}_against_{champion.version}"
    file = Path(workspace.config.report.root) / "models" / f"{stem}.json"
    found = json.loads(file.read_text())
    assert found["verdict"] == "better"
    # 40 confirmed, 40 cleared, and 40 drawn of whom each stands for ten.
    assert found["counts"]["rows"] == 120
    assert found["counts"]["positives"] == 40
    assert ("blend_weight", "0.25", "1.0") in [tuple(each.values()) for each in found["parameters"]]
    assert found["features_added"] == ["excess_fund_amount"]
    assert found["changes"]["top"] == 10
    assert found["changes"]["entered"]
    assert "part of what was dispensed beyond the holder" in file.with_suffix(".html").read_text()
