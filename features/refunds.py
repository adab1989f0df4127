"""What refunds leave of a settlement: one meaning for members, institutions and evidence, in Spark and in Polars.

The refunds of a settlement are added up; their amounts are negative. A settlement that they bring to zero or
less is gone; one that cost nothing from the start stays. A refund that names no settlement, or one that is
not there, changes nothing.
"""

import polars as pl
from pyspark.sql import Column


def is_left(amount: Column, refunded: Column) -> Column:
    """Whether anything is left of a settlement; `refunded` is the sum of its refunds, null without one."""
    return refunded.isNull() | (amount + refunded > 0)


def is_left_of(amount: pl.Expr, refunded: pl.Expr) -> pl.Expr:
    """`is_left` in Polars."""
    return refunded.is_null() | (amount + refunded > 0)
