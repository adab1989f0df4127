"""Creates tables as their contracts declare them."""

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from expectations.contract.table import TableContract


def create_table(spark: SparkSession, contract: TableContract, path: str) -> None:
    """Create a table without rows, unless it exists."""
    create = DeltaTable.createIfNotExists(spark).location(path)
    for column in contract.schema:
        create = create.addColumn(
            column.name,
            column.dataType,
            nullable=column.nullable,
            comment=column.metadata["comment"],
        )
    for name, value in contract.properties.items():
        create = create.property(name, value)
    if contract.partition_by:
        create = create.partitionedBy(*contract.partition_by)
    create.comment(contract.comment).execute()
