"""Frames that are persisted, broadcast, or collected to the driver."""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from pyspark.sql import DataFrame
from pyspark.sql import functions as F


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """A frame that is computed once and kept for the length of a block."""
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def broadcast_if_small(frame: DataFrame, rows: int, most: int) -> DataFrame:
    """A frame, marked for broadcast if it has at most `most` rows.

    A broadcast join does not shuffle the other frame.
    """
    return F.broadcast(frame) if rows <= most else frame


def to_polars(rows: DataFrame) -> pl.DataFrame:
    """Rows as a Polars frame; they have to fit into the driver's memory."""
    frame = pl.from_arrow(rows.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return frame
