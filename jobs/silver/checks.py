"""Whether what the ledger and the balance say of a table is what the tables themselves hold.

The balance of a run is worked out from what changed, so that a month costs a month. Here everything is counted
from the rows instead, each record followed from bronze to where it is now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.landing.table import LandingTable
from expectations.ops import quarantine
from jobs.lake.frames import persisted
from jobs.lake.progress import is_as_left
from jobs.lake.tables import Lake
from jobs.landing.batch_history import KeptBatch
from jobs.silver.changes import JOB_NAME, LastRun
from jobs.silver.measures import only_row

#: What tells one record from another. A version of a batch that was replaced has other records.
_RECORD = ("batch", "batch_version", "source_file", "record_number")


@dataclass(frozen=True)
class Found:
    """What was found in one table: faults as sentences, and whether its newest batches are in silver yet."""

    faults: tuple[str, ...]
    is_waiting: bool


def check_table(
    lake: Lake, table: LandingTable, batches: Mapping[date, KeptBatch], last: LastRun
) -> Found:
    """Compare a table's bronze, silver and quarantine with the ledger and with the last balance.

    Args:
        lake: the lake.
        table: the table; its bronze has to be there.
        batches: its batches, from the ledger of ingest_batch.
        last: what the last finished run of conform_tables left.
    """
    faults = [*_bronze_faults(lake, table, batches), *_refused_faults(lake, table, batches)]
    balance = last.balances.get(table.name)
    versions = {day: batch.version for day, batch in batches.items()}
    if not lake.exists(table.silver) or (balance and balance["batches"] != versions):
        return Found(tuple(faults), is_waiting=bool(batches))
    if balance is None or not is_as_left(lake, table.silver, last.progress):
        why = "is not as the last finished run of conform_tables left it: run conform_tables"
        return Found((*faults, f"{table.silver.name} {why}"), is_waiting=False)
    return Found((*faults, *_record_faults(lake, table, balance)), is_waiting=False)


def _bronze_faults(
    lake: Lake, table: LandingTable, batches: Mapping[date, KeptBatch]
) -> Iterator[str]:
    """Batches whose rows in bronze are not those that the ledger counted."""
    counted = _by_version(lake.read(table.bronze, rows=0))
    expected = {
        (day, batch.version): batch.rows_kept for day, batch in batches.items() if batch.rows_kept
    }
    yield from _differences(table.bronze.name, counted, expected)


def _refused_faults(
    lake: Lake, table: LandingTable, batches: Mapping[date, KeptBatch]
) -> Iterator[str]:
    """The same of the rows that ingest_batch refused."""
    contract = quarantine(table.name)
    expected = {
        (day, batch.version): batch.rows_quarantined
        for day, batch in batches.items()
        if batch.rows_quarantined
    }
    counted = {}
    if lake.exists(contract):
        counted = _by_version(lake.read(contract).filter(F.col("job") == "ingest_batch"))
    yield from _differences(contract.name, counted, expected)


def _by_version(rows: DataFrame) -> dict[tuple[date, str], int]:
    counted = rows.groupBy("batch", "batch_version").count().collect()
    return {(row["batch"], row["batch_version"]): row["count"] for row in counted}


def _differences(
    name: str, counted: Mapping[tuple[date, str], int], expected: Mapping[tuple[date, str], int]
) -> Iterator[str]:
    for day, version in sorted({*counted, *expected}):
        found, wanted = counted.get((day, version), 0), expected.get((day, version), 0)
        if found != wanted:
            told = f"{name}: batch {day} (version {version[:8]}) has {found} rows there, and"
            if wanted:
                yield f"{told} {wanted} in ops.landing_batch: restore a version of {name} that has them"
            else:
                yield f"{told} none in ops.landing_batch: run ingest_batch again, one did not end"


def _record_faults(lake: Lake, table: LandingTable, balance: Mapping[str, Any]) -> Iterator[str]:
    """Records that are in two places or in none, and counts and sums that are not the balance's."""
    bronze, silver = lake.read(table.bronze, rows=0), lake.read(table.silver, rows=0)
    with persisted(_places(lake, table, bronze, silver)) as places:
        in_silver, waiting = F.col("in_silver"), F.col("waiting")
        nowhere = (F.col("in_bronze") > 0) & (in_silver == 0) & (waiting == 0)
        counts = only_row(
            places.agg(
                F.sum("in_bronze").alias("landed"),
                F.sum("standing").alias("conformed"),
                F.sum("waiting").alias("quarantined"),
                F.sum(in_silver - F.col("standing")).alias("replaced"),
                F.count_if(nowhere).alias("nowhere"),
                F.count_if((in_silver > 0) & (waiting > 0)).alias("in_both"),
                F.count_if((in_silver > 1) | (waiting > 1)).alias("doubled"),
                F.count_if(F.col("in_bronze") == 0).alias("unknown"),
            )
        )
        keyless = 0
        if counts["nowhere"]:
            # A row that never held has a better one of the same key in silver.
            keys = silver.select("key_hash").distinct()
            lost = places.filter(nowhere).join(keys, on="key_hash", how="left_anti")
            keyless = lost.count()
    superseded = counts["replaced"] + counts["nowhere"]
    for rows, what in (
        (counts["in_both"], "both in silver and in quarantine"),
        (counts["doubled"], "twice in silver or in quarantine"),
        (counts["unknown"], "in silver or in quarantine, but not in bronze"),
        (keyless, "in bronze alone, and no row in silver has their key"),
    ):
        if rows:
            yield f"{table.name}: {rows} records are {what}"
    for end in ("landed", "conformed", "quarantined"):
        if counts[end] != balance[f"rows_{end}"]:
            yield _unlike(table, f"{counts[end]} rows {end}", balance[f"rows_{end}"])
    if superseded != balance["rows_superseded"]:
        yield _unlike(table, f"{superseded} rows superseded", balance["rows_superseded"])
    yield from _amount_faults(lake, table, balance)


