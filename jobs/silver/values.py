"""Which values of new rows stand for nothing, and what was taken as empty, by batch and column."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.landing.event import SETTLEMENT
from expectations.landing.placeholders import Placeholders, Shared, column_placeholders
from expectations.landing.table import LandingField, LandingTable
from features.placeholders import TablePlaceholders, shared_values, with_marks
from jobs.lake.tables import Lake
from jobs.silver.changes import Changes

_PERSON, _SETTLEMENT = "psn_no", "setl_id"
#: So many new rows of a table are kept in memory for the length of its turn; more are read for each use.
MOST_ROWS_TO_KEEP = 200_000
_BATCH = ("batch", "batch_version")


def listed_placeholders(table: LandingTable, listed: Placeholders) -> TablePlaceholders:
    """What of `conf/placeholders.yaml` stands for nothing in a table."""
    by_column = {
        column.name: found
        for column in table.fields
        if (found := column_placeholders(listed, table, column, os.environ)) is not None
    }
    return TablePlaceholders(table, by_column, {})


def landed_rows(lake: Lake, changes: Changes, listed: TablePlaceholders) -> DataFrame:
    """The rows of new batches as they landed, in the versions that the ledger knows, with marks.

    An ingest that died may have left others in bronze, which the next ingest replaces. Few rows are kept, and not
    read again: a plan with the lists, and Delta's look for the files of a table, take longer than the rows.

    Args:
        lake: the lake.
        changes: what is new.
        listed: of `listed_placeholders`.
    """
    new = lake.read(listed.table.bronze, rows=changes.rows_new).filter(
        F.col("batch").isin(*changes.new) & F.col("batch_version").isin(*changes.new_versions)
    )
    rows = with_marks(new, listed)
    return rows.localCheckpoint() if changes.rows_new <= MOST_ROWS_TO_KEEP else rows


def with_shared(
    listed: TablePlaceholders, lake: Lake, changes: Changes, landed: DataFrame, limits: Shared
) -> TablePlaceholders:
    """What is listed, and what too many people carry in the new rows and in those of the days before.

    Args:
        listed: of `listed_placeholders`.
        lake: the lake; the tables that this one refers to are in silver already.
        changes: what is new.
        landed: of `landed_rows`.
        limits: when too many people carry a value.
    """
    table = listed.table
    named = (name.split(".") for name in limits.columns)
    names = {column for of, column in named if of == table.name}
    if not names or not changes.new:
        return listed
    values = []
    for column in table.fields:
        if column.name in names:
            value, is_listed = F.col(column.name), listed.is_placeholder(column)
            said = value if is_listed is None else F.when(~is_listed, value)
            text = said.cast("string").alias("value")
            values.append(F.struct(F.lit(column.name).alias("column"), text))
    rows = _with_person(lake, _counted_rows(listed, lake, changes, landed, limits))
    people = rows.select("person", "period", F.inline(F.array(*values)))
    return replace(listed, shared=shared_values(people, limits))


def value_profile(rows: DataFrame, placeholders: TablePlaceholders) -> list[dict[str, Any]]:
    """What the columns of landed rows hold, one dict per batch version and column for `ops.value_profile`.

    `emptied` is beside: the sum of the amounts among the placeholders that are taken as empty.

    Args:
        rows: of `landed_rows`.
        placeholders: of the table.
    """
    table = placeholders.table
    columns = [column for column in table.fields if column.name != "arrive_time"]
    measures = [F.count("*").alias("rows")]
    for column in columns:
        value, is_placeholder = F.col(column.name), placeholders.is_placeholder(column)
        found = F.lit(False) if is_placeholder is None else is_placeholder
        measures.append(F.count_if(value.isNull()).alias(f"{column.name}__empty"))
        if is_placeholder is not None:
            measures.append(F.count_if(found).alias(f"{column.name}__placeholder"))
        if _is_measure(column):
            said = F.when(~found, value.cast("double"))
            measures.append(F.avg(said).alias(f"{column.name}__mean"))
        if is_placeholder is not None and column.name in table.amounts:
            measures.append(F.sum(F.when(found, value)).alias(f"{column.name}__emptied"))
    batches = [row.asDict() for row in rows.groupBy(*_BATCH).agg(*measures).collect()]
    marked = [
        column
        for column in columns
        if any(row.get(f"{column.name}__placeholder") for row in batches)
    ]
    entries = _entries(rows, placeholders, marked)
    return [
        _column_profile(table, column, row, entries.get((*(row[at] for at in _BATCH), column.name)))
        for row in batches
        for column in columns
    ]


def _is_measure(column: LandingField) -> bool:
    return column.type.startswith("decimal") or column.type == "double"


def _entries(
    rows: DataFrame, placeholders: TablePlaceholders, columns: Sequence[LandingField]
) -> dict[tuple[Any, ...], dict[str, int]]:
    """Rows by entry of the list, by batch, version and column."""
    if not columns:
        return {}
    marks = F.array(
        *(
            F.struct(F.lit(each.name).alias("column"), placeholders.entry(each).alias("entry"))
            for each in columns
        )
    )
    marked = rows.select(*_BATCH, F.explode(marks).alias("mark")).filter("mark.entry is not null")
    found: dict[tuple[Any, ...], dict[str, int]] = {}
    by_entry = marked.groupBy(*_BATCH, "mark.column", "mark.entry").count()
    for row in by_entry.orderBy(*_BATCH, "column", "entry").collect():
        key = (*(row[at] for at in _BATCH), row["column"])
        found.setdefault(key, {})[row["entry"]] = row["count"]
    return found


def _column_profile(
    table: LandingTable,
    column: LandingField,
    batch: Mapping[str, Any],
    entries: Mapping[str, int] | None,
) -> dict[str, Any]:
    rows, empty = batch["rows"], batch[f"{column.name}__empty"]
    placeholders = batch.get(f"{column.name}__placeholder", 0)
    return {
        "table_name": table.name,
        **{at: batch[at] for at in _BATCH},
        "column_name": column.name,
        "rows_landed": rows,
        "rows_empty": empty,
        "rows_placeholder": placeholders,
        "placeholders": dict(entries or {}),
        "empty_share": (empty + placeholders) / rows if rows else None,
        "mean": batch.get(f"{column.name}__mean"),
        "emptied": batch.get(f"{column.name}__emptied") or Decimal(0),
    }


def _counted_rows(
    listed: TablePlaceholders, lake: Lake, changes: Changes, landed: DataFrame, limits: Shared
) -> DataFrame:
    """New rows and those of the days before the newest batch, with the `period` of so many days."""
    table, newest = listed.table, max(changes.new)
    if changes.has_history and lake.exists(table.silver):
        is_near = F.col("batch") >= F.lit(newest - timedelta(days=limits.history_days))
        older = lake.read(table.silver, rows=0).filter(
            is_near & ~F.col("batch").isin(*changes.new) & F.col("valid_to").isNull()
        )
        names = {silver: landed for landed, silver in table.silver_names.items()}
        old = older.withColumnsRenamed(names).select("batch", *table.columns)
        marked = with_marks(old, listed)
        landed = landed.select(*marked.columns).unionByName(marked)
    age = F.datediff(F.lit(newest), "batch")
    return landed.withColumn("period", F.floor(age / (limits.history_days + 1)))


def _with_person(lake: Lake, rows: DataFrame) -> DataFrame:
    """Add `person`: rows that name only a settlement are of its person."""
    if _PERSON in rows.columns:
        return rows.withColumn("person", F.col(_PERSON))
    settled = lake.read(SETTLEMENT.silver, rows=0).filter(F.col("valid_to").isNull())
    persons = settled.select(
        F.col("settlement_id").alias(_SETTLEMENT), F.col("member_id").alias("person")
    )
    return rows.join(persons, on=_SETTLEMENT, how="inner")
