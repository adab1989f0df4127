"""Clues and closed cases: late, few and biased towards what stands out."""

from dataclasses import dataclass

import numpy as np

from expectations.landing import codes
from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags, Floats, Ints, generator, pick
from jobs.province.arrays.shapes import Columns
from jobs.province.gangs.founding import spread
from jobs.province.gangs.gangs import Plan, Province
from jobs.province.gangs.settings import GangSettings
from jobs.province.inquiry.cases import (
    NEVER,
    RANDOM_AUDIT,
    TRIGGERS,
    Cases,
    Clues,
    Inquiry,
    Texts,
    case_versions,
    clue_versions,
    decided,
    hashed,
    in_office,
    no_cases,
    no_clues,
    outcomes,
)
from jobs.province.inquiry.clue_texts import clue_texts
from jobs.province.inquiry.gang_cases import Losses, gang_inquiry
from jobs.province.settings import CELL_PEOPLE

__all__ = [
    "NEVER",
    "TRIGGERS",
    "Cases",
    "Clues",
    "Inquiry",
    "Losses",
    "MonthTotals",
    "gang_inquiry",
    "honest_inquiry",
]

#: Numbers of cases and clues of one neighbourhood in one month.
_MOST = 256
_CHANNELS = ("hotline", "online", "walk_in", "institution")
#: audits that are about an institution
_INSTITUTIONS = 0.2
#: what a random audit finds of an account in use, and what of it can be proven
_FOUND_BY_CHANCE = 0.6
_PROVEN_OF_MONTH = 0.25
_LOOKED_BACK_DAYS = (90, 360)


@dataclass(frozen=True)
class MonthTotals(Columns):
    """What the neighbours see of a person in a month; one row per person with a visit."""

    person: Ints
    visits: Ints
    institutions: Ints
    #: boxes of drugs, and yuan
    boxes: Floats
    drug_amount: Floats
    #: visits for other people as their proxy
    errands: Ints
    #: the institution seen most
    institution: Ints


@dataclass(frozen=True)
class _Suspicions(Columns):
    """One row per person or institution that is looked at without belonging to a known gang."""

    #: row of the totals
    row: Ints
    is_place: Flags
    #: index into `TRIGGERS`
    trigger: Ints
    #: whether a clue is on record, and whether a case is opened
    has_clue: Flags
    has_case: Flags
    malicious: Flags


