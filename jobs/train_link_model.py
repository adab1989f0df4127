"""Train the weight of links between accounts on simulated provinces, and write the model that is shipped."""

import json
from collections.abc import Sequence
from pathlib import Path

from expectations.contract.errors import ConfigError
from expectations.feature.account_link import TRAIT_NAMES
from features.network.meetings import Bounds
from jobs.inputs.model_store import store_of
from jobs.network.training_pairs import read_province
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, step
from models.link_training import (
    BOOSTER,
    ROUNDS,
    TrainingProvince,
    calibration,
    left_out,
    model_document,
    trained,
)

_EXPERIMENT = "account_link"


def check(config: Config, options: Options) -> None:
    """Provinces of at least two generators have to be there, and a place for the model."""
    settings = config.account_links
    if settings.model is None:
        raise ConfigError("account_links.model is null: name the JSON that the model is written to")
    if len({_generator(folder) for folder in settings.train_on}) < 2:
        raise ConfigError(
            "account_links.train_on names provinces of fewer than two generators: give folders such as"
            " build/provinces/city-1 with landing/ and truth/ in each; the word before the hyphen is"
            " the generator"
        )
    for folder in settings.train_on:
        for part in ("landing", "truth"):
            if not (Path(folder) / part).is_dir():
                raise ConfigError(f"account_links.train_on: {folder} has no folder {part}")


def main(run: JobRun) -> str:
    """Train on all provinces; what is said of it comes from leaving one generator out at a time."""
    settings = run.config.account_links
    provinces = _provinces(run, settings.train_on)
    names = TRAIT_NAMES
    with step(run, "one generator left out at a time"):
        figures, parts = left_out(provinces, names)
        calibrated = calibration(parts)
    booster = trained(provinces, names)
    facts = {
        "trained_on": sorted(each.name for each in provinces),
        "pairs": sum(each.pairs.height for each in provinces),
        "true_pairs": sum(int(each.pairs["is_true"].sum()) for each in provinces),
        "settings": BOOSTER | {"rounds": ROUNDS},
        "left_out": {
            name: {key: round(value, 4) for key, value in found.items()}
            for name, found in sorted(figures.items())
        },
    }
    document = model_document(booster, names, calibrated, facts)
    assert settings.model is not None
    path = Path(settings.model)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In one move: a job that links accounts meanwhile reads the model of before or of after.
    part = path.with_name(f".{path.name}.{run.run_id}")
    part.write_text(document, encoding="utf-8")
    part.replace(path)
    _log(run, facts, document)
    worst = min(found["average_precision"] for found in figures.values())
    return (
        f"trained on {len(provinces)} provinces, written to {path}; accounts by their two best links have"
        f" an average precision of at least {worst:.2f} on a generator left out"
    )


def _provinces(run: JobRun, folders: Sequence[str]) -> list[TrainingProvince]:
    bounds = Bounds(sharers=run.config.account_links.sharers)
    found = []
    for folder in folders:
        with step(run, f"pairs of {Path(folder).name}"):
            read = read_province(Path(folder), bounds)
            found.append(
                TrainingProvince(
                    read.name, _generator(folder), read.pairs, read.in_fraud, read.behind
                )
            )
    return found


def _generator(folder: str) -> str:
    return Path(folder).name.split("-")[0]


def _log(run: JobRun, facts: dict[str, object], document: str) -> None:
    store = store_of(run)
    with store.run(_EXPERIMENT, "train_link_model") as run_id:
        store.log_facts(
            run_id,
            {"rounds": ROUNDS, **{key: value for key, value in BOOSTER.items() if key != "seed"}},
            {"job_run_id": run.run_id},
        )
        client = store.client
        left = facts["left_out"]
        assert isinstance(left, dict)
        for name, figures in left.items():
            for key, value in figures.items():
                client.log_metric(run_id, f"{name}.{key}", value)
        client.log_text(run_id, json.dumps(facts, indent=1, sort_keys=True), "facts.json")
        client.log_text(run_id, document, "account_link.json")


JOB = Job(
    "train_link_model",
    "Train the weight of links between accounts on simulated provinces",
    main,
    (),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
