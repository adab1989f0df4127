"""The significance of a count, compared with chance."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special

#: Of something that chance never gives; a larger surprise is no better reason.
MOST_SURPRISE = 300.0
#: Below this a double's tail loses digits; the series takes over.
_SMALLEST_TAIL = 1e-250


def poisson_surprise(
    count: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Give -log10 P(X >= count) for X ~ Poisson(expected): 0 for a count of 0, always finite.

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
