"""The tested rows of an evaluation with the scores of every contender, one Spark task per split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from models.case_contenders import CaseContender, split_scores
from models.case_figures import Ranked, bootstrap_times, ranked
from models.case_rows import Numbers
from models.case_splits import EVALUATIONS, HEADLINE, Split
from models.cross_validation import MAX_ROWS

#: Bootstrap draws behind an interval.
DRAWS = 200
_SCHEMA = "split int, contender string, position int, score double"


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
