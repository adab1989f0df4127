"""Landed rows: the files of good batches as typed frames, and what each file holds."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from expectations.landing.plausible import Plausible
from expectations.landing.row_rules import (
    MALFORMED,
    sound_rows,
    tolerated_columns,
    typed_rows,
    unusable_columns,
)
from expectations.landing.table import LandingTable
from jobs.landing.files import FileFacts
from jobs.landing.manifest_form import ListedFile
from jobs.landing.manifests import LandingBatch

#: Session settings to read Parquet with. A row knows its place in its file itself, so large files may be
#: split and small ones read together.
READING = {
    # Timestamps in nanoseconds, which pandas writes and Spark does not read, come as numbers.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # Wall-clock times are what the session, which is in UTC, reads them as: no conversion by row.
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
}
#: And text: a record's place in its file is known from its place in a task that reads one whole file.
READING_TEXT = READING | {
    "spark.sql.files.openCostInBytes": "1t",
    "spark.sql.files.maxPartitionBytes": "1t",
}
_WILDCARD = re.compile(r"[{}\[\]*?\\]")
_ROW_IN_TASK = (1 << 33) - 1
_ORIGIN = ("batch", "source_file", "record_number")
_ROLES = ("landed", "kept")


@dataclass
class LandedRows:
    """The rows of some days' batches, typed, with their lineage.

    `sound` are frames of files in which no row breaks the contract. The `others` have `reasons`,
    `unreadable` and `raw_record` beside the columns of the table.
    """

    table: LandingTable
    days: tuple[date, ...]
    sound: list[DataFrame] = field(default_factory=list)
    others: list[DataFrame] = field(default_factory=list)

    def good(self, *, is_any_bad: bool) -> DataFrame | None:
        """What may go to bronze; where nothing is bad, the reasons need not be worked out again."""
        columns = (*_ORIGIN, *self.table.columns)
        others = self.others
        if is_any_bad:
            others = [frame.filter(F.size("reasons") == 0) for frame in others]
        return _all([frame.select(*columns) for frame in (*self.sound, *others)])

    def bad(self) -> DataFrame | None:
        """What has to go to quarantine."""
        found = _all(self.others)
        return None if found is None else found.filter(F.size("reasons") > 0)


def _all(frames: Sequence[DataFrame]) -> DataFrame | None:
    return reduce(DataFrame.unionByName, frames) if frames else None


def reading(batches: list[LandingBatch]) -> dict[str, str]:
    """Which settings some batches are read with: those of Parquet if all their files are of it."""
    names = (file.name for batch in batches for file in batch.files)
    return READING if all(name.endswith(".parquet") for name in names) else READING_TEXT


def escaped(path: str) -> str:
    """A path as Spark has to be given it: no letter of it is taken for a wildcard."""
    return _WILDCARD.sub(r"\\\g<0>", path)


def is_readable(root: str) -> bool:
    """Whether Spark reads what lies below a folder: it fails where an escaped wildcard meets a colon."""
    return ":" not in root or not _WILDCARD.search(root)


def landed_rows(
    spark: SparkSession, table: LandingTable, batches: list[LandingBatch], plausible: Plausible
) -> LandedRows:
    """The rows of some batches' private copies, layout by layout, as types and columns may differ.

    Adds `unusable_columns` to the reasons of batches whose columns won't do.
    """
    groups: dict[tuple[bool, bool, str], list[tuple[LandingBatch, ListedFile]]] = defaultdict(list)
    for batch in batches:
        for file in batch.files:
            facts = batch.facts[file.name]
            is_parquet = file.name.endswith(".parquet")
            groups[facts.sums is not None, is_parquet, facts.layout].append((batch, file))
    landed = LandedRows(table, tuple(batch.day for batch in batches))
    for (is_sound, is_parquet, _), members in groups.items():
        paths = [escaped(batch.facts[file.name].copy) for batch, file in members]
        facts = members[0][0].facts[members[0][1].name]
        if is_sound:
            raw = _read_sound(spark, paths, table, facts)
        elif is_parquet:
            raw = _read_parquet(spark, paths, facts)
        else:
            raw = _read_csv(spark, paths, facts)
        faults = unusable_columns(raw.schema, table)
        warnings = tolerated_columns(facts.columns, table)
        for batch in {id(batch): batch for batch, _ in members}.values():
            batch.reasons += [fault for fault in faults if fault not in batch.reasons]
            batch.warnings += [text for text in warnings if text not in batch.warnings]
        if faults:
            continue
        rows = _with_origin(raw, table, is_parquet=is_parquet)
        if is_sound:
            landed.sound.append(sound_rows(rows, table))
        else:
            landed.others.append(_common(typed_rows(rows, table, plausible), table))
    return landed


def _read_csv(spark: SparkSession, paths: list[str], facts: FileFacts) -> DataFrame:
    schema = StructType()
    for name in (*facts.columns, MALFORMED):
        schema.add(name, StringType())
    return spark.read.csv(
        paths,
        schema=schema,
        header=True,
        multiLine=True,
        escape='"',
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=MALFORMED,
    )


def _read_parquet(spark: SparkSession, paths: list[str], facts: FileFacts) -> DataFrame:
    times = {
        name: F.timestamp_micros(F.floor(F.col(name) / 1000)) for name in facts.nanosecond_columns
    }
    return spark.read.parquet(*paths).withColumns(times)


def _read_sound(
    spark: SparkSession, paths: list[str], table: LandingTable, facts: FileFacts
) -> DataFrame:
    """Files whose types are known to be those of the contract: Spark need not look for itself."""
    schema = StructType()
    for column in table.fields:
        if column.name in facts.columns:
            schema.add(column.name, column.type)
    return spark.read.schema(schema).parquet(*paths)


def _with_origin(raw: DataFrame, table: LandingTable, *, is_parquet: bool) -> DataFrame:
    """The columns of the contract, and where each row comes from."""
    path, name = F.col("_metadata.file_path"), F.col("_metadata.file_name")
    # <...>/batch=yyyy-MM-dd/<name>: cut by length, as a regular expression costs more than all else.
    # A date written into the query would have its code compiled anew for every month.
    day = F.substring(path, F.length(path) - F.length(name) - 10, 10).cast("date")
    if is_parquet:
        number = F.col("_metadata.row_index") + 1
    else:
        number = F.monotonically_increasing_id().bitwiseAND(F.lit(_ROW_IN_TASK)) + 1
    return raw.select(
        day.alias("batch"),
        name.alias("source_file"),
        number.alias("record_number"),
        *(column for column in raw.columns if column == MALFORMED or column in table.columns),
    )


def _common(typed: DataFrame, table: LandingTable) -> DataFrame:
    as_json = F.to_json("landed")
    raw = F.coalesce(F.col(MALFORMED), as_json) if MALFORMED in typed.columns else as_json
    return typed.select(
        *_ORIGIN,
        "reasons",
        "unreadable",
        F.when(F.size("reasons") > 0, raw).alias("raw_record"),
        *table.columns,
    )


def file_stats(landed: LandedRows, batches: list[LandingBatch]) -> list[Mapping[str, Any]]:
    """Rows, bad rows and sums of each file: a row per file comes to the driver."""
    known: list[Mapping[str, Any]] = [
        {"batch": batch.day, "source_file": file.name, "rows": facts.rows, "bad": 0}
        | {f"{name}__{role}": total for name, total in facts.sums.items() for role in _ROLES}
        for batch in batches
        for file in batch.files
        if (facts := batch.facts[file.name]).sums is not None
    ]
    typed = _all(landed.others)
    if typed is None:
        return known
    is_bad = F.size("reasons") > 0
    sums = [
        F.sum(value).cast("decimal(38,6)").alias(f"{name}__{role}")
        for name in landed.table.amounts
        for role, value in zip(_ROLES, (F.col(name), F.when(~is_bad, F.col(name))), strict=True)
    ]
    files = typed.groupBy("batch", "source_file")
    counts = files.agg(F.count("*").alias("rows"), F.count_if(is_bad).alias("bad"), *sums)
    return known + [row.asDict() for row in counts.collect()]


def unreadable_values(landed: LandedRows) -> dict[date, dict[str, tuple[int, int]]]:
    """By batch and column, how many values could not be read and how many were; only where any."""
    typed = _all(landed.others)
    if typed is None:
        return {}
    unreadable = typed.select("batch", F.explode("unreadable").alias("column"))
    counts = {
        (row["batch"], row["column"]): row["count"]
        for row in unreadable.groupBy("batch", "column").count().collect()
    }
    if not counts:
        return {}
    names = sorted({column for _, column in counts})
    every = _all([frame.select("batch", *names) for frame in (*landed.sound, typed)])
    assert every is not None
    filled = every.groupBy("batch").agg(*(F.count(name).alias(name) for name in names)).collect()
    return {
        row["batch"]: {
            name: (counts[row["batch"], name], row[name])
            for name in names
            if (row["batch"], name) in counts
        }
        for row in filled
    }
