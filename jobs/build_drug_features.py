"""Build gold.drug_feature: one row per drug as of a date."""

from pyspark.sql import functions as F

from expectations.gold_provider import DRUG_FEATURE
from expectations.landing_inquiry import TRACE_SCAN
from features.dispensing import drug_features
from jobs._account_claims import delivered, dispensed
from jobs._frames import kept
from jobs._runtime import Job, JobRun, run


def main(this: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    lake, day = this.lake, this.as_of
    scans = delivered(lake, TRACE_SCAN, day)
    with kept(dispensed(lake, day)) as sold:
        features = drug_features(sold, scans, day).withColumn("as_of_date", F.lit(day))
        rows = lake.replace(features, DRUG_FEATURE, {"as_of_date": day})
    return f"{rows} drugs, {len(DRUG_FEATURE.columns) - 2} features"


JOB = Job(
    "build_drug_features", "Compute the features of every drug as of a date", main, ("as_of",)
)

if __name__ == "__main__":
    run(JOB)
