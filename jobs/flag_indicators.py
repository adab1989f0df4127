"""Build gold.indicator: what members, institutions and doctors show, and the settlements behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from expectations.contract import TableContract
from expectations.gold_account import INDICATOR, MEMBER_FEATURE, PEER_STATISTIC
from expectations.gold_fact import FEE_FACT, VISIT_FACT
from expectations.gold_provider import DOCTOR_FEATURE, INSTITUTION_DRUG_FEATURE
from expectations.landing_reference import DRUG
from features.evidence import visits_with_kinds, with_evidence
from features.rules import Condition, Rule, indicators
from jobs._account_claims import delivered
from jobs._frames import sent
from jobs._rulebook import check_rules, rulebook
from jobs._runtime import Job, JobRun, run, step
from jobs._tables import standing
from jobs._typologies import Subject


@dataclass(frozen=True)
class _Flagged:
    """A kind of subject, its features, and whether it is compared with peers."""

    subject: Subject
    table: TableContract
    has_peers: bool = False


_FLAGGED = (
    _Flagged("member", MEMBER_FEATURE, has_peers=True),
    _Flagged("institution", INSTITUTION_DRUG_FEATURE),
    _Flagged("doctor", DOCTOR_FEATURE),
)
#: So many flagged members are sent to every task; more are shuffled.
_MOST_MEMBERS_TO_SEND = 1_000_000


def main(this: JobRun) -> str:
    """Rebuild one as-of date; safe to run again. Kinds of subjects without features are left out."""
    lake, day = this.lake, this.as_of
    rules = rulebook(this.config)
    fees, visits = standing(lake.read(FEE_FACT), day), standing(lake.read(VISIT_FACT), day)
    drugs = delivered(lake, DRUG, day)
    every_visit = visits_with_kinds(visits, fees, drugs, day)
    is_today = F.col("as_of_date") == F.lit(day)
    lake.read_day(MEMBER_FEATURE, day)
    every: list[DataFrame] = []
    held: list[DataFrame] = []
    for kind in _FLAGGED:
        if not lake.exists(kind.table) or not rules.rules[kind.subject]:
            continue
        key = f"{kind.subject}_id"
        features = lake.read(kind.table).filter(is_today).withColumnRenamed(key, "subject_id")
        peers = lake.read(PEER_STATISTIC).filter(is_today) if kind.has_peers else None
        allowances = rules.allowances if kind.subject == "member" else ()
        found = indicators(features, peers, rules.rules[kind.subject], allowances).persist()
        held.append(found)
        _say_what_is_silent(this, kind.subject, features, rules.rules[kind.subject])
        with step(this, f"indicators of {kind.subject}s"):
            count = found.count()
        looked_at = every_visit
        if kind.subject == "member":
            # Few of many: what the others were given need not be looked at.
            flagged = sent(found.select("subject_id").distinct(), count, _MOST_MEMBERS_TO_SEND)
            looked_at = visits_with_kinds(
                _of_members(visits, flagged), _of_members(fees, flagged), drugs, day
            )
        shown = with_evidence(found, _of_subject(looked_at, fees, key), day)
        every.append(shown.withColumn("subject_type", F.lit(kind.subject)))
    frame = (
        reduce(DataFrame.unionByName, every).drop("evidence").withColumn("as_of_date", F.lit(day))
    )
    with step(this, "evidence"):
        rows = lake.replace(frame, INDICATOR, {"as_of_date": day})
    for found in held:
        found.unpersist()
    return f"{rows} indicators"


def _say_what_is_silent(
    this: JobRun, subject: Subject, features: DataFrame, rules: Sequence[Rule]
) -> None:
    """Name the rules that look at something which is empty or 0 for everybody: columns may be missing."""
    names = sorted({name for rule in rules for name in rule.features})
    [most] = features.agg(*(F.max(name).alias(name) for name in names)).collect()
    silent = {
        rule.code: missing
        for rule in rules
        if (missing := sorted(each.feature for each in rule.conditions if _is_silent(each, most)))
    }
    if silent:
        this.log.warning(
            "rules cannot speak: what they look at is empty or 0 for everybody; docs/features.md names"
            " the tables it comes from",
            subject=subject,
            rules="; ".join(f"{code}: {', '.join(missing)}" for code, missing in silent.items()),
        )


def _is_silent(condition: Condition, most: Row) -> bool:
    """Whether nobody's value can be known to fulfil a condition; 0 fulfils one that only has an upper bound."""
    value = most[condition.feature]
    return value is None or (value == 0 and condition.at_least is not None)


def _of_members(facts: DataFrame, flagged: DataFrame) -> DataFrame:
    return facts.join(flagged, on=facts["member_id"] == flagged["subject_id"], how="left_semi")


def _of_subject(visits: DataFrame, fees: DataFrame, key: str) -> DataFrame:
    """Visits with the subject that they are evidence for."""
    if key in visits.columns:
        return visits.withColumnRenamed(key, "subject_id")
    named = fees.filter(F.col(key).isNotNull()).select(
        "settlement_id", F.col(key).alias("subject_id")
    )
    return visits.join(named.distinct(), on="settlement_id")


JOB = Job(
    "flag_indicators",
    "Flag what members, institutions and doctors show, by conf/typologies.yaml",
    main,
    ("as_of",),
    check_rules,
)

if __name__ == "__main__":
    run(JOB)
