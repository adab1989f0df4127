"""Who was at one counter at about the same time: meetings of accounts, and how usual they are there.

Everything is in Polars on the visits of whole institutions, so that a task can take any of them. A visit of
which only the day is known, without a `minute`, is no meeting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from features.chance import binomial_surprise
from features.network.marks import MARKS, in_common, marks_of

#: What one row of evidence about a pair may be. `near` and `wide` are days of meeting; the others are
#: things in common.
NEAR, WIDE, OPERATOR = "near", "wide", "operator"

#: Rows of evidence: `src` < `dst`; `day` and `gap` (minutes) of meetings; `strength` of a thing in common, and
#: the share of its visits at which each used it.
EVIDENCE = {
    "src": pl.Int64,
    "dst": pl.Int64,
    "kind": pl.String,
    "thing": pl.Int64,
    "day": pl.Int32,
    "gap": pl.Int32,
    "src_value": pl.Float64,
    "dst_value": pl.Float64,
    "src_visit": pl.Int64,
    "dst_visit": pl.Int64,
    "strength": pl.Float64,
    "src_share": pl.Float64,
    "dst_share": pl.Float64,
}

Rows = npt.NDArray[np.int64]

_MINUTES_A_DAY = 1440
#: Pairs of visits that are held at a time.
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Bounds:
    """What keeps the making of pairs linear in the visits; what each cuts is counted."""

    near_minutes: int = 15
    wide_minutes: int = 240
    near_visits: int = 60
    wide_visits: int = 100
    sharers: int = 60
    loyal_surprise: float = 2.0

    @property
    def reach(self) -> int:
        """Minutes within which two visits may still meet."""
        return max(self.near_minutes, self.wide_minutes)


def place_statistics(visits: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """How usual meetings are at each institution, one row per `place`.

    Args:
        visits: `member`, `place`, `day`, `minute` of whole institutions.
        bounds: the two distances in time.

    Returns:
        `place`, `visits` (long), `near_chance` and `wide_chance` (double): the chance that two visits
        of the year there lie within 15 minutes, and within four hours, of each other; `near_cut` and
        `wide_cut` (long), pairs of visits that the bounds of `meeting_rows` and `wide_meetings` leave out.
    """
    ordered = _ordered(visits)
    near = _followers(ordered, bounds.near_minutes)
    wide = _followers(ordered, bounds.wide_minutes)
    counted = ordered.select("place", near=pl.Series(near), wide=pl.Series(wide))
    pairs = (pl.len() * (pl.len() - 1) / 2).clip(1)
    usual = counted.group_by("place").agg(
        near_chance=pl.col("near").sum() / pairs,
        wide_chance=pl.col("wide").sum() / pairs,
        near_cut=(pl.col("near") - bounds.near_visits).clip(0).sum(),
        wide_cut=(pl.col("wide") - bounds.wide_visits).clip(0).sum(),
    )
    return (
        visits.group_by("place")
        .agg(visits=pl.len().cast(pl.Int64))
        .join(usual, on="place", how="left")
        .with_columns(pl.exclude("place", "visits").fill_null(0))
        .sort("place")
    )


def meeting_rows(visits: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """Days on which two accounts were at one institution within minutes of each other.

    A visit is paired with those that follow it there, the nearest in time first, so no grid of time has
    a border, and no crowd makes more than `near_visits` pairs a visit.

    Args:
        visits: `member`, `place`, `day`, `minute`, `value`, `visit` of whole institutions. With `MARKS` pairs
            that met once and can have nothing else in common are left out, as they are no candidates.
        bounds: see `Bounds`.

    Returns:
        Rows of `EVIDENCE`, one per pair, institution and day, with the smallest gap.
    """
    ordered = _ordered(visits)
    taken = np.minimum(_followers(ordered, bounds.near_minutes), bounds.near_visits)
    marks = _marks(ordered, "elsewhere", "things")
    key = ["src", "dst", "thing", "day"]
    found = [
        _beside(ordered, *pairs, ("value", "visit"))
        .with_columns(is_known=pl.Series(_may_be_known(marks, *pairs)))
        .sort(*key, "gap", "src_visit", "dst_visit")
        .unique(key, keep="first", maintain_order=True)
        for pairs in _paired(ordered, taken)
    ]
    if not found:
        return empty_evidence()
    # The visits of a pair may lie in two pieces of work.
    rows = pl.concat(found).sort(*key, "gap", "src_visit").unique(key, keep="first")
    met_again = pl.len().over("src", "dst", "thing") > 1
    return as_evidence(rows.filter(met_again | pl.col("is_known")).with_columns(kind=pl.lit(NEAR)))


def wide_meetings(visits: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """How many days two accounts were at one institution within hours of each other.

    Args:
        visits: as for `meeting_rows`. With `MARKS` pairs are left out that can't have met at two institutions.
        bounds: see `Bounds`.

    Returns:
        `src`, `dst`, `place`, `days` (integer), one row per pair and institution.
    """
    ordered = _ordered(visits)
    taken = np.minimum(_followers(ordered, bounds.wide_minutes), bounds.wide_visits)
    marks = _marks(ordered, "elsewhere")
    key = ["src", "dst", "thing", "day"]
    found = []
    for first, second in _paired(ordered, taken):
        left = _may_be_known(marks, first, second)
        found.append(_beside(ordered, first[left], second[left], ()).select(key).unique())
    days = pl.concat([empty_evidence().select(key), *found]).unique()
    return days.group_by("src", "dst", place="thing").agg(days=pl.len().cast(pl.Int32))


def wide_candidates(met: pl.DataFrame) -> pl.DataFrame:
    """Rows of `EVIDENCE` for pairs that met within hours on three days at two or more places.

    `strength` is the number of days, `gap` the number of places.
    """
    pairs = met.group_by("src", "dst").agg(strength=pl.sum("days"), gap=pl.len())
    chosen = pairs.filter((pl.col("strength") >= 3) & (pl.col("gap") >= 2))
    return as_evidence(chosen.with_columns(kind=pl.lit(WIDE)))


def loyal_accounts(visits: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """Accounts that one operator of an institution serves more often than chance would give.

    Args:
        visits: `member`, `place`, `operator` (its number is that of an operator at an institution) of
            whole institutions; visits without an operator do not count.
        bounds: from which surprise on an account is loyal.

    Returns:
        `kind`, `thing` (the operator), `member`, `strength` (double, -log10 of the
        binomial tail of the operator's visits among the account's there), `share` (null).
    """
    known = visits.filter(pl.col("operator").is_not_null())
    mine = known.group_by("place", "operator", "member").agg(served=pl.len())
    at_place = known.group_by("place").agg(at_place=pl.len())
    of_operator = known.group_by("place", "operator").agg(of_operator=pl.len())
    of_member = known.group_by("place", "member").agg(of_member=pl.len())
    rows = (
        mine.filter(pl.col("served") > 1)
        .join(of_operator, on=["place", "operator"])
        .join(of_member, on=["place", "member"])
        .join(at_place, on="place")
        # An operator who serves everybody has no one who is loyal.
        .with_columns(
            others=pl.col("of_operator") - pl.col("served"),
            other_visits=pl.col("at_place") - pl.col("of_member"),
        )
    )
    chance = ((rows["others"] + 1) / (rows["other_visits"] + 1)).clip(0, 1).to_numpy()
    strength = binomial_surprise(rows["served"].to_numpy(), rows["of_member"].to_numpy(), chance)
    return rows.select(
        kind=pl.lit(OPERATOR),
        thing="operator",
        member="member",
        strength=pl.Series(strength),
        share=pl.lit(None, dtype=pl.Float64),
    ).filter(pl.col("strength") >= bounds.loyal_surprise)


def sharing_rows(held: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """Pairs of accounts that have a thing in common, one row per pair, kind and thing.

    Args:
        held: `kind`, `thing`, `member`, `strength`, `share` (of the account's visits, those with the thing;
            null where that is not counted); whole things. Without a strength it is one over the other
            accounts of the thing.
        bounds: a thing with more than `sharers` accounts makes no pairs.

    Returns:
        Rows of `EVIDENCE`, the strength being the weaker one's.
    """
    key = ["kind", "thing"]
    each = held.group_by(*key, "member").agg(pl.max("strength"), pl.max("share"))
    sizes = each.group_by(key).agg(accounts=pl.len())
    few = sizes.filter(pl.col("accounts").is_between(2, bounds.sharers))
    each = each.join(few, on=key).with_columns(
        pl.col("strength").fill_null(1 / (pl.col("accounts") - 1))
    )
    pairs = (
        each.rename({"member": "src", "strength": "src_strength", "share": "src_share"})
        .join(each.select(*key, "strength", dst="member", dst_share="share"), on=key)
        .filter(pl.col("src") < pl.col("dst"))
        .with_columns(strength=pl.min_horizontal("src_strength", "strength"))
    )
    return as_evidence(pairs)


def as_evidence(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in the columns of `EVIDENCE`; those that are missing are null."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in EVIDENCE.items()
    )


def empty_evidence() -> pl.DataFrame:
    """No rows of evidence."""
    return pl.DataFrame(schema=EVIDENCE)


def _ordered(visits: pl.DataFrame) -> pl.DataFrame:
    time = pl.col("day").cast(pl.Int64) * _MINUTES_A_DAY + pl.col("minute")
    timed = visits.with_columns(time=time).drop_nulls("time")
    return timed.sort("place", "time", "member", "visit")


def _followers(ordered: pl.DataFrame, minutes: int) -> Rows:
    """How many visits follow each one at its institution within some minutes."""
    place = ordered["place"].rank("dense").to_numpy().astype(np.int64)
    time = ordered["time"].to_numpy().astype(np.int64)
    if not len(time):
        return np.zeros(0, np.int64)
    # Institutions one after another on one axis, too far apart for a window to reach the next.
    axis = time - time.min() + place * (time.max() - time.min() + minutes + 1)
    last = np.searchsorted(axis, axis + minutes, side="right")
    return np.asarray(last - np.arange(len(axis)) - 1, dtype=np.int64)


def _paired(ordered: pl.DataFrame, taken: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Each visit with the next `taken` ones, of different accounts: numbers of rows, the earlier visit first."""
    member = ordered["member"].to_numpy()
    ends = np.cumsum(taken)
    start = 0
    while start < len(taken):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _CHUNK, side="right")))
        few = taken[start:stop]
        first = np.repeat(np.arange(start, stop), few)
        second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(few) - few, few)
        start = stop
        is_other = member[first] != member[second]
        yield first[is_other], second[is_other]


