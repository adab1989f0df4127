"""Rows and amounts by what became of them, and the balance that they add up to."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.landing.table import LandingTable
from features.versions import STATES, clashing_rows, ever_held
from jobs.silver.changes import JOB_NAME, Changes

#: Rows and sums of amounts by measure; a measure that is not there is 0.
Measures = Counter[str]
#: The states of a row, as a balance calls them.
ENDS = dict(zip(STATES, ("conformed", "superseded", "quarantined"), strict=True))


def is_gained() -> Column:
    """Whether silver has to take a ranked row in: one that is new, or that was an orphan."""
    return ever_held() & (F.col("was").isNull() | (F.col("was.state") == "orphan"))


def is_changed() -> Column:
    """Whether a ranked row that silver has held until now holds at other times."""
    same = reduce(
        Column.__and__,
        (
            F.col(name).eqNullSafe(F.col(f"was.{name}"))
            for name in ("valid_from", "valid_to", "is_first")
        ),
    )
    return (F.col("was.state") != "orphan") & ~same


def measured(ranked: DataFrame, table: LandingTable) -> Measures:
    """Ranked rows and their sums of amounts, by the state that they have and by the one that they had.

    `clashing_rows` counts new ones that share a key and are no versions of each other.
    """
    was_first = F.coalesce("was.is_first", F.lit(False))
    moved = ~F.col("is_first") | (F.col("valid_from") != F.col("was.valid_from"))
    measures = [
        F.count_if(was_first & moved).alias("moved_rows"),
        F.count_if(is_gained()).alias("gained_rows"),
        F.count_if(is_changed()).alias("changed_rows"),
    ]
    for at, column in (("", "state"), ("was_", "was.state")):
        for state in STATES:
            is_in = F.col(column).eqNullSafe(F.lit(state))
            measures.append(F.count_if(is_in).alias(f"{at}{state}_rows"))
            measures += [
                F.sum(F.when(is_in, F.col(name))).alias(f"{at}{state}_{name}")
                for name in table.amounts
            ]
    found = Counter(only_row(ranked.agg(*measures)))
    # Where every row stands, none shares a key with another.
    if found["superseded_rows"] or found["orphan_rows"]:
        clashing = clashing_rows(ranked.filter(F.col("was").isNull()), table)
        if clashing is not None:
            found["clashing_rows"] = only_row(clashing)["rows"]
    return found


def only_row(frame: DataFrame) -> dict[str, Any]:
    """A frame's one row, with 0 for what is empty."""
    [row] = frame.collect()
    return {name: value or 0 for name, value in row.asDict().items()}


def key_firsts(versions: DataFrame) -> DataFrame:
    """When each key was first known; children depend on it."""
    return versions.filter("is_first").select("key_hash", "valid_from")


def moved_keys(before: DataFrame, now: DataFrame) -> int:
    """How many keys are no longer known, or not since the same moment."""
    return before.join(now, on=["key_hash", "valid_from"], how="left_anti").count()


def balance(
    run_id: str, table: LandingTable, changes: Changes, found: Measures, silver_version: int
) -> dict[str, Any]:
    """What has become of all rows of bronze, as a row of `ops/table_balance` without its number.

    That is the last balance, less what the ranked rows were, plus what they are. The rows landed are those that
    ingest_batch counted, so that a lost or doubled row shows. The epoch is the table's until now, unless a key
    has moved in time.
    """
    is_moved = changes.epoch is None or found["moved_rows"] > 0
    rows, amounts = {}, {}
    for state, end in ENDS.items():
        gained = found[f"{state}_rows"] - found[f"was_{state}_rows"]
        rows[f"rows_{end}"] = changes.before.get(f"rows_{end}", 0) + gained
        old = changes.before.get(f"amounts_{end}") or {}
        amounts[f"amounts_{end}"] = {
            name: old.get(name, Decimal(0))
            + Decimal(found[f"{state}_{name}"])
            - Decimal(found[f"was_{state}_{name}"])
            for name in table.amounts
        }
    before = changes.before.get("amounts_emptied") or {}
    amounts["amounts_emptied"] = {
        name: before.get(name, Decimal(0)) + Decimal(found[f"emptied_{name}"])
        for name in table.amounts
    }
    return {
        "run_id": run_id,
        "job": JOB_NAME,
        "table_name": table.name,
        "rows_landed": changes.rows_landed,
        **rows,
        "amounts_landed": {
            name: sum((each[name] for each in amounts.values()), Decimal(0))
            for name in table.amounts
        },
        **amounts,
        "batches": {day: batch.version for day, batch in changes.batches.items()},
        "epoch": run_id if is_moved else changes.epoch,
        "parent_epochs": dict(changes.parent_epochs),
        "silver_version": silver_version,
        "written_at": datetime.now(UTC),
    }


def rows_lost(found: Mapping[str, Any]) -> int:
    """Rows of a balance that landed and came to no end; less than 0 where there are more ends than rows."""
    return int(found["rows_landed"]) - sum(int(found[f"rows_{end}"]) for end in ENDS.values())
