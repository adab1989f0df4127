"""Build gold.high_risk_account: the accounts to look at first as of a date. Nothing is locked."""

from datetime import timedelta
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import (
    ACCOUNT_DECISION,
    HIGH_RISK_ACCOUNT,
    MEMBER_FEATURE,
    RESEMBLANCE_FAMILY,
)
from expectations.gold.member_score import AUDIT_DRAW, MEMBER_SCORE
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from features.indicator.accounts import current_state, in_words
from jobs.inputs.account_list import list_by_rules, ranked_of_week
from jobs.lake.tables import Lake
from jobs.rules.rulebook import check_rules, rulebook
from jobs.rules.typologies import Typologies
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun
from models.list_ranking import audit_counts, audit_draws, ranked_with_model


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    lake, day, detect = run.lake, run.as_of, run.config.detect
    rules = rulebook(run.config)
    language = run.config.report.language
    texts = {code: words[language] for code, words in rules.texts.items()}
    checks = {code: words[language] for code, words in rules.checks.items()}
    week = ranked_of_week(detect)
    accounts = ranked_with_model(list_by_rules(run), *_scores(run), week)
    first_reason = F.col("reasons")[0]["reason_code"]
    listed = (
        accounts.withColumn("next_check", _chosen(checks, first_reason))
        .withColumn("reasons", in_words("reasons", texts))
        .transform(partial(_with_habits, run, rules))
        .withColumns(
            {
                "as_of_date": F.lit(day),
                "is_within_capacity": F.col("rank") <= week,
                "expires_on": F.lit(day + timedelta(days=detect.expires_days)),
            }
        )
    )
    rows = lake.replace(_with_state(run, lake, listed), HIGH_RISK_ACCOUNT, {"as_of_date": day})
    drawn = audit_draws(
        lake.of_day(HIGH_RISK_ACCOUNT, day),
        lake.read_day(MEMBER_FEATURE, day),
        day,
        week,
        audit_counts(detect.capacity, detect.audit_share),
    )
    draws = lake.replace(
        drawn.withColumn("as_of_date", F.lit(day)), AUDIT_DRAW, {"as_of_date": day}
    )
    beside = f" with {draws} drawn at random" if draws else ""
    return f"{rows} accounts listed, the first {week}{beside} are a week's work"


def _with_habits(run: JobRun, rules: Typologies, listed: DataFrame) -> DataFrame:
    """Add to the sentence about resemblance what it rests on most."""
    codes = [each.code for each in rules.rules["member"] if each.family == RESEMBLANCE_FAMILY]
    texts = F.transform("reasons", lambda each: each["text"])
    habits = run.lake.of_day_if_exists(MEMBER_RESEMBLANCE, run.as_of).select(
        "member_id", F.concat_ws("; ", texts).alias("habits")
    )

    def told(each: Column) -> Column:
        is_told = each["reason_code"].isin(*codes) & (F.length("habits") > 0)
        text = F.concat(each["text"], F.lit(": "), F.col("habits"))
        return F.when(is_told, each.withField("text", text)).otherwise(each)

    joined = listed.join(habits, on="member_id", how="left")
    return joined.withColumn("reasons", F.transform("reasons", told)).drop("habits")


def _scores(run: JobRun) -> tuple[DataFrame | None, float]:
    """The model's scores of the day and how much they may move the list; None and 0 without a model."""
    if not run.lake.exists(MEMBER_SCORE):
        return None, 0.0
    scores = run.lake.of_day(MEMBER_SCORE, run.as_of)
    first = scores.select("blend_weight").first()
    return (scores, float(first["blend_weight"])) if first is not None else (None, 0.0)


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
