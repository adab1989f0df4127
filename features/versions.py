"""Which version of a row held when, and which rows point at nothing."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def with_parent_arrival(
    rows: DataFrame, column: str, parents: DataFrame, parent_key: str, alias: str
) -> DataFrame:
    """Add when the row that `column` points at had first arrived, as `alias`; null for an orphan.

    Grain: that of `rows`; `parents` may hold several versions of a key, the first counts.
    """
    first = parents.groupBy(F.col(parent_key).alias(column)).agg(F.min("valid_from").alias(alias))
    return rows.join(first, on=column, how="left")


def ranked_versions(rows: DataFrame, key: Sequence[str], columns: Sequence[str]) -> DataFrame:
    """Add `valid_to` to the versions of each key: when a better version came to hold.

    Of several rows of one key the later batch wins, then the later arrive_time, then the larger hash
    of the row's `columns`; rows that agree in all three are one row delivered twice, told apart by
    file and record. A row that came no earlier than a better one never held: its `valid_to` is then
    not after its `valid_from`. Nothing here depends on the order of ingest.
    """
    best_first = Window.partitionBy(*key).orderBy(
        F.desc("batch"),
        F.desc("arrive_time"),
        F.desc("row_hash"),
        F.asc("source_file"),
        F.asc("record_number"),
    )
    better = best_first.rowsBetween(Window.unboundedPreceding, -1)
    return (
        rows.withColumn("row_hash", F.xxhash64(*columns))
        .withColumn("valid_to", F.min("valid_from").over(better))
        .drop("row_hash")
    )
