"""A Delta table's newest version and rows are read from its log, checkpoint or none."""

import json

import pytest

from jobs.lake.delta_log import DeltaLogReader


def commit(folder, version, *actions):
    log = folder / "_delta_log"
    log.mkdir(exist_ok=True)
    lines = [json.dumps(action) for action in actions]
    (log / f"{version:020d}.json").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("checkpoint", [None, 1, 10])
def test_the_newest_commit_is_found_from_the_start_or_from_a_checkpoint(
    spark, tmp_path, checkpoint
):
    for version in range(12):
        commit(tmp_path, version, {"commitInfo": {}})
    log = tmp_path / "_delta_log"
    if checkpoint is not None:
        (log / f"{checkpoint:020d}.checkpoint.parquet").touch()
        for version in range(checkpoint):
            # Old commits are cleaned away once a checkpoint holds what they said.
            (log / f"{version:020d}.json").unlink()
    assert DeltaLogReader(spark, str(tmp_path)).newest_version() == 11


def test_a_folder_without_a_log_is_no_table(spark, tmp_path):
    assert DeltaLogReader(spark, str(tmp_path)).newest_version() is None
    assert DeltaLogReader(spark, str(tmp_path / "nowhere")).newest_version() is None


def test_rows_are_those_that_the_commit_tells(spark, tmp_path):
    told = {"operation": "WRITE", "operationMetrics": {"numFiles": "1", "numOutputRows": "42"}}
    commit(tmp_path, 0, {"protocol": {"minReaderVersion": 1}}, {"commitInfo": told})
    commit(tmp_path, 1, {"commitInfo": {"operation": "CREATE TABLE", "operationMetrics": {}}})
    reader = DeltaLogReader(spark, str(tmp_path))
    assert (reader.rows_written(0), reader.rows_written(1)) == (42, 0)


def test_a_commit_that_delta_has_cleaned_away_counts_as_one_that_replaced_the_table(
    spark, tmp_path
):
    plain = {"operation": "WRITE", "operationParameters": {"mode": "Append"}}
    for version in range(3):
        commit(tmp_path, version, {"commitInfo": plain})
    reader = DeltaLogReader(spark, str(tmp_path))
    assert not reader.was_overwritten(1)
    (tmp_path / "_delta_log" / f"{1:020d}.json").unlink()
    assert reader.was_overwritten(1)


def test_many_names_are_listed_whole(spark, tmp_path):
    folder = tmp_path / "a, b [c] %20"
    folder.mkdir()
    for version in range(300):
        commit(folder, version, {"commitInfo": {}})
    assert DeltaLogReader(spark, str(folder)).newest_version() == 299
