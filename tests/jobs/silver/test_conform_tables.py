"""conform_tables: versions in time, orphans and their return, refunds, reconciliation, any order."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import functions as F
from support.workspace import base_row

from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.inquiry import TRACE_SCAN
from expectations.landing.reference import PERSON
from expectations.ops import TABLE_BALANCE, quarantine
from jobs import conform_tables, ingest_batch

LATE = "2024-03-15 00:00:00"

#: A refund of less than the fund paid.
BACK = {"refd_setl_flag": "1", "fund_pay_sumamt": "-1.00"}


def write_january(landing):
    landing.csv("person", "2024-01-31", [base_row("person")])
    # The last one lies in another province than the others.
    districts = {"h1": "510104", "h2": "511302", "h9": "440100"}
    landing.csv(
        "institution",
        "2024-01-31",
        [base_row("institution", fixmedins_code=key, admdvs=at) for key, at in districts.items()],
    )
    twice = base_row("settlement", setl_id="s2", medfee_sumamt="20.00")
    rows = [
        base_row("settlement"),
        twice,
        twice,
        # The same key again, received later: a correction inside the batch.
        base_row(
            "settlement", setl_id="s2", medfee_sumamt="21.00", arrive_time="2024-01-08 00:00:00"
        ),
        # Its member comes only in March.
        base_row("settlement", setl_id="s3", psn_no="m9"),
        # A refund whose settlement is not there yet, and one whose settlement is.
        base_row("settlement", setl_id="r5", orig_setl_id="s5", **BACK, medfee_sumamt="-5.00"),
        base_row("settlement", setl_id="r1", orig_setl_id="s1", **BACK, medfee_sumamt="-4.00"),
    ]
    landing.csv("settlement", "2024-01-31", rows)
    fees = [
        base_row("fee_detail"),
        # Its settlement is itself held back.
        base_row("fee_detail", setl_id="s3"),
        base_row("fee_detail", setl_id="nowhere"),
    ]
    landing.csv("fee_detail", "2024-01-31", fees)
    landing.csv("closed_case", "2024-01-31", [base_row("closed_case")])
    # Sales of which no settlement is delivered: here, and in another province.
    scans = [
        {
            "scan_id": f"sale at {place}",
            "drug_trac_codg": "box",
            "scan_type": "sale",
            "scan_time": "2024-01-05 10:00:00",
            "fixmedins_code": place,
            "setl_id": "nowhere",
            "arrive_time": "2024-01-06 00:00:00",
        }
        for place in ("h1", "h9")
    ]
    landing.csv("trace_scan", "2024-01-31", scans)


def write_march(landing):
    landing.csv("person", "2024-03-31", [base_row("person", psn_no="m9", arrive_time=LATE)])
    rows = [
        # A correction of January's s1 in a later batch, and the settlement that r5 reverses.
        base_row("settlement", medfee_sumamt="11.00", arrive_time=LATE),
        base_row("settlement", setl_id="s5", medfee_sumamt="50.00", arrive_time=LATE),
    ]
    landing.csv("settlement", "2024-03-31", rows)


def amounts(frame):
    rows = frame.select("settlement_id", "total_amount").collect()
    return {row["settlement_id"]: row["total_amount"] for row in rows}


def silver_rows(workspace, table):
    return sorted(map(str, workspace.lake.read(table.silver).drop("source_file").collect()))


@pytest.fixture(scope="module")
def january(new_workspace):
    """A lake with January's batches conformed, as they were seen before March came."""
    this = new_workspace()
    write_january(this.landing)
    assert this.run(ingest_batch.JOB).exit_code == 0
    assert this.run(conform_tables.JOB).exit_code == 0
    return this


@pytest.fixture(scope="module")
def seen_in_january(january):
    """What January's lake says, read before March is added to it."""
    return {
        "now": amounts(january.lake.read_silver(SETTLEMENT, None)),
        "as_of": amounts(january.lake.read_silver(SETTLEMENT, date(2024, 2, 1))),
        "orphans": {
            table: {
                (row["record_number"], *row["reasons"])
                for row in january.lake.read(quarantine(table)).collect()
            }
            for table in ("settlement", "fee_detail", "trace_scan")
        },
        "balance": {
            row["table_name"]: row.asDict() for row in january.lake.read(TABLE_BALANCE).collect()
        },
    }


@pytest.fixture(scope="module")
def march(january, seen_in_january):
    """The same lake after March's batches."""
    write_march(january.landing)
    january.run(ingest_batch.JOB)
    assert january.run(conform_tables.JOB).exit_code == 0
    return january


def test_of_several_rows_of_a_key_the_last_received_stands(seen_in_january):
    assert seen_in_january["now"] == {
        "s1": Decimal("10.00"),
        "s2": Decimal("21.00"),
        "r1": Decimal("-4.00"),
    }


def test_orphans_wait_with_their_reason_and_those_that_hang_on_them_too(seen_in_january):
    assert seen_in_january["orphans"] == {
        "settlement": {
            (5, "psn_no: points at no row of person"),
            (6, "orig_setl_id: points at no row of settlement"),
        },
        "fee_detail": {
            (2, "setl_id: points at no row of settlement"),
            (3, "setl_id: points at no row of settlement"),
        },
        "trace_scan": {(1, "setl_id: points at no row of settlement")},
    }


