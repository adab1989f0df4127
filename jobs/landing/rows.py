"""Landed rows: the files of good batches as typed frames, and what each file holds."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from expectations.landing.headers import Header, Naming, read_header
from expectations.landing.plausible import Plausible
from expectations.landing.reasons import quarantine_columns
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
from jobs.landing.parquet_types import NOTHING

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


@dataclass(frozen=True)
class Reading:
    """How rows are read.

    Attributes:
        plausible: which times are.
        time_zone: the province's, to convert moments with; None where they are refused.
        naming: under which names columns are taken.
    """

    plausible: Plausible
    time_zone: str | None = None
    naming: Naming = field(default_factory=Naming)


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
        return all_rows([frame.select(*columns) for frame in (*self.sound, *others)])

    def bad(self) -> DataFrame | None:
        """What has to go to quarantine, with its columns `reasons` and `reason_codes`."""
        found = all_rows(self.others)
        if found is None:
            return None
        return found.filter(F.size("reasons") > 0).withColumns(quarantine_columns())


def all_rows(frames: Sequence[DataFrame]) -> DataFrame | None:
    """The rows of some frames; None if there are none."""
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
    spark: SparkSession, table: LandingTable, batches: list[LandingBatch], how: Reading
) -> LandedRows:
    """The rows of some batches' private copies, layout by layout, as types and columns may differ.

    Adds what is wrong with their columns to the reasons of batches, and what is odd to their warnings.
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
        header = read_header(facts.columns, table, how.naming)
        faults = [*header.faults, *_form_faults(facts, header, table, how)]
        if not faults:
            if is_sound:
                raw = _read_sound(spark, paths, table, facts)
            elif is_parquet:
                raw = _read_parquet(spark, paths, facts, header, how.time_zone)
            else:
                raw = _read_csv(spark, paths, facts, header)
            faults = unusable_columns(raw.schema, table)
        warnings = tolerated_columns(header, table)
        for batch in {id(batch): batch for batch, _ in members}.values():
            batch.reasons += [fault for fault in faults if fault not in batch.reasons]
            batch.warnings += [text for text in warnings if text not in batch.warnings]
        if faults:
            continue
        rows = _with_origin(raw, table, is_parquet=is_parquet)
        if is_sound:
            landed.sound.append(sound_rows(rows, table))
        else:
            typed = typed_rows(rows, table, how.plausible, is_bare=facts.text.is_bare)
            landed.others.append(_common(typed, table))
    return landed


def _form_faults(facts: FileFacts, header: Header, table: LandingTable, how: Reading) -> list[str]:
    """Why some columns of a Parquet file can't be read as they are stored."""
    faults = []
    types = {column.name: column.type for column in table.fields}
    for form, name in zip(facts.forms, header.columns, strict=bool(facts.forms)):
        if name is None:
            continue
        if not form.spark:
            faults.append(
                f"column {name} is {form.stored}, which can't be {types[name]} throughout"
            )
        elif form.is_moment and types[name] in ("timestamp", "date") and how.time_zone is None:
            faults.append(
                f"column {name} is {form.stored}: moments in UTC, and the contract's times are those of a"
                " clock on the wall: set landing.time_zone to the zone to convert them with"
            )
    return faults


def _read_csv(spark: SparkSession, paths: list[str], facts: FileFacts, header: Header) -> DataFrame:
    # Columns are taken by their place: a name may be anything.
    schema = StructType()
    for place in range(len(facts.columns)):
        schema.add(f"_{place}", StringType())
    schema.add(MALFORMED, StringType())
    is_mixed = facts.text.mixed_line_ends
    ends = {"lineSep": "\n"} if is_mixed else {}
    raw = spark.read.csv(
        paths,
        schema=schema,
        header=not is_mixed,
        multiLine=True,
        escape='"',
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=MALFORMED,
        **ends,
    )
    if is_mixed:
        raw = _without_returns(raw, facts.columns)
    return raw.select(
        MALFORMED,
        *(
            F.col(f"_{place}").alias(name)
            for place, name in enumerate(header.columns)
            if name is not None
        ),
    )


def _without_returns(raw: DataFrame, header: Sequence[str]) -> DataFrame:
    """Records of lines that end in LF or in CR LF, read as if all ended in LF: without what CR LF leaves.

    That is a CR at the end of the last field, and a record of that letter alone for each blank line. The first
    line may be one, so that Spark can't tell the header: it is the first record of the file that is left.
    Within a text CR LF becomes LF, as Spark has it where all lines end in CR LF.
    """
    last = f"_{len(header) - 1}"
    whole = F.col(last)
    whole = F.when(whole.endswith("\r"), whole.substr(F.lit(1), F.length(whole) - 1)).otherwise(
        whole
    )
    is_blank = F.col("_0").eqNullSafe("\r") & F.coalesce(F.trim(MALFORMED) == "", F.lit(False))
    numbered = raw.filter(~is_blank).withColumn("record_number", _record_number())
    rows = numbered.filter("record_number > 1").drop("record_number")
    fields = {f"_{place}": F.col(f"_{place}") for place in range(len(header))} | {last: whole}
    return rows.withColumns(
        {name: F.replace(value, F.lit("\r\n"), F.lit("\n")) for name, value in fields.items()}
    )


def _record_number() -> Column:
    """The number of a record in its text file, from 1: a task reads one whole file (`READING_TEXT`)."""
    return F.monotonically_increasing_id().bitwiseAND(F.lit(_ROW_IN_TASK)) + 1


def _read_parquet(
    spark: SparkSession, paths: list[str], facts: FileFacts, header: Header, time_zone: str | None
) -> DataFrame:
    """Only what the contract knows is read: other columns may be of any type."""
    schema = StructType()
    values = []
    for form, name in zip(facts.forms, header.columns, strict=True):
        if name is None:
            continue
        if form.spark == NOTHING:
            values.append(F.lit(None).cast("string").alias(name))
            continue
        schema.add(form.name, form.spark)
        value = F.col(f"`{form.name.replace('`', '``')}`")
        if form.is_nanoseconds:
            whole = value - F.pmod(value, F.lit(1000))
            value = F.timestamp_micros(F.call_function("div", whole, F.lit(1000)))
        if form.is_moment and time_zone:
            value = F.from_utc_timestamp(value, time_zone)
        values.append(value.alias(name))
    return spark.read.schema(schema).parquet(*paths).select(*values)


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
    number = F.col("_metadata.row_index") + 1 if is_parquet else _record_number()
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
