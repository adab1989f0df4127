"""Changes a table to the declaration of its contract, without changing rows.

Possible changes are new nullable columns, comments, properties, and the removal of NOT NULL. Every other
change is refused, with what to do instead.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql.types import StructField, StructType

from expectations.contract.table import TableContract
from jobs.lake.conditions import text_literal
from jobs.lake.table_faults import how_to_rebuild

#: Properties that go where a contract no longer declares them; a feature that was enabled stays.
_REMOVED = ("delta.dataSkippingNumIndexedCols", "delta.dataSkippingStatsColumns")


@dataclass(frozen=True)
class TableState:
    """The declaration of a table in the lake."""

    schema: StructType
    comment: str
    properties: Mapping[str, str]
    partition_by: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One change of a table: its description, and its SQL with `{table}` for the table."""

    what: str
    sql: str


@dataclass(frozen=True)
class Plan:
    """The changes that bring a table to its contract, and the necessary changes that are not possible."""

    changes: tuple[Change, ...]
    refusals: tuple[str, ...]


def state_of(spark: SparkSession, path: str) -> TableState:
    """Read the declaration of a table."""
    detail = DeltaTable.forPath(spark, path).detail()
    [row] = detail.select("description", "properties", "partitionColumns").collect()
    # The schema of a frame does not say which columns may not be empty; the log does.
    jvm: Any = spark._jvm
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)
    schema = json.loads(log.unsafeVolatileSnapshot().metadata().schemaString())
    return TableState(
        StructType.fromJson(schema),
        row["description"] or "",
        row["properties"],
        tuple(row["partitionColumns"]),
    )


def planned(contract: TableContract, state: TableState) -> Plan:
    """Compare a table with its contract."""
    there = {column.name: column for column in state.schema}
    declared = {column.name: column for column in contract.schema}
    refusals = []
    if state.partition_by != contract.partition_by:
        refusals.append(
            f"it is partitioned by {', '.join(state.partition_by) or 'nothing'}, not by"
            f" {', '.join(contract.partition_by) or 'nothing'}"
        )
    refusals += [f"column {name} is no longer declared" for name in there if name not in declared]
    missing = [column for name, column in declared.items() if name not in there]
    refusals += [
        f"column {column.name} is missing and must not be empty, but the existing rows have no value for it"
        for column in missing
        if not column.nullable
    ]
    changes = _added([column for column in missing if column.nullable])
    for name, column in declared.items():
        if name in there:
            fault, altered = _altered(there[name], column)
            refusals += [fault] if fault else []
            changes += altered
    return Plan(
        (*changes, *_comment(contract, state), *_properties(contract, state)),
        tuple(f"{each}: {how_to_rebuild(contract)}" for each in refusals),
    )


def apply(spark: SparkSession, path: str, change: Change) -> None:
    """Make one change, in one commit."""
    spark.sql(change.sql.replace("{table}", f"delta.`{path}`"))


def _added(columns: list[StructField]) -> list[Change]:
    if not columns:
        return []
    each = ", ".join(
        f"`{column.name}` {column.dataType.simpleString()} COMMENT {_comment_of(column)}"
        for column in columns
    )
    names = ", ".join(column.name for column in columns)
    what = f"add column {names}" if len(columns) == 1 else f"add columns {names}"
    return [Change(what, f"ALTER TABLE {{table}} ADD COLUMNS ({each})")]


def _altered(there: StructField, wanted: StructField) -> tuple[str, list[Change]]:
    """The impossible change of a column, if there is one, and the possible changes."""
    name, alter = wanted.name, f"ALTER TABLE {{table}} ALTER COLUMN `{wanted.name}`"
    was, will = there.dataType.simpleString(), wanted.dataType.simpleString()
    if was != will:
        return f"column {name} is {was}, not {will}", []
    if there.nullable and not wanted.nullable:
        return f"column {name} may be empty in it, and no longer in the contract", []
    changes = []
    if wanted.nullable and not there.nullable:
        changes.append(Change(f"let column {name} be empty", f"{alter} DROP NOT NULL"))
    if there.metadata.get("comment", "") != wanted.metadata["comment"]:
        changes.append(
            Change(f"comment of column {name}", f"{alter} COMMENT {_comment_of(wanted)}")
        )
    return "", changes


def _comment(contract: TableContract, state: TableState) -> list[Change]:
    if state.comment == contract.comment:
        return []
    return [
        Change(
            "comment of the table",
            f"COMMENT ON TABLE {{table}} IS {text_literal(contract.comment)}",
        )
    ]


def _properties(contract: TableContract, state: TableState) -> list[Change]:
    new = {
        name: value
        for name, value in contract.properties.items()
        if state.properties.get(name) != value
    }
    old = [
        name for name in _REMOVED if name in state.properties and name not in contract.properties
    ]
    changes = []
    if old:
        each = ", ".join(map(text_literal, old))
        sql = f"ALTER TABLE {{table}} UNSET TBLPROPERTIES IF EXISTS ({each})"
        changes.append(Change(f"remove property {', '.join(old)}", sql))
    if new:
        each = ", ".join(
            f"{text_literal(name)} = {text_literal(value)}" for name, value in new.items()
        )
        what = ", ".join(f"{name} = {value}" for name, value in new.items())
        changes.append(
            Change(f"set property {what}", f"ALTER TABLE {{table}} SET TBLPROPERTIES ({each})")
        )
    return changes


def _comment_of(column: StructField) -> str:
    return text_literal(column.metadata["comment"])
