import math

import numpy as np
import pytest
from scipy import stats

from features.chance import binomial_surprise, poisson_surprise


@pytest.mark.parametrize(("count", "mean"), [(1, 0.01), (3, 0.5), (10, 4.0), (2, 30.0)])
def test_the_poisson_surprise_is_the_exact_tail(count, mean):
    exact = 1 - sum(mean**k * math.exp(-mean) / math.factorial(k) for k in range(count))
    assert poisson_surprise([count], [mean])[0] == pytest.approx(-math.log10(exact), rel=1e-9)


@pytest.mark.parametrize(("count", "trials", "chance"), [(3, 5, 0.2), (5, 5, 0.1), (1, 9, 0.5)])
def test_the_binomial_surprise_is_the_exact_tail(count, trials, chance):
    exact = sum(
        math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k)
        for k in range(count, trials + 1)
    )
    found = binomial_surprise([count], [trials], [chance])[0]
    assert found == pytest.approx(-math.log10(exact), rel=1e-9)


def test_nothing_is_no_surprise_and_the_impossible_is_finite():
    assert poisson_surprise([0], [3.0])[0] == 0
    assert binomial_surprise([0], [4], [0.3])[0] == 0
    assert np.isfinite(poisson_surprise([400], [1e-9])[0])
    assert binomial_surprise([400], [400], [1e-9])[0] == 250


def test_under_the_null_a_surprise_of_two_comes_once_in_a_hundred_or_less():
    draws = np.random.default_rng(5).poisson(2.5, 40_000)
    surprise = poisson_surprise(draws, np.full(len(draws), 2.5))
    assert (surprise >= 2).mean() <= 0.011
    assert (surprise >= 2).mean() == pytest.approx(stats.poisson.sf(7, 2.5), abs=0.003)
