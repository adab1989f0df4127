"""Score every institution as of a date by the registered model, with reasons."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused, JobSkipped
from expectations.feature.institution import INSTITUTION_FEATURES
from expectations.gold.institution import (
    INSTITUTION_FEATURE,
    INSTITUTION_SCORE,
    INSTITUTION_UNSCORED,
)
from expectations.ops import JOB_RUN
from jobs.lake.sequence import newest_first
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.mlflow_server import check_mlflow
from models.explain import typical_values, with_reasons
from models.institution_model import claim_number, model_name
from models.model_files import ModelRefused, load_verified
from models.scoring import CONTRIBUTIONS, scored_rows
from models.tracking import Store, Version

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
        scores = _scores(run, store, version, rows.filter(has_basis)).cache()
        scored = run.lake.replace(scores, INSTITUTION_SCORE, {"as_of_date": run.as_of})
        scores.unpersist()
    reason = f"{_BASIS[version.care_setting]} before {run.as_of}"
    unscored = rows.filter(~has_basis).select(
        "institution_id", "as_of_date", F.lit(reason).alias("reason")
    )
    apart = run.lake.replace(unscored, INSTITUTION_UNSCORED, {"as_of_date": run.as_of})
    return f"{scored} institutions scored by version {version.version}, {apart} without a basis"


def _scores(run: JobRun, store: Store, version: Version, rows: DataFrame) -> DataFrame:
    """Rows of gold.institution_score."""
    try:
        model = load_verified(store, version)
    except ModelRefused as error:
        raise DataRefused(str(error)) from None
    by_name = {feature.name: feature for feature in INSTITUTION_FEATURES}
    unknown = [name for name in model.features if name not in by_name]
    if unknown:
        raise DataRefused(
            f"version {version.version} of {version.name} looks at {', '.join(unknown)}, which this"
            " version of the project does not compute: run train_model again"
        )
    features = [by_name[name] for name in model.features]
    looked_at = rows.select("institution_id", "as_of_date", *model.features)
    scored = scored_rows(looked_at, model)
    explained = with_reasons(scored, features, CONTRIBUTIONS, typical_values(looked_at, features))
    # One partition for all: a rank over everything needs it, and a country has some hundred thousand
    # institutions at most, a kilobyte each.
    best_first = Window.orderBy(F.desc("score"), F.asc("institution_id"))
    return explained.select(
        "institution_id",
        "as_of_date",
        "score",
        F.row_number().over(best_first).cast("long").alias("rank"),
        F.lit(version.name).alias("model_name"),
        F.lit(version.version).alias("model_version"),
        "reasons",
    )


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
