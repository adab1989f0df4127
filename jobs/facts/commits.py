"""What is rebuilt of the two fact tables, and in which order it is committed.

Either a table is replaced whole in one commit, or the keys to rebuild are deleted, and then they and the new keys
are appended: two commits. The job writes its progress when both tables are done, so that the next run builds
anew what a run that died left half-done.
"""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from expectations.landing.table import LandingTable
from features.facts import fee_facts, visit_facts
from jobs.facts.affected import (
    KEY,
    MOST_KEYS_TO_SEND,
    AffectedFacts,
    affected_facts,
    keyed,
    renamed_visits,
)
from jobs.lake.frames import broadcast_if_small
from jobs.lake.tables import Lake


def write_visits(lake: Lake, changes: Mapping[str, DataFrame] | None) -> tuple[int, int | None]:
    """Bring `gold.visit_fact` up to date; the rows written, and of how many days.

    Args:
        lake: the lake.
        changes: of `silver_changes`; None to replace the whole table. The days are then None too.
    """
    settlements = lake.read(SETTLEMENT.silver)
    if changes is None:
        codes, proxies = silver_versions(lake, SETTLEMENT_CODE), silver_versions(lake, PROXY_PICKUP)
        rows = visit_facts(settlements, codes, proxies)
        return lake.replace(_by_member(rows), VISIT_FACT), None
    also = renamed_visits(lake, changes)
    changed = changes.get(SETTLEMENT.name)
    if changed is None and also is None:
        return _nothing(lake, VISIT_FACT)
    if changed is None:
        changed = settlements.limit(0).withColumn("_change_type", F.lit(""))
    with affected_facts(lake, VISIT_FACT, keyed(changed, "settlement_time"), also) as affected:
        parts = [visit_facts(affected.new, *_named_since(lake, affected.first_arrival))]
        if affected.rebuild_count:
            rows = affected.rows_to_rebuild_from(settlements, "settlement_time")
            ids = broadcast_if_small(
                affected.keys_to_rebuild.select("settlement_id").distinct(),
                affected.rebuild_count,
                MOST_KEYS_TO_SEND,
            )
            named = _named_since(lake, _first_arrival(settlements, rows, ids), ids)
            parts.append(visit_facts(rows, *named))
        return _commit(lake, VISIT_FACT, affected, parts)


def write_fees(lake: Lake, changes: Mapping[str, DataFrame] | None) -> tuple[int, int | None]:
    """Bring `gold.fee_fact` up to date; like `write_visits`."""
    fees = lake.read(FEE_DETAIL.silver)
    if changes is None:
        return lake.replace(_by_member(fee_facts(fees)), FEE_FACT), None
    changed = changes.get(FEE_DETAIL.name)
    if changed is None:
        return _nothing(lake, FEE_FACT)
    with affected_facts(lake, FEE_FACT, keyed(changed, "fee_time")) as affected:
        parts = [fee_facts(affected.new)]
        if affected.rebuild_count:
            parts.append(fee_facts(affected.rows_to_rebuild_from(fees, "fee_time")))
        return _commit(lake, FEE_FACT, affected, parts)


def silver_versions(lake: Lake, table: LandingTable) -> DataFrame:
    """All versions of a silver table's rows; empty when no source delivers it."""
    if lake.exists(table.silver):
        return lake.read(table.silver)
    return lake.spark.createDataFrame([], table.silver.schema)


def _commit(
    lake: Lake, contract: TableContract, affected: AffectedFacts, parts: list[DataFrame]
) -> tuple[int, int]:
    """Delete what is rebuilt, then append the rows; how many they are, of how many days."""
    if affected.held_count:
        held = affected.keys_to_rebuild.filter("is_held")
        sent = broadcast_if_small(held, affected.held_count, MOST_KEYS_TO_SEND)
        lake.delete(sent, contract, KEY)
    rows = reduce(DataFrame.unionByName, parts)
    return lake.append(_by_member(rows), contract), affected.days


def _nothing(lake: Lake, contract: TableContract) -> tuple[int, int]:
    lake.read(contract)
    return 0, 0


def _named_since(
    lake: Lake, arrival: int | None, ids: DataFrame | None = None
) -> tuple[DataFrame, DataFrame]:
    """Diagnoses and proxies from an arrival on; older files are not opened.

    Args:
        lake: the lake.
        arrival: earliest arrival of the settlements in microseconds, which what names them cannot precede.
        ids: these settlements' alone.
    """
    first = F.timestamp_micros(F.lit(arrival).cast("long"))
    codes, proxies = (
        silver_versions(lake, table).filter(F.col("valid_from") >= first)
        for table in (SETTLEMENT_CODE, PROXY_PICKUP)
    )
    if ids is None:
        return codes, proxies
    by = "settlement_id"
    return codes.join(ids, on=by, how="left_semi"), proxies.join(ids, on=by, how="left_semi")


def _first_arrival(settlements: DataFrame, rows: DataFrame, ids: DataFrame) -> int | None:
    """When the first of some settlements arrived, in whichever version, on whichever day, in microseconds.

    Args:
        settlements: all versions of all.
        rows: those looked for.
        ids: of these.
    """
    if rows.filter(~F.col("is_first")).isEmpty():
        firsts = rows
    else:
        firsts = settlements.filter("is_first").join(ids, on="settlement_id", how="left_semi")
    [(arrival,)] = firsts.agg(F.unix_micros(F.min("valid_from"))).collect()
    return None if arrival is None else int(arrival)


def _by_member(rows: DataFrame) -> DataFrame:
    """In the order in which files are written: one account is found fast."""
    return rows.repartition("member_id").sortWithinPartitions("service_month", "member_id")
