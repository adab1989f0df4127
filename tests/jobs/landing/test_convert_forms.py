"""Sources as real systems write them: encodings, quotes, typed columns, values that cannot be worked with."""

import json
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.sources import PLACES, Source

from expectations.contract.errors import ConfigError
from expectations.landing.reference import INSTITUTION, PERSON
from expectations.landing.written_names import OF_SPREADSHEET, SIGNS
from jobs.convert_source import keyed_hash
from jobs.ingest_batch import JOB as INGEST


@pytest.fixture
def source(new_workspace, tmp_path):
    return Source(new_workspace, tmp_path)


@pytest.mark.parametrize("encoding", ["GB18030", "GBK", "Big5", "UTF-16LE", "UTF-8"])
def test_an_encoding_is_a_reader_option(source, encoding):
    text = (
        'code,name\nh1,"醫院,一"\nh2,醫院二\n'
        if encoding == "Big5"
        else 'code,name\nh1,"医院,一"\nh2,医院二\n'
    )
    source.file("places.csv", text.encode(encoding))
    source.map(
        {"places": {"files": "*.csv", "options": {"encoding": encoding}}}, {"institution": PLACES}
    )
    assert source.convert().exit_code == 0
    names = [row["fixmedins_name"] for row in source.landed("institution")]
    assert ",".join(names) == ("醫院,一,醫院二" if encoding == "Big5" else "医院,一,医院二")


def test_an_encoding_that_is_not_known_is_named_with_its_view(source):
    source.file("places.csv", b"code,name\nh1,a\n")
    source.map(
        {"places": {"files": "*.csv", "options": {"encoding": "GB99"}}}, {"institution": PLACES}
    )
    result = source.convert()
    assert result.exit_code == 2
    assert "views.places does not fit the files: the encoding" in result.message


def test_csv_needs_no_options(source):
    content = (
        '\ufeffcode,name,note\r\nh1,"a ""b"" c",plain\r\nh2,"ends with \\",x\r\nh3,"one\ntwo",\r\n'
    )
    source.file("places 1.csv", content.encode())
    source.map({"places": {"files": "*.csv"}}, {"institution": PLACES})
    assert source.convert().exit_code == 0
    rows = {row["fixmedins_code"]: row["fixmedins_name"] for row in source.landed("institution")}
    assert rows == {"h1": 'a "b" c', "h2": "ends with \\", "h3": "one\ntwo"}


def test_a_file_whose_name_spark_takes_for_a_pattern_is_refused(source):
    source.file("places [1].csv", b"code,name\nh1,a\n")
    source.map({"places": {"files": "*.csv"}}, {"institution": PLACES})
    with pytest.raises(ConfigError, match="for a pattern: give it a plainer name"):
        source.convert()


def test_markers_of_null_hold_for_typed_columns_too(source):
    people = {"person_id": pa.array([1, 2, -1]), "seen": pa.array([datetime(2024, 1, 1)] * 3)}
    pq.write_table(pa.table(people), source.folder / "files" / "person.parquet")
    source.map(
        {"person": {"files": "person.parquet", "format": "parquet"}},
        {
            "person": "SELECT person_id AS psn_no, timestamp'2024-01-02 03:04:05' AS arrive_time,"
            " '2025-01-31' AS batch FROM person WHERE person_id IS NOT NULL AND seen IS NOT NULL"
        },
        null_markers=["", "-1"],
    )
    assert source.convert().exit_code == 0
    # A time without a zone: what lies in the landing folder is the wall clock's.
    assert source.landed("person") == [
        {"psn_no": number, "arrive_time": datetime(2024, 1, 2, 3, 4, 5)} for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("select", "told"),
    [
        (
            "decimal(name)",
            "tables.institution.visit_cap: a value of the source can't be worked with in",
        ),
        ("to_date(name)", "tables.institution.contract_from: a value of the source"),
    ],
)
def test_a_value_that_cannot_be_worked_with_is_never_shown(source, capfd, select, told):
    source.file("places.csv", b'code,name\nh1,"1,234.50"\nh2,2\n')
    column = "visit_cap" if "decimal" in select else "contract_from"
    table = PLACES.replace("name AS fixmedins_name", f"{select} AS {column}")
    source.map({"places": {"files": "*.csv"}}, {"institution": table})
    result = source.convert()
    assert result.exit_code == 3
    assert told in result.message
    shown = capfd.readouterr()
    log = (source.workspace.folder / "log.jsonl").read_text()
    for text in (result.message, shown.out, shown.err, log):
        assert "1,234.50" not in text


