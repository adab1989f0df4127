"""Models that are shipped with the project: trained on simulated provinces, written as one JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.inputs.model_store import store_of
from jobs.runtime.job import JobRun


def generator_of(folder: str) -> str:
    """Who made a province: the word before the first hyphen of its folder."""
    return Path(folder).name.split("-")[0]


def write_shipped(run: JobRun, path: Path, document: str) -> None:
    """Write a model in one move: a job meanwhile reads the model of before or of after."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{run.run_id}")
    part.write_text(document, encoding="utf-8")
    part.replace(path)


def log_shipped(run: JobRun, experiment: str, facts: Mapping[str, Any], document: str) -> None:
    """Keep a training in MLflow: its settings, its figures by province left out, and the model.

    Args:
        run: the training.
        experiment: what the model is of.
        facts: `settings` and, by province, `left_out`.
        document: the model.
    """
    store = store_of(run)
    settings = {key: value for key, value in facts["settings"].items() if key != "seed"}
    with store.run(experiment, run.job) as run_id:
        store.log_facts(run_id, settings, {"job_run_id": run.run_id})
        client = store.client
        for name, figures in facts["left_out"].items():
            for key, value in figures.items():
                client.log_metric(run_id, f"{name}.{key}", value)
        client.log_text(run_id, json.dumps(facts, indent=1, sort_keys=True), "facts.json")
        client.log_text(run_id, document, f"{experiment}.json")
