"""Build gold.visit_fact and gold.fee_fact, of the settlements that changed since they were last built."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from expectations.landing.table import LandingTable
from features.facts import fee_facts, visit_facts
from jobs.facts.changes import (
    KEY,
    MOST_KEYS_TO_SEND,
    Concerned,
    concerned,
    keyed,
    named_visits,
    silver_changes,
)
from jobs.lake.frames import broadcast_if_small
from jobs.lake.tables import Lake
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.threads import each_table

_NAME = "build_facts"


def main(run: JobRun) -> str:
    """Bring both tables up to date; safe to run again, and when nothing changed nothing is written.

    What a change concerns is first deleted and then appended, in two commits. A run that ends between
    the two leaves versions that the next one does not know, and so everything is built anew.
    """
    lake = run.lake
    changes = silver_changes(lake, _NAME)
    for table in (SETTLEMENT, FEE_DETAIL):
        lake.read(table.silver)
    for table in (SETTLEMENT_CODE, PROXY_PICKUP):
        # The next run has to know what this one saw, whether or not it looks at a row.
        _versions(lake, table)

    def built(table: LandingTable) -> tuple[int, int | None]:
        if table == SETTLEMENT:
            with step(run, "visits"):
                return _visits(lake, changes)
        with step(run, "fees"):
            return _fees(lake, changes)

    (visits, days), (fees, _) = each_table(run.spark, (SETTLEMENT, FEE_DETAIL), built)
    told = "all days" if days is None else f"{days} days of visits"
    return f"{visits} visits and {fees} sums of fees written, {told}"


def _visits(lake: Lake, changes: Mapping[str, DataFrame] | None) -> tuple[int, int | None]:
    """The rows written, and of how many days; None for all."""
    settlements = lake.read(SETTLEMENT.silver)
    if changes is None:
        codes, proxies = _versions(lake, SETTLEMENT_CODE), _versions(lake, PROXY_PICKUP)
        rows = visit_facts(settlements, codes, proxies)
        return lake.replace(_by_member(rows), VISIT_FACT), None
    also = named_visits(lake, changes)
    changed = changes.get(SETTLEMENT.name)
    if changed is None and also is None:
        return _nothing(lake, VISIT_FACT)
    if changed is None:
        changed = settlements.limit(0).withColumn("_change_type", F.lit(""))
    with concerned(lake, VISIT_FACT, keyed(changed, "settlement_time"), also) as found:
        parts = [visit_facts(found.new, *_named_since(lake, found.since))]
        if found.mixed_count:
            mixed = found.mixed_of(settlements, "settlement_time")
            ids = broadcast_if_small(
                found.mixed.select("settlement_id").distinct(), found.mixed_count, MOST_KEYS_TO_SEND
            )
            named = _named_since(lake, _first_arrival(settlements, mixed, ids), ids)
            parts.append(visit_facts(mixed, *named))
        return _brought_up_to_date(lake, VISIT_FACT, found, parts)


def _fees(lake: Lake, changes: Mapping[str, DataFrame] | None) -> tuple[int, int | None]:
    """The rows written, and of how many days; None for all."""
    fees = lake.read(FEE_DETAIL.silver)
    if changes is None:
        return lake.replace(_by_member(fee_facts(fees)), FEE_FACT), None
    changed = changes.get(FEE_DETAIL.name)
    if changed is None:
        return _nothing(lake, FEE_FACT)
    with concerned(lake, FEE_FACT, keyed(changed, "fee_time")) as found:
        parts = [fee_facts(found.new)]
        if found.mixed_count:
            parts.append(fee_facts(found.mixed_of(fees, "fee_time")))
        return _brought_up_to_date(lake, FEE_FACT, found, parts)


def _named_since(
    lake: Lake, arrival: int | None, ids: DataFrame | None = None
) -> tuple[DataFrame, DataFrame]:
    """Diagnoses and proxies from an arrival on; older files are not opened.

    Args:
        lake: the lake.
        arrival: the first arrival of the settlements in microseconds, which what names them cannot precede.
        ids: these settlements' alone.
    """
    first = F.timestamp_micros(F.lit(arrival).cast("long"))
    codes, proxies = (
        _versions(lake, table).filter(F.col("valid_from") >= first)
        for table in (SETTLEMENT_CODE, PROXY_PICKUP)
    )
    if ids is None:
        return codes, proxies
    by = "settlement_id"
    return codes.join(ids, on=by, how="left_semi"), proxies.join(ids, on=by, how="left_semi")


def _first_arrival(settlements: DataFrame, concerned: DataFrame, ids: DataFrame) -> int | None:
    """When the first of some settlements arrived, in whichever version, on whichever day, in microseconds.

    Args:
        settlements: all versions of all.
        concerned: those looked for.
        ids: of these.
    """
    if concerned.filter(~F.col("is_first")).isEmpty():
        firsts = concerned
    else:
        firsts = settlements.filter("is_first").join(ids, on="settlement_id", how="left_semi")
    [(arrival,)] = firsts.agg(F.unix_micros(F.min("valid_from"))).collect()
    return None if arrival is None else int(arrival)


def _brought_up_to_date(
    lake: Lake, contract: TableContract, found: Concerned, parts: list[DataFrame]
) -> tuple[int, int]:
    """Delete what is made anew and append the rows; how many they are, of how many days."""
    if found.held_count:
        held = found.mixed.filter("is_held")
        lake.delete(broadcast_if_small(held, found.held_count, MOST_KEYS_TO_SEND), contract, KEY)
    rows = reduce(DataFrame.unionByName, parts)
    return lake.append(_by_member(rows), contract), found.days


def _nothing(lake: Lake, contract: TableContract) -> tuple[int, int]:
    lake.read(contract)
    return 0, 0


def _by_member(rows: DataFrame) -> DataFrame:
    """In the order in which files are written: one account is found fast."""
    return rows.repartition("member_id").sortWithinPartitions("service_month", "member_id")


def _versions(lake: Lake, table: LandingTable) -> DataFrame:
    return lake.read_if_exists(table.silver)


JOB = Job(_NAME, "Sum visits and fees into facts, of the settlements that changed", main)

if __name__ == "__main__":
    run_job(JOB)