def test_a_batch_that_the_source_no_longer_gives_is_taken_back(source):
    people = "SELECT code AS psn_no, '2025-01-01 00:00:00' AS arrive_time, day AS batch FROM people"
    views = {"people": {"files": "people.csv"}}
    source.file("people.csv", b"code,day\nm1,2025-01-31\nm2,2025-02-28\n")
    source.map(views, {"person": people})
    assert source.convert().exit_code == 0
    assert source.workspace.run(INGEST).exit_code == 0
    source.workspace.landing.csv(
        "person", "2025-03-31", [{"psn_no": "m3", "arrive_time": "2025-01-01 00:00:00"}]
    )
    source.file("people.csv", b"code,day\nm1,2025-01-31\n")
    result = source.convert()
    assert "1 emptied" in result.message
    log = (source.workspace.folder / "log.jsonl").read_text()
    warned = [
        each
        for each in map(json.loads, log.splitlines())
        if (each["job"], each["level"]) == ("convert_source", "warning")
    ]
    assert {each["batch"] for each in warned} == {
        "person/batch=2025-02-28",
        "person/batch=2025-03-31",
    }
    assert "0 batches written" in source.convert().message
    assert source.workspace.run(INGEST).exit_code == 0
    bronze = source.workspace.lake.read(PERSON.bronze)
    assert sorted(row["psn_no"] for row in bronze.collect()) == ["m1", "m3"]
    # Given again as it was at first, it comes back.
    source.file("people.csv", b"code,day\nm1,2025-01-31\nm2,2025-02-28\n")
    assert "1 batches written" in source.convert().message
    assert "0 batches written" in source.convert().message
    assert source.workspace.run(INGEST).exit_code == 0
    bronze = source.workspace.lake.read(PERSON.bronze)
    assert sorted(row["psn_no"] for row in bronze.collect()) == ["m1", "m2", "m3"]


def test_a_spoilt_name_is_not_hashed_but_waits_with_its_reason(source, monkeypatch):
    """All card numbers that a spreadsheet shortened were one person."""
    monkeypatch.setenv("DRUGTRAIL_HASH_KEY", "k" * 16)
    names = (
        "4.40301E+17",
        "'10001",
        "##########",
        "10\u200b001",
        "10001.0",
        '"10001',
        "10001",
        "\u200b10001 ",
    )
    rows = [{"name": name} for name in names]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    source.file("people.json", content.encode())
    source.map(
        {"people": {"files": "*.json", "format": "json"}},
        {
            "person": "SELECT name AS psn_no, '2025-01-01 00:00:00' AS arrive_time, '2025-01-31' AS batch FROM people"
        },
        hash={"columns": ["psn_no"], "key_variable": "DRUGTRAIL_HASH_KEY"},
    )
    assert source.convert().exit_code == 0
    [hashed] = keyed_hash(pd.Series(["10001"]), b"k" * 16)
    landed = [row["psn_no"] for row in source.landed("person")]
    assert sorted(landed) == sorted([*SIGNS.values(), SIGNS[OF_SPREADSHEET], hashed, hashed])


def test_a_month_in_place_of_a_batch_is_refused_and_delivers_nothing(source):
    source.file("places.csv", b"code,name,month\nh1,one,202401\n")
    select = PLACES.replace("DATE'2025-01-31'", "month")
    source.map({"places": {"files": "*.csv"}}, {"institution": select})
    result = source.convert()
    assert result.exit_code == 3
    assert (
        "tables.institution: batch is +202401-01-01 in some rows, which is no day" in result.message
    )
    assert not (source.workspace.landing.root / INSTITUTION.name).exists()


def test_a_table_without_rows_is_no_fault(source):
    source.file("places.csv", b"code,name\n")
    source.map({"places": {"files": "*.csv"}}, {"institution": PLACES})
    assert source.convert().message == "1 tables, 0 batches written, 0 unchanged"
    assert not (source.workspace.landing.root / INSTITUTION.name).exists()


def test_texts_are_made_alike_before_they_are_hashed_and_nothing_has_no_hash():
    hashed = keyed_hash(
        pd.Series(["110101", " \uff11\uff110101 ", "", " ", "\u3000", None]), b"k" * 16
    )
    assert hashed[0] == hashed[1]
    assert hashed[2:].isna().all()
