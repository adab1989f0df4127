"""Connected components of a graph from its edges, with GraphFrames.

This module and `features.contraction` are the only ones of `features` that run Spark jobs when they are called,
because the number of rounds depends on the graph.
"""

import atexit
import math
import shutil
import tempfile

from graphframes import GraphFrame
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from expectations.contract.errors import JobError

_INTEGRAL = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)

# One false link expected in twenty runs over pairs that are all innocent (Bonferroni, 1936).
_FAMILY_ERROR = 0.05
_LADDER_STEPS = 6
_LADDER_GROWTH = 1.6


class CheckpointDirectoryError(JobError):
    """No checkpoint directory is set that every executor can reach."""


def connected_components(edges: DataFrame) -> DataFrame:
    """Find connected components, one row per vertex that occurs in `src` or `dst`.

    Edges have no direction and no weight: duplicates, both directions and self-loops change nothing. A
    vertex with only a self-loop is a component of its own. A row with a null end is left out, together with
    its other end.

    GraphFrames' own algorithm, alternating large-star and small-star (Kiveris et al., "Connected
    Components in MapReduce and Beyond", 2014), is used instead of its GraphX one. The GraphX algorithm
    needs as many rounds as the longest path has edges and runs out of memory on chains of some hundred;
    this one halves paths every round.

    Runs Spark jobs when called. GraphFrames switches adaptive execution off meanwhile, so
    `spark.sql.shuffle.partitions` sets the number of tasks. The result is checkpointed: reading it twice
    does not compute it twice, and nothing stays cached.

    Args:
        edges: Columns `src` and `dst` of one orderable type; others are ignored.

    Returns:
        `id` and `component`, both of the type of `src`, never null. `component` is the smallest
        `id` in the component by Spark's ordering of that type.

    Raises:
        ValueError: `src` and `dst` are of different types.
        CheckpointDirectoryError: No checkpoint directory is set, and the session is not local.
    """
    id_type = edges.schema["src"].dataType
    dst_type = edges.schema["dst"].dataType
    if dst_type != id_type:
        raise ValueError(
            f"src is {id_type.simpleString()} and dst is {dst_type.simpleString()}: "
            "cast them to one type first"
        )
    ensure_checkpoint_directory(edges.sparkSession)

    has_both_ends = F.col("src").isNotNull() & F.col("dst").isNotNull()
    # GraphFrames scans the edges for themselves and again for the vertices.
    pairs = (
        edges.filter(has_both_ends)
        .select(F.least("src", "dst").alias("src"), F.greatest("src", "dst").alias("dst"))
        .distinct()
        .persist()
    )
    try:
        vertices = pairs.select(F.explode(F.array("src", "dst")).alias("id")).distinct()
        links = pairs.filter(F.col("src") != F.col("dst"))
        labelled = GraphFrame(vertices, links).connectedComponents(
            algorithm="graphframes", useLabelsAsComponents=False
        )
        try:
            return _with_smallest_id(labelled, id_type).checkpoint()
        finally:
            labelled.unpersist()
    finally:
        pairs.unpersist()


def largest_component(components: DataFrame) -> DataFrame:
    """Give the largest component: one row, or no row for an empty frame.

    Args:
        components: `id` and `component`, as `connected_components` gives them.

    Returns:
        `component` (the smaller id if two have the same size) and `size` (long, its vertices).
    """
    sizes = components.groupBy("component").agg(F.count("*").alias("size"))
    return sizes.orderBy(F.desc("size"), "component").limit(1)


def filter_ladder(pairs_tested: int) -> tuple[float, ...]:
    """Give the significances to try in turn, rising.

    The first is Bonferroni's for `pairs_tested`: every pair that could have been linked,
    institutions * (institutions - 1) / 2 for each kind, since pairs that share nothing were looked
    at too. That is enough if the null holds; referral and attendance break it, so each next rung
    asks for 1.6 times as much, 10.5 times at the sixth.

    A job takes the first rung whose `largest_component` of `connected_components` of `kept_links`
    is small enough for a reviewer: one number to the driver for each rung. Raising one bar for all,
    not cutting the large component alone, keeps links comparable. If the last rung fails too, the
    job must say so and hand over only components within the limit.

    In the provider claims, where members and providers make one giant component, the first rung
    leaves components of at most 3: 21 of 2,612 providers on inpatient claims, 69 of 3,445 on all.
    """
    start = math.log10(max(pairs_tested, 1) / _FAMILY_ERROR)
    return tuple(start * _LADDER_GROWTH**step for step in range(_LADDER_STEPS))


def small_components(components: DataFrame, limit: int) -> DataFrame:
    """Keep the vertices of components with at most `limit` vertices; grain and columns of `components`."""
    sizes = components.groupBy("component").agg(F.count("*").alias("size"))
    small = sizes.filter(F.col("size") <= limit).select("component")
    return components.join(small, on="component", how="left_semi").select("id", "component")


def _with_smallest_id(labelled: DataFrame, id_type: T.DataType) -> DataFrame:
    """Name each component after its smallest id, one row per vertex.

    GraphFrames uses whole numbers as labels and keeps the smallest. It numbers other types in its own
    order, so the smallest id has to be joined.
    """
    if isinstance(id_type, _INTEGRAL):
        return labelled.select("id", F.col("component").cast(id_type).alias("component"))
    smallest = labelled.groupBy(F.col("component").alias("label")).agg(
        F.min("id").alias("component")
    )
    return (
        labelled.withColumnRenamed("component", "label")
        .join(smallest, on="label", how="inner")
        .select("id", "component")
    )


def ensure_checkpoint_directory(spark: SparkSession) -> None:
    """Set a temporary checkpoint directory in a local session that has none.

    Executors on other machines cannot reach a local folder, so on a cluster the caller has to choose one.
    """
    context = spark.sparkContext
    if context.getCheckpointDir() is not None:
        return
    if not (context.master or "").startswith("local"):
        raise CheckpointDirectoryError(
            "connected_components needs a checkpoint directory that every executor can reach: set "
            "spark.checkpoint.dir, or call SparkContext.setCheckpointDir, with a path on HDFS or "
            "object storage"
        )
    directory = tempfile.mkdtemp(prefix="drugtrail-checkpoint-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    context.setCheckpointDir(directory)
