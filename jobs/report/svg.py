"""What pictures that are drawn by hand share: lines, texts, months, and the markup.

They are not drawn by matplotlib, so that each mark has a tooltip and the browser uses the page's font, also
for Chinese.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date, timedelta

from markupsafe import Markup


def line(parent: ET.Element, x1: float, y1: float, x2: float, y2: float, name: str) -> None:
    """A straight line of a class."""
    ends = {"x1": f"{x1:g}", "y1": f"{y1:g}", "x2": f"{x2:g}", "y2": f"{y2:g}", "class": name}
    ET.SubElement(parent, "line", ends)


def text(parent: ET.Element, x: float, y: float, words: str, name: str) -> None:
    """A text of a class."""
    place = {"x": f"{x:g}", "y": f"{y:g}", "class": name}
    ET.SubElement(parent, "text", place).text = words


def rect(parent: ET.Element, x: float, y: float, width: float, height: float, name: str) -> None:
    """A box of a class."""
    box = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
    ET.SubElement(parent, "rect", box | {"class": name})


def cut(label: str, room: int = 28) -> str:
    """The part of a label that fits into some letters; wide letters take two places."""
    beginning = ""
    for letter in label:
        room -= 2 if ord(letter) > 0x2E7F else 1
        if room < 1:
            return f"{beginning}\N{HORIZONTAL ELLIPSIS}"
        beginning += letter
    return beginning


def first_days(start: date, end: date) -> Iterator[date]:
    """The first day of each month within a span."""
    day = (start.replace(day=1) + timedelta(days=31)).replace(day=1) if start.day > 1 else start
    while day < end:
        yield day
        day = (day + timedelta(days=31)).replace(day=1)


def picture(key: str, width: float, height: float, title: str, kind: str) -> ET.Element:
    """An empty picture with its title for those who cannot see it."""
    return ET.Element(
        "svg",
        {
            "id": key,
            "viewBox": f"0 0 {width:g} {height:g}",
            "role": "img",
            "aria-label": title,
            "class": f"picture {kind}",
        },
    )


def markup_of(root: ET.Element) -> str:
    """A picture for the inside of a page."""
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - serialised, so escaped
