"""Read landing batches into bronze; rows that break the contract go to quarantine with their reasons."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from expectations.landing import LandingTable
from expectations.landing_rows import MALFORMED, tolerated_columns, typed_rows, unusable_columns
from expectations.ops import LANDING_BATCH, quarantine
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from jobs._config import Config, existing_folder
from jobs._errors import ConfigError, DataRefused
from jobs._files import folder_entries, inspect_files
from jobs._landing import LandingBatch, check_files, landed_batches
from jobs._locks import is_local
from jobs._runtime import Job, JobRun, Options, run, step
from jobs._session import session_conf
from jobs._tables import Lake

#: One file to a task, so that a row's place in its task is its place in the file.
_FILE_BY_FILE = {"spark__sql__files__openCostInBytes": "1t", "spark__sql__files__maxPartitionBytes": "1t"}
_ROW_IN_TASK = (1 << 33) - 1


def check(config: Config, options: Options) -> None:
    """The landing folder has to be there before Spark is started."""
    if is_local(config.landing.root):
        existing_folder(config.landing.root, "landing.root")


def main(this: JobRun) -> str:
    """Ingest every batch version that bronze has not seen, table by table; safe to run again."""
    root = this.config.landing.root.rstrip("/")
    for name, is_folder in folder_entries(root):
        if is_folder and name not in LANDING_BY_NAME:
            this.log.warning("a folder of the landing root is no table of the contract", folder=name)
    known = _known_versions(this.lake)
    refused: list[LandingBatch] = []
    kept = found = 0
    for table in LANDING_TABLES:
        batches, warnings = landed_batches(root, table)
        for text in warnings:
            this.log.warning(text)
        wanted = [batch for batch in batches if this.options.batch in (None, batch.day)]
        found += len(wanted)
        new = [batch for batch in wanted if (table.name, batch.version) not in known]
        if new:
            with step(this, f"{table.name}: {len(new)} of {len(wanted)} batches are new"):
                refused += _ingest(this, table, new)
            kept += len(new)
    if not found:
        at = f"batch={this.options.batch}" if this.options.batch else "any batch"
        raise ConfigError(f"landing.root: no table in {root} has {at}")
    if refused:
        told = "; ".join(f"{batch.name}: {', '.join(batch.reasons)}" for batch in refused[:20])
        raise DataRefused(f"{len(refused)} of {found} batches refused, the others kept. {told}")
    return f"{kept} new batches, {found - kept} already known"


def _known_versions(lake: Lake) -> set[tuple[str, str]]:
    if not lake.exists(LANDING_BATCH):
        return set()
    kept = lake.read(LANDING_BATCH).filter(F.col("outcome") == "kept")
    rows = kept.select("table_name", "batch_version").distinct().toLocalIterator()
    return {(row["table_name"], row["batch_version"]) for row in rows}


def _ingest(this: JobRun, table: LandingTable, batches: list[LandingBatch]) -> list[LandingBatch]:
    """Ingest the new batches of one table in one commit; those that were refused."""
    sound = [batch for batch in batches if not batch.reasons]
    paths = [batch.path(file) for batch in sound for file in batch.files]
    max_bytes = int(this.config.landing.max_file_gib * (1 << 30))
    inspected = inspect_files(this.spark, paths, max_bytes)
    for batch in sound:
        check_files(batch, inspected)
    with session_conf(this.spark, **_FILE_BY_FILE):
        frames = _raw_frames(this, [batch for batch in batches if not batch.reasons])
        stats = _file_stats(this, table, frames)
        for batch in batches:
            if not batch.reasons:
                _check_content(this, batch, stats)
        good = [batch for batch in batches if not batch.reasons]
        superseded = _standing_rows(this, table, good)
        if good:
            rows = _typed(this, table, frames).filter(_is_of(good))
            _write(this, table, rows, good, sum(s["bad"] for s in stats if s["batch"] in _days(good)))
    _record(this, batches, stats, superseded)
    for batch in batches:
        for text in batch.warnings:
            this.log.warning(text, batch=batch.name)
        for text in batch.reasons:
            this.log.error(text, batch=batch.name)
    return [batch for batch in batches if batch.reasons]


def _raw_frames(this: JobRun, batches: list[LandingBatch]) -> list[DataFrame]:
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
        columns = first.facts[members[0][1].rsplit("/", 1)[1]].columns
        paths = [path for _, path in members]
        raw = _read_parquet(this, paths) if is_parquet else _read_csv(this, paths, columns)
        faults = unusable_columns(raw.schema, first.table)
        warnings = tolerated_columns(columns, first.table)
        for batch in {id(batch): batch for batch, _ in members}.values():
            batch.reasons += [fault for fault in faults if fault not in batch.reasons]
            batch.warnings += [text for text in warnings if text not in batch.warnings]
        if not faults:
            frames.append(raw.select(*_contract_columns(raw, first.table)))
    return frames


def _contract_columns(raw: DataFrame, table: LandingTable) -> list[str]:
    lineage = ("batch", "source_file", "record_number", MALFORMED)
    return [name for name in raw.columns if name in lineage or name in table.columns]


def _read_csv(this: JobRun, paths: list[str], columns: tuple[str, ...]) -> DataFrame:
    schema = StructType()
    for name in (*columns, MALFORMED):
        schema.add(name, StringType())
    raw = this.spark.read.csv(
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


def _read_parquet(this: JobRun, paths: list[str]) -> DataFrame:
    return _with_origin(this.spark.read.parquet(*paths), F.col("_metadata.row_index") + 1)


def _with_origin(raw: DataFrame, number: Column) -> DataFrame:
    path = F.col("_metadata.file_path")
    return raw.withColumns(
        {
            "batch": F.regexp_extract(path, r"/batch=(\d{4}-\d{2}-\d{2})/[^/]*$", 1).cast("date"),
            "source_file": F.col("_metadata.file_name"),
            "record_number": number,
        }
    )


def _typed(this: JobRun, table: LandingTable, frames: list[DataFrame]) -> DataFrame:
    """All layouts' rows typed, in one frame."""
    skew = this.config.quarantine.clock_skew_hours
    return reduce(
        DataFrame.unionByName,
        (_common(typed_rows(frame, table, skew), table) for frame in frames),
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


def _file_stats(this: JobRun, table: LandingTable, frames: list[DataFrame]) -> list[Row]:
    """Counts and sums of each file: a row per file comes to the driver."""
    if not frames:
        return []
    is_bad = F.size("reasons") > 0
    sums = [
        F.sum(value).cast("decimal(38,6)").alias(f"{name}__{role}")
        for name in table.amounts
        for role, value in (("landed", F.col(name)), ("kept", F.when(~is_bad, F.col(name))))
    ]
    reading = [
        F.count_if(condition).alias(f"{name}__{role}")
        for name in table.columns
        for role, condition in (
            ("unreadable", F.array_contains("unreadable", name)),
            ("filled", F.col(name).isNotNull()),
        )
    ]
    stats = _typed(this, table, frames).groupBy("batch", "source_file")
    return stats.agg(
        F.count("*").alias("rows"), F.count_if(is_bad).alias("bad"), *sums, *reading
    ).collect()


def _check_content(this: JobRun, batch: LandingBatch, stats: list[Row]) -> None:
    """Compare what was read with the manifest and the limits, adding to the batch's reasons."""
    mine = {row["source_file"]: row for row in stats if row["batch"] == batch.day}
    for file in batch.files:
        found = mine[file.name]["rows"] if file.name in mine else 0
        if found != file.rows:
            batch.reasons.append(f"{file.name} has {found} records, the manifest says {file.rows}")
    for column in batch.table.fields:
        unreadable = _total(mine.values(), f"{column.name}__unreadable")
        if unreadable > 1 and not _total(mine.values(), f"{column.name}__filled"):
            batch.reasons.append(f"column {column.name} can't be {column.type} throughout: none can be read")
    for name, wanted in batch.control.items():
        found_sum = _sum(mine.values(), f"{name}__landed")
        unreadable = _total(mine.values(), f"{name}__unreadable")
        if found_sum != wanted and unreadable:
            batch.warnings.append(f"the control sum of {name} can't be checked: {unreadable} unreadable")
        elif found_sum != wanted:
            batch.reasons.append(f"the sum of {name} is {found_sum.normalize():f}, the manifest says {wanted}")
    bad = _total(mine.values(), "bad")
    limits = this.config.quarantine
    if batch.rows >= limits.share_from_rows and bad > limits.max_share * batch.rows:
        batch.reasons.append(
            f"{bad} of {batch.rows} rows break the contract, more than quarantine.max_share"
            f" ({limits.max_share:.0%}): {_commonest_faults(batch, mine.values())}"
        )


def _commonest_faults(batch: LandingBatch, rows: Iterable[Row]) -> str:
    by_column = {
        column.name: _total(rows, f"{column.name}__unreadable") for column in batch.table.fields
    }
    worst = sorted(by_column.items(), key=lambda item: (-item[1], item[0]))[:3]
    told = ", ".join(f"{name} {count} unreadable" for name, count in worst if count)
    return told or "no column is unreadable, see the allowed values and required columns"


def _write(
    this: JobRun, table: LandingTable, rows: DataFrame, batches: list[LandingBatch], bad: int
) -> None:
    """Quarantine first, then bronze: a retry after a crash between them writes the same again."""
    versions = this.spark.createDataFrame(
        [(batch.day, batch.version) for batch in batches], "batch date, batch_version string"
    )
    stamped = rows.join(F.broadcast(versions), on="batch", how="inner")
    refused = stamped.filter(F.size("reasons") > 0).withColumn("job", F.lit("ingest_batch"))
    contract = quarantine(table.name)
    if bad or this.lake.exists(contract):
        where = {"job": "ingest_batch", "batch": _days(batches)}
        this.lake.replace(refused.select(*contract.columns), contract, where)
    kept = stamped.filter(F.size("reasons") == 0).select(*table.bronze.columns)
    this.lake.replace(kept, table.bronze, {"batch": _days(batches)})


def _standing_rows(this: JobRun, table: LandingTable, batches: list[LandingBatch]) -> dict[date, int]:
    """How many rows of other versions of these batches are in bronze and quarantine now."""
    standing: dict[date, int] = defaultdict(int)
    for contract in (table.bronze, quarantine(table.name)):
        if not batches or not this.lake.exists(contract):
            continue
        rows = this.lake.read(contract)
        if contract.layer == "quarantine":
            rows = rows.filter(F.col("job") == "ingest_batch")
        versions = [batch.version for batch in batches]
        old = rows.filter(F.col("batch").isin(_days(batches)) & ~F.col("batch_version").isin(versions))
        for row in old.groupBy("batch").count().collect():
            standing[row["batch"]] += row["count"]
    return standing


def _record(
    this: JobRun, batches: list[LandingBatch], stats: list[Row], superseded: dict[date, int]
) -> None:
    """One row per batch in `ops/landing_batch`."""
    rows = []
    for batch in batches:
        mine = [row for row in stats if row["batch"] == batch.day]
        landed, bad = _total(mine, "rows"), _total(mine, "bad")
        is_kept = not batch.reasons
        rows.append(
            {
                "run_id": this.run_id,
                "job": "ingest_batch",
                "table_name": batch.table.name,
                "batch": batch.day,
                "batch_version": batch.version,
                "outcome": "kept" if is_kept else "refused",
                "rows_landed": landed,
                "rows_kept": landed - bad if is_kept else 0,
                "rows_quarantined": bad if is_kept else 0,
                "rows_superseded": superseded.get(batch.day, 0) if is_kept else 0,
                "amounts_landed": {name: _sum(mine, f"{name}__landed") for name in batch.table.amounts},
                "amounts_kept": {
                    name: _sum(mine, f"{name}__kept") if is_kept else Decimal(0)
                    for name in batch.table.amounts
                },
                "reasons": batch.reasons,
                "warnings": batch.warnings,
                "written_at": datetime.now(UTC),
            }
        )
    frame = this.spark.createDataFrame(rows, LANDING_BATCH.schema)  # type: ignore[type-var]
    this.lake.append(frame.coalesce(1), LANDING_BATCH)


def _days(batches: list[LandingBatch]) -> list[date]:
    return [batch.day for batch in batches]


def _is_of(batches: list[LandingBatch]) -> Column:
    return F.col("batch").isin(_days(batches))


def _total(rows: Iterable[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _sum(rows: Iterable[Row], name: str) -> Decimal:
    return sum((row[name] or Decimal(0) for row in rows), Decimal(0))


JOB = Job("ingest_batch", "Read landing batches into bronze, bad rows into quarantine", main, ("batch",), check)

if __name__ == "__main__":
    run(JOB)
