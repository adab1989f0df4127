"""What refunds leave of a settlement is the same in Spark and in Polars."""

import polars as pl
from pyspark.sql import functions as F

from features.refunds import is_left, is_left_of, left_amount, signed, signed_of

#: Amount, sum of refunds, and whether anything is left.
CASES = [
    (10, None, True),
    (10, -4, True),
    (10, -10, False),
    (10, -12, False),
    (0, None, True),
    (0, 0, False),
]


def test_a_settlement_is_gone_once_refunds_bring_it_to_zero(spark):
    rows = [(amount, refunded) for amount, refunded, _ in CASES]
    wanted = [expected for *_, expected in CASES]
    frame = spark.createDataFrame(rows, "amount int, refunded int")
    in_spark = frame.select(is_left(F.col("amount"), F.col("refunded"))).collect()
    in_polars = pl.DataFrame(rows, ["amount", "refunded"], orient="row").select(
        is_left_of(pl.col("amount"), pl.col("refunded"))
    )
    assert [row[0] for row in in_spark] == wanted
    assert in_polars.to_series().to_list() == wanted


def test_lines_of_a_refund_take_back_whichever_sign_they_have(spark):
    rows = [(3, False), (-3, False), (3, True), (-3, True), (3, None)]
    wanted = [3, -3, -3, -3, 3]
    frame = spark.createDataFrame(rows, "value int, is_refund boolean")
    in_spark = frame.select(signed(F.col("value"), F.col("is_refund"))).collect()
    in_polars = pl.DataFrame(rows, ["value", "is_refund"], orient="row").select(
        signed_of(pl.col("value"), pl.col("is_refund"))
    )
    assert [row[0] for row in in_spark] == wanted
    assert in_polars.to_series().to_list() == wanted


def test_what_is_left_of_an_amount(spark):
    frame = spark.createDataFrame([(10, None), (10, -4)], "amount int, refunded int")
    left = frame.select(left_amount(F.col("amount"), F.col("refunded"))).collect()
    assert [row[0] for row in left] == [10, 6]
