"""All ways to components give the same, whatever the ids are."""

import networkx as nx
import numpy as np
import pytest

from jobs.network.components import components_of


@pytest.mark.parametrize(("kind", "name"), [("bigint", int), ("string", lambda at: f"m{at:09d}")])
def test_one_task_and_contraction_before_either_engine_give_the_same(spark, kind, name):
    draw = np.random.default_rng(3)
    pairs = [(name(int(a)), name(int(b))) for a, b in draw.integers(0, 60, (45, 2))]
    pairs += [(name(at), name(at + 1)) for at in range(100, 140)]
    pairs += [*pairs[:3], (pairs[0][1], pairs[0][0]), (name(70), name(70))]
    edges = spark.createDataFrame(pairs, f"src {kind}, dst {kind}")

    found = [
        sorted(map(tuple, components_of(edges, len(pairs), limit).collect()))
        for limit in (1000, 20, 0)
    ]

    parts = nx.connected_components(nx.Graph(pairs))
    expected = sorted((each, min(part)) for part in parts for each in part)
    assert found == [expected, expected, expected]


def test_no_edges_have_no_components(spark):
    edges = spark.createDataFrame([], "src string, dst string")
    assert components_of(edges, 0).collect() == []
