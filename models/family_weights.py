"""How much families of rules should count beside each other, fitted on accounts known to be in fraud."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """What accounts of one province show.

    Args:
        points: a row per account that shows anything, a column per family: the most points of a rule that counts.
        in_fraud: whether each account is in fraud.
        weight: how much the province counts beside others.
    """

    points: Numbers
    in_fraud: npt.NDArray[np.bool_]
    weight: float = 1.0


def family_factors(provinces: Sequence[Shown], shrinkage: float = 0.1) -> Numbers:
    """By what to multiply the points of each family, so that they add up best.

    A logistic regression in which each family's weight is a common scale times its factor, and factors
    are drawn to 1 as ridge regression draws weights to 0. Each rule alone may tell fraud well; those
    that come together say the same twice, and get less. Provinces count by their weight, whatever
    their size.

    Args:
        provinces: at least one with an account in fraud that shows something.
        shrinkage: the penalty on the square of each factor's distance from 1, in units of the mean log-loss
            per account in fraud.

    Returns:
        Factors from 0 up, one per column of `points`.

    Raises:
        ValueError: when no account in fraud shows anything.
    """
    held = [each for each in provinces if each.in_fraud.any()]
    if not held:
        raise ValueError("no account in fraud shows anything: there is nothing to fit factors to")
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
