"""The evaluation of a training run's contenders, as one document for the report page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.cross_validation import Contender
from models.curves import calibration_points, precision_recall_points
from models.evaluation import Labels, Numbers, differences_from, fold_figures, spreads


@dataclass(frozen=True)
class Judgement:
    """The contenders compared: figures by fold, spreads, differences from the trees, curves."""

    by_fold: pd.DataFrame
    spread: pd.DataFrame
    differences: pd.DataFrame
    precision_recall: dict[str, pd.DataFrame]
    calibration: dict[str, pd.DataFrame]
    counts: dict[str, int]

    @property
    def positive_share(self) -> float:
        """Positives among the rows with a basis."""
        return self.counts["positives_with_basis"] / max(self.counts["with_basis"], 1)

    def of(self, contender: str, metric: str, subset: str = "with_basis") -> float:
        """The mean of a figure over the folds; NaN where no fold has it."""
        rows = self.spread.query(
            "subset == @subset and contender == @contender and metric == @metric"
        )
        return float(rows["mean"].iloc[0]) if len(rows) else float("nan")

    def document(self, importances: pd.DataFrame, facts: Mapping[str, object]) -> str:
        """The evaluation as JSON, without figures by fold, which have their own table."""
        return json.dumps(
            {
                **facts,
                "counts": self.counts,
                "spreads": self.spread.to_dict("records"),
                "differences": self.differences.to_dict("records"),
                "precision_recall": {
                    k: v.to_dict("records") for k, v in self.precision_recall.items()
                },
                "calibration": {k: v.to_dict("records") for k, v in self.calibration.items()},
                "feature_importance": importances.to_dict("records"),
            },
            indent=1,
            default=str,
        )


def judgement(
    rows: pd.DataFrame,
    folds: npt.NDArray[np.int32],
    scores: dict[str, Numbers],
    contenders: Sequence[Contender],
) -> Judgement:
    """Evaluate the out-of-fold scores of the contenders; the first is compared with each other one.

    Args:
        rows: `label` and `has_basis` of each row.
        folds: the fold that tests each row, of shape (repeats, rows).
        scores: scores of each contender, of the same shape; NaN without a basis.
        contenders: in the order in which they are shown.
    """
    labels: Labels = rows["label"].to_numpy(np.int_)
    has_basis = rows["has_basis"].to_numpy(bool)
    probabilities = [each.name for each in contenders if each.is_probability]
    by_fold = fold_figures(labels, folds, scores, probabilities)
    return Judgement(
        by_fold=by_fold,
        spread=spreads(by_fold),
        differences=differences_from(by_fold, contenders[0].name, int(folds.max()) + 1),
        precision_recall={
            each.name: precision_recall_points(labels, scores[each.name]) for each in contenders
        },
        calibration={name: calibration_points(labels, scores[name]) for name in probabilities},
        counts={
            "labelled": len(rows),
            "positives": int(labels.sum()),
            "with_basis": int(has_basis.sum()),
            "positives_with_basis": int(labels[has_basis].sum()),
        },
    )
