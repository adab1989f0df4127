"""Which facts are affected by what changed in silver.

Facts are rebuilt by key: all that one settlement has on one day. A key of which rows came and nothing went, and
of which the facts have nothing yet, is new: it is made from the rows that came. Every other key that is affected
has to be rebuilt from all its silver rows.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.landing.event import PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from jobs.lake.frames import broadcast_if_small, persisted
from jobs.lake.tables import Lake

#: What facts are rebuilt by.
KEY = ("service_month", "service_date", "settlement_id")
#: So many keys are broadcast; more are shuffled.
MOST_KEYS_TO_SEND = 1_000_000
#: Where a row came from, which facts do not ask.
_LINEAGE = ("batch", "batch_version", "source_file", "record_number", "arrive_time", "key_hash")
_IS_NEW = "_change_type = 'insert' AND is_first"


@dataclass(frozen=True)
class AffectedFacts:
    """What changes of silver mean for one fact table.

    Args:
        days: on how many days rows came, went or changed.
        new: silver rows of new keys.
        first_arrival: earliest arrival among the rows that came, in microseconds; None if none came.
        keys_to_rebuild: every other affected key, with `is_held`: whether the table has rows of it.
        rebuild_count: how many those are.
        held_count: how many of those the table has rows of.
    """

    days: int
    new: DataFrame
    first_arrival: int | None
    keys_to_rebuild: DataFrame
    rebuild_count: int
    held_count: int

    def rows_to_rebuild_from(self, silver: DataFrame, time: str) -> DataFrame:
        """All silver rows of the keys to rebuild; files of other months are not opened."""
        months = self.keys_to_rebuild.select("service_month").distinct().collect()
        near = reduce(Column.__or__, (_in_month(time, row[0]) for row in months))
        keys = broadcast_if_small(self.keys_to_rebuild, self.rebuild_count, MOST_KEYS_TO_SEND)
        return keyed(silver.filter(near), time).join(keys, on=list(KEY), how="left_semi")


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


@contextmanager
def affected_facts(
    lake: Lake, contract: TableContract, changes: DataFrame, also: DataFrame | None = None
) -> Iterator[AffectedFacts]:
    """Tell what changes mean for a fact table; it is persisted for as long as it is needed.

    Args:
        lake: where the table lies.
        contract: the table.
        changes: rows of `silver_changes`, with `KEY`.
        also: more keys to rebuild.
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
        [(first_arrival,)] = arrivals.collect()
        held = _held(lake, contract, reduce(DataFrame.union, keys), {row[0] for row in days})
        marked = [rows.withColumn("is_held", F.lit(False)) for rows in others]
        if held is not None:
            marked.append(held.withColumn("is_held", F.lit(True)))
        to_rebuild = (
            reduce(DataFrame.union, marked).groupBy(*KEY).agg(F.max("is_held").alias("is_held"))
        )
        with persisted(to_rebuild):
            [(count, held_count)] = to_rebuild.agg(F.count("*"), F.count_if("is_held")).collect()
            new = changes.filter(_IS_NEW)
            if count:
                sent = broadcast_if_small(to_rebuild, count, MOST_KEYS_TO_SEND)
                new = new.join(sent, on=list(KEY), how="left_anti")
            yield AffectedFacts(len(days), new, first_arrival, to_rebuild, count, held_count)


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


def renamed_visits(lake: Lake, changes: Mapping[str, DataFrame]) -> DataFrame | None:
    """Keys of visits that facts have already and whose diagnoses or proxies changed; None if there are none."""
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
    """The settlements to which, on balance, changes of their diagnoses or proxies made a difference.

    In a table that was replaced every row goes and comes again.
    """
    comes = F.col("_change_type").isin("insert", "update_postimage")
    balance = F.sum(F.when(comes, 1).otherwise(-1))
    of_row = ("settlement_id", value, "valid_from", "valid_to")
    return rows.groupBy(*of_row).agg(balance.alias("n")).filter("n <> 0").select("settlement_id")
