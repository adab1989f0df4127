"""What the names of a Delta log's files say; no Spark."""

import pytest

from jobs.lake.log_files import BrokenLog, newest_version


def commit(*versions):
    return [f"{version:020d}.json" for version in versions]


def test_the_newest_version_is_the_last_commit():
    assert newest_version([*commit(0, 1, 2), "_last_checkpoint", "00000000000000000002.crc"]) == 2


def test_without_commits_there_is_no_version():
    assert newest_version([]) is None
    assert newest_version(["_last_checkpoint", ".00000000000000000000.json.tmp"]) is None


@pytest.mark.parametrize(
    "name",
    [
        "00000000000000000004.checkpoint.parquet",
        "00000000000000000004.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
        "00000000000000000004.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet",
        "00000000000000000004.checkpoint.0000000001.0000000001.parquet",
    ],
)
def test_commits_before_a_checkpoint_may_be_gone(name):
    assert newest_version([*commit(4, 5, 6), name]) == 6
    assert newest_version([*commit(1, 3, 4, 5), name]) == 5
    assert newest_version([name]) == 4


def test_a_checkpoint_that_lacks_a_part_holds_nothing():
    part = "00000000000000000004.checkpoint.0000000001.0000000002.parquet"
    with pytest.raises(BrokenLog, match="its first commit and 3 more are missing"):
        newest_version([*commit(4, 5), part])
    other = part.replace("0000000001.0000000002", "0000000002.0000000002")
    assert newest_version([*commit(4, 5), part, other]) == 5


@pytest.mark.parametrize(
    ("there", "fault"),
    [
        ((1, 2), "its first commit is missing in _delta_log (00000000000000000000.json)"),
        ((0, 2), "commit 1 of 2 is missing in _delta_log (00000000000000000001.json)"),
        ((0, 4), "commit 1 of 4 and 2 more are missing in _delta_log (00000000000000000001.json)"),
    ],
)
def test_a_gap_is_named(there, fault):
    with pytest.raises(BrokenLog) as raised:
        newest_version(commit(*there))
    assert str(raised.value) == fault


def test_a_gap_after_a_checkpoint_is_named():
    with pytest.raises(BrokenLog, match="commit 5 of 6 is missing"):
        newest_version([*commit(4, 6), "00000000000000000004.checkpoint.parquet"])


def test_a_compacted_log_is_no_commit():
    assert newest_version([*commit(0, 1), f"{0:020d}.{9:020d}.compacted.json"]) == 1
