"""Frames that are worked out once, sent to where they are joined, or brought here."""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from pyspark.sql import DataFrame
from pyspark.sql import functions as F


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """A frame that is worked out once, for as long as it is needed."""
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def broadcast_if_small(frame: DataFrame, rows: int, most: int) -> DataFrame:
    """A frame of so many rows, marked to be sent to every task where they are at most so many.

    What it is joined with then stays in place.
    """
    return F.broadcast(frame) if rows <= most else frame


def to_polars(rows: DataFrame) -> pl.DataFrame:
    """Rows that fit the driver, as a Polars frame."""
    frame = pl.from_arrow(rows.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return frame
