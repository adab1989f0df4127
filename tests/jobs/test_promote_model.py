"""A challenger beside the champion, and its promotion, on an MLflow server with PostgreSQL; tiny trees."""

import json
from datetime import date
from pathlib import Path

import pytest
from support.mlflow_server import mlflow_server
from support.pages import Seen
from support.registered import (
    NAME,
    NOISE,
    TELLING,
    register_institutions,
    store_of,
    write_institutions,
)
from support.workspace import ROOT

from expectations.gold.institution import INSTITUTION_TRAINING_ROW
from expectations.ops import JOB_RUN
from jobs import compare_models, promote_model
from jobs.runtime.command_line import exit_code
from models.promotion import decisions

DAY = "2025-06-01"
EARLIER, LATER = date(2025, 5, 1), date(2025, 6, 1)
WHY = {"by": "li.na", "reason": "newer cases"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def server(folder):
    with mlflow_server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def workspace(new_workspace, server):
    """Version 1 looks at noise and is the champion; version 2 at what tells, and waits."""
    made = new_workspace(
        *("train.folds=3", "train.repeats=2", "report.top=5", f"mlflow.tracking_uri={server}")
    )
    write_institutions(made, EARLIER)
    register_institutions(made, NOISE, EARLIER, max_depth=3)
    write_institutions(made, LATER)
    register_institutions(made, TELLING, LATER)
    return made


@pytest.fixture(scope="module")
def compared(workspace):
    result = workspace.run(compare_models.JOB, DAY)
    assert (result.exit_code, result.outcome) == (0, "succeeded")
    stem = Path(workspace.config.report.root) / "models" / "institution_version_2_against_1"
    return json.loads(stem.with_suffix(".json").read_text()), stem.with_suffix(".html").read_text()


def champion(workspace):
    return store_of(workspace).aliased(NAME, "champion").version


def test_the_first_version_is_the_champion_and_a_later_one_waits(workspace):
    store = store_of(workspace)
    assert (champion(workspace), store.aliased(NAME, "challenger").version) == ("1", "2")


def test_a_comparison_says_first_what_differs_and_nothing_else(compared):
    found, page = compared
    assert [
        (each["name"], each["champion"], each["challenger"]) for each in found["parameters"]
    ] == [("max_depth", "3", "2")]
    assert [(each["name"], each["champion"], each["challenger"]) for each in found["data"]] == [
        ("gold.institution_training_row", "1", "2"),
        ("train_as_of", "2025-05-01", "2025-06-01"),
    ]
    assert (found["features_added"], found["features_removed"]) == ([TELLING], [NOISE])
    assert page.index('id="differences"') < page.index('id="figures"') < page.index('id="list"')
    assert "n_estimators" not in page


def test_both_are_judged_on_the_same_rows_and_the_better_one_is_recommended(compared):
    found, page = compared
    headline = found["figures"][0]
    assert found["counts"] == {"rows": 90, "positives": 30, "folds": 3, "repeats": 2}
    assert headline["figure"] == "average_precision"
    # Noise ranks as chance does, a third of the rows being positive.
    assert headline["champion"] < 0.6 < 0.9 < headline["challenger"]
    assert headline["difference"]["corrected_low"] > 0
    assert found["verdict"] == "better"
    assert "Promote version 2" in page


def test_a_comparison_names_who_comes_into_the_first_places_and_who_goes(compared):
    found, page = compared
    changes = found["changes"]
    assert changes["top"] == 5
    assert changes["stayed"] + len(changes["entered"]) == 5
    assert len(changes["entered"]) == len(changes["left"]) > 0
    for each in changes["entered"]:
        assert each["challenger_rank"] <= 5 < each["champion_rank"]
        assert int(each["subject"][1:]) % 3 == 0
        assert each["subject"] in page


def test_the_page_loads_nothing_and_speaks_chinese(workspace, compared):
    _, page = compared
    assert "Content-Security-Policy" in page
    assert not [each for each in Seen(page).references if not each.startswith("#")]
    report = workspace.config.report
    workspace.config = workspace.config.model_copy(
        update={"report": report.model_copy(update={"language": "zh"})}
    )
    try:
        assert workspace.run(compare_models.JOB, DAY, version="1", against="2").exit_code == 0
    finally:
        workspace.config = workspace.config.model_copy(update={"report": report})
    stem = Path(report.root) / "models" / "institution_version_1_against_2"
    chinese = stem.with_suffix(".html").read_text()
    assert "建议保留版本 2" in chinese
    assert "明显更差" in chinese


def test_a_version_that_does_not_exist_is_named_with_those_that_do(workspace):
    result = workspace.run(compare_models.JOB, DAY, version="7")
    assert result.exit_code == 3
    assert f"model {NAME} has no version 7: its versions are 1, 2" in result.message


def test_a_better_version_is_promoted_and_the_worse_one_is_refused_until_overridden(workspace):
    store = store_of(workspace)

    accepted = workspace.run(promote_model.JOB, version="challenger", **WHY)
    assert (accepted.exit_code, accepted.outcome) == (0, "succeeded")
    assert champion(workspace) == "2"
    assert store.aliased(NAME, "challenger") is None
    (noted,) = decisions(store, store.find(NAME, "2"))
    assert (noted.outcome, noted.by, noted.reason, noted.previous, noted.verdict) == (
        *("promoted", "li.na", "newer cases", "1", "better"),
    )
    assert date.fromisoformat(noted.at[:10])

    refused = workspace.run(promote_model.JOB, version="1", **WHY)
    assert (refused.exit_code, refused.outcome) == (3, "refused")
    assert "worse beyond noise; give --override and the reason" in refused.message
    assert champion(workspace) == "2"

    forced = workspace.run(promote_model.JOB, version="1", override=True, **WHY)
    assert forced.exit_code == 0
    assert champion(workspace) == "1"
    first, second = decisions(store, store.find(NAME, "1"))
    assert (first.outcome, first.previous, first.is_override) == ("refused", "2", False)
    assert (second.outcome, second.previous, second.is_override) == ("promoted", "2", True)
    assert first.difference[2] < 0

    runs = workspace.lake.read(JOB_RUN).filter("job = 'promote_model'").orderBy("sequence")
    assert [row["outcome"] for row in runs.collect()] == ["succeeded", "refused", "succeeded"]
    assert all("li.na: newer cases" in row["message"] for row in runs.collect())


def test_what_cannot_be_compared_is_not_promoted(workspace):
    store = store_of(workspace)
    there = champion(workspace)
    store.client.delete_model_version_tag(NAME, "2", f"input.{INSTITUTION_TRAINING_ROW.name}")

    result = workspace.run(promote_model.JOB, version="2", **WHY)

    assert result.exit_code == 3
    assert "version 2 does not name a version of gold.institution_training_row" in result.message
    assert champion(workspace) == there


def test_a_model_whose_files_were_changed_is_not_promoted_whoever_asks(workspace, folder):
    store = store_of(workspace)
    made = register_institutions(workspace, TELLING, LATER, max_depth=1)
    uri = store.client.get_run(made.run_id).info.artifact_uri.removeprefix("mlflow-artifacts:/")
    (folder / "artifacts" / uri / "model" / "model.json").write_text("{}")

    result = workspace.run(promote_model.JOB, version=made.version, override=True, **WHY)

    assert result.exit_code == 3
    assert "its files have the SHA-256" in result.message


@pytest.mark.parametrize("missing", ["--version", "--by", "--reason"])
def test_a_promotion_without_a_name_or_a_reason_ends_with_2_before_spark_starts(missing, capfd):
    given = {"--version": "2", "--by": "li.na", "--reason": "newer cases"} | {missing: " "}
    arguments = [part for pair in given.items() for part in pair]
    assert exit_code(promote_model.JOB, ["--config", f"{ROOT}/conf/local.yaml", *arguments]) == 2
    assert f"{missing} is missing" in capfd.readouterr().err
