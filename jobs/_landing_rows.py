"""Landed rows: the files of good batches as typed frames, and what each file holds."""

from collections import defaultdict
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from expectations.landing import LandingTable
from expectations.landing_rows import MALFORMED, tolerated_columns, typed_rows, unusable_columns
from jobs._landing import LandingBatch

_READING = {
    # Timestamps in nanoseconds, which pandas writes and Spark does not read, come as numbers.
    "spark__sql__legacy__parquet__nanosAsLong": "true",
    # Wall-clock times are what the session, which is in UTC, reads them as: no conversion by row.
    "spark__sql__parquet__inferTimestampNTZ__enabled": "false",
}
_ONE_FILE_TO_A_TASK = {
    "spark__sql__files__openCostInBytes": "1t",
    "spark__sql__files__maxPartitionBytes": "1t",
}
_ROW_IN_TASK = (1 << 33) - 1


def reading(batches: list[LandingBatch]) -> dict[str, str]:
    """Session settings to read some batches with.

    A text record's place in its file is known from its place in a task that reads one whole file. A
    Parquet row knows its place itself, so large files may be split and small ones read together.
    """
    names = (file.name for batch in batches for file in batch.files)
    if all(name.endswith(".parquet") for name in names):
        return _READING
    return _READING | _ONE_FILE_TO_A_TASK


def raw_frames(
    spark: SparkSession, table: LandingTable, batches: list[LandingBatch]
) -> list[DataFrame]:
    """One frame for each layout of files: their columns, and where each row comes from.

    Adds `unusable_columns` to the reasons of batches whose columns won't do.
    """
    groups: dict[tuple[bool, str], list[tuple[LandingBatch, str]]] = defaultdict(list)
    for batch in batches:
        for file in batch.files:
            layout = batch.facts[file.name].layout
            groups[file.name.endswith(".parquet"), layout].append((batch, batch.path(file)))
    frames = []
    for (is_parquet, _), members in groups.items():
        first = members[0][0]
        facts = first.facts[members[0][1].rsplit("/", 1)[1]]
        paths = [path for _, path in members]
        raw = (
            _read_parquet(spark, paths, facts.nanosecond_columns)
            if is_parquet
            else _read_csv(spark, paths, facts.columns)
        )
        faults = unusable_columns(raw.schema, table)
        warnings = tolerated_columns(facts.columns, table)
        for batch in {id(batch): batch for batch, _ in members}.values():
            batch.reasons += [fault for fault in faults if fault not in batch.reasons]
            batch.warnings += [text for text in warnings if text not in batch.warnings]
        if not faults:
            frames.append(raw.select(*_contract_columns(raw, table)))
    return frames or [_no_rows(spark, table)]


def _no_rows(spark: SparkSession, table: LandingTable) -> DataFrame:
    """What batches without a file hold."""
    schema = (
        StructType().add("batch", "date").add("source_file", "string").add("record_number", "long")
    )
    for name in table.columns:
        schema.add(name, "string")
    return spark.createDataFrame([], schema)


def _contract_columns(raw: DataFrame, table: LandingTable) -> list[str]:
    lineage = ("batch", "source_file", "record_number", MALFORMED)
    return [name for name in raw.columns if name in lineage or name in table.columns]


def _read_csv(spark: SparkSession, paths: list[str], columns: tuple[str, ...]) -> DataFrame:
    schema = StructType()
    for name in (*columns, MALFORMED):
        schema.add(name, StringType())
    raw = spark.read.csv(
        paths,
        schema=schema,
        header=True,
        multiLine=True,
        escape='"',
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=MALFORMED,
    )
    number = F.monotonically_increasing_id().bitwiseAND(F.lit(_ROW_IN_TASK)) + 1
    return _with_origin(raw, number)


def _read_parquet(spark: SparkSession, paths: list[str], nanos: tuple[str, ...]) -> DataFrame:
    raw = spark.read.parquet(*paths)
    times = {name: F.timestamp_micros(F.floor(F.col(name) / 1000)) for name in nanos}
    return _with_origin(raw, F.col("_metadata.row_index") + 1).withColumns(times)


def _with_origin(raw: DataFrame, number: Column) -> DataFrame:
    # <...>/batch=yyyy-MM-dd/<name>: cut by length, as a regular expression costs more than all else.
    path, name = F.col("_metadata.file_path"), F.col("_metadata.file_name")
    day = F.substring(path, F.length(path) - F.length(name) - 10, 10)
    return raw.withColumns(
        {
            "batch": day.cast("date"),
            "source_file": name,
            "record_number": number,
        }
    )


def typed_frame(table: LandingTable, frames: list[DataFrame], clock_skew_hours: int) -> DataFrame:
    """All layouts' rows typed, in one frame."""
    return reduce(
        DataFrame.unionByName,
        (_common(typed_rows(frame, table, clock_skew_hours), table) for frame in frames),
    )


def _common(typed: DataFrame, table: LandingTable) -> DataFrame:
    as_json = F.to_json("landed")
    raw = F.coalesce(F.col(MALFORMED), as_json) if MALFORMED in typed.columns else as_json
    return typed.select(
        "batch",
        "source_file",
        "record_number",
        "reasons",
        "unreadable",
        F.when(F.size("reasons") > 0, raw).alias("raw_record"),
        *table.columns,
    )


def file_stats(table: LandingTable, typed: DataFrame) -> list[Row]:
    """Rows, bad rows and sums of each file: a row per file comes to the driver."""
    is_bad = F.size("reasons") > 0
    sums = [
        F.sum(value).cast("decimal(38,6)").alias(f"{name}__{role}")
        for name in table.amounts
        for role, value in (("landed", F.col(name)), ("kept", F.when(~is_bad, F.col(name))))
    ]
    files = typed.groupBy("batch", "source_file")
    return files.agg(F.count("*").alias("rows"), F.count_if(is_bad).alias("bad"), *sums).collect()


def unreadable_values(typed: DataFrame) -> dict[date, dict[str, tuple[int, int]]]:
    """By batch and column, how many values could not be read and how many were; only where any."""
    unreadable = typed.select("batch", F.explode("unreadable").alias("column"))
    counts = {
        (row["batch"], row["column"]): row["count"]
        for row in unreadable.groupBy("batch", "column").count().collect()
    }
    if not counts:
        return {}
    names = sorted({column for _, column in counts})
    filled = typed.groupBy("batch").agg(*(F.count(name).alias(name) for name in names)).collect()
    return {
        row["batch"]: {
            name: (counts[row["batch"], name], row[name])
            for name in names
            if (row["batch"], name) in counts
        }
        for row in filled
    }
