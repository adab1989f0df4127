"""The significance of a count, compared with chance."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

#: Of something that chance never gives; a larger surprise is no better reason.
MOST_SURPRISE = 300.0
#: Below this a double's tail loses digits; the series takes over.
_SMALLEST_TAIL = 1e-250


def poisson_surprise(count: npt.ArrayLike, expected: npt.ArrayLike) -> Floats:
    """Give -log10 P(X >= count) for X ~ Poisson(expected); 0 for a count of none, finite always.

    P(X >= k) is the regularised lower incomplete gamma function of k at the mean. A tail too small for a
    double is pmf(k) * 1F1(1; k + 1; mean), in logarithms; k is then far above the mean, so the series
    is short.
    """
    counts, mean = np.asarray(count, np.float64), np.asarray(expected, np.float64)
    k = np.maximum(counts, 1.0)
    tail = special.gammainc(k, mean)
    with np.errstate(divide="ignore"):
        log_first = special.xlogy(k, mean) - mean - special.gammaln(k + 1)
    log_tail = log_first + np.log(special.hyp1f1(1.0, k + 1, np.minimum(mean, k)))
    safe = np.log(np.maximum(tail, _SMALLEST_TAIL))
    chosen = np.where(tail > _SMALLEST_TAIL, safe, log_tail)
    chosen = np.where((mean <= 0) & (counts >= 1), -MOST_SURPRISE * math.log(10), chosen)
    # Adding zero turns -0.0, the surprise of a certainty, into 0.0.
    return np.where(counts >= 1, -chosen / math.log(10), 0.0) + 0.0


def binomial_surprise(count: npt.ArrayLike, trials: npt.ArrayLike, chance: npt.ArrayLike) -> Floats:
    """Give -log10 P(X >= count) for X ~ Binomial(trials, chance), at most 250; 0 for a count of 0."""
    counts, n = np.asarray(count, dtype=float), np.asarray(trials, dtype=float)
    tail = special.betainc(np.maximum(counts, 1.0), np.maximum(n - counts, 0.0) + 1, chance)
    tail = np.where(counts < 1, 1.0, tail)
    return np.asarray(-np.log10(np.maximum(tail, _SMALLEST_TAIL)) + 0.0, dtype=np.float64)
