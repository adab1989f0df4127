"""One account's last year as plain data: visits, fills, and supply on hand from day to day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from expectations.landing.codes import STAY

#: Days that a timeline shows, up to the day before the as-of date.
YEAR = 365


@dataclass(frozen=True)
class Visit:
    """One settlement after refunds; `kind` is its visit type, `amount` its total.

    `start` and `end` are admission and discharge, if the source has them.
    """

    settlement: str
    day: date
    institution: str
    kind: str
    has_drugs: bool
    amount: float
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Fill:
    """The supply of an ingredient given on a day at an institution, in days."""

    day: date
    institution: str
    days: float


@dataclass(frozen=True)
class Supply:
    """The fills of an ingredient, and the supply on hand in days as corners of a line."""

    ingredient: str
    fills: tuple[Fill, ...]
    on_hand: tuple[tuple[date, float], ...]

    @property
    def peak(self) -> float:
        """The largest supply on hand."""
        return max((days for _, days in self.on_hand), default=0.0)

    @property
    def left(self) -> float:
        """The supply on hand at the end."""
        return self.on_hand[-1][1]


@dataclass(frozen=True)
class Timeline:
    """The year before a date; `names` of institutions by id, as far as known.

    `supplies` has the ingredients with most days on hand, `more_ingredients` counts the others.
    """

    account: str
    as_of: date
    visits: tuple[Visit, ...]
    supplies: tuple[Supply, ...] = ()
    more_ingredients: int = 0
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, institution: str) -> str:
        """The name of an institution, or its id if none is known."""
        return self.names.get(institution) or institution

    @property
    def first_day(self) -> date:
        """The first day shown."""
        return self.as_of - timedelta(days=YEAR)

    @property
    def stays(self) -> tuple[Visit, ...]:
        """The visits that were stays in hospital."""
        return tuple(visit for visit in self.visits if visit.kind == STAY)


def on_hand(
    as_of: date, fills: Sequence[tuple[int, float, float]], stays: Sequence[tuple[int, int]]
) -> tuple[tuple[date, float], ...]:
    """Supply on hand of an ingredient from its first fill to a date, as corners of a line.

    Between fills one day's supply is used each day, none during a stay. At each fill the level is the
    features' own.

    Args:
        as_of: the date.
        fills: days before the date, supply on hand before the fill, supply given; earliest first.
        stays: days before the date of admission and of discharge; the day of discharge is a day at home.
    """
    if not fills:
        return ()
    before: dict[int, float] = {}
    after: dict[int, float] = {}
    for ago, stock, given in fills:
        before.setdefault(ago, stock)
        after[ago] = stock + given
    points: list[tuple[int, float]] = []
    level = 0.0
    for ago in range(fills[0][0], -1, -1):
        if ago in after:
            points.append((ago, before[ago]))
            level = after[ago]
        points.append((ago, level))
        if not any(first >= ago > last for first, last in stays):
            level = max(level - 1, 0.0)
    return tuple((as_of - timedelta(days=ago), days) for ago, days in _corners(points))


def _corners(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The points without those on the straight line between their neighbours."""
    corners = list(points[:1])
    for at in range(1, len(points) - 1):
        (ago, days), (ago_before, days_before), (ago_after, days_after) = (
            points[at],
            points[at - 1],
            points[at + 1],
        )
        is_step = ago in (ago_before, ago_after)
        if is_step or abs((days - days_before) - (days_after - days)) > 1e-9:
            corners.append((ago, days))
    return corners + list(points[1:][-1:])
