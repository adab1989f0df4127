"""What refunds leave of a settlement: one meaning for members, institutions and evidence, in Spark and in Polars.

The refunds of a settlement are added up; their amounts are negative. A settlement that they bring to zero or
less is gone; one that cost nothing from the start stays. A refund that names no settlement, or one that is
not there, changes nothing.
"""

import polars as pl
from pyspark.sql import Column
from pyspark.sql import functions as F


def is_left(amount: Column, refunded: Column) -> Column:
    """Whether anything is left of a settlement; `refunded` is the sum of its refunds, null without one."""
    return refunded.isNull() | (amount + refunded > 0)


def is_left_of(amount: pl.Expr, refunded: pl.Expr) -> pl.Expr:
    """`is_left` in Polars."""
    return refunded.is_null() | (amount + refunded > 0)


def left_amount(amount: Column, refunded: Column) -> Column:
    """What refunds leave of an amount, yuan; `refunded` as in `is_left`."""
    return (amount + F.coalesce(refunded, F.lit(0))).cast("decimal(18,2)")


def signed(value: Column, is_refund: Column) -> Column:
    """A value of a fee line; one of a refund takes back, whichever sign its sender gave it."""
    return F.when(is_refund, -F.abs(value)).otherwise(value)


def signed_of(value: pl.Expr, is_refund: pl.Expr) -> pl.Expr:
    """`signed` in Polars."""
    return pl.when(is_refund).then(-value.abs()).otherwise(value)
