"""What brings a table to its contract, and what is refused; no Spark."""

import pytest
from pyspark.sql.types import StructType

from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS, limits_of
from expectations.contract.table import Field, TableContract
from jobs.lake.migration import TableState, planned


def contract(*fields, name="gold.note", properties=KEPT_A_MONTH, partition_by=()):
    return TableContract(
        name=name,
        grain="one row per note",
        fields=(Field("id", "long", "The note", nullable=False), *fields),
        primary_key=("id",),
        partition_by=partition_by,
        written_by="write_notes",
        properties=properties,
    )


def state(declared, **changes):
    """How a table is declared that was made from a contract."""
    found = {
        "schema": declared.schema,
        "comment": declared.comment,
        "properties": dict(declared.properties),
        "partition_by": declared.partition_by,
    }
    return TableState(**found | changes)


def test_a_table_that_is_as_declared_needs_nothing():
    table = contract(Field("text", "string", "What it says"))
    plan = planned(table, state(table))
    assert (plan.changes, plan.refusals) == ((), ())


def test_columns_that_may_be_empty_are_added_with_their_comments():
    older = contract()
    newer = contract(
        Field("text", "string", "What it's about"), Field("n", "decimal(16,2)", "Yuan")
    )
    [change] = planned(newer, state(older)).changes
    assert change.what == "add columns text, n"
    assert change.sql == (
        "ALTER TABLE {table} ADD COLUMNS (`text` string COMMENT 'What it\\'s about.',"
        " `n` decimal(16,2) COMMENT 'Yuan.')"
    )


def test_comments_and_properties_follow_the_contract():
    older = contract(
        Field("text", "string", "Old", nullable=False), properties={**WITHOUT_LIMITS, "x": "1"}
    )
    newer = contract(Field("text", "string", "New"), properties=KEPT_A_MONTH | limits_of("id"))
    plan = planned(newer, state(older, comment="something else"))
    assert plan.refusals == ()
    assert [change.what for change in plan.changes] == [
        "let column text be empty",
        "comment of column text",
        "comment of the table",
        "remove property delta.dataSkippingNumIndexedCols",
        "set property delta.logRetentionDuration = interval 90 days,"
        " delta.deletedFileRetentionDuration = interval 30 days, delta.dataSkippingStatsColumns = id",
    ]


@pytest.mark.parametrize(
    ("older", "newer", "fault"),
    [
        (
            contract(),
            contract(Field("text", "string", "T", nullable=False)),
            "column text is missing and must not be empty, but the existing rows have no value for it",
        ),
        (
            contract(Field("text", "string", "T")),
            contract(),
            "column text is no longer declared",
        ),
        (
            contract(Field("text", "string", "T")),
            contract(Field("text", "long", "T")),
            "column text is string, not bigint",
        ),
        (
            contract(Field("text", "string", "T")),
            contract(Field("text", "string", "T", nullable=False)),
            "column text may be empty in it, and no longer in the contract",
        ),
        (
            contract(),
            contract(partition_by=("id",)),
            "it is partitioned by nothing, not by id",
        ),
    ],
)
def test_what_would_change_rows_is_refused_with_what_to_do(older, newer, fault):
    plan = planned(newer, state(older))
    assert plan.refusals == (f"{fault}: move the folder away and run write_notes again",)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("bronze.note", "give another lake.root and run everything again on all landing batches"),
        ("silver.note", "move the folder away and run write_notes again"),
        ("ops.note", "move the folder away: the next job creates a new one"),
    ],
)
def test_what_to_do_depends_on_where_the_rows_come_from(name, remedy):
    [refusal] = planned(contract(name=name), state(contract(), schema=StructType())).refusals
    assert refusal.endswith(remedy)
