"""Out-of-fold scores of several contenders in the same folds, one Spark task per fold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import SparkSession

from models.estimators import logistic_baseline, native_trees

#: More rows than this do not go to the driver and into single tasks.
MAX_ROWS = 200_000

_SCHEMA = "contender string, repeat int, position int, score double"


@dataclass(frozen=True)
class Contender:
    """A compared method: trees or a logistic regression on some features, or a ranking by their sum."""

    name: str
    kind: Literal["trees", "logistic", "ranking"]
    features: tuple[str, ...]

    @property
    def is_probability(self) -> bool:
        """Whether its scores are probabilities."""
        return self.kind != "ranking"


def out_of_fold_scores(
    spark: SparkSession,
    rows: pd.DataFrame,
    contenders: Sequence[Contender],
    folds: npt.NDArray[np.int32],
    seed: int,
) -> dict[str, npt.NDArray[np.float64]]:
    """Score every row that has a basis by models that were fitted without its fold.

    Gives an array of shape (repeats, rows) for each contender; NaN where a row has no basis. Each
    (repeat, fold) is one Spark task that fits every contender with one thread, so the scores do not depend
    on the number of cores or on the machine of a task.

    Args:
        spark: the session whose tasks do the fitting.
        rows: at most MAX_ROWS rows with `label`, `has_basis` and the features.
        contenders: the methods to compare.
        folds: the fold that tests each row, of shape (repeats, rows).
        seed: of the estimators.

    Raises:
        ValueError: when there are more than MAX_ROWS rows.
    """
    if len(rows) > MAX_ROWS:
        raise ValueError(f"{len(rows)} rows are too many for single tasks, at most {MAX_ROWS}")
    repeats, fold_count = len(folds), int(folds.max()) + 1
    shared = spark.sparkContext.broadcast((rows.reset_index(drop=True), folds))

    def fitted(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        all_rows, fold_of = shared.value
        for batch in batches:
            for task in batch["id"]:
                repeat, fold = divmod(int(task), fold_count)
                is_test = fold_of[repeat] == fold
                for contender in contenders:
                    yield fold_scores(all_rows, is_test, contender, seed).assign(repeat=repeat)[
                        ["contender", "repeat", "position", "score"]
                    ]

    tasks = spark.range(0, repeats * fold_count, 1, repeats * fold_count)
    found = tasks.mapInPandas(fitted, _SCHEMA).toPandas()
    shared.unpersist()
    scores = {each.name: np.full((repeats, len(rows)), np.nan) for each in contenders}
    for name, part in found.groupby("contender"):
        scores[str(name)][part["repeat"], part["position"]] = part["score"]
    return scores


def fold_scores(
    rows: pd.DataFrame, is_test: npt.NDArray[np.bool_], contender: Contender, seed: int
) -> pd.DataFrame:
    """Fit a contender on the other folds and score one: contender, position, score.

    Rows without a basis are not used for training and get no score. Rows without any of the features rank
    lowest.
    """
    has_basis = rows["has_basis"].to_numpy(bool)
    test = np.flatnonzero(is_test & has_basis)
    train = np.flatnonzero(~is_test & has_basis)
    values = rows[list(contender.features)].to_numpy(np.float64)
    if contender.kind == "ranking":
        nothing = np.isnan(values[test]).all(axis=1)
        scores = np.where(nothing, -np.finfo(np.float64).max, np.nansum(values[test], axis=1))
    else:
        model = native_trees(seed) if contender.kind == "trees" else logistic_baseline()
        model.fit(values[train], rows["label"].to_numpy()[train])
        scores = model.predict_proba(values[test])[:, 1].astype(np.float64)
    return pd.DataFrame({"contender": contender.name, "position": test, "score": scores})
