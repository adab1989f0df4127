"""Build gold.member_feature and gold.peer_statistic: one row per member as of a date."""

from pyspark import StorageLevel
from pyspark.sql import functions as F

from expectations.feature.member import MEMBER_FEATURES, OWN_FEATURES
from expectations.gold.account import MEMBER_FEATURE, PEER_STATISTIC
from expectations.landing.reference import PERSON
from features.indicator.peers import fund_percentiles, peer_groups, peer_statistics, three_digits
from features.member.stream import computed_features, member_stream
from jobs.inputs.member_inputs import member_kinds, member_references
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    lake, day = run.lake, run.as_of
    kinds = member_kinds(lake, day)
    with step(run, "references"):
        references = member_references(lake, day)
    stream = member_stream(kinds, lake.rows_read)
    own = computed_features(stream, references, day).persist(StorageLevel.MEMORY_AND_DISK)
    with step(run, "features"):
        own.count()
    groups = peer_groups(lake.read_as_of_if_exists(PERSON.silver, day), own, day)
    features = own.join(groups, on="member_id", how="left").withColumn(
        "amount", three_digits("drug_fund_sum_365d")
    )
    ranked = features.join(
        F.broadcast(fund_percentiles(features)), on=["peer_group", "amount"], how="left"
    ).withColumn("as_of_date", F.lit(day))
    with step(run, "written"):
        rows = lake.replace(ranked.drop("amount"), MEMBER_FEATURE, {"as_of_date": day})
    with step(run, "peers"):
        written = lake.of_day(MEMBER_FEATURE, day)
        names = [feature.name for feature in OWN_FEATURES]
        statistics = peer_statistics(written, names).withColumn("as_of_date", F.lit(day))
        lake.replace(statistics, PEER_STATISTIC, {"as_of_date": day})
    own.unpersist()
    return f"{rows} members, {len(MEMBER_FEATURES)} features"


JOB = Job(
    "build_member_features",
    "Compute the features of every member as of a date",
    main,
    ("as_of",),
)

if __name__ == "__main__":
    run_job(JOB)
