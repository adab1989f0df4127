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


def write(version, **more):
    return {"add": {"path": f"{version}.parquet", "dataChange": True}} | more


def info(operation, **parameters):
    return {"commitInfo": {"operation": operation, "operationParameters": parameters}}


OPTIMIZED = (
    info("OPTIMIZE", predicate="[]"),
    {"remove": {"path": "a", "dataChange": False}},
    {"add": {"path": "b", "dataChange": False}},
)


def table(folder, *commits):
    for version, actions in enumerate(commits):
        commit(folder, version, *actions)


def test_maintenance_leaves_the_data_version_as_it_was(spark, tmp_path):
    table(
        tmp_path,
        (info("CREATE TABLE"), {"metaData": {"id": "t1"}}),
        (info("WRITE"), write(1)),
        OPTIMIZED,
        (info("VACUUM START"),),
        (info("VACUUM END"),),
        (info("SET TBLPROPERTIES"), {"metaData": {"id": "t1"}}),
        # A MERGE that found nothing to do, and one that marked rows as deleted.
        (info("MERGE"),),
        (info("MERGE"), {"remove": {"path": "b", "dataChange": True}}, write(7)),
        # A writer may leave the flag out.
        (info("DELETE"), {"remove": {"path": "b"}}),
    )
    reader = DeltaLogReader(spark, str(tmp_path))
    assert [reader.data_version(version) for version in range(9)] == [0, 1, 1, 1, 1, 1, 1, 7, 8]
    assert reader.table_id() == "t1"
    assert [reader.first_new_version(1, newest) for newest in (1, 6, 8)] == [2, 7, 7]
    # The table has fewer versions than were seen: it was made anew.
    assert reader.first_new_version(12, 8) is None


def test_a_restore_has_the_data_of_the_version_it_went_back_to(spark, tmp_path):
    table(
        tmp_path,
        (info("CREATE TABLE"),),
        (info("WRITE"), write(1)),
        OPTIMIZED,
        (info("RESTORE", version="1"), write(3)),
        (info("WRITE"), write(4)),
        (info("RESTORE", version="2"), write(5)),
        (info("WRITE"), write(6)),
        (info("RESTORE", version=None, timestamp="2026-01-01 00:00:00"), write(7)),
    )
    reader = DeltaLogReader(spark, str(tmp_path))
    assert [reader.data_version(version) for version in range(8)] == [0, 1, 1, 1, 4, 1, 6, 7]
    assert reader.first_new_version(1, 3) == 4
    assert reader.first_new_version(1, 6) == 6
    # What was seen is no more: the feed of a RESTORE is not relied upon.
    assert reader.first_new_version(4, 6) is None
    assert reader.first_new_version(6, 7) is None


def test_where_commits_are_gone_from_the_log_it_says_so(spark, tmp_path):
    table(tmp_path, (info("CREATE TABLE"),), (info("WRITE"), write(1)), OPTIMIZED, OPTIMIZED)
    (tmp_path / "_delta_log" / f"{2:020d}.json").unlink()
    reader = DeltaLogReader(spark, str(tmp_path))
    assert (reader.data_version(3), reader.first_new_version(1, 3)) == (None, None)


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
