"""Train the model of resemblance on simulated provinces, and write the file that is shipped."""

from pathlib import Path

import polars as pl
from pyspark.sql import functions as F

from expectations.contract.errors import ConfigError
from expectations.feature.resemblance import RESEMBLANCE_INPUT_NAMES
from expectations.gold.account import MEMBER_FEATURE
from jobs.inputs.peers import usual_among_peers
from jobs.inputs.truth import read_truth
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake
from jobs.runtime.config import Config
from jobs.runtime.job import JobRun, step
from jobs.training.shipped import (
    check_provinces,
    facts_of,
    generator_of,
    log_shipped,
    write_shipped,
)
from models.resemblance_training import (
    BOOSTER,
    ROUNDS,
    KnownAccounts,
    left_out,
    model_document,
    trained,
)
from models.surprise import surprises_among_peers


def check(config: Config) -> None:
    """Provinces of at least two generators have to be there, and a place for the model."""
    settings = config.resemblance
    check_provinces(
        "resemblance",
        settings.model,
        settings.train_on,
        ("lake", "truth"),
        "build/detection/city-12000-11, as benchmarks.detection leaves them,",
    )


def train(run: JobRun) -> str:
    """Train on all provinces; what is said of it comes from leaving one generator out at a time."""
    settings = run.config.resemblance
    assert settings.model is not None
    provinces = []
    for folder in settings.train_on:
        with step(run, f"accounts of {Path(folder).name}"):
            provinces.append(_known_accounts(run, Path(folder)))
    with step(run, "one generator left out at a time"):
        figures = left_out(provinces)
    facts = facts_of(
        figures,
        BOOSTER | {"rounds": ROUNDS},
        accounts=sum(len(each.in_fraud) for each in provinces),
        accounts_in_fraud=sum(int(each.in_fraud.sum()) for each in provinces),
    )
    document = model_document(trained(provinces), facts)
    write_shipped(run, Path(settings.model), document)
    log_shipped(run, "resemblance", facts, document)
    worst = min(found["average_precision"] for found in figures.values())
    return (
        f"trained on {len(provinces)} provinces, written to {settings.model}; average precision of at least"
        f" {worst:.2f} on a generator left out"
    )


def _known_accounts(run: JobRun, folder: Path) -> KnownAccounts:
    """The accounts of the last day on file before the run's, with their truth."""
    lake = Lake(run.spark, str(folder / "lake"))
    rows = lake.read(MEMBER_FEATURE).filter(F.col("as_of_date") <= F.lit(run.as_of))
    [last] = rows.agg(F.max("as_of_date").alias("day")).collect()
    day = last["day"]
    if day is None:
        raise ConfigError(
            f"resemblance.train_on: {folder} has no member features as of {run.as_of} or before"
        )
    usual = usual_among_peers(lake, day, RESEMBLANCE_INPUT_NAMES)
    wanted = lake.of_day(MEMBER_FEATURE, day)
    frame = to_polars(wanted.select("member_id", "peer_group", *RESEMBLANCE_INPUT_NAMES))
    # Which accounts a tree is grown on depends on their order: group after group, by the smallest id of each.
    frame = frame.sort(pl.col("member_id").min().over("peer_group"), "member_id")
    values = frame.select(pl.col(RESEMBLANCE_INPUT_NAMES).cast(pl.Float64)).to_numpy()
    fraud = read_truth(folder / "truth", insured=0).accounts["member_id"].implode()
    return KnownAccounts(
        folder.name,
        generator_of(str(folder)),
        surprises_among_peers(values, frame["peer_group"].to_arrow(), usual),
        frame["member_id"].is_in(fraud).to_numpy(),
    )
