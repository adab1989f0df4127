"""Brings all rows of a member together once, and computes the member features from them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import reduce

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from expectations.feature.member import OWN_FEATURES
from features.member.features import member_features
from features.member.frames import MemberRows, References
from features.member.packing import KINDS, numbered, packed, unpacked

#: Figures that are kept of a feature: the last bit of a quotient depends on how many rows are worked on.
_FIGURES = 12
#: Rows of whole members that are worked on at a time: enough for whole columns, few enough for a small worker.
_CHUNK = 600_000

OUTPUT = "member_id string, " + ", ".join(f"{each.name} double" for each in OWN_FEATURES)


def member_stream(kinds: dict[str, DataFrame], rows: int) -> DataFrame:
    """Bring rows of all `KINDS` together by `member_id`: the one shuffle that member features need.

    Args:
        kinds: frames by kind.
        rows: the approximate number of rows; it sets the number of tasks.
    """
    stream = reduce(DataFrame.unionByName, (packed(kinds[name], name) for name in KINDS))
    few = int(stream.sparkSession.conf.get("spark.sql.shuffle.partitions") or 8)
    return stream.repartition(max(few, -(-rows // _CHUNK)), "member_id")


def computed_features(stream: DataFrame, references: References, as_of: date) -> DataFrame:
    """Compute `OWN_FEATURES`, one row per member_id with a settlement in the horizon.

    Args:
        stream: from `member_stream`.
        references: small tables; they travel to every task.
        as_of: the date.
    """
    by_number = with_numbers(references, stream.sparkSession)
    return stream.mapInArrow(in_chunks(by_number, as_of), OUTPUT)


def with_numbers(references: References, spark: SparkSession) -> References:
    """References with their ids as the numbers that the rows of a `member_stream` have."""
    return replace(
        references,
        drugs=numbered(references.drugs, spark),
        institutions=numbered(references.institutions, spark),
    )


def in_chunks(
    references: References, as_of: date
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that `mapInArrow` runs on a partition: features of its members, a number of members at a time."""

    def compute(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)
        if not held:
            return
        frame = pl.from_arrow(pa.Table.from_batches(held))
        assert isinstance(frame, pl.DataFrame)
        shares = -(-frame.height // _CHUNK)
        share = frame["member_id"].hash() % shares
        for number in range(shares):
            yield from _features(frame.filter(share == number), references, as_of)

    return compute


def _features(frame: pl.DataFrame, references: References, as_of: date) -> list[pa.RecordBatch]:
    # Members by number: joins and groups of text take longer.
    members = frame.select(name="member_id").unique().with_row_index("member_id")
    # A left join in order leaves the other columns as they are. Columns in different pieces would be made
    # into one again for every kind.
    frame = (
        frame.rename({"member_id": "name"})
        .join(members, on="name", how="left", maintain_order="left")
        .rechunk()
    )
    rows = MemberRows(**{kind: unpacked(frame, kind) for kind in KINDS})
    found = member_features(rows, references, as_of).join(members, on="member_id", how="inner")
    columns = [
        pl.col(each.name).cast(pl.Float64).fill_nan(None).round_sig_figs(_FIGURES)
        for each in OWN_FEATURES
    ]
    schema = pa.schema(
        [("member_id", pa.string()), *((each.name, pa.float64()) for each in OWN_FEATURES)]
    )
    batches: list[pa.RecordBatch] = (
        found.select(pl.col("name").alias("member_id"), *columns)
        .to_arrow()
        .cast(schema)
        .to_batches()
    )
    return batches
