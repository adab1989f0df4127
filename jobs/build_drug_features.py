"""Build gold.drug_feature: one row per drug as of a date."""

from pyspark.sql import functions as F

from expectations.gold.dispensing import DRUG_FEATURE
from expectations.landing.inquiry import TRACE_SCAN
from features.dispensing.features import drug_features
from jobs.inputs.member_inputs import dispensed
from jobs.lake.frames import persisted
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    lake, day = run.lake, run.as_of
    scans = lake.read_as_of_if_exists(TRACE_SCAN.silver, day)
    with persisted(dispensed(lake, day)) as sold:
        features = drug_features(sold, scans, day).withColumn("as_of_date", F.lit(day))
        rows = lake.replace(features, DRUG_FEATURE, {"as_of_date": day})
    return f"{rows} drugs, {len(DRUG_FEATURE.columns) - 2} features"


JOB = Job(
    "build_drug_features", "Compute the features of every drug as of a date", main, ("as_of",)
)

if __name__ == "__main__":
    run_job(JOB)
