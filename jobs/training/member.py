"""Train the model of accounts on closed cases as of a date, compare it with the list, and register it in MLflow."""

import json
import platform
from dataclasses import asdict

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from xgboost import XGBClassifier

from expectations.contract.errors import JobSkipped
from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES, catalogue_digest
from expectations.gold.member_model import MEMBER_TRAINING_ROW
from jobs.inputs.model_store import store_of
from jobs.runtime.execution import code_version
from jobs.runtime.job import JobRun, step
from models.case_comparison import Comparison, comparison
from models.case_contenders import CONTENDERS, PRIOR, TREES
from models.case_evaluation import out_of_fold
from models.case_log import log_comparison, log_contenders
from models.case_rows import SOURCE_COLUMNS, case_rows
from models.case_search import SPACE, search_facts, searched
from models.case_splits import splits
from models.case_trees import FIXED, case_trees
from models.cross_validation import MAX_ROWS
from models.curves import gain_table
from models.fingerprint import training_fingerprint
from models.member_card import Trained, counts
from models.member_model import MODEL_NAME
from models.member_scoring import CALIBRATION_TAG
from models.model_files import log_model, signature
from models.tracking import SIGNATURE_TAG, Store, Version, version_tags

SUBJECT = "member"
_INPUTS = MEMBER_MODEL_INPUT_NAMES


def train(run: JobRun) -> str:
    """Train on gold.member_training_row of the day; with the same rows and settings as before, keep that model.

    Raises:
        JobSkipped: when there are too few confirmed accounts to learn from.
    """
    rows = run.lake.of_day(MEMBER_TRAINING_ROW, run.as_of)
    _require_positives(run, rows.filter("label = 1").count())
    settings = run.config.train
    store = store_of(run)
    fingerprint = training_fingerprint(
        rows,
        MEMBER_TRAINING_ROW.columns,
        [
            [list(_INPUTS), catalogue_digest()],
            [settings.folds, settings.seed, settings.embargo_days, settings.search_budget],
            [
                run.config.detect.capacity,
                FIXED,
                SPACE,
                search_facts(settings.search_budget, settings.seed),
            ],
        ],
    )
    newest = store.newest_version(MODEL_NAME, run.as_of)
    if newest is not None and newest.fingerprint == fingerprint:
        if store.aliased(MODEL_NAME, settings.alias) is None:
            _placed(run, store, newest)
        return f"unchanged: version {newest.version} of {MODEL_NAME} kept, trained on the same rows"
    frame = _frame(run, rows)
    with step(run, "contenders compared"):
        compared = _compared(run, frame)
    with step(run, "final model trained"):
        search = searched(frame, _INPUTS, settings.search_budget, settings.seed)
        model = case_trees(search.settings, _INPUTS, settings.seed)
        model.fit(frame[list(_INPUTS)], frame["target"], sample_weight=frame["weight"])
    trained = Trained(
        MODEL_NAME,
        run.as_of,
        frame,
        dict(run.lake.inputs),
        FIXED | search.settings,
        {
            "capacity": run.config.detect.capacity,
            "embargo_days": settings.embargo_days,
            "folds": settings.folds,
            "seed": settings.seed,
            **search_facts(settings.search_budget, settings.seed),
        },
        search.tried,
    )
    with step(run, "model registered"):
        version = _registered(run, store, trained, compared, model, fingerprint)
    alias = _placed(run, store, version)
    told = (
        f"{_figure(compared, TREES)}, {_figure(compared, PRIOR)} by the list without a model"
        f" (evaluated by {compared.main.replace('_', ' and ')})"
    )
    return (
        f"version {version.version} of {MODEL_NAME} registered, {alias}; average precision {told};"
        f" it moves the list by {compared.blend.weight}"
    )


def _require_positives(run: JobRun, found: int) -> None:
    if found < run.config.train.min_positives:
        raise JobSkipped(
            f"{found} confirmed members with features before {run.as_of}, train.min_positives is"
            f" {run.config.train.min_positives}: no model was registered"
        )


def _frame(run: JobRun, rows: DataFrame) -> pd.DataFrame:
    """The rows on the driver; a sample of whole components where they are too many."""
    total = rows.count()
    if total > MAX_ROWS:
        run.log.warning("trained on a sample of components", rows=total, at_most=MAX_ROWS)
        # A tenth less than fits, as hashes do not share out evenly.
        rows = rows.filter(F.pmod(F.xxhash64("component"), F.lit(total)) < MAX_ROWS * 0.9)
    return case_rows(rows.select(*SOURCE_COLUMNS).toPandas())


def _compared(run: JobRun, frame: pd.DataFrame) -> Comparison:
    settings = run.config.train
    made = splits(frame, settings.folds, settings.embargo_days, settings.seed)
    evaluations = out_of_fold(
        run.spark,
        frame,
        made,
        CONTENDERS,
        settings.search_budget,
        run.config.detect.capacity,
        settings.seed,
    )
    return comparison(evaluations, CONTENDERS)


def _registered(
    run: JobRun,
    store: Store,
    trained: Trained,
    compared: Comparison,
    model: XGBClassifier,
    fingerprint: str,
) -> Version:
    """Log the training and its contenders, and register the model."""
    settings = run.config.train
    tags = {
        "subject": SUBJECT,
        "train_as_of": run.as_of.isoformat(),
        "code_version": code_version(),
        "job_run_id": run.run_id,
        "python": platform.python_version(),
    }
    booster = model.get_booster()
    gains = booster.get_score(importance_type="total_gain")
    importances = gain_table(_INPUTS, {key: float(str(value)) for key, value in gains.items()})
    with store.run(settings.experiment, f"{MODEL_NAME} {run.as_of}") as run_id:
        store.log_facts(
            run_id,
            {
                **trained.facts,
                **trained.settings,
                **counts(trained.rows),
                **{f"input.{name}": number for name, number in sorted(trained.versions.items())},
                "main_evaluation": compared.main,
                "catalogue_digest": catalogue_digest(),
                "input_count": len(_INPUTS),
            },
            tags,
        )
        store.log_dataset(
            run_id,
            MEMBER_TRAINING_ROW.name,
            fingerprint,
            {
                "path": run.lake.path(MEMBER_TRAINING_ROW),
                "as_of_date": run.as_of.isoformat(),
                "delta_versions": dict(sorted(trained.versions.items())),
            },
            counts(trained.rows),
        )
        log_comparison(store, run_id, trained, compared, CONTENDERS, importances)
        log_contenders(store, settings.experiment, compared, CONTENDERS, tags)
        files_sha256 = log_model(store, run_id, booster, _INPUTS)
        of_version = version_tags(
            train_as_of=run.as_of,
            fingerprint=fingerprint,
            care_setting="",
            code_version=code_version(),
            features=_INPUTS,
            files_sha256=files_sha256,
            inputs=trained.versions,
            blend_weight=compared.blend.weight,
            catalogue_digest=catalogue_digest(),
        )
        of_version[CALIBRATION_TAG] = json.dumps(asdict(compared.calibration))
        if signed := signature(of_version, MODEL_NAME):
            of_version[SIGNATURE_TAG] = signed
        return store.register(MODEL_NAME, run_id, of_version)


def _placed(run: JobRun, store: Store, version: Version) -> str:
    """Give the version its alias: the first is the champion, a later one waits as challenger."""
    settings = run.config.train
    placed = store.place(version, settings.alias, settings.challenger_alias)
    return f"now {placed}" if placed else "the challenger stays at a later day's"


def _figure(compared: Comparison, contender: str) -> str:
    return f"{compared.of(contender, 'average_precision'):.3f}"
