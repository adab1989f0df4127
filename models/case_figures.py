"""How well a ranking finds accounts in closed cases, with rows that stand for many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from models.case_rows import Numbers

Ints = npt.NDArray[np.int_]

#: Shares of fraud among accounts in no case for which precision is bounded.
PLAUSIBLE_SHARES = (0.002, 0.005, 0.01, 0.02)
_BINS = 10


@dataclass(frozen=True)
class Ranked:
    """A ranking with its ties: what lies at each place, the highest score first.

    Attributes:
        group: for each row the place of its score among the different scores, 0 the highest.
        target: 1 for confirmed accounts.
        population: how many accounts each row stands for.
    """

    group: Ints
    target: Numbers
    population: Numbers

    def sums(self, values: Numbers) -> Numbers:
        """The sum of values over the rows of each place."""
        found: Numbers = np.bincount(self.group, weights=values).astype(np.float64)
        return found

    def average_precision(self, times: Numbers | None = None) -> float:
        """Average precision as scikit-learn has it, with each row counted `times`."""
        times = np.ones(len(self.target)) if times is None else times
        hits = np.cumsum(self.sums(self.target * times))
        looked_at = np.cumsum(self.sums(self.population * times))
        if not hits[-1]:
            return float("nan")
        precision = hits / np.maximum(looked_at, 1e-12)
        return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])

    def within(self, values: Numbers, capacity: float, times: Numbers | None = None) -> float:
        """The sum of values among the first `capacity` accounts; of those tied at the edge the share that fits."""
        times = np.ones(len(self.target)) if times is None else times
        size = self.sums(self.population * times)
        before = np.cumsum(size) - size
        share = np.clip((capacity - before) / np.maximum(size, 1e-12), 0.0, 1.0)
        return float((self.sums(values * times) * share).sum())


def ranked(target: npt.ArrayLike, scores: Numbers, population: npt.ArrayLike) -> Ranked:
    """A ranking by score, the highest first."""
    _, group = np.unique(-scores, return_inverse=True)
    return Ranked(
        group.astype(np.int_),
        np.asarray(target, np.float64),
        np.asarray(population, np.float64),
    )


def figures(
    rows: pd.DataFrame, scores: Numbers, capacity: float, is_probability: bool
) -> dict[str, float]:
    """The figures of one ranking; empty when there is nobody confirmed or nobody else.

    average_precision, roc_auc, precision, recall, loss_recall and lift at capacity, and for probabilities
    brier and calibration_error. Precision is the confirmed share, so it is a lower bound of what a look
    would confirm. Equal scores count as tied.

    Args:
        rows: `target`, `population`, `loss`.
        scores: of each row.
        capacity: accounts that people can look at.
        is_probability: whether scores are probabilities.
    """
    target = rows["target"].to_numpy(np.int_)
    population, loss = rows["population"].to_numpy(np.float64), rows["loss"].to_numpy(np.float64)
    if not 0 < target.sum() < len(target):
        return {}
    order = ranked(target, scores, population)
    seen = min(capacity, float(population.sum()))
    hits = order.within(order.target, seen)
    found = {
        "average_precision": float(
            average_precision_score(target, scores, sample_weight=population)
        ),
        "roc_auc": float(roc_auc_score(target, scores, sample_weight=population)),
        "precision_at_capacity": hits / seen,
        "recall_at_capacity": hits / float(target.sum()),
        "lift_at_capacity": (hits / seen) / (float(target.sum()) / float(population.sum())),
    }
    if loss.sum():
        found["loss_recall_at_capacity"] = order.within(loss, seen) / float(loss.sum())
    if is_probability:
        found["brier"] = float(brier_score_loss(target, scores, sample_weight=population))
        found["calibration_error"] = calibration_error(target, scores, population)
    return found


def calibration_table(target: Ints, scores: Numbers, population: Numbers) -> pd.DataFrame:
    """Confirmed share against mean probability in groups of equal score mass: accounts, mean_score, confirmed_share.

    Groups hold about the same sum of probability, since groups of equal size would nearly all lie at zero.
    """
    _, group = np.unique(scores, return_inverse=True)
    mass = np.bincount(group, weights=scores * population)
    # Equal scores stay in one group.
    below = (np.cumsum(mass) - mass) / max(float(mass.sum()), 1e-300)
    place = np.minimum((below * _BINS).astype(np.int_), _BINS - 1)[group]
    frame = pd.DataFrame(
        {
            "bin": place,
            "accounts": population,
            "score": scores * population,
            "confirmed": target * population,
        }
    )
    sums = frame.groupby("bin", sort=True).sum()
    return pd.DataFrame(
        {
            "accounts": sums["accounts"],
            "mean_score": sums["score"] / sums["accounts"],
            "confirmed_share": sums["confirmed"] / sums["accounts"],
        }
    ).reset_index(drop=True)


def calibration_error(target: Ints, scores: Numbers, population: Numbers) -> float:
    """Mean distance of probability from confirmed share, over accounts (expected calibration error)."""
    table = calibration_table(target, scores, population)
    distance = (table["mean_score"] - table["confirmed_share"]).abs()
    return float((distance * table["accounts"]).sum() / table["accounts"].sum())


def bootstrap_times(components: Sequence[str], draws: int, seed: int) -> npt.NDArray[np.float64]:
    """How often each row counts in each draw, of shape (draws, rows): whole components are drawn with replacement."""
    names, place = np.unique(np.asarray(components, dtype=str), return_inverse=True)
    rng = np.random.default_rng(seed)
    times = np.empty((draws, len(place)))
    for draw in range(draws):
        picked = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        times[draw] = picked[place]
    return times


def interval(values: Numbers) -> tuple[float, float]:
    """The middle 90 % of bootstrap values; draws without a confirmed account do not count."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.05, 0.95))
    return float(low), float(high)


def precision_bounds(
    order: Ranked, is_labelled: npt.NDArray[np.bool_], capacity: float
) -> list[dict[str, float]]:
    """Bounds of precision at capacity for PLAUSIBLE_SHARES of fraud among accounts in no case.

    `low` counts only the confirmed. `high` takes every account in no case among the first for fraud, as far
    as the share allows so many. `if_random` is what follows if cases are found whatever the score: the first
    then hold the same part of all fraud as of the confirmed; it is held between the bounds.
    """
    seen = min(capacity, float(order.population.sum()))
    confirmed = order.within(order.target, seen)
    unknown = np.where(is_labelled, 0.0, order.population)
    unknown_seen, everybody = order.within(unknown, seen), float(unknown.sum())
    recall = confirmed / max(float(order.target.sum()), 1e-12)
    found = []
    for share in PLAUSIBLE_SHARES:
        hidden = share * everybody
        low = confirmed / seen
        high = (confirmed + min(unknown_seen, hidden)) / seen
        guess = (confirmed + recall * hidden) / seen
        found.append(
            {"share": share, "low": low, "high": high, "if_random": min(max(guess, low), high)}
        )
    return found
