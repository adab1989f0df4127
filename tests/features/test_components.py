"""Components against networkx and published answers.

A call costs seconds of Spark, however small its graph: graphs are numbered apart and share a call.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from features import components
from features.components import (
    CheckpointDirectoryError,
    connected_components,
    filter_ladder,
    largest_component,
    small_components,
)

GRAPHS = Path(__file__).parents[3] / "shared" / "data" / "graphs"
LARGE = ("wiki_vote", "email_enron", "p2p_gnutella05")
needs_graphs = pytest.mark.skipif(not GRAPHS.exists(), reason="shared/data/graphs is absent")

Edge = tuple[int, int]


def oracle(edges: list[Edge]) -> list[Edge]:
    """Give what networkx says, as (id, smallest id of its component)."""
    groups = nx.connected_components(nx.Graph(edges))
    return [(vertex, first) for group in groups for first in [min(group)] for vertex in group]


def found(answer: DataFrame) -> list[Edge]:
    rows = answer.toPandas()
    return sorted(zip(rows["id"].tolist(), rows["component"].tolist(), strict=True))


def moved(edges: list[Edge], by: int) -> list[Edge]:
    """Number a graph's vertices from `by`, to keep it apart from others."""
    return [(src + by, dst + by) for src, dst in edges]


def awkward_edges() -> list[Edge]:
    """Seeded random graphs from dust to nearly whole, and every special case, apart."""
    edges: list[Edge] = []
    for seed, mean_degree in enumerate((0.3, 0.8, 1.0, 1.2, 2.0, 5.0)):
        graph = nx.gnm_random_graph(200, int(100 * mean_degree), seed=seed)
        edges += moved([(int(a), int(b)) for a, b in graph.edges], by=1000 * seed)
    edges += [(10_000, 10_000)]  # only a self-loop
    edges += [(10_001, 10_002), (10_002, 10_002)]  # a self-loop on the way
    edges += [(10_010, 10_011)] * 3  # duplicates
    edges += [(10_020, 10_021), (10_021, 10_020)]  # both directions
    edges += [(10_031, 10_030), (10_032, 10_031)]  # only downwards
    edges += [(-5, 2**62), (2**62, -7)]  # far apart, negative
    # A long chain, its numbers shuffled: neighbours on it are not neighbours in number.
    chain = [(i * 7919 % 2000, (i + 1) * 7919 % 2000) for i in range(1999)]
    return edges + moved(chain, by=20_000)


def test_awkward_graphs_agree_with_networkx(spark: SparkSession) -> None:
    edges = awkward_edges()

    actual = connected_components(spark.createDataFrame(edges, "src long, dst long"))

    assert actual.schema.simpleString() == "struct<id:bigint,component:bigint>"
    assert found(actual) == sorted(oracle(edges))


@pytest.fixture
def five_partitions(spark: SparkSession) -> Iterator[None]:
    """Another number of shuffle partitions than everywhere else in the run."""
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    yield
    spark.conf.set("spark.sql.shuffle.partitions", str(before))


@pytest.mark.usefixtures("five_partitions")
def test_text_ids_take_the_smallest_text_and_null_ends_are_no_edges(spark: SparkSession) -> None:
    edges = [("b10", "b9"), ("b9", "c"), ("z", "Z"), ("e", "e"), ("x", None), (None, None)]
    frame = spark.createDataFrame(
        [(src, dst, 1.0) for src, dst in edges], "src string, dst string, weight double"
    )

    actual = connected_components(frame.repartition(7))

    expected = [("b10", "b10"), ("b9", "b10"), ("c", "b10"), ("z", "Z"), ("Z", "Z"), ("e", "e")]
    assertDataFrameEqual(actual, spark.createDataFrame(expected, "id string, component string"))


def test_no_edges_give_no_vertices_of_the_same_type(spark: SparkSession) -> None:
    actual = connected_components(spark.createDataFrame([], "src string, dst string"))

    assertDataFrameEqual(actual, spark.createDataFrame([], "id string, component string"))


@needs_graphs
def test_published_graphs_agree_with_networkx_and_ldbc(spark: SparkSession) -> None:
    small: list[Edge] = []
    expected: list[Edge] = []
    counts: dict[str, int] = {}
    frames: list[DataFrame] = []
    for place, name in enumerate(LARGE):
        path = GRAPHS / f"{name}.csv.gz"
        with gzip.open(path, "rt") as lines:
            next(lines)
            graph = [(int(src), int(dst)) for src, dst in (line.split(",") for line in lines)]
        answer = oracle(graph)
        counts[name] = len({component for _, component in answer})
        expected += moved(answer, by=1_000_000 * place)
        # Spark reads the file itself: half a million rows from Python would take longer than Spark.
        rows = spark.read.csv(str(path), header=True, schema="src int, dst int")
        frames.append(rows.select(*(F.col(end) + 1_000_000 * place for end in ("src", "dst"))))
    for place, (graph, reference) in enumerate(ldbc_graphs(), start=len(LARGE)):
        # LDBC names a component in its own way: compare the grouping, then name it as we do.
        groups: dict[int, set[int]] = {}
        for vertex, label in reference:
            groups.setdefault(label, set()).add(vertex)
        answer = sorted((vertex, min(group)) for group in groups.values() for vertex in group)
        linked = {vertex for edge in graph for vertex in edge}
        assert sorted(oracle(graph)) == [row for row in answer if row[0] in linked]
        # A vertex without edges is not in an edge list: as a self-loop it is.
        loops = [(vertex, vertex) for vertex, _ in reference]
        small += moved(graph + loops, by=1_000_000 * place)
        expected += moved(answer, by=1_000_000 * place)

    edges = spark.createDataFrame(small, "src int, dst int")
    for frame in frames:
        edges = edges.union(frame)
    actual = connected_components(edges)

    assert actual.schema.simpleString() == "struct<id:int,component:int>"
    assert counts == {"wiki_vote": 24, "email_enron": 1065, "p2p_gnutella05": 3}
    assert found(actual) == sorted(expected)


