"""Which values were taken to stand for nothing, read from `ops.value_profile` for the page."""

from pyspark.sql import Window
from pyspark.sql import functions as F

from expectations.landing.placeholders import EMPTY_TEXT
from expectations.ops import VALUE_PROFILE
from jobs.lake.sequence import newest_first
from jobs.lake.tables import Lake
from jobs.report.arrival import EmptiedValue

#: What a page has room for.
MAX_EMPTIED = 40


def emptied_values(lake: Lake) -> tuple[EmptiedValue, ...]:
    """Values of all batches that stand for nothing, by table, column and entry, commonest first."""
    profiles = lake.read_or_none(VALUE_PROFILE)
    if profiles is None:
        return ()
    # A batch may have been looked at in several runs: the newest counts.
    newest_run = Window.partitionBy("table_name", "batch").orderBy(
        *newest_first("written_at"), "run_id"
    )
    newest = profiles.withColumn("at", F.rank().over(newest_run)).filter("at = 1")
    column = ("table_name", "column_name")
    said_nothing = F.sum(F.col("rows_empty") + F.col("rows_placeholder"))
    shares = newest.groupBy(*column).agg((said_nothing / F.sum("rows_landed")).alias("share"))
    counted = (
        newest.select(*column, F.explode("placeholders").alias("entry", "rows"))
        .filter(F.col("entry") != EMPTY_TEXT)
        .groupBy(*column, "entry")
        .agg(F.sum("rows").alias("rows"))
        .join(shares, on=list(column), how="inner")
        .orderBy(F.desc("rows"), *column, "entry")
        .limit(MAX_EMPTIED)
    )
    return tuple(
        EmptiedValue(row["table_name"], row["column_name"], row["entry"], row["rows"], row["share"])
        for row in counted.collect()
    )
