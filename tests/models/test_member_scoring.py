"""Scores and contributions of the trees of accounts are those of XGBoost, row by row. No Spark."""

import numpy as np
import pytest
from support.registered import member_booster
from xgboost import DMatrix

from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES, MEMBER_MODEL_INPUTS
from models.input_sentences import sentence, sentences
from models.member_scoring import Calibration, Trees, calibration_of

NAMES = list(MEMBER_MODEL_INPUT_NAMES)


def accounts(booster, rows=3000, seed=4):
    """Random accounts, with missing values, repeated rows, and values that are split points themselves."""
    draws = np.random.default_rng(seed)
    values = draws.uniform(0, 4, (rows, len(NAMES)))
    values[:, NAMES.index("excess_fund_amount")] = draws.uniform(0, 400, rows)
    splits = booster.trees_to_dataframe().dropna(subset=["Split"])
    for at, (name, point) in enumerate(zip(splits["Feature"], splits["Split"], strict=True)):
        values[at % rows, NAMES.index(name)] = point
    values[draws.uniform(size=values.shape) < 0.1] = np.nan
    values[rows // 2 :] = values[: rows - rows // 2]
    # Beside each split point, the same account just below it: it takes the other branch.
    at_points = np.repeat(values[:1], 2 * len(splits), axis=0)
    for at, (name, point) in enumerate(zip(splits["Feature"], splits["Split"], strict=True)):
        at_points[2 * at, NAMES.index(name)] = np.float32(point)
        at_points[2 * at + 1, NAMES.index(name)] = np.nextafter(np.float32(point), np.float32(-1))
    return np.concatenate([values, at_points])


def test_rows_of_the_same_branches_share_exactly_what_each_would_get():
    booster = member_booster()
    values = accounts(booster)
    matrix = DMatrix(values, feature_names=NAMES)

    margins, parts = Trees(bytes(booster.save_raw("json")), NAMES).predicted(values)

    assert (margins == booster.predict(matrix, output_margin=True)).all()
    assert (parts == booster.predict(matrix, pred_contribs=True)[:, :-1]).all()


def test_a_calibration_moves_the_log_odds():
    found = calibration_of({"calibration": '{"slope": 2.0, "intercept": -1.0}'})
    assert found.probability(np.array([0.5, 1.0])) == pytest.approx([0.5, 1 / (1 + np.exp(-1))])
    assert calibration_of({}) == Calibration(1.0, 0.0)


@pytest.mark.parametrize(
    ("name", "value", "language", "told"),
    [
        (
            "points_supply",
            4.5,
            "en",
            "strongest rule about more drugs than can be used: 4.5 points",
        ),
        (
            "excess_fund_amount",
            12345.6,
            "zh",
            "一年内超出自用的基金支付\N{FULLWIDTH COLON}12,346 元",
        ),
        ("ring_density_365d", 0.625, "en", "linked share of the pairs of its ring: 62.5 %"),
        ("ring_account_count_365d", 20.0, "en", "accounts in its ring: 20"),
        (
            "link_weight_two_best_365d",
            float("nan"),
            "en",
            "mean log-odds of the two best links to other households: no link to another household",
        ),
    ],
)
def test_an_input_in_words(name, value, language, told):
    each = {one.name: one for one in MEMBER_MODEL_INPUTS}[name]
    assert sentence(each, value, language) == told
    assert sentences([name, name], [value, value], {name: each}, language) == [told, told]
