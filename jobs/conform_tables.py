"""Turn bronze into silver: the project's names, every version with the time it held, no orphans.

Only what is new is worked on: the rows of new batches, the orphans that still wait, and the rows of
older batches that share a key with them. What that leaves out cannot have changed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from expectations.landing import LandingTable
from expectations.ops import TABLE_BALANCE, quarantine
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from features.versions import (
    STATES,
    References,
    arrived_rows,
    ever_held,
    lone_versions,
    ranked_versions,
)
from jobs import _bronze_changes
from jobs._bronze_changes import Changes, changes_of, newest_balances
from jobs._errors import DataRefused
from jobs._runtime import Job, JobRun, refuse, run, step
from jobs._tables import Lake

#: Orphans wait as JSON and come back from it: nothing of a time may be lost on the way.
_JSON = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
_IDENTITY = ("batch", "source_file", "record_number")
#: So many keys are sent to every task to be looked up there; more are shuffled.
_MOST_KEYS_TO_SEND = 2_000_000


def main(this: JobRun) -> str:
    """Bring the silver table of every bronze table up to date, parents before children."""
    tables = [table for table in LANDING_TABLES if this.lake.exists(table.bronze)]
    if not tables:
        raise DataRefused(f"there is no bronze table in {this.lake.root}: run ingest_batch first")
    before = newest_balances(this.lake)
    epochs: dict[str, str] = {}
    balances: list[dict[str, Any]] = []
    waiting = 0
    try:
        for table in tables:
            changes = changes_of(this.lake, table, before.get(table.name), epochs)
            if not changes.new and not changes.before["rows_quarantined"]:
                epochs[table.name] = changes.before["epoch"]
                continue
            with step(this, f"{table.name}: {len(changes.new)} batches conformed"):
                balance = _conform(this, table, changes)
            epochs[table.name] = balance["epoch"]
            waiting += balance["rows_quarantined"]
            lost = balance["rows_landed"] - _accounted_for(balance)
            refuse(
                lost != 0,
                f"{table.name}: {abs(lost)} of its rows in bronze were {'lost' if lost > 0 else 'doubled'}",
            )
            balances.append(balance)
    finally:
        if balances:
            frame = this.spark.createDataFrame(balances, TABLE_BALANCE.schema)
            this.lake.append(frame.coalesce(1), TABLE_BALANCE)
    return f"{len(tables)} tables, {waiting} orphans wait in quarantine"


def _accounted_for(balance: Mapping[str, Any]) -> int:
    return sum(int(balance[f"rows_{end}"]) for end in ("conformed", "superseded", "quarantined"))


def _conform(this: JobRun, table: LandingTable, changes: Changes) -> dict[str, Any]:
    """Bring one silver table and its orphans up to date; the row of `ops/table_balance`."""
    lake = this.lake
    firsts_before = _key_firsts(lake, table) if changes.is_all and changes.epoch else None
    with _concerned(lake, table, changes) as rows, _classified(lake, table, changes, rows) as found:
        observed = Observation(table.name)
        measured = found.observe(observed, *_measures(table))
        is_new = F.col("batch").isin(*changes.new)
        if changes.new:
            fresh = measured if changes.is_all else measured.filter(is_new)
            where = None if changes.is_all else {"batch": list(changes.new)}
            lake.replace(_silver(fresh.filter(ever_held()), table), table.silver, where)
        else:
            measured.count()
        measures = observed.get
        if measures["older_rows"]:
            older = found.filter(~is_new & _is_changed())
            lake.merge(
                _silver(older, table, ever_held().alias("is_kept")),
                table.silver,
                _IDENTITY,
                "is_kept",
            )
        contract = quarantine(table.name)
        if measures["orphan_rows"] or lake.exists(contract):
            lake.replace(_quarantined(found, table), contract, {"job": "conform_tables"})
    if firsts_before is not None:
        now = _key_firsts(lake, table)
        moved = firsts_before.join(now, on=["key_hash", "valid_from"], how="left_anti").count()
    else:
        moved = measures["moved_rows"] if changes.epoch else 1
    epoch = this.run_id if moved else str(changes.epoch)
    return _balance(this, table, changes, measures, epoch)


def _key_firsts(lake: Lake, table: LandingTable) -> DataFrame:
    """When each key of a silver table was first known; children depend on it."""
    return lake.read(table.silver).filter("is_first").select("key_hash", "valid_from")


@contextmanager
def _concerned(lake: Lake, table: LandingTable, changes: Changes) -> Iterator[DataFrame]:
    """Rows that have to be classified, with what each `was`: null if new, else its old state and times."""
    landed = lake.read(table.bronze)
    new = landed if changes.is_all else landed.filter(F.col("batch").isin(*changes.new))
    was_type = "struct<state:string,valid_from:timestamp,valid_to:timestamp,is_first:boolean>"
    rows = new.withColumn("was", F.lit(None).cast(was_type))
    if changes.before.get("rows_quarantined"):
        rows = rows.unionByName(_waiting(lake, table).withColumn("was", _was("'orphan'")))
    rows = rows.withColumn("key_hash", F.xxhash64(*table.key))
    if not changes.has_history:
        yield rows
        return
    related = _related(lake, table, changes, rows).persist()
    yield rows.unionByName(related) if related.count() else rows
    related.unpersist()


def _was(state: str) -> Column:
    times = "cast(null as timestamp) as valid_from, cast(null as timestamp) as valid_to"
    return F.expr(f"struct({state} as state, {times}, cast(null as boolean) as is_first)")


def _waiting(lake: Lake, table: LandingTable) -> DataFrame:
    """The orphans, in the columns of bronze again."""
    waiting = lake.read(quarantine(table.name)).filter(F.col("job") == "conform_tables")
    columns = ", ".join(f"{each.name} {each.type}" for each in table.fields)
    record = F.from_json("raw_record", columns, _JSON)
    lineage = [name for name in table.bronze.columns if name not in table.columns]
    return waiting.select(*lineage, record.alias("record")).select(*lineage, "record.*")


def _related(lake: Lake, table: LandingTable, changes: Changes, rows: DataFrame) -> DataFrame:
    """Silver rows of older batches that share a key with new rows, or that these reverse."""
    wanted = rows.select("key_hash")
    for reference in table.references:
        if reference.parent == table.name:
            reversed_key = F.xxhash64(reference.column).alias("key_hash")
            wanted = wanted.union(
                rows.filter(F.col(reference.column).isNotNull()).select(reversed_key)
            )
    new_rows = lake.read(table.bronze).count() - changes.before["rows_landed"]
    if new_rows <= _MOST_KEYS_TO_SEND:
        wanted = F.broadcast(wanted)
    names = {silver: landed for landed, silver in table.silver_names.items()}
    older = lake.read(table.silver).filter(~F.col("batch").isin(*changes.new))
    state = F.when(F.col("valid_to").isNull(), "standing").otherwise("superseded").alias("state")
    was = F.struct(state, "valid_from", "valid_to", "is_first").alias("was")
    return (
        older.join(wanted, on="key_hash", how="left_semi")
        .withColumnsRenamed(names)
        .select(*table.bronze.columns, was, "key_hash")
    )


@contextmanager
def _classified(
    lake: Lake, table: LandingTable, changes: Changes, rows: DataFrame
) -> Iterator[DataFrame]:
    """The rows with when they held and the `state` they are in.

    Nearly every row is the only one of its key. In a large table only the others are ranked: ranking
    all would send every row with all its columns through a shuffle and two sorts.
    """
    firsts = {
        reference.parent: _firsts(lake, reference.parent, reference.column, changes, rows)
        for reference in table.references
        if reference.parent != table.name and lake.exists(LANDING_BY_NAME[reference.parent].silver)
    }
    arrived = arrived_rows(rows, References(table, firsts))
    if changes.is_all and lake.read(table.bronze).count() <= _bronze_changes.FEW_ROWS:
        ranked = ranked_versions(arrived, table.key, table.columns).persist()
        yield ranked
        ranked.unpersist()
        return
    counts = rows.groupBy("key_hash").count().filter("count > 1").select("key_hash")
    contested = counts.persist()
    if not contested.count():
        yield lone_versions(arrived)
        contested.unpersist()
        return
    several = arrived.join(contested, on="key_hash", how="left_semi")
    ranked = ranked_versions(several, table.key, table.columns).persist()
    lone = lone_versions(arrived.join(contested, on="key_hash", how="left_anti"))
    yield lone.unionByName(ranked)
    ranked.unpersist()
    contested.unpersist()


def _firsts(lake: Lake, parent: str, column: str, changes: Changes, rows: DataFrame) -> DataFrame:
    """When each row of a parent table had first arrived, by its key.

    What new rows refer to has nearly always come in the same batches; only for the rest are the older
    ones looked through, so that a month costs the same with a year behind it. A reference table does
    not grow with time and is read whole.
    """
    table = LANDING_BY_NAME[parent]
    key = table.key[0]
    versions = lake.read(table.silver).filter("is_first")
    firsts = versions.select("batch", F.col(table.silver_names[key]).alias(key), "valid_from")
    if changes.is_all or table.kind == "reference":
        return _sent(firsts.drop("batch"))
    is_recent = F.col("batch").isin(*changes.new)
    recent = _sent(firsts.filter(is_recent).drop("batch"))
    named = rows.filter(F.col(column).isNotNull()).select(F.col(column).alias(key))
    missing = named.join(recent, on=key, how="left_anti").distinct().persist()
    if not missing.count():
        return recent
    older = firsts.filter(~is_recent).drop("batch").join(missing, on=key, how="left_semi")
    return _sent(recent.unionByName(older))


def _sent(frame: DataFrame) -> DataFrame:
    """Marked to be sent to every task if it is small enough: then what it is joined with stays in place."""
    return F.broadcast(frame) if frame.count() <= _MOST_KEYS_TO_SEND else frame


def _is_changed() -> Column:
    """Whether silver has to be told: a row that was an orphan, or whose times are others now."""
    same = reduce(
        Column.__and__,
        (
            F.col(name).eqNullSafe(F.col(f"was.{name}"))
            for name in ("valid_from", "valid_to", "is_first")
        ),
    )
    return ((F.col("was.state") == "orphan") & ever_held()) | (
        (F.col("was.state") != "orphan") & ~same
    )


def _silver(found: DataFrame, table: LandingTable, *others: Column) -> DataFrame:
    return found.withColumnsRenamed(table.silver_names).select(*table.silver.columns, *others)


def _quarantined(found: DataFrame, table: LandingTable) -> DataFrame:
    record = F.to_json(F.struct(*table.columns), _JSON)
    return found.filter(F.col("state") == "orphan").select(
        F.lit("conform_tables").alias("job"),
        "batch",
        "batch_version",
        "source_file",
        "record_number",
        "reasons",
        record.alias("raw_record"),
    )


def _measures(table: LandingTable) -> list[Column]:
    """Rows and sums of amounts by state, now and before, taken in the pass that writes silver."""
    was_first = F.coalesce("was.is_first", F.lit(False))
    moved = ~F.col("is_first") | (F.col("valid_from") != F.col("was.valid_from"))
    measures = [
        F.count_if(was_first & moved).alias("moved_rows"),
        F.count_if(F.col("was").isNotNull() & _is_changed()).alias("older_rows"),
    ]
    for at, column in (("", "state"), ("was_", "was.state")):
        for state in STATES:
            is_in = F.col(column).eqNullSafe(F.lit(state))
            measures.append(F.count_if(is_in).alias(f"{at}{state}_rows"))
            measures += [
                F.coalesce(F.sum(F.when(is_in, F.col(name))), F.lit(0))
                .cast("decimal(38,6)")
                .alias(f"{at}{state}_{name}")
                for name in table.amounts
            ]
    return measures


def _balance(
    this: JobRun, table: LandingTable, changes: Changes, found: Mapping[str, Any], epoch: str
) -> dict[str, Any]:
    """What has become of all rows of bronze: as before, less what the rows were, plus what they are.

    The rows landed are counted apart, so that a lost or doubled row shows.
    """
    ends = dict(zip(STATES, ("conformed", "superseded", "quarantined"), strict=True))
    rows, amounts = {}, {}
    for state, end in ends.items():
        gained = found[f"{state}_rows"] - found[f"was_{state}_rows"]
        rows[f"rows_{end}"] = changes.before.get(f"rows_{end}", 0) + gained
        old = changes.before.get(f"amounts_{end}") or {}
        amounts[f"amounts_{end}"] = {
            name: old.get(name, Decimal(0))
            + Decimal(found[f"{state}_{name}"])
            - Decimal(found[f"was_{state}_{name}"])
            for name in table.amounts
        }
    return {
        "run_id": this.run_id,
        "job": "conform_tables",
        "table_name": table.name,
        "rows_landed": this.lake.read(table.bronze).count(),
        **rows,
        "amounts_landed": {
            name: sum((each[name] for each in amounts.values()), Decimal(0))
            for name in table.amounts
        },
        **amounts,
        "batches": dict(changes.batches),
        "epoch": epoch,
        "parent_epochs": dict(changes.parent_epochs),
        "silver_version": this.lake.version(table.silver),
        "written_at": datetime.now(UTC),
    }


JOB = Job(
    "conform_tables", "Turn bronze into silver: names, versions in time, orphans held back", main
)

if __name__ == "__main__":
    run(JOB)
