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
        (log / "_last_checkpoint").write_text(json.dumps({"version": checkpoint, "size": 3}))
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
