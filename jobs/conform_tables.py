"""Turn bronze into silver: the project's names, every version with the time it held, no orphans.

Only what is new is worked on: the rows of new batches, the orphans that still wait, and the rows of
older batches that share a key with them. What that leaves out cannot have changed.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused
from expectations.landing.table import LandingTable
from expectations.ops import TABLE_BALANCE, quarantine
from expectations.tables import LANDING_TABLES
from features.versions import STATES, arrived_rows, ever_held, lone_versions, ranked_versions
from jobs.lake.frames import persisted
from jobs.lake.tables import Lake
from jobs.landing.batch_history import Ledger, read_ledger
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, refuse, step
from jobs.runtime.threads import each_table
from jobs.silver.affected_rows import JSON_TIMES, ConcernedRows
from jobs.silver.changes import Changes, changes_of, newest_balances

_IDENTITY = ("batch", "source_file", "record_number")
#: What became of rows and amounts, by measure; what is not there is nought.
_Measures = Counter[str]


def main(run: JobRun) -> str:
    """Bring the silver table of every bronze table up to date, parents before children."""
    tables = [table for table in LANDING_TABLES if run.lake.exists(table.bronze)]
    if not tables:
        raise DataRefused(f"there is no bronze table in {run.lake.root}: run ingest_batch first")
    before, ledger = newest_balances(run.lake), read_ledger(run.lake)
    epochs: dict[str, str] = {}
    balances: list[dict[str, Any]] = []

    def conformed(table: LandingTable) -> None:
        changes = changes_of(run.lake, table, ledger.of(table.name), before.get(table.name), epochs)
        if not changes.new and not changes.before["rows_quarantined"]:
            epochs[table.name] = changes.before["epoch"]
            return
        with step(run, f"{table.name}: {len(changes.new)} batches conformed"):
            balance = _conform(run, table, changes, ledger)
        epochs[table.name] = balance["epoch"]
        lost = balance["rows_landed"] - _accounted_for(balance)
        refuse(
            lost != 0,
            f"{table.name}: {abs(lost)} of its rows in bronze were {'lost' if lost > 0 else 'doubled'}",
        )
        balances.append(balance)

    try:
        each_table(run.spark, tables, conformed, is_parent_first=True)
    finally:
        if balances:
            frame = run.spark.createDataFrame(balances, TABLE_BALANCE.schema)
            run.lake.append(frame.coalesce(1), TABLE_BALANCE)
    waiting = sum(balance["rows_quarantined"] for balance in balances)
    return f"{len(tables)} tables, {waiting} orphans wait in quarantine"


def _accounted_for(balance: Mapping[str, Any]) -> int:
    return sum(int(balance[f"rows_{end}"]) for end in ("conformed", "superseded", "quarantined"))


def _conform(run: JobRun, table: LandingTable, changes: Changes, ledger: Ledger) -> dict[str, Any]:
    """Bring one silver table and its orphans up to date; the row of `ops/table_balance`."""
    lake = run.lake
    is_compared = changes.is_all and bool(changes.epoch)
    firsts_before = _key_firsts(lake.read(table.silver, rows=0)) if is_compared else None
    concerned = ConcernedRows(lake, table, changes, ledger)
    if changes.is_small:
        measures = _conform_whole(lake, table, changes, concerned, firsts_before)
    else:
        measures = _conform_apart(lake, table, changes, concerned)
        if firsts_before is not None:
            now = _key_firsts(lake.read(table.silver, rows=0))
            measures["moved_rows"] = _moved(firsts_before, now)
    moved = measures["moved_rows"] if changes.epoch else 1
    epoch = run.run_id if moved else str(changes.epoch)
    return _balance(run, table, changes, measures, epoch)


def _conform_whole(
    lake: Lake,
    table: LandingTable,
    changes: Changes,
    concerned: ConcernedRows,
    firsts_before: DataFrame | None,
) -> _Measures:
    """Make a small table anew: all its rows are ranked."""
    arrived = arrived_rows(concerned.new(), concerned.nearby_references())
    with persisted(ranked_versions(arrived, table.key, table.columns)) as ranked:
        measures = _measured(ranked, table)
        held = ranked.filter(ever_held())
        if firsts_before is not None:
            measures["moved_rows"] = _moved(firsts_before, _key_firsts(held))
        lake.replace(_silver(held, table), table.silver)
        _hold_back(lake, table, changes, ranked, measures)
    return measures


def _conform_apart(
    lake: Lake, table: LandingTable, changes: Changes, concerned: ConcernedRows
) -> _Measures:
    """Write the rows that meet no others as they come, then rank the few others.

    Ranking all would send every row with all its columns through a shuffle and two sorts.
    """
    with concerned.meeting() as meeting:
        new = concerned.new()
        lone = new if meeting is None else new.join(meeting.keys, on="key_hash", how="left_anti")
        arrived = arrived_rows(lone, concerned.nearby_references())
        measures = _write_lone(lake, table, changes, arrived.filter(~F.col("is_orphan")))
        others = [] if meeting is None else [meeting.rows]
        met = 0 if meeting is None else meeting.rows.filter(F.col("was").isNull()).count()
        if measures["standing_rows"] + met < changes.rows_new:
            # What they refer to came earlier or never did.
            others.append(arrived.filter("is_orphan").select(*new.columns))
        if others:
            with persisted(reduce(DataFrame.unionByName, others)) as rows:
                measures.update(_write_ranked(lake, table, changes, concerned, rows))
    return measures


def _write_lone(lake: Lake, table: LandingTable, changes: Changes, arrived: DataFrame) -> _Measures:
    """Write new batches' rows, or all anew; rows and sums of amounts as they then stand there."""
    if not changes.new:
        return Counter()
    rows = _silver(lone_versions(arrived), table)
    if changes.is_all:
        written = lake.replace(rows, table.silver)
    else:
        # Silver is as the last run left it and has nothing of new batches: Delta need not look.
        written = lake.append(rows, table.silver)
    measures: _Measures = Counter(standing_rows=written)
    if written and table.amounts:
        silver = lake.read(table.silver, rows=0).filter(F.col("batch").isin(*changes.new))
        sums = silver.agg(*(F.sum(table.silver_names[name]).alias(name) for name in table.amounts))
        measures.update({f"standing_{name}": total for name, total in _only_row(sums).items()})
    return measures


