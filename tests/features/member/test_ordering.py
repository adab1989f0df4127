"""Rows in order, beside what sorting by every column gives."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.member.ordering import in_order, told_apart

ROW = st.fixed_dictionaries(
    {
        "number": st.integers(-2, 2),
        "text": st.sampled_from(["a", "b", None]),
        "fraction": st.sampled_from([0.5, 1.5, None]),
    }
)
SCHEMA = {"number": pl.Int64, "text": pl.String, "fraction": pl.Float64}


@given(st.lists(ROW, max_size=12))
def test_order_is_that_of_sorting_by_the_number_and_the_columns(found):
    rows = pl.DataFrame(found, schema=SCHEMA)
    assert_frame_equal(
        in_order(rows, pl.col("number"), ("text", "fraction")),
        rows.sort("number", "text", "fraction"),
    )


def test_a_value_is_told_apart_from_the_rows_beside_it():
    rows = pl.DataFrame({"value": [1, 1, 2, 3, 3, 3, 4, 1]})
    apart = rows.select(told_apart(pl.col("value"))).to_series().to_list()
    assert apart == [False, False, True, False, False, False, True, True]
