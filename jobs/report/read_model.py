"""The model behind the scores, read from MLflow for the page."""

import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from jobs.report.content import CalibrationPoint, Contender, Curve, Figure, Model, Paired
from jobs.runtime.secrets import masked
from models.run_log import FIGURES_JSON
from models.tracking import Store

_IMPORTANCES = 15
_HEADLINE = "average_precision"
#: In this order; other figures stay in MLflow.
_SHOWN = ("average_precision", "roc_auc", "brier", "precision_at_50", "recall_at_50")
_INPUT = "input."


def model_facts(tracking_uri: str, artifact_root: str, name: str, version: str) -> Model:
    """The figures of a registered version; if they cannot be read, `problem` says why."""
    if tracking_uri.startswith("sqlite:///"):
        file = Path(tracking_uri.removeprefix("sqlite:///"))
        if not file.is_file():
            return Model(name, version, problem="the MLflow database is not there")
    run_id = ""
    try:
        client: MlflowClient = Store(tracking_uri, artifact_root).client
        run_id = client.get_model_version(name, version).run_id or ""
        params = client.get_run(run_id).data.params
        with tempfile.TemporaryDirectory() as folder:
            document = json.loads(
                Path(client.download_artifacts(run_id, FIGURES_JSON, folder)).read_text("utf-8")
            )
        return facts_of(name, version, run_id, params, document)
    except (MlflowException, OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
        return Model(name, version, run_id, problem=masked(problem))


def facts_of(
    name: str,
    version: str,
    run_id: str,
    params: Mapping[str, str],
    document: Mapping[str, Any],
) -> Model:
    """The content of a run's parameters and of the JSON document of its evaluation.

    The document lists the chosen contender's curve first; its differences are against the others.
    """
    precision_recall: Mapping[str, list[dict[str, float]]] = document["precision_recall"]
    order = list(precision_recall)
    chosen = order[0] if order else ""
    counts = {key: int(value) for key, value in document["counts"].items()}
    based = counts.get("with_basis", 0)
    importances = [
        (str(row["feature"]), float(row["gain_share"])) for row in document["feature_importance"]
    ]
    return Model(
        name=name,
        version=version,
        run_id=run_id,
        counts=counts,
        contenders=_contenders(document["spreads"], "with_basis", order),
        all_labelled=_contenders(document["spreads"], "all_labelled", order),
        paired=_paired(document["differences"], chosen, order),
        importances=tuple(row for row in importances[:_IMPORTANCES] if row[1] > 0),
        inputs=tuple(
            (key.removeprefix(_INPUT), value)
            for key, value in sorted(params.items())
            if key.startswith(_INPUT)
        ),
        parameters=tuple(
            (key, value) for key, value in sorted(params.items()) if not key.startswith(_INPUT)
        ),
        curves=tuple(
            Curve(
                contender,
                tuple(float(point["recall"]) for point in points),
                tuple(float(point["precision"]) for point in points),
                is_chosen=contender == chosen,
            )
            for contender, points in precision_recall.items()
        ),
        prevalence=counts["positives_with_basis"] / based if based else None,
        calibration=tuple(
            CalibrationPoint(
                float(point["mean_score"]), float(point["confirmed_share"]), int(point["rows"])
            )
            for point in document["calibration"].get(chosen, ())
        ),
    )


def _contenders(
    spreads: list[dict[str, Any]], subset: str, order: list[str]
) -> tuple[Contender, ...]:
    """The contenders with any figure in a subset, in the order in which they were compared."""
    found = []
    for at, name in enumerate(order):
        mine = {
            row["metric"]: row
            for row in spreads
            if row["subset"] == subset and row["contender"] == name
        }
        figures = tuple(
            Figure(metric, float(mine[metric]["mean"]), _finite(mine[metric]["sd"]))
            for metric in _SHOWN
            if metric in mine and _finite(mine[metric]["mean"]) is not None
        )
        if figures:
            found.append(Contender(name, figures, is_chosen=at == 0))
    return tuple(found)


def _paired(differences: list[dict[str, Any]], chosen: str, order: list[str]) -> tuple[Paired, ...]:
    """The headline figure's differences, those of the institutions with a basis first."""
    rows = [row for row in differences if row["metric"] == _HEADLINE and row["contender"] in order]
    rows.sort(key=lambda row: (row["subset"] != "with_basis", order.index(row["contender"])))
    return tuple(
        Paired(
            subset=row["subset"],
            contender=chosen,
            versus=row["contender"],
            figure=_HEADLINE,
            difference=float(row["mean"]),
            low=float(row["corrected_low"]),
            high=float(row["corrected_high"]),
        )
        for row in rows
    )


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None