def _places(lake: Lake, table: LandingTable, bronze: DataFrame, silver: DataFrame) -> DataFrame:
    """Each record once, with how often it is in bronze, in silver (and standing there) and in quarantine."""
    names = ("in_bronze", "in_silver", "standing", "waiting")

    def placed(rows: DataFrame, key_hash: Any, **counts: Any) -> DataFrame:
        columns = [F.lit(counts.get(name, 0)).cast("int").alias(name) for name in names]
        return rows.select(*_RECORD, key_hash.alias("key_hash"), *columns)

    stands = F.col("valid_to").isNull()
    nothing = F.lit(None).cast("long")
    parts = [
        placed(bronze, F.xxhash64(*table.key), in_bronze=1),
        placed(silver, nothing, in_silver=1, standing=stands),
    ]
    orphans = _orphans(lake, table)
    if orphans is not None:
        parts.append(placed(orphans, nothing, waiting=1))
    sums = [F.sum(name).alias(name) for name in names]
    every = reduce(DataFrame.unionByName, parts)
    return every.groupBy(*_RECORD).agg(F.max("key_hash").alias("key_hash"), *sums)


def _amount_faults(lake: Lake, table: LandingTable, balance: Mapping[str, Any]) -> Iterator[str]:
    """Sums that are not those of the balance; what is superseded is the rest, so that it need not be looked at."""
    if not table.amounts:
        return
    types = {each.name: each.type for each in table.fields}
    standing = lake.read(table.silver, rows=0).filter(F.col("valid_to").isNull())
    sums = {
        "landed": _sums(lake.read(table.bronze, rows=0), {name: name for name in table.amounts}),
        "conformed": _sums(standing, {name: table.silver_names[name] for name in table.amounts}),
    }
    orphans = _orphans(lake, table)
    if orphans is not None:
        columns = ", ".join(f"{name} {types[name]}" for name in table.amounts)
        record = F.from_json("raw_record", columns).alias("record")
        waiting = orphans.select(record).select("record.*")
        sums["quarantined"] = _sums(waiting, {name: name for name in table.amounts})
    for end, found in sums.items():
        told = balance[f"amounts_{end}"] or {}
        for name, total in found.items():
            if Decimal(total) != (told.get(name) or Decimal(0)):
                yield _unlike(table, f"a sum of {name} {end} of {total}", told.get(name))


def _sums(rows: DataFrame, columns: Mapping[str, str]) -> dict[str, Any]:
    return only_row(rows.agg(*(F.sum(column).alias(name) for name, column in columns.items())))


def _orphans(lake: Lake, table: LandingTable) -> DataFrame | None:
    contract = quarantine(table.name)
    if not lake.exists(contract):
        return None
    return lake.read(contract).filter(F.col("job") == JOB_NAME)


def _unlike(table: LandingTable, found: str, told: Any) -> str:
    return f"{table.name}: the tables have {found}, ops.table_balance says {told}"
