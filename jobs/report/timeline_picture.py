"""An account's year as inline SVG: its visits by institution, and its supply on hand.

Not drawn by matplotlib, so that each mark has a tooltip and the browser uses the page's font, also for
Chinese.
"""

import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date

from expectations.landing.codes import CERTIFICATE_VISIT, OUTPATIENT, PHARMACY_VISIT, STAY
from jobs.report.strings import Words
from jobs.report.svg import cut, first_days, line, markup_of, text
from jobs.report.timeline import YEAR, Supply, Timeline, Visit
from jobs.report.words import N_, OTHER_VISIT, VISIT_KINDS

#: Shape and colour of a kind of visit.
MARKS = {
    OUTPATIENT: ("circle", "#2f6580"),
    CERTIFICATE_VISIT: ("diamond", "#7d6b91"),
    STAY: ("bar", "#a8512b"),
    PHARMACY_VISIT: ("square", "#c08a25"),
}
_OTHER = ("triangle", "#66757f")
#: Twelve weeks: the longest prescription that the rules for long prescriptions allow.
LONGEST_PRESCRIPTION = 84
_MOST_LANES = 12
_WIDTH, _LEFT, _RIGHT = 1000, 200, 100
_LANE, _AREA, _HEAD, _GAP = 24, 52, 44, 14
_SIZE = 4.2


def timeline_picture(timeline: Timeline, number: int, words: Words) -> str:
    """Visits in a lane for each institution, and below them supply on hand in one for each ingredient."""
    drawing = _Drawing(timeline, words)
    title = words.text(N_("The year of account %(account)s"), account=timeline.account)
    return drawing.svg(f"timeline-{number}-picture", title)


def mark_picture(kind: str, has_drugs: bool = True) -> str:
    """A mark by itself, for the legend."""
    root = ET.Element("svg", {"viewBox": "0 0 14 14", "class": "mark-key", "aria-hidden": "true"})
    _mark(root, kind, 7, 7, has_drugs)
    return markup_of(root)


