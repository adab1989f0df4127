"""The first places of a day's list under two versions of a model."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.gold.institution import INSTITUTION_FEATURE
from jobs.inputs.institution_scores import institution_scores
from jobs.runtime.job import JobRun
from models.comparison import ListChange, list_change
from models.institution_model import claim_number
from models.tracking import Store, Version


def list_changes(
    run: JobRun, store: Store, subject: str, champion: Version, challenger: Version
) -> ListChange:
    """What the challenger changes among the first places of the list as of the run's day.

    Raises:
        DataRefused: when the day has no features, or a version's model is refused.
    """
    before, after = (_institutions(run, store, each) for each in (champion, challenger))
    top = run.config.report.top
    ranks = before.withColumnRenamed("rank", "champion_rank").join(
        after.withColumnRenamed("rank", "challenger_rank"), on="subject", how="full"
    )
    first = ranks.filter((F.col("champion_rank") <= top) | (F.col("challenger_rank") <= top))
    return list_change(first.toPandas(), run.as_of.isoformat(), top)


def _institutions(run: JobRun, store: Store, version: Version) -> DataFrame:
    """Every institution with a basis and its rank: subject, rank."""
    rows = run.lake.read_day(INSTITUTION_FEATURE, run.as_of)
    scored = institution_scores(store, version, rows.filter(claim_number(version.care_setting) > 0))
    return scored.select(F.col("institution_id").alias("subject"), "rank")
