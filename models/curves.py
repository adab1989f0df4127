"""Curves of out-of-fold scores, as points and as pictures."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from models.evaluation import Labels, Numbers, calibration_bins

#: The same picture for the same points, byte for byte; text stays text.
mpl.rcParams["svg.hashsalt"] = "drugtrail"
mpl.rcParams["svg.fonttype"] = "none"

_RECALLS = np.linspace(0, 1, 51)


def precision_recall_points(labels: Labels, scores: Numbers) -> pd.DataFrame:
    """Precision at 51 recalls: mean, lowest and highest over the repeats.

    Columns: recall, precision, lowest, highest. Rows without a score are left out.

    Args:
        labels: 0 or 1 for each row.
        scores: out-of-fold scores of shape (repeats, rows).
    """
    curves = np.array([_precisions(labels, repeat) for repeat in scores])
    return pd.DataFrame(
        {
            "recall": _RECALLS,
            "precision": curves.mean(axis=0),
            "lowest": curves.min(axis=0),
            "highest": curves.max(axis=0),
        }
    )


def calibration_points(labels: Labels, scores: Numbers) -> pd.DataFrame:
    """`calibration_bins` over all repeats together; rows without a score are left out."""
    known = ~np.isnan(scores)
    tiled = np.broadcast_to(labels, scores.shape)
    return calibration_bins(tiled[known], scores[known])


def precision_recall_figure(points: Mapping[str, pd.DataFrame], share: float) -> Figure:
    """One line for each contender, with the range over the repeats.

    Args:
        points: contender to its `precision_recall_points`.
        share: positives among the rows: the precision of a random order.
    """
    figure, axes = plain_axes("Recall", "Precision", "Precision and recall, out of fold")
    for name, curve in points.items():
        (line,) = axes.plot(curve["recall"], curve["precision"], label=name, linewidth=1.6)
        axes.fill_between(
            curve["recall"], curve["lowest"], curve["highest"], alpha=0.15, color=line.get_color()
        )
    axes.axhline(share, color="grey", linestyle=":", label="random order")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False)
    return figure


def calibration_figure(points: Mapping[str, pd.DataFrame]) -> Figure:
    """Confirmed share against mean score in bins of equal size, for each contender."""
    figure, axes = plain_axes(
        "Mean score of the bin", "Share confirmed", "Calibration, out of fold"
    )
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="perfect")
    for name, bins in points.items():
        axes.plot(
            bins["mean_score"], bins["confirmed_share"], marker="o", label=name, linewidth=1.6
        )
    axes.legend(frameon=False)
    return figure


def importance_figure(importances: pd.DataFrame, top: int = 20) -> Figure:
    """Bars of the features with the largest share of the gain.

    Args:
        importances: columns feature and gain_share, largest first.
        top: how many to show.
    """
    shown = importances.head(top).iloc[::-1]
    figure, axes = plain_axes("Share of the gain", "", "What the trees split on")
    axes.barh(shown["feature"], shown["gain_share"])
    return figure


def gain_table(features: Sequence[str], gains: Mapping[str, float]) -> pd.DataFrame:
    """Total gain of each feature and its share, largest first: feature, gain, gain_share."""
    table = pd.DataFrame({"feature": list(features)})
    table["gain"] = [float(gains.get(name, 0.0)) for name in features]
    total = table["gain"].sum()
    table["gain_share"] = table["gain"] / total if total else 0.0
    return table.sort_values(["gain", "feature"], ascending=[False, True], ignore_index=True)


def _precisions(labels: Labels, scores: Numbers) -> npt.NDArray[np.float64]:
    known = ~np.isnan(scores)
    precision, recall, _ = precision_recall_curve(labels[known], scores[known])
    # The best precision at this recall or a higher one, so that a saw-tooth has one value each.
    best = np.maximum.accumulate(precision)
    return np.interp(_RECALLS, recall[::-1], best[::-1])


def plain_axes(x: str, y: str, title: str) -> tuple[Figure, "mpl.axes.Axes"]:
    """An empty picture without a frame at the top and on the right."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
