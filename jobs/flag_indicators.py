"""Build gold.indicator: which patterns members show as of a date, and the settlements behind them."""

from pyspark.sql import functions as F

from expectations.gold_account import INDICATOR, MEMBER_FEATURE, PEER_STATISTIC
from expectations.gold_fact import FEE_FACT, VISIT_FACT
from expectations.landing_reference import DRUG
from features.evidence import visits_with_kinds, with_evidence
from features.rules import indicators
from jobs._account_claims import delivered
from jobs._rulebook import check_rules, rulebook
from jobs._runtime import Job, JobRun, run, step
from jobs._tables import standing


def main(this: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    lake, day = this.lake, this.as_of
    rules = rulebook(this.config)
    is_today = F.col("as_of_date") == F.lit(day)
    features = (
        lake.read(MEMBER_FEATURE).filter(is_today).withColumnRenamed("member_id", "subject_id")
    )
    peers = lake.read(PEER_STATISTIC).filter(is_today)
    found = indicators(features, peers, rules.rules["member"], rules.allowances).persist()
    with step(this, "rules"):
        flagged = found.select("subject_id").distinct().count()
    visits = visits_with_kinds(
        standing(lake.read(VISIT_FACT), day),
        standing(lake.read(FEE_FACT), day),
        delivered(lake, DRUG, day),
    ).withColumnRenamed("member_id", "subject_id")
    shown = (
        with_evidence(found, visits, day)
        .drop("evidence")
        .withColumns({"as_of_date": F.lit(day), "subject_type": F.lit("member")})
    )
    with step(this, "evidence"):
        rows = lake.replace(shown, INDICATOR, {"as_of_date": day})
    found.unpersist()
    return f"{rows} indicators on {flagged} members"


JOB = Job(
    "flag_indicators",
    "Flag what members show, by the rules in conf/typologies.yaml",
    main,
    ("as_of",),
    check_rules,
)

if __name__ == "__main__":
    run(JOB)
