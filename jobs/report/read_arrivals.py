"""Arrivals, refusals and validation results, read from ops and quarantine for the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from expectations.landing.reasons import RowReason, quarantined_reasons
from expectations.ops import LANDING_BATCH, TABLE_BALANCE, VALIDATION_RESULT, quarantine
from expectations.tables import LANDING_TABLES
from jobs.lake.sequence import newest_first
from jobs.lake.tables import Lake
from jobs.report.arrival import (
    AmountBalance,
    Arrival,
    Expectation,
    QuarantineReason,
    RefusedBatch,
)

#: What a page has room for.
MAX_REASONS_OF_TABLE = 15
MAX_REFUSED = 50

_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Quarantined:
    """The rows in quarantine by table, and their most common reasons."""

    rows: Mapping[str, int]
    reasons: tuple[QuarantineReason, ...]
    reasons_cut: int


def quarantined(lake: Lake) -> Quarantined:
    """Count the rows in every quarantine, with each table's most common reasons and one place for each."""
    rows: dict[str, int] = {}
    reasons: list[QuarantineReason] = []
    cut = 0
    for table in LANDING_TABLES:
        waiting = lake.read_or_none(quarantine(table.name))
        if waiting is None:
            continue
        rows[table.name] = waiting.count()
        place = F.struct("batch", "source_file", "record_number")
        coded = F.when(F.col("reason.code").isNotNull(), F.col("reason"))
        counted = (
            waiting.select(F.explode(quarantined_reasons()).alias("reason"), place.alias("place"))
            .groupBy(F.col("reason.text").alias("text"))
            .agg(
                F.count("*").alias("rows"),
                F.min("place").alias("place"),
                F.first(coded, ignorenulls=True).alias("reason"),
            )
        )
        cut += max(counted.count() - MAX_REASONS_OF_TABLE, 0)
        commonest = counted.orderBy(F.desc("rows"), "text").limit(MAX_REASONS_OF_TABLE)
        reasons += [
            QuarantineReason(
                table.name, row["text"], _row_reason(row["reason"]), row["rows"], *row["place"]
            )
            for row in commonest.collect()
        ]
    return Quarantined(rows, tuple(reasons), cut)


def _row_reason(found: Row | None) -> RowReason | None:
    if found is None:
        return None
    return RowReason(found["code"], found["column"], found["parameters"])


def arrivals(
    lake: Lake, waiting: Mapping[str, int]
) -> tuple[tuple[Arrival, ...], tuple[RefusedBatch, ...]]:
    """Each landing table's batches and rows with their outcome, and the refused batches.

    Rows landed and superseded come from `ops.landing_batch` and `ops.table_balance`, rows conformed
    from the latter, rows quarantined (`waiting`) from the quarantine tables themselves. The four have to
    agree, so each checks the others.
    """
    batches = lake.read_or_none(LANDING_BATCH)
    if batches is None:
        return (), ()
    attempts = Window.partitionBy("table_name", "batch", "batch_version").orderBy(
        F.col("outcome") != "kept", *newest_first("written_at"), "run_id"
    )
    versions = batches.withColumn("at", F.row_number().over(attempts)).filter("at = 1")
    standing_first = Window.partitionBy("table_name", "batch").orderBy(
        *newest_first("written_at"), "batch_version"
    )
    accepted = (
        versions.filter("outcome = 'kept'")
        .withColumn("is_standing", F.row_number().over(standing_first) == 1)
        .cache()
    )
    counted = accepted.groupBy("table_name").agg(
        F.count("*").alias("batches"),
        F.sum("rows_landed").alias("landed"),
        F.sum("rows_kept").alias("kept"),
        F.sum("rows_superseded").alias("superseded"),
        F.map_from_entries(
            F.collect_list(F.when(F.col("is_standing"), F.struct("batch", "batch_version")))
        ).alias("standing"),
    )
    by_table = {row["table_name"]: row.asDict() for row in counted.collect()}
    amounts = _batch_amounts(accepted)
    refused = versions.filter("outcome = 'refused'").cache()
    refusals = {
        row["table_name"]: row["count"] for row in refused.groupBy("table_name").count().collect()
    }
    balances = _newest_balances(lake)
    found = tuple(
        _arrival(
            table.name,
            by_table.get(table.name, {}),
            refusals.get(table.name, 0),
            waiting.get(table.name, 0),
            amounts.get(table.name, {}),
            balances.get(table.name),
        )
        for table in LANDING_TABLES
        if table.name in by_table or table.name in refusals
    )
    named = refused.orderBy(F.desc("batch"), "table_name", "batch_version").limit(MAX_REFUSED)
    refused_batches = tuple(
        RefusedBatch(row["table_name"], row["batch"], tuple(row["reasons"] or ()))
        for row in named.collect()
    )
    accepted.unpersist()
    refused.unpersist()
    return found, refused_batches


