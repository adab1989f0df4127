"""Pictures of a comparison of models of accounts: curves, calibration, gain, distributions of scores."""

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from models.case_contenders import CaseContender
from models.case_evaluation import Evaluation
from models.case_figures import calibration_table
from models.case_rows import Numbers
from models.curves import plain_axes

#: Probabilities below are drawn there.
_LEAST = 1e-6
_BINS = 40


def recall_curve(evaluation: Evaluation, contender: str) -> tuple[Numbers, Numbers, Numbers]:
    """Accounts looked at, recall and precision after each different score, the highest first."""
    order = evaluation.order(contender)
    hits, seen = np.cumsum(order.sums(order.target)), np.cumsum(order.sums(order.population))
    return seen, hits / hits[-1], hits / seen


def recall_precision_figure(evaluation: Evaluation, contenders: list[CaseContender]) -> Figure:
    """Precision against recall of the confirmed, one line for each contender."""
    figure, axes = plain_axes(
        "Recall", "Confirmed share", _title("Precision and recall", evaluation)
    )
    for each in contenders:
        _, recall, precision = recall_curve(evaluation, each.name)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        axes.plot(recall, best, label=each.name, linewidth=1.6, drawstyle="steps-pre")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False)
    return figure


def gain_figure(evaluation: Evaluation, contenders: list[CaseContender]) -> Figure:
    """Share of the confirmed found against the accounts looked at, with the capacity."""
    figure, axes = plain_axes("Accounts looked at", "Confirmed found", _title("Gain", evaluation))
    for each in contenders:
        seen, recall, _ = recall_curve(evaluation, each.name)
        axes.plot(seen, recall, label=each.name, linewidth=1.6)
    axes.axvline(evaluation.capacity, color="grey", linestyle=":", label="capacity")
    axes.set_xscale("log")
    axes.legend(frameon=False)
    return figure


def probability_figure(evaluation: Evaluation, contenders: list[CaseContender]) -> Figure:
    """Confirmed share against mean probability, for contenders that give one."""
    figure, axes = plain_axes(
        "Mean probability of the group", "Share confirmed", _title("Calibration", evaluation)
    )
    for each in (one for one in contenders if one.is_probability):
        rows = evaluation.rows
        table = calibration_table(
            rows["target"].to_numpy(np.int_),
            evaluation.scores[each.name],
            rows["population"].to_numpy(np.float64),
        )
        points = table[["mean_score", "confirmed_share"]].clip(lower=_LEAST)
        axes.plot(points["mean_score"], points["confirmed_share"], marker="o", label=each.name)
    axes.plot([_LEAST, 1], [_LEAST, 1], color="grey", linestyle=":", label="perfect")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(frameon=False)
    return figure


def distribution_figure(evaluation: Evaluation, contender: CaseContender) -> Figure:
    """Log-odds of one contender among the confirmed, the cleared and accounts in no case."""
    figure, axes = plain_axes(
        "Log-odds of the score", "Share of the group", _title("Distribution of scores", evaluation)
    )
    rows = evaluation.rows
    scores = np.clip(evaluation.scores[contender.name], _LEAST, 1 - _LEAST)
    odds = np.log(scores / (1 - scores))
    target, labelled = rows["target"].to_numpy(bool), rows["is_labelled"].to_numpy(bool)
    bins = np.linspace(odds.min(), odds.max() + 1e-9, _BINS).tolist()
    groups: dict[str, npt.NDArray[np.bool_]] = {
        "confirmed": target,
        "cleared or without finding": labelled & ~target,
        "in no case": ~labelled,
    }
    for name, is_in in groups.items():
        if is_in.any():
            weights = rows["population"].to_numpy(np.float64)[is_in]
            axes.hist(
                odds[is_in], bins=bins, weights=weights / weights.sum(), alpha=0.5, label=name
            )
    axes.legend(frameon=False)
    return figure


def _title(what: str, evaluation: Evaluation) -> str:
    return f"{what}, evaluation by {evaluation.name.replace('_', ' and ')}"
