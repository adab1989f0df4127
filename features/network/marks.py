"""Marks: bits of what else an account does, which tell of most pairs at once that they can't be candidates.

Two accounts that met once at one counter and have nothing else in common are no candidates, and nearly all pairs are
such. Whether they have anything else in common nobody knows at that counter, unless each visit carries it along. So it
carries marks: each thing, and each day at each other institution, sets a few bits. Two accounts with something in
common share the bits of it; two without seldom do (a Bloom filter, Bloom 1970). Pairs that share none are left
out; of the others the look at all their evidence decides, so marks change no result, only how many pairs are looked at.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

#: Words of 64 bits; two of them are one filter, and what two accounts have in common is in every filter.
_WORDS = {"elsewhere": 8, "things": 4}
#: Columns of marks, by what they are of.
MARKS: dict[str, tuple[str, ...]] = {
    name: tuple(f"{name}_{word}" for word in range(words)) for name, words in _WORDS.items()
}
_FILTER_BITS = 128
_MINUTES_A_DAY = 1440
_MIXED = np.uint64(0x9E3779B97F4A7C15)


def with_marks(visits: pl.DataFrame, held: pl.DataFrame, reach: int) -> pl.DataFrame:
    """Visits with the marks of their account.

    Args:
        visits: `member`, `place`, `day`, `minute` of whole accounts.
        held: `member`, `thing` of the same accounts.
        reach: minutes within which two visits still meet; across midnight they meet on the earlier day.

    Returns:
        The visits with `MARKS` (long): `elsewhere` of the account's days at other institutions than that of the visit,
        `things` of what it has in use.
    """
    everywhere, here_only = _elsewhere(visits, reach)
    marked = (
        visits.join(everywhere, on="member", how="left")
        .join(here_only, on=["member", "place"], how="left", suffix="_here")
        .join(_things(held), on="member", how="left")
    )
    elsewhere = (
        (pl.col(name) & ~pl.col(f"{name}_here").fill_null(0)).alias(name)
        for name in MARKS["elsewhere"]
    )
    every = [name for names in MARKS.values() for name in names]
    return (
        marked.with_columns(elsewhere)
        .with_columns(pl.col(every).fill_null(0).reinterpret(signed=True))
        .select(*visits.columns, *every)
    )


def marks_of(rows: pl.DataFrame, name: str) -> npt.NDArray[np.int64]:
    """The marks of rows, a column for each word."""
    return np.ascontiguousarray(rows.select(MARKS[name]).to_numpy())


def in_common(
    marks: npt.NDArray[np.int64], first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether the rows `first` and `second` may have something in common: their marks meet in every filter."""
    found = np.ones(len(first), np.bool_)
    for word in range(0, marks.shape[1], 2):
        pair = marks[:, word : word + 2]
        # What one filter rules out the next need not look at.
        left = np.flatnonzero(found)
        found[left] = (pair[first[left]] & pair[second[left]]).any(axis=1)
    return found


def _elsewhere(visits: pl.DataFrame, reach: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bits of each account's days at institutions, and those bits that come from one institution alone."""
    is_late = pl.col("minute") + reach >= _MINUTES_A_DAY
    day = pl.col("day").cast(pl.Int64)
    days = pl.concat(
        [
            visits.select("member", "place", day=day),
            visits.filter(is_late).select("member", "place", day=day + 1),
        ]
    ).unique()
    hashed = _mixed(days["place"].to_numpy(), days["day"].to_numpy())
    bits = _bits(days.select("member", "place"), hashed, "elsewhere").unique()
    places = bits.group_by("member", "word", "bit").agg(places=pl.len(), place=pl.first("place"))
    alone = places.filter(pl.col("places") == 1)
    return (
        _joined(places, ["member"], "elsewhere"),
        _joined(alone, ["member", "place"], "elsewhere"),
    )


def _things(held: pl.DataFrame) -> pl.DataFrame:
    bits = _bits(held.select("member"), _mixed(held["thing"].to_numpy()), "things")
    return _joined(bits, ["member"], "things")


def _mixed(*parts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Numbers made one number of 64 bits that are all of equal use (splitmix64)."""
    found = np.zeros(len(parts[0]), np.uint64)
    for part in parts:
        found = (found ^ part.astype(np.uint64)) + _MIXED
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        found ^= found >> np.uint64(31)
    return found


def _bits(rows: pl.DataFrame, hashed: npt.NDArray[np.uint64], name: str) -> pl.DataFrame:
    """One bit for each row and filter: `word` and `bit`."""
    frames = []
    for number in range(_WORDS[name] // 2):
        place = (hashed >> np.uint64(7 * number)) % np.uint64(_FILTER_BITS)
        frames.append(
            rows.with_columns(
                word=pl.Series((2 * number + place // np.uint64(64)).astype(np.int32)),
                bit=pl.Series(np.uint64(1) << (place % np.uint64(64))),
            )
        )
    return pl.concat(frames)


def _joined(bits: pl.DataFrame, key: Sequence[str], name: str) -> pl.DataFrame:
    """The bits of each key, a column for each word."""
    words = (
        pl.col("bit").filter(pl.col("word") == word).bitwise_or().fill_null(0).alias(column)
        for word, column in enumerate(MARKS[name])
    )
    return bits.group_by(key).agg(words)
