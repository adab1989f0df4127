"""Reasons in quarantine have codes, and rows from before they had them go on as before."""

import pytest
from pyspark.sql import functions as F
from support.workspace import base_row

from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.reasons import RowReason
from expectations.ops import quarantine
from jobs import conform_tables, ingest_batch
from jobs.report.read_arrivals import quarantined
from jobs.silver import changes

JANUARY, FEBRUARY = "2024-01-31", "2024-02-29"
TABLES = ("settlement", "fee_detail")
SENTENCES = {
    "settlement": [
        # A row that takes another back is no original, so nothing is left for this one to point at.
        (
            "orig_setl_id: names the row itself",
            "orig_setl_id: points at no row of settlement",
        ),
        (
            "orig_setl_id: points at a row that takes back another itself, and only an original can be taken back",
        ),
        ("setl_time: holds a placeholder, not a value",),
        (
            "setl_time: is empty, and it is required",
            "medfee_sumamt: can't be read as decimal(16,2)",
        ),
    ],
    "fee_detail": [("setl_id: points at no row of settlement",)] * 2,
}
CODES = {
    "settlement": [
        (
            ("own_original", "orig_setl_id", {}),
            ("missing_parent", "orig_setl_id", {"table": "settlement"}),
        ),
        (("reversing_parent", "orig_setl_id", {}),),
        (("placeholder", "setl_time", {}),),
        (
            ("required", "setl_time", {}),
            ("unreadable", "medfee_sumamt", {"type": "decimal(16,2)"}),
        ),
    ],
    "fee_detail": [(("missing_parent", "setl_id", {"table": "settlement"}),)] * 2,
}


def run_both(workspace):
    for job in (ingest_batch.JOB, conform_tables.JOB):
        assert workspace.run(job).exit_code == 0


def reasons(workspace):
    rows = {
        table: workspace.lake.read(quarantine(table)).orderBy("reasons").collect()
        for table in TABLES
    }
    sentences = {table: [tuple(row["reasons"]) for row in rows[table]] for table in TABLES}
    codes = {
        table: [
            row["reason_codes"] and tuple(map(tuple, row["reason_codes"])) for row in rows[table]
        ]
        for table in TABLES
    }
    return sentences, codes


@pytest.fixture(scope="module")
def january(new_workspace):
    this = new_workspace("quarantine.max_share_of_few=0.9")
    this.landing.csv("person", JANUARY, [base_row("person")])
    this.landing.csv("institution", JANUARY, [base_row("institution")])
    visits = [
        base_row("settlement"),
        base_row("settlement", setl_id="s2", setl_time="1970-01-01 08:00:00"),
        base_row("settlement", setl_id="s3", refd_setl_flag="1", orig_setl_id="s3"),
        base_row("settlement", setl_id="s4", setl_time="", medfee_sumamt="ten"),
        base_row("settlement", setl_id="s5", refd_setl_flag="1", orig_setl_id="s1"),
        base_row("settlement", setl_id="s6", refd_setl_flag="1", orig_setl_id="s5"),
    ]
    for visit in (visits[2], *visits[4:]):
        visit |= {"medfee_sumamt": "-10.00", "fund_pay_sumamt": "-8.00"}
    this.landing.csv("settlement", JANUARY, visits)
    fees = [base_row("fee_detail", setl_id=name) for name in ("s1", "s2", "s9")]
    this.landing.csv("fee_detail", JANUARY, fees)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "FEW_ROWS", 0)
        run_both(this)
        yield this


@pytest.fixture(scope="module")
def seen(january):
    """What January's lake and its page say, read before the rows become older."""
    return *reasons(january), quarantined(january.lake).reasons


def test_every_reason_has_its_sentence_and_its_code(seen):
    assert seen[:2] == (SENTENCES, CODES)


def test_the_page_counts_each_reason_with_its_code(seen):
    assert {(each.table, each.text): (each.reason, each.rows) for each in seen[2]} == {
        (table, text): (RowReason(*code), 2 if table == "fee_detail" else 1)
        for table in TABLES
        for texts, codes in zip(SENTENCES[table], CODES[table], strict=True)
        for text, code in zip(texts, codes, strict=True)
    }


def test_rows_from_before_the_codes_wait_and_go_on_like_others(january, seen):
    for table in TABLES:
        contract = quarantine(table)
        nothing = F.lit(None).cast(contract.schema["reason_codes"].dataType)
        older = january.lake.read(contract).withColumn("reason_codes", nothing).localCheckpoint()
        january.lake.replace(older, contract)
    assert {each.reason for each in quarantined(january.lake).reasons} == {None}

    late = "2024-02-10 00:00:00"
    january.landing.csv(
        "settlement", FEBRUARY, [base_row("settlement", setl_id="s9", arrive_time=late)]
    )
    january.landing.csv("fee_detail", FEBRUARY, [base_row("fee_detail", feedetl_sn="2")])
    run_both(january)

    # The line of s9 has found its parent; the faulty settlements and the line of one of them still wait.
    settlements = january.lake.read(SETTLEMENT.silver).collect()
    assert {row["settlement_id"] for row in settlements} == {"s1", "s5", "s9"}
    lines = january.lake.read(FEE_DETAIL.silver).collect()
    assert sorted((row["settlement_id"], row["line_number"]) for row in lines) == [
        ("s1", "1"),
        ("s1", "2"),
        ("s9", "1"),
    ]
    sentences, _ = reasons(january)
    assert sentences["settlement"] == SENTENCES["settlement"]
    assert sentences["fee_detail"] == [("setl_id: points at no row of settlement",)]
