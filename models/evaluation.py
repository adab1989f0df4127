"""The quality of a ranking: figures per fold, their spread, paired differences, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

Numbers = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int_]

#: Ranks at which precision and recall are taken: what a team can look at in a week, and more.
TOP = (10, 20, 50)

#: The rows that figures are about: those the model can score, and all labelled, the others last.
SUBSETS = ("with_basis", "all_labelled")

FOLD_FIGURE_COLUMNS = ["subset", "contender", "fold", "metric", "value"]


@dataclass(frozen=True)
class PairedDifference:
    """The mean difference of two contenders over the same folds with two 95 % intervals.

    The naive interval assumes independent folds, but repeated folds share training rows. The corrected
    interval adds test/train to the variance (Nadeau and Bengio 2003).
    """

    mean: float
    naive_low: float
    naive_high: float
    corrected_low: float
    corrected_high: float
    folds: int
    folds_won: int


def figures(
    labels: Labels, scores: Numbers, is_probability: bool, weights: Numbers | None = None
) -> dict[str, float]:
    """The figures of one ranking; empty when one of the two labels is missing.

    average_precision, roc_auc, brier (only of probabilities), precision_at_K and recall_at_K for K in
    TOP up to the number of rows. Equal scores count as tied, whatever the order of the rows.

    Args:
        labels: 0 or 1 for each row.
        scores: higher is worse.
        is_probability: whether the scores are probabilities.
        weights: how many each row of a sample stands for; figures at K are then left out.
    """
    if len(set(labels.tolist())) < 2:
        return {}
    found = {
        "average_precision": float(average_precision_score(labels, scores, sample_weight=weights)),
        "roc_auc": float(roc_auc_score(labels, scores, sample_weight=weights)),
    }
    if is_probability:
        found["brier"] = float(brier_score_loss(labels, scores, sample_weight=weights))
    if weights is not None:
        return found
    for top in (each for each in TOP if each <= len(labels)):
        hits = expected_hits(labels, scores, top)
        found[f"precision_at_{top}"] = hits / top
        found[f"recall_at_{top}"] = hits / int(labels.sum())
    return found


def expected_hits(labels: Labels, scores: Numbers, top: int) -> float:
    """Positives among the `top` highest scores, with the expected number of those tied at the edge."""
    edge = np.sort(scores)[::-1][top - 1]
    above, tied = scores > edge, scores == edge
    return float(labels[above].sum() + (top - above.sum()) * labels[tied].mean())


def ranked_last(scores: Numbers) -> Numbers:
    """Scores with every missing score below all others and tied with the other missing ones."""
    present = scores[~np.isnan(scores)]
    ranks = np.zeros(len(scores))
    ranks[~np.isnan(scores)] = stats.rankdata(present, method="dense")
    return ranks


def fold_figures(
    labels: Labels,
    folds: npt.NDArray[np.int32],
    scores: dict[str, Numbers],
    probabilities: Sequence[str],
    weights: Numbers | None = None,
) -> pd.DataFrame:
    """Figures of every contender in every fold of every repeat, in FOLD_FIGURE_COLUMNS.

    `fold` counts through the repeats. In the subset all_labelled the rows without a score are ranked
    last, tied; no Brier score is given there. Folds without both labels have no figures.

    Args:
        labels: 0 or 1 for each row.
        folds: the fold that tests each row, of shape (repeats, rows).
        scores: out-of-fold scores of each contender, of the same shape; NaN without a basis.
        probabilities: the contenders whose scores are probabilities.
        weights: how many each row of a sample stands for; None if each stands for itself.
    """
    per_repeat = int(folds.max()) + 1
    rows = []
    for name, score in scores.items():
        for repeat, fold in np.ndindex(len(folds), per_repeat):
            test = folds[repeat] == fold
            known = test & ~np.isnan(score[repeat])
            of_known, of_test = (None, None) if weights is None else (weights[known], weights[test])
            of_subset = {
                "with_basis": figures(
                    labels[known], score[repeat][known], name in probabilities, of_known
                ),
                "all_labelled": figures(
                    labels[test], ranked_last(score[repeat][test]), False, of_test
                ),
            }
            rows += [
                (subset, name, repeat * per_repeat + fold, metric, value)
                for subset, found in of_subset.items()
                for metric, value in found.items()
            ]
    return pd.DataFrame(rows, columns=FOLD_FIGURE_COLUMNS)


def spreads(by_fold: pd.DataFrame) -> pd.DataFrame:
    """Mean, standard deviation (n - 1) and number of folds of each figure."""
    grouped = by_fold.groupby(["subset", "contender", "metric"], sort=True)["value"]
    return grouped.agg(mean="mean", sd="std", folds="count").reset_index()


def paired_difference(first: Numbers, second: Numbers, test_to_train: float) -> PairedDifference:
    """Compare two contenders over the same folds.

    Args:
        first: a figure of the first contender in each fold.
        second: the same figure of the second in the same folds.
        test_to_train: rows tested over rows trained on in a fold: 1 / (folds - 1).

    Raises:
        ValueError: when there are fewer than two folds, or not the same number.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(
            f"cannot pair {len(first)} folds with {len(second)}: two or more, the same"
        )
    differences = first - second
    count, mean, sd = len(differences), float(differences.mean()), float(differences.std(ddof=1))
    quantile = float(stats.t.ppf(0.975, count - 1))
    naive = quantile * sd * np.sqrt(1 / count)
    corrected = quantile * sd * np.sqrt(1 / count + test_to_train)
    return PairedDifference(
        mean=mean,
        naive_low=mean - naive,
        naive_high=mean + naive,
        corrected_low=mean - corrected,
        corrected_high=mean + corrected,
        folds=count,
        folds_won=int((differences > 0).sum()),
    )


def differences_from(by_fold: pd.DataFrame, first: str, fold_count: int) -> pd.DataFrame:
    """`first` against every other contender: subset, contender, metric, and a PairedDifference."""
    wide = by_fold.pivot_table(
        index=["subset", "metric", "fold"], columns="contender", values="value"
    )
    rows = []
    for (subset, metric), part in wide.groupby(level=["subset", "metric"]):
        for other in (name for name in wide.columns if name != first):
            both = part[[first, other]].dropna()
            if len(both) > 1:
                found = paired_difference(
                    both[first].to_numpy(), both[other].to_numpy(), 1 / (fold_count - 1)
                )
                rows.append({"subset": subset, "contender": other, "metric": metric, **vars(found)})
    return pd.DataFrame(rows)


def calibration_bins(labels: Labels, probabilities: Numbers, bins: int = 10) -> pd.DataFrame:
    """Rows in `bins` groups of about equal size by probability: rows, mean_score, confirmed_share.

    Equal probabilities stay in one bin, so there may be fewer bins.
    """
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, bins + 1)))
    place = np.searchsorted(edges[1:-1], probabilities, side="left")
    frame = pd.DataFrame({"bin": place, "score": probabilities, "label": labels})
    return (
        frame.groupby("bin", sort=True)
        .agg(
            rows=("label", "size"), mean_score=("score", "mean"), confirmed_share=("label", "mean")
        )
        .reset_index(drop=True)
    )
