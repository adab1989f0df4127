"""Nothing is ordered by a clock: what was written last is newest, though the clock went back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from support.frames import frame_of
from support.workspace import base_row

from expectations.landing.event import SETTLEMENT
from expectations.ops import JOB_RUN, LANDING_BATCH, TABLE_BALANCE
from jobs import conform_tables, ingest_batch
from jobs.lake.sequence import newest_first, next_sequence
from jobs.landing.batch_history import read_ledger
from jobs.run_pipeline import done_before_failure

DAY = "2024-01-31"


def land(workspace, amount):
    workspace.landing.csv("settlement", DAY, [base_row("settlement", medfee_sumamt=amount)])
    assert workspace.run(ingest_batch.JOB).exit_code == 0
    assert workspace.run(conform_tables.JOB).exit_code == 0


def amounts(workspace):
    rows = workspace.lake.read_silver(SETTLEMENT, None).collect()
    return [row["total_amount"] for row in rows]


@pytest.fixture(scope="module")
def corrected(new_workspace):
    """A batch that is sent again, corrected, while the clock is a day behind."""
    this = new_workspace()
    land(this, "10.00")
    with pytest.MonkeyPatch.context() as clock:

        class Yesterday(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) - timedelta(days=1)

        for module in ("jobs.ingest_batch", "jobs.silver.measures", "jobs.lake.progress"):
            clock.setattr(f"{module}.datetime", Yesterday)
        land(this, "12.00")
    return this


def test_a_correction_reaches_silver_though_the_clock_is_behind(corrected):
    rows = corrected.lake.read(LANDING_BATCH).orderBy(*newest_first("written_at")).collect()
    newest, oldest = (row["written_at"] for row in rows)
    assert newest < oldest
    assert amounts(corrected) == [Decimal("12.00")]


def test_it_stands_when_the_clock_is_right_again(corrected):
    assert corrected.run(conform_tables.JOB).exit_code == 0
    assert amounts(corrected) == [Decimal("12.00")]
    newest = corrected.lake.read(TABLE_BALANCE).orderBy(*newest_first("written_at")).first()
    assert newest["amounts_landed"]["medfee_sumamt"] == 12


def test_rows_from_before_the_number_existed_are_the_oldest(new_workspace, spark):
    workspace = new_workspace()
    row = {
        "run_id": "r",
        "job": "ingest_batch",
        "table_name": "person",
        "batch": datetime(2024, 1, 31, tzinfo=UTC).date(),
        "outcome": "kept",
        "rows_landed": 1,
        "rows_kept": 1,
        "rows_quarantined": 0,
        "rows_superseded": 0,
    }
    at = datetime(2024, 2, 1)
    versions = [("b", at + timedelta(days=1), None), ("a", at, None)]
    for version, written, number in [*versions, ("c", at - timedelta(days=9), 1)]:
        told = {"batch_version": version, "written_at": written, "sequence": number}
        workspace.lake.append(frame_of(spark, LANDING_BATCH, row | told), LANDING_BATCH)
        standing = read_ledger(workspace.lake).of("person")[row["batch"]].version
        # By time among those that have nothing else.
        assert standing == {"b": "b", "a": "b", "c": "c"}[version]
    assert next_sequence(workspace.lake, LANDING_BATCH) == 2


def test_a_pipeline_goes_on_from_the_job_that_failed_last_though_the_clock_went_back(
    new_workspace, spark
):
    workspace = new_workspace()
    ends = [
        ("conform_tables", "k", 0, 3),
        ("build_facts", "k", 0, 2),
        ("train_model", "k:member", 0, 2),
        ("train_model", "other", 0, 2),
        ("conform_tables", "k", 1, 1),
    ]
    rows = [
        {
            "run_id": str(number),
            "job": job,
            "pipeline_key": key,
            "outcome": "succeeded" if code == 0 else "failed",
            "exit_code": code,
            "seconds": 1.0,
            "code_version": "v",
            "started_at": datetime(2024, 1, day),
            "ended_at": datetime(2024, 1, day),
            "sequence": number,
        }
        for number, (job, key, code, day) in enumerate(ends, 1)
    ]
    workspace.lake.append(frame_of(spark, JOB_RUN, *rows), JOB_RUN)
    assert set(done_before_failure(workspace.lake, "k")) == {"build_facts", "train_model:member"}
