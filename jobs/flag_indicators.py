"""Build gold.indicator: what members, institutions and doctors show, and the settlements behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.feature.member_ring import MEMBER_RING_FEATURES
from expectations.feature.resemblance import RESEMBLANCE_FEATURES
from expectations.gold.account import INDICATOR, MEMBER_FEATURE, PEER_STATISTIC
from expectations.gold.dispensing import DOCTOR_FEATURE, INSTITUTION_DRUG_FEATURE
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from expectations.gold.ring import MEMBER_RING_FEATURE
from expectations.landing.reference import DRUG
from features.indicator.evidence import visits_with_kinds, with_evidence
from features.indicator.rules import Condition, Rule, indicators
from jobs.lake.frames import broadcast_if_small
from jobs.lake.tables import Lake
from jobs.rules.rulebook import check_rules, rulebook
from jobs.rules.typologies import Subject
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step


@dataclass(frozen=True)
class _Flagged:
    """A kind of subject, its features, and whether it is compared with peers."""

    subject: Subject
    table: TableContract
    has_peers: bool = False

    @property
    def key(self) -> str:
        """The column of facts that names the subject."""
        return f"{self.subject}_id"


@dataclass(frozen=True)
class _Facts:
    """What evidence is sought in, as it stood as of a date."""

    fees: DataFrame
    visits: DataFrame
    drugs: DataFrame
    as_of: date


_FLAGGED = (
    _Flagged("member", MEMBER_FEATURE, has_peers=True),
    _Flagged("institution", INSTITUTION_DRUG_FEATURE),
    _Flagged("doctor", DOCTOR_FEATURE),
)
#: So many flagged subjects are sent to every task; more are shuffled.
_MOST_SUBJECTS_TO_SEND = 1_000_000


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again. Kinds of subjects without features are left out."""
    lake, day = run.lake, run.as_of
    book = rulebook(run.config)
    facts = _Facts(
        fees=lake.read_as_of(FEE_FACT, day),
        visits=lake.read_as_of(VISIT_FACT, day),
        drugs=lake.read_as_of_if_exists(DRUG.silver, day),
        as_of=day,
    )
    lake.read_day(MEMBER_FEATURE, day)
    every: list[DataFrame] = []
    for kind in _FLAGGED:
        rules = book.rules[kind.subject]
        if not lake.exists(kind.table) or not rules:
            continue
        features = lake.of_day(kind.table, day).withColumnRenamed(kind.key, "subject_id")
        if kind.subject == "member":
            features = _with_more_features(lake, day, features)
        peers = lake.of_day(PEER_STATISTIC, day) if kind.has_peers else None
        allowances = book.allowances if kind.subject == "member" else ()
        with step(run, f"indicators of {kind.subject}s"):
            # A checkpoint, not a cache: all that follows would analyse thirty rules again.
            found = indicators(
                features, peers, rules, allowances, book.windows[kind.subject]
            ).checkpoint()
            fired = _counted(found)
        inactive = [rule for rule in rules if rule.code not in fired]
        _warn_of_missing_input(run, kind.subject, features, inactive)
        visits = _visits_of(kind, found, sum(fired.values()), facts)
        shown = with_evidence(found, visits, day)
        if kind.subject == "member":
            shown = _with_settlements_of_links(lake, day, shown)
        every.append(shown.withColumn("subject_type", F.lit(kind.subject)))
    frame = (
        reduce(DataFrame.unionByName, every).drop("evidence").withColumn("as_of_date", F.lit(day))
    )
    with step(run, "evidence"):
        rows = lake.replace(frame, INDICATOR, {"as_of_date": day})
    return f"{rows} indicators"


def _with_more_features(lake: Lake, day: date, features: DataFrame) -> DataFrame:
    """Features of members with what links and resemblance say; empty where these were not built."""
    for table, more in (
        (MEMBER_RING_FEATURE, MEMBER_RING_FEATURES),
        (MEMBER_RESEMBLANCE, RESEMBLANCE_FEATURES),
    ):
        rows = lake.of_day_if_exists(table, day).withColumnRenamed("member_id", "subject_id")
        names = [feature.name for feature in more]
        features = features.join(rows.select("subject_id", *names), on="subject_id", how="left")
    return features


def _with_settlements_of_links(lake: Lake, day: date, shown: DataFrame) -> DataFrame:
    """Indicators of links with the settlements of meetings in place of the dearest ones."""
    met = lake.of_day_if_exists(MEMBER_RING_FEATURE, day).select(
        F.col("member_id").alias("subject_id"), F.col("settlement_ids").alias("met")
    )
    is_link = F.col("feature").isin([feature.name for feature in MEMBER_RING_FEATURES])
    # Accounts that share a phone or a counter but never met keep what else there is.
    has_met = is_link & (F.size(F.coalesce("met", F.array())) > 0)
    return (
        shown.join(met, on="subject_id", how="left")
        .withColumn(
            "settlement_ids", F.when(has_met, F.col("met")).otherwise(F.col("settlement_ids"))
        )
        .drop("met")
    )


def _counted(found: DataFrame) -> dict[str, int]:
    return {
        row["reason_code"]: row["count"] for row in found.groupBy("reason_code").count().collect()
    }


def _visits_of(kind: _Flagged, found: DataFrame, count: int, facts: _Facts) -> DataFrame:
    """Visits of the subjects with an indicator, one row per subject_id and settlement."""
    asked = found.select(F.col("subject_id").alias(kind.key), "window_days")
    # Few subjects have indicators; the settlements of the others are not read.
    flagged = broadcast_if_small(asked, count, _MOST_SUBJECTS_TO_SEND)
    visits, fees = facts.visits, facts.fees
    if kind.subject == "member":
        kinds = visits_with_kinds(visits, fees, facts.drugs, facts.as_of, flagged)
        return kinds.withColumnRenamed(kind.key, "subject_id")
    where_named = visits if kind.key in visits.columns else fees
    named = (
        where_named.join(flagged, on=kind.key, how="left_semi")
        .select("member_id", "settlement_id", F.col(kind.key).alias("subject_id"))
        .distinct()
    )
    kinds = visits_with_kinds(visits, fees, facts.drugs, facts.as_of)
    return kinds.join(named, on=["member_id", "settlement_id"], how="inner")


def _warn_of_missing_input(
    run: JobRun, subject: Subject, features: DataFrame, rules: Sequence[Rule]
) -> None:
    """Warn about rules that cannot fire because their input is empty or 0 for everybody."""
    if not rules:
        return
    names = sorted({name for rule in rules for name in rule.features})
    [most] = features.agg(*(F.max(name).alias(name) for name in names)).collect()
    without_input = {
        rule.code: missing
        for rule in rules
        if (missing := sorted(each.feature for each in rule.conditions if _lacks_input(each, most)))
    }
    if without_input:
        run.log.warning(
            "rules cannot fire: their input is empty or 0 for everybody; docs/features.md names the tables"
            " that it comes from",
            subject=subject,
            rules="; ".join(
                f"{code}: {', '.join(missing)}" for code, missing in without_input.items()
            ),
        )


def _lacks_input(condition: Condition, most: Row) -> bool:
    """Whether no subject has a value for a condition. A 0 is a value if the condition has only an upper bound."""
    value = most[condition.feature]
    return value is None or (value == 0 and condition.at_least is not None)


JOB = Job(
    "flag_indicators",
    "Flag what members, institutions and doctors show, by conf/typologies.yaml",
    main,
    ("as_of",),
    check_rules,
)

if __name__ == "__main__":
    run_job(JOB)
