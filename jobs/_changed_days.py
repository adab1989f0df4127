"""Which days a change of silver concerns, from Delta's change data feed."""

from datetime import date

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract import TableContract
from expectations.gold_fact import FACT_TABLES
from expectations.landing_event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from expectations.ops import JOB_RUN
from jobs._tables import Lake

#: What the facts are made from.
SOURCES = (SETTLEMENT, SETTLEMENT_CODE, PROXY_PICKUP, FEE_DETAIL)
_Days = list[date]


def changed_days(lake: Lake, job: str) -> tuple[_Days, _Days] | None:
    """Days of visits, and days of fees, that changed since the facts were last built.

    None when they have to be built anew: there are none, the last run's versions are not those that
    stand, or silver keeps no feed of what changed since.
    """
    seen = _versions_seen(lake, job)
    if seen is None or not all(lake.exists(table.silver) for table in (SETTLEMENT, FEE_DETAIL)):
        return None
    try:
        changes = {table.name: _changes(lake, table.silver, seen) for table in SOURCES}
        fees = _days(changes[FEE_DETAIL.name], "fee_time")
        visits = _days(changes[SETTLEMENT.name], "settlement_time")
        beside = [changes[table.name] for table in (SETTLEMENT_CODE, PROXY_PICKUP)]
        for rows in beside:
            if rows is not None:
                named = rows.select("settlement_id").distinct()
                found = lake.read(SETTLEMENT.silver).join(
                    named, on="settlement_id", how="left_semi"
                )
                visits = sorted({*visits, *_days(found, "settlement_time")})
    except AnalysisException:
        return None
    return visits, fees


def _versions_seen(lake: Lake, job: str) -> dict[str, int] | None:
    """The silver versions that the facts that stand were built from."""
    if not lake.exists(JOB_RUN) or not all(lake.exists(table) for table in FACT_TABLES):
        return None
    last = (
        lake.read(JOB_RUN)
        .filter((F.col("job") == job) & (F.col("outcome") == "succeeded"))
        .orderBy(F.desc("ended_at"))
        .select("inputs", "outputs")
        .first()
    )
    if last is None:
        return None
    inputs, outputs = dict(last["inputs"] or {}), dict(last["outputs"] or {})
    for table in FACT_TABLES:
        written = outputs.get(table.name, inputs.get(table.name))
        if written != lake.version(table):
            return None
    return inputs


def _changes(lake: Lake, contract: TableContract, seen: dict[str, int]) -> DataFrame | None:
    """Rows of a table that came, went or changed since a version; None when there are none."""
    if not lake.exists(contract):
        return None
    since, now = seen.get(contract.name, -1) + 1, lake.version(contract)
    if since > now:
        return None
    return (
        lake.spark.read.format("delta")
        .option("readChangeFeed", "true")
        .option("startingVersion", since)
        .option("endingVersion", now)
        .load(lake.path(contract))
    )


def _days(rows: DataFrame | None, time: str) -> _Days:
    if rows is None:
        return []
    days = rows.select(F.to_date(time).alias("day")).distinct()
    return sorted(row["day"] for row in days.collect())
