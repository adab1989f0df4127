"""ingest_batch against whole and broken batches: what is kept, quarantined, refused, replaced."""

import gzip
import io
import json
from datetime import datetime
from decimal import Decimal

import pandas as pd
import pytest
from support.landed import Landed, rows_of

from expectations.contract.errors import ConfigError
from expectations.landing.event import SETTLEMENT
from expectations.ops import LANDING_BATCH, quarantine
from jobs.ingest_batch import JOB

QUARANTINE = quarantine("settlement")


def write_bad_rows(landing):
    """Twenty rows in a gzipped file: seven that break the contract, each in its own way."""
    rows = rows_of("bad", 20, dise_codg="")
    rows[0]["medfee_sumamt"] = "10.005"
    rows[1]["med_type"] = "99"
    rows[2]["psn_no"] = ""
    rows[4]["setl_time"] = "2031-01-01 00:00:00"
    rows[5]["dise_codg"] = "line one\nline two"
    rows[6]["setl_time"] = "05/01/2024"
    header = ",".join(rows[0])
    lines = [
        ",".join(f'"{value}"' if "\n" in value else value for value in row.values()) for row in rows
    ]
    lines[3] += ",one field too many"
    content = "\n".join([header, *lines]).encode() + b"\n"
    content = content.replace(b"bad8,v1", b"bad8,v\xff1")
    rows[3]["medfee_sumamt"] = rows[3]["fund_pay_sumamt"] = "0"
    landing.content("settlement", "2024-02-29", content, rows, gz=True)


def write_parquet(landing):
    """Typed columns as another writer would have them: doubles, timestamps without zone."""
    rows = rows_of("parquet", 3)
    frame = pd.DataFrame(rows).drop(columns="orig_setl_id")
    frame["medfee_sumamt"] = [0.1 + 0.2, 10.0, 7.25]
    frame["fund_pay_sumamt"] = [Decimal("0.10"), Decimal("5.00"), Decimal("7.00")]
    frame["setl_time"] = pd.to_datetime(frame["setl_time"])
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    for row, total, fund in zip(
        rows, ("0.30", "10.00", "7.25"), ("0.10", "5.00", "7.00"), strict=True
    ):
        row["medfee_sumamt"], row["fund_pay_sumamt"] = total, fund
    landing.bytes("settlement", "2024-11-30", "part-0.parquet", buffer.getvalue(), rows)


@pytest.fixture(scope="module")
def workspace(new_workspace):
    """One landing folder with a whole batch and one of every kind of broken one."""
    this = new_workspace()
    landing = this.landing
    landing.csv("settlement", "2024-01-31", rows_of("good", 3))
    write_bad_rows(landing)
    missing = [{k: v for k, v in row.items() if k != "psn_no"} for row in rows_of("x", 2)]
    landing.csv("settlement", "2024-03-31", missing)
    landing.csv(
        "settlement", "2024-04-30", [row | {"colour": "red"} for row in rows_of("extra", 2)]
    )
    truncated = landing.csv("settlement", "2024-05-31", rows_of("x", 50), gz=True) / "part-0.csv.gz"
    truncated.write_bytes(truncated.read_bytes()[:-20])
    landing.manifest(
        landing.csv("settlement", "2024-06-30", rows_of("x", 2)),
        lambda told: (told.update(rows=3), told["files"][0].update(rows=3)),
    )
    landing.manifest(
        landing.csv("settlement", "2024-07-31", rows_of("x", 2)),
        lambda told: told["control"].update(medfee_sumamt="20.01"),
    )
    landing.manifest(
        landing.csv("settlement", "2024-08-31", rows_of("x", 2)),
        lambda told: told["files"][0].update(sha256="0" * 64),
    )
    landing.content("settlement", "2024-09-30", b"", [])
    landing.csv("settlement", "2024-10-31", rows_of("x", 2, setl_time="yesterday"))
    write_parquet(landing)
    (landing.csv("settlement", "2024-12-31", rows_of("x", 2)) / "_manifest.json").unlink()
    landing.manifest(
        landing.csv("settlement", "2025-01-31", rows_of("x", 2)),
        lambda told: told["files"][0].update(name="../../../etc/part-0.csv"),
    )
    half_bad = rows_of("x", 60) + rows_of("y", 60, med_type="99")
    landing.csv("settlement", "2025-02-28", half_bad)
    # A gzip of more than landing.max_file_gib.
    bomb = gzip.compress(b"setl_id\n" + b"0" * 3_000_000)
    landing.bytes("settlement", "2025-03-31", "part-0.csv.gz", bomb, rows_of("x", 1))
    this.config = this.config.model_copy(
        update={"landing": this.config.landing.model_copy(update={"max_file_gib": 0.001})}
    )
    return this