def _write_ranked(
    lake: Lake, table: LandingTable, changes: Changes, concerned: ConcernedRows, rows: DataFrame
) -> _Measures:
    """Rank rows, new and old, and tell silver what is new or different of them."""
    arrived = arrived_rows(rows, concerned.references(rows))
    # A row that silver has held until now points at something, though that need not be among these.
    is_held = F.col("is_orphan") & F.col("was.valid_from").isNotNull()
    arrived = arrived.withColumns(
        {
            "valid_from": F.when(is_held, F.col("was.valid_from")).otherwise(F.col("valid_from")),
            "is_orphan": F.col("is_orphan") & ~is_held,
        }
    )
    with persisted(ranked_versions(arrived, table.key, table.columns)) as ranked:
        measures = _measured(ranked, table)
        if measures["gained_rows"]:
            lake.append(_silver(ranked.filter(_is_gained()), table), table.silver)
        if measures["changed_rows"]:
            changed = ranked.filter(_is_changed())
            lake.merge(
                _silver(changed, table, ever_held().alias("is_kept")),
                table.silver,
                _IDENTITY,
                "is_kept",
            )
        _hold_back(lake, table, changes, ranked, measures)
    return measures


def _hold_back(
    lake: Lake, table: LandingTable, changes: Changes, ranked: DataFrame, measures: _Measures
) -> None:
    """Replace the orphans that wait in quarantine, if there are any or may have been."""
    contract = quarantine(table.name)
    is_any_before = changes.before.get("rows_quarantined") or changes.is_all
    if measures["orphan_rows"] or (is_any_before and lake.exists(contract)):
        lake.replace(_quarantined(ranked, table), contract, {"job": "conform_tables"})


