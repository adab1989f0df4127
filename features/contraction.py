"""Making a graph smaller without changing its components, before an engine finds them.

Each vertex is replaced by the first of itself and its neighbours in an order drawn anew for each round, and edges by
those between these (randomised contraction; Boegeholz, Brand and Todor, "In-database connected component analysis",
2020). A round leaves about half of the vertices, whatever the shape of the graph, for one grouping and two joins.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType

#: Rounds are only made while they leave at most this share of the edges.
_WORTH_IT = 0.8
_MOST_ROUNDS = 4


@dataclass(frozen=True)
class Contraction:
    """What is left of a graph, and what became of its vertices.

    Attributes:
        edges: `src`, `dst` (long), each pair once, no self-loops.
        count: how many edges.
        numbered: `id` as given, `number`; None where ids are numbers themselves.
        rounds: for each round `number` and `becomes`, one row per vertex of that round.
    """

    edges: DataFrame
    count: int
    numbered: DataFrame | None
    rounds: tuple[DataFrame, ...]

    def components(self, left: DataFrame) -> DataFrame:
        """The component of each vertex of the whole graph.

        Args:
            left: `id`, `component` of what is left.

        Returns:
            `id`, `component` (the smallest id in it), of the type of the ids as given.
        """
        found = left.select(F.col("id").alias("number"), "component")
        for names in reversed(self.rounds):
            later = found.select(F.col("number").alias("becomes"), "component")
            # A vertex that has lost its last edge names its component by itself.
            found = names.join(later, on="becomes", how="left").select(
                "number", F.coalesce("component", "becomes").alias("component")
            )
        if self.numbered is None:
            whole = found.withColumnRenamed("number", "id")
        else:
            whole = self.numbered.join(found, on="number", how="inner")
        smallest = whole.groupBy("component").agg(F.min("id").alias("smallest"))
        return whole.join(smallest, on="component", how="inner").select(
            "id", F.col("smallest").alias("component")
        )


def contracted(edges: DataFrame, at_most: int) -> Contraction:
    """Contract a graph until it has few edges, or until another round would not pay.

    Runs Spark jobs when called, and needs a checkpoint directory: every round is checkpointed.

    Args:
        edges: `src`, `dst` of one orderable type; a row with a null end is left out.
        at_most: edges that are few enough.
    """
    both_ends = F.col("src").isNotNull() & F.col("dst").isNotNull()
    pairs = edges.filter(both_ends).select("src", "dst")
    numbered = None
    if isinstance(pairs.schema["src"].dataType, LongType):
        left = _in_order(pairs, F.col("src"), F.col("dst")).checkpoint()
    else:
        vertices = pairs.select(F.explode(F.array("src", "dst")).alias("id")).distinct()
        numbered = vertices.withColumn("number", F.monotonically_increasing_id()).checkpoint()
        left = _renamed(pairs, numbered.withColumnRenamed("id", "name"), "number").checkpoint()
    count = left.count()
    rounds: list[DataFrame] = []
    while count > at_most and len(rounds) < _MOST_ROUNDS:
        names = _first_of_neighbours(left, seed=len(rounds)).checkpoint()
        rounds.append(names)
        left = _renamed(left, names.withColumnRenamed("number", "name"), "becomes").distinct()
        left = left.filter("src <> dst").checkpoint()
        before, count = count, left.count()
        if count > _WORTH_IT * before:
            break
    return Contraction(left, count, numbered, tuple(rounds))


def _first_of_neighbours(pairs: DataFrame, seed: int) -> DataFrame:
    """What each vertex becomes: `number`, `becomes`."""
    both = pairs.select(F.col("src").alias("number"), F.col("dst").alias("other")).unionByName(
        pairs.select(F.col("dst").alias("number"), F.col("src").alias("other"))
    )
    place = F.xxhash64(F.lit(seed), "other")
    first = both.groupBy("number").agg(
        F.min_by("other", place).alias("other"), F.min(place).alias("place")
    )
    own = F.xxhash64(F.lit(seed), "number")
    becomes = F.when(own <= F.col("place"), F.col("number")).otherwise(F.col("other"))
    return first.select("number", becomes.alias("becomes"))


def _renamed(pairs: DataFrame, names: DataFrame, by: str) -> DataFrame:
    """Edges between what both ends are called, the smaller first."""
    for end in ("src", "dst"):
        named = names.select(F.col("name").alias(end), F.col(by).alias(f"{end}_{by}"))
        pairs = pairs.join(named, on=end, how="inner")
    return _in_order(pairs, F.col(f"src_{by}"), F.col(f"dst_{by}"))


def _in_order(pairs: DataFrame, one: Column, two: Column) -> DataFrame:
    return pairs.select(F.least(one, two).alias("src"), F.greatest(one, two).alias("dst"))
