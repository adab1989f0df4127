"""OPTIMIZE, VACUUM, changed properties and RESTORE of every table, then a month more: only that is worked on."""

from decimal import Decimal
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from support.workspace import base_row

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.reference import PERSON
from jobs import build_facts, check_tables, conform_tables, ingest_batch
from jobs.silver import changes

MONTHS = ("2024-01-31", "2024-02-29", "2024-03-31")
TABLES = (PERSON.silver, SETTLEMENT.silver, FEE_DETAIL.silver, VISIT_FACT, FEE_FACT)
JOBS = (ingest_batch.JOB, conform_tables.JOB, build_facts.JOB)


def land(landing, month):
    """Two settlements with a line each; of March only one, which corrects nothing, and no person."""
    stamp = month[:7]
    numbers = (1,) if month == MONTHS[2] else (1, 2)
    times = {"setl_time": f"{stamp}-05 10:00:00", "arrive_time": f"{stamp}-06 00:00:00"}
    rows = [base_row("settlement", setl_id=f"s{stamp}-{number}", **times) for number in numbers]
    landing.csv("settlement", month, rows)
    times = {"fee_ocur_time": f"{stamp}-05 10:00:00", "arrive_time": f"{stamp}-06 00:00:00"}
    lines = [base_row("fee_detail", setl_id=f"s{stamp}-{number}", **times) for number in numbers]
    # It waits, so that there is a quarantine to maintain.
    lines.append(base_row("fee_detail", setl_id="nowhere", feedetl_sn=stamp, **times))
    landing.csv("fee_detail", month, lines)
    if month == MONTHS[0]:
        landing.csv("person", month, [base_row("person")])


def maintain(workspace):
    """What an administrator does to every table of the lake; how many tables that are."""
    spark, logs = workspace.spark, sorted(Path(workspace.config.lake.root).glob("*/*/_delta_log"))
    for log in logs:
        path, table = f"delta.`{log.parent}`", DeltaTable.forPath(spark, str(log.parent))
        before = table.history(1).first()["version"]
        # In this order even a partition of one file is written anew.
        order = " ZORDER BY (valid_from)" if "valid_from" in table.toDF().columns else ""
        spark.sql(f"OPTIMIZE {path}{order}")
        spark.sql(f"ALTER TABLE {path} SET TBLPROPERTIES ('delta.checkpointInterval' = '20')")
        if log.parent.parent.name != "ops":
            spark.sql(f"RESTORE TABLE {path} TO VERSION AS OF {before}")
            spark.sql(f"OPTIMIZE {path}{order}")
        if order:
            done = [row["operation"] for row in table.history(4).collect()]
            assert done == ["OPTIMIZE", "RESTORE", "SET TBLPROPERTIES", "OPTIMIZE"]
        spark.sql(f"VACUUM {path}")
    return len(logs)


@pytest.fixture(scope="module")
def march(new_workspace):
    """A lake after two months, maintenance, and March; what was there before March, and what the jobs said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "FEW_ROWS", 0)
        workspace = new_workspace()
        for month in MONTHS[:2]:
            land(workspace.landing, month)
        for job in JOBS:
            assert workspace.run(job).exit_code == 0
        assert maintain(workspace) > 10
        again = [workspace.run(job).message for job in JOBS[1:]]
        before = {
            table.name: (set(lake_files(workspace, table)), workspace.lake.version(table))
            for table in TABLES
        }
        land(workspace.landing, MONTHS[2])
        told = [workspace.run(job).message for job in JOBS]
    return workspace, again, before, told


def lake_files(workspace, table):
    return workspace.lake.read(table).inputFiles()


def test_maintenance_alone_is_no_new_data(march):
    _, again, _, _ = march
    assert again[1] == "0 visits and 0 sums of fees written, 0 days of visits"


def test_a_month_after_maintenance_leaves_older_files_as_they_are(march):
    workspace, _, before, told = march
    for table in TABLES:
        files, _ = before[table.name]
        assert files <= set(lake_files(workspace, table)), table.name
    assert workspace.lake.version(PERSON.silver) == before[PERSON.silver.name][1]
    assert told[2] == "1 visits and 1 sums of fees written, 1 days of visits"


def test_what_stands_is_what_was_landed(march):
    workspace, _, _, _ = march
    checked = workspace.run(check_tables.JOB)
    assert checked.exit_code == 0, checked.message
    visits = workspace.lake.read(VISIT_FACT).collect()
    assert sorted((row["settlement_id"], row["total_amount"]) for row in visits) == [
        (name, Decimal("10.00"))
        for name in ("s2024-01-1", "s2024-01-2", "s2024-02-1", "s2024-02-2", "s2024-03-1")
    ]
