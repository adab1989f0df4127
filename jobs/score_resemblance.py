"""Build gold.member_resemblance: how much accounts resemble accounts in fraud in simulated provinces."""

from pathlib import Path

import polars as pl
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused, JobSkipped
from expectations.gold.account import MEMBER_FEATURE
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from jobs.inputs.peers import usual_among_peers
from jobs.lake.frames import to_polars
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, step
from models.resemblance import ResemblanceModel, read_resemblance_model, resembling


def check(config: Config, options: Options) -> None:
    """A model that is there has to be one."""
    if config.resemblance.model:
        read_resemblance_model(Path(config.resemblance.model))


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again.

    Raises:
        JobSkipped: when no model is configured, or none is there.
    """
    model = _model(run)
    lake, day = run.lake, run.as_of
    usual = usual_among_peers(lake, day, model.names)
    features = lake.read_day(MEMBER_FEATURE, day)
    weighed = resembling(features, model, usual, run.config.report.language).persist(
        StorageLevel.MEMORY_AND_DISK
    )
    with step(run, "accounts weighed"):
        shares = _shares(weighed)
    rows = weighed.join(F.broadcast(shares), on="resemblance_365d", how="inner").withColumns(
        {"as_of_date": F.lit(day), "model_digest": F.lit(model.digest)}
    )
    with step(run, "written"):
        count = lake.replace(rows, MEMBER_RESEMBLANCE, {"as_of_date": day})
    weighed.unpersist()
    return f"{count} accounts weighed by model {model.digest[:12]}"


def _model(run: JobRun) -> ResemblanceModel:
    path = run.config.resemblance.model
    if not path:
        raise JobSkipped("resemblance.model is null: no account is compared with simulated fraud")
    model = read_resemblance_model(Path(path))
    if model is None:
        raise JobSkipped(f"resemblance.model: there is no {path}")
    return model


def _shares(weighed: DataFrame) -> DataFrame:
    """The share of accounts that resemble less, one row per `resemblance_365d`; there are few values."""
    counts = to_polars(weighed.groupBy("resemblance_365d").agg(F.count("*").alias("accounts")))
    if counts.is_empty():
        raise DataRefused("no account could be weighed")
    # Accounts that are all alike, of which nothing is known, resemble no more than anybody else.
    below = (pl.col("accounts").cum_sum() - pl.col("accounts")) / pl.col("accounts").sum()
    found = counts.sort("resemblance_365d").select(
        "resemblance_365d", resemblance_share_365d=below.round(9)
    )
    return weighed.sparkSession.createDataFrame(
        found.rows(), "resemblance_365d double, resemblance_share_365d double"
    )


JOB = Job(
    "score_resemblance",
    "Weigh how much accounts resemble accounts in fraud in simulated provinces",
    main,
    ("as_of",),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
