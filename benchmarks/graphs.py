"""Graphs for `benchmarks.components`: seeded ones of any size, and the published ones."""

from pathlib import Path

import numpy as np
import polars as pl

KINDS = ("random", "power_law", "paths", "star")
_SEED = 20100103
#: Edges of a long path: more than any ring has, fewer than GraphX's algorithm survives.
_PATH = 1_000


def seeded_graph(kind: str, edges: int) -> pl.DataFrame:
    """Edges `src`, `dst` of a graph that is the same at each call.

    `random`: ends drawn evenly among as many vertices as edges. `power_law`: ends drawn with a tail of
    exponent 2.5. `paths`: paths of a thousand edges, in no order. `star`: one vertex with a million
    neighbours at most, and pairs.
    """
    draw = np.random.default_rng(_SEED)
    if kind == "random":
        src, dst = draw.integers(0, edges, (2, edges))
    elif kind == "power_law":
        src, dst = np.minimum(edges * draw.random((2, edges)) ** 2.5, edges - 1).astype(np.int64)
    elif kind == "paths":
        at = draw.permutation(edges)
        src = at + at // _PATH
        dst = src + 1
    else:
        points = min(edges, 1_000_000)
        rest = np.arange(edges - points) * 2 + points + 1
        src = np.concatenate([np.zeros(points, np.int64), rest])
        dst = np.concatenate([np.arange(1, points + 1), rest + 1])
    # Ids as long as hashes, which all engines have to number: one to one, in no order.
    mixed = [
        (np.asarray(ends, np.int64) * 0x9E3779B1 + 12345) & 0x7FFFFFFFFFFF for ends in (src, dst)
    ]
    return pl.DataFrame({"src": mixed[0], "dst": mixed[1]})


def published_graphs(folder: Path) -> dict[str, pl.DataFrame]:
    """The graphs of a folder of gzipped CSV files with `src` and `dst`, by name."""
    return {
        path.name.removesuffix(".csv.gz"): pl.read_csv(path).select("src", "dst").cast(pl.Int64)
        for path in sorted(folder.glob("*.csv.gz"))
    }
