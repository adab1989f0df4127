"""Landed Parquet as frames of silver, without ingest: what benchmarks of later steps start from."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.landing.table import LandingTable
from expectations.tables import LANDING_BY_NAME
from features.versions import ever_held, lone_versions, ranked_versions
from jobs.lake.tables import Lake


def landing_path(landing: Path, table: str) -> str:
    """Where a table's batches lie."""
    return str(landing / table)


def _landed(spark: SparkSession, landing: Path, table: str) -> DataFrame:
    # Wall-clock times are what the session, which is in UTC, reads them as.
    spark.conf.set("spark.sql.parquet.inferTimestampNTZ.enabled", "false")
    return spark.read.parquet(landing_path(landing, table))


def silver_frame(spark: SparkSession, landing: Path, table: str) -> DataFrame:
    """A table's rows in silver's names, each as the only version of its key from its arrival on."""
    contract = LANDING_BY_NAME[table]
    rows = _landed(spark, landing, table).drop("batch")
    if contract.kind == "reference":
        newest = F.max_by(F.struct(*rows.columns), "arrive_time").alias("row")
        rows = rows.groupBy(*contract.key).agg(newest).select("row.*")
    named = rows.withColumnsRenamed(contract.silver_names)
    return named.withColumns(
        {"valid_from": F.col("arrive_time"), "valid_to": F.lit(None).cast("timestamp")}
    )


def write_silver(
    lake: Lake, landing: Path, table: LandingTable, batches: Sequence[date] | None = None
) -> None:
    """Write a clean table's silver without ingest_batch and conform_tables.

    The rows are those that these jobs write where nothing is wrong with the files, where an event has
    one version, and where what a row refers to has not come later than it.

    Args:
        lake: where to.
        landing: the landing folder.
        table: which table.
        batches: add only these, of an event table; otherwise all are written anew.
    """
    landed = _landed(lake.spark, landing, table.name)
    if batches is not None:
        landed = landed.filter(F.to_date("batch").isin(*batches))
    rows = landed.withColumns(
        {
            "batch": F.to_date("batch"),
            "batch_version": F.lit(""),
            "source_file": F.lit(""),
            "record_number": F.lit(0).cast("long"),
            "key_hash": F.xxhash64(*table.key),
            "is_orphan": F.lit(False),
            "valid_from": F.col("arrive_time"),
        }
    )
    if table.kind == "reference":
        dated = ranked_versions(rows, table.key, table.columns).filter(ever_held())
    else:
        dated = lone_versions(rows)
    named = dated.withColumnsRenamed(table.silver_names)
    where = None if batches is None else {"batch": list(batches)}
    lake.replace(named.select(*table.silver.columns), table.silver, where)
