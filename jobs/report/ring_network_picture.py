"""The network of a ring by role: who carries, whose cards, and at which counters, from left to right."""

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.report.ring import CARRYING, Part, Ring, Tie
from jobs.report.strings import Words
from jobs.report.svg import cut, markup_of, picture, rect, text
from jobs.report.words import N_

#: What the picture has room for; the table and the exports have all.
MOST_CARDS, MOST_COUNTERS, MOST_LINKS = 60, 10, 80
_WIDTH, _ROW, _HEAD = 1000, 26, 34
_PILL, _HEIGHT, _WIDEST = 190, 19, 90
_COLUMNS = (0.0, 405.0, 810.0)
_LETTERS = 25


@dataclass(frozen=True)
class _Node:
    """A box of the picture: its tooltip, class and label."""

    key: str
    label: str
    said: str
    look: str


def network_picture(ring: Ring, words: Words) -> str:
    """Draw who carries (left), the cards (middle) and the counters (right), joined by what was seen."""
    columns = _columns(ring, words)
    rows = max(len(column) for column in columns)
    height = _HEAD + rows * _ROW + 6
    title = words.text(N_("The network of the ring by role"))
    root = picture("ring-network", _WIDTH, height, title, "ring-network")
    heads = (N_("Who carries"), N_("Whose cards"), N_("Where"))
    at: dict[str, tuple[float, float]] = {}
    for column, x, head in zip(columns, _COLUMNS, heads, strict=True):
        text(root, x, 14, words.text(head), "head")
        # Short columns are spread, so that lines come from the side rather than in a bundle.
        step = min(rows * _ROW / max(len(column), 1), _WIDEST)
        top = _HEAD + (rows * _ROW - len(column) * step) / 2
        for row, node in enumerate(column):
            at[node.key] = (x, round(top + row * step + step / 2, 1))
    _draw_ties(root, ring, at, words)
    for column in columns:
        for node in column:
            _draw_node(root, node, at[node.key])
    return markup_of(root)


def drawn_cards(ring: Ring) -> int:
    """How many cards the picture has."""
    return min(sum(part.role not in CARRYING for part in ring.people), MOST_CARDS)


def _columns(ring: Ring, words: Words) -> tuple[list[_Node], list[_Node], list[_Node]]:
    carriers = [part for part in ring.people if part.role in CARRYING]
    carriers += [part for part in ring.things if part.kind == "phone"]
    counters = [_place_node(ring, number, words) for number in range(len(ring.places))]
    operators = [part for part in ring.things if part.kind == "operator"]
    right = [*counters[: MOST_COUNTERS - min(len(operators), 4)], *_nodes(operators[:4], words)]
    left = _nodes(carriers, words)
    if ring.has_unseen_head:
        unseen = words.text(N_("head not seen"))
        left.append(_Node("?unseen", unseen, unseen, "unseen"))
    cards = [part for part in ring.people if part.role not in CARRYING]
    middle = _nodes(_ordered(cards, ring, left, right)[:MOST_CARDS], words)
    kin = words.text(N_("kin, no evidence"))
    middle += [_Node(each, each, f"{each} · {kin}", "kin") for each in ring.kin[:10]]
    return left, middle, right


def _nodes(parts: Sequence[Part], words: Words) -> list[_Node]:
    return [
        _Node(
            part.subject,
            part.subject,
            f"{part.subject} · {words.role(part.role)}",
            f"{part.role} {part.kind}",
        )
        for part in parts
    ]


def _place_node(ring: Ring, number: int, words: Words) -> _Node:
    place = ring.places[number]
    label = f"{number + 1}  {place.name or place.institution}"
    visits = words.text(N_("%(count)s visits"), count=words.number(place.visits))
    said = f"{place.name} {place.institution} · {visits}".strip()
    return _Node(place.institution, label, said, "place")


def _ordered(
    cards: Sequence[Part], ring: Ring, left: Sequence[_Node], right: Sequence[_Node]
) -> list[Part]:
    """Cards beside who carries them and where they are used, so that few lines cross."""
    rank = {node.key: row for row, node in enumerate((*left, *right))}
    near: dict[str, list[int]] = defaultdict(list)
    for tie in ring.ties:
        if tie.kind == "carries" and tie.src in rank:
            near[tie.dst].append(rank[tie.src])
    best: dict[str, tuple[float, int]] = {}
    for tie in ring.ties:
        if tie.kind == "uses" and tie.dst in rank:
            best[tie.src] = min(
                best.get(tie.src, (0.0, 0)), (-tie.weight, rank[tie.dst]), key=lambda one: one
            )
    return sorted(
        cards,
        key=lambda part: (
            min(near.get(part.subject, [len(rank)])),
            best.get(part.subject, (0.0, 0))[1],
            part.subject,
        ),
    )


def _draw_node(root: ET.Element, node: _Node, at: tuple[float, float]) -> None:
    group = ET.SubElement(root, "g", {"class": f"node {node.look}"})
    ET.SubElement(group, "title").text = node.said
    x, y = at
    rect(group, x, y - _HEIGHT / 2, _PILL, _HEIGHT, "box")
    text(group, x + 8, y + 4, cut(node.label, _LETTERS), "label")


def _draw_ties(
    root: ET.Element, ring: Ring, at: Mapping[str, tuple[float, float]], words: Words
) -> None:
    among = [tie for tie in ring.ties if tie.kind in ("link", "kin")]
    among = [tie for tie in among if tie.src in at and tie.dst in at]
    strongest = sorted(among, key=lambda tie: (-tie.weight, tie.src, tie.dst))[:MOST_LINKS]
    for tie in strongest:
        chance = words.percent(tie.weight, 0)
        _path(root, at, tie, 1.0, f"{tie.src}, {tie.dst} · {chance}")
    others = [tie for tie in ring.ties if tie.kind in ("uses", "carries")]
    for tie in others:
        if tie.src in at and tie.dst in at:
            count = words.text(N_("%(count)s visits"), count=words.number(tie.weight))
            width = min(0.7 + 0.35 * tie.weight**0.5, 4.0)
            _path(root, at, tie, width, f"{tie.src} → {tie.dst} · {count}")


def _path(
    root: ET.Element, at: Mapping[str, tuple[float, float]], tie: Tie, width: float, said: str
) -> None:
    (x1, y1), (x2, y2) = sorted((at[tie.src], at[tie.dst]))
    if x1 == x2:
        # An arc on the left of the column, the wider the farther.
        bulge = min(14 + 0.35 * abs(y2 - y1), 140 if x1 else 0)
        curve = f"M{x1:g},{y1:g} C{x1 - bulge:g},{y1:g} {x2 - bulge:g},{y2:g} {x2:g},{y2:g}"
    else:
        left, middle = x1 + _PILL, (x1 + _PILL + x2) / 2
        curve = f"M{left:g},{y1:g} C{middle:g},{y1:g} {middle:g},{y2:g} {x2:g},{y2:g}"
    path = ET.SubElement(
        root, "path", {"d": curve, "class": f"tie {tie.kind}", "stroke-width": f"{width:.2f}"}
    )
    ET.SubElement(path, "title").text = said
