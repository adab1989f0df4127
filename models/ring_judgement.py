"""How good rings are, judged against the truth of a simulated province."""

from collections.abc import Mapping, Sequence

import polars as pl

from models.detection import Figure
from models.ring_role_judgement import role_figures
from models.ring_truth import RingTruth, parts_of

#: A ring hits a gang with at least half of its cards and half of the ring's members true.
_HALF = 0.5
#: Gangs of so many cards, active for so many days, can be asked for.
MIN_CARDS, MIN_DAYS = 4, 60
_FIRST = 20


def ring_figures(members: pl.DataFrame, parties: pl.DataFrame, truth: RingTruth) -> list[Figure]:
    """Every measure of the rings of a day.

    Args:
        members: `ring_id`, `ring_rank`, `member_id`, `role`, `organiser_rank`: people in rings.
        parties: `ring_id`, `subject_type`, `subject_id`, `role`: doctors and institutions.
        truth: the gangs.
    """
    rings = _sets(members, "ring_id")
    order = members.select("ring_id", "ring_rank").unique().sort("ring_rank", "ring_id")["ring_id"]
    everybody = _sets(truth.people, "gang_id")
    cards = _cards(everybody, truth)
    hits = _hits(rings, everybody, cards)
    days = dict(truth.gangs.select("gang_id", "days").iter_rows())
    asked = sorted(
        gang
        for gang in cards
        if len(cards[gang]) >= MIN_CARDS and (days.get(gang) or 0) >= MIN_DAYS
    )
    found = [
        Figure("ring_recall", "", _share(sum(g in hits for g in asked), len(asked)), len(asked))
    ]
    for ending, part, gangs in parts_of(asked, truth):
        right = sum(gang in hits for gang in gangs)
        found.append(Figure(f"ring_recall{ending}", part, _share(right, len(gangs)), len(gangs)))
    purity = {ring: _purity(people, everybody) for ring, people in rings.items()}
    hit_purity = [purity[ring] for ring in hits.values()]
    first = list(order)[:_FIRST]
    merged = [ring for ring, people in rings.items() if _is_merged(people, everybody)]
    found += [
        Figure("purity_of_hits", "", _mean(hit_purity), len(hit_purity)),
        Figure("purity", "", _mean(list(purity.values())), len(rings)),
        Figure("mostly_one_gang", "", _mean([p >= _HALF for p in purity.values()]), len(rings)),
        Figure(
            "mostly_one_gang_of_first_20",
            "",
            _mean([purity[r] >= _HALF for r in first]),
            len(first),
        ),
        Figure("over_merged", "", _share(len(merged), len(rings)), len(rings)),
        *_benign(rings, everybody, truth.benign),
        *_b_cubed(rings, everybody),
        *role_figures(members, parties, hits, truth),
    ]
    return found


def gangs_hit(members: pl.DataFrame, truth: RingTruth) -> dict[str, str]:
    """The ring that hits each gang that is hit.

    Args:
        members: `ring_id`, `member_id`: people in rings of a day.
        truth: the gangs.
    """
    everybody = _sets(truth.people, "gang_id")
    return _hits(_sets(members, "ring_id"), everybody, _cards(everybody, truth))


def _cards(everybody: Mapping[str, frozenset[str]], truth: RingTruth) -> dict[str, frozenset[str]]:
    """The cards of each gang that were used in fraud."""
    return {
        gang: people & truth.cards for gang, people in everybody.items() if people & truth.cards
    }


def _sets(rows: pl.DataFrame, key: str) -> dict[str, frozenset[str]]:
    grouped = rows.sort(key).group_by(key, maintain_order=True).agg("member_id")
    return {name: frozenset(people) for name, people in grouped.iter_rows()}


def _hits(
    rings: Mapping[str, frozenset[str]],
    everybody: Mapping[str, frozenset[str]],
    cards: Mapping[str, frozenset[str]],
) -> dict[str, str]:
    """The ring that hits each gang; of several the one whose smaller share is larger, then the smaller id."""
    hits = {}
    for gang, held in cards.items():
        best: tuple[float, str] | None = None
        for ring in sorted(rings):
            recall = len(held & rings[ring]) / len(held)
            purity = len(rings[ring] & everybody[gang]) / len(rings[ring])
            share = min(recall, purity)
            if share >= _HALF and (best is None or share > best[0]):
                best = (share, ring)
        if best:
            hits[gang] = best[1]
    return hits


def _purity(people: frozenset[str], everybody: Mapping[str, frozenset[str]]) -> float:
    return max((len(people & gang) for gang in everybody.values()), default=0) / len(people)


def _is_merged(people: frozenset[str], everybody: Mapping[str, frozenset[str]]) -> bool:
    """Whether two or more gangs have two or more people each in a ring."""
    return sum(len(people & gang) >= 2 for gang in everybody.values()) >= 2


def _benign(
    rings: Mapping[str, frozenset[str]],
    everybody: Mapping[str, frozenset[str]],
    benign: pl.DataFrame,
) -> list[Figure]:
    """Rings of which less than half are of any gang, by the honest group that most of them belong to."""
    guilty = frozenset().union(*everybody.values()) if everybody else frozenset()
    kinds = dict(benign.select("member_id", "benign_type").iter_rows())
    honest = [people for people in rings.values() if len(people & guilty) < _HALF * len(people)]
    found = [Figure("benign_rings", "", _share(len(honest), len(rings)), len(rings))]
    most: dict[str, int] = {}
    for people in honest:
        counts: dict[str, int] = {}
        for each in people:
            kind = kinds.get(each) or "ordinary"
            counts[kind] = counts.get(kind, 0) + 1
        kind = min(counts, key=lambda name: (-counts[name], name))
        most[kind] = most.get(kind, 0) + 1
    found += [
        Figure("benign_rings_by_group", kind, _share(n, len(rings)), n)
        for kind, n in sorted(most.items())
    ]
    return found


def _b_cubed(
    rings: Mapping[str, frozenset[str]], everybody: Mapping[str, frozenset[str]]
) -> list[Figure]:
    """B-cubed over people in rings (precision) and people of gangs (recall), one cluster each.

    Somebody in a ring but in no gang is right about nobody else; somebody of a gang in no ring finds
    nobody else (Bagga and Baldwin, 1998).
    """
    ring_of = {each: people for ring, people in sorted(rings.items()) for each in people}
    gang_of = {each: people for gang, people in sorted(everybody.items()) for each in people}
    precision, recall = [], []
    for each in sorted({*ring_of, *gang_of}):
        ring, gang = ring_of.get(each), gang_of.get(each)
        both = len(ring & gang) if ring and gang else 1
        if ring:
            precision.append(both / len(ring))
        if gang:
            recall.append(both / len(gang))
    return [
        Figure("b_cubed_precision", "", _mean(precision), len(precision)),
        Figure("b_cubed_recall", "", _mean(recall), len(recall)),
    ]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
