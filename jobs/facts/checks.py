"""Whether the facts add up to the silver rows that they were made from."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.gold.fact import FACT_TABLES, FEE_FACT, VISIT_FACT
from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from jobs.facts.changes import JOB_NAME, SOURCES
from jobs.lake.progress import Seen, first_new_version, is_as_left, read_progress
from jobs.lake.tables import Lake

#: Facts, what they are made from, and the sums that have to agree. Of visits the rows have to, too.
_PAIRS = (
    (VISIT_FACT, SETTLEMENT, ("total_amount", "fund_amount")),
    (FEE_FACT, FEE_DETAIL, ("quantity", "line_amount")),
)


def check_facts(lake: Lake) -> tuple[list[str], bool]:
    """Faults as sentences, and whether silver has rows that are not in the facts yet."""
    progress = read_progress(lake, JOB_NAME)
    if not all(lake.exists(table) for table in FACT_TABLES):
        return [], False
    unfinished = [each.name for each in FACT_TABLES if not is_as_left(lake, each, progress)]
    if unfinished:
        why = "not as the last finished run of build_facts left it: run build_facts"
        return [f"{name} is {why}" for name in unfinished], False
    if _is_waiting(lake, progress):
        return [], True
    faults = []
    for facts, silver, columns in _PAIRS:
        told = _counted(lake.read(facts, rows=0), columns)
        found = _counted(lake.read(silver.silver, rows=0), columns)
        names = [*columns, *(["rows"] if facts == VISIT_FACT else [])]
        faults += [
            f"{facts.name}: {name} adds up to {told[name]}, in {silver.silver.name} to {found[name]}:"
            " delete gold/visit_fact and gold/fee_fact and run build_facts"
            for name in names
            if told[name] != found[name]
        ]
    return faults, False


def _is_waiting(lake: Lake, progress: Mapping[str, Seen]) -> bool:
    silver = [table.silver for table in SOURCES if lake.exists(table.silver)]
    return any(
        first_new_version(lake, table, progress) != lake.version(table) + 1 for table in silver
    )


def _counted(rows: DataFrame, columns: tuple[str, ...]) -> dict[str, Any]:
    """All versions count, those that were replaced too."""
    sums = [F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in columns]
    [row] = rows.agg(F.count("*").alias("rows"), *sums).collect()
    return dict(row.asDict())
