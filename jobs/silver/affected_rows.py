"""Which rows are affected by new batches, and when what they refer to had first arrived.

Nearly every row is the only one of its key, stands for itself and refers to what came with the same
batches. The few others, which are related to another row, are found by their key hashes alone. So only
they are ranked, and of the history only one column is read, and the batches that hold a related row.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.landing.reasons import (
    MISSING_PARENT,
    REVERSING_PARENT,
    no_reasons,
    quarantined_reasons,
)
from expectations.landing.reference import INSTITUTION
from expectations.landing.table import LandingTable
from expectations.ops import quarantine
from expectations.tables import LANDING_BY_NAME
from features.placeholders import (
    FAULTS,
    TablePlaceholders,
    with_row_faults,
    without_placeholders,
)
from features.versions import (
    References,
    institutions_elsewhere,
    late_parents,
)
from jobs.lake.frames import broadcast_if_small, persisted
from jobs.lake.tables import Lake
from jobs.landing.batch_history import Ledger
from jobs.silver.changes import JOB_NAME, Changes, kept_rows

#: Orphans wait as JSON and come back from it: nothing of a time may be lost on the way.
JSON_TIMES = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
#: So many keys are sent to every task to be looked up there; more are shuffled.
MOST_KEYS_TO_SEND = 2_500_000
_WAS = "struct<state:string,valid_from:timestamp,valid_to:timestamp,is_first:boolean>"


@dataclass(frozen=True)
class RelatedRows:
    """Keys by hash, marked to be broadcast where they are few, and all rows of these keys."""

    keys: DataFrame
    rows: DataFrame


class AffectedRows:
    """The rows of one table that one run has to look at.

    Rows have the columns of bronze with placeholders taken as empty, `faults` of a row that has one where
    it may not or breaks a rule of its table, `key_hash`, and what each `was`: null if new, else its old state and times.
    """

    def __init__(
        self,
        lake: Lake,
        table: LandingTable,
        changes: Changes,
        ledger: Ledger,
        landed: DataFrame,
        placeholders: TablePlaceholders,
    ) -> None:
        self._lake = lake
        self._table = table
        self._changes = changes
        self._ledger = ledger
        self._landed = landed
        self._placeholders = placeholders
        self._own = [each.column for each in table.references if each.parent == table.name]

    def new(self) -> DataFrame:
        """The rows of new batches."""
        was = F.lit(None).cast(_WAS)
        rows = with_row_faults(without_placeholders(self._landed, self._placeholders), self._table)
        return rows.withColumns({"was": was, "key_hash": F.xxhash64(*self._table.key)})

    @contextmanager
    def related(self) -> Iterator[RelatedRows | None]:
        """The rows that are related to others, with all rows of these keys; None if there are none.

        That is: a key that occurs twice, here or in the history; a row that reverses another, and that
        other, though one of them be older; an orphan that waits.
        """
        with self._in_history() as (before, days), persisted(self._related_keys(before)) as keys:
            count = keys.count()
            if not count:
                yield None
                return
            rows = _semi(self.new(), keys, count)
            if self._changes.orphans:
                rows = rows.unionByName(self._waiting())
            if days:
                rows = rows.unionByName(_semi(self._older(days), keys, count))
            with persisted(rows):
                yield RelatedRows(broadcast_if_small(keys, count, MOST_KEYS_TO_SEND), rows)

    def _related_keys(self, before: DataFrame | None) -> DataFrame:
        """The key hashes of rows that are related to others, each once."""
        new = self.new()
        counts = new.groupBy("key_hash").count()
        found = [counts.filter(F.col("count") > 1).select("key_hash")]
        for column in self._own:
            found += [rows.select("key_hash") for rows in self._reversing(new, column)]
        if self._changes.orphans:
            found += self._keys_of(self._waiting())
        if before is not None:
            found.append(before)
        return reduce(DataFrame.union, found).distinct()

    @contextmanager
    def _in_history(self) -> Iterator[tuple[DataFrame | None, list[date]]]:
        """The key hashes that the history shares with new and waiting rows, and the days of its batches."""
        if not self._changes.has_history:
            yield None, []
            return
        wanted = self._keys_of(self.new())
        if self._changes.orphans:
            wanted += self._keys_of(self._waiting())
        older = self._silver().filter(~F.col("batch").isin(*self._changes.new))
        keys, count = reduce(DataFrame.union, wanted), self._changes.rows_new
        for column in self._own:
            keys = keys.union(self._reversing_any(older, column, keys))
        found = _semi(older.select("batch", "key_hash"), keys, count)
        with persisted(found) as hits:
            days = [row["batch"] for row in hits.select("batch").distinct().collect()]
            yield hits.select("key_hash"), days

    def _reversing_any(self, older: DataFrame, column: str, keys: DataFrame) -> DataFrame:
        """The key hashes of older rows that reverse one of some keys, which may move in time."""
        reversed_hash = F.xxhash64(self._table.silver_names[column]).alias("reversed_hash")
        reversing = older.filter(F.col(self._table.silver_names[column]).isNotNull())
        named = keys.withColumnRenamed("key_hash", "reversed_hash")
        return (
            reversing.select("key_hash", reversed_hash)
            .join(
                broadcast_if_small(named, self._changes.rows_new, MOST_KEYS_TO_SEND),
                on="reversed_hash",
                how="left_semi",
            )
            .select("key_hash")
        )

    def _keys_of(self, rows: DataFrame) -> list[DataFrame]:
        """The keys of rows and of those that they reverse, by hash."""
        named = [self._reversing(rows, column)[1].select("key_hash") for column in self._own]
        return [rows.select("key_hash"), *named]

    @staticmethod
    def _reversing(rows: DataFrame, column: str) -> tuple[DataFrame, DataFrame]:
        """Rows that reverse another, and the same with the hash of what they reverse."""
        reversing = rows.filter(F.col(column).isNotNull())
        return reversing, reversing.withColumn("key_hash", F.xxhash64(column))

    def _waiting(self) -> DataFrame:
        """The orphans of older batches, in the columns of bronze again.

        Those of new batches are a run's that died: they are among the new rows.
        """
        table, times = (
            self._table,
            "cast(null as timestamp) as valid_from, cast(null as timestamp) as valid_to",
        )
        is_older = (F.col("job") == JOB_NAME) & ~F.col("batch").isin(*self._changes.new)
        waiting = self._lake.read(quarantine(table.name)).filter(is_older)
        columns = ", ".join(f"{each.name} {each.type}" for each in table.fields)
        record = F.from_json("raw_record", columns, JSON_TIMES)
        lineage = [name for name in table.bronze.columns if name not in table.columns]
        faults = F.filter(quarantined_reasons(), lambda each: ~self._is_of_parent(each))
        rows = waiting.select(*lineage, faults.alias(FAULTS), record.alias("record")).select(
            *lineage, FAULTS, "record.*"
        )
        was = F.expr(f"struct('orphan' as state, {times}, cast(null as boolean) as is_first)")
        return rows.select(
            *table.bronze.columns,
            FAULTS,
            was.alias("was"),
            F.xxhash64(*table.key).alias("key_hash"),
        )

    def _is_of_parent(self, reason: Column) -> Column:
        """Whether a reason is about the parent. Rows of an older version have sentences only, no codes."""
        sentences = [
            reason.text
            for each in self._table.references
            for reason in (each.missing, each.reversing)
        ]
        is_known = reason["code"].isin(MISSING_PARENT, REVERSING_PARENT)
        return F.coalesce(is_known, reason["text"].isin(*sentences))

    def _older(self, days: list[date]) -> DataFrame:
        """The history's rows of some batches."""
        names = {silver: landed for landed, silver in self._table.silver_names.items()}
        state = F.when(F.col("valid_to").isNull(), "standing").otherwise("superseded")
        was = F.struct(state.alias("state"), "valid_from", "valid_to", "is_first")
        older = self._silver().filter(F.col("batch").isin(*days))
        return older.withColumnsRenamed(names).select(
            *self._table.bronze.columns,
            no_reasons().alias(FAULTS),
            was.alias("was"),
            "key_hash",
        )

    def _silver(self) -> DataFrame:
        return self._lake.read(self._table.silver, rows=0)

    def nearby_references(self) -> References:
        """When what rows refer to had first arrived, if it came in the new batches or in a reference table.

        What new rows refer to nearly always has. The history is not looked through, so that a month
        costs the same with a year behind it. Rows that reverse others are left to `related`, unless
        the table is small.
        """
        firsts: dict[str, DataFrame] = {}
        late: dict[str, DataFrame] = {}
        for parent, key in self._parents().items():
            table, found = LANDING_BY_NAME[parent], self._firsts(parent, key)
            batches = self._ledger.of(parent)
            days = set(batches)
            if not self._changes.is_all and table.kind == "event":
                days &= set(self._changes.new)
                found = found.filter(F.col("batch").isin(*self._changes.new))
            found, count = found.drop("batch"), kept_rows(batches, days)
            firsts[parent] = broadcast_if_small(found, count, MOST_KEYS_TO_SEND)
            if count > MOST_KEYS_TO_SEND:
                late |= self._late(parent, found)
        return References(self._table, firsts, self._changes.is_small, late, self._elsewhere())

    def _late(self, parent: str, firsts: DataFrame) -> dict[str, DataFrame]:
        """The late parents of new rows by referring column, where they are few enough to be sent."""
        found = {}
        for column in self._columns_to(parent):
            late = late_parents(self.new(), column, firsts).localCheckpoint()
            if late.count() <= MOST_KEYS_TO_SEND:
                found[column] = late
        return found

    def references(self, rows: DataFrame) -> References:
        """When what a few rows refer to had first arrived, wherever it is."""
        firsts = {}
        for parent, key in self._parents().items():
            named = reduce(
                DataFrame.union,
                (rows.select(F.col(column).alias(key)) for column in self._columns_to(parent)),
            )
            every = self._firsts(parent, key).drop("batch")
            firsts[parent] = every.join(named, on=key, how="left_semi")
        return References(self._table, firsts, elsewhere=self._elsewhere())

    def _elsewhere(self) -> DataFrame | None:
        """The institutions of other provinces, if it matters to the table."""
        if INSTITUTION.name not in self._parents() or not any(
            each.place for each in self._table.references
        ):
            return None
        first = self._lake.read(INSTITUTION.silver, rows=0).filter("is_first")
        return institutions_elsewhere(first)

    def _columns_to(self, parent: str) -> list[str]:
        return [each.column for each in self._table.references if each.parent == parent]

    def _parents(self) -> Mapping[str, str]:
        """The tables that this one refers to and that are there, with the landing name of their key."""
        return {
            each.parent: each.parent_key
            for each in self._table.references
            if each.parent != self._table.name
            and self._lake.exists(LANDING_BY_NAME[each.parent].silver)
        }

    def _firsts(self, parent: str, key: str) -> DataFrame:
        table = LANDING_BY_NAME[parent]
        versions = self._lake.read(table.silver, rows=0).filter("is_first")
        return versions.select("batch", F.col(table.silver_names[key]).alias(key), "valid_from")


def _semi(rows: DataFrame, keys: DataFrame, count: int) -> DataFrame:
    return rows.join(
        broadcast_if_small(keys, count, MOST_KEYS_TO_SEND), on="key_hash", how="left_semi"
    ).select(*rows.columns)
