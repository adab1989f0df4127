"""Whatever lies in the landing folder, only listed and verified rows get in, and one fault stops no other batch."""

import gzip
import io
import json
import os
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.workspace import base_row

import jobs.ingest_batch
from expectations.landing.reference import PERSON
from expectations.ops import LANDING_BATCH, quarantine
from jobs.ingest_batch import JOB

#: A blank, wildcards, an escape and the end of a URL's path: the roots of landing and lake have them all.
ODD = r"o d*d?[x]{a,b}\%20#é"
LONG_AGO = (date(1, 1, 1) - date(1970, 1, 1)).days


def people(*names, **changes):
    return [base_row("person", psn_no=name, **changes) for name in names]


def write_odd_times(landing):
    """Text rows, each with a time or a byte that no one can mean, and placeholders that are meant."""
    rows = people(*(f"t{n}" for n in range(12)), brdy="1990-01-01", paused_from="", household_id="")
    rows[0]["brdy"] = "0001-01-01"
    rows[1]["brdy"] = "-0044-03-15"
    rows[2]["brdy"] = "9999-12-31"
    rows[3]["arrive_time"] = "1989-12-31 23:59:59"
    rows[4]["arrive_time"] = "9999-12-31 00:00:00"
    rows[5]["household_id"] = "a\0b"
    rows[6]["psn_no"] = "\0t6"
    rows[7]["brdy"] = "1990-01-01\0"
    rows[8]["paused_from"] = "9999-12-31"
    rows[9]["paused_from"] = "0001-01-01"
    rows[10]["brdy"] = "1880-01-01"
    landing.csv("person", "2024-02-29", rows)


