"""How good the roles in rings are, and how soon gangs are found, judged against the truth."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import polars as pl

from models.detection import Figure
from models.ring_truth import RingTruth, parts_of

_FIRST_PEOPLE = 3
#: What is said of somebody in no gang, or of a ring's doctor or institution that is in no truth.
_NONE, _ABSENT = "none", "absent"

#: The true role of somebody, and the role that the ring says.
_Pair = tuple[str, str]


def role_figures(
    members: pl.DataFrame, parties: pl.DataFrame, hits: Mapping[str, str], truth: RingTruth
) -> list[Figure]:
    """Roles and organisers in the rings that hit a gang, all and by typology and skill.

    `role_precision` and `role_recall` are by role, of doctors and institutions too; `role_macro_f1` is
    the mean over the true roles of people. An organiser who is in no ring is not asked for.

    Args:
        members: `ring_id`, `member_id`, `role`, `organiser_rank`: people in rings.
        parties: `ring_id`, `subject_type`, `subject_id`, `role`: doctors and institutions.
        hits: the ring that hits each gang.
        truth: the gangs.
    """
    people = {gang: _people(members, hits[gang], gang, truth) for gang in sorted(hits)}
    others = {gang: _parties(parties, hits[gang], gang, truth) for gang in sorted(hits)}
    heads = {gang: _has_head(members, hits[gang], gang, truth) for gang in sorted(hits)}
    found = []
    for ending, part, gangs in [("", "", sorted(hits)), *parts_of(hits, truth)]:
        pairs = [pair for gang in gangs for pair in people[gang]]
        seen = [is_first for gang in gangs if (is_first := heads[gang]) is not None]
        found += [
            Figure(f"organiser_in_first_3{ending}", part, _mean(seen), len(seen)),
            Figure(f"role_macro_f1{ending}", part, _macro_f1(pairs), len(pairs)),
        ]
    every = [pair for gang in people for pair in (*people[gang], *others[gang])]
    for role in sorted({name for pair in every for name in pair} - {_NONE, _ABSENT}):
        right = sum(pair == (role, role) for pair in every)
        said = sum(pair[1] == role for pair in every)
        true = sum(pair[0] == role for pair in every)
        found += [
            Figure("role_precision", role, right / said if said else None, said),
            Figure("role_recall", role, right / true if true else None, true),
        ]
    return found


def discovery_figures(
    hits_of_days: Mapping[date, Iterable[str]], truth: RingTruth, first_visit: date
) -> list[Figure]:
    """Days from the start of a gang to the first day on which a ring hit it: medians over the gangs found.

    A gang that is older than the claims starts with the claims. Only days with rings are known, so that a
    province with rings of one day gives an upper bound.

    Args:
        hits_of_days: gangs that are hit, by day.
        truth: the gangs.
        first_visit: the first day of the claims.
    """
    found_on: dict[str, date] = {}
    for day in sorted(hits_of_days):
        for gang in hits_of_days[day]:
            found_on.setdefault(gang, day)
    starts = dict(truth.gangs.select("gang_id", "active_from").drop_nulls().iter_rows())
    waited = {
        gang: max(0, (day - max(starts[gang], first_visit)).days)
        for gang, day in found_on.items()
        if gang in starts
    }
    figures = []
    for ending, part, gangs in [("", "", sorted(waited)), *parts_of(waited, truth)]:
        days = [waited[gang] for gang in gangs]
        median = float(statistics.median(days)) if days else None
        figures.append(Figure(f"days_to_discovery{ending}", part, median, len(days)))
    return figures


def _people(members: pl.DataFrame, ring: str, gang: str, truth: RingTruth) -> list[_Pair]:
    rows = members.filter(pl.col("ring_id") == ring)
    said = dict(rows.select("member_id", "role").iter_rows())
    roles = dict(truth.people.select("member_id", "role").iter_rows())
    everybody = truth.people.filter(pl.col("gang_id") == gang)["member_id"].unique().sort()
    pairs = [(roles[each], said.get(each, _ABSENT)) for each in everybody]
    known = {*everybody}
    return pairs + [(_NONE, role) for each, role in said.items() if each not in known]


def _parties(parties: pl.DataFrame, ring: str, gang: str, truth: RingTruth) -> list[_Pair]:
    """Pairs of doctors and institutions; who sells boxes again is in no truth and is left out."""
    key = ("subject_type", "subject_id")
    true = {
        row[:2]: row[2]
        for row in truth.parties.filter(pl.col("gang_id") == gang).select(*key, "role").iter_rows()
    }
    judged = {*truth.parties["role"]}
    said = {
        row[:2]: row[2]
        for row in parties.filter(pl.col("ring_id") == ring).select(*key, "role").iter_rows()
        if row[2] in judged
    }
    return [(true.get(at, _NONE), said.get(at, _ABSENT)) for at in sorted({*true, *said})]


def _has_head(members: pl.DataFrame, ring: str, gang: str, truth: RingTruth) -> bool | None:
    """Whether a gang's organiser is among the first of its ring; None if in no ring."""
    organisers = dict(truth.gangs.select("gang_id", "organiser_id").iter_rows())
    rows = members.filter(pl.col("ring_id") == ring)
    order = rows.sort("organiser_rank", "member_id", nulls_last=True)["member_id"].to_list()
    head = organisers.get(gang)
    return head in order[:_FIRST_PEOPLE] if head in order else None


def _macro_f1(pairs: Sequence[_Pair]) -> float | None:
    """Mean over the true roles of F1; None where there are no pairs."""
    scores = []
    for role in sorted({true for true, _ in pairs} - {_NONE}):
        both = sum(pair == (role, role) for pair in pairs)
        wrong = sum((true == role) != (said == role) for true, said in pairs)
        scores.append(2 * both / (2 * both + wrong))
    return _mean(scores)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
