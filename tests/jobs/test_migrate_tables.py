"""migrate_tables on a lake of an older version: what it says, changes, refuses, and whose locks it takes."""

from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from expectations.contract.errors import JobError
from expectations.gold.account import PEER_STATISTIC
from expectations.gold.fact import VISIT_FACT
from expectations.ops import JOB_RUN
from jobs import migrate_tables
from jobs.lake.locks import job_lock
from jobs.lake.migration import state_of
from jobs.lake.table_making import create_table


def older(contract, *without):
    """A contract as it was before some columns and what is said of the others."""
    first, *others = contract.fields
    fields = (
        replace(first, description="Otherwise"),
        *(each for each in others if each.name not in without),
    )
    return replace(
        contract, fields=fields, grain="otherwise", properties={"delta.appendOnly": "false"}
    )


_VALUES = {"boolean": "true", "date": "2024-01-01", "timestamp": "2024-01-01 10:00:00"}


@pytest.fixture
def lake_of_before(spark, new_workspace):
    """A lake with three tables of an older version, one of them `ops.job_run`, and a visit."""
    workspace = new_workspace()
    lake = workspace.lake
    for contract, without in (
        (VISIT_FACT, "operator_id"),
        (PEER_STATISTIC, ""),
        (JOB_RUN, "peak_memory_mb"),
    ):
        create_table(spark, older(contract, without), lake.path(contract))
    visit = spark.range(1).select(
        *(
            F.lit(_VALUES.get(each.type, "1")).cast(each.data_type).alias(each.name)
            for each in VISIT_FACT.fields
            if not each.nullable
        )
    )
    visit.write.format("delta").mode("append").save(lake.path(VISIT_FACT))
    return workspace


def as_declared(spark, workspace, contract):
    state = state_of(spark, workspace.lake.path(contract))
    comments = {each.name: each.metadata["comment"] for each in state.schema}
    return (
        comments == {each.name: each.comment for each in contract.fields}
        and state.comment == contract.comment
        and contract.properties.items() <= state.properties.items()
    )


def test_an_older_lake_is_told_of_then_brought_to_what_is_declared(spark, lake_of_before):
    lake = lake_of_before.lake
    with pytest.raises(JobError, match="Run migrate_tables"):
        lake.read(VISIT_FACT)

    told = lake_of_before.run(migrate_tables.JOB, dry_run=True)
    assert (told.exit_code, told.message) == (
        0,
        "3 of 3 tables would be brought to what this version declares",
    )
    assert not as_declared(spark, lake_of_before, VISIT_FACT)

    done = lake_of_before.run(migrate_tables.JOB)
    assert (done.exit_code, done.message) == (
        0,
        "3 of 3 tables were brought to what this version declares",
    )
    for contract in (PEER_STATISTIC, VISIT_FACT, JOB_RUN):
        assert as_declared(spark, lake_of_before, contract)
    [row] = lake_of_before.lake.read(VISIT_FACT).collect()
    assert (row["settlement_id"], row["operator_id"]) == ("1", None)
    again = lake_of_before.run(migrate_tables.JOB)
    assert again.message == "0 of 3 tables were brought to what this version declares"


def test_with_one_table_that_cannot_be_changed_none_is(spark, lake_of_before):
    path = lake_of_before.lake.path(PEER_STATISTIC)
    spark.sql(f"ALTER TABLE delta.`{path}` ADD COLUMNS (colour string)")
    refused = lake_of_before.run(migrate_tables.JOB)
    assert (refused.exit_code, refused.message) == (
        1,
        "nothing was changed. gold.peer_statistic: column colour is no longer declared: move the folder away"
        " and run build_member_features again for every as-of date that is needed",
    )
    assert not as_declared(spark, lake_of_before, VISIT_FACT)


def test_while_a_job_that_writes_one_of_the_tables_runs_nothing_is_changed(lake_of_before):
    with job_lock(lake_of_before.config.lake.root, "build_member_features"):
        held = lake_of_before.run(migrate_tables.JOB)
        told = lake_of_before.run(migrate_tables.JOB, dry_run=True)
    assert (held.exit_code, held.outcome) == (1, "refused")
    assert "build_member_features is already running" in held.message
    assert told.exit_code == 0
