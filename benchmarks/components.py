"""Connected components: this project's ways beside plain GraphFrames, igraph, scipy and networkx.

    python -m benchmarks.components build/components --edges 1000000 --graphs ../shared/data/graphs

Each engine goes from Parquet to a written table, Delta for those in Spark, Parquet for the others, and all labels
have to be equal. Engines outside Spark run in a process of their own, whose peak memory is told; Spark's is that of
its JVM and of its largest Python worker so far. Where a graph is made not to fit one task, a task solves a tenth of its
edges. networkx is left out above two million edges, GraphFrames above --graphframes.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import polars as pl
from graphframes import GraphFrame
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from benchmarks.contenders import python_peak_memory_mb
from benchmarks.graphs import KINDS, published_graphs, seeded_graph
from features.components import connected_components, ensure_checkpoint_directory
from features.network.rings import components_in_one_task
from jobs.network.components import ONE_TASK, components_of
from jobs.runtime.session import jvm_peak_memory_mb, start_session

_CONSOLE = Console(soft_wrap=True, width=140)
_MOST_NETWORKX = 2_000_000


def main() -> None:
    """Time every engine on every graph, compare their labels, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edges", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--graphs", type=Path, help="folder of published graphs")
    parser.add_argument("--graphframes", type=int, default=2_000_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    # Before Spark starts: a fork of a process with a JVM is no fair start.
    paths = _written(given)
    alone = {name: _all_alone(path) for name, path in paths.items()}
    spark = start_session("components", "conf/spark-local.conf")
    ensure_checkpoint_directory(spark)
    table = Table("graph", "edges", "engine", "seconds", "peak MiB", box=None)
    for name, path in paths.items():
        edges = pl.scan_parquet(path).select(pl.len()).collect().item()
        rows = alone[name] + _in_spark(spark, path, edges, given.graphframes)
        expected = pl.read_parquet(_out(path, "scipy")).sort("id")
        for engine, seconds, peak in rows:
            if not _labels(path, engine).equals(expected):
                sys.exit(f"{engine} gives other components of {name} than scipy")
            table.add_row(name, f"{edges:,}", engine, f"{seconds:.1f}", f"{peak:,}")
        _CONSOLE.print(f"{name}: all labels equal")
    _CONSOLE.print(table)
    _CONSOLE.print(f"{os.cpu_count()} cores")


def _written(given: argparse.Namespace) -> dict[str, Path]:
    """The graphs as Parquet, by name."""
    graphs: dict[str, Callable[[], pl.DataFrame]] = {}
    if given.graphs:
        published = published_graphs(given.graphs)
        graphs |= {name: partial(published.__getitem__, name) for name in published}
    for edges in given.edges:
        for kind in given.kinds:
            graphs[f"{kind} {edges:,}"] = partial(seeded_graph, kind, edges)
    paths = {}
    for name, make in graphs.items():
        path = given.folder / f"{name.replace(' ', '_').replace(',', '')}.parquet"
        make().write_parquet(path)
        paths[name] = path
    return paths


def _all_alone(path: Path) -> list[tuple[str, float, int]]:
    """Seconds and peak memory of the engines that need no Spark, each in a process of its own."""
    found = []
    edges = pl.scan_parquet(path).select(pl.len()).collect().item()
    for engine in ("scipy", "igraph", "networkx"):
        if engine == "networkx" and edges > _MOST_NETWORKX:
            continue
        # A process for each engine: its peak is then its own.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            found.append((engine, *alone.submit(_alone, engine, str(path)).result()))
    return found


def _alone(engine: str, path: str) -> tuple[float, int]:
    """Run an engine from Parquet to Parquet: its seconds and peak MiB."""
    solve = {"scipy": components_in_one_task, "igraph": _by_igraph, "networkx": _by_networkx}[
        engine
    ]
    start = time.perf_counter()
    solve(pl.read_parquet(path)).write_parquet(_out(Path(path), engine))
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _by_igraph(edges: pl.DataFrame) -> pl.DataFrame:
    ids, ends = np.unique(edges.select("src", "dst").to_numpy(), return_inverse=True)
    graph = igraph.Graph(n=len(ids), edges=ends.reshape(-1, 2))
    return _named(ids, np.asarray(graph.connected_components().membership))


def _by_networkx(edges: pl.DataFrame) -> pl.DataFrame:
    graph = nx.Graph()
    graph.add_edges_from(edges.iter_rows())
    parts = [(min(part), part) for part in nx.connected_components(graph)]
    return pl.DataFrame(
        {
            "id": [node for _, part in parts for node in part],
            "component": [smallest for smallest, part in parts for _ in part],
        },
        schema={"id": pl.Int64, "component": pl.Int64},
    )


def _named(ids: np.ndarray, labels: np.ndarray) -> pl.DataFrame:
    labelled = pl.DataFrame({"id": ids, "label": labels})
    return labelled.select("id", component=pl.min("id").over("label"))


def _in_spark(
    spark: SparkSession, path: Path, edges: int, most: int
) -> list[tuple[str, float, int]]:
    """Seconds and peak memory of the engines in Spark, each to a Delta table."""
    engines: dict[str, Callable[[DataFrame], DataFrame]] = {
        "drugtrail, one task": lambda rows: components_of(rows, edges, max(ONE_TASK, edges)),
        "drugtrail, made not to fit": lambda rows: components_of(rows, edges, edges // 10),
    }
    if edges <= most:
        engines["drugtrail, GraphFrames"] = connected_components
        engines["plain GraphFrames"] = _plain_graphframes
    found = []
    for engine, solve in engines.items():
        out = _out(path, engine)
        shutil.rmtree(out, ignore_errors=True)
        start = time.perf_counter()
        rows = solve(spark.read.parquet(str(path)))
        rows.write.format("delta").save(str(out))
        seconds = time.perf_counter() - start
        found.append((engine, seconds, (jvm_peak_memory_mb(spark) or 0) + python_peak_memory_mb()))
    return found


def _plain_graphframes(edges: DataFrame) -> DataFrame:
    """As its documentation has it: vertices from the edges, no thinning before."""
    vertices = edges.select(F.explode(F.array("src", "dst")).alias("id")).distinct()
    found: DataFrame = GraphFrame(vertices, edges).connectedComponents()
    return found.select("id", "component")


def _out(path: Path, engine: str) -> Path:
    return path.with_suffix(f".{engine.replace(' ', '_').replace(',', '')}")


def _labels(path: Path, engine: str) -> pl.DataFrame:
    out = _out(path, engine)
    # A table that was written just now has no files but its own.
    rows = pl.read_parquet(out / "*.parquet" if out.is_dir() else out)
    # GraphFrames names components as it likes; the smallest id names them here.
    return rows.select(
        pl.col("id").cast(pl.Int64), component=pl.col("id").min().over("component").cast(pl.Int64)
    ).sort("id")


if __name__ == "__main__":
    main()
