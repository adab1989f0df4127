"""The province of people and institutions."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def province_of(district: str) -> Column:
    """The province of a district: the first two digits of its code (GB/T 2260)."""
    return F.substring(district, 1, 2)


def most_common_province(rows: DataFrame) -> DataFrame:
    """One row `here`: the most common `province`, the lower code if two are equal; no row without any."""
    counts = rows.filter(F.col("province").isNotNull()).groupBy("province").count()
    most = counts.orderBy(F.desc("count"), "province").limit(1)
    return most.select(F.col("province").alias("here"))
