"""The contenders compared on closed cases in every evaluation, and how much the model may move the list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from models.case_contenders import PRIOR, TREES, CaseContender
from models.case_evaluation import Evaluation, main_evaluation
from models.case_figures import figures, interval, precision_bounds, ranked
from models.case_rows import Numbers
from models.member_model import BLEND_WEIGHTS, blended_numbers
from models.member_scoring import Calibration

#: A probability is kept this far from 0 and 1 before its log-odds are taken.
_EDGE = 1e-9
#: Figures with an interval.
_WITH_INTERVAL = ("average_precision", "precision_at_capacity", "recall_at_capacity")


@dataclass(frozen=True)
class BlendChoice:
    """How much the model may move the list, and the figures that say so: weight, average_precision, behind, noise."""

    weight: float
    evaluation: str
    table: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """What was found.

    Attributes:
        evaluations: those that could be made, by name.
        figures: evaluation, contender, metric, value, low, high.
        slices: of the main evaluation: kind, slice, contender, metric, value, positives.
        bounds: of the main evaluation: contender, share, low, high, if_random.
        blend: how much the model may move the list.
        calibration: of the trees' log-odds.
    """

    evaluations: dict[str, Evaluation]
    figures: pd.DataFrame
    slices: pd.DataFrame
    bounds: pd.DataFrame
    blend: BlendChoice
    calibration: Calibration

    @property
    def main(self) -> str:
        """The evaluation that counts: by time and group, or by group where there are too few days."""
        return main_evaluation(self.evaluations)

    def of(self, contender: str, metric: str, evaluation: str | None = None) -> float:
        """A figure; NaN where there is none."""
        rows = self.figures
        found = rows[
            (rows["evaluation"] == (evaluation or self.main))
            & (rows["contender"] == contender)
            & (rows["metric"] == metric)
        ]
        return float(found["value"].iloc[0]) if len(found) else float("nan")


def comparison(
    evaluations: dict[str, Evaluation], contenders: Sequence[CaseContender]
) -> Comparison:
    """All figures of all evaluations, and the blend weight that the main one allows.

    Scores of the trees are calibrated, and blends made of them, as in use.

    Args:
        evaluations: of `out_of_fold`.
        contenders: the methods, blends too.
    """
    calibration = calibrated(evaluations["group"])
    evaluations = {
        name: _with_blends(each, contenders, calibration) for name, each in evaluations.items()
    }
    found = []
    for name, each in evaluations.items():
        for contender in contenders:
            found += _figures(name, each, contender)
    main = evaluations[main_evaluation(evaluations)]
    return Comparison(
        evaluations=evaluations,
        figures=pd.DataFrame(
            found, columns=["evaluation", "contender", "metric", "value", "low", "high"]
        ),
        slices=pd.DataFrame(
            [row for each in contenders for row in _slices(main, each)],
            columns=["kind", "slice", "contender", "metric", "value", "positives"],
        ),
        bounds=pd.DataFrame(
            [
                {"contender": each.name, **row}
                for each in contenders
                for row in precision_bounds(
                    main.order(each.name),
                    main.rows["is_labelled"].to_numpy(bool),
                    main.capacity,
                )
            ]
        ),
        blend=blend_choice(main),
        calibration=calibration,
    )


def calibrated(evaluation: Evaluation) -> Calibration:
    """A logistic calibration of the trees on scores that were made without a row's group (Platt 1999).

    None, so a slope of 1, where the trees rank no better than chance.
    """
    rows = evaluation.rows
    model = LogisticRegression(C=1e6, max_iter=1000)
    model.fit(
        _log_odds(evaluation.scores[TREES])[:, None],
        rows["target"].to_numpy(np.int_),
        sample_weight=rows["population"].to_numpy(np.float64),
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return Calibration(round(slope, 6), round(intercept, 6)) if slope > 0 else Calibration()


def blend_choice(main: Evaluation) -> BlendChoice:
    """The least weight whose average precision is not behind the best one by more than one standard error.

    The standard error is that of the paired difference, over bootstrap draws of whole components (the
    one-standard-error rule of Breiman et al. 1984, towards the list as it is).
    """
    prior, trees = main.scores[PRIOR], main.scores[TREES]
    orders = [
        ranked(
            main.rows["target"],
            blended_numbers(prior, trees, weight),
            main.rows["population"],
        )
        for weight in BLEND_WEIGHTS
    ]
    values = np.array([order.average_precision() for order in orders])
    drawn = np.array([[order.average_precision(times) for times in main.times] for order in orders])
    best = int(np.argmax(values))
    behind = values[best] - values
    noise = np.nanstd(drawn[best] - drawn, axis=1, ddof=1)
    chosen = next(place for place in range(len(orders)) if behind[place] <= noise[place])
    table = pd.DataFrame(
        {
            "weight": BLEND_WEIGHTS,
            "average_precision": values,
            "behind": behind,
            "noise": noise,
        }
    )
    return BlendChoice(BLEND_WEIGHTS[chosen], main.name, table)


def _with_blends(
    evaluation: Evaluation, contenders: Sequence[CaseContender], calibration: Calibration
) -> Evaluation:
    """The same with calibrated scores of the trees, and the blends."""
    prior = evaluation.rows["prior"].to_numpy(np.float64)
    trees = calibration.probability(_log_odds(evaluation.scores[TREES]))
    blends = {
        each.name: blended_numbers(prior, trees, each.weight)
        for each in contenders
        if each.kind == "blend"
    }
    return replace(evaluation, scores=evaluation.scores | {TREES: trees} | blends)


def _log_odds(scores: Numbers) -> Numbers:
    kept = np.clip(scores, _EDGE, 1 - _EDGE)
    found: Numbers = np.log(kept / (1 - kept))
    return found


def _figures(
    name: str, evaluation: Evaluation, contender: CaseContender
) -> list[tuple[str, str, str, float, float, float]]:
    scores = evaluation.scores[contender.name]
    values = figures(evaluation.rows, scores, evaluation.capacity, contender.is_probability)
    order = evaluation.order(contender.name)
    drawn: dict[str, list[float]] = {metric: [] for metric in _WITH_INTERVAL}
    for times in evaluation.times:
        positives = float((order.target * times).sum())
        hits = order.within(order.target, evaluation.capacity, times)
        drawn["average_precision"].append(order.average_precision(times))
        drawn["precision_at_capacity"].append(hits / evaluation.capacity)
        drawn["recall_at_capacity"].append(hits / positives if positives else float("nan"))
    rows = []
    for metric, value in values.items():
        low, high = interval(np.array(drawn.get(metric, [])))
        rows.append((name, contender.name, metric, value, low, high))
    return rows


def _slices(
    evaluation: Evaluation, contender: CaseContender
) -> Iterator[tuple[str, str, str, str, float, int]]:
    """Average precision and recall of the confirmed of one trigger or typology, without the others."""
    rows = evaluation.rows
    is_positive = rows["target"].to_numpy(bool)
    for kind in ("trigger", "typology"):
        of_kind = rows[kind].to_numpy(str)
        for name in np.unique(of_kind[is_positive]):
            is_in = ~is_positive | (of_kind == name)
            part = rows[is_in]
            scores = evaluation.scores[contender.name][is_in]
            values = figures(part, scores, evaluation.capacity, is_probability=False)
            for metric in ("average_precision", "recall_at_capacity"):
                if metric in values:
                    count = int(part["target"].sum())
                    yield kind, str(name), contender.name, metric, values[metric], count
