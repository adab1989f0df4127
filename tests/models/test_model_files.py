"""A registered model is data: only what the project wrote is read, and nothing in it is run."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.estimators import native_trees
from models.model_files import (
    BOOSTER,
    DESCRIPTION,
    KEY_VARIABLE,
    ModelRefused,
    folder_sha256,
    load_verified,
    log_model,
    read_model,
    save_model,
    signature,
)
from models.scoring import scored_rows
from models.tracking import SIGNATURE_TAG, Store, version_tags

FEATURES = ("days", "amount", "share")


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(rng.lognormal(size=(200, 3)), columns=list(FEATURES))
    rows = rows.mask(rng.random(rows.shape) < 0.1)
    label = (rows["days"].fillna(0) > 1).astype(int)
    return rows, native_trees(seed=1).set_params(n_estimators=12).fit(rows, label)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    return Store(f"sqlite:///{folder}/mlflow.db", f"{folder}/artifacts")


@pytest.fixture
def registered(store, trained):
    """A version registered as train_model does, and the folder where its files lie."""
    with store.run("test", "a model") as run_id:
        digest = log_model(store, run_id, trained[1].get_booster(), FEATURES)
        version = store.register("trees", run_id, tags_of(digest))
    uri = store.client.get_run(run_id).info.artifact_uri
    return version, Path(uri.removeprefix("file://")) / "model"


def tags_of(digest, key_name="trees"):
    tags = version_tags(
        train_as_of=date(2024, 1, 1),
        fingerprint="f",
        care_setting="all",
        code_version="c",
        features=FEATURES,
        files_sha256=digest,
        inputs={},
    )
    signed = signature(tags, key_name)
    return tags | ({SIGNATURE_TAG: signed} if signed else {})


def rewritten(version, folder):
    """What somebody makes of the registry who can write it as well as the files."""
    return replace(version, files_sha256=folder_sha256(folder))


def test_a_model_comes_back_as_it_was_and_scores_the_same_on_spark(
    spark, store, trained, registered
):
    rows, native = trained
    model = load_verified(store, registered[0])

    scored = scored_rows(spark.createDataFrame(rows.assign(id=range(len(rows)))), model)

    found = scored.toPandas().sort_values("id")
    assert model.features == FEATURES
    np.testing.assert_allclose(found["score"], native.predict_proba(rows)[:, 1], atol=1e-7)
    # Contributions and the base value add up to the log-odds.
    log_odds = np.array(found["contributions"].tolist()).sum(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), found["score"], atol=1e-6)


@pytest.mark.parametrize("planted", ["code", "sparkml", "model.pkl", "callbacks.json", "MLmodel2"])
def test_a_file_that_the_project_does_not_write_is_refused(store, registered, planted):
    version, folder = registered
    if "." in planted or planted == "MLmodel2":
        (folder / planted).write_text("{}")
    else:
        (folder / planted).mkdir()
        (folder / planted / "evil.py").write_text("raise SystemExit")

    with pytest.raises(ModelRefused, match=f"{planted}.* which this project does not write"):
        load_verified(store, rewritten(version, folder))


def test_a_changed_file_and_a_removed_one_are_refused(store, registered):
    version, folder = registered
    content = (folder / BOOSTER).read_text()
    (folder / BOOSTER).write_text(content.replace("1", "2", 1))
    with pytest.raises(ModelRefused, match="SHA-256"):
        load_verified(store, version)
    (folder / BOOSTER).unlink()
    with pytest.raises(ModelRefused, match=r"has no model\.json"):
        load_verified(store, rewritten(version, folder))


def test_mlmodel_is_never_obeyed(store, registered):
    version, folder = registered
    (folder / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: os\n    code: /tmp\n"
        "    model_data: /etc\n  xgboost: {data: ../elsewhere, model_class: os.system}\n"
    )

    model = load_verified(store, rewritten(version, folder))

    assert model.features == FEATURES


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (BOOSTER, "[" * 100_000, "model.json is not readable JSON: RecursionError"),
        (BOOSTER, "{}", "do not have the form"),
        (BOOSTER, "[1]", "do not have the form"),
        (DESCRIPTION, "\x80", "drugtrail.json is not readable JSON"),
        (DESCRIPTION, '{"format": 2, "objective": "binary:logistic", "features": []}', "format|2"),
        (
            DESCRIPTION,
            '{"format": 1, "objective": "binary:logistic", "features": ["amount", "days", "share"]}',
            "name other features",
        ),
    ],
)
def test_files_that_are_no_trees_over_these_features_are_refused(
    tmp_path, trained, file, content, told
):
    save_model(tmp_path / "model", trained[1].get_booster(), FEATURES)
    (tmp_path / "model" / file).write_text(content, encoding="latin-1")

    with pytest.raises(ModelRefused, match=told):
        read_model(tmp_path / "model")


def test_trees_for_something_else_than_two_classes_are_refused(tmp_path, trained):
    save_model(tmp_path / "model", trained[1].get_booster(), FEATURES)
    content = json.loads((tmp_path / "model" / BOOSTER).read_text())
    content["learner"]["objective"]["name"] = "reg:squarederror"
    (tmp_path / "model" / BOOSTER).write_text(json.dumps(content))

    with pytest.raises(ModelRefused, match="not boosted trees of two classes"):
        read_model(tmp_path / "model")


def test_with_a_key_only_what_it_signed_is_read(store, trained, registered, monkeypatch):
    unsigned, _ = registered
    monkeypatch.setenv(KEY_VARIABLE, "a key")
    with pytest.raises(ModelRefused, match="not signed"):
        load_verified(store, unsigned)

    with store.run("test", "a signed model") as run_id:
        digest = log_model(store, run_id, trained[1].get_booster(), FEATURES)
        signed = store.register("trees", run_id, tags_of(digest))
    assert load_verified(store, signed).features == FEATURES

    folder = Path(store.client.get_run(run_id).info.artifact_uri.removeprefix("file://")) / "model"
    (folder / "requirements.txt").write_text("evil\n")
    # Whoever writes the registry too can fit the hash, but not the signature.
    store.client.set_model_version_tag(
        "trees", signed.version, "files_sha256", folder_sha256(folder)
    )
    changed = store.versions("trees")[-1]
    assert changed.files_sha256 == folder_sha256(folder)
    with pytest.raises(ModelRefused, match="not signed"):
        load_verified(store, changed)
    monkeypatch.setenv(KEY_VARIABLE, "another key")
    with pytest.raises(ModelRefused, match="not signed"):
        load_verified(store, signed)