def honest_inquiry(
    province: Province,
    settings: GangSettings,
    plan: Plan,
    cell: int,
    month: int,
    totals: MonthTotals,
) -> Inquiry:
    """Wrong and malicious tips, audits and random audits that strike the people of a neighbourhood.

    People of gangs are left to `gang_inquiry`, apart from random audits, which strike anyone.
    """
    rng = generator(province.seed, "honest inquiry", cell, month)
    first, after = province.settings.month_days(month)
    guilty = _in_gangs(plan, totals.person, after)
    size = min(CELL_PEOPLE, province.members - cell * CELL_PEOPLE)
    looked_at = _suspicions(rng, settings, totals, guilty, size)
    if not len(looked_at):
        return Inquiry(no_clues(), no_cases())
    looked_at = looked_at.take(np.arange(min(len(looked_at), _MOST)))
    count = len(looked_at)
    number = (cell * 4096 + month) * _MOST + np.arange(count)
    seen = in_office(rng, rng.integers(first, after, count))
    delay = np.rint(spread(rng, settings.cases.tip_delay_days, count) * DAY).astype(np.int64)
    clue_time = np.where(looked_at.has_clue, seen, NEVER)
    opened = in_office(rng, (seen + np.where(looked_at.has_clue, delay, 0)) // DAY)
    opened = np.maximum(opened, seen + 3600)
    seed = province.seed
    person, place = totals.person[looked_at.row], totals.institution[looked_at.row]
    subject = np.where(
        looked_at.is_place,
        np.char.decode(province.places.code[place], "ascii"),
        hashed(person, seed, "psn_no"),
    )
    clues = _clues(rng, province, settings, looked_at, totals, number, seen, subject)
    hit = guilty[looked_at.row] & ~looked_at.is_place & (rng.random(count) < _FOUND_BY_CHANCE)
    outcome = outcomes(rng, settings.cases.outcomes_honest, count)
    outcome = np.where(hit, codes.ADMINISTRATIVE, outcome)
    loss = np.round(totals.drug_amount[looked_at.row] * _PROVEN_OF_MONTH, 2)
    back = rng.integers(*_LOOKED_BACK_DAYS, count)
    back_to = np.round(rng.beta(2.0, 1.5, count) * loss, 2)
    cases = Cases(
        case_id=hashed(number, seed, "case"),
        subject_type=np.where(looked_at.is_place, "institution", "person"),
        subject_id=subject,
        role=np.where(hit, codes.CARD_HOLDER, codes.NO_ROLE),
        gang_id=np.full(count, ""),
        trigger=np.array(TRIGGERS)[looked_at.trigger],
        offence_start=np.where(hit, np.maximum(seen // DAY - back, 0), NEVER),
        offence_end=np.where(hit, seen // DAY, NEVER),
        clue_time=clue_time,
        open_time=opened,
        decision_time=decided(rng, settings.cases, opened, count),
        outcome=outcome,
        final=np.ones(count, np.int64),
        loss_amt=np.where(hit, loss, 0.0),
        recovered_amt=np.where(hit, back_to, 0.0),
        arrive_time=np.zeros(count, np.int64),
    )
    versions = case_versions(rng, settings.cases, cases.take(looked_at.has_case))
    return Inquiry(clues, versions)


def conspicuousness(totals: MonthTotals) -> Floats:
    """How much people stand out: visits, places, boxes and errands for others."""
    seen: Floats = (
        (totals.visits / 4.0) ** 1.5
        + (totals.institutions - 1.0)
        + totals.boxes / 15.0
        + totals.errands / 3.0
        + totals.drug_amount / 3000.0
    )
    return seen


def _suspicions(
    rng: np.random.Generator,
    settings: GangSettings,
    totals: MonthTotals,
    guilty: Flags,
    size: int,
) -> _Suspicions:
    """Who is looked at in a month: tips and audits by what is seen, malice and chance by nothing."""
    chosen = settings.cases
    if not len(totals):
        none, never = np.empty(0, np.int64), np.empty(0, np.bool_)
        return _Suspicions(none, never, none, never, never, never)
    by_sight = conspicuousness(totals) * ~guilty
    anyone = np.where(guilty, 0.0, 1.0)
    everyone = np.ones(len(totals))

    def drawn(rate: float, weights: Floats) -> Ints:
        count = int(rng.poisson(rate * size / 12))
        return pick(rng, weights, count) if weights.sum() > 0 else np.empty(0, np.int64)

    tips, malice = drawn(chosen.honest_tips, by_sight), drawn(chosen.malicious_tips, anyone)
    audits, chance = drawn(chosen.audits, by_sight), drawn(chosen.random_audits, everyone)
    opened = rng.random(len(tips) + len(malice)) < chosen.honest_tip_case
    rows = np.concatenate([tips, malice, audits, chance])
    by_tip = np.arange(len(rows)) < len(opened)
    by_chance = np.arange(len(rows)) >= len(opened) + len(audits)
    # Audits have other reasons: a model's alert, another agency's request.
    reasons = np.array(
        [TRIGGERS.index(word) for word in ("audit", "audit", "model", "other_agency")]
    )
    reason = reasons[rng.integers(0, len(reasons), len(rows))]
    trigger = np.where(by_tip, TRIGGERS.index("tip"), np.where(by_chance, RANDOM_AUDIT, reason))
    return _Suspicions(
        row=rows,
        is_place=~by_tip & ~by_chance & (rng.random(len(rows)) < _INSTITUTIONS),
        trigger=trigger,
        has_clue=by_tip | (trigger == TRIGGERS.index("other_agency")),
        has_case=~by_tip | np.concatenate([opened, np.zeros(len(rows) - len(opened), np.bool_)]),
        malicious=(np.arange(len(rows)) >= len(tips)) & by_tip,
    )


def _in_gangs(plan: Plan, person: Ints, day: int) -> Flags:
    """Whose account is or was in a gang's use by a day, or who belongs to one."""
    used = plan.cards.person[plan.cards.from_day < day]
    belong = plan.members.person[plan.members.from_day < day]
    found: Flags = np.isin(person, used) | np.isin(person, belong)
    return found


def _clues(
    rng: np.random.Generator,
    province: Province,
    settings: GangSettings,
    looked_at: _Suspicions,
    totals: MonthTotals,
    number: Ints,
    seen: Ints,
    subject: Texts,
) -> Clues:
    """The tips as received, and requests of other agencies; wrong, or nobody could be named."""
    rows = np.flatnonzero(looked_at.has_clue)
    count = len(rows)
    is_tip = looked_at.trigger[rows] == TRIGGERS.index("tip")
    unknown = is_tip & ~looked_at.has_case[rows]
    unknown &= rng.random(count) < settings.cases.without_identifier
    place = totals.institution[looked_at.row[rows]]
    texts, drugs, spots = clue_texts(
        rng,
        np.full(count, -1),
        np.where(place >= 0, province.places.name[place], ""),
        looked_at.is_place[rows],
        looked_at.malicious[rows],
        settings.cases.english,
    )
    channel = np.array(_CHANNELS)[rng.integers(0, len(_CHANNELS), count)]
    kind = np.where(looked_at.is_place[rows], "institution", "person")
    clues = Clues(
        clue_id=hashed(number[rows], province.seed, "clue"),
        channel=np.where(is_tip, channel, "other_agency"),
        recv_time=seen[rows],
        subject_type=np.where(unknown, "unknown", kind),
        subject_id=np.where(unknown, "", subject[rows]),
        text=texts,
        drug_text=drugs,
        place_text=spots,
        verified=np.full(count, -1),
        arrive_time=seen[rows],
    )
    return clue_versions(rng, clues, np.zeros(count, np.int64))