def _marks(ordered: pl.DataFrame, *names: str) -> list[Rows]:
    """The marks of visits; none if they have none."""
    return [marks_of(ordered, name) for name in names if MARKS[name][0] in ordered.columns]


def _may_be_known(marks: Sequence[Rows], first: Rows, second: Rows) -> npt.NDArray[np.bool_]:
    """Whether the accounts of two visits may have anything else in common; without marks nobody knows."""
    if not marks:
        return np.ones(len(first), np.bool_)
    known: npt.NDArray[np.bool_] = np.any(
        [in_common(each, first, second) for each in marks], axis=0
    )
    return known


def _beside(ordered: pl.DataFrame, first: Rows, second: Rows, extra: Sequence[str]) -> pl.DataFrame:
    """Two visits each beside each other, that of the smaller account as `src`."""
    member, time = ordered["member"].to_numpy(), ordered["time"].to_numpy()
    is_in_order = member[first] < member[second]
    src, dst = np.where(is_in_order, first, second), np.where(is_in_order, second, first)
    others = {name: ordered[name].to_numpy() for name in extra}
    return pl.DataFrame(
        {
            "src": member[src],
            "dst": member[dst],
            "thing": ordered["place"].to_numpy()[first],
            "day": ordered["day"].to_numpy()[first],
            "gap": (time[second] - time[first]).astype(np.int32),
            **{f"src_{name}": column[src] for name, column in others.items()},
            **{f"dst_{name}": column[dst] for name, column in others.items()},
        }
    )
