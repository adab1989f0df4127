"""Times of which only the day is known: a source of days alone gives midnight for all of them."""

import polars as pl
from pyspark.sql import Column
from pyspark.sql import functions as F


def has_hour(time: Column) -> Column:
    """Whether a time says more than its day; one at midnight to the second says no more."""
    return time != F.date_trunc("day", time)


def has_hour_of(time: pl.Expr) -> pl.Expr:
    """`has_hour` in Polars."""
    return time != time.dt.truncate("1d")
