"""Factors for the points of rule families, fitted on accounts known to be in fraud."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """The indicators of the accounts of one province.

    Args:
        points: one row per account with an indicator, one column per family: the highest points of a rule
            that counts.
        in_fraud: whether each account is in fraud.
        weight: the weight of the province.
    """

    points: Numbers
    in_fraud: npt.NDArray[np.bool_]
    weight: float = 1.0


def family_factors(provinces: Sequence[Shown], shrinkage: float = 0.1) -> Numbers:
    """The factor for the points of each family that makes their sum separate fraud best.

    A logistic regression in which each family's weight is a common scale times its factor, and factors are
    shrunk towards 1 as ridge regression shrinks weights towards 0. Families that fire together repeat each
    other, so they get smaller factors. Provinces count by their weight, not by their size.

    Args:
        provinces: at least one with an account in fraud that has an indicator.
        shrinkage: the penalty on the square of each factor's distance from 1, in units of the mean log-loss
            per account in fraud.

    Returns:
        Factors from 0 up, one per column of `points`.

    Raises:
        ValueError: when no account in fraud has an indicator.
    """
    held = [each for each in provinces if each.in_fraud.any()]
    if not held:
        raise ValueError(
            "no account in fraud has an indicator, so no factors can be fitted: give other provinces"
        )
    points = np.vstack([each.points for each in held])
    fraud = np.concatenate([each.in_fraud for each in held]).astype(np.float64)
    total = sum(each.weight for each in held)
    shares = [
        np.full(len(each.in_fraud), each.weight / total / each.in_fraud.sum()) for each in held
    ]
    weight = np.concatenate(shares)

    def loss(x: Numbers) -> tuple[float, Numbers]:
        scale, moved, intercept = x[0], x[1:-1], x[-1]
        score = points @ (scale * (1 + moved)) + intercept
        each = np.logaddexp(0, score) - fraud * score
        slope = weight * (1 / (1 + np.exp(-score)) - fraud)
        by_family = points.T @ slope
        gradient = np.r_[
            by_family @ (1 + moved), by_family * scale + 2 * shrinkage * moved, slope.sum()
        ]
        return float(weight @ each + shrinkage * moved @ moved), gradient

    families = points.shape[1]
    fit = minimize(
        loss,
        np.r_[0.5, np.zeros(families), -5.0],
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.05, None), *[(-1.0, None)] * families, (None, None)],
    )
    factors: Numbers = 1 + fit.x[1:-1]
    return factors
