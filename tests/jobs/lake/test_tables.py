"""The lake: roots with odd letters, values with quotes, days and optional tables."""

from datetime import date, datetime

import pytest

from expectations.contract.errors import ConfigError, DataRefused
from expectations.contract.table import ContractError, Field, TableContract
from jobs.lake.conditions import condition
from jobs.lake.frames import to_polars
from jobs.lake.roots import lake_root
from jobs.lake.tables import Lake

NOTE = TableContract(
    name="gold.note",
    grain="one row per note",
    fields=(
        Field("author", "string", "Who wrote it", nullable=False),
        Field("as_of_date", "date", "When", nullable=False),
        Field("text", "string", "What it says"),
    ),
    primary_key=("author", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="write_notes",
)
VERSION = TableContract(
    name="gold.version",
    grain="one row per version",
    fields=(
        Field("id", "string", "Its row", nullable=False),
        Field("valid_from", "timestamp", "From", nullable=False),
        Field("valid_to", "timestamp", "Until"),
    ),
    primary_key=("id", "valid_from"),
    written_by="write_versions",
)
DAY = date(2024, 1, 1)
#: What a quote, a backslash or a comment would do to SQL that is put together without care.
ODD_TEXTS = ["o'neill \\' OR 1=1 -- \"x\" %_[a]", "a\\"]


def notes(spark, *rows):
    return spark.createDataFrame(rows, "author string, as_of_date date, text string").coalesce(1)


def test_a_lake_below_a_folder_with_odd_letters_is_written_and_read(spark, tmp_path):
    name = "a b%20c%#d?e[f]{g}*h'i,j:k\\l 药"
    root = tmp_path / name
    lake = Lake(spark, str(root))
    lake.append(notes(spark, ("x", DAY, "old"), ("y", DAY, "other")), NOTE)
    lake.replace(notes(spark, ("x", DAY, "new")), NOTE, {"as_of_date": DAY, "author": "x"})
    lake.delete(spark.createDataFrame([("y", DAY)], "author string, as_of_date date"), NOTE, _KEY)
    [row] = Lake(spark, str(root)).read(NOTE).collect()
    assert (row["author"], row["text"]) == ("x", "new")
    assert [path.name for path in tmp_path.iterdir()] == [name]


_KEY = ("as_of_date", "author")


@pytest.mark.parametrize(
    ("root", "fault"),
    [
        ("", "lake.root is empty"),
        ("/data/a`b", "lake.root holds '`'"),
        ("/data/a\nb", r"lake.root holds '\\n'"),
        ("s3a://bucket/a`b", "lake.root holds '`'"),
        ("file:///data/my%20lake", "write it as a plain path"),
    ],
)
def test_a_root_below_which_delta_makes_no_table_is_refused(root, fault):
    with pytest.raises(ConfigError, match=fault):
        lake_root(root)


def test_roots_of_object_storage_stay_as_they_are():
    assert lake_root("s3a://bucket/a lake/") == "s3a://bucket/a lake"
    assert lake_root("file:///data/my lake") == "/data/my lake"


def test_values_with_quotes_replace_their_own_rows_alone(spark, tmp_path):
    lake = Lake(spark, str(tmp_path))
    texts = [*ODD_TEXTS, "plain"]
    lake.append(notes(spark, *((text, DAY, "old") for text in texts)), NOTE)
    for text in ODD_TEXTS:
        lake.replace(notes(spark, (text, DAY, "new")), NOTE, {"as_of_date": DAY, "author": text})
    found = {row["author"]: row["text"] for row in lake.read(NOTE).collect()}
    assert found == dict.fromkeys(ODD_TEXTS, "new") | {"plain": "old"}


def test_a_condition_on_no_value_holds_for_nothing():
    assert condition(NOTE, {"author": []}) == "false"
    with pytest.raises(ContractError, match=r"gold\.note has no column colour"):
        condition(NOTE, {"colour": "red"})


def test_a_table_that_nobody_wrote_is_empty_where_it_may_be_missing(spark, tmp_path):
    lake = Lake(spark, str(tmp_path))
    assert lake.read_if_exists(NOTE).collect() == []
    assert lake.read_as_of_if_exists(VERSION, DAY).columns == VERSION.columns
    with pytest.raises(DataRefused, match="run write_versions first"):
        lake.read_as_of(VERSION, DAY)


def test_a_day_is_read_alone_and_an_empty_one_names_the_job(spark, tmp_path):
    lake = Lake(spark, str(tmp_path))
    lake.append(notes(spark, ("x", DAY, "a"), ("x", date(2024, 1, 2), "b")), NOTE)
    assert to_polars(lake.of_day(NOTE, DAY)).rows() == [("x", DAY, "a")]
    assert lake.of_day(NOTE, date(2023, 1, 1)).collect() == []
    with pytest.raises(DataRefused, match="run write_notes --as-of 2023-01-01 first"):
        lake.read_day(NOTE, date(2023, 1, 1))


def test_as_of_a_day_counts_what_had_arrived_before_it_and_nothing_better_had(spark, tmp_path):
    lake = Lake(spark, str(tmp_path))
    first, second = datetime(2023, 12, 31, 23), datetime(2024, 1, 1)
    rows = [("a", first, second), ("a", second, None)]
    frame = spark.createDataFrame(rows, "id string, valid_from timestamp, valid_to timestamp")
    lake.append(frame.coalesce(1), VERSION)
    assert [row["valid_from"] for row in lake.read_as_of(VERSION, DAY).collect()] == [first]
    assert [row["valid_from"] for row in lake.read_as_of(VERSION, None).collect()] == [second]
