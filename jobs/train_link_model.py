"""Train the weight of links between accounts on simulated provinces, and write the model that is shipped."""

from collections.abc import Sequence
from pathlib import Path

from expectations.feature.account_link import TRAIT_NAMES
from features.network.meetings import Bounds
from jobs.network.training_pairs import read_province
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, step
from jobs.training.shipped import (
    check_provinces,
    facts_of,
    generator_of,
    log_shipped,
    write_shipped,
)
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
    check_provinces(
        "account_links",
        settings.model,
        settings.train_on,
        ("landing", "truth"),
        "build/provinces/city-1",
    )


def main(run: JobRun) -> str:
    """Train on all provinces; what is said of it comes from leaving one generator out at a time."""
    settings = run.config.account_links
    provinces = _provinces(run, settings.train_on)
    names = TRAIT_NAMES
    with step(run, "one generator left out at a time"):
        figures, parts = left_out(provinces, names)
        calibrated = calibration(parts)
    booster = trained(provinces, names)
    facts = facts_of(
        figures,
        BOOSTER | {"rounds": ROUNDS},
        pairs=sum(each.pairs.height for each in provinces),
        true_pairs=sum(int(each.pairs["is_true"].sum()) for each in provinces),
    )
    document = model_document(booster, names, calibrated, facts)
    assert settings.model is not None
    write_shipped(run, Path(settings.model), document)
    log_shipped(run, _EXPERIMENT, facts, document)
    worst = min(found["average_precision"] for found in figures.values())
    return (
        f"trained on {len(provinces)} provinces, written to {settings.model}; accounts by their best link have"
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
                    read.name, generator_of(folder), read.pairs, read.in_fraud, read.behind
                )
            )
    return found


JOB = Job(
    "train_link_model",
    "Train the weight of links between accounts on simulated provinces",
    main,
    (),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
