"""The published rates, and the files of the landing: columns, batches, manifests."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

Frame = dict[str, Any]
Ints = NDArray[np.int64]
NULL, DAY = np.iinfo(np.int64).min, 86400
START = np.datetime64("2025-01-01")
EPOCH = int(START.astype("datetime64[D]").astype(np.int64))
DECIMAL = {"m": (16, 2, 1), "c": (16, 4, 10000), "p": (16, 6, 10000), "q": (6, 2, 1)}
BOOK = Path(__file__).with_name("published.txt").read_text("utf-8")


def table(name: str) -> list[list[str]]:
    """Rows of one section of the published figures."""
    text = BOOK.partition(f"[{name}]\n")[2].partition("\n[")[0]
    return [r.split("|") for r in re.split(r" {2,}|\n", text.strip())]


NUM = {r[0]: np.array(r[1].split(), dtype=float) for r in table("rates")}
SCHEMA = {r[0]: [c.split(":") for c in r[1].split()] for r in table("columns")}


def at_age(age: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Interpolate a rate given at the published ages."""
    return np.asarray(np.interp(age, NUM["knots"], values))


def month_start(month: int) -> int:
    """Day number, from 2025-01-01, on which a month begins."""
    first = (np.datetime64("2025-01") + month).astype("datetime64[D]")
    return int((first - START).astype(np.int64))


def hexes(rng: np.random.Generator, n: int, width: int) -> pa.Array:
    """Random hexadecimal names, the only source of identifiers."""
    data = rng.bytes(n * width // 2).hex().encode()
    offsets = np.arange(0, n * width + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data))


def pick(pool: pa.Array | list[str], index: Any) -> pa.Array:
    """Texts of a pool at an index; a negative index is null."""
    pool = pa.array(pool, pa.string()) if isinstance(pool, list) else pool
    index = np.asarray(index, dtype=np.int64)
    return pool.take(pa.array(index, mask=index < 0))


def fill(default: dict[str, int], n: int, /, **given: Any) -> Frame:
    """A frame of n rows with defaults for what is not given."""
    return {k: np.array(np.broadcast_to(given.get(k, v), n), np.int64) for k, v in default.items()}


def stack(frames: list[Frame]) -> Frame:
    """Join frames of arrays with the same columns."""
    return {k: np.concatenate([f[k] for f in frames]) for k in frames[0]}


def rows(frame: Frame, index: Any) -> Frame:
    """Rows of a frame of arrays."""
    return {k: v[index] for k, v in frame.items()}


def within(count: Ints) -> tuple[Ints, Ints]:
    """The owner of each of count[i] repeated rows, and its number among the owner's."""
    owner = np.repeat(np.arange(len(count)), count)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)


def choose(rng: np.random.Generator, weights: NDArray[Any], n: int) -> Ints:
    """Draw n indices by weight."""
    edge = np.cumsum(weights, dtype=float)
    found = np.searchsorted(edge, rng.random(n) * edge[-1], side="right")
    return np.asarray(np.minimum(found, len(edge) - 1))


def column(kind: str, v: Any) -> pa.Array:
    """One Arrow column of the contract's type; NULL and NaN become null."""
    if kind in "sb":
        return (
            v if isinstance(v, pa.Array) else pa.array(v, {"s": pa.string(), "b": pa.bool_()}[kind])
        )
    v = np.asarray(v, dtype=float if kind == "f" else np.int64)
    if kind == "f":
        return pa.array(v, mask=np.isnan(v))
    mask, x = v == NULL, np.where(v == NULL, 0, v)
    if kind == "i":
        return pa.array(v.astype(np.int32))
    if kind == "d":
        return pa.array((x + EPOCH).astype(np.int32), pa.date32(), mask=mask)
    if kind == "t":
        return pa.array((x + EPOCH * DAY) * 1_000_000, pa.timestamp("us"), mask=mask)
    precision, scale, factor = DECIMAL[kind]
    wide = np.stack([x * factor, (x * factor) >> 63], axis=1)
    buffers = [pa.py_buffer(np.packbits(~mask, bitorder="little").tobytes()), pa.py_buffer(wide)]
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(v), buffers)


class Landing:
    """Collects the rows of a batch and holds late ones for the next."""

    def __init__(self, out: Path, rng: np.random.Generator) -> None:
        self.out, self.rng = out, rng
        self.now: dict[str, list[pa.Table]] = defaultdict(list)
        self.held: dict[str, list[pa.Table]] = defaultdict(list)

    def add(self, name: str, values: list[Any], arrive: Any, late: Any = None) -> None:
        """Add rows, columns in the contract's order; those marked late go to the next batch."""
        arrays = [column(c[1], v) for c, v in zip(SCHEMA[name], values, strict=True)]
        names = [c[0] for c in SCHEMA[name]] + ["arrive_time"]
        data = pa.table([*arrays, column("t", arrive)], names=names)
        late = np.zeros(len(data), dtype=bool) if late is None else late
        self.now[name].append(data.filter(pa.array(~late)))
        self.held[name].append(data.filter(pa.array(late)))

    def flush(self, day: int) -> None:
        """Write every table of the batch in random row order, with its manifest."""
        for name, parts in self.now.items():
            data = pa.concat_tables(parts).combine_chunks()
            if not len(data):
                continue
            data = data.take(pa.array(self.rng.permutation(len(data))))
            folder = self.out / name / f"batch={START + day}"
            folder.mkdir(parents=True)
            file = folder / "part-00000.parquet"
            pq.write_table(data, file)
            money = [c[0] for c in SCHEMA[name] if c[1] == "m"]
            sums = {c: str(pc.sum(data[c]).as_py() or "0.00") for c in money}
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            part = {"name": file.name, "rows": len(data), "sha256": digest}
            about = {"table": name, "batch": str(START + day), "rows": len(data)}
            about |= {"control": sums, "files": [part]}
            (folder / "_manifest.json").write_text(json.dumps(about, indent=1) + "\n")
        self.now, self.held = self.held, defaultdict(list)
