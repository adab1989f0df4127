"""Build what models of accounts learn from as of earlier days: features, links, rings, indicators."""

from dataclasses import replace
from datetime import timedelta

from expectations.contract.errors import JobError, JobSkipped
from expectations.gold.member_model import SUBJECT_LABEL
from jobs.inputs.claims import first_visit
from jobs.inputs.training_inputs import DAILY_JOBS, feature_days
from jobs.rules.rulebook import check_rules
from jobs.runtime.command_line import run_job
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.pipeline import Step
from models.training_set import days_that_serve_most

#: Features of a day need at least so many days of claims before it.
LEAST_CLAIM_DAYS = 60


def main(run: JobRun) -> str:
    """Run the daily jobs as of those of the days that serve most labels that gold lacks; safe to run again.

    Raises:
        JobSkipped: when no label waits for features, or `train.earlier_days` is 0.
        JobError: naming the job and day that failed.
    """
    number = run.config.train.earlier_days
    if not number:
        raise JobSkipped("train.earlier_days is 0: no earlier day is built")
    labels = run.lake.of_day(SUBJECT_LABEL, run.as_of).filter("subject_type = 'member'")
    cuts = [row["cut_date"] for row in labels.select("cut_date").collect()]
    since = first_visit(run.lake, run.as_of) + timedelta(days=LEAST_CLAIM_DAYS)
    wanted = days_that_serve_most([cut for cut in cuts if cut.replace(day=1) >= since], number)
    known = feature_days(run.lake, run.as_of)
    days = [day for day in wanted if day not in known]
    if not days:
        raise JobSkipped(
            f"none of {len(cuts)} labelled members waits for features of another day after {since}"
        )
    for day in days:
        # Under another key: these runs are no steps of the pipeline that a later run could leave out.
        key = run.pipeline_key and f"{run.pipeline_key}@{day}"
        with step(run, f"features, links and indicators of {day}"):
            for name in DAILY_JOBS:
                options = replace(run.options, as_of=day)
                result = execute(Step(name).job, run.spark, run.config, options, key)
                if result.exit_code:
                    raise JobError(f"{name} as of {day} {result.outcome}: {result.message}")
    return f"{len(days)} earlier days built: {', '.join(map(str, days))}"


JOB = Job(
    "build_earlier_days",
    "Build features, links, rings and indicators as of earlier days, for labels to learn from",
    main,
    ("as_of",),
    check_rules,
)

if __name__ == "__main__":
    run_job(JOB)
