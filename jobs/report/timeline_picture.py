"""An account's year as inline SVG: where its visits by institution and its supply on hand lie in the picture.

`templates/timeline.html.j2` draws it. Not drawn by matplotlib, so that each mark has a tooltip and the browser
uses the page's font, also for Chinese.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from expectations.landing.codes import CERTIFICATE_VISIT, OUTPATIENT, PHARMACY_VISIT, STAY
from jobs.report.rendering import drawn
from jobs.report.strings import Words
from jobs.report.svg import first_days
from jobs.report.timeline import YEAR, Supply, Timeline, Visit

#: Shape and colour of a kind of visit.
_MARKS = {
    OUTPATIENT: ("circle", "#2f6580"),
    CERTIFICATE_VISIT: ("diamond", "#7d6b91"),
    STAY: ("bar", "#a8512b"),
    PHARMACY_VISIT: ("square", "#c08a25"),
}
_OTHER = ("triangle", "#66757f")
#: Twelve weeks: the longest prescription that the rules for long prescriptions allow.
_LONGEST_PRESCRIPTION = 84
_MOST_LANES = 12
_WIDTH, _LEFT, _RIGHT = 1000, 200, 100
_LANE, _AREA, _HEAD, _GAP = 24, 52, 44, 14
_SIZE = 4.2


def timeline_picture(timeline: Timeline, number: int, words: Words) -> str:
    """Visits in a lane for each institution, and below them supply on hand in one for each ingredient."""
    plan = _Plan(timeline)
    return drawn("timeline.html.j2", words, plan=plan, timeline=timeline, number=number)


def mark_picture(kind: str, words: Words, has_drugs: bool = True) -> str:
    """A mark by itself, for the legend."""
    return drawn("mark.html.j2", words, mark=_mark(kind, 7, 7, has_drugs))


@dataclass(frozen=True)
class _Mark:
    """The mark of a visit: an element of SVG and its attributes."""

    element: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class _SupplyLane:
    """Where supply on hand is drawn: the heights of its base, middle, guide and last level, and the area's corners."""

    base: float
    middle: float
    guide: float
    level: float
    points: str


class _Plan:
    """The places of a picture's parts from top to bottom, with one scale of days for all."""

    width, left, right = _WIDTH, _LEFT, _WIDTH - _RIGHT
    visits_top = _HEAD

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        order = _lanes(timeline.visits)
        self.lanes = {name: _HEAD + _LANE * at + _LANE / 2 for at, name in enumerate(order)}
        self.others = len({visit.institution for visit in timeline.visits} - {*order})
        self.visits_bottom = _HEAD + _LANE * max(len(order), 1)
        self.supply_top = self.visits_bottom + _GAP + _HEAD
        self.supply_bottom = self.supply_top + (_AREA + _GAP) * len(timeline.supplies)
        self.height = self.supply_bottom + 6

    def x(self, day: date) -> float:
        """The place of a day."""
        along = (day - self._timeline.first_day).days / YEAR
        return round(_LEFT + along * (_WIDTH - _LEFT - _RIGHT), 2)

    @property
    def months(self) -> list[tuple[float, date]]:
        """The first day of each month, with its place."""
        days = first_days(self._timeline.first_day, self._timeline.as_of)
        return [(self.x(day), day) for day in days]

    @property
    def same_days(self) -> list[tuple[float, float, float]]:
        """Days on which the account was used at several institutions: place, highest and lowest lane."""
        by_day: dict[date, set[float]] = defaultdict(set)
        for visit in self._timeline.visits:
            by_day[visit.day].add(self.lanes[self._lane(visit)])
        return [
            (self.x(day), min(places), max(places))
            for day, places in sorted(by_day.items())
            if len(places) > 1
        ]

    @property
    def visits(self) -> list[tuple[Visit, _Mark]]:
        """The visits with their marks."""
        used: Counter[tuple[str, date]] = Counter()
        found = []
        for visit in self._timeline.visits:
            lane = self._lane(visit)
            place = used[lane, visit.day]
            used[lane, visit.day] += 1
            # Further ones of a day lie beside the first: up, down, up ...
            y = self.lanes[lane] + (place + 1) // 2 * 4 * (1 if place % 2 else -1)
            x, width = self.x(visit.day), 2 * _SIZE
            if visit.kind == STAY and visit.start and visit.end:
                first = max(visit.start, self._timeline.first_day)
                x, last = self.x(first), self.x(max(visit.end, first))
                width = max(last - x, width)
            found.append((visit, _mark(visit.kind, x, y, visit.has_drugs, width)))
        return found

    @property
    def stays(self) -> list[tuple[float, float]]:
        """Days in hospital, when the hospital gives the drugs and the supply is not used: place and width."""
        found = []
        for visit in self._timeline.stays:
            if visit.start and visit.end:
                x = self.x(max(visit.start, self._timeline.first_day))
                found.append((x, max(self.x(visit.end) - x, 1)))
        return found

    @property
    def supplies(self) -> list[tuple[Supply, _SupplyLane]]:
        """The ingredients with their places, all on one scale."""
        supplies = self._timeline.supplies
        per_day = _AREA / max(_LONGEST_PRESCRIPTION, *(each.peak for each in supplies))
        lanes = []
        for at, supply in enumerate(supplies):
            base = self.supply_top + (_AREA + _GAP) * at + _AREA
            corners = [
                f"{self.x(day):g},{base - days * per_day:.1f}" for day, days in supply.on_hand
            ]
            first, last = (f"{self.x(supply.on_hand[at][0]):g},{base:g}" for at in (0, -1))
            lanes.append(
                _SupplyLane(
                    base=base,
                    middle=base - _AREA / 2,
                    guide=base - _LONGEST_PRESCRIPTION * per_day,
                    level=base - max(supply.left * per_day, 0),
                    points=" ".join([first, *corners, last]),
                )
            )
        return list(zip(supplies, lanes, strict=True))

    def _lane(self, visit: Visit) -> str:
        return visit.institution if visit.institution in self.lanes else ""


def _lanes(visits: Sequence[Visit]) -> list[str]:
    """Institutions by their visits, most first; the last lane, named '', is for all others."""
    counted = Counter(visit.institution for visit in visits)
    order = sorted(counted, key=lambda each: (-counted[each], each))
    return order if len(order) <= _MOST_LANES else [*order[: _MOST_LANES - 1], ""]


def _mark(kind: str, x: float, y: float, filled: bool, width: float = 2 * _SIZE) -> _Mark:
    """A mark of a visit about a point; a bar begins there, unless it is of a mark's own width."""
    shape, color = _MARKS.get(kind, _OTHER)
    look = {"fill": color if filled else "#ffffff", "stroke": "#ffffff" if filled else color}
    r = _SIZE
    if shape == "circle":
        return _Mark("circle", {"cx": f"{x:g}", "cy": f"{y:g}", "r": f"{r}", **look})
    if shape in ("bar", "square"):
        left, half = (x, r) if shape == "bar" and width > 2 * r else (x - r, r - 0.4)
        box = {"x": left, "y": y - half, "width": width, "height": 2 * half}
        return _Mark("rect", {name: f"{value:g}" for name, value in box.items()} | look)
    r += 0.8
    corners = [(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
    if shape == "triangle":
        corners = [(x, y - r), (x + r, y + r), (x - r, y + r)]
    return _Mark("polygon", {"points": " ".join(f"{a:g},{b:g}" for a, b in corners), **look})
