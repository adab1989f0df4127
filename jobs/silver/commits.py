"""What is rebuilt of one silver table, and in which order it is committed.

Either the table is rebuilt whole (silver, quarantine: two commits), or in parts (rows that are alone, rows
gained, rows changed, quarantine: up to four). Silver comes before the quarantine, and the job writes balance and
progress when both are done, so that the next run rebuilds what a run that died left half-done.
"""

from collections import Counter
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.landing.reasons import quarantine_columns
from expectations.landing.table import LandingTable
from expectations.ops import quarantine
from features.placeholders import TablePlaceholders
from features.versions import arrived_rows, ever_held, lone_versions, ranked_versions
from jobs.lake.frames import persisted
from jobs.lake.tables import Lake
from jobs.landing.batch_history import Ledger
from jobs.silver.affected_rows import JSON_TIMES, AffectedRows, RelatedRows
from jobs.silver.changes import JOB_NAME, Changes
from jobs.silver.measures import (
    Measures,
    is_changed,
    is_gained,
    key_firsts,
    measured,
    moved_keys,
    only_row,
)

_IDENTITY = ("batch", "source_file", "record_number")


def conform_table(
    lake: Lake,
    table: LandingTable,
    changes: Changes,
    ledger: Ledger,
    landed: DataFrame,
    placeholders: TablePlaceholders,
) -> Measures:
    """Bring one silver table and its orphans up to date; what was counted on the way."""
    affected = AffectedRows(lake, table, changes, ledger, landed, placeholders)
    firsts_before = None
    if changes.is_all and changes.epoch:
        firsts_before = key_firsts(lake.read(table.silver, rows=0))
    if changes.is_small:
        return _rebuild_whole(lake, table, changes, affected, firsts_before)
    measures = _rebuild_in_parts(lake, table, changes, affected)
    if firsts_before is not None:
        now = key_firsts(lake.read(table.silver, rows=0))
        measures["moved_rows"] = moved_keys(firsts_before, now)
    return measures


def _rebuild_whole(
    lake: Lake,
    table: LandingTable,
    changes: Changes,
    affected: AffectedRows,
    firsts_before: DataFrame | None,
) -> Measures:
    """Rank all rows of a small table and replace silver, then the quarantine."""
    arrived = arrived_rows(affected.new(), affected.nearby_references())
    with persisted(ranked_versions(arrived, table.key, table.columns)) as ranked:
        measures = measured(ranked, table)
        held = ranked.filter(ever_held())
        if firsts_before is not None:
            measures["moved_rows"] = moved_keys(firsts_before, key_firsts(held))
        lake.replace(_silver(held, table), table.silver)
        _replace_orphans(lake, table, changes, ranked, measures)
    return measures


def _rebuild_in_parts(
    lake: Lake, table: LandingTable, changes: Changes, affected: AffectedRows
) -> Measures:
    """Write the rows that are related to no other as they come, then rank the few that are.

    Ranking all would send every row with all its columns through a shuffle and two sorts.
    """
    with affected.related() as related:
        new = affected.new()
        alone = new if related is None else new.join(related.keys, on="key_hash", how="left_anti")
        arrived = arrived_rows(alone, affected.nearby_references())
        measures = _write_alone(lake, table, changes, arrived.filter(~F.col("is_orphan")))
        others = _to_rank(related, arrived, new.columns, changes.rows_new, measures)
        if others is None:
            _replace_orphans(lake, table, changes, None, measures)
        else:
            with persisted(others) as rows:
                measures.update(_write_ranked(lake, table, changes, affected, rows))
    return measures


def _to_rank(
    related: RelatedRows | None,
    arrived: DataFrame,
    columns: list[str],
    rows_new: int,
    measures: Measures,
) -> DataFrame | None:
    """The rows that are related to others, and the other orphans; None if there are none."""
    others = [] if related is None else [related.rows]
    new = 0 if related is None else related.rows.filter(F.col("was").isNull()).count()
    if measures["standing_rows"] + new < rows_new:
        # What they refer to came earlier or never did.
        others.append(arrived.filter("is_orphan").select(*columns))
    return reduce(DataFrame.unionByName, others) if others else None


def _write_alone(lake: Lake, table: LandingTable, changes: Changes, arrived: DataFrame) -> Measures:
    """Write new batches' rows, or all anew; rows and sums of amounts as they then stand there."""
    if not changes.new:
        return Counter()
    rows = _silver(lone_versions(arrived), table)
    if changes.is_all:
        written = lake.replace(rows, table.silver)
    else:
        # Silver is as the last run left it and has nothing of new batches: Delta need not look.
        written = lake.append(rows, table.silver)
    measures: Measures = Counter(standing_rows=written)
    if written and table.amounts:
        silver = lake.read(table.silver, rows=0).filter(F.col("batch").isin(*changes.new))
        sums = silver.agg(*(F.sum(table.silver_names[name]).alias(name) for name in table.amounts))
        measures.update({f"standing_{name}": total for name, total in only_row(sums).items()})
    return measures


def _write_ranked(
    lake: Lake, table: LandingTable, changes: Changes, affected: AffectedRows, rows: DataFrame
) -> Measures:
    """Rank rows, new and old, and commit what is gained, then what changed, then who still waits."""
    arrived = arrived_rows(rows, affected.references(rows))
    # A row that silver has held until now points at something, though that need not be among these.
    is_held = F.col("is_orphan") & F.col("was.valid_from").isNotNull()
    arrived = arrived.withColumns(
        {
            "valid_from": F.when(is_held, F.col("was.valid_from")).otherwise(F.col("valid_from")),
            "is_orphan": F.col("is_orphan") & ~is_held,
        }
    )
    with persisted(ranked_versions(arrived, table.key, table.columns)) as ranked:
        measures = measured(ranked, table)
        if measures["gained_rows"]:
            lake.append(_silver(ranked.filter(is_gained()), table), table.silver)
        if measures["changed_rows"]:
            changed = ranked.filter(is_changed())
            flagged = _silver(changed, table, ever_held().alias("is_kept"))
            lake.merge(flagged, table.silver, _IDENTITY, "is_kept")
        _replace_orphans(lake, table, changes, ranked, measures)
    return measures


def _replace_orphans(
    lake: Lake,
    table: LandingTable,
    changes: Changes,
    ranked: DataFrame | None,
    measures: Measures,
) -> None:
    """Replace the orphans in quarantine, where there are any now or any are left there."""
    if not measures["orphan_rows"] and not changes.waiting:
        return
    contract = quarantine(table.name)
    if ranked is None:
        orphans = lake.spark.createDataFrame([], contract.schema)
    else:
        orphans = _quarantined(ranked, table)
    lake.replace(orphans, contract, {"job": JOB_NAME})


def _silver(rows: DataFrame, table: LandingTable, *others: Column) -> DataFrame:
    return rows.withColumnsRenamed(table.silver_names).select(*table.silver.columns, *others)


def _quarantined(ranked: DataFrame, table: LandingTable) -> DataFrame:
    record = F.to_json(F.struct(*table.columns), JSON_TIMES)
    orphans = ranked.filter(F.col("state") == "orphan").withColumns(
        {"job": F.lit(JOB_NAME), "raw_record": record, **quarantine_columns()}
    )
    return orphans.select(*quarantine(table.name).columns)
