"""Small models in a real registry, and the rows that they were trained on."""

from datetime import date
from typing import Any

import numpy as np
from xgboost import XGBClassifier

from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES, catalogue_digest
from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.gold.institution import INSTITUTION_FEATURE, INSTITUTION_TRAINING_ROW
from expectations.gold.member_model import MEMBER_TRAINING_ROW
from models.model_files import log_model
from models.tracking import Store, Version, version_tags

#: What tells the confirmed from the cleared, and what tells nothing.
TELLING, NOISE = "inpatient_amount_sum", "inpatient_stay_days_max"
NAME = "drugtrail-institution"
TREES = {"n_estimators": 20, "max_depth": 2, "learning_rate": 0.3}


def institution_rows(count: int = 90, seed: int = 1) -> list[dict[str, Any]]:
    """Labelled institutions, a third of them confirmed, with one feature that tells and one that does not."""
    draws = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for at in range(count):
        label = int(at % 3 == 0)
        rows.append(
            {
                "institution_id": f"h{at:03d}",
                "label": label,
                "cut_date": date(2025, 5, 1),
                "feature_date": date(2025, 5, 1),
                "component": f"h{at:03d}",
                "inpatient_claim_count": 5.0,
                TELLING: 3.0 * label + float(draws.normal()),
                NOISE: float(draws.normal()),
            }
        )
    return rows


def write_rows(workspace, contract, rows, day: date) -> None:
    """Replace a day of a table by rows that say only what matters."""
    given = [dict.fromkeys(contract.columns) | row | {"as_of_date": day} for row in rows]
    frame = workspace.spark.createDataFrame(
        [{name: row[name] for name in contract.columns} for row in given], contract.schema
    )
    workspace.lake.replace(frame, contract, {"as_of_date": day})


def store_of(workspace) -> Store:
    mlflow = workspace.config.mlflow
    return Store(mlflow.tracking_uri, mlflow.artifact_root)


def write_institutions(workspace, day: date) -> None:
    """Training rows, and the same institutions as features of the day."""
    rows = institution_rows()
    write_rows(workspace, INSTITUTION_TRAINING_ROW, rows, day)
    write_rows(workspace, INSTITUTION_FEATURE, rows, day)


def register_institutions(workspace, feature: str, day: date, **parameters: object) -> Version:
    """Train trees on one feature of the rows of a day, register them, and give them their alias."""
    store, settings = store_of(workspace), workspace.config.train
    rows = institution_rows()
    given = TREES | parameters
    model = XGBClassifier(random_state=1, n_jobs=1, **given)
    values = np.array([[row[feature]] for row in rows])
    model.fit(values, [row["label"] for row in rows])
    booster = model.get_booster()
    booster.feature_names = [feature]
    version = workspace.lake.version(INSTITUTION_TRAINING_ROW)
    with store.run(settings.experiment, f"{feature} {day}") as run_id:
        store.log_facts(run_id, {**given, "feature_count": 1, "train_as_of": day}, {})
        tags = version_tags(
            train_as_of=day,
            fingerprint=f"{feature} {day} {given}",
            care_setting="all",
            code_version="abc",
            features=[feature],
            files_sha256=log_model(store, run_id, booster, [feature]),
            inputs={INSTITUTION_TRAINING_ROW.name: version},
        )
        made = store.register(NAME, run_id, tags)
    store.place(made, settings.alias, settings.challenger_alias)
    return made


MEMBER_NAME = "drugtrail-member"


def member_feature_rows(count: int = 40) -> list[dict[str, Any]]:
    """Accounts m00, m01, ...; the fund paid more beyond own use for the later ones."""
    return [
        {"member_id": f"m{at:02d}", "peer_group": "all", "excess_fund_sum_365d": 10.0 * at}
        for at in range(count)
    ]


def indicator_rows(count: int = 20) -> list[dict[str, Any]]:
    """One indicator of each of the first accounts; the earlier, the more points."""
    return [
        {
            "subject_type": "member",
            "subject_id": f"m{at:02d}",
            "typology": "over_supply",
            "family": "supply",
            "reason_code": "OVER_SUPPLY",
            "feature": "supply_ratio_max_365d",
            "value": 2.0,
            "threshold": 1.2,
            "window_days": 365,
            "points": 4.0 - at / 10,
            "settlement_ids": [],
        }
        for at in range(count)
    ]


def write_members(workspace, day: date, count: int = 40, flagged: int = 20) -> None:
    """A day's features and indicators, without links."""
    write_rows(workspace, MEMBER_FEATURE, member_feature_rows(count), day)
    write_rows(workspace, INDICATOR, indicator_rows(flagged), day)


def member_booster(features=MEMBER_MODEL_INPUT_NAMES, count: int = 400, seed: int = 1):
    """Trees to which the money beyond own use tells nearly everything, and points a little."""
    draws = np.random.default_rng(seed)
    values = {name: draws.uniform(0, 4, count) for name in features}
    values["excess_fund_amount"] = draws.uniform(0, 400, count)
    odds = (values["excess_fund_amount"] - 250) / 40 + values.get("points_supply", 0.0)
    labels = (draws.uniform(size=count) < 1 / (1 + np.exp(-odds))).astype(int)
    model = XGBClassifier(random_state=1, n_jobs=1, **TREES)
    model.fit(np.column_stack([values[name] for name in features]), labels)
    booster = model.get_booster()
    booster.feature_names = list(features)
    return booster


def training_rows(count: int = 120) -> list[dict[str, Any]]:
    """Accounts of whom a third is confirmed, tenfold more unlabelled ones; money tells, the prior does not."""
    draws = np.random.default_rng(2)
    rows: list[dict[str, Any]] = []
    for at in range(count):
        label = {0: 1, 1: 0}.get(at % 3)
        rows.append(
            {name: float(draws.normal()) for name in MEMBER_MODEL_INPUT_NAMES}
            | {
                "member_id": f"m{at:03d}",
                "feature_date": date(2025, 4, 1),
                "label": label,
                "trigger": "tip" if label else None,
                "propensity": 1.0 if label is not None else 0.1,
                "component": f"m{at:03d}",
                "excess_fund_amount": float(draws.normal()) + 3.0 * (label or 0),
            }
        )
    return rows


def _training_version(workspace) -> dict[str, int]:
    """The version of the training rows, if a test has written any."""
    lake = workspace.lake
    if not lake.exists(MEMBER_TRAINING_ROW):
        return {}
    return {MEMBER_TRAINING_ROW.name: lake.version(MEMBER_TRAINING_ROW)}


def register_members(workspace, day: date, weight: float = 0.5, **changes: Any) -> Version:
    """Register a model of accounts as training does; `changes` replace tags."""
    store, settings = store_of(workspace), workspace.config.train
    features = changes.pop("features", MEMBER_MODEL_INPUT_NAMES)
    with store.run(settings.experiment, f"members {day}") as run_id:
        store.log_facts(run_id, {**TREES, "train_as_of": day}, {})
        tags = version_tags(
            train_as_of=day,
            fingerprint=f"{day} {weight}",
            care_setting="",
            code_version="abc",
            features=features,
            files_sha256=log_model(store, run_id, member_booster(features), features),
            inputs=_training_version(workspace),
            blend_weight=weight,
            catalogue_digest=catalogue_digest(),
        )
        made = store.register(MEMBER_NAME, run_id, tags | changes)
    store.place(made, settings.alias, settings.challenger_alias)
    return made
