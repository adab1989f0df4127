"""Landed Parquet as frames of silver, without ingest: what benchmarks of later steps start from."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.tables import LANDING_BY_NAME


def landing_path(landing: Path, table: str) -> str:
    """Where a table's batches lie."""
    return str(landing / table)


def silver_frame(spark: SparkSession, landing: Path, table: str) -> DataFrame:
    """A table's rows in silver's names, each as the only version of its key from its arrival on."""
    contract = LANDING_BY_NAME[table]
    rows = spark.read.parquet(landing_path(landing, table)).drop("batch")
    if contract.kind == "reference":
        newest = F.max_by(F.struct(*rows.columns), "arrive_time").alias("row")
        rows = rows.groupBy(*contract.key).agg(newest).select("row.*")
    named = rows.withColumnsRenamed(contract.silver_names)
    return named.withColumns(
        {"valid_from": F.col("arrive_time"), "valid_to": F.lit(None).cast("timestamp")}
    )
