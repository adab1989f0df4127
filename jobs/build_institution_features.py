"""Build gold.institution_feature and gold.institution_drug_feature: institutions as of a date."""

from pyspark.sql import functions as F

from expectations.gold.dispensing import INSTITUTION_DRUG_FEATURE
from expectations.gold.fact import VISIT_FACT
from expectations.gold.institution import INSTITUTION_FEATURE
from expectations.landing.inquiry import TRACE_SCAN
from expectations.landing.reference import DRUG
from features.dispensing.features import institution_drug_features
from jobs.inputs.institution_inputs import claims_as_of
from jobs.inputs.member_inputs import dispensed
from jobs.lake.frames import persisted
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    claims = claims_as_of(run.lake, run.as_of)
    features = claims.features_of(claims.subjects()).withColumn("as_of_date", F.lit(run.as_of))
    rows = run.lake.replace(features, INSTITUTION_FEATURE, {"as_of_date": run.as_of})
    told = f"{rows} institutions, {len(INSTITUTION_FEATURE.columns) - 2} features"
    if not run.lake.exists(DRUG.silver):
        return f"{told}; no drugs were delivered, so there are no features of dispensing"
    with persisted(dispensed(run.lake, run.as_of)) as sold:
        dispensing = institution_drug_features(
            sold,
            claims.institutions,
            claims.members,
            run.lake.read_as_of(VISIT_FACT, run.as_of),
            run.lake.read_as_of_if_exists(TRACE_SCAN.silver, run.as_of),
            run.as_of,
        ).withColumn("as_of_date", F.lit(run.as_of))
        rows = run.lake.replace(dispensing, INSTITUTION_DRUG_FEATURE, {"as_of_date": run.as_of})
    return f"{told}; {rows} that dispense, {len(INSTITUTION_DRUG_FEATURE.columns) - 2} features"


JOB = Job(
    "build_institution_features",
    "Compute the features of every institution as of a date",
    main,
    ("as_of",),
)

if __name__ == "__main__":
    run_job(JOB)
