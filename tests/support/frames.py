"""Small frames in the columns of a table; a test says only what matters to it."""

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from expectations.contract.table import TableContract


def frame_of(spark: SparkSession, contract: TableContract, *rows: dict[str, Any]) -> DataFrame:
    """Rows of a table, with every column that is not given empty."""
    schema = StructType([StructField(each.name, each.dataType) for each in contract.schema])
    unknown = {name for row in rows for name in row} - set(schema.names)
    assert not unknown, f"{contract.name} has no {unknown}"
    return spark.createDataFrame([[row.get(name) for name in schema.names] for row in rows], schema)
