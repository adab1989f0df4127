"""Train a model on closed cases as of a date, judge it, and register it in MLflow."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from functools import reduce
from importlib import metadata, resources

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifierModel

from expectations.contract.errors import JobSkipped
from expectations.feature.institution import PLAIN_FEATURES, model_inputs
from expectations.gold.institution import INSTITUTION_COMPONENT, INSTITUTION_TRAINING_ROW
from jobs.inputs.institution_inputs import claims_as_of
from jobs.runtime.command_line import run_job
from jobs.runtime.execution import code_version
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.mlflow_server import check_mlflow
from models.cross_validation import MAX_ROWS, Contender, out_of_fold_scores
from models.curves import gain_table
from models.estimators import BOOSTER, boosted_trees
from models.judgement import Judgement, judgement
from models.labels import institution_labels
from models.model_files import logged_files_sha256
from models.run_log import log_judgement
from models.splits import repeated_folds
from models.tracking import Store, version_tags

#: Spark tasks that train the final model together; more only pay with millions of rows.
WORKERS = 1

#: What a model of a care setting has a basis to judge: subjects with any of these claims.
CLAIM_COUNTS = {
    "inpatient": ("inpatient_claim_count",),
    "all": ("inpatient_claim_count", "outpatient_claim_count"),
}
_AMOUNTS = {
    "inpatient": ("inpatient_amount_sum",),
    "all": ("inpatient_amount_sum", "outpatient_amount_sum"),
}


def main(run: JobRun) -> str:
    """Train as of a date; with the same training rows and settings as before, keep that model."""
    settings = run.config.train
    name = model_name(run)
    with step(run, "training rows written"):
        rows = _written_training_rows(run)
    features = model_inputs(settings.care_setting)
    store = Store(run.config.mlflow.tracking_uri, run.config.mlflow.artifact_root)
    fingerprint = _fingerprint(run, rows, features)
    newest = store.newest_version(name, run.as_of)
    if newest is not None and newest.fingerprint == fingerprint:
        if store.aliased(name, settings.alias) is None:
            store.promote(newest, settings.alias)
        return f"unchanged: version {newest.version} of {name} kept, trained on the same rows"
    with step(run, "contenders judged"):
        judged = _judged(run, rows)
    with step(run, "final model trained"):
        model = _fitted(rows, features, settings.seed)
    with (
        step(run, "model registered"),
        store.run(settings.experiment, f"{name} {run.as_of}") as run_id,
    ):
        _log_run(run, store, run_id, judged, model, features)
        version = store.register(
            name,
            run_id,
            version_tags(
                train_as_of=run.as_of,
                fingerprint=fingerprint,
                care_setting=settings.care_setting,
                code_version=code_version(),
                features=features,
                files_sha256=logged_files_sha256(store, run_id),
                inputs=run.lake.inputs,
            ),
        )
        is_promoted = store.promote(version, settings.alias)
    alias = (
        f", now {settings.alias}" if is_promoted else f"; {settings.alias} stays at a later day's"
    )
    precision = judged.of("trees", "average_precision")
    return (
        f"version {version.version} of {name} registered{alias}; average precision {precision:.3f}"
    )


def model_name(run: JobRun) -> str:
    """The registered model of the subject that a run is about."""
    return f"drugtrail-{run.options.subject or run.config.train.subject}"


def claim_number(care_setting: str) -> Column:
    """How many claims a row has that a model of the care setting may look at; 0 is no basis."""
    counts = [F.coalesce(F.col(name), F.lit(0.0)) for name in CLAIM_COUNTS[care_setting]]
    return reduce(Column.__add__, counts)


def contenders(care_setting: str, inputs: Sequence[str]) -> list[Contender]:
    """What is judged in the same folds, the model itself first."""
    return [
        Contender("trees", "trees", tuple(inputs)),
        Contender("trees_plain", "trees", tuple(PLAIN_FEATURES)),
        Contender("logistic", "logistic", tuple(inputs)),
        Contender("claim_count", "ranking", CLAIM_COUNTS[care_setting]),
        Contender("amount", "ranking", _AMOUNTS[care_setting]),
    ]


def _written_training_rows(run: JobRun) -> DataFrame:
    """Label, build features as of the cuts, write the rows; give them back with `has_basis`.

    Raises:
        JobSkipped: when there are too few positives to train on.
    """
    labels = institution_labels(claims_as_of(run.lake, run.as_of).cases, run.as_of).cache()
    _require_positives(run, labels.filter("label = 1").count(), "")
    dates = sorted(
        row["feature_date"] for row in labels.select("feature_date").distinct().collect()
    )
    frames = [_features_at(run, labels, day) for day in dates]
    components = (
        run.lake.read(INSTITUTION_COMPONENT)
        .filter(F.col("as_of_date") == F.lit(run.as_of))
        .select("institution_id", "component")
    )
    rows = (
        reduce(DataFrame.unionByName, frames)
        .join(components, on="institution_id", how="left")
        .withColumn("component", F.coalesce("component", "institution_id"))
        .withColumn("as_of_date", F.lit(run.as_of))
    )
    run.lake.replace(rows, INSTITUTION_TRAINING_ROW, {"as_of_date": run.as_of})
    labels.unpersist()
    written = run.lake.read(INSTITUTION_TRAINING_ROW).filter(
        F.col("as_of_date") == F.lit(run.as_of)
    )
    care_setting = run.config.train.care_setting
    based = written.withColumn("has_basis", claim_number(care_setting) > 0)
    _require_positives(
        run, based.filter("label = 1 AND has_basis").count(), " with claims to look at"
    )
    return based


def _features_at(run: JobRun, labels: DataFrame, day: date) -> DataFrame:
    """The labelled institutions of one feature date with their features as of it."""
    subjects = labels.filter(F.col("feature_date") == F.lit(day))
    features = claims_as_of(run.lake, day).features_of(subjects.select("institution_id"))
    return subjects.join(features, on="institution_id", how="inner")


def _require_positives(run: JobRun, found: int, which: str) -> None:
    if found < run.config.train.min_positives:
        raise JobSkipped(
            f"{found} confirmed institutions{which} before {run.as_of}, train.min_positives is"
            f" {run.config.train.min_positives}: no model was registered"
        )


def _fingerprint(run: JobRun, rows: DataFrame, features: Sequence[str]) -> str:
    """A hash of all that makes a model: rows in any order, settings, libraries, the models' code."""
    content = rows.select(
        F.count("*").alias("rows"),
        F.sum(F.xxhash64(*INSTITUTION_TRAINING_ROW.columns).cast("decimal(38,0)")).alias("hashes"),
    ).first()
    settings = run.config.train
    made_of = [
        str(content),
        list(features),
        [settings.care_setting, settings.folds, settings.repeats, settings.seed],
        [BOOSTER, WORKERS],
        [metadata.version(name) for name in ("xgboost-cpu", "scikit-learn", "pyspark")],
        [_sources_sha256("models")],
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def _sources_sha256(package: str) -> str:
    """A hash of a package's modules; a change elsewhere shows in the training rows or not at all."""
    digest = hashlib.sha256()
    for entry in sorted(resources.files(package).iterdir(), key=lambda found: found.name):
        if entry.name.endswith(".py"):
            digest.update(f"{entry.name}\0".encode() + entry.read_bytes())
    return digest.hexdigest()


def _judged(run: JobRun, rows: DataFrame) -> Judgement:
    """Cross-validate the contenders in the same folds on what fits the driver."""
    settings = run.config.train
    compared = contenders(settings.care_setting, model_inputs(settings.care_setting))
    names = sorted({name for each in compared for name in each.features})
    labelled = rows.select("institution_id", "label", "component", "has_basis", *names)
    total = labelled.count()
    if total > MAX_ROWS:
        run.log.warning("judged on a sample of components", rows=total, at_most=MAX_ROWS)
        # A tenth less than fits, as hashes do not share out evenly.
        labelled = labelled.filter(F.pmod(F.xxhash64("component"), F.lit(total)) < MAX_ROWS * 0.9)
    frame = labelled.orderBy("institution_id").toPandas()
    folds = _folds(frame, settings.folds, settings.repeats, settings.seed)
    scores = out_of_fold_scores(run.spark, frame, compared, folds, settings.seed)
    return judgement(frame, folds, scores, compared)


def _folds(frame: pd.DataFrame, folds: int, repeats: int, seed: int) -> npt.NDArray[np.int32]:
    """Folds with the same share of positives and of rows with a basis; components stay whole."""
    strata = 2 * frame["label"] + frame["has_basis"].astype(int)
    return repeated_folds(
        frame["institution_id"].tolist(),
        strata.tolist(),
        frame["component"].tolist(),
        folds,
        repeats,
        seed,
    )


def _fitted(rows: DataFrame, features: Sequence[str], seed: int) -> SparkXGBClassifierModel:
    """The final model on all rows with a basis, which lie in a fixed order on WORKERS partitions."""
    based = rows.filter("has_basis").select("institution_id", "label", *features)
    placed = based.repartition(WORKERS, "institution_id") if WORKERS > 1 else based.repartition(1)
    placed = placed.sortWithinPartitions("institution_id").cache()
    try:
        return boosted_trees(features, seed, WORKERS).fit(placed)
    finally:
        placed.unpersist()


def _log_run(
    run: JobRun,
    store: Store,
    run_id: str,
    judged: Judgement,
    model: SparkXGBClassifierModel,
    features: Sequence[str],
) -> None:
    """Everything that a reviewer looks at, under the names in `models.tracking`."""
    settings = run.config.train
    versions = {f"input.{table}": str(number) for table, number in sorted(run.lake.inputs.items())}
    facts = {
        "train_as_of": run.as_of.isoformat(),
        "care_setting": settings.care_setting,
        "folds": settings.folds,
        "repeats": settings.repeats,
        "seed": settings.seed,
    }
    store.log_facts(
        run_id,
        params={
            **facts,
            **BOOSTER,
            **judged.counts,
            **versions,
            "workers": WORKERS,
            "feature_count": len(features),
        },
        tags={
            "subject": settings.subject,
            "train_as_of": run.as_of.isoformat(),
            "code_version": code_version(),
            "job_run_id": run.run_id,
            "feature_names": json.dumps(list(features)),
            **versions,
        },
    )
    gains = model.get_booster().get_score(importance_type="total_gain")
    log_judgement(store, run_id, judged, gain_table(features, gains), facts)
    store.log_model(model, features)


JOB = Job(
    "train_model",
    "Train, judge and register the model of a subject as of a date",
    main,
    ("as_of", "subject"),
    check_mlflow,
)

if __name__ == "__main__":
    run_job(JOB)
