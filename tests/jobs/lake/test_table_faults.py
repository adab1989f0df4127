"""What a job says of a table that Delta can't read or write: the table, the fault and what to do."""

import json
import shutil

import pytest

from expectations.contract.errors import DataRefused, JobError
from expectations.contract.table import Field, TableContract
from jobs.lake.tables import Lake

NOTE = TableContract(
    name="gold.note",
    grain="one row per note",
    fields=(Field("id", "long", "The note", nullable=False),),
    primary_key=("id",),
    written_by="write_notes",
)


@pytest.fixture(scope="module")
def written(spark, tmp_path_factory):
    """A lake with a table of three commits."""
    root = tmp_path_factory.mktemp("lake")
    lake = Lake(spark, str(root))
    for _ in range(2):
        lake.append(spark.range(5).coalesce(1), NOTE)
    return root


@pytest.fixture
def root(spark, written, tmp_path):
    """A copy of the lake, to be broken."""
    return shutil.copytree(written, tmp_path / "lake")


def log_file(root, name):
    log = root / "gold" / "note" / "_delta_log"
    # Hadoop's checksums of local files would show first what is meant to be found out, and Delta's of versions
    # would hide it.
    for path in log.glob("*.crc"):
        path.unlink()
    return log / name


def commit(root, version):
    return log_file(root, f"{version:020d}.json")


def set_protocol(root, protocol):
    path = commit(root, 0)
    actions = [json.loads(line) for line in path.read_text().splitlines()]
    changed = [{"protocol": protocol} if "protocol" in each else each for each in actions]
    path.write_text("".join(json.dumps(each) + "\n" for each in changed))


@pytest.mark.parametrize("content", [b"", b'{"version":900,"size":3}'])
def test_a_damaged_last_checkpoint_is_read_over_as_delta_does(spark, root, content):
    log_file(root, "_last_checkpoint").write_bytes(content)
    assert Lake(spark, str(root)).read(NOTE).count() == 10
    assert Lake(spark, str(root)).append(spark.range(1).coalesce(1), NOTE) == 1


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        (0, "its first commit is missing in _delta_log (00000000000000000000.json)"),
        (1, "commit 1 of 2 is missing in _delta_log (00000000000000000001.json)"),
    ],
)
def test_a_missing_commit_is_named_by_readers_and_writers(spark, root, version, fault):
    commit(root, version).unlink()
    said = (
        f"gold.note in {root}/gold/note cannot be read: {fault}. Restore the lost files from a copy of the lake,"
        " or move the folder away and run write_notes again"
    )
    for use in (
        lambda lake: lake.read(NOTE),
        lambda lake: lake.append(spark.range(1), NOTE),
        lambda lake: lake.replace(spark.range(1), NOTE),
    ):
        with pytest.raises(JobError) as raised:
            use(Lake(spark, str(root)))
        assert (str(raised.value), raised.value.exit_code) == (said, 1)


@pytest.mark.parametrize(
    ("content", "fault"), [(b"", "commit 2 is empty"), (b'{"add":', "commit 2 is damaged")]
)
def test_a_damaged_commit_is_named(spark, root, content, fault):
    commit(root, 2).write_bytes(content)
    with pytest.raises(JobError, match=rf"gold\.note .*: {fault} \(_delta_log/0+2\.json\)"):
        Lake(spark, str(root)).read(NOTE)


@pytest.mark.parametrize(
    "protocol",
    [
        {"minReaderVersion": 9, "minWriterVersion": 9},
        {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": ["unheardOf"],
            "writerFeatures": ["unheardOf"],
        },
    ],
)
def test_a_table_of_a_newer_delta_is_neither_read_nor_written(spark, root, protocol):
    set_protocol(root, protocol)
    newer = r"gold\.note in .* was written by a newer Delta: .*(9|unheardOf).* Use the version of drugtrail that"
    with pytest.raises(JobError, match=newer):
        Lake(spark, str(root)).read(NOTE)
    with pytest.raises(JobError, match=newer):
        Lake(spark, str(root)).append(spark.range(1), NOTE)


def test_a_table_that_only_a_newer_delta_may_write_is_read(spark, root):
    set_protocol(
        root,
        {
            "minReaderVersion": 1,
            "minWriterVersion": 7,
            "writerFeatures": ["invariants", "appendOnly", "unheardOf"],
        },
    )
    assert Lake(spark, str(root)).read(NOTE).count() == 10
    with pytest.raises(JobError, match=r"was written by a newer Delta: .*unheardOf"):
        Lake(spark, str(root)).append(spark.range(1), NOTE)


def test_a_folder_that_is_no_table_is_named(spark, root):
    shutil.rmtree(root / "gold" / "note" / "_delta_log")
    for use in (lambda lake: lake.read(NOTE), lambda lake: lake.append(spark.range(1), NOTE)):
        with pytest.raises(JobError, match="holds 2 files or folders but no Delta log"):
            use(Lake(spark, str(root)))


def test_a_file_where_a_table_would_be_is_named(spark, tmp_path):
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "note").write_text("x")
    with pytest.raises(JobError, match=r"gold\.note in .* cannot be read: it is a file"):
        Lake(spark, str(tmp_path)).append(spark.range(1), NOTE)


def test_an_empty_log_of_a_killed_first_run_is_no_table_yet(spark, tmp_path):
    (tmp_path / "gold" / "note" / "_delta_log").mkdir(parents=True)
    with pytest.raises(DataRefused, match="run write_notes first"):
        Lake(spark, str(tmp_path)).read(NOTE)
    assert Lake(spark, str(tmp_path)).append(spark.range(3).coalesce(1), NOTE) == 3


def test_a_table_of_another_version_of_the_project_names_migrate_tables(spark, root):
    wider = TableContract(
        name=NOTE.name,
        grain=NOTE.grain,
        fields=(*NOTE.fields, Field("text", "string", "What it says")),
        primary_key=NOTE.primary_key,
    )
    with pytest.raises(JobError, match=r"gold\.note .*column text is missing\. Run migrate_tables"):
        Lake(spark, str(root)).read(wider)
