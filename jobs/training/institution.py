"""Train the model of institutions on closed cases as of a date, judge it, and register it in MLflow."""

import json
from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifierModel

from expectations.contract.errors import JobSkipped
from expectations.feature.institution import model_inputs
from expectations.gold.institution import INSTITUTION_COMPONENT, INSTITUTION_TRAINING_ROW
from jobs.inputs.institution_inputs import claims_as_of
from jobs.inputs.model_store import store_of
from jobs.runtime.execution import code_version
from jobs.runtime.job import JobRun, step
from models.cross_validation import MAX_ROWS, out_of_fold_scores
from models.curves import gain_table
from models.estimators import BOOSTER, boosted_trees
from models.fingerprint import training_fingerprint
from models.institution_model import claim_number, contenders, institution_folds, model_name
from models.judgement import Judgement, judgement
from models.labels import institution_labels
from models.model_files import log_model, signature
from models.run_log import log_judgement
from models.tracking import SIGNATURE_TAG, Store, version_tags

SUBJECT = "institution"
#: Spark tasks that train the final model together; more only pay with millions of rows.
WORKERS = 1


def train(run: JobRun) -> str:
    """Train as of a date; with the same training rows and settings as before, keep that model."""
    settings = run.config.train
    name = model_name(SUBJECT)
    with step(run, "training rows written"):
        rows = _written_training_rows(run)
    features = model_inputs(settings.care_setting)
    store = store_of(run)
    fingerprint = training_fingerprint(
        rows,
        INSTITUTION_TRAINING_ROW.columns,
        [
            list(features),
            [settings.care_setting, settings.folds, settings.repeats, settings.seed],
            [BOOSTER, WORKERS],
        ],
    )
    newest = store.newest_version(name, run.as_of)
    if newest is not None and newest.fingerprint == fingerprint:
        if store.aliased(name, settings.alias) is None:
            store.place(newest, settings.alias, settings.challenger_alias)
        return f"unchanged: version {newest.version} of {name} kept, trained on the same rows"
    with step(run, "contenders judged"):
        judged = _judged(run, rows)
    with step(run, "final model trained"):
        model = _fitted(rows, features, settings.seed)
    with (
        step(run, "model registered"),
        store.run(settings.experiment, f"{name} {run.as_of}") as run_id,
    ):
        files_sha256 = _log_run(run, store, run_id, judged, model, features)
        tags = version_tags(
            train_as_of=run.as_of,
            fingerprint=fingerprint,
            care_setting=settings.care_setting,
            code_version=code_version(),
            features=features,
            files_sha256=files_sha256,
            inputs=run.lake.inputs,
        )
        if signed := signature(tags, name):
            tags[SIGNATURE_TAG] = signed
        version = store.register(name, run_id, tags)
        placed = store.place(version, settings.alias, settings.challenger_alias)
    alias = f", now {placed}" if placed else "; the challenger stays at a later day's"
    precision = judged.of("trees", "average_precision")
    return (
        f"version {version.version} of {name} registered{alias}; average precision {precision:.3f}"
    )


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
    components = run.lake.of_day(INSTITUTION_COMPONENT, run.as_of).select(
        "institution_id", "component"
    )
    rows = (
        reduce(DataFrame.unionByName, frames)
        .join(components, on="institution_id", how="left")
        .withColumn("component", F.coalesce("component", "institution_id"))
        .withColumn("as_of_date", F.lit(run.as_of))
    )
    run.lake.replace(rows, INSTITUTION_TRAINING_ROW, {"as_of_date": run.as_of})
    labels.unpersist()
    written = run.lake.of_day(INSTITUTION_TRAINING_ROW, run.as_of)
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
    folds = institution_folds(frame, settings.folds, settings.repeats, settings.seed)
    scores = out_of_fold_scores(run.spark, frame, compared, folds, settings.seed)
    return judgement(frame, folds, scores, compared)


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
) -> str:
    """Log everything that a reviewer looks at, and the model; the SHA-256 of the model's files."""
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
            "subject": SUBJECT,
            "train_as_of": run.as_of.isoformat(),
            "code_version": code_version(),
            "job_run_id": run.run_id,
            "feature_names": json.dumps(list(features)),
            **versions,
        },
    )
    gains = model.get_booster().get_score(importance_type="total_gain")
    log_judgement(store, run_id, judged, gain_table(features, gains), facts)
    return log_model(store, run_id, model.get_booster(), features)
