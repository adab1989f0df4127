"""conform_tables on values that stand for nothing: emptied, quarantined, counted."""

import hashlib
from decimal import Decimal

import pytest
from support.workspace import base_row

from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.reference import PERSON
from expectations.ops import TABLE_BALANCE, VALUE_PROFILE, quarantine
from jobs import check_tables, conform_tables, ingest_batch

DAY = "2024-01-31"
NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.fixture(scope="module")
def conformed(new_workspace):
    this = new_workspace()
    landing = this.landing
    landing.csv("institution", DAY, [base_row("institution")])
    people = [
        base_row("person", psn_no="m1", paused_from="1900-01-01", tel_hash="t1"),
        base_row("person", psn_no="m2", paused_from="2024-01-01", tel_hash="无"),
    ]
    landing.csv("person", DAY, people)
    visits = [
        base_row("settlement", device_hash=NOTHING, orig_setl_id="NULL"),
        base_row("settlement", setl_id="s2", psn_no="m2", device_hash="phone"),
        base_row("settlement", setl_id="s3", setl_time="1970-01-01 09:30:00"),
    ]
    landing.csv("settlement", DAY, visits)
    fees = [
        base_row("fee_detail", bilg_dr_codg="NULL", prd_days="999"),
        base_row("fee_detail", feedetl_sn="2", bilg_dr_codg="D1", prd_days="30"),
        base_row("fee_detail", setl_id="s3"),
    ]
    landing.csv("fee_detail", DAY, fees)
    assert this.run(ingest_batch.JOB).exit_code == 0
    result = this.run(conform_tables.JOB)
    assert result.exit_code == 0, result.message
    return this


@pytest.fixture(scope="module")
def believed(new_workspace):
    """A day of death of a whole register, and names and codes that name nothing."""
    this = new_workspace()
    landing = this.landing
    landing.csv(
        "institution",
        DAY,
        [base_row("institution"), {**base_row("institution"), "fixmedins_code": "99999999"}],
    )
    people = [base_row("person", psn_no=f"m{n}", death_date="2010-06-30") for n in range(201)]
    people += [base_row("person", psn_no=f"d{n}", death_date="2023-11-05") for n in range(2)]
    landing.csv("person", DAY, [*people, base_row("person", psn_no="00000000", death_date="")])
    landing.csv(
        "settlement",
        DAY,
        [base_row("settlement"), base_row("settlement", setl_id="s2", psn_no="00000000")],
    )
    scan = {
        "scan_type": "sale",
        "scan_time": "2024-01-05 10:00:00",
        "fixmedins_code": "h1",
        "setl_id": "s1",
        "arrive_time": "2024-01-06 00:00:00",
    }
    codes = ("81000000000000000001", "00000000000000000000", "999999", "0")
    landing.csv(
        "trace_scan",
        DAY,
        [scan | {"scan_id": f"{n}", "drug_trac_codg": code} for n, code in enumerate(codes)],
    )
    assert this.run(ingest_batch.JOB).exit_code == 0
    result = this.run(conform_tables.JOB)
    assert result.exit_code == 0, result.message
    return this


def test_a_day_of_death_that_far_more_people_have_than_any_other_is_nobodys(believed):
    dead = believed.lake.read(PERSON.silver).filter("death_date IS NOT NULL")
    assert sorted(row["member_id"] for row in dead.collect()) == ["d0", "d1"]
    found = believed.lake.read(VALUE_PROFILE).filter("column_name = 'death_date'").collect()
    assert [row["placeholders"] for row in found] == [{"carried by too many people": 201}]


def test_people_places_and_boxes_without_a_name_wait_and_so_do_rows_that_point_at_them(believed):
    holds = "holds a placeholder, not a value"
    reasons = {
        table: [row["reasons"] for row in believed.lake.read(quarantine(table)).collect()]
        for table in ("person", "institution", "settlement", "trace_scan")
    }
    assert reasons == {
        "person": [[f"psn_no: {holds}"]],
        "institution": [[f"fixmedins_code: {holds}"]],
        "settlement": [["psn_no: points at no row of person"]],
        "trace_scan": [[f"drug_trac_codg: {holds}"]] * 3,
    }


def values(workspace, table, *columns):
    rows = workspace.lake.read(table.silver).orderBy(*table.silver_key).select(*columns).collect()
    return [tuple(row) for row in rows]


def test_placeholders_are_empty_in_silver(conformed):
    assert [bool(row[1]) for row in values(conformed, PERSON, "member_id", "paused_from")] == [
        False,
        True,
    ]
    assert values(conformed, PERSON, "phone_hash") == [("t1",), (None,)]
    assert values(
        conformed, SETTLEMENT, "settlement_id", "device_hash", "original_settlement_id"
    ) == [
        ("s1", None, None),
        ("s2", "phone", None),
    ]
    assert values(conformed, FEE_DETAIL, "doctor_id", "supply_days") == [
        (None, None),
        ("D1", Decimal("30.00")),
    ]


def test_a_required_placeholder_is_quarantined_with_its_reason_and_so_is_what_hangs_on_it(
    conformed,
):
    reasons = {
        table: [row["reasons"] for row in conformed.lake.read(quarantine(table)).collect()]
        for table in ("settlement", "fee_detail")
    }
    assert reasons == {
        "settlement": [["setl_time: holds a placeholder, not a value"]],
        "fee_detail": [["setl_id: points at no row of settlement"]],
    }


def test_the_profile_says_what_was_taken_as_empty_by_which_entry(conformed):
    rows = conformed.lake.read(VALUE_PROFILE).filter("rows_placeholder > 0").collect()
    assert {(row["table_name"], row["column_name"]): row["placeholders"] for row in rows} == {
        ("person", "paused_from"): {"1900-01-01": 1},
        ("person", "tel_hash"): {"无": 1},
        ("settlement", "device_hash"): {"sha256 of the empty text": 1},
        ("settlement", "orig_setl_id"): {"NULL": 1},
        ("settlement", "setl_time"): {"1970-01-01": 1},
        ("fee_detail", "bilg_dr_codg"): {"NULL": 1},
        ("fee_detail", "prd_days"): {"999.0": 1},
    }
    [days] = conformed.lake.read(VALUE_PROFILE).filter("column_name = 'prd_days'").collect()
    assert (days["mean"], round(days["empty_share"], 3)) == (30.0, 0.667)


def test_the_balance_holds_with_what_was_emptied_in_later_runs_too(conformed):
    assert conformed.run(check_tables.JOB).exit_code == 0
    conformed.landing.csv(
        "fee_detail",
        "2024-02-29",
        [base_row("fee_detail", setl_id="s2", psn_no="m2", prd_days="999")],
    )
    assert conformed.run(ingest_batch.JOB).exit_code == 0
    assert conformed.run(conform_tables.JOB).exit_code == 0
    assert conformed.run(check_tables.JOB).exit_code == 0
    newest = conformed.lake.read(TABLE_BALANCE).filter("table_name = 'fee_detail'")
    row = newest.orderBy(newest["sequence"].desc()).first()
    assert row["amounts_emptied"]["prd_days"] == 1998
    # The row with the impossible time still waits, for the reason that it came with.
    [held] = conformed.lake.read(quarantine("settlement")).collect()
    assert held["reasons"] == ["setl_time: holds a placeholder, not a value"]
