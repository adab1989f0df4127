"""Build gold.subject_label: what closed cases say of members and institutions as of a date."""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import JobSkipped
from expectations.gold.member_model import SUBJECT_LABEL
from expectations.landing.inquiry import CLOSED_CASE
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun
from models.labels import SUBJECT_TYPES, subject_labels


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again.

    Raises:
        JobSkipped: when no case gives a label.
    """
    cases = run.lake.read_as_of_if_exists(CLOSED_CASE.silver, run.as_of)
    labels = reduce(
        DataFrame.unionByName, (subject_labels(cases, run.as_of, each) for each in SUBJECT_TYPES)
    ).withColumn("as_of_date", F.lit(run.as_of))
    if not run.lake.replace(labels, SUBJECT_LABEL, {"as_of_date": run.as_of}):
        raise JobSkipped(
            f"no subject was confirmed by a case decided before {run.as_of}: there are no labels"
        )
    written = run.lake.of_day(SUBJECT_LABEL, run.as_of)
    counts = {
        (row["subject_type"], row["label"]): row["count"]
        for row in written.groupBy("subject_type", "label").count().collect()
    }
    told = (
        f"{counts.get((each, 1), 0)} {each}s confirmed, {counts.get((each, 0), 0)} cleared"
        for each in SUBJECT_TYPES
    )
    return "; ".join(told)


JOB = Job(
    "build_labels",
    "Label members and institutions by cases that were decided before a date",
    main,
    ("as_of",),
)

if __name__ == "__main__":
    run_job(JOB)