def _key_firsts(versions: DataFrame) -> DataFrame:
    """When each key was first known; children depend on it."""
    return versions.filter("is_first").select("key_hash", "valid_from")


def _moved(before: DataFrame, now: DataFrame) -> int:
    """How many keys are no longer known, or not since the same moment."""
    return before.join(now, on=["key_hash", "valid_from"], how="left_anti").count()


def _is_gained() -> Column:
    """Whether silver has to take a row in: one that is new, or that was an orphan."""
    return ever_held() & (F.col("was").isNull() | (F.col("was.state") == "orphan"))


def _is_changed() -> Column:
    """Whether a row that silver has held until now holds at other times."""
    same = reduce(
        Column.__and__,
        (
            F.col(name).eqNullSafe(F.col(f"was.{name}"))
            for name in ("valid_from", "valid_to", "is_first")
        ),
    )
    return (F.col("was.state") != "orphan") & ~same


def _silver(found: DataFrame, table: LandingTable, *others: Column) -> DataFrame:
    return found.withColumnsRenamed(table.silver_names).select(*table.silver.columns, *others)


def _quarantined(found: DataFrame, table: LandingTable) -> DataFrame:
    record = F.to_json(F.struct(*table.columns), JSON_TIMES)
    return found.filter(F.col("state") == "orphan").select(
        F.lit("conform_tables").alias("job"),
        "batch",
        "batch_version",
        "source_file",
        "record_number",
        "reasons",
        record.alias("raw_record"),
    )


def _measured(ranked: DataFrame, table: LandingTable) -> _Measures:
    """Rows and sums of amounts by state, now and before."""
    was_first = F.coalesce("was.is_first", F.lit(False))
    moved = ~F.col("is_first") | (F.col("valid_from") != F.col("was.valid_from"))
    measures = [
        F.count_if(was_first & moved).alias("moved_rows"),
        F.count_if(_is_gained()).alias("gained_rows"),
        F.count_if(_is_changed()).alias("changed_rows"),
    ]
    for at, column in (("", "state"), ("was_", "was.state")):
        for state in STATES:
            is_in = F.col(column).eqNullSafe(F.lit(state))
            measures.append(F.count_if(is_in).alias(f"{at}{state}_rows"))
            measures += [
                F.sum(F.when(is_in, F.col(name))).alias(f"{at}{state}_{name}")
                for name in table.amounts
            ]
    return Counter(_only_row(ranked.agg(*measures)))


def _only_row(frame: DataFrame) -> dict[str, Any]:
    """A frame's one row, nought for what is empty."""
    [row] = frame.collect()
    return {name: value or 0 for name, value in row.asDict().items()}


def _balance(
    run: JobRun, table: LandingTable, changes: Changes, found: _Measures, epoch: str
) -> dict[str, Any]:
    """What has become of all rows of bronze: as before, less what the rows were, plus what they are.

    The rows landed are those that ingest_batch counted, so that a lost or doubled row shows.
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
        "run_id": run.run_id,
        "job": "conform_tables",
        "table_name": table.name,
        "rows_landed": changes.rows_landed,
        **rows,
        "amounts_landed": {
            name: sum((each[name] for each in amounts.values()), Decimal(0))
            for name in table.amounts
        },
        **amounts,
        "batches": {day: batch.version for day, batch in changes.batches.items()},
        "epoch": epoch,
        "parent_epochs": dict(changes.parent_epochs),
        "silver_version": run.lake.version(table.silver),
        "written_at": datetime.now(UTC),
    }


JOB = Job(
    "conform_tables", "Turn bronze into silver: names, versions in time, orphans held back", main
)

if __name__ == "__main__":
    run_job(JOB)
