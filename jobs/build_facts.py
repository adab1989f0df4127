"""Build gold.visit_fact and gold.fee_fact, of the days that changed since they were last built."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract import TableContract
from expectations.gold_fact import FEE_FACT, VISIT_FACT
from expectations.landing import LandingTable
from expectations.landing_event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from features.facts import fee_facts, visit_facts
from jobs._changed_days import changed_days
from jobs._runtime import Job, JobRun, run, step
from jobs._tables import Lake

_NAME = "build_facts"


def main(this: JobRun) -> str:
    """Bring both tables up to date; safe to run again, and when nothing changed nothing is written."""
    lake = this.lake
    days = changed_days(lake, _NAME)
    visit_days, fee_days = days if days else (None, None)
    for table in (SETTLEMENT, FEE_DETAIL):
        lake.read(table.silver)
    with step(this, "visits"):
        visits = _replaced(lake, VISIT_FACT, _visits(lake, visit_days), visit_days)
    with step(this, "fees"):
        fees = _replaced(lake, FEE_FACT, _fees(lake, fee_days), fee_days)
    told = "all days" if days is None else f"{len(visit_days or [])} days of visits"
    return f"{visits} visits and {fees} sums of fees written, {told}"


def _visits(lake: Lake, days: Sequence[date] | None) -> DataFrame:
    settlements = lake.read(SETTLEMENT.silver)
    codes, proxies = _versions(lake, SETTLEMENT_CODE), _versions(lake, PROXY_PICKUP)
    if days:
        concerned = settlements.filter(_on(days, "settlement_time"))
        # What names a settlement counts from its first arrival on: older files are not opened.
        arrived = F.col("valid_from") >= F.lit(_first_arrival(settlements, concerned))
        settlements = concerned
        codes, proxies = codes.filter(arrived), proxies.filter(arrived)
    return visit_facts(settlements, codes, proxies)


def _first_arrival(settlements: DataFrame, concerned: DataFrame) -> datetime | None:
    """When the first of some settlements arrived, in whichever version and on whichever day."""
    is_first = F.col("is_first")
    corrected = concerned.filter(~is_first).select("settlement_id").distinct()
    firsts = settlements.filter(is_first).join(corrected, on="settlement_id", how="left_semi")
    arrivals = concerned.filter(is_first).select("valid_from").union(firsts.select("valid_from"))
    row = arrivals.agg(F.min("valid_from").alias("first")).first()
    return row["first"] if row else None


def _fees(lake: Lake, days: Sequence[date] | None) -> DataFrame:
    fees = lake.read(FEE_DETAIL.silver)
    return fee_facts(fees.filter(_on(days, "fee_time")) if days else fees)


def _on(days: Sequence[date], time: str) -> Column:
    """Whether a time lies on one of some days; the range lets files of other times be skipped."""
    first = F.lit(min(days)).cast("timestamp")
    last = F.lit(max(days) + timedelta(days=1)).cast("timestamp")
    return (F.col(time) >= first) & (F.col(time) < last) & F.to_date(time).isin(*days)


def _replaced(
    lake: Lake, contract: TableContract, rows: DataFrame, days: Sequence[date] | None
) -> int:
    """Write the rows of some days, or of all; by member, so that one account is found fast."""
    if days is not None and not days:
        lake.read(contract)
        return 0
    tasks = int(lake.spark.conf.get("spark.sql.shuffle.partitions") or 8)
    ordered = rows.repartition(tasks, "member_id").sortWithinPartitions(
        "service_month", "member_id"
    )
    if days is None:
        return lake.replace(ordered, contract)
    months = sorted({f"{day:%Y-%m}" for day in days})
    return lake.replace(ordered, contract, {"service_month": months, "service_date": list(days)})


def _versions(lake: Lake, table: LandingTable) -> DataFrame:
    if lake.exists(table.silver):
        return lake.read(table.silver)
    return lake.spark.createDataFrame([], table.silver.schema)


JOB = Job(_NAME, "Sum visits and fees into facts, of the days that changed", main)

if __name__ == "__main__":
    run(JOB)
