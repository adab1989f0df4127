"""What became of rings from one day to the next: their ids, and births, merges, splits and ends."""

import hashlib
from collections.abc import Iterable, Mapping

#: Two groups may be one ring when so many of the members of the smaller are in both.
_SAME_SHARE = 0.5


def ring_names(
    now: Mapping[str, frozenset[str]], before: Mapping[str, frozenset[str]]
) -> tuple[dict[str, str], list[dict[str, object]]]:
    """Ids of today's rings, and what happened to each since the day before.

    A ring keeps the id of the one before with which it shares most members, if these are at least half of
    the smaller of both and no ring shares more with that one. Otherwise it is named
    by a hash of its smallest member; where that name is taken, a number is added.

    Args:
        now: members by group.
        before: members by ring id, of the day before.

    Returns:
        The id of each group; and rows of gold.ring_history without the day.
    """
    shared = sorted(
        (
            (-len(members & old), group, name)
            for group, members in now.items()
            for name, old in before.items()
            if len(members & old) >= _SAME_SHARE * min(len(members), len(old))
        ),
    )
    names: dict[str, str] = {}
    taken: set[str] = set()
    for _, group, name in shared:
        if group not in names and name not in taken:
            names[group] = name
            taken.add(name)
    used = {*before, *taken}
    for group in sorted(set(now) - set(names)):
        names[group] = _free(f"ring-{_hash(min(now[group]))}", used)
        used.add(names[group])
    return names, list(_events(now, before, names, shared))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _free(name: str, used: set[str]) -> str:
    if name not in used:
        return name
    number = 2
    while f"{name}-{number}" in used:
        number += 1
    return f"{name}-{number}"


def _events(
    now: Mapping[str, frozenset[str]],
    before: Mapping[str, frozenset[str]],
    names: Mapping[str, str],
    shared: Iterable[tuple[int, str, str]],
) -> Iterable[dict[str, object]]:
    into: dict[str, set[str]] = {}
    out_of: dict[str, set[str]] = {}
    for _, group, name in shared:
        into.setdefault(group, set()).add(name)
        out_of.setdefault(name, set()).add(names[group])
    for group, members in now.items():
        ring = names[group]
        old = before.get(ring, frozenset())
        others = into.get(group, set()) - {ring}
        event = "merged" if others and old else "continued" if old else "born"
        if not old and others:
            event = "split"
        yield {
            "ring_id": ring,
            "event": event,
            "accounts": len(members),
            "joined": len(members - old),
            "departed": len(old - members),
            "other_ring_ids": sorted(others),
        }
    for name in set(before) - set(names.values()):
        yield {
            "ring_id": name,
            "event": "ended",
            "accounts": 0,
            "joined": 0,
            "departed": len(before[name]),
            "other_ring_ids": sorted(out_of.get(name, set())),
        }
