"""Score all subjects as of a date by the registered model, with reasons."""

from pyspark.sql import functions as F

from expectations.contract.errors import JobSkipped
from expectations.gold.institution import (
    INSTITUTION_FEATURE,
    INSTITUTION_SCORE,
    INSTITUTION_UNSCORED,
)
from expectations.gold.member_score import MEMBER_SCORE
from expectations.ops import JOB_RUN
from jobs.inputs.institution_scores import institution_scores
from jobs.inputs.member_scores import member_scores
from jobs.inputs.model_store import store_of
from jobs.lake.sequence import newest_first
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.mlflow_server import check_mlflow
from models.institution_model import claim_number, model_name
from models.tracking import Store, Version

#: Why an institution has no score, by the model's care setting.
_NO_BASIS = {"inpatient": "no_inpatient_claims", "all": "no_claims"}


def main(run: JobRun) -> str:
    """Write the scores of one date; safe to run again."""
    subject = run.options.subject or run.config.train.subject
    store, name = store_of(run), model_name(subject)
    version = store.version_to_use(name, run.config.train.alias, run.as_of)
    if version is None:
        raise JobSkipped(_why_no_model(run, name, subject))
    score = _score_members if subject == "member" else _score_institutions
    return score(run, store, version)


def _score_members(run: JobRun, store: Store, version: Version) -> str:
    with step(run, "scores written"):
        scores = member_scores(run, store, version)
        scored = run.lake.replace(scores, MEMBER_SCORE, {"as_of_date": run.as_of})
    return f"{scored} accounts scored by version {version.version} of {version.name}"


def _score_institutions(run: JobRun, store: Store, version: Version) -> str:
    """Write the scores, and the list of what could not be scored."""
    rows = run.lake.read_day(INSTITUTION_FEATURE, run.as_of)
    has_basis = claim_number(version.care_setting) > 0
    with step(run, "scores written"):
        scores = institution_scores(store, version, rows.filter(has_basis)).cache()
        scored = run.lake.replace(scores, INSTITUTION_SCORE, {"as_of_date": run.as_of})
        scores.unpersist()
    code = _NO_BASIS[version.care_setting]
    unscored = rows.filter(~has_basis).select(
        "institution_id",
        "as_of_date",
        F.lit(f"{code.replace('_', ' ')} before {run.as_of}").alias("reason"),
        F.lit(code).alias("reason_code"),
    )
    apart = run.lake.replace(unscored, INSTITUTION_UNSCORED, {"as_of_date": run.as_of})
    return f"{scored} institutions scored by version {version.version}, {apart} without a basis"


def _why_no_model(run: JobRun, name: str, subject: str) -> str:
    """That there is no model, and what the last training said if it was skipped."""
    told = f"no model {name} was trained as of {run.as_of} or before"
    if not run.lake.exists(JOB_RUN):
        return f"{told}: run train_model first"
    # A pipeline notes the subject of a training with its key; by hand it is not known.
    of_members = F.coalesce(F.col("pipeline_key").endswith(":member"), F.lit(False))
    wanted = of_members | F.col("pipeline_key").isNull() if subject == "member" else ~of_members
    last = (
        run.lake.read(JOB_RUN)
        .filter((F.col("job") == "train_model") & (F.col("as_of_date") <= F.lit(run.as_of)))
        .filter(wanted)
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
