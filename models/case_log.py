"""Logs a training of a model of accounts to MLflow: one run for it, and one inside for each contender."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.case_comparison import Comparison
from models.case_contenders import TREES, CaseContender
from models.case_plots import (
    distribution_figure,
    gain_figure,
    probability_figure,
    recall_precision_figure,
)
from models.curves import importance_figure
from models.member_card import Trained, counts, input_example, model_card
from models.run_log import (
    CALIBRATION_PLOT,
    IMPORTANCE_CSV,
    IMPORTANCE_PLOT,
    PRECISION_RECALL_PLOT,
)
from models.tracking import Store

#: Artifact paths of a training run, beside those of `models.run_log`.
CARD = "model_card.md"
EXAMPLE = "input_example.json"
FIGURES_CSV = "evaluation/figures.csv"
SLICES_CSV = "evaluation/slices.csv"
BOUNDS_CSV = "evaluation/precision_bounds.csv"
BLEND_CSV = "evaluation/blend.csv"
SEARCH_CSV = "search.csv"
GAIN_PLOT = "plots/gain.svg"
DISTRIBUTION_PLOT = "plots/score_distribution.svg"


def log_comparison(
    store: Store,
    run_id: str,
    trained: Trained,
    compared: Comparison,
    contenders: Sequence[CaseContender],
    importances: pd.DataFrame,
) -> None:
    """Log what a reviewer looks at into the run of a training.

    Metrics of the main evaluation are named `<contender>/<metric>`, those of each evaluation
    `<evaluation>/<contender>/<metric>`, with `_low` and `_high` where there is an interval.

    Args:
        store: the MLflow store.
        run_id: the open run.
        trained: what was trained on what.
        compared: the contenders compared.
        contenders: in the order in which they are shown.
        importances: the `gain_table` of the final trees.
    """
    values: dict[str, float] = {}
    for row in compared.figures.to_dict("records"):
        key = f"{row['evaluation']}/{row['contender']}/{row['metric']}"
        values |= {key: row["value"], f"{key}_low": row["low"], f"{key}_high": row["high"]}
        if row["evaluation"] == compared.main:
            values[f"{row['contender']}/{row['metric']}"] = row["value"]
    values["blend_weight"] = compared.blend.weight
    values |= {key: float(number) for key, number in counts(trained.rows).items()}
    store.log_metrics(run_id, values)
    client, main, shown = store.client, compared.evaluations[compared.main], list(contenders)
    for path, table in (
        (FIGURES_CSV, compared.figures),
        (SLICES_CSV, compared.slices),
        (BOUNDS_CSV, compared.bounds),
        (BLEND_CSV, compared.blend.table),
        (SEARCH_CSV, trained.tried),
        (IMPORTANCE_CSV, importances),
    ):
        client.log_text(run_id, table.to_csv(index=False), path)
    client.log_text(run_id, model_card(trained, compared, contenders), CARD)
    client.log_text(run_id, json.dumps(input_example(trained.rows)), EXAMPLE)
    [model] = [each for each in shown if each.name == TREES]
    for path, figure in (
        (PRECISION_RECALL_PLOT, recall_precision_figure(main, shown)),
        (GAIN_PLOT, gain_figure(main, shown)),
        (CALIBRATION_PLOT, probability_figure(main, shown)),
        (DISTRIBUTION_PLOT, distribution_figure(main, model)),
        (IMPORTANCE_PLOT, importance_figure(importances)),
    ):
        client.log_figure(run_id, figure, path)


def log_contenders(
    store: Store,
    experiment: str,
    compared: Comparison,
    contenders: Sequence[CaseContender],
    tags: dict[str, str],
) -> None:
    """One run for each contender inside the open one, with the same names of metrics, so that MLflow compares them.

    `average_precision` and the others are those of the main evaluation, `<evaluation>/<metric>` those of
    each, `by_trigger/<trigger>/<metric>` and `by_typology/...` those of slices of the main one.
    """
    for each in contenders:
        with store.run(experiment, each.name, is_nested=True) as run_id:
            store.log_facts(
                run_id,
                {
                    "contender": each.name,
                    "what": each.what,
                    "kind": each.kind,
                    "input_count": len(each.inputs),
                    "weight": each.weight,
                    "main_evaluation": compared.main,
                },
                {**tags, "contender": each.name},
            )
            store.log_metrics(run_id, _values(compared, each.name))
            curve = recall_precision_figure(compared.evaluations[compared.main], [each])
            store.client.log_figure(run_id, curve, PRECISION_RECALL_PLOT)


def _values(compared: Comparison, contender: str) -> dict[str, float]:
    values: dict[str, float] = {}
    own = compared.figures[compared.figures["contender"] == contender]
    for row in own.to_dict("records"):
        keys = [f"{row['evaluation']}/{row['metric']}"]
        if row["evaluation"] == compared.main:
            keys.append(row["metric"])
        for key in keys:
            values[key] = row["value"]
            if not np.isnan(row["low"]):
                values |= {f"{key}_low": row["low"], f"{key}_high": row["high"]}
    slices = compared.slices
    for row in slices[slices["contender"] == contender].to_dict("records"):
        values[f"by_{row['kind']}/{row['slice']}/{row['metric']}"] = row["value"]
    return values
