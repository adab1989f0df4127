"""Clues about gangs and the cases against them: who of them is found, and what can be proven."""

from dataclasses import dataclass

import numpy as np

from expectations.landing import codes
from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Floats, Ints, generator, pick
from jobs.province.arrays.shapes import Columns
from jobs.province.gangs.at_work import resale_wish
from jobs.province.gangs.founding import spread
from jobs.province.gangs.gangs import (
    HOSPITAL_STALL,
    LONE_COLLECTOR,
    ORGANISER,
    PHARMACY_ROLE,
    ROLES,
    TYPOLOGIES,
    Plan,
    Province,
)
from jobs.province.gangs.settings import GangSettings
from jobs.province.inquiry.cases import (
    NEVER,
    SANCTIONS,
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

_GANG_NUMBERS = 1 << 40
_MOST_CLUES = 64
#: where clues come from, by what the case is later said to have been opened for
_CHANNELS = {
    "tip": ("hotline", "online", "walk_in", "institution"),
    "model": ("model",),
    "audit": ("institution", "model"),
    "police": ("police", "hotline"),
    "other_agency": ("other_agency",),
}
_OWN_CHANNELS = ("hotline", "online", "walk_in", "institution", "police")
#: subjects that fare better than the rest of the case, and those who are cleared
_MILDER, _CLEARED = 0.15, 0.05


@dataclass(frozen=True)
class Losses(Columns):
    """What the fund lost by an account in a month, from the bills of a gang."""

    person: Ints
    month: Ints
    amount: Floats


@dataclass(frozen=True)
class _Subjects(Columns):
    kind: Texts
    id: Texts
    role: Ints
    #: the account's person, -1 for others
    account: Ints
    from_day: Ints
    to_day: Ints


def gang_inquiry(
    province: Province, settings: GangSettings, plan: Plan, gang: int, losses: Losses
) -> Inquiry:
    """The clues about a gang and the case against it, if one is ever opened.

    `losses` holds at least the months before the case was opened; later ones change nothing.
    """
    rng = generator(province.seed, "gang inquiry", gang)
    row = plan.gangs.take(np.array([gang]))
    opened = int(row.open_day[0])
    if opened < 0:
        return Inquiry(_idle_clues(rng, province, settings, plan, gang), no_cases())
    trigger = TRIGGERS[int(row.trigger[0])]
    open_time = in_office(rng, np.array([opened]))
    lead = np.rint(spread(rng, settings.cases.tip_delay_days, 1) * DAY).astype(np.int64)
    clue_time = np.maximum(open_time - lead, int(row.start_day[0]) * DAY + 7 * DAY)
    # Models and audits need nobody who tells them.
    has_clue = trigger in ("tip", "police", "other_agency") or rng.random() < 0.4
    clue_time = np.where(has_clue, np.minimum(clue_time, open_time - 3600), NEVER)
    clues = no_clues()
    if has_clue and clue_time[0] >= 0:
        further = min(int(rng.poisson(settings.cases.gang_clues)), _MOST_CLUES - 1)
        times = clue_time[0] + rng.integers(0, max(int(lead[0]), DAY), further)
        channels = _CHANNELS[trigger]
        clues = _clues(rng, province, settings, plan, gang, np.append(clue_time, times), channels)
    has_clue = has_clue and bool(clue_time[0] >= 0)
    clue_time = clue_time if has_clue else np.array([NEVER])
    cases = _case(rng, province, settings, plan, gang, open_time, clue_time, losses)
    return Inquiry(clues, cases)


def _case(
    rng: np.random.Generator,
    province: Province,
    settings: GangSettings,
    plan: Plan,
    gang: int,
    open_time: Ints,
    clue_time: Ints,
    losses: Losses,
) -> Cases:
    """The rows of a case: a decision on each who was found, with the loss that was proven."""
    opened = int(open_time[0]) // DAY
    subjects = _found(province, plan, gang)
    count = len(subjects)
    proven_share = spread(rng, settings.cases.proven, count)
    decision = decided(rng, settings.cases, open_time, 1)
    outcome = np.repeat(outcomes(rng, settings.cases.outcomes_gang, 1), count)
    chance = rng.random(count)
    outcome = np.where(
        (outcome == codes.CRIMINAL) & (chance < _MILDER), codes.ADMINISTRATIVE, outcome
    )
    sanctioned = np.isin(outcome, SANCTIONS)
    outcome = np.where(sanctioned & (chance > 1 - _CLEARED), codes.CLEARED, outcome)
    back = np.rint(rng.gamma(2.0, 110.0, count)).astype(np.int64)
    recovered = rng.beta(2.0, 2.0 / settings.cases.recovered - 2.0 + 1e-6, count)
    days = rng.integers(0, 12, count)
    # What was on record before the case was opened, within the time that is looked into.
    start = np.maximum(np.maximum(subjects.from_day, opened - back), 0)
    month = _month_of(province, opened)
    first_month = np.array([_month_of(province, int(day)) for day in start])
    recorded = _recorded(losses, subjects.account, first_month, month)
    guilty = np.isin(outcome, SANCTIONS)
    loss = np.where(guilty, np.round(recorded * proven_share, 2), 0.0)
    loss = np.where(guilty & (subjects.account < 0), np.nan, loss)
    alone = int(plan.gangs.typology[gang]) == LONE_COLLECTOR
    gang_id = hashed(np.array([gang]), province.seed, "gang")[0]
    words = np.array(ROLES)
    cases = Cases(
        case_id=np.repeat(hashed(np.array([_GANG_NUMBERS + gang]), province.seed, "case"), count),
        subject_type=subjects.kind,
        subject_id=subjects.id,
        role=np.where(guilty, words[subjects.role], codes.NO_ROLE),
        gang_id=np.where(guilty & (not alone), gang_id, ""),
        trigger=np.repeat(np.array(TRIGGERS)[plan.gangs.trigger[[gang]]], count),
        offence_start=np.where(guilty, start, NEVER),
        offence_end=np.where(guilty, np.minimum(subjects.to_day, opened), NEVER),
        clue_time=np.repeat(clue_time, count),
        open_time=np.repeat(open_time, count),
        decision_time=np.repeat(decision, count) + days * DAY,
        outcome=outcome,
        final=np.ones(count, np.int64),
        loss_amt=loss,
        recovered_amt=np.round(loss * recovered, 2),
        arrive_time=np.zeros(count, np.int64),
    )
    # An account without anything on record is no case: the card was found, and never used here.
    on_record = (subjects.account < 0) | (recorded > 0)
    return case_versions(rng, settings.cases, cases.take(on_record))


def _found(province: Province, plan: Plan, gang: int) -> _Subjects:
    """Accounts, members, institutions and doctors whom the inquiry finds."""
    seed, places = province.seed, province.places
    cards = plan.cards.take((plan.cards.gang == gang) & plan.cards.found)
    members = plan.members.take((plan.members.gang == gang) & plan.members.found)
    others = plan.colluders.take((plan.colluders.gang == gang) & plan.colluders.found)
    others = others.take(np.isin(others.role, (PHARMACY_ROLE, PHARMACY_ROLE + 1)))
    is_doctor = others.doctor >= 0
    code = np.char.decode(places.code[others.institution], "ascii")
    if len(places.doctor_code):
        doctor = np.char.decode(places.doctor_code[np.maximum(others.doctor, 0)], "ascii")
        code = np.where(is_doctor, doctor, code)
    people = len(cards) + len(members)
    return _Subjects(
        kind=np.concatenate(
            [np.full(people, "person"), np.where(is_doctor, "doctor", "institution")]
        ),
        id=np.concatenate(
            [hashed(np.concatenate([cards.person, members.person]), seed, "psn_no"), code]
        ),
        role=np.concatenate([cards.role, members.role, others.role]),
        account=np.concatenate([cards.person, np.full(len(members) + len(others), -1)]),
        from_day=np.concatenate([cards.from_day, members.from_day, others.from_day]),
        to_day=np.concatenate([cards.to_day, members.to_day, others.to_day]),
    )


def _recorded(losses: Losses, account: Ints, first_month: Ints, month: int) -> Floats:
    """What the fund lost by each account from its first month to that before a month."""
    mine = (losses.person[None, :] == account[:, None]) & (losses.month[None, :] < month)
    mine &= losses.month[None, :] >= first_month[:, None]
    found: Floats = mine @ losses.amount if len(losses) else np.zeros(len(account))
    return found


def _month_of(province: Province, day: int) -> int:
    """The month in which a day lies."""
    month = max(0, day // 31)
    while province.settings.month_days(month)[1] <= day:
        month += 1
    return month


def _idle_clues(
    rng: np.random.Generator, province: Province, settings: GangSettings, plan: Plan, gang: int
) -> Clues:
    """Tips about a gang against which nothing is ever opened."""
    row = plan.gangs.take(np.array([gang]))
    cards = plan.cards.take(plan.cards.gang == gang)
    first, last = max(0, int(row.start_day[0])), int(row.end_day[0])
    days = np.maximum(cards.to_day - np.maximum(cards.from_day, 0), 0).sum()
    count = int(rng.poisson(settings.cases.tips_without_case * float(days) / 365))
    if last <= first + 14 or not count:
        return no_clues()
    day = rng.integers(first + 14, last + 30, min(count, _MOST_CLUES))
    times = day * DAY + rng.integers(7 * 3600, 22 * 3600, len(day))
    return _clues(rng, province, settings, plan, gang, times, _OWN_CHANNELS)


def _clues(
    rng: np.random.Generator,
    province: Province,
    settings: GangSettings,
    plan: Plan,
    gang: int,
    times: Ints,
    channels: tuple[str, ...],
) -> Clues:
    """Clues received at given times: about an account, a member, a place, a phone, or nobody known."""
    chosen, count, seed = settings.cases, len(times), province.seed
    cards = plan.cards.take(plan.cards.gang == gang)
    members = plan.members.take(plan.members.gang == gang)
    places = plan.colluders.take((plan.colluders.gang == gang) & (plan.colluders.doctor < 0))
    at = times // DAY
    # Whoever is used a lot is seen a lot.
    active = (cards.from_day[None, :] <= at[:, None]) & (cards.to_day[None, :] > at[:, None])
    key = np.log(cards.visits)[None, :] + rng.gumbel(size=(count, len(cards))) + 20.0 * active
    card = np.argmax(key, axis=1)
    head = members.role == ORGANISER
    phone = members.phone[head][0] if head.any() else cards.phone[0]
    wrong = rng.random(count) < chosen.wrong_identifier
    person = cards.person[card]
    person = np.where(
        wrong, np.clip(person + rng.integers(-40, 41, count), 0, province.members - 1), person
    )
    about_place = (rng.random(count) < 0.35) & (len(places) > 0)
    about_phone = ~about_place & (rng.random(count) < 0.10)
    stall = int(plan.gangs.typology[gang]) == HOSPITAL_STALL
    unknown = rng.random(count) < (0.6 if stall else chosen.without_identifier)
    institution = (
        places.institution[rng.integers(0, max(len(places), 1), count)]
        if len(places)
        else np.zeros(count, np.int64)
    )
    codes = np.char.decode(province.places.code[institution], "ascii")
    subject = np.where(
        about_place,
        codes,
        np.where(
            about_phone, hashed(np.full(count, phone), seed, "tel"), hashed(person, seed, "psn_no")
        ),
    )
    kind = np.where(about_place, "institution", np.where(about_phone, "phone", "person"))
    typology = settings.typology(TYPOLOGIES[int(plan.gangs.typology[gang])])
    goods = pick(rng, resale_wish(settings.ladder, typology.goods), count)
    texts, drugs, spots = clue_texts(
        rng,
        goods,
        np.where(about_place, province.places.name[institution], ""),
        about_place | (stall & unknown),
        np.zeros(count, np.bool_),
        chosen.english,
    )
    numbers = (_GANG_NUMBERS + gang) * _MOST_CLUES + np.arange(count)
    clues = Clues(
        clue_id=hashed(numbers, seed, "clue"),
        channel=np.array(channels)[rng.integers(0, len(channels), count)],
        recv_time=times,
        subject_type=np.where(unknown, "unknown", kind),
        subject_id=np.where(unknown, "", subject),
        text=texts,
        drug_text=drugs,
        place_text=spots,
        verified=np.full(count, -1),
        arrive_time=times,
    )
    return clue_versions(rng, clues, np.where(wrong & ~unknown, 0, 1))
