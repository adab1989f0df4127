"""Pictures of a ring beside its network: the cards by week, and the places."""

import math
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from jobs.report.ring import Ring
from jobs.report.strings import Words
from jobs.report.svg import cut, first_days, line, markup_of, picture, rect, text
from jobs.report.words import N_

#: What the picture of weeks has room for.
MOST_ROWS = 60
_WIDTH, _LEFT, _HEAD, _ROW = 1000, 200, 24, 17
_TALLEST = 560
_KM_A_DEGREE = 111.32
_APART = 24
_SCALES = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def weeks_picture(ring: Ring, words: Words) -> str:
    """One row per card, one column per week: darker is more boxes, a hollow box a visit without drugs.

    Cards are in the order of use where they are used in turn, otherwise by their middle week.
    """
    cards = card_order(ring)[:MOST_ROWS]
    mondays = ring.mondays
    step = (_WIDTH - _LEFT) / len(mondays)
    bottom = _HEAD + _ROW * len(cards)
    title = words.text(N_("The cards by week"))
    root = picture("ring-weeks", _WIDTH, bottom + 6, title, "ring-weeks")
    days = (ring.as_of - mondays[0]).days
    for day in first_days(mondays[0], ring.as_of):
        x = _LEFT + (day - mondays[0]).days / 7 * step
        line(root, x, _HEAD - 16, x, bottom, "grid")
        if (ring.as_of - day).days > 0.03 * days:
            text(root, x + 3, _HEAD - 9, words.month(day), "month")
    column = {monday: at for at, monday in enumerate(mondays)}
    most = max((float(week.boxes) for week in ring.weeks), default=0.0)
    of_card = defaultdict(list)
    for week in ring.weeks:
        of_card[week.account].append(week)
    for row, card in enumerate(cards):
        y = _HEAD + _ROW * row
        text(root, 0, y + 12, cut(card, 27), "label")
        line(root, _LEFT, y + _ROW, _WIDTH, y + _ROW, "grid")
        for week in of_card[card]:
            group = ET.SubElement(root, "g", {"class": "week"})
            visits = words.text(N_("%(count)s visits"), count=words.number(week.visits))
            boxes = words.text(N_("%(count)s boxes"), count=words.number(week.boxes))
            last = week.monday + timedelta(days=6)
            said = f"{card} · {words.days(week.monday, last)} · {visits} · {boxes}"
            ET.SubElement(group, "title").text = said
            shade = _shade(float(week.boxes), most)
            at = column.get(week.monday)
            if at is not None:
                rect(group, _LEFT + at * step + 0.8, y + 2, step - 1.6, _ROW - 4, shade)
    return markup_of(root)


def card_order(ring: Ring) -> list[str]:
    """Cards from the first used to the last: in the order of a rotation, or by their middle week."""
    turning = ring.finding("rotation")
    place = {card: at for at, card in enumerate(turning.subjects if turning else ())}
    middle: dict[str, list[int]] = defaultdict(list)
    for week in ring.weeks:
        middle[week.account].append((week.monday - ring.since).days)
    names = [part.subject for part in ring.cards]
    last = math.inf
    return sorted(
        names,
        key=lambda name: (
            place.get(name, last),
            sum(middle[name]) / len(middle[name]) if middle[name] else last,
            name,
        ),
    )


def _shade(boxes: float, most: float) -> str:
    if boxes <= 0:
        return "shade none"
    return f"shade s{min(1 + int(3 * math.sqrt(boxes / most)), 3)}"


def places_picture(ring: Ring, words: Words) -> str | None:
    """The institutions (squares, by visits) and the homes of the holders; None where nothing is located."""
    places = [
        (number, place.lon, place.lat, place.visits)
        for number, place in enumerate(ring.places, start=1)
        if place.lat is not None and place.lon is not None
    ]
    homes = [(lon, lat) for lat, lon in ring.homes.values()]
    if not places:
        return None
    points = [(lon, lat) for _, lon, lat, _ in places] + homes
    frame = _Frame(points)
    title = words.text(N_("The places of the ring"))
    root = picture("ring-places", _WIDTH, frame.height, title, "ring-places")
    rect(root, 0.5, 0.5, _WIDTH - 1, frame.height - 1, "frame")
    counted: dict[tuple[float, float], int] = defaultdict(int)
    for lon, lat in homes:
        counted[frame.at(lon, lat)] += 1
    for (x, y), count in sorted(counted.items()):
        circle = ET.SubElement(
            root,
            "circle",
            {"cx": f"{x:g}", "cy": f"{y:g}", "r": f"{3.5 + 1.5 * math.sqrt(count - 1):.1f}"}
            | {"class": "home"},
        )
        said = words.text(N_("homes of %(count)s holders"), count=count)
        ET.SubElement(circle, "title").text = said
    _draw_places(root, ring, places, frame, words)
    _draw_scale(root, frame, words)
    return markup_of(root)


def _draw_places(
    root: ET.Element,
    ring: Ring,
    places: Sequence[tuple[int, float, float, int]],
    frame: "_Frame",
    words: Words,
) -> None:
    most = max(visits for _, _, _, visits in places)
    # Places that would cover each other share the mark of the first of them.
    spots: dict[tuple[float, float], list[tuple[int, int]]] = {}
    for number, lon, lat, visits in places:
        at = frame.at(lon, lat)
        near = next((spot for spot in spots if math.dist(spot, at) < _APART), at)
        spots.setdefault(near, []).append((number, visits))
    for (x, y), here in sorted(spots.items()):
        group = ET.SubElement(root, "g", {"class": "place"})
        names = [ring.places[number - 1] for number, _ in here]
        lines = [
            f"{place.name or place.institution} · "
            + words.text(N_("%(count)s visits"), count=words.number(place.visits))
            for place in names
        ]
        ET.SubElement(group, "title").text = "\n".join(lines)
        half = 4 + 9 * math.sqrt(max(visits for _, visits in here) / most)
        rect(group, x - half, y - half, 2 * half, 2 * half, "box")
        label = ", ".join(str(number) for number, _ in here)
        text(group, x + half + 3, y + 4, label, "label")


def _draw_scale(root: ET.Element, frame: "_Frame", words: Words) -> None:
    km = max((each for each in _SCALES if each * frame.per_km <= 220), default=_SCALES[0])
    x, y = _WIDTH - 20 - km * frame.per_km, frame.height - 16
    line(root, x, y, _WIDTH - 20, y, "scale")
    text(root, x, y - 6, words.text(N_("%(km)s km"), km=words.number(km, int(km < 1))), "month")


class _Frame:
    """Degrees to points of the picture, with a margin; a kilometre is as long both ways."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
        self._level = max(math.cos(math.radians((min(lats) + max(lats)) / 2)), 0.05)
        # A single spot is drawn two kilometres wide.
        wide = max((max(lons) - min(lons)) * _KM_A_DEGREE * self._level, 2.0)
        tall = max((max(lats) - min(lats)) * _KM_A_DEGREE, 2.0)
        margin = 40
        self.per_km = min((_WIDTH - 2 * margin) / wide, (_TALLEST - 2 * margin) / tall)
        self.height = round(tall * self.per_km + 2 * margin, 1)
        self._middle = ((min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2)

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        """The point of a place."""
        x = (lon - self._middle[0]) * _KM_A_DEGREE * self._level * self.per_km
        y = (lat - self._middle[1]) * _KM_A_DEGREE * self.per_km
        return round(_WIDTH / 2 + x, 1), round(self.height / 2 - y, 1)
