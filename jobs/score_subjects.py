"""Score every institution as of a date by the registered model, with reasons."""

from pyspark.sql import functions as F

from expectations.contract.errors import JobSkipped
from expectations.gold.institution import (
    INSTITUTION_FEATURE,
    INSTITUTION_SCORE,
    INSTITUTION_UNSCORED,
)
from expectations.ops import JOB_RUN
from jobs.inputs.institution_scores import institution_scores
from jobs.lake.sequence import newest_first
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.mlflow_server import check_mlflow
from models.institution_model import claim_number, model_name
from models.tracking import Store

_BASIS = {"inpatient": "no inpatient claims", "all": "no claims"}


def main(run: JobRun) -> str:
    """Write the scores and the list of what could not be scored for one date; safe to run again."""
    store = Store(run.config.mlflow.tracking_uri, run.config.mlflow.artifact_root)
    version = store.version_to_use(_model_name(run), run.config.train.alias, run.as_of)
    if version is None:
        raise JobSkipped(_why_no_model(run))
    rows = run.lake.read_day(INSTITUTION_FEATURE, run.as_of)
    has_basis = claim_number(version.care_setting) > 0
    with step(run, "scores written"):
        scores = institution_scores(store, version, rows.filter(has_basis)).cache()
        scored = run.lake.replace(scores, INSTITUTION_SCORE, {"as_of_date": run.as_of})
        scores.unpersist()
    reason = f"{_BASIS[version.care_setting]} before {run.as_of}"
    unscored = rows.filter(~has_basis).select(
        "institution_id", "as_of_date", F.lit(reason).alias("reason")
    )
    apart = run.lake.replace(unscored, INSTITUTION_UNSCORED, {"as_of_date": run.as_of})
    return f"{scored} institutions scored by version {version.version}, {apart} without a basis"


def _model_name(run: JobRun) -> str:
    return model_name(run.options.subject or run.config.train.subject)


def _why_no_model(run: JobRun) -> str:
    """That there is no model, and what the last training said if it was skipped."""
    told = f"no model {_model_name(run)} was trained as of {run.as_of} or before"
    if not run.lake.exists(JOB_RUN):
        return f"{told}: run train_model first"
    last = (
        run.lake.read(JOB_RUN)
        .filter((F.col("job") == "train_model") & (F.col("as_of_date") <= F.lit(run.as_of)))
        .orderBy(*newest_first("ended_at"), "run_id")
        .select("outcome", "message")
        .first()
    )
    if last is None:
        return f"{told}: run train_model first"
    return f"{told}; train_model {last['outcome']}: {last['message']}"


JOB = Job(
    "score_subjects",
    "Score all subjects as of a date by the registered model, with reasons",
    main,
    ("as_of", "subject"),
    check_mlflow,
)

if __name__ == "__main__":
    run_job(JOB)
