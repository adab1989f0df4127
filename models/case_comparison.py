"""The contenders compared on closed cases in every evaluation, and how much the model may move the list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from models.case_contenders import PRIOR, TREES, CaseContender, split_scores
from models.case_figures import (
    Ranked,
    bootstrap_times,
    figures,
    interval,
    precision_bounds,
    ranked,
)
from models.case_rows import Numbers
from models.case_splits import EVALUATIONS, HEADLINE, Split
from models.cross_validation import MAX_ROWS
from models.member_model import BLEND_WEIGHTS, blended_numbers

DRAWS = 200
_SCHEMA = "split int, contender string, position int, score double"
#: Figures with an interval.
_WITH_INTERVAL = ("average_precision", "precision_at_capacity", "recall_at_capacity")


@dataclass(frozen=True)
class Evaluation:
    """The tested rows of one evaluation, with the scores of every contender.

    Attributes:
        name: one of EVALUATIONS.
        rows: the tested rows.
        scores: of each contender, in the order of the rows.
        capacity: accounts that people can look at, over all days tested.
        times: bootstrap draws of whole components, of shape (draws, rows).
    """

    name: str
    rows: pd.DataFrame
    scores: dict[str, Numbers]
    capacity: float
    times: Numbers

    def order(self, contender: str) -> Ranked:
        """The ranking of a contender."""
        return ranked(self.rows["target"], self.scores[contender], self.rows["population"])


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
    """

    evaluations: dict[str, Evaluation]
    figures: pd.DataFrame
    slices: pd.DataFrame
    bounds: pd.DataFrame
    blend: BlendChoice

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


def main_evaluation(evaluations: dict[str, Evaluation]) -> str:
    """HEADLINE where it could be made, otherwise by group."""
    return HEADLINE if HEADLINE in evaluations else "group"


def out_of_fold(
    spark: SparkSession,
    rows: pd.DataFrame,
    made: Sequence[Split],
    contenders: Sequence[CaseContender],
    budget: int,
    capacity: int,
    seed: int,
) -> dict[str, Evaluation]:
    """Score the tested rows of every split, one Spark task each, and put the splits of an evaluation together.

    Args:
        spark: the session whose tasks do the fitting.
        rows: at most MAX_ROWS of `models.case_rows.case_rows`.
        made: of `models.case_splits.splits`.
        contenders: the methods.
        budget: settings that each search may try.
        capacity: accounts that people can look at on one day.
        seed: of estimators, searches and bootstrap.

    Raises:
        ValueError: when there are more than MAX_ROWS rows.
    """
    if len(rows) > MAX_ROWS:
        raise ValueError(f"{len(rows)} rows are too many for single tasks, at most {MAX_ROWS}")
    shared = spark.sparkContext.broadcast((rows, list(made)))

    def fitted(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        all_rows, all_splits = shared.value
        for batch in batches:
            for number in map(int, batch["id"]):
                split = all_splits[number]
                found = split_scores(all_rows, split.train, split.test, contenders, budget, seed)
                for name, scores in found.items():
                    yield pd.DataFrame(
                        {
                            "split": number,
                            "contender": name,
                            "position": split.test,
                            "score": scores,
                        }
                    )

    tasks = spark.range(0, len(made), 1, max(1, len(made)))
    found = tasks.mapInPandas(fitted, _SCHEMA).toPandas()
    shared.unpersist()
    evaluations = {}
    for name in EVALUATIONS:
        numbers = [number for number, split in enumerate(made) if split.evaluation == name]
        part = found[found["split"].isin(numbers)]
        if len(part):
            evaluations[name] = _pooled(name, rows, part, capacity, seed)
    return evaluations


def comparison(
    evaluations: dict[str, Evaluation], contenders: Sequence[CaseContender]
) -> Comparison:
    """All figures of all evaluations, and the blend weight that the main one allows."""
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
    )


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


def _pooled(
    name: str, rows: pd.DataFrame, part: pd.DataFrame, capacity: int, seed: int
) -> Evaluation:
    tested = np.unique(part["position"].to_numpy())
    scores = {}
    for contender, found in part.groupby("contender"):
        placed = np.full(len(rows), np.nan)
        placed[found["position"].to_numpy()] = found["score"].to_numpy()
        scores[str(contender)] = placed[tested]
    chosen = rows.iloc[tested].reset_index(drop=True)
    days = chosen["feature_day"].nunique()
    times = bootstrap_times(chosen["component"].tolist(), DRAWS, seed)
    return Evaluation(name, chosen, scores, float(capacity * days), times)


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
