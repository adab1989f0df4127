"""Connected components by the engine that fits the graph: one task, or GraphFrames."""

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame

from features.components import connected_components, ensure_checkpoint_directory
from features.contraction import contracted
from features.network.rings import components_in_one_task

#: Edges that one task solves: 20 million are 2 GB with their ids as text. More are contracted first.
ONE_TASK = 20_000_000


def components_of(edges: DataFrame, count: int, one_task: int = ONE_TASK) -> DataFrame:
    """The component of each vertex; all ways give the same.

    A graph that fits one task is solved there. A larger one is contracted first, and what is left goes to one task if it
    fits now, or else through GraphFrames.

    Args:
        edges: `src`, `dst` of one type; other columns are ignored.
        count: how many edges there are.
        one_task: the most edges that one task solves.

    Returns:
        `id`, `component` (the smallest id in it).
    """
    if count <= one_task:
        return _in_one_task(edges)
    ensure_checkpoint_directory(edges.sparkSession)
    contraction = contracted(edges, at_most=one_task)
    fits = contraction.count <= one_task
    solve = _in_one_task if fits else connected_components
    return contraction.components(solve(contraction.edges))


def _in_one_task(edges: DataFrame) -> DataFrame:
    kind = edges.schema["src"].dataType
    schema = f"id {kind.simpleString()}, component {kind.simpleString()}"

    def solve(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = frame_of_batches(batches)
        if rows is not None:
            yield from batches_of_frame(components_in_one_task(rows))

    return edges.select("src", "dst").coalesce(1).mapInArrow(solve, schema)


def frame_of_batches(batches: Iterator[pa.RecordBatch]) -> pl.DataFrame | None:
    """The rows of a task as one frame; None if it has none."""
    held = list(batches)
    if not held:
        return None
    frame = pl.from_arrow(pa.Table.from_batches(held))
    assert isinstance(frame, pl.DataFrame)
    return frame


def batches_of_frame(rows: pl.DataFrame, schema: pa.Schema | None = None) -> list[pa.RecordBatch]:
    """A frame as batches for Spark, which knows no large strings."""
    table = rows.to_arrow()
    if schema is None:
        schema = pa.schema(
            [
                (field.name, pa.string() if pa.types.is_large_string(field.type) else field.type)
                for field in table.schema
            ]
        )
    found: list[pa.RecordBatch] = table.cast(schema).to_batches()
    return found
