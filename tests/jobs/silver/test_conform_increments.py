"""conform_tables batch by batch gives what it gives when all batches are there at once."""

import random
import shutil

import pytest
from support.workspace import base_row

from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.reference import PERSON
from expectations.ops import TABLE_BALANCE, quarantine
from jobs import conform_tables, ingest_batch
from jobs.silver import affected_rows, changes, values

TABLES = (PERSON, SETTLEMENT, FEE_DETAIL)
MONTHS = ("2024-01-31", "2024-03-31")


def month_rows(rng: random.Random, month: str) -> dict[str, list[dict[str, str]]]:
    """Rows that meet those of other months in every way: corrected, repeated, late, reversed, orphaned."""
    stamp = month[:7]

    def arrival() -> str:
        # Not always in the batch's month: a batch may bring what an earlier one should have.
        return f"{rng.choice(['2024-01', stamp, stamp])}-{rng.randint(6, 28):02d} 00:00:00"

    people = [
        base_row("person", psn_no=f"m{rng.randint(1, 8)}", arrive_time=arrival()) for _ in range(4)
    ]
    settlements = []
    for _ in range(14):
        number, original = rng.randint(1, 20), rng.randint(1, 20)
        row = base_row(
            "settlement",
            setl_id=f"s{number}",
            psn_no=f"m{rng.randint(1, 8)}",
            medfee_sumamt=f"{rng.randint(1, 3)}.00",
            arrive_time=arrival(),
        )
        if rng.random() < 0.2:
            row |= {"refd_setl_flag": "1", "orig_setl_id": f"s{original}"}
            row |= {"medfee_sumamt": "-1.00", "fund_pay_sumamt": "-1.00"}
        settlements.append(row)
    fees = [
        base_row(
            "fee_detail",
            setl_id=f"s{rng.randint(1, 22)}",
            feedetl_sn=str(rng.randint(1, 2)),
            arrive_time=arrival(),
        )
        for _ in range(16)
    ]
    return {
        "person": people,
        "settlement": [*settlements, settlements[0]],
        "fee_detail": fees,
    }


def land(workspace, rows: dict[str, list[dict[str, str]]], month: str) -> None:
    for table, content in rows.items():
        workspace.landing.csv(table, month, content)
    workspace.landing.csv("institution", MONTHS[0], [base_row("institution")])


def seen(workspace):
    lake = workspace.lake
    found = {table.name: sorted(map(str, lake.read(table.silver).collect())) for table in TABLES}
    for table in TABLES:
        if lake.exists(quarantine(table.name)):
            found[f"waiting {table.name}"] = sorted(
                map(str, lake.read(quarantine(table.name)).drop("raw_record").collect())
            )
    return found


def newest_balance(workspace):
    """Rows and amounts by end, of the last run that touched each table."""
    counted = [
        name
        for name in workspace.lake.read(TABLE_BALANCE).columns
        if name.startswith(("rows_", "amounts_"))
    ]
    rows = workspace.lake.read(TABLE_BALANCE).orderBy("sequence").collect()
    return {row["table_name"]: [row[name] for name in counted] for row in rows}


@pytest.fixture(scope="module")
def landed() -> dict[str, dict[str, list[dict[str, str]]]]:
    """The rows of each month as they are sent first."""
    rng = random.Random(2)
    return {month: month_rows(rng, month) for month in MONTHS}


def sent_again(rows: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """A month that is sent a second time, with two settlements less."""
    return rows | {"settlement": rows["settlement"][2:]}


@pytest.fixture(scope="module")
def ingested(new_workspace, landed):
    """A lake with all batches in bronze and nothing in silver; copies of it are conformed."""
    workspace = new_workspace()
    land(workspace, sent_again(landed[MONTHS[0]]), MONTHS[0])
    land(workspace, landed[MONTHS[1]], MONTHS[1])
    workspace.run(ingest_batch.JOB)
    return workspace


@pytest.fixture(scope="module")
def conformed_at_once(new_workspace, ingested):
    """Conform a copy of the ingested lake, in whichever way the limits say."""

    def conform(few_rows: int):
        workspace = new_workspace()
        shutil.copytree(ingested.config.lake.root, workspace.config.lake.root)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(changes, "FEW_ROWS", few_rows)
            if not few_rows:
                patch.setattr(values, "MOST_ROWS_TO_KEEP", 0)
                patch.setattr(affected_rows, "MOST_KEYS_TO_SEND", 12)
            assert workspace.run(conform_tables.JOB).exit_code == 0
        return workspace

    return conform


@pytest.fixture(scope="module")
def small(conformed_at_once):
    """What all batches at once give while every table is small enough to be sent."""
    workspace = conformed_at_once(1_000_000)
    expected = seen(workspace)
    assert len(expected["waiting fee_detail"]) > 0
    return expected, newest_balance(workspace)


def test_any_order_in_steps_gives_what_all_at_once_gives(new_workspace, landed, small, monkeypatch):
    in_steps = new_workspace()
    monkeypatch.setattr(changes, "FEW_ROWS", 0)
    files: set[str] = set()
    for month in reversed(MONTHS):
        land(in_steps, landed[month], month)
        in_steps.run(ingest_batch.JOB)
        assert in_steps.run(conform_tables.JOB).exit_code == 0
        # What the second month does not concern stays as it was written.
        before, files = files, set(in_steps.lake.read(SETTLEMENT.silver).inputFiles())
        assert not before or before & files
    land(in_steps, sent_again(landed[MONTHS[0]]), MONTHS[0])
    in_steps.run(ingest_batch.JOB)
    assert in_steps.run(conform_tables.JOB).exit_code == 0

    assert (seen(in_steps), newest_balance(in_steps)) == small


def test_tables_too_large_to_be_sent_give_the_same(conformed_at_once, small):
    expected, _ = small
    assert seen(conformed_at_once(0)) == expected
