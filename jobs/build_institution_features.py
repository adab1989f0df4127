"""Build gold.institution_feature: one row per institution as of a date."""

from pyspark.sql import functions as F

from expectations.gold import INSTITUTION_FEATURE
from jobs._claims import claims_as_of
from jobs._runtime import Job, JobRun, run


def main(this: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    claims = claims_as_of(this.lake, this.as_of)
    features = claims.features_of(claims.subjects()).withColumn("as_of_date", F.lit(this.as_of))
    rows = this.lake.replace(features, INSTITUTION_FEATURE, {"as_of_date": this.as_of})
    return f"{rows} institutions, {len(INSTITUTION_FEATURE.columns) - 2} features"


JOB = Job(
    "build_institution_features",
    "Compute the features of every institution as of a date",
    main,
    ("as_of",),
)

if __name__ == "__main__":
    run(JOB)
