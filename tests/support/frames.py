"""Small frames in the columns of a table; a test says only what matters to it."""

from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from expectations.contract.table import TableContract


def lineage(arrived: datetime) -> dict[str, Any]:
    """What a row of silver has beside the columns of its landing table."""
    return {
        "batch": arrived.date(),
        "batch_version": "1",
        "source_file": "part-0.csv",
        "record_number": 1,
        "arrive_time": arrived,
        "valid_from": arrived,
        "is_first": True,
        "key_hash": 0,
    }


def frame_of(spark: SparkSession, contract: TableContract, *rows: dict[str, Any]) -> DataFrame:
    """Rows of a table, with every column that is not given empty."""
    schema = StructType([StructField(each.name, each.dataType) for each in contract.schema])
    unknown = {name for row in rows for name in row} - set(schema.names)
    assert not unknown, f"{contract.name} has no {unknown}"
    return spark.createDataFrame([[row.get(name) for name in schema.names] for row in rows], schema)