@pytest.fixture(scope="module")
def ingested(workspace):
    """The landing folder after its first ingest."""
    result = workspace.run(JOB)
    assert (result.exit_code, result.outcome) == (3, "refused")
    return workspace


@pytest.fixture(scope="module")
def landed(ingested):
    """What became of the batches of the first ingest; the last test adds to the lake."""
    return Landed(ingested)


def batch_rows(workspace):
    rows = workspace.lake.read(LANDING_BATCH).orderBy("sequence", "batch").collect()
    return {row["batch"].isoformat(): row for row in rows}


def test_good_rows_are_typed_and_know_where_they_came_from(landed):
    names = ("setl_id", "source_file", "record_number", "setl_time", "medfee_sumamt", "acct_pay")
    assert landed.kept("2024-01-31", *names) == [
        (f"good{n}", "part-0.csv", n, datetime(2024, 1, 5, 10), Decimal("10.00"), None)
        for n in (1, 2, 3)
    ]


def test_each_bad_row_waits_in_quarantine_with_record_number_and_reason(landed):
    rows = landed.waiting("2024-02-29")
    assert [(row["source_file"], row["record_number"], row["reasons"]) for row in rows] == [
        ("part-0.csv.gz", 1, ["medfee_sumamt: can't be read as decimal(16,2)"]),
        ("part-0.csv.gz", 2, ["med_type: is none of 11, 14, 21, 41"]),
        ("part-0.csv.gz", 3, ["psn_no: is empty, and it is required"]),
        ("part-0.csv.gz", 4, ["record: does not have as many fields as the header"]),
        ("part-0.csv.gz", 5, ["setl_time: lies in the future of arrive_time (a clock error?)"]),
        ("part-0.csv.gz", 7, ["setl_time: can't be read as timestamp"]),
        ("part-0.csv.gz", 8, ["mdtrt_id: is not valid UTF-8"]),
    ]


def test_the_raw_record_is_kept_with_a_quarantined_row(landed):
    raw = {row["record_number"]: row["raw_record"] for row in landed.waiting("2024-02-29")}
    assert json.loads(raw[1])["medfee_sumamt"] == "10.005"
    assert raw[4].rstrip().endswith("one field too many")


def test_a_line_break_in_quotes_does_not_shift_record_numbers(landed):
    kept = landed.kept("2024-02-29")
    found = {row["setl_id"]: (row["record_number"], row["dise_codg"]) for row in kept}
    after = {f"bad{number}": (number, None) for number in range(9, 21)}
    assert found == {"bad6": (6, "line one\nline two")} | after


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        ("2024-03-31", "column psn_no is missing, and it is required"),
        ("2024-05-31", "part-0.csv.gz is a damaged or truncated gzip file: send it again"),
        ("2024-06-30", "part-0.csv has 2 records, the manifest says 3"),
        ("2024-07-31", "the sum of medfee_sumamt is 20, the manifest says 20.01"),
        ("2024-08-31", "part-0.csv is not the file that the manifest lists: its SHA-256 differs"),
        ("2024-09-30", "part-0.csv is empty: even a file without rows needs a header"),
        ("2024-10-31", "column setl_time can't be read throughout: not one value fits its type"),
        ("2024-12-31", "_manifest.json is missing: the sender has to deliver it with the files"),
        (
            "2025-01-31",
            "_manifest.json lists '../../../etc/part-0.csv', which is not a part-* data file name",
        ),
        (
            "2025-02-28",
            "60 of 120 rows break the contract, more than quarantine.max_share (10%):"
            " med_type: is none of 11, 14, 21, 41 (60)",
        ),
        ("2025-03-31", "part-0.csv.gz unpacks to more than landing.max_file_gib (0.001)"),
    ],
)
def test_a_broken_batch_is_refused_whole_with_its_reason(landed, batch, reason):
    row = landed.batches[batch]
    assert (row["outcome"], row["rows_kept"], row["rows_quarantined"]) == ("refused", 0, 0)
    assert reason in row["reasons"]
    assert landed.kept(batch) == []