def ldbc_graphs() -> list[tuple[list[Edge], list[Edge]]]:
    """Give the LDBC example and validation graphs as (edges, reference answer)."""
    folder = GRAPHS / "ldbc_wcc"

    def numbers(name: str) -> list[list[int]]:
        lines = (folder / name).read_text().splitlines()
        return [[int(word) for word in line.split() if "." not in word] for line in lines]

    graphs = []
    for name in ("example_example-directed", "example_example-undirected"):
        edges = [(row[0], row[1]) for row in numbers(f"{name}.e")]
        graphs.append((edges, [(row[0], row[1]) for row in numbers(f"{name}-WCC")]))
    for name in ("wcc_dir", "wcc_undir"):
        edges = [(row[0], other) for row in numbers(f"{name}-input") for other in row[1:]]
        graphs.append((edges, [(row[0], row[1]) for row in numbers(f"{name}-output")]))
    return graphs


def test_ends_of_different_types_are_refused(spark: SparkSession) -> None:
    with pytest.raises(ValueError, match="src is int and dst is string"):
        connected_components(spark.createDataFrame([(1, "a")], "src int, dst string"))


class FakeContext:
    """The part of a SparkContext that the checkpoint directory depends on."""

    def __init__(self, master: str, directory: str | None) -> None:
        self.master = master
        self.directory = directory

    def getCheckpointDir(self) -> str | None:  # noqa: N802
        return self.directory

    def setCheckpointDir(self, directory: str) -> None:  # noqa: N802
        self.directory = directory


class FakeSession:
    def __init__(self, master: str, directory: str | None = None) -> None:
        self.sparkContext = FakeContext(master, directory)


def test_local_session_without_checkpoint_directory_gets_a_temporary_one() -> None:
    session = FakeSession("local[2]")

    components.ensure_checkpoint_directory(session)  # type: ignore[arg-type]

    directory = session.sparkContext.directory
    assert directory is not None
    assert Path(directory).is_dir()


def test_checkpoint_directory_of_the_caller_stays() -> None:
    session = FakeSession("yarn", "hdfs:///checkpoints")

    components.ensure_checkpoint_directory(session)  # type: ignore[arg-type]

    assert session.sparkContext.directory == "hdfs:///checkpoints"


def test_cluster_without_checkpoint_directory_is_told_what_to_set() -> None:
    with pytest.raises(CheckpointDirectoryError, match=r"spark\.checkpoint\.dir"):
        components.ensure_checkpoint_directory(FakeSession("yarn"))  # type: ignore[arg-type]


def test_largest_component_takes_the_smaller_name_of_two_of_one_size(spark: SparkSession) -> None:
    members = [("a", "a"), ("p", "p"), ("q", "p"), ("c", "c"), ("d", "c")]
    frame = spark.createDataFrame(members, "id string, component string")

    actual = largest_component(frame)

    expected = spark.createDataFrame([("c", 2)], "component string, size long")
    assertDataFrameEqual(actual, expected)
    assert largest_component(frame.filter(F.lit(False))).collect() == []


def test_ladder_begins_at_bonferroni_and_rises() -> None:
    ladder = filter_ladder(1000)

    # -log10(0.05 / 1000) and 1.6 times as much for each rung.
    assert ladder == pytest.approx((4.30103, 6.88165, 11.01064, 17.61702, 28.18723, 45.09957), 1e-5)
    assert filter_ladder(0) == filter_ladder(1)


def test_components_beyond_the_limit_are_left_out_and_the_largest_left_is_measured(spark):
    sizes = {1: 3, 4: 5, 9: 2}
    members = [(first + place, first) for first, size in sizes.items() for place in range(size)]
    frame = spark.createDataFrame(members, ["id", "component"])
    left = small_components(frame, 4)
    assert found(left) == [(1, 1), (2, 1), (3, 1), (9, 9), (10, 9)]
    # The limit is 4, and no component is as large: what is told is a size that somebody measured.
    assert largest_component(left).first()["size"] == 3
    assert largest_component(small_components(frame, 1)).collect() == []
