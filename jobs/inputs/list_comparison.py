"""The first places of a day's list under two versions of a model."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.gold.institution import INSTITUTION_FEATURE
from jobs.inputs.account_list import list_by_rules, ranked_of_week
from jobs.inputs.institution_scores import institution_scores
from jobs.inputs.member_scores import member_scores
from jobs.runtime.job import JobRun
from models.comparison import ListChange, list_change
from models.institution_model import claim_number
from models.list_ranking import ranked_with_model
from models.tracking import Store, Version


def list_changes(
    run: JobRun, store: Store, subject: str, champion: Version, challenger: Version
) -> ListChange:
    """What the challenger changes among the first places of the list as of the run's day.

    Raises:
        DataRefused: when the day has no features, or a version's model is refused.
    """
    ranked = _accounts if subject == "member" else _institutions
    before, after = (ranked(run, store, each) for each in (champion, challenger))
    top = run.config.detect.capacity if subject == "member" else run.config.report.top
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


def _accounts(run: JobRun, store: Store, version: Version) -> DataFrame:
    """Every account of the list by rules and this version together: subject, rank."""
    scores = member_scores(run, store, version)
    weight = version.blend_weight or 0.0
    ranked = ranked_with_model(
        list_by_rules(run), scores, weight, ranked_of_week(run.config.detect)
    )
    return ranked.select(F.col("member_id").alias("subject"), "rank")
