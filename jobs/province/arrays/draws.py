"""Random numbers that depend on what they are for, never on who draws them or in which order.

Every draw belongs to a purpose and a unit (a neighbourhood, a gang, a month): the same seed gives the
same province on one core or a hundred, and more months with the same seed continue it.
"""

import hashlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def generator(seed: int, *unit: int | str) -> np.random.Generator:
    """The generator of one unit, as `generator(seed, "care", cell, month)`."""
    digest = hashlib.blake2b(repr((seed, *unit)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest, "little")))


def mixed(numbers: npt.ArrayLike, seed: int, purpose: str) -> npt.NDArray[np.uint64]:
    """Numbers scrambled one to one (splitmix64): distinct numbers give distinct hashes."""
    key = hashlib.blake2b(repr((seed, purpose)).encode(), digest_size=8).digest()
    z = np.asarray(numbers).astype(np.uint64) + np.frombuffer(key, np.uint64)[0]
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def hex_text(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bytes_]:
    """64-bit hashes as 16 hexadecimal digits."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    octets = hashes.astype(">u8").view(np.uint8).reshape(-1, 8)
    text = np.empty((len(octets), 16), np.uint8)
    text[:, 0::2] = digits[octets >> 4]
    text[:, 1::2] = digits[octets & 15]
    return text.reshape(-1).view("S16")


def pick(rng: np.random.Generator, weights: npt.ArrayLike, size: int) -> Ints:
    """Indices drawn with the given weights."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    found = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    indices: Ints = np.minimum(found, len(edges) - 1).astype(np.int64)
    return indices
