"""Turn a foreign claims format into landing batches with manifests, as a mapping says."""

import hashlib
import hmac
import json
import os
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import TimestampType

from expectations.contract.errors import ConfigError, DataRefused
from expectations.landing.table import LandingTable
from expectations.landing.written_names import bare_text, sign_of_spoilt
from expectations.tables import LANDING_BY_NAME
from jobs.lake.locks import is_local, local_path
from jobs.landing.manifests import BATCH_DAY, MANIFEST
from jobs.landing.mappings import Mapping, load_mapping, mapped_tables, source_files
from jobs.landing.source_faults import write_fault
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, existing_folder
from jobs.runtime.job import Job, JobRun, Options, step
from jobs.runtime.session import session_conf

_ROWS_PER_FILE = 5_000_000
_NO_BATCH = "__HIVE_DEFAULT_PARTITION__"
#: Encodings beyond UTF-8, such as GB18030, are read by Java's names for them.
_READING = {
    "spark.sql.legacy.javaCharsets": "true",
    # What pandas and older writers have in Parquet: times in nanoseconds come as numbers, unmarked text as text.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.parquet.binaryAsString": "true",
}


def check(config: Config, options: Options) -> None:
    """Mapping, source files, hash key and a local landing folder, before Spark is started."""
    mapping = load_mapping(config.source.mapping)
    source_files(mapping, existing_folder(config.source.folder, "source.folder"))
    _hash_key(mapping)
    if not is_local(config.landing.root):
        raise ConfigError(
            f"landing.root is {config.landing.root}: convert_source writes to a local folder, copy from there"
        )


def main(run: JobRun) -> str:
    """Write the batches of every mapped table; a batch that comes out the same is left as it lies."""
    config = run.config
    mapping = load_mapping(config.source.mapping)
    files = source_files(mapping, existing_folder(config.source.folder, "source.folder"))
    landing = local_path(config.landing.root)
    key = _hash_key(mapping)
    shutil.rmtree(landing / "_staging", ignore_errors=True)
    given: set[tuple[str, str]] = set()
    written = unchanged = 0
    with session_conf(run.spark, _READING), _without_sparks_own_log(run.spark):
        frames = mapped_tables(run.spark, mapping, files, str(config.source.mapping))
        for table, frame in frames.items():
            with step(run, f"{table}: converted"):
                hashed = _with_hashes(frame, LANDING_BY_NAME[table], mapping, key)
                staging = landing / "_staging" / table
                try:
                    control = _stage(hashed, table, staging)
                except (PySparkException, Py4JJavaError) as error:
                    told = write_fault(_as_landed(hashed), mapping, files, error)
                    raise DataRefused(f"{config.source.mapping}: tables.{table}{told}") from None
                given |= {(table, day) for day in control}
                new, same, rows = _deliver(table, staging, landing / table, control, mapping.title)
            written, unchanged = written + new, unchanged + same
            run.lake.rows_written += rows
    emptied = _empty_stale(run, landing, mapping.title, given)
    shutil.rmtree(landing / "_staging", ignore_errors=True)
    told = f"{len(frames)} tables, {written} batches written, {unchanged} unchanged"
    return f"{told}, {emptied} emptied, which the source no longer gives" if emptied else told


@contextmanager
def _without_sparks_own_log(spark: SparkSession) -> Iterator[None]:
    """Spark logs what failed with the value that it failed for: it must not, as values may be identifiers."""
    spark.sparkContext.setLogLevel("OFF")
    try:
        yield
    finally:
        spark.sparkContext.setLogLevel("ERROR")


def keyed_hash(values: pd.Series, key: bytes) -> pd.Series:
    """HMAC-SHA256 of each text as hex. One key, one pseudonym for all time.

    A text is hashed without blanks around it and in Unicode's compatible form (full-width digits are
    digits). Nothing is left of an empty value: it has no hash.
    """

    def hashed(text: str) -> str | None:
        plain = unicodedata.normalize("NFKC", text).strip()
        return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest() if plain else None

    return values.map(hashed, na_action="ignore")


def _hash_key(mapping: Mapping) -> bytes:
    if not mapping.hash.columns:
        return b""
    key = os.environ.get(mapping.hash.key_variable, "")
    if len(key) < 16:
        raise ConfigError(
            f"the mapping hashes {', '.join(mapping.hash.columns)}: set the environment variable"
            f" {mapping.hash.key_variable} to a secret of at least 16 characters"
        )
    return key.encode()


def _with_hashes(frame: DataFrame, table: LandingTable, mapping: Mapping, key: bytes) -> DataFrame:
    """Hashes in place of names; one that is spoilt gets its sign, for which `ingest_batch` has the reason."""
    # A Python function, although slower than SQL: a key in an expression would show in query plans.
    hashed = pandas_udf(lambda values: keyed_hash(values, key), "string")  # type: ignore[call-overload]
    columns = {}
    for name in frame.columns:
        if name in mapping.hash.columns:
            bare = bare_text(F.col(name).cast("string"), is_bare=False)
            columns[name] = hashed(bare)
            if name in table.id_columns:
                sign = sign_of_spoilt(bare, has_decimals=name not in table.whole_id_columns)
                columns[name] = F.coalesce(sign, columns[name])
    return frame.withColumns(columns)


