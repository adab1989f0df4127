"""Dates, exact numbers, identifiers and other columns made of arrays."""

import datetime as dt
import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.provinces.harbour.types import Arr, Bools, Floats, Ints, Words

DAY0, DAY = dt.date(2025, 1, 1), 86400
EPOCH = (DAY0 - dt.date(1970, 1, 1)).days
#: A day that never comes, and a second that stands for none.
NEVER, NULL = 10**6, -(10**12)


def month_start(k: int) -> dt.date:
    """First day of the k-th month after the first one."""
    return dt.date(2025 + k // 12, k % 12 + 1, 1)


def to_date(day: int) -> dt.date:
    """Calendar date of a simulated day."""
    return DAY0 + dt.timedelta(days=int(day))


def month_of(day: Arr) -> Ints:
    """Month index (0 = first month) of day numbers."""
    date = np.datetime64(DAY0) + day.astype("timedelta64[D]")
    return (date.astype("datetime64[M]") - np.datetime64(DAY0, "M")).astype(np.int64)


def stamps(sec: Arr) -> pa.Array:
    """Seconds since the first day, as timestamps without zone; the largest negative is null."""
    micros = (sec.astype(np.int64) + EPOCH * DAY) * 1_000_000
    return pa.array(micros, mask=sec < -(10**11)).cast(pa.timestamp("us"))


def dates(day: Arr, null: Bools | None = None) -> pa.Array:
    """Day numbers as dates."""
    return pa.array((day + EPOCH).astype(np.int32), mask=null).cast(pa.date32())


def decimals(units: Arr, precision: int, scale: int) -> pa.Array:
    """Integers in units of 10^-scale as exact decimals."""
    units = units.astype(np.int64)
    words = pa.py_buffer(np.stack([units, units >> 63], axis=1).tobytes())
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(units), [None, words])


def moments(day: Arr, hour: Arr) -> Ints:
    """Seconds since the first day of an hour on a day."""
    return np.asarray(day * DAY + (hour * 3600).astype(np.int64))


def nullable(x: Arr) -> pa.Array:
    """Indices; negative is null."""
    return pa.array(x, mask=x < 0)


def salt(seed: int, kind: str) -> int:
    """A 64-bit key for one kind of identifier."""
    digest = hashlib.blake2b(f"harbour:{seed}:{kind}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def mixed(x: Arr, key: int) -> Words:
    """A one-to-one scrambling of 64-bit integers (splitmix64)."""
    with np.errstate(over="ignore"):
        z = x.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(x: Arr, key: int) -> Floats:
    """Uniform numbers that depend on x only, so that a group can share its luck."""
    return mixed(x, key % 2**63).astype(np.float64) / 2.0**64


def digits(x: Arr, key: int) -> pa.Array:
    """Identifiers of 20 digits, unique for unique x."""
    return pc.utf8_lpad(pa.array(mixed(x, key)).cast(pa.string()), 20, "0")


def hexes(n: int, key: int) -> pa.Array:
    """n hash-like identifiers."""
    halves = (mixed(np.arange(n), k).tolist() for k in (key, key ^ 0x5DEECE66D))
    return pa.array([f"{a:016x}{b:016x}" for a, b in zip(*halves)])


def expand(counts: Arr) -> tuple[Ints, Ints]:
    """Parent index and running number of each child."""
    parent = np.repeat(np.arange(len(counts)), counts)
    return parent, np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
