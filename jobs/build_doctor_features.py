"""Build gold.doctor_feature: one row per doctor as of a date."""

from pyspark.sql import functions as F

from expectations.gold.dispensing import DOCTOR_FEATURE
from expectations.landing.event import SPECIAL_CERT
from features.dispensing.features import doctor_features
from jobs.inputs.member_inputs import dispensed
from jobs.lake.frames import persisted
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    lake, day = run.lake, run.as_of
    certificates = lake.read_as_of_if_exists(SPECIAL_CERT.silver, day)
    with persisted(dispensed(lake, day)) as sold:
        features = doctor_features(sold, certificates, day).withColumn("as_of_date", F.lit(day))
        rows = lake.replace(features, DOCTOR_FEATURE, {"as_of_date": day})
    return f"{rows} doctors, {len(DOCTOR_FEATURE.columns) - 2} features"


JOB = Job(
    "build_doctor_features", "Compute the features of every doctor as of a date", main, ("as_of",)
)

if __name__ == "__main__":
    run_job(JOB)
