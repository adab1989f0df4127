"""check_tables: a row that is lost, doubled or in two places is found in the tables themselves."""

import pytest
from delta.tables import DeltaTable
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType
from support.workspace import base_row

from expectations.gold.fact import FEE_FACT
from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.reasons import REASON_CODE
from expectations.landing.reference import PERSON
from expectations.ops import TABLE_BALANCE, quarantine
from jobs import build_facts, check_tables, conform_tables, ingest_batch

DAY = "2024-01-31"


@pytest.fixture(scope="module")
def workspace(new_workspace):
    this = new_workspace()
    this.landing.csv("person", DAY, [base_row("person"), base_row("person", psn_no="m2")])
    this.landing.csv("settlement", DAY, [base_row("settlement"), base_row("settlement")])
    unreadable = base_row("fee_detail", feedetl_sn="3", cnt="many")
    fees = [base_row("fee_detail"), base_row("fee_detail", setl_id="nowhere"), unreadable]
    this.landing.csv("fee_detail", DAY, fees)
    for job in (ingest_batch.JOB, conform_tables.JOB, build_facts.JOB):
        assert this.run(job).exit_code == 0
    return this


def checked(workspace):
    result = workspace.run(check_tables.JOB)
    return result.exit_code, result.message


def test_a_sound_lake_passes(workspace):
    assert checked(workspace) == (0, "3 tables agree with their balances")


def lose(workspace, contract, condition):
    DeltaTable.forPath(workspace.spark, workspace.lake.path(contract)).delete(condition)


FAULTS = {
    "a row of bronze is lost": (
        lambda this: lose(this, PERSON.bronze, "psn_no = 'm2'"),
        PERSON.bronze,
        "bronze.person: batch 2024-01-31",
    ),
    "a row that ingest refused is lost": (
        lambda this: lose(this, quarantine("fee_detail"), "job = 'ingest_batch'"),
        quarantine("fee_detail"),
        "quarantine.fee_detail: batch 2024-01-31",
    ),
    "an orphan is lost": (
        lambda this: lose(this, quarantine("fee_detail"), "job = 'conform_tables'"),
        quarantine("fee_detail"),
        "fee_detail: 1 records are in bronze alone, and no row in silver has their key",
    ),
    "a row of silver waits in quarantine too": (
        lambda this: this.lake.append(
            this.lake.read(FEE_DETAIL.silver).select(
                F.lit("conform_tables").alias("job"),
                *("batch", "batch_version", "source_file", "record_number"),
                F.array(F.lit("x")).alias("reasons"),
                F.lit(None).cast(ArrayType(REASON_CODE)).alias("reason_codes"),
                F.lit("{}").alias("raw_record"),
            ),
            quarantine("fee_detail"),
        ),
        quarantine("fee_detail"),
        "fee_detail: 1 records are both in silver and in quarantine",
    ),
    "a row of silver is changed by hand": (
        lambda this: lose(this, SETTLEMENT.silver, "settlement_id = 's1'"),
        SETTLEMENT.silver,
        "silver.settlement is not as the last finished run of conform_tables left it",
    ),
    "a fact is lost": (
        lambda this: lose(this, FEE_FACT, "settlement_id = 's1'"),
        FEE_FACT,
        "gold.fee_fact is not as the last finished run of build_facts left it",
    ),
    "the balance lies": (
        lambda this: DeltaTable.forPath(this.spark, this.lake.path(TABLE_BALANCE)).update(
            "table_name = 'person'", {"rows_conformed": F.lit(7)}
        ),
        TABLE_BALANCE,
        "person: the tables have 2 rows conformed, ops.table_balance says 7",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_the_job_ends_with_3(workspace, fault):
    commit, contract, sentence = FAULTS[fault]
    version = workspace.lake.version(contract)
    commit(workspace)
    try:
        code, message = checked(workspace)
    finally:
        table = DeltaTable.forPath(workspace.spark, workspace.lake.path(contract))
        table.restoreToVersion(version)
    assert code == 3
    assert sentence in message


def test_tables_with_newer_batches_are_said_to_wait(workspace):
    workspace.landing.csv("person", "2024-02-29", [base_row("person", psn_no="m3")])
    workspace.run(ingest_batch.JOB)
    assert checked(workspace) == (
        0,
        "3 tables agree with their balances; person: run conform_tables, not all is in silver yet",
    )