def write_odd_parquet(landing):
    """The same in types of their own, beyond what Python's dates can hold."""
    count = 6
    days = [LONG_AGO, 2**31 - 1, -(2**31), 0, 0, 0]
    arrivals = [datetime(2024, 1, 1)] * count
    columns = {
        "psn_no": pa.array([f"p{n}" for n in range(count - 1)] + ["p\0"]),
        "brdy": pa.array(days, pa.int32()).cast(pa.date32()),
        "death_date": pa.array([None] * 4 + [date(9999, 12, 31), None], pa.date32()),
        "home_lat": pa.array([None, None, None, float("inf"), 30.0, 30.0]),
        "arrive_time": pa.array(arrivals, pa.timestamp("us")),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    landing.bytes("person", "2024-03-31", "part-0.parquet", buffer.getvalue(), [{}] * count)
    columns["arrive_time"] = pa.array([2**63 - 1, *[0] * (count - 1)], pa.timestamp("us"))
    columns["brdy"] = pa.array([1, *[None] * (count - 1)], pa.date32())
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    landing.bytes("person", "2024-04-30", "part-0.parquet", buffer.getvalue(), [{}] * count)


@pytest.fixture(scope="module")
def ingested(new_workspace):
    """Three sound batches of people among everything else that can lie there, after one run."""
    # Bad rows are all that some of these batches have; that alone is to refuse none.
    this = new_workspace("quarantine.max_share_of_few=1")
    root = this.folder / f"landing: {ODD}"
    root.mkdir()
    outside = this.folder / "outside"
    this.landing.root = root
    landing = this.landing
    landing.csv("person", "2024-01-31", people("good1", "good2"))
    padded = gzip.compress(b"psn_no,arrive_time\ngood3,2023-12-01 00:00:00\n")
    padded += gzip.compress(b"good4,2023-12-01 00:00:00\n") + bytes(512)
    landing.bytes("person", "2024-01-30", "part-0.csv.gz", padded, people("good3", "good4"))
    write_odd_times(landing)
    write_odd_parquet(landing)

    # A name that is a pattern, and files beside it that no manifest lists.
    folder = landing.csv("person", "2024-05-01", people("u1"))
    (folder / "part-0.csv").rename(folder / "part-*.csv")
    (folder / "part-1.csv").write_text("psn_no,arrive_time\nunlisted,2023-12-01 00:00:00\n")
    landing.manifest(folder, lambda told: told["files"][0].update(name="part-*.csv"))
    # Links, to outside and to a neighbour.
    folder = landing.csv("person", "2024-05-02", people("u2"))
    (folder / "part-0.csv").rename(this.folder / "secret.csv")
    (folder / "part-0.csv").symlink_to(this.folder / "secret.csv")
    folder = landing.csv("person", "2024-05-03", people("u3"))
    folder.rename(outside)
    folder.symlink_to(outside)
    folder = landing.csv("person", "2024-05-04", people("u4"))
    (folder / "_manifest.json").rename(folder / "manifest")
    (folder / "_manifest.json").symlink_to("manifest")
    (root / "doctor").symlink_to(outside)
    (root / "drug").touch()
    # What is no file.
    folder = landing.csv("person", "2024-05-05", people("u5"))
    (folder / "part-0.csv").unlink()
    (folder / "part-0.csv").mkdir()
    folder = landing.csv("person", "2024-05-06", people("u6"))
    (folder / "part-0.csv").unlink()
    os.mkfifo(folder / "part-0.csv")
    folder = landing.csv("person", "2024-05-07", people("u7"))
    (folder / "_manifest.json").unlink()
    (folder / "_manifest.json").mkdir()
    (root / "person" / "batch=2024-05-08").touch()
    # Manifests and bytes that are made to stop a reader.
    (landing.csv("person", "2024-05-09", people("u9")) / "_manifest.json").write_text("[" * 100_000)
    hostile = json.dumps({"table": "\ud800", "batch": "", "rows": 0, "files": []})
    (landing.csv("person", "2024-05-10", people("u")) / "_manifest.json").write_text(hostile)
    dense = gzip.compress(b"psn_no,arrive_time\n" + b"0" * (40 << 20)) + b"\n"
    landing.bytes("person", "2024-05-11", "part-0.csv.gz", dense, people("u"))
    wide = b"psn_no,arrive_time\nu," + b"," * 30_000 + b"\nu,2023-12-01 00:00:00\n"
    landing.content("person", "2024-05-12", wide, people("u", "u"))
    landing.csv("person", "9999-12-31", people("u"))
    (root / "person" / "batch=2024-0\n").mkdir()
    for odd in ("batch=20240531", "BATCH=2024-05-31", "batch=2024-02-30", "batch=2024-05-31.bak"):
        (root / "person" / odd).mkdir()
    (root / os.fsdecode(b"\xff\xfe")).mkdir()

    this.config = this.config.model_copy(
        update={
            "landing": this.config.landing.model_copy(update={"root": str(root)}),
            "lake": this.config.lake.model_copy(update={"root": f"{this.folder}/lake {ODD}"}),
        }
    )
    this.result = this.run(JOB)
    this.batches = {
        row["batch"].isoformat(): row for row in this.lake.read(LANDING_BATCH).collect()
    }
    this.quarantined = {
        (row["batch"].isoformat(), row["record_number"]): row["reasons"]
        for row in this.lake.read(quarantine("person")).collect()
    }
    return this


def test_one_run_keeps_every_sound_row_and_nothing_that_no_manifest_lists(ingested):
    kept = {row["psn_no"] for row in ingested.lake.read(PERSON.bronze).select("psn_no").collect()}
    assert kept == {"good1", "good2", "good3", "good4", "t8", "t10", "t11", "p4"}
    assert (ingested.result.exit_code, ingested.result.outcome) == (3, "refused")


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (
            "2024-05-01",
            "_manifest.json lists 'part-*.csv', which is not a part-* data file name",
        ),
        ("2024-05-02", "part-0.csv is a link, which is never followed: put the file itself there"),
        (
            "2024-05-03",
            "person/batch=2024-05-03 is a link, which is never followed: deliver the batch's folder itself",
        ),
        (
            "2024-05-04",
            "_manifest.json is a link, which is never followed: put the file itself there",
        ),
        ("2024-05-05", "part-0.csv is a folder, not a file"),
        ("2024-05-06", "part-0.csv is a device, pipe or socket, not a file"),
        ("2024-05-07", "_manifest.json is a folder, not a file"),
        (
            "2024-05-08",
            "person/batch=2024-05-08 is a file, not a folder: deliver the batch's folder itself",
        ),
        (
            "2024-05-09",
            "_manifest.json is not in the form of the contract: it is nested too deeply",
        ),
        ("2024-05-10", r"_manifest.json is that of table '\ud800', batch ''"),
        (
            "2024-05-11",
            "part-0.csv.gz has other bytes after the end of its gzip data: send it again",
        ),
        (
            "2024-05-12",
            "part-0.csv can't be read by Spark (damaged, or a record of far too many fields):"
            " send it again",
        ),
        ("9999-12-31", "no batch can be of 9999-12-31: its year is not within 1990 and 2100"),
    ],
)
def test_a_hostile_batch_is_refused_with_its_true_reason(ingested, batch, reason):
    row = ingested.batches[batch]
    assert (row["outcome"], row["reasons"]) == ("refused", [reason])


