"""A ring in forms that other tools read: GraphML, CSV, and FollowTheMoney entities."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence

import networkx as nx

from jobs.report.ring import Part, Ring, Tie
from jobs.report.sheet import harmless
from jobs.report.strings import Words

#: Letters that XML 1.0 cannot hold, not even as numbers.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
#: FollowTheMoney's schema of each kind of subject.
_SCHEMATA = {
    "member": "Person",
    "doctor": "Person",
    "operator": "Person",
    "institution": "Organization",
    "phone": "LegalEntity",
}


def graphml(ring: Ring) -> str:
    """The ring as a directed graph with parallel edges, for Gephi, yEd, igraph or networkx."""
    graph = nx.MultiDiGraph(name=_plain(ring.ring), as_of=ring.as_of.isoformat(), rank=ring.rank)
    for part in ring.parts:
        graph.add_node(
            _node(part.kind, part.subject),
            kind=part.kind,
            label=_plain(part.subject),
            role=part.role,
            role_score=part.score,
            boxes=float(part.boxes),
            fund=float(part.fund),
        )
    for name in ring.kin:
        if _node("member", name) not in graph:
            graph.add_node(_node("member", name), kind="member", label=_plain(name), role="kin")
    for place in ring.places:
        graph.add_node(
            _node("institution", place.institution),
            kind="institution",
            label=_plain(place.name or place.institution),
            **{key: value for key, value in (("lat", place.lat), ("lon", place.lon)) if value},
        )
    for number, (src, dst, tie) in enumerate(_ends(ring, graph.nodes)):
        graph.add_edge(src, dst, key=f"e{number}", kind=tie.kind, weight=float(tie.weight))
    out = io.BytesIO()
    nx.write_graphml(graph, out, encoding="utf-8", prettyprint=True)
    return out.getvalue().decode("utf-8")


def members_csv(ring: Ring, words: Words) -> str:
    """Who takes part, one per line, with a byte-order mark so that Excel reads UTF-8."""
    heads = [
        *("ring_id", "subject_type", "subject_id", "role", "role_score", "organiser_rank"),
        *("reasons", "visits", "boxes", "fund", "expected_loss", "first_day", "last_day"),
    ]
    rows = [
        [
            *(ring.ring, part.kind, part.subject, part.role, f"{part.score:.4f}"),
            "" if part.organiser_rank is None else part.organiser_rank,
            "; ".join(words.role_reason(code) for code in part.reasons),
            *(part.visits, part.boxes, part.fund, part.expected_loss),
            *(day.isoformat() if day else "" for day in (part.first_day, part.last_day)),
        ]
        for part in (*ring.people, *ring.things)
    ]
    rows += [
        [ring.ring, "member", name, "kin", *[""] * (len(heads) - 4)]
        for name in ring.kin
        if name not in {part.subject for part in ring.people}
    ]
    return _sheet(heads, rows)


def links_csv(ring: Ring) -> str:
    """What joins its subjects, one per line."""
    rows = [[ring.ring, tie.kind, tie.src, tie.dst, f"{tie.weight:g}"] for tie in ring.ties]
    return _sheet(["ring_id", "kind", "src", "dst", "weight"], rows)


def follow_the_money(ring: Ring) -> str:
    """The ring as FollowTheMoney entities, one JSON object per line.

    Nobody gets a topic such as `crime`: these are indicators, not verdicts.
    """
    whole = _entity("Organization", "ring", ring.ring, name=[ring.ring], description=[_SAID])
    entities = [whole]
    others = [_subject("member", name) for name in ring.kin]
    others += [
        _subject("institution", place.institution, *([place.name] if place.name else []))
        for place in ring.places
    ]
    for part in ring.parts:
        entities.append(_subject(part.kind, part.subject))
        entities.append(_membership(ring, str(whole["id"]), part))
    known = {str(entity["id"]) for entity in entities}
    for each in others:
        if each["id"] not in known:
            entities.append(each)
            known.add(str(each["id"]))
    for src, dst, tie in _ends(ring, known, _id):
        entities.append(_joined(tie, src, dst))
    lines = [json.dumps(each, ensure_ascii=False, sort_keys=True) for each in entities]
    return "\n".join(lines) + "\n"


_SAID = (
    "indicators consistent with accounts that are used together; not a legal person, not a verdict"
)


def _ends(
    ring: Ring, known: Iterable[str], named: Callable[[str, str], str] | None = None
) -> list[tuple[str, str, Tie]]:
    """Ties with the names of their ends, where both are known."""
    name = named or _node
    there = {*known}
    kinds = {part.subject: part.kind for part in ring.things}
    found = []
    for tie in ring.ties:
        src_kind = kinds.get(tie.src, "member") if tie.kind == "carries" else "member"
        src = name(src_kind, tie.src)
        dst = name("institution" if tie.kind == "uses" else "member", tie.dst)
        if src in there and dst in there:
            found.append((src, dst, tie))
    return found


def _node(kind: str, subject: str) -> str:
    return _plain(f"{kind}:{subject}")


def _id(kind: str, subject: str) -> str:
    """An entity's id; FollowTheMoney allows letters, figures, dots and hyphens."""
    digest = hashlib.sha256(f"{kind}\0{subject}".encode()).hexdigest()[:32]
    return f"drugtrail-{kind}-{digest}"


def _subject(kind: str, subject: str, *names: str) -> dict[str, object]:
    properties: dict[str, list[str]] = {"name": list(names) or [subject]}
    if kind == "institution":
        properties["registrationNumber"] = [subject]
    elif kind == "phone":
        properties["notes"] = [
            "whoever holds this phone, which shows e-vouchers of several accounts"
        ]
    else:
        properties["idNumber"] = [subject]
    return _entity(_SCHEMATA[kind], kind, subject, **properties)


def _membership(ring: Ring, whole: str, part: Part) -> dict[str, object]:
    properties = {
        "organization": [whole],
        "member": [_id(part.kind, part.subject)],
        "role": [part.role],
        "summary": [f"role score {part.score:.2f}"],
    }
    for name, day in (("startDate", ring.first_day), ("endDate", ring.last_day)):
        if day and part.is_linked:
            properties[name] = [day.isoformat()]
    return _entity("Membership", "membership", f"{ring.ring}\0{part.subject}", **properties)


def _joined(tie: Tie, src: str, dst: str) -> dict[str, object]:
    """A relation of two subjects in FollowTheMoney's words."""
    key = f"{tie.kind}\0{src}\0{dst}"
    if tie.kind == "kin":
        return _entity(
            "Family", "kin", key, person=[src], relative=[dst], relationship=["household"]
        )
    if tie.kind == "carries":
        about = [f"visits: {tie.weight:.0f}"]
        return _entity(
            "Representation",
            "carries",
            key,
            agent=[src],
            client=[dst],
            role=["carries"],
            summary=about,
        )
    said = f"visits: {tie.weight:.0f}" if tie.kind == "uses" else f"probability: {tie.weight:.2f}"
    return _entity(
        "UnknownLink", tie.kind, key, subject=[src], object=[dst], role=[tie.kind], summary=[said]
    )


def _entity(schema: str, kind: str, key: str, **properties: Sequence[str]) -> dict[str, object]:
    return {
        "id": _id(kind, key),
        "schema": schema,
        "properties": {name: list(values) for name, values in properties.items()},
    }


def _plain(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _sheet(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return _BOM + out.getvalue()
