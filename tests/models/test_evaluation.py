"""Figures against numbers worked out by hand, and against plain formulas."""

import numpy as np
import pytest
from scipy import stats

from models.evaluation import (
    calibration_bins,
    differences_from,
    expected_hits,
    figures,
    fold_figures,
    paired_difference,
    ranked_last,
    spreads,
)

NAN = float("nan")


def test_figures_of_a_small_ranking_worked_out_by_hand() -> None:
    # Order by score: 1 0 1 0. Average precision (1/1 + 2/3) / 2; 3 of 4 pairs right; squared errors
    # .01 + .49 + .25 + .01 over 4.
    found = figures(np.array([1, 0, 1, 0]), np.array([0.9, 0.7, 0.5, 0.1]), is_probability=True)

    assert found == pytest.approx({"average_precision": 5 / 6, "roc_auc": 0.75, "brier": 0.19})


def test_a_ranking_without_probabilities_has_no_brier_score_and_one_label_no_figures() -> None:
    assert "brier" not in figures(np.array([1, 0]), np.array([30.0, 20.0]), is_probability=False)
    assert figures(np.array([0, 0]), np.array([0.3, 0.2]), is_probability=True) == {}


def test_hits_among_ties_at_the_edge_are_expected_ones() -> None:
    labels = np.array([1, 1, 0, 0, 0])
    # One row is above; of four tied ones, one of them positive, two more come in.
    assert expected_hits(labels, np.array([9.0, 5, 5, 5, 5]), 3) == pytest.approx(1 + 2 / 4)
    assert expected_hits(labels, np.array([5.0, 4, 3, 2, 1]), 2) == 2


def test_precision_and_recall_at_the_top() -> None:
    labels = np.array([1] * 6 + [0] * 4 + [1] * 2)

    found = figures(labels, np.arange(12, 0, -1).astype(float), is_probability=False)

    assert (found["precision_at_10"], found["recall_at_10"]) == (0.6, 0.75)
    assert "precision_at_20" not in found


def test_rows_without_a_score_are_tied_below_all_others() -> None:
    assert ranked_last(np.array([0.2, NAN, -7.0, NAN, 0.2])).tolist() == [2, 0, 1, 0, 2]


def test_all_labelled_counts_rows_without_a_score_as_ranked_last() -> None:
    labels = np.array([1, 0, 1, 0])
    scores = {"trees": np.array([[0.9, 0.2, NAN, NAN]])}

    by_fold = fold_figures(labels, np.zeros((1, 4), np.int32), scores, ["trees"])

    found = by_fold.set_index(["subset", "metric"])["value"]
    assert found["with_basis", "roc_auc"] == 1
    # Pairs right: (1st, 2nd), (1st, 4th) and half of (3rd, 4th), which are tied; 3rd < 2nd is wrong.
    assert found["all_labelled", "roc_auc"] == pytest.approx(2.5 / 4)
    # Recall 1/2 at precision 1, then three more at once: 2 of 4.
    assert found["all_labelled", "average_precision"] == pytest.approx(0.5 * 1 + 0 + 0.5 * 0.5)
    assert ("all_labelled", "brier") not in found.index


def test_spread_is_taken_over_all_folds_of_all_repeats() -> None:
    labels = np.array([1, 0, 1, 0])
    folds = np.array([[0, 0, 1, 1], [0, 1, 1, 0]], np.int32)
    scores = {"trees": np.array([[0.9, 0.1, 0.1, 0.9], [0.9, 0.2, 0.8, 0.1]])}

    found = spreads(fold_figures(labels, folds, scores, ["trees"])).set_index(["subset", "metric"])

    row = found.loc[("with_basis", "roc_auc")]
    assert (row["mean"], row["folds"]) == (0.75, 4)
    assert row["sd"] == pytest.approx(np.std([1, 0, 1, 1], ddof=1))


def test_the_naive_interval_is_the_paired_t_test_and_the_corrected_one_is_wider() -> None:
    first = np.array([0.70, 0.66, 0.71, 0.69, 0.75])
    second = np.array([0.65, 0.64, 0.66, 0.70, 0.68])

    found = paired_difference(first, second, test_to_train=1 / 4)

    oracle = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (found.naive_low, found.naive_high) == pytest.approx((oracle.low, oracle.high))
    # Nadeau and Bengio: the variance is sd^2 (1/n + test/train), here 0.45 instead of 0.2.
    half = (found.naive_high - found.naive_low) / 2 * np.sqrt(0.45 / 0.2)
    assert (found.corrected_low, found.corrected_high) == pytest.approx(
        (found.mean - half, found.mean + half)
    )
    assert (found.folds, found.folds_won) == (5, 4)


def test_folds_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot pair 1 folds with 1"):
        paired_difference(np.array([1.0]), np.array([1.0]), 0.25)


def test_differences_are_taken_fold_by_fold_against_the_first_contender() -> None:
    labels = np.array([1, 0, 1, 0])
    folds = np.array([[0, 0, 1, 1]], np.int32)
    scores = {
        "trees": np.array([[0.9, 0.1, 0.9, 0.1]]),
        "claim_count": np.array([[3.0, 1.0, 1.0, 3.0]]),
    }

    by_fold = fold_figures(labels, folds, scores, ["trees"])
    found = differences_from(by_fold, "trees", fold_count=2).set_index(["subset", "metric"])

    row = found.loc[("with_basis", "roc_auc")]
    assert (row["contender"], row["mean"], row["folds_won"]) == ("claim_count", 0.5, 1)
    # sd of (0, 1) is sqrt(.5); test/train is 1 with two folds.
    half = stats.t.ppf(0.975, 1) * np.sqrt(0.5) * np.sqrt(1 / 2 + 1)
    assert row["corrected_high"] == pytest.approx(0.5 + half)


def test_calibration_bins_hold_about_equal_numbers_and_never_tear_ties_apart() -> None:
    labels = np.array([0, 0, 1, 0, 1, 1])
    found = calibration_bins(labels, np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8]), bins=2)
    tied = calibration_bins(labels, np.array([0.5] * 6), bins=3)

    assert found["rows"].tolist() == [3, 3]
    assert found["mean_score"].tolist() == pytest.approx([0.2, 0.7])
    assert found["confirmed_share"].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert tied["rows"].sum() == 6
    assert tied["rows"].tolist() == [6]
