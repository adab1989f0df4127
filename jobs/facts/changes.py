"""Which facts a change of silver concerns, from Delta's change data feed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.gold.fact import FACT_TABLES
from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from expectations.ops import JOB_RUN
from jobs.lake.frames import broadcast_if_small, persisted
from jobs.lake.tables import Lake

#: What the facts are made from.
SOURCES = (SETTLEMENT, SETTLEMENT_CODE, PROXY_PICKUP, FEE_DETAIL)
#: What facts are made anew by: all that one settlement has on one day.
KEY = ("service_month", "service_date", "settlement_id")
#: So many keys are sent to every task; more are shuffled.
MOST_KEYS_TO_SEND = 1_000_000
#: Where a row came from, which facts do not ask.
_LINEAGE = ("batch", "batch_version", "source_file", "record_number", "arrive_time", "key_hash")
_IS_NEW = "_change_type = 'insert' AND is_first"


@dataclass(frozen=True)
class Concerned:
    """What changes of silver mean for one fact table.

    Args:
        days: on how many days rows came, went or changed.
        new: silver rows of keys that the table does not have, and of which nothing ever went or changed.
        since: an arrival that is none of theirs, or the first; None without any.
        mixed: every other key that is concerned, with `is_held`: whether the table has rows of it.
        mixed_count: how many those are.
        held_count: how many of those the table has rows of.
    """

    days: int
    new: DataFrame
    since: int | None
    mixed: DataFrame
    mixed_count: int
    held_count: int

    def mixed_of(self, silver: DataFrame, time: str) -> DataFrame:
        """All silver rows of the mixed keys; files of other months are not opened."""
        months = self.mixed.select("service_month").distinct().collect()
        near = reduce(Column.__or__, (_in_month(time, row[0]) for row in months))
        return keyed(silver.filter(near), time).join(self.keys(), on=list(KEY), how="left_semi")

    def keys(self) -> DataFrame:
        """The mixed keys, marked to be sent to every task where they are few."""
        return broadcast_if_small(self.mixed, self.mixed_count, MOST_KEYS_TO_SEND)


def _in_month(time: str, month: str) -> Column:
    first = F.lit(f"{month}-01").cast("date")
    return (F.col(time) >= first.cast("timestamp")) & (
        F.col(time) < F.add_months(first, 1).cast("timestamp")
    )


def keyed(rows: DataFrame, time: str) -> DataFrame:
    """Silver rows with the columns of `KEY` that they lack, from when they took place."""
    return rows.withColumns(
        {"service_date": F.to_date(time), "service_month": F.date_format(time, "yyyy-MM")}
    )


def silver_changes(lake: Lake, job: str) -> dict[str, DataFrame] | None:
    """Rows of `SOURCES` that came, went or changed since the facts were last built, by table.

    None when the facts have to be built anew: there are none, the last run's versions are not those
    that stand, settlements or fees were made anew, or silver keeps no feed of what changed since. A
    table that did not change is left out.
    """
    seen = _versions_seen(lake, job)
    main_tables = (SETTLEMENT, FEE_DETAIL)
    if seen is None or not all(lake.exists(table.silver) for table in main_tables):
        return None
    found = {}
    for table in SOURCES:
        if not lake.exists(table.silver):
            continue
        since, now = seen.get(table.silver.name, -1) + 1, lake.version(table.silver)
        if since > now + 1 or (table in main_tables and lake.was_overwritten(table.silver, since)):
            return None
        if since <= now:
            try:
                found[table.name] = _feed(lake, table.silver, since, now)
            except AnalysisException:
                return None
    return found


@contextmanager
def concerned(
    lake: Lake, contract: TableContract, changes: DataFrame, also: DataFrame | None = None
) -> Iterator[Concerned]:
    """Tell what changes mean for a fact table; it is kept for as long as it is needed.

    Args:
        lake: where the table lies.
        contract: the table.
        changes: rows of `silver_changes`, with `KEY`.
        also: keys that are concerned beside these.
    """
    changes = changes.drop(*_LINEAGE)
    others = [changes.filter(f"NOT ({_IS_NEW})").select(*KEY)]
    keys = [changes.select(*KEY)]
    if also is not None:
        others, keys = [*others, also], [*keys, also]
    with persisted(changes):
        each_day = (
            reduce(DataFrame.union, keys).groupBy("service_month", "service_date").agg(F.lit(1))
        )
        days = each_day.collect()
        arrivals = changes.filter(_IS_NEW).agg(F.unix_micros(F.min("valid_from")))
        [(since,)] = arrivals.collect()
        held = _held(lake, contract, reduce(DataFrame.union, keys), {row[0] for row in days})
        marked = [rows.withColumn("is_held", F.lit(False)) for rows in others]
        if held is not None:
            marked.append(held.withColumn("is_held", F.lit(True)))
        mixed = reduce(DataFrame.union, marked).groupBy(*KEY).agg(F.max("is_held").alias("is_held"))
        with persisted(mixed):
            counts = mixed.agg(F.count("*"), F.count_if("is_held"))
            [(every, of_table)] = counts.collect()
            new = changes.filter(_IS_NEW)
            if every:
                new = new.join(
                    broadcast_if_small(mixed, every, MOST_KEYS_TO_SEND),
                    on=list(KEY),
                    how="left_anti",
                )
            yield Concerned(len(days), new, since, mixed, every, of_table)


def _held(
    lake: Lake, contract: TableContract, keys: DataFrame, months: set[str]
) -> DataFrame | None:
    """Those of some keys that a fact table has rows of, once a row; None when it has none of the months.

    A month that is new to the table, which most keys are of, is not looked for.
    """
    facts = lake.read(contract, rows=0)
    there = facts.filter(F.col("service_month").isin(*months)).select("service_month").distinct()
    known = [row[0] for row in there.collect()]
    if not known:
        return None
    of_months = F.col("service_month").isin(*known)
    meeting = keys.filter(of_months).distinct()
    sendable = broadcast_if_small(meeting, meeting.count(), MOST_KEYS_TO_SEND)
    return facts.filter(of_months).join(sendable, on=list(KEY), how="left_semi").select(*KEY)


def named_visits(lake: Lake, changes: Mapping[str, DataFrame]) -> DataFrame | None:
    """Keys of visits that facts have already and whose diagnoses or proxies changed; None without any."""
    beside = []
    if SETTLEMENT_CODE.name in changes:
        codes = changes[SETTLEMENT_CODE.name].filter("code_type = 'diagnosis'")
        beside.append(_differing(codes, "code"))
    if PROXY_PICKUP.name in changes:
        beside.append(_differing(changes[PROXY_PICKUP.name], "proxy_cert_hash"))
    if not beside:
        return None
    named = reduce(DataFrame.union, beside).distinct()
    if SETTLEMENT.name in changes:
        rows = changes[SETTLEMENT.name]
        # A settlement that came since, and of which nothing went, is made from its own rows.
        came = rows.groupBy("settlement_id").agg(
            F.bool_and(F.col("_change_type") == "insert").alias("is_whole"),
            F.bool_or(F.expr(_IS_NEW)).alias("is_new"),
        )
        came = came.filter("is_whole AND is_new")
        named = named.join(came, on="settlement_id", how="left_anti")
    with persisted(named):
        count = named.count()
        if not count:
            return None
        settlements = keyed(lake.read(SETTLEMENT.silver), "settlement_time").select(*KEY)
        of_these = settlements.join(
            broadcast_if_small(named, count, MOST_KEYS_TO_SEND), on="settlement_id", how="left_semi"
        )
        # Worked out here, once: all settlements are looked through for it.
        return of_these.select(*KEY).distinct().localCheckpoint()


def _differing(rows: DataFrame, value: str) -> DataFrame:
    """The settlements to which, on balance, changes of what names them made a difference.

    A table that was made anew has every row going and coming again.
    """
    comes = F.col("_change_type").isin("insert", "update_postimage")
    balance = F.sum(F.when(comes, 1).otherwise(-1))
    of_row = ("settlement_id", value, "valid_from", "valid_to")
    return rows.groupBy(*of_row).agg(balance.alias("n")).filter("n <> 0").select("settlement_id")


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


def _feed(lake: Lake, contract: TableContract, since: int, now: int) -> DataFrame:
    """Rows of a table that came, went or changed from one version to another, both counted.

    Raises:
        AnalysisException: when the table keeps no feed of them.
    """
    rows = (
        lake.spark.read.format("delta")
        .option("readChangeFeed", "true")
        .option("startingVersion", since)
        .option("endingVersion", now)
        .load(lake.path(contract))
    )
    # It is only when rows are asked for that Delta looks.
    rows.limit(1).collect()
    return rows