class _Drawing:
    """The parts of the picture from top to bottom, with one scale of days for all."""

    def __init__(self, timeline: Timeline, words: Words) -> None:
        self._timeline, self._words = timeline, words
        self._lanes = _lanes(timeline.visits)
        self._y = {}
        y = _HEAD
        for at, institution in enumerate(self._lanes):
            self._y[institution] = y + _LANE * at + _LANE / 2
        self._visits_end = y + _LANE * max(len(self._lanes), 1)
        self._supply_top = self._visits_end + _GAP + _HEAD
        self._height = self._supply_top + (_AREA + _GAP) * len(timeline.supplies) + 6
        self._root = ET.Element("svg")

    def svg(self, key: str, title: str) -> str:
        """The whole picture."""
        self._root = ET.Element(
            "svg",
            {
                "id": key,
                "viewBox": f"0 0 {_WIDTH} {self._height:g}",
                "role": "img",
                "aria-label": title,
                "class": "picture timeline",
            },
        )
        self._heading(16, self._words.text(N_("Visits, by institution")))
        self._months(_HEAD - 8, self._visits_end)
        self._draw_visits()
        if self._timeline.supplies:
            self._heading(self._visits_end + _GAP + 16, self._words.text(N_("Supply on hand")))
            self._months(self._supply_top - 8, self._height - 6)
            self._draw_stays()
            self._draw_supplies()
        return markup_of(self._root)

    def _x(self, day: date) -> float:
        along = (day - self._timeline.first_day).days / YEAR
        return round(_LEFT + along * (_WIDTH - _LEFT - _RIGHT), 2)

    def _heading(self, y: float, title: str) -> None:
        text(self._root, 0, y, title, "head")

    def _months(self, top: float, bottom: float) -> None:
        for day in first_days(self._timeline.first_day, self._timeline.as_of):
            x = self._x(day)
            line(self._root, x, top, x, bottom, "grid")
            text(self._root, x + 3, top, self._words.month(day), "month")

    def _draw_visits(self) -> None:
        self._same_days()
        used: Counter[tuple[str, date]] = Counter()
        for institution, y in self._y.items():
            line(self._root, _LEFT, y, _WIDTH - _RIGHT, y, "grid")
            self._lane_label(institution, y)
        for visit in self._timeline.visits:
            lane = visit.institution if visit.institution in self._y else ""
            place = used[lane, visit.day]
            used[lane, visit.day] += 1
            # Further ones of a day lie beside the first: up, down, up ...
            shift = (place + 1) // 2 * 4 * (1 if place % 2 else -1)
            group = ET.SubElement(self._root, "g", {"class": "visit"})
            ET.SubElement(group, "title").text = self._visit_text(visit)
            y = self._y[lane] + shift
            if visit.kind == STAY and visit.start and visit.end:
                first = max(visit.start, self._timeline.first_day)
                width = self._x(max(visit.end, first)) - self._x(first)
                _mark(group, visit.kind, self._x(first), y, visit.has_drugs, max(width, 2 * _SIZE))
            else:
                _mark(group, visit.kind, self._x(visit.day), y, visit.has_drugs)

    def _same_days(self) -> None:
        """A line between institutions at which the account was used on the same day."""
        by_day: dict[date, set[float]] = defaultdict(set)
        for visit in self._timeline.visits:
            by_day[visit.day].add(
                self._y[visit.institution if visit.institution in self._y else ""]
            )
        for day, places in sorted(by_day.items()):
            if len(places) > 1:
                x = self._x(day)
                line(self._root, x, min(places), x, max(places), "same-day")

    def _lane_label(self, institution: str, y: float) -> None:
        if institution:
            label = self._timeline.names.get(institution) or institution
        else:
            others = {visit.institution for visit in self._timeline.visits} - {*self._lanes}
            label = self._words.text(
                N_("%(count)s other institutions"), count=self._words.number(len(others))
            )
        text(self._root, 0, y + 4, cut(label), "label")

    def _visit_text(self, visit: Visit) -> str:
        name = self._timeline.names.get(visit.institution)
        place = f"{name} ({visit.institution})" if name else visit.institution
        parts = [
            self._words.day(visit.day),
            place,
            self._words.text(VISIT_KINDS.get(visit.kind, OTHER_VISIT)),
            self._words.number(visit.amount, 2),
        ]
        if not visit.has_drugs:
            parts.append(self._words.text(N_("no drugs")))
        return " · ".join(parts)

    def _draw_stays(self) -> None:
        """Days in hospital as bands. The supply is not used then, because the hospital gives the drugs."""
        for visit in self._timeline.stays:
            if visit.start and visit.end:
                x = self._x(max(visit.start, self._timeline.first_day))
                attributes = {
                    "x": f"{x:g}",
                    "y": f"{self._supply_top:g}",
                    "width": f"{max(self._x(visit.end) - x, 1):g}",
                    "height": f"{self._height - 6 - self._supply_top:g}",
                    "class": "stay",
                }
                ET.SubElement(self._root, "rect", attributes)

    def _draw_supplies(self) -> None:
        most = max(LONGEST_PRESCRIPTION, *(each.peak for each in self._timeline.supplies))
        for at, supply in enumerate(self._timeline.supplies):
            base = self._supply_top + (_AREA + _GAP) * at + _AREA
            self._supply_lane(supply, base, _AREA / most)

    def _supply_lane(self, supply: Supply, base: float, per_day: float) -> None:
        words = self._words
        guide = base - LONGEST_PRESCRIPTION * per_day
        line(self._root, _LEFT, guide, _WIDTH - _RIGHT, guide, "guide")
        line(self._root, _LEFT, base, _WIDTH - _RIGHT, base, "grid")
        corners = [f"{self._x(day):g},{base - days * per_day:.1f}" for day, days in supply.on_hand]
        ends = [f"{self._x(supply.on_hand[at][0]):g},{base:g}" for at in (0, -1)]
        group = ET.SubElement(self._root, "g", {"class": "supply"})
        peak = words.text(N_("at most %(days)s days on hand"), days=words.number(supply.peak))
        ET.SubElement(group, "title").text = f"{supply.ingredient}: {peak}"
        ET.SubElement(group, "polygon", {"points": " ".join([ends[0], *corners, ends[1]])})
        for fill in supply.fills:
            mark = ET.SubElement(self._root, "g", {"class": "fill"})
            place = self._timeline.names.get(fill.institution) or fill.institution
            given = words.text(N_("%(days)s days' supply"), days=words.number(fill.days))
            ET.SubElement(mark, "title").text = f"{words.day(fill.day)} · {given} · {place}"
            line(mark, self._x(fill.day), base, self._x(fill.day), base + 7, "tick")
        text(self._root, 0, base - _AREA / 2 + 2, cut(supply.ingredient), "label")
        text(self._root, 0, base - _AREA / 2 + 17, peak, "month")
        now = supply.on_hand[-1][1]
        label = words.text(N_("%(days)s days left"), days=words.number(now))
        text(self._root, _WIDTH - _RIGHT + 6, base - max(now * per_day, 0) + 4, label, "month")


def _lanes(visits: Sequence[Visit]) -> list[str]:
    """Institutions by their visits, most first; the last lane, named '', is for all others."""
    counted = Counter(visit.institution for visit in visits)
    order = sorted(counted, key=lambda each: (-counted[each], each))
    return order if len(order) <= _MOST_LANES else [*order[: _MOST_LANES - 1], ""]


def _mark(
    parent: ET.Element, kind: str, x: float, y: float, filled: bool, width: float = 2 * _SIZE
) -> None:
    """A mark of a visit about a point; a bar begins there, unless it is of a mark's own width."""
    shape, color = MARKS.get(kind, _OTHER)
    look = {"fill": color if filled else "#ffffff", "stroke": "#ffffff" if filled else color}
    r = _SIZE
    if shape == "circle":
        ET.SubElement(parent, "circle", {"cx": f"{x:g}", "cy": f"{y:g}", "r": f"{r}", **look})
    elif shape in ("bar", "square"):
        left, half = (x, r) if shape == "bar" and width > 2 * r else (x - r, r - 0.4)
        box = {
            "x": f"{left:g}",
            "y": f"{y - half:g}",
            "width": f"{width:g}",
            "height": f"{2 * half:g}",
        }
        ET.SubElement(parent, "rect", {**box, **look})
    else:
        r += 0.8
        corners = [(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
        if shape == "triangle":
            corners = [(x, y - r), (x + r, y + r), (x - r, y + r)]
        points = " ".join(f"{a:g},{b:g}" for a, b in corners)
        ET.SubElement(parent, "polygon", {"points": points, **look})