def test_unknown_and_missing_optional_columns_are_warned_about(landed):
    row = landed.batches["2024-04-30"]
    assert (row["outcome"], row["rows_kept"]) == ("kept", 2)
    assert "column colour is not in the contract and was left out" in row["warnings"]
    assert "column acct_pay is missing and was taken as empty" in row["warnings"]


def test_an_unreadable_amount_leaves_its_control_sum_unchecked_with_a_warning(landed):
    row = landed.batches["2024-02-29"]
    assert "the control sum of medfee_sumamt can't be checked: 2 unreadable" in row["warnings"]


def test_parquet_of_other_types_is_read_exactly(landed):
    assert landed.kept("2024-11-30", "record_number", "setl_time", "medfee_sumamt") == [
        (1, datetime(2024, 1, 5, 10), Decimal("0.30")),
        (2, datetime(2024, 1, 5, 10), Decimal("10.00")),
        (3, datetime(2024, 1, 5, 10), Decimal("7.25")),
    ]


def test_landed_is_kept_and_quarantined_in_rows_and_amounts(landed):
    for row in landed.batches.values():
        if row["outcome"] == "kept":
            assert row["rows_landed"] == row["rows_kept"] + row["rows_quarantined"]
    bad = landed.batches["2024-02-29"]
    assert (bad["rows_landed"], bad["rows_kept"], bad["rows_quarantined"]) == (20, 13, 7)
    assert bad["amounts_landed"]["medfee_sumamt"] == Decimal("180.00")
    assert bad["amounts_kept"]["medfee_sumamt"] == Decimal("130.00")


def test_a_second_run_changes_nothing_and_a_new_version_replaces_the_old(ingested):
    before = sorted(map(str, ingested.lake.read(SETTLEMENT.bronze).collect()))
    assert ingested.run(JOB).exit_code == 3
    assert sorted(map(str, ingested.lake.read(SETTLEMENT.bronze).collect())) == before

    folder = ingested.landing.root / "settlement" / "batch=2024-02-29"
    manifest = (folder / "_manifest.json").read_bytes()
    ingested.landing.csv("settlement", "2024-02-29", rows_of("resent", 2))
    ingested.run(JOB)
    row = batch_rows(ingested)["2024-02-29"]
    assert (row["rows_landed"], row["rows_kept"], row["rows_superseded"]) == (2, 2, 20)
    kept = ingested.lake.read(SETTLEMENT.bronze).filter("batch = DATE'2024-02-29'")
    assert sorted(row["setl_id"] for row in kept.collect()) == ["resent1", "resent2"]
    assert ingested.lake.read(QUARANTINE).filter("batch = DATE'2024-02-29'").isEmpty()
    assert (
        row["warnings"][0] == "files that the manifest does not list were left alone: part-0.csv.gz"
    )
    # The earlier version again changes nothing, and that is said.
    (folder / "_manifest.json").write_bytes(manifest)
    ingested.run(JOB, batch="2024-02-29")
    assert batch_rows(ingested)["2024-02-29"]["rows_landed"] == 2
    assert (
        "an earlier version of a batch lies there again"
        in (ingested.folder / "log.jsonl").read_text()
    )


def test_a_batch_that_nobody_delivered_is_named(ingested):
    result = ingested.run(JOB, batch="1999-01-01")
    assert (result.exit_code, result.message.split(": ")[0]) == (2, "landing.root")


def test_a_landing_folder_that_is_not_there_is_named_before_any_work(new_workspace):
    this = new_workspace()
    this.landing.root.rmdir()
    with pytest.raises(ConfigError, match=r"landing.root is .* not a folder"):
        this.run(JOB)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("landing.root=s3a://bucket/a#b*", "landing.root is s3a://bucket/a#b"),
        ("lake.root=/tmp/a:b/[c]", "lake.root is /tmp/a:b/"),
        ("lake.root=s3a://bucket/%20", "lake.root is s3a://bucket/%20: in an address"),
        ("quarantine.latest_year=1800", "quarantine.latest_year lies before earliest_year"),
    ],
)
def test_a_setting_that_cannot_work_is_named_before_any_work(new_workspace, setting, told):
    this = new_workspace(setting)
    with pytest.raises(ConfigError, match=told):
        this.run(JOB)
