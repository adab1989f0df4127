"""Models that are shipped with the project: trained on simulated provinces, written as one JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from expectations.contract.errors import ConfigError
from jobs.inputs.model_store import store_of
from jobs.runtime.job import JobRun


def generator_of(folder: str) -> str:
    """Who made a province: the word before the first hyphen of its folder."""
    return Path(folder).name.split("-")[0]


def check_provinces(
    section: str, model: str | None, train_on: Sequence[str], parts: Sequence[str], example: str
) -> None:
    """Check that a model has a place, and provinces of at least two generators to be trained on.

    Args:
        section: of the configuration, which has the settings `model` and `train_on`.
        model: where the model is written to.
        train_on: folders of provinces.
        parts: what each has to hold.
        example: such a folder.

    Raises:
        ConfigError: naming the setting and the folder.
    """
    if model is None:
        raise ConfigError(f"{section}.model is null: name the JSON that the model is written to")
    if len({generator_of(folder) for folder in train_on}) < 2:
        raise ConfigError(
            f"{section}.train_on names provinces of fewer than two generators: give folders such as {example}"
            f" with {' and '.join(f'{part}/' for part in parts)} in each; the word before the first hyphen is"
            " the generator"
        )
    for folder in train_on:
        for part in parts:
            if not (Path(folder) / part).is_dir():
                raise ConfigError(f"{section}.train_on: {folder} has no folder {part}")


def facts_of(
    left_out: Mapping[str, Mapping[str, float]], settings: Mapping[str, Any], **counts: int
) -> dict[str, Any]:
    """What a shipped model says of its training.

    Args:
        left_out: figures of each province, by a model of the other generators.
        settings: of the trees.
        counts: what it was trained on.
    """
    return {
        "trained_on": sorted(left_out),
        **counts,
        "settings": dict(settings),
        "left_out": {
            name: {key: round(value, 4) for key, value in found.items()}
            for name, found in sorted(left_out.items())
        },
    }


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
