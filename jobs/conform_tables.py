"""Turn bronze into silver: the project's names, every version with the time it held, no orphans."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from expectations.landing import LandingTable, Reference
from expectations.ops import TABLE_BALANCE, quarantine
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from features.versions import ranked_versions, with_parent_arrival
from jobs._errors import DataRefused
from jobs._runtime import Job, JobRun, refuse, run, step

_STATES = ("standing", "superseded", "orphan")


def main(this: JobRun) -> str:
    """Rebuild the silver table of every bronze table, parents before children; safe to run again."""
    tables = [table for table in LANDING_TABLES if this.lake.exists(table.bronze)]
    if not tables:
        raise DataRefused(f"there is no bronze table in {this.lake.root}: run ingest_batch first")
    balances: list[dict[str, Any]] = []
    try:
        for table in tables:
            with step(this, f"{table.name}: conformed"):
                balances.append(_conform(this, table))
            lost = balances[-1]["rows_landed"] - _accounted_for(balances[-1])
            refuse(
                lost != 0,
                f"{table.name}: {abs(lost)} of its rows in bronze were {'lost' if lost > 0 else 'doubled'}",
            )
    finally:
        if balances:
            frame = this.spark.createDataFrame(balances, TABLE_BALANCE.schema)
            this.lake.append(frame.coalesce(1), TABLE_BALANCE)
    orphans = sum(row["rows_quarantined"] for row in balances)
    return f"{len(tables)} tables, {orphans} orphans wait in quarantine"


def _accounted_for(balance: dict[str, Any]) -> int:
    return sum(int(balance[f"rows_{end}"]) for end in ("conformed", "superseded", "quarantined"))


def classified_rows(
    landed: DataFrame, table: LandingTable, parents: dict[str, DataFrame]
) -> DataFrame:
    """Bronze rows with `valid_from`, `valid_to`, the `state` they are in, and `reasons` for orphans.

    Args:
        landed: bronze rows.
        table: their landing table.
        parents: silver rows of the tables that it refers to; a table that no source delivers is left
            out, and then nothing is an orphan for want of it.
    """
    rows, held_back = landed, []
    own = [reference for reference in table.references if reference.parent == table.name]
    for reference in table.references:
        if reference.parent in parents and reference not in own:
            rows = _with_parent(rows, reference, parents[reference.parent])
            held_back.append(reference)
    for reference in own:
        # Only an original can be reversed: a row that reverses another is no parent itself.
        originals = rows.filter(F.col(reference.column).isNull() & ~_is_orphan(held_back))
        candidates = originals.withColumn("valid_from", _arrived(held_back))
        renamed = candidates.withColumnRenamed(reference.parent_key, "silver_key")
        rows = with_parent_arrival(
            rows, reference.column, renamed, "silver_key", _arrival(reference)
        )
        held_back.append(reference)
    rows = rows.withColumn("valid_from", _arrived(held_back)).withColumn(
        "is_orphan", _is_orphan(held_back)
    )
    # Orphans are ranked apart: they must not outrank a row that stands on something.
    ranked = ranked_versions(rows, ("is_orphan", *table.key), table.columns)
    state = (
        F.when(F.col("is_orphan"), "orphan")
        .when(F.col("valid_to").isNull(), "standing")
        .otherwise("superseded")
    )
    return ranked.withColumn("state", state).withColumn("reasons", _reasons(held_back))


def _with_parent(rows: DataFrame, reference: Reference, parents: DataFrame) -> DataFrame:
    silver_key = LANDING_BY_NAME[reference.parent].silver_names[reference.parent_key]
    return with_parent_arrival(rows, reference.column, parents, silver_key, _arrival(reference))


def _arrival(reference: Reference) -> str:
    return f"{reference.column}__arrived"


def _arrived(references: list[Reference]) -> Column:
    """When a row and all that it refers to had arrived."""
    if not references:
        return F.col("arrive_time")
    return F.greatest("arrive_time", *(_arrival(reference) for reference in references))


def _is_orphan(references: list[Reference]) -> Column:
    missing = F.lit(False)
    for reference in references:
        missing = missing | (
            F.col(reference.column).isNotNull() & F.col(_arrival(reference)).isNull()
        )
    return missing


def _reasons(references: list[Reference]) -> Column:
    return F.array_compact(
        F.array(
            *(
                F.when(
                    F.col(reference.column).isNotNull() & F.col(_arrival(reference)).isNull(),
                    F.lit(f"{reference.column}: points at no row of {reference.parent}"),
                )
                for reference in references
            )
        )
    )


def _conform(this: JobRun, table: LandingTable) -> dict[str, Any]:
    """Write the silver table and its orphans; the row of `ops/table_balance`."""
    landed = this.lake.read(table.bronze)
    parents = {
        reference.parent: this.lake.read(LANDING_BY_NAME[reference.parent].silver)
        for reference in table.references
        if this.lake.exists(LANDING_BY_NAME[reference.parent].silver)
    }
    if table.name not in parents and any(r.parent == table.name for r in table.references):
        parents[table.name] = landed
    observed = Observation(table.name)
    classified = classified_rows(landed, table, parents).observe(observed, *_measures(table))
    silver = classified.filter(
        (F.col("state") == "standing")
        | ((F.col("state") == "superseded") & (F.col("valid_to") > F.col("valid_from")))
    )
    this.lake.replace(
        silver.withColumnsRenamed(table.silver_names).select(*table.silver.columns), table.silver
    )
    found = observed.get
    contract = quarantine(table.name)
    if found["orphan_rows"] or this.lake.exists(contract):
        orphans = classified.filter(F.col("state") == "orphan").select(
            F.lit("conform_tables").alias("job"),
            "batch",
            "batch_version",
            "source_file",
            "record_number",
            "reasons",
            F.to_json(F.struct(*table.columns)).alias("raw_record"),
        )
        this.lake.replace(orphans, contract, {"job": "conform_tables"})
    return _balance(this, table, landed.count(), found)


def _measures(table: LandingTable) -> list[Column]:
    """Rows and sums of amounts by state, taken in the same pass that writes silver."""
    measures = [F.count(F.lit(1)).alias("all_rows")]
    for state in _STATES:
        is_in = F.col("state") == state
        measures.append(F.count_if(is_in).alias(f"{state}_rows"))
        measures += [
            F.coalesce(F.sum(F.when(is_in, F.col(name))), F.lit(0))
            .cast("decimal(38,6)")
            .alias(f"{state}_{name}")
            for name in table.amounts
        ]
    return measures


def _balance(
    this: JobRun, table: LandingTable, landed: int, found: dict[str, Any]
) -> dict[str, Any]:
    """How many rows there were, and what became of those that came through, which may be others."""
    sums = {
        state: {name: Decimal(found[f"{state}_{name}"]) for name in table.amounts}
        for state in _STATES
    }
    return {
        "run_id": this.run_id,
        "job": "conform_tables",
        "table_name": table.name,
        "rows_landed": landed,
        "rows_conformed": found["standing_rows"],
        "rows_superseded": found["superseded_rows"],
        "rows_quarantined": found["orphan_rows"],
        "amounts_landed": {
            name: sum((sums[state][name] for state in _STATES), Decimal(0))
            for name in table.amounts
        },
        "amounts_conformed": sums["standing"],
        "amounts_superseded": sums["superseded"],
        "amounts_quarantined": sums["orphan"],
        "written_at": datetime.now(UTC),
    }


JOB = Job(
    "conform_tables", "Turn bronze into silver: names, versions in time, orphans held back", main
)

if __name__ == "__main__":
    run(JOB)