def expectations(lake: Lake) -> tuple[Expectation, ...]:
    """Every expectation in the newest validation of its table."""
    results = lake.read_or_none(VALIDATION_RESULT)
    if results is None:
        return ()
    newest = results.groupBy("table_name").agg(
        F.max_by("run_id", F.struct("sequence", "written_at", "run_id")).alias("run_id")
    )
    rows = (
        results.join(F.broadcast(newest), on=["table_name", "run_id"], how="inner")
        .orderBy("table_name", "is_met", "severity", "expectation", "columns")
        .collect()
    )
    return tuple(
        Expectation(
            row["table_name"],
            row["expectation"],
            row["columns"],
            row["severity"],
            row["is_met"],
            row["rows_checked"],
            row["rows_unexpected"],
            row["note"],
        )
        for row in rows
    )


def _batch_amounts(accepted: DataFrame) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Amounts by table and column: landed, replaced by later versions, sent to quarantine."""
    exploded = accepted.select(
        "table_name",
        "is_standing",
        "amounts_kept",
        F.explode("amounts_landed").alias("name", "landed"),
    )
    refused = F.col("landed") - F.coalesce(F.col("amounts_kept")[F.col("name")], F.lit(_NOTHING))
    zero = F.lit(_NOTHING)
    sums = exploded.groupBy("table_name", "name").agg(
        F.sum("landed").alias("landed"),
        F.sum(F.when(~F.col("is_standing"), F.col("landed")).otherwise(zero)).alias("replaced"),
        F.sum(F.when(F.col("is_standing"), refused).otherwise(zero)).alias("refused"),
    )
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for row in sums.orderBy("table_name", "name").collect():
        found.setdefault(row["table_name"], {})[row["name"]] = row.asDict()
    return found


def _newest_balances(lake: Lake) -> dict[str, dict[str, Any]]:
    """The newest balance of each table."""
    balances = lake.read_or_none(TABLE_BALANCE)
    if balances is None:
        return {}
    newest = Window.partitionBy("table_name").orderBy(*newest_first("written_at"), "run_id")
    rows = balances.withColumn("at", F.row_number().over(newest)).filter("at = 1").collect()
    return {row["table_name"]: row.asDict() for row in rows}


def _arrival(
    table: str,
    batches: Mapping[str, Any],
    refused: int,
    waiting: int,
    amounts: Mapping[str, Mapping[str, Decimal]],
    balance: Mapping[str, Any] | None,
) -> Arrival:
    sums = tuple(
        AmountBalance(
            name,
            landed=by_state["landed"],
            conformed=_of(balance, "conformed", name),
            superseded=by_state["replaced"] + _of(balance, "superseded", name),
            quarantined=by_state["refused"] + _of(balance, "quarantined", name),
            emptied=_of(balance, "emptied", name),
        )
        for name, by_state in amounts.items()
        if balance is not None and by_state["landed"]
    )
    return Arrival(
        table=table,
        batches_kept=batches.get("batches", 0),
        batches_refused=refused,
        landed=batches.get("landed", 0),
        kept=batches.get("kept", 0),
        conformed=balance["rows_conformed"] if balance else None,
        superseded=batches.get("superseded", 0) + (balance["rows_superseded"] if balance else 0),
        quarantined=waiting,
        amounts=sums,
        is_stale=bool(balance and batches and balance["batches"] != batches["standing"]),
    )


def _of(balance: Mapping[str, Any] | None, state: str, name: str) -> Decimal:
    found = ((balance or {}).get(f"amounts_{state}") or {}).get(name)
    return found if isinstance(found, Decimal) else _NOTHING