def test_a_box_that_came_up_in_another_province_waits_for_no_settlement(march):
    scans = march.lake.read_silver(TRACE_SCAN, None).collect()
    assert [row["scan_id"] for row in scans] == ["sale at h9"]


def test_every_landed_row_and_cent_is_conformed_superseded_or_quarantined(seen_in_january):
    row = seen_in_january["balance"]["settlement"]
    counts = [
        row[f"rows_{state}"] for state in ("landed", "conformed", "superseded", "quarantined")
    ]
    assert counts == [7, 3, 2, 2]
    sums = {
        state: row[f"amounts_{state}"]["medfee_sumamt"]
        for state in ("landed", "conformed", "superseded", "quarantined")
    }
    assert sums == {
        "landed": Decimal("72.00"),
        "conformed": Decimal("27.00"),
        "superseded": Decimal("40.00"),
        "quarantined": Decimal("5.00"),
    }


def test_an_orphan_is_taken_in_once_its_parent_has_come(march):
    settled = amounts(march.lake.read_silver(SETTLEMENT, None))
    assert settled["s3"] == Decimal("10.00")
    assert settled["r5"] == Decimal("-5.00")
    fees = march.lake.read_silver(FEE_DETAIL, None).select("settlement_id").collect()
    assert sorted(row["settlement_id"] for row in fees) == ["s1", "s3"]
    waiting = march.lake.read(quarantine("fee_detail")).collect()
    assert [row["record_number"] for row in waiting] == [3]


def test_what_comes_later_changes_nothing_as_of_an_earlier_day(march, seen_in_january):
    assert amounts(march.lake.read_silver(SETTLEMENT, date(2024, 2, 1))) == seen_in_january["as_of"]


@pytest.mark.parametrize(
    ("as_of", "s1", "s2"),
    [
        (date(2024, 1, 6), None, None),
        (date(2024, 1, 7), "10.00", "20.00"),
        (date(2024, 1, 9), "10.00", "21.00"),
        (date(2024, 3, 15), "10.00", "21.00"),
        (date(2024, 3, 16), "11.00", "21.00"),
    ],
)
def test_as_of_gives_the_version_that_had_arrived(march, as_of, s1, s2):
    found = amounts(march.lake.read_silver(SETTLEMENT, as_of))
    assert [found.get("s1"), found.get("s2")] == [v and Decimal(v) for v in (s1, s2)]


def test_an_orphan_counts_from_the_day_its_parent_came(march):
    rows = march.lake.read(SETTLEMENT.silver).filter("settlement_id = 's3'")
    assert [row["valid_from"] for row in rows.collect()] == [datetime(2024, 3, 15)]


def test_a_second_run_gives_the_same_rows(march):
    before = silver_rows(march, SETTLEMENT), silver_rows(march, FEE_DETAIL)
    assert march.run(conform_tables.JOB).exit_code == 0
    assert (silver_rows(march, SETTLEMENT), silver_rows(march, FEE_DETAIL)) == before


def test_a_table_that_no_source_delivers_makes_no_orphans(march):
    # No doctor table was landed, and nothing refers to one here; fees of a source without persons
    # must not all wait for them.
    fees = march.lake.read_silver(FEE_DETAIL, None).filter(F.col("member_id") == "m1")
    assert not march.lake.exists(quarantine("closed_case"))
    assert fees.count() == 2


def killed(lake, _contract):
    raise OSError("the machine is gone")


def test_bronze_of_an_ingest_that_died_is_left_alone_until_it_is_repeated(
    new_workspace, monkeypatch
):
    workspace = new_workspace()
    workspace.landing.csv("person", "2024-01-31", [base_row("person")])
    with monkeypatch.context() as dying:
        # Bronze is written, the ledger is not.
        dying.setattr(ingest_batch, "next_sequence", killed)
        with pytest.raises(OSError, match="the machine is gone"):
            workspace.run(ingest_batch.JOB)
    nothing = workspace.run(conform_tables.JOB)
    assert nothing.exit_code == 3
    assert nothing.message.endswith("was ingested to its end: run ingest_batch first")

    assert workspace.run(ingest_batch.JOB).exit_code == 0
    workspace.landing.csv("settlement", "2024-01-31", [base_row("settlement")])
    workspace.landing.csv("person", "2024-02-29", [base_row("person", psn_no="m2")])
    with monkeypatch.context() as dying:
        dying.setattr(ingest_batch, "next_sequence", killed)
        with pytest.raises(OSError, match="the machine is gone"):
            workspace.run(ingest_batch.JOB)
    # Only what the ledger knows is conformed: no settlement, and one of the two persons.
    assert workspace.run(conform_tables.JOB).exit_code == 0
    assert not workspace.lake.exists(SETTLEMENT.silver)
    assert workspace.lake.read_silver(PERSON, None).count() == 1

    assert workspace.run(ingest_batch.JOB).exit_code == 0
    assert workspace.run(conform_tables.JOB).exit_code == 0
    assert workspace.lake.read_silver(PERSON, None).count() == 2
    assert workspace.lake.read_silver(SETTLEMENT, None).count() == 1
