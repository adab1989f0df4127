"""The model of accounts: its name, and how much it may move the list."""

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column
from pyspark.sql import functions as F

#: The registered model of accounts.
MODEL_NAME = "drugtrail-member"
#: How much a model may move the list: not at all, a little, as much as the prior, alone.
BLEND_WEIGHTS = (0.0, 0.25, 0.5, 1.0)
#: A probability is kept this far from 0 and 1 before its log-odds are taken.
_EDGE = 1e-9


def blended(prior: Column, score: Column, weight: float) -> Column:
    """What the list goes by: the prior, moved by the model as far as `weight` allows.

    In log-odds: `(1 - weight) x prior + weight x log-odds of the score`. A weight of 0 leaves the list as
    rules and links have it, 1 leaves it to the model.

    Args:
        prior: the input `prior`.
        score: the model's probability.
        weight: the version's `blend_weight`.
    """
    kept = F.least(F.greatest(score, F.lit(_EDGE)), F.lit(1 - _EDGE))
    return F.round((1 - weight) * prior + weight * F.log(kept / (1 - kept)), 6)


def blended_numbers(
    prior: npt.NDArray[np.float64], score: npt.NDArray[np.float64], weight: float
) -> npt.NDArray[np.float64]:
    """`blended` for arrays."""
    kept = np.clip(score, _EDGE, 1 - _EDGE)
    moved: npt.NDArray[np.float64] = (1 - weight) * prior + weight * np.log(kept / (1 - kept))
    return moved.round(6)
