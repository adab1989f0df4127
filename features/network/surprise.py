"""How surprising a count is: upper tails of counts that chance would give, as -log10."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

# Below this a double's tail loses digits; the series takes over.
_SMALLEST_TAIL = 1e-250


def poisson_surprise(count: npt.ArrayLike, mean: npt.ArrayLike) -> Floats:
    """Give -log10 P(X >= count) for X ~ Poisson(mean), finite for every positive mean.

    A tail too small for a double is pmf(count) * 1F1(1; count + 1; mean), in logarithms;
    count is then far above mean, so the series is short.
    """
    counts, means = np.asarray(count, dtype=float), np.asarray(mean, dtype=float)
    tail = special.gammainc(counts, means)
    log_first = special.xlogy(counts, means) - means - special.gammaln(counts + 1)
    log_tail = log_first + np.log(special.hyp1f1(1.0, counts + 1, np.minimum(means, counts)))
    safe = np.log(np.maximum(tail, _SMALLEST_TAIL))
    chosen = np.where(tail > _SMALLEST_TAIL, safe, log_tail)
    # Adding zero turns -0.0, the surprise of a certainty, into 0.0.
    return np.asarray(-chosen / math.log(10) + 0.0, dtype=np.float64)


def binomial_surprise(count: npt.ArrayLike, trials: npt.ArrayLike, chance: npt.ArrayLike) -> Floats:
    """Give -log10 P(X >= count) for X ~ Binomial(trials, chance), at most 250; 0 for a count of 0."""
    counts, n = np.asarray(count, dtype=float), np.asarray(trials, dtype=float)
    tail = special.betainc(np.maximum(counts, 1.0), np.maximum(n - counts, 0.0) + 1, chance)
    tail = np.where(counts < 1, 1.0, tail)
    return np.asarray(-np.log10(np.maximum(tail, _SMALLEST_TAIL)) + 0.0, dtype=np.float64)
