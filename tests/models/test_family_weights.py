"""What families of rules count beside each other, on accounts drawn from known weights."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.family_weights import Shown, family_factors


@pytest.fixture(scope="module")
def accounts():
    """Two families that say the same, one that says something else, one that says nothing."""
    rng = np.random.default_rng(3)
    same, other, noise = (rng.binomial(1, share, 20_000) * 2.0 for share in (0.2, 0.2, 0.3))
    score = 1.5 * same + 1.5 * other - 4
    fraud = rng.random(20_000) < 1 / (1 + np.exp(-score))
    return np.column_stack([same, same, other, noise]), fraud


def test_families_that_say_the_same_share_what_one_of_them_says(accounts):
    points, fraud = accounts
    one, twin, other, noise = family_factors([Shown(points, fraud)], shrinkage=1e-4)
    assert one == pytest.approx(twin, rel=0.01)
    assert one + twin == pytest.approx(other, rel=0.1)
    assert noise == pytest.approx(0, abs=0.1)


def test_without_shrinkage_factors_are_weights_of_a_logistic_regression(accounts):
    points, fraud = accounts
    points = points[:, 1:]
    expected = LogisticRegression(C=1e9, tol=1e-8).fit(points, fraud).coef_[0]
    found = family_factors([Shown(points, fraud)], shrinkage=1e-9)
    # Only their proportions count; one below 0 would be 0.
    assert found[0] / found[1] == pytest.approx(expected[0] / expected[1], rel=0.01)
    assert found[2] / found[1] == pytest.approx(max(expected[2] / expected[1], 0), abs=0.01)


def test_much_shrinkage_leaves_points_as_they_are(accounts):
    assert family_factors([Shown(*accounts)], shrinkage=1e6) == pytest.approx(np.ones(4), abs=1e-3)


def test_a_province_counts_by_its_weight_not_its_size(accounts):
    points, fraud = accounts
    turned = Shown(points[:, ::-1], fraud, weight=3.0)
    few = Shown(points[:2000], fraud[:2000])
    often = Shown(np.vstack([points[:2000]] * 5), np.concatenate([fraud[:2000]] * 5))
    assert family_factors([few, turned]) == pytest.approx(family_factors([often, turned]), abs=1e-3)


def test_a_province_of_great_weight_decides(accounts):
    points, fraud = accounts
    alone = family_factors([Shown(points, fraud)])
    turned = Shown(points[:, ::-1], fraud)
    heavy = Shown(points, fraud, weight=1e4)
    assert family_factors([heavy, turned]) == pytest.approx(alone, abs=0.01)
    assert family_factors([Shown(points, fraud), turned]) != pytest.approx(alone, abs=0.1)


def test_nothing_to_fit_to_is_said(accounts):
    points, fraud = accounts
    with pytest.raises(ValueError, match="no account in fraud"):
        family_factors([Shown(points, np.zeros_like(fraud))])