def _stage(frame: DataFrame, table: str, staging: Path) -> dict[str, dict[str, str]]:
    """Write Parquet by batch, sorted, so that the same source gives the same bytes; the control sums.

    Raises:
        DataRefused: when a row has no batch; names the table.
    """
    contract = LANDING_BY_NAME[table]
    (
        _as_landed(frame)
        .repartition("batch")
        .sortWithinPartitions("batch", *contract.key, "arrive_time")
        .write.mode("overwrite")
        .option("maxRecordsPerFile", _ROWS_PER_FILE)
        .partitionBy("batch")
        .parquet(str(staging))
    )
    if not any(staging.glob("batch=*")):
        return {}
    staged = frame.sparkSession.read.parquet(str(staging))
    amounts = [name for name in contract.amounts if name in staged.columns]
    sums = staged.groupBy(F.col("batch").cast("string").alias("batch")).agg(
        F.count("*").alias("rows"),
        *(
            F.sum(F.col(name).try_cast("decimal(38,6)")).cast("string").alias(name)
            for name in amounts
        ),
    )
    control = {row["batch"]: {name: row[name] or "0" for name in amounts} for row in sums.collect()}
    if None in control or _NO_BATCH in control:
        raise DataRefused(
            f"tables.{table}: some rows have no batch: the dates they rest on can't be read"
        )
    # Six digits are a year to Spark: 202401 is a day of the year 202401.
    if odd := sorted(day for day in control if not BATCH_DAY.fullmatch(day)):
        raise DataRefused(
            f"tables.{table}: batch is {odd[0]} in some rows, which is no day of the form yyyy-MM-dd: a month without"
            " a day? last_day(to_date(month, 'yyyyMM')) is its last"
        )
    return control


def _as_landed(frame: DataFrame) -> DataFrame:
    """Times as wall-clock times, not moments, and the batch as a date."""
    times = [each.name for each in frame.schema if isinstance(each.dataType, TimestampType)]
    clocks = {name: F.col(name).cast("timestamp_ntz") for name in times if name != "batch"}
    return frame.withColumns(clocks | {"batch": F.col("batch").try_cast("date")})


def _deliver(
    table: str, staging: Path, target: Path, control: dict[str, dict[str, str]], title: str
) -> tuple[int, int, int]:
    """Move staged batches to their place, the manifest included; (new, unchanged, rows)."""
    new = unchanged = rows = 0
    for folder in sorted(staging.glob("batch=*")):
        day = folder.name.removeprefix("batch=")
        files = _plain_files(folder)
        manifest = {
            "table": table,
            "batch": day,
            "rows": sum(file["rows"] for file in files),
            "control": control[day],
            "files": files,
            "source": title,
        }
        place = target / folder.name
        rows += manifest["rows"]
        before = _manifest_text(place)
        if before is not None:
            if _is_same(before, manifest):
                unchanged += 1
                continue
            # What was given before, taken back and is given again is a new version: ingest_batch knows the old one.
            manifest["replaces"] = hashlib.sha256(before.encode()).hexdigest()
        new += 1
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        if place.exists():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(place)
    return new, unchanged, rows


def _manifest_text(place: Path) -> str | None:
    try:
        return (place / MANIFEST).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _is_same(before: str, manifest: dict[str, Any]) -> bool:
    """Whether a delivered manifest says the same, whatever it replaced."""
    try:
        told = json.loads(before)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and {**told, "replaces": ""} == {**manifest, "replaces": ""}


def _empty_stale(run: JobRun, landing: Path, title: str, given: set[tuple[str, str]]) -> int:
    """Replace batches that this source gave once and gives no more by empty ones; how many.

    An empty batch is a new version of the batch, so that `ingest_batch` takes its rows back. Batches
    of which it is not known whose they are stay, and are named.
    """
    emptied = 0
    staging = landing / "_staging" / "empty"
    for place in sorted(landing.glob("*/batch=*")):
        table, day = place.parent.name, place.name.removeprefix("batch=")
        contract = LANDING_BY_NAME.get(table)
        if contract is None or (table, day) in given or not place.is_dir():
            continue
        name = f"{table}/{place.name}"
        source, rows = _delivered(place)
        if source != title:
            run.log.warning("a batch in the landing folder is not of this source", batch=name)
        elif rows:
            (staging / place.name).mkdir(parents=True)
            nothing = {column: pa.array([], pa.string()) for column in contract.columns}
            pq.write_table(pa.table(nothing), staging / place.name / "part-0.parquet")
            _deliver(table, staging, landing / table, {day: {}}, title)
            run.log.warning("the source no longer gives a batch: it is empty now", batch=name)
            emptied += 1
    return emptied


def _delivered(place: Path) -> tuple[str | None, int]:
    """Which source a batch is of, and its rows; None where its manifest does not say."""
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        return manifest.get("source"), int(manifest["rows"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None, 0


def _plain_files(folder: Path) -> list[dict[str, Any]]:
    """Give Spark's part files names that do not change from run to run; count and hash them."""
    files = []
    for number, part in enumerate(sorted(folder.glob("part-*"))):
        plain = part.rename(folder / f"part-{number:05d}.parquet")
        with plain.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        files.append(
            {"name": plain.name, "rows": pq.read_metadata(plain).num_rows, "sha256": digest}
        )
    for checksum in folder.glob(".*.crc"):
        checksum.unlink()
    return files


JOB = Job(
    "convert_source",
    "Turn a foreign claims format into landing batches with manifests",
    main,
    check=check,
)

if __name__ == "__main__":
    run_job(JOB)
