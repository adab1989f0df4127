"""The model of accounts by the real job: what is logged, what is registered, and under which alias."""

import json
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from support.case_rows import training_rows
from support.frames import frame_of

from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES, catalogue_digest
from expectations.gold.member_model import MEMBER_TRAINING_ROW
from jobs import train_model
from models.case_contenders import CONTENDERS
from models.case_log import CARD, EXAMPLE
from models.member_model import BLEND_WEIGHTS, MODEL_NAME
from models.model_files import load_verified
from models.tracking import Store

AS_OF = "2025-12-01"


def write_rows(workspace, spark, frame):
    """Rows of gold.member_training_row of the day."""
    day = {"as_of_date": date.fromisoformat(AS_OF)}
    rows = [
        day | {name: _plain(name, value) for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
    written = frame_of(spark, MEMBER_TRAINING_ROW, *rows)
    workspace.lake.replace(written, MEMBER_TRAINING_ROW, day)


def _plain(name, value):
    if value is None or (not isinstance(value, date) and pd.isna(value)):
        return None
    if name == "label":
        return int(value)
    return Decimal(f"{value:.2f}") if name == "loss_amount" else value


@pytest.fixture(scope="module")
def workspace(new_workspace, spark):
    made = new_workspace(
        "train.search_budget=1",
        "train.folds=2",
        "train.min_positives=20",
        "train.embargo_days=100",
        "detect.capacity=20",
    )
    write_rows(made, spark, training_rows())
    return made


@pytest.fixture(scope="module")
def first(workspace):
    result = workspace.run(train_model.JOB, AS_OF, subject="member")
    assert result.exit_code == 0, result.message
    return result


@pytest.fixture(scope="module")
def store(workspace):
    return Store(workspace.config.mlflow.tracking_uri, workspace.config.mlflow.artifact_root)


def test_the_first_model_is_registered_as_champion_with_what_it_takes_to_use_it(store, first):
    version = store.aliased(MODEL_NAME, "champion")

    assert first.message.startswith(f"version 1 of {MODEL_NAME} registered, now champion; average")
    assert (version.version, version.train_as_of) == ("1", date.fromisoformat(AS_OF))
    assert version.features == MEMBER_MODEL_INPUT_NAMES
    assert version.catalogue_digest == catalogue_digest()
    assert version.blend_weight in BLEND_WEIGHTS
    assert load_verified(store, version).features == MEMBER_MODEL_INPUT_NAMES


def test_each_contender_has_a_run_of_its_own_with_the_same_metrics(store, first):
    version = store.aliased(MODEL_NAME, "champion")
    parent = store.client.get_run(version.run_id)
    runs = store.client.search_runs(
        [parent.info.experiment_id], f"tags.mlflow.parentRunId = '{version.run_id}'"
    )

    assert {run.data.params["contender"] for run in runs} == {each.name for each in CONTENDERS}
    assert len(runs) >= 6
    for run in runs:
        names = run.data.metrics.keys()
        assert {"average_precision", "average_precision_low", "recall_at_capacity"} <= names
        assert {f"{each}/average_precision" for each in ("random", "group", "time_group")} <= names
        assert any(name.startswith("by_trigger/tip/") for name in names)
    assert parent.data.params["main_evaluation"] == "time_group"
    [entry] = parent.inputs.dataset_inputs
    assert entry.dataset.name == "gold.member_training_row"
    assert json.loads(entry.dataset.source)["delta_versions"] == {"gold.member_training_row": 1}


def test_nothing_that_is_logged_names_an_account(store, first, tmp_path):
    version = store.aliased(MODEL_NAME, "champion")

    folder = store.client.download_artifacts(version.run_id, "", str(tmp_path))
    assert folder
    texts = [
        path.read_text(encoding="utf-8", errors="ignore")
        for path in tmp_path.rglob("*")
        if path.is_file()
    ]

    assert len(texts) >= 12
    names = training_rows()["member_id"]
    assert not [text[:80] for text in texts if any(name in text for name in names)]
    example = json.loads((tmp_path / EXAMPLE).read_text())
    assert example["columns"] == list(MEMBER_MODEL_INPUT_NAMES)
    assert len(example["data"][0]) == len(MEMBER_MODEL_INPUT_NAMES)
    card = (tmp_path / CARD).read_text()
    for part in ("Intended use", "Where the labels come from", "Left out", "Limits", "Assumptions"):
        assert f"## {part}\n" in card


def test_the_same_rows_keep_the_model_and_other_rows_make_a_challenger(
    workspace, store, spark, first
):
    again = workspace.run(train_model.JOB, AS_OF, subject="member")
    assert again.message == (f"unchanged: version 1 of {MODEL_NAME} kept, trained on the same rows")

    write_rows(workspace, spark, training_rows(seed=2))
    later = workspace.run(train_model.JOB, AS_OF, subject="member")

    assert later.message.startswith(
        f"version 2 of {MODEL_NAME} registered, now challenger; average"
    )
    assert store.aliased(MODEL_NAME, "champion").version == "1"
    assert store.aliased(MODEL_NAME, "challenger").version == "2"


def test_with_too_few_confirmed_accounts_there_is_no_model(workspace, spark, store, first):
    count = len(store.versions(MODEL_NAME))
    few = training_rows()
    write_rows(workspace, spark, few[few["label"] != 1])

    result = workspace.run(train_model.JOB, AS_OF, subject="member")

    assert (result.exit_code, result.outcome) == (0, "skipped")
    assert result.message == (
        "0 confirmed members with features before 2025-12-01, train.min_positives is 20: no model"
        " was registered"
    )
    assert len(store.versions(MODEL_NAME)) == count
