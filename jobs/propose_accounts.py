"""Build gold.high_risk_account: the accounts to look at first as of a date. Nothing is locked."""

from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import (
    ACCOUNT_DECISION,
    HIGH_RISK_ACCOUNT,
    INDICATOR,
    MEMBER_FEATURE,
)
from expectations.gold.ring import MEMBER_RING_FEATURE
from features.indicator.accounts import current_state, in_words, ranked_accounts
from jobs.lake.tables import Lake
from jobs.rules.rulebook import check_rules, rulebook
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    lake, day, detect = run.lake, run.as_of, run.config.detect
    rules = rulebook(run.config)
    language = run.config.report.language
    shown = lake.of_day(INDICATOR, day).filter(F.col("subject_type") == "member")
    features = lake.read_day(MEMBER_FEATURE, day)
    links = lake.of_day(MEMBER_RING_FEATURE, day) if lake.exists(MEMBER_RING_FEATURE) else None
    texts = {code: words[language] for code, words in rules.texts.items()}
    checks = {code: words[language] for code, words in rules.checks.items()}
    accounts = ranked_accounts(shown, features, links)
    first_reason = F.col("reasons")[0]["reason_code"]
    listed = (
        accounts.withColumn("next_check", _chosen(checks, first_reason))
        .withColumn("reasons", in_words("reasons", texts))
        .withColumns(
            {
                "as_of_date": F.lit(day),
                "is_within_capacity": F.col("rank") <= detect.capacity,
                "expires_on": F.lit(day + timedelta(days=detect.expires_days)),
            }
        )
    )
    rows = lake.replace(_with_state(run, lake, listed), HIGH_RISK_ACCOUNT, {"as_of_date": day})
    return f"{rows} accounts listed, the first {detect.capacity} are a week's work"


def _with_state(run: JobRun, lake: Lake, listed: DataFrame) -> DataFrame:
    """Add the state: what a person decided within the time of a proposal, otherwise proposed."""
    if not lake.exists(ACCOUNT_DECISION):
        return listed.withColumn("state", F.lit("proposed"))
    decided = current_state(lake.read(ACCOUNT_DECISION), run.as_of)
    lasts = F.date_add(F.to_date("decided_at"), run.config.detect.expires_days)
    state = (
        F.when(F.col("decision").isNull(), "proposed")
        .when(lasts <= F.lit(run.as_of), "expired")
        .otherwise(F.col("decision"))
    )
    joined = listed.join(decided, on="member_id", how="left")
    return joined.withColumn("state", state).drop("decision", "decided_at")


def _chosen(words: dict[str, str], code: Column) -> Column:
    return F.create_map(*(F.lit(part) for pair in words.items() for part in pair))[code]


JOB = Job(
    "propose_accounts",
    "Rank the accounts to look at first, with reasons and what to check",
    main,
    ("as_of",),
    check_rules,
)

if __name__ == "__main__":
    run_job(JOB)
