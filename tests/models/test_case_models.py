"""Weights, splits, figures and contenders of models of accounts, against counting by hand and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from pulearn import ElkanotoPuClassifier
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from support.case_rows import DAYS, training_rows

from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES
from expectations.gold.account import UNLINKED_LOG_ODDS
from models.case_comparison import blend_choice, calibrated
from models.case_contenders import CONTENDERS, PRIOR, TREES, case_logistic, split_scores
from models.case_evaluation import Evaluation
from models.case_figures import (
    bootstrap_times,
    calibration_error,
    figures,
    interval,
    precision_bounds,
    ranked,
)
from models.case_rows import case_rows, training_weights
from models.case_search import SPACE, searched
from models.case_splits import group_folds, splits
from models.case_trees import DEFAULT, case_trees, monotone


@pytest.fixture(scope="module")
def rows():
    return case_rows(training_rows())


def test_rows_do_not_depend_on_their_order(rows):
    pd.testing.assert_frame_equal(case_rows(training_rows().sample(frac=1, random_state=3)), rows)


def test_triggers_count_alike_and_the_drawn_stand_for_as_many_as_they_were_drawn_from():
    target = np.array([True] * 4 + [False] * 2)
    trigger = np.array(["tip", "tip", "tip", "police", "tip", "unknown"], dtype=object)

    weights = training_weights(target, np.array([1, 1, 1, 1, 1, 20.0]), trigger)

    assert weights.tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2, 1, 20])
    assert training_weights(~target[:2], np.ones(2), trigger[:2]).tolist() == [1, 1]


def test_grouped_folds_keep_components_whole_and_share_out_the_confirmed(rows):
    component, target = rows["component"].to_numpy(str), rows["target"].to_numpy()

    fold = group_folds(component, target, 4, seed=5)

    assert pd.DataFrame({"c": component, "f": fold}).groupby("c")["f"].nunique().max() == 1
    held = [target[fold == each].sum() for each in range(4)]
    assert max(held) - min(held) <= 2
    shuffled = np.random.default_rng(0).permutation(len(rows))
    assert (group_folds(component[shuffled], target[shuffled], 4, seed=5) == fold[shuffled]).all()


def test_a_split_by_time_learns_from_what_was_known_before_the_day_tested_and_no_more(rows):
    made = splits(rows, folds=3, embargo_days=100, seed=1)

    by_name = {
        name: [each for each in made if each.evaluation == name]
        for name in ("random", "group", "time", "time_group")
    }
    assert [len(by_name[name]) for name in by_name] == [3, 3, 1, 1]
    for name in ("random", "group"):
        tested = np.concatenate([each.test for each in by_name[name]])
        assert sorted(tested) == list(range(len(rows)))
    [time], [apart] = by_name["time"], by_name["time_group"]
    # April is within 100 days of July; January is all that is left to learn from.
    assert set(rows["feature_day"].iloc[time.test].dt.date) == {DAYS[2]}
    assert set(rows["feature_day"].iloc[time.train].dt.date) == {DAYS[0]}
    decided = rows["decided_day"].iloc[time.train].dropna()
    assert (decided < np.datetime64("2025-07-01")).all()
    # Some of January were decided later: in July nobody knew.
    in_january = rows[rows["feature_day"].dt.date == DAYS[0]]
    assert len(time.train) < len(in_january)
    assert set(apart.train) < set(time.train)
    tested_with = set(rows["component"].iloc[apart.test])
    assert not tested_with & set(rows["component"].iloc[apart.train])
    assert tested_with & set(rows["component"].iloc[time.train])


def test_without_later_days_there_is_no_split_by_time(rows):
    one_day = rows[rows["feature_day"] == rows["feature_day"].min()].reset_index(drop=True)
    assert {each.evaluation for each in splits(one_day, 3, 30, 1)} == {"random", "group"}


def test_average_precision_is_that_of_scikit_learn_with_ties_and_weights_and_draws(rows):
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 20, len(rows)).astype(float)
    target, population = rows["target"].to_numpy(), rows["population"].to_numpy()
    order = ranked(target, scores, population)
    times = bootstrap_times(rows["component"].tolist(), 3, seed=7)

    assert order.average_precision() == pytest.approx(
        average_precision_score(target, scores, sample_weight=population)
    )
    for each in times:
        assert order.average_precision(each) == pytest.approx(
            average_precision_score(target, scores, sample_weight=population * each)
        )
        drawn = pd.Series(each).groupby(rows["component"].to_numpy())
        assert drawn.nunique().max() == 1
    assert np.isnan(ranked(np.zeros(3), np.ones(3), np.ones(3)).average_precision())


def test_figures_at_capacity_are_counted_by_hand():
    # The first stands for one, the two tied ones for four, the last for five accounts.
    rows = pd.DataFrame(
        {
            "target": [1, 1, 0, 0, 1],
            "population": [1.0, 1.0, 3.0, 4.0, 1.0],
            "loss": [10.0, 20.0, 0.0, 0.0, 70.0],
        }
    )
    scores = np.array([0.9, 0.5, 0.5, 0.1, 0.1])

    found = figures(rows, scores, capacity=3, is_probability=True)

    # Half of the tied fit: 1 + 0.5 of three confirmed, 10 + 10 of 100 yuan.
    assert found["precision_at_capacity"] == pytest.approx(1.5 / 3)
    assert found["recall_at_capacity"] == pytest.approx(0.5)
    assert found["loss_recall_at_capacity"] == pytest.approx(0.2)
    assert found["lift_at_capacity"] == pytest.approx(0.5 / 0.3)
    assert found["brier"] == pytest.approx(
        (0.1**2 + 0.5**2 + 3 * 0.5**2 + 4 * 0.1**2 + 0.9**2) / 10
    )
    assert figures(rows.assign(target=0), scores, 3, False) == {}
    everything = figures(rows, scores, capacity=99, is_probability=False)
    assert everything["recall_at_capacity"] == pytest.approx(1.0)


def test_calibration_error_is_nought_for_true_shares_and_the_distance_otherwise():
    target = np.array([1, 0, 0, 0] * 25)
    exact, population = np.full(100, 0.25), np.ones(100)

    assert calibration_error(target, exact, population) == pytest.approx(0, abs=0.02)
    assert calibration_error(target, exact + 0.5, population) == pytest.approx(0.5, abs=0.02)


def test_precision_is_bounded_over_plausible_shares():
    # Of the first 10 accounts 2 are confirmed, 1 cleared, 7 in no case; below are 2 confirmed and 988 others.
    target = np.array([1, 1, 0, 0, 1, 1, 0])
    labelled = np.array([True, True, True, False, True, True, False])
    population = np.array([1, 1, 1, 7, 1, 1, 988.0])
    scores = np.array([9, 9, 9, 9, 1, 1, 1.0])

    bounds = {
        row["share"]: row
        for row in precision_bounds(ranked(target, scores, population), labelled, 10)
    }

    # 0.2 % of 995 are 2 hidden ones, half of all fraud lies among the first.
    assert bounds[0.002]["low"] == pytest.approx(0.2)
    assert bounds[0.002]["high"] == pytest.approx(0.399)
    assert bounds[0.002]["if_random"] == pytest.approx(0.2995)
    assert bounds[0.02]["high"] == pytest.approx(0.9)
    assert bounds[0.02]["if_random"] == pytest.approx(0.9)


def test_where_cases_are_found_at_random_the_bound_in_between_is_the_true_precision():
    rng = np.random.default_rng(8)
    is_fraud = np.arange(60_000) < 857
    is_found = is_fraud & (rng.random(60_000) < 0.3)  # so 1 % of those in no case are in fraud
    scores = 2.0 * is_fraud + rng.normal(size=60_000)

    order = ranked(is_found, scores, np.ones(60_000))
    [bound] = [row for row in precision_bounds(order, is_found, 600) if row["share"] == 0.01]

    true = is_fraud[np.argsort(-scores)[:600]].mean()
    assert bound["if_random"] == pytest.approx(true, abs=0.05)
    assert bound["low"] < 0.5 * true < true < bound["high"]


def test_an_interval_leaves_draws_without_a_figure_out():
    assert interval(np.array([np.nan, *np.linspace(0, 1, 101)])) == pytest.approx((0.05, 0.95))
    assert np.isnan(interval(np.array([]))).all()


def test_trees_keep_to_the_declared_directions(rows):
    names = list(MEMBER_MODEL_INPUT_NAMES)
    model = case_trees(DEFAULT, names, seed=1)
    # More points were cleared: the trees may not learn that they speak against fraud.
    against = (rows["points_use"] < 0.5).astype(int)
    model.fit(rows[names].to_numpy(), against)
    probe = np.zeros((20, len(names)))
    probe[:, names.index("points_use")] = np.linspace(0, 8, 20)

    scores = model.predict_proba(probe)[:, 1]

    assert (np.diff(scores) >= 0).all()
    assert sum(monotone(names)) == len(names) - 4


def test_the_regression_takes_an_account_without_a_link_as_barely_linked(rows):
    names = list(MEMBER_MODEL_INPUT_NAMES)
    model = case_logistic(names).fit(rows[names].to_numpy(), rows["target"])
    one = np.zeros((2, len(names)))
    link = names.index("link_weight_two_best_365d")
    one[0, link], one[1, link] = np.nan, UNLINKED_LOG_ODDS

    first, second = model.predict_proba(one)[:, 1]

    assert first == second


def test_every_contender_scores_the_tested_rows_and_the_same_seed_gives_the_same(rows):
    train, test = np.arange(0, 300), np.arange(300, 400)

    first = split_scores(rows, train, test, CONTENDERS, budget=2, seed=4)
    second = split_scores(rows, train, test, CONTENDERS, budget=2, seed=4)

    assert set(first) == {each.name for each in CONTENDERS if each.kind != "blend"}
    assert len(CONTENDERS) >= 6
    for name, scores in first.items():
        assert len(scores) == 100
        assert not np.isnan(scores).any()
        assert (scores == second[name]).all()
    assert (first[PRIOR] == rows["prior"].to_numpy()[300:]).all()


def test_a_search_keeps_to_its_budget_and_a_budget_of_one_is_the_default(rows):
    names = list(MEMBER_MODEL_INPUT_NAMES)
    first, second = (searched(rows, names, budget=5, seed=1) for _ in range(2))

    assert searched(rows, names, budget=1, seed=1).settings == DEFAULT
    assert len(first.tried) == 5
    assert first.tried[list(DEFAULT)].iloc[0].to_dict() == DEFAULT
    assert first.tried[list(SPACE)].apply(lambda column: column.isin(SPACE[column.name])).all(None)
    best = first.tried.loc[first.tried["average_precision"].idxmax()]
    assert first.settings == best[list(SPACE)].to_dict()
    pd.testing.assert_frame_equal(first.tried, second.tried)


def test_weak_innocence_of_accounts_in_no_case_is_what_elkan_and_noto_make_of_it():
    """Where cases are found at random, the score is the probability of fraud times the share that is found."""
    rng = np.random.default_rng(6)
    values = rng.normal(size=(20_000, 2))
    chance = 1 / (1 + np.exp(1.5 - 2 * values[:, 0]))
    is_fraud = rng.random(20_000) < chance
    is_found = is_fraud & (rng.random(20_000) < 0.3)
    # A quarter of the accounts in no case is drawn.
    is_row = is_found | (rng.random(20_000) < 0.25)
    population = np.where(is_found, 1.0, 4.0)
    weight = training_weights(is_found, population, np.full(20_000, "tip", dtype=object))
    learned = LogisticRegression()
    oracle = ElkanotoPuClassifier(LogisticRegression(), hold_out_ratio=0.2, random_state=1)

    learned.fit(values[is_row], is_found[is_row], sample_weight=weight[is_row])
    oracle.fit(values, is_found.astype(int))
    scores = learned.predict_proba(values)[:, 1]
    found = oracle.predict_proba(values)[:, 1]

    assert spearmanr(scores, found).statistic > 0.999
    assert np.abs(scores / oracle.c - found).mean() < 0.03
    learned.fit(values[is_row], is_found[is_row])
    assert np.abs(learned.predict_proba(values)[:, 1] / oracle.c - found).mean() > 0.1


def test_probabilities_are_calibrated_on_rows_that_were_scored_without_their_group():
    rng = np.random.default_rng(3)
    margin = rng.normal(-1, 1.5, 20_000)
    target = (rng.random(20_000) < 1 / (1 + np.exp(-margin))).astype(int)
    # Twice as sure as they should be.
    scores = 1 / (1 + np.exp(-2 * margin))
    rows = pd.DataFrame({"target": target, "population": 1.0})

    found = calibrated(Evaluation("group", rows, {TREES: scores}, 10.0, np.ones((1, 20_000))))
    backwards = calibrated(
        Evaluation("group", rows, {TREES: 1 - scores}, 10.0, np.ones((1, 20_000)))
    )

    assert (found.slope, found.intercept) == pytest.approx((0.5, 0.0), abs=0.05)
    assert (backwards.slope, backwards.intercept) == (1.0, 0.0)


def blended(trees, prior):
    rows = pd.DataFrame(
        {
            "target": [1] * 20 + [0] * 180,
            "population": 1.0,
            "component": [f"c{number}" for number in range(200)],
        }
    )
    times = bootstrap_times(rows["component"].tolist(), 50, seed=1)
    return blend_choice(Evaluation("group", rows, {PRIOR: prior, TREES: trees}, 10.0, times))


def test_a_model_moves_the_list_only_as_far_as_noise_allows():
    rng = np.random.default_rng(1)
    target = np.array([1.0] * 20 + [0.0] * 180)
    good, noise = 3 * target + rng.normal(size=200), rng.normal(size=200)
    probability = 1 / (1 + np.exp(-good))

    assert blended(probability, noise).weight >= 0.5
    assert blended(1 / (1 + np.exp(-noise)), good).weight == 0
    # The same order: nothing is gained, so the list stays.
    same = blended(probability, np.log(probability / (1 - probability)))
    assert same.weight == 0
    assert same.table["behind"].max() == 0
    # A little better than the list, but within noise.
    little = blended(1 / (1 + np.exp(-good - np.random.default_rng(0).normal(0, 0.3, 200))), good)
    assert little.table["behind"][0] > 0
    assert little.weight == 0
