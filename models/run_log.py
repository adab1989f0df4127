"""Logs the figures, tables and pictures of a training run to MLflow."""

from collections.abc import Mapping

import pandas as pd

from models.curves import calibration_figure, importance_figure, precision_recall_figure
from models.judgement import Judgement
from models.tracking import Store

#: Artifact paths of a training run.
FIGURES_JSON = "evaluation/figures.json"
FIGURES_BY_FOLD = "evaluation/figures_by_fold.csv"
IMPORTANCE_CSV = "evaluation/feature_importance.csv"
PRECISION_RECALL_PLOT = "plots/precision_recall.svg"
CALIBRATION_PLOT = "plots/calibration.svg"
IMPORTANCE_PLOT = "plots/feature_importance.svg"


def log_judgement(
    store: Store,
    run_id: str,
    judged: Judgement,
    importances: pd.DataFrame,
    facts: Mapping[str, object],
) -> None:
    """Log the metrics, and the artifacts above, of a run.

    Args:
        store: the MLflow store.
        run_id: the open run.
        judged: the contenders compared.
        importances: the `gain_table` of the final model.
        facts: further values for the JSON document.
    """
    store.log_figures(run_id, judged.by_fold, judged.spread, judged.differences)
    client = store.client
    client.log_text(run_id, judged.document(importances, facts), FIGURES_JSON)
    client.log_text(run_id, judged.by_fold.to_csv(index=False), FIGURES_BY_FOLD)
    client.log_text(run_id, importances.to_csv(index=False), IMPORTANCE_CSV)
    curves = precision_recall_figure(judged.precision_recall, judged.positive_share)
    client.log_figure(run_id, curves, PRECISION_RECALL_PLOT)
    client.log_figure(run_id, calibration_figure(judged.calibration), CALIBRATION_PLOT)
    client.log_figure(run_id, importance_figure(importances), IMPORTANCE_PLOT)
