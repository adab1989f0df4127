"""The list of accounts of a day without a model of own cases."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.gold.ring import MEMBER_RING_FEATURE
from features.indicator.accounts import ranked_accounts
from jobs.runtime.config import Detect
from jobs.runtime.job import JobRun
from models.list_ranking import audit_counts


def list_by_rules(run: JobRun) -> DataFrame:
    """`ranked_accounts` of the run's day.

    Raises:
        DataRefused: when the day has no features, or no job has written indicators.
    """
    lake, day = run.lake, run.as_of
    shown = lake.of_day(INDICATOR, day).filter(F.col("subject_type") == "member")
    links = lake.of_day(MEMBER_RING_FEATURE, day) if lake.exists(MEMBER_RING_FEATURE) else None
    return ranked_accounts(shown, lake.read_day(MEMBER_FEATURE, day), links)


def ranked_of_week(detect: Detect) -> int:
    """The accounts of a week that the list gives; the others are drawn at random."""
    return detect.capacity - sum(audit_counts(detect.capacity, detect.audit_share))