def test_a_table_that_is_a_link_or_a_file_is_refused_and_named(ingested):
    told = ingested.result.message
    assert "doctor is a link, which is never followed: put the folder itself there" in told
    assert "drug is a file, not a folder" in told


def test_a_folder_that_is_meant_for_a_batch_and_called_otherwise_is_refused(ingested):
    told = ingested.result.message
    for odd in ("batch=20240531", "BATCH=2024-05-31", "batch=2024-02-30"):
        assert f"person/{odd} is not called batch=<yyyy-MM-dd>" in told
    assert ".bak" not in told


def test_times_and_bytes_that_no_one_can_mean_are_quarantined(ingested):
    found = {
        number: reasons
        for (batch, number), reasons in ingested.quarantined.items()
        if batch == "2024-02-29"
    }
    years, arrivals = "lies outside the years 1880 to 2100", "lies outside the years 1990 to 2100"
    assert found == {
        1: [f"brdy: {years}"],
        2: [f"brdy: {years}"],
        3: [f"brdy: {years}"],
        4: [f"arrive_time: {arrivals}"],
        5: [f"arrive_time: {arrivals}"],
        6: ["household_id: holds a NUL character"],
        7: ["psn_no: holds a NUL character"],
        8: ["brdy: can't be read as date"],
        10: ["paused_from: lies outside the years 1880 to 9999"],
    }


def test_times_of_parquet_beyond_any_calendar_are_quarantined(ingested):
    found = {
        place: reasons for place, reasons in ingested.quarantined.items() if place[0] > "2024-03"
    }
    years, arrivals = "lies outside the years 1880 to 2100", "lies outside the years 1990 to 2100"
    assert {n: found.pop(("2024-03-31", n)) for n in (1, 2, 3, 4, 6)} == {
        1: [f"brdy: {years}"],
        2: [f"brdy: {years}"],
        3: [f"brdy: {years}"],
        4: ["home_lat: can't be read as double"],
        6: ["psn_no: holds a NUL character"],
    }
    assert {place[0] for place in found} == {"2024-04-30"}
    assert all(f"arrive_time: {arrivals}" in reasons for reasons in found.values())
    assert len(found) == 6


def test_no_private_copy_is_left(ingested):
    assert not (Path(ingested.config.lake.root) / "_landing").exists()


def test_files_that_no_error_names_are_found_by_reading_them_alone(new_workspace, monkeypatch):
    this = new_workspace()
    monkeypatch.setattr(jobs.ingest_batch, "blame_files", lambda *given: False)
    wide = b"psn_no,arrive_time\nu," + b"," * 30_000 + b"\nu,2023-12-01 00:00:00\n"
    this.landing.csv("person", "2024-01-31", people("good"))
    for day in ("2024-02-29", "2024-03-31"):
        this.landing.content("person", day, wide, people("u", "u"))
    assert this.run(JOB).exit_code == 3
    assert [row["psn_no"] for row in this.lake.read(PERSON.bronze).collect()] == ["good"]
    refused = this.lake.read(LANDING_BATCH).filter("outcome = 'refused'").collect()
    assert [row["reasons"] for row in refused] == [
        ["part-0.csv can't be read by Spark (FAILED_READ_FILE.NO_HINT): write it anew"]
    ] * 2


def test_a_file_replaced_after_its_hash_is_not_what_is_read(new_workspace, monkeypatch):
    this = new_workspace()
    csv = this.landing.csv("person", "2024-01-31", people("listed")) / "part-0.csv"
    buffer = io.BytesIO()
    columns = {"psn_no": pa.array(["listed2"])}
    columns["arrive_time"] = pa.array([datetime(2024, 1, 1)], pa.timestamp("us"))
    pq.write_table(pa.table(columns), buffer)
    name = "part-0.parquet"
    folder = this.landing.bytes("person", "2024-02-29", name, buffer.getvalue(), [{}])
    inspect = jobs.ingest_batch.inspect_files

    def inspect_and_replace(*given):
        found = inspect(*given)
        csv.write_text("psn_no,arrive_time\nforged,2023-12-01 00:00:00\n")
        columns["psn_no"] = pa.array(["forged"])
        pq.write_table(pa.table(columns), folder / name)
        return found

    monkeypatch.setattr(jobs.ingest_batch, "inspect_files", inspect_and_replace)
    assert this.run(JOB).exit_code == 0
    kept = {row["psn_no"] for row in this.lake.read(PERSON.bronze).collect()}
    assert kept == {"listed", "listed2"}
