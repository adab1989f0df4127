"""Turn a foreign claims format into landing batches with manifests, as a mapping says."""

import hashlib
import hmac
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from expectations.contract.errors import ConfigError, DataRefused
from expectations.tables import LANDING_BY_NAME
from jobs.lake.locks import is_local, local_path
from jobs.landing.manifests import MANIFEST
from jobs.landing.mappings import Mapping, load_mapping, mapped_tables, source_files
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, existing_folder
from jobs.runtime.job import Job, JobRun, Options, step

_ROWS_PER_FILE = 5_000_000
_NO_BATCH = "__HIVE_DEFAULT_PARTITION__"


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
    frames = mapped_tables(run.spark, mapping, files, str(config.source.mapping))
    key = _hash_key(mapping)
    written = unchanged = 0
    for table, frame in frames.items():
        with step(run, f"{table}: converted"):
            hashed = _with_hashes(frame, mapping, key)
            staging = landing / "_staging" / table
            control = _stage(hashed, table, staging)
            new, same, rows = _deliver(table, staging, landing / table, control)
        written, unchanged = written + new, unchanged + same
        run.lake.rows_written += rows
    shutil.rmtree(landing / "_staging")
    return f"{len(frames)} tables, {written} batches written, {unchanged} unchanged"


def keyed_hash(values: pd.Series, key: bytes) -> pd.Series:
    """HMAC-SHA256 of each text as hex; an empty value stays empty. One key, one pseudonym for all time."""
    return values.map(
        lambda text: hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), na_action="ignore"
    )


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


def _with_hashes(frame: DataFrame, mapping: Mapping, key: bytes) -> DataFrame:
    # A Python function, although slower than SQL: a key in an expression would show in query plans.
    hashed = pandas_udf(lambda values: keyed_hash(values, key), "string")  # type: ignore[call-overload]
    columns = [name for name in frame.columns if name in mapping.hash.columns]
    return frame.withColumns({name: hashed(F.col(name).cast("string")) for name in columns})


def _stage(frame: DataFrame, table: str, staging: Path) -> dict[str, dict[str, str]]:
    """Write Parquet by batch, sorted, so that the same source gives the same bytes; the control sums.

    Raises:
        DataRefused: when a source record has the wrong shape, or a row no batch.
    """
    contract = LANDING_BY_NAME[table]
    try:
        (
            frame.repartition("batch")
            .sortWithinPartitions("batch", *contract.key, "arrive_time")
            .write.mode("overwrite")
            .option("maxRecordsPerFile", _ROWS_PER_FILE)
            .partitionBy("batch")
            .parquet(str(staging))
        )
    except (PySparkException, Py4JJavaError) as error:
        found = re.search(
            r"FAILED_READ_FILE\S* Encountered error while reading file (\S+)\.", str(error)
        )
        if found is None:
            raise
        raise DataRefused(
            f"tables.{table}: {found[1]} is damaged, or has a record with another number of fields than"
            " its header; mend the file, nothing was delivered for this table"
        ) from None
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
    return control


def _deliver(
    table: str, staging: Path, target: Path, control: dict[str, dict[str, str]]
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
        }
        text = json.dumps(manifest, indent=1)
        place = target / folder.name
        rows += manifest["rows"]
        if (place / MANIFEST).exists() and (place / MANIFEST).read_text(encoding="utf-8") == text:
            unchanged += 1
            continue
        new += 1
        (folder / MANIFEST).write_text(text, encoding="utf-8")
        if place.exists():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(place)
    return new, unchanged, rows


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
