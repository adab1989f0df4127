"""Draws the plan of all gangs: founding, then whom each of them finds in its neighbourhood and beyond."""

from dataclasses import dataclass, replace

import numpy as np

from expectations.contract.errors import ConfigError
from jobs.province.arrays.draws import Floats, Ints, generator, pick
from jobs.province.arrays.shapes import stacked
from jobs.province.boxes.trace_codes import MOST_GANGS
from jobs.province.care.catalogue import special_diseases
from jobs.province.gangs.dealings import shared_dealers, taken_over
from jobs.province.gangs.founding import GangSketches, SlotSketches, sketches, spread
from jobs.province.gangs.gangs import (
    CARD_HOLDER,
    COLLECTOR,
    DEALER,
    DISPENSER,
    LONE_COLLECTOR,
    ORGANISER,
    SELLER,
    TYPOLOGIES,
    VICTIM,
    Cards,
    Colluders,
    Customers,
    Gangs,
    Members,
    Plan,
    Province,
)
from jobs.province.gangs.recruits import Wanted, recruited
from jobs.province.gangs.settings import GangSettings, Spread, Typology
from jobs.province.gangs.venues import certifier, colluders, venues
from jobs.province.settings import CELL_PEOPLE

#: uraemia first [pe]; the others are those whose drugs sell
_CERTIFICATE_WEIGHTS = {"M07800": 4.0, "M00500": 2.0, "M08300": 1.5, "M01600": 1.5, "M04600": 1.0}
_OTHER_CERTIFICATE = 0.15
#: cards taken from elsewhere come from the same district so often, the others from anywhere
_SAME_DISTRICT = 0.6
#: months from one use of a card to the next: from, and below
_CYCLE_MONTHS = (4, 9)
#: cards of a set that is used in the same months
_SET_CARDS = 5


@dataclass(frozen=True)
class _Draft:
    """What one gang looks for; people are found for all gangs together."""

    cell: int
    #: organiser, crew, then accounts
    wanted: Wanted
    #: still without what is known of the holders
    cards: Cards
    colluders: Colluders


def plan(province: Province, settings: GangSettings, share: float, months: int) -> Plan:
    """The gangs founded before the end of the last month; fewer months give the first of them.

    Args:
        province: people, places and calendar.
        settings: the gangs' parameters.
        share: insured people whose account is used in fraud within twelve months, over all.
        months: how many months of the province are wanted.

    Raises:
        ConfigError: when there are more gangs than codes of boxes can tell apart.
    """
    end_day = province.settings.month_days(months - 1)[1]
    accounts = share * province.members / (1 - settings.founding.unused)
    gangs, slots = sketches(province.seed, settings, accounts, end_day)
    if len(gangs) > MOST_GANGS:
        raise ConfigError(
            f"{province.members:,} members with fraud_share {share:g} have {len(gangs):,} gangs, and the codes of"
            f" boxes are enough for {MOST_GANGS:,}: give a smaller --fraud-share, fewer --members or fewer --months"
        )
    edges = np.searchsorted(slots.gang, np.arange(len(gangs) + 1))
    drafts = [
        _draft(province, settings, gangs, slots.take(np.arange(*edges[gang : gang + 2])), gang)
        for gang in range(len(gangs))
    ]
    if not drafts:
        return no_plan()
    wanted = stacked([draft.wanted for draft in drafts])
    found, customers = recruited(province, wanted)
    is_card = (wanted.role == CARD_HOLDER) | (wanted.role == VICTIM)
    holders, crew, members = found.take(is_card), found.take(~is_card), wanted.take(~is_card)
    cards = stacked([draft.cards for draft in drafts])
    cards = replace(
        cards,
        person=holders.person,
        to_day=np.clip(holders.until, cards.from_day, cards.to_day),
        certificate=np.where(holders.certificate >= 0, -1, cards.certificate),
        phone=holders.phone,
        conditions=holders.conditions,
        own_certificate=holders.certificate,
        own_certificate_day=holders.certificate_day,
        own_drugs=holders.own_drugs,
        home=holders.home,
    )
    cards = taken_over(province.seed, settings.dealings, cards, holders.until)
    # Who works alone is his own organiser.
    organiser = cards.person[np.searchsorted(cards.gang, np.arange(len(gangs)))]
    heads = members.role == ORGANISER
    organiser[members.gang[heads]] = crew.person[heads]
    home = np.array([draft.cell for draft in drafts])
    opened = np.where(gangs.open_after >= 0, gangs.start_day + gangs.open_after, -1)
    gang_end = gangs.start_day + gangs.life
    return Plan(
        gangs=Gangs(
            typology=gangs.typology,
            skill=gangs.skill,
            start_day=gangs.start_day,
            end_day=gang_end,
            cell=home,
            district=province.places.cell_district[home],
            organiser=organiser,
            # A case opened before the first day is over: nothing of it is landed.
            open_day=np.maximum(opened, -1),
            trigger=np.where(opened >= 0, gangs.trigger, -1),
            after_case=gangs.after_case,
        ),
        cards=cards,
        members=shared_dealers(
            province.seed,
            settings.dealings,
            gangs.start_day,
            gang_end,
            Members(
                gang=members.gang,
                person=crew.person,
                role=members.role,
                from_day=members.from_day,
                to_day=members.to_day,
                found=members.found,
                phone=crew.phone,
                address=crew.address,
            ),
        ),
        colluders=stacked([draft.colluders for draft in drafts]),
        customers=customers,
    )


def no_plan() -> Plan:
    """A province without fraud."""
    ints, floats, flags = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
    return Plan(
        Gangs(ints, floats, ints, ints, ints, ints, ints, ints, ints, floats),
        Cards(
            gang=ints,
            person=ints,
            from_day=ints,
            to_day=ints,
            role=ints,
            visits=floats,
            amount=floats,
            handed_over=flags,
            certificate=ints,
            certificate_day=ints,
            certifier=ints,
            certifying_doctor=ints,
            treated=flags,
            found=flags,
            phone=ints,
            conditions=ints,
            own_certificate=ints,
            own_certificate_day=ints,
            own_drugs=ints,
            home=ints,
            cycle=ints,
            rest=ints,
            turn=ints,
        ),
        Members(ints, ints, ints, ints, ints, flags, ints, ints),
        Colluders(ints, ints, ints, ints, ints, ints, flags),
        Customers(ints, ints, ints, ints, ints),
    )


def _draft(
    province: Province, settings: GangSettings, gangs: GangSketches, slots: SlotSketches, gang: int
) -> _Draft:
    number = int(gangs.typology[gang])
    typology = settings.typology(TYPOLOGIES[number])
    rng = generator(province.seed, "draft", number, int(gangs.serial[gang]))
    # A person is drawn, so that a small neighbourhood has no more gangs for its people than a large one.
    cell = int(rng.integers(province.members)) // CELL_PEOPLE
    start, life = int(gangs.start_day[gang]), int(gangs.life[gang])
    has_case = start + int(gangs.open_after[gang]) >= 0 and gangs.open_after[gang] >= 0
    roles = _crew(rng, typology, number, int(gangs.size[gang]))
    count = len(slots)
    victim = rng.random(count) < typology.holders.victims
    role = np.where(victim, VICTIM, CARD_HOLDER)
    crew_found = rng.random(len(roles)) < settings.after_case.member_found
    near = np.concatenate([rng.random(len(roles)) < 0.6, rng.random(count) < typology.holders.near])
    near[: 1 if len(roles) else 0] = True
    from_day, to_day = start + slots.from_after, start + slots.to_after
    total = len(roles) + count
    wanted = Wanted(
        gang=np.full(total, gang),
        cell=np.where(near, cell, _other_cells(rng, province, cell, total)),
        role=np.concatenate([roles, role]),
        from_day=np.concatenate([np.full(len(roles), start), from_day]),
        to_day=np.concatenate([np.full(len(roles), start + life), to_day]),
        kin=(rng.random(total) < typology.holders.kin) & near & (number != LONE_COLLECTOR),
        min_age=np.full(total, typology.holders.min_age),
        certified=np.full(total, typology.holders.certified),
        found=np.concatenate([crew_found, slots.found]) & has_case,
    )
    issuer, issuing_doctor = certifier(rng, province.places, cell)
    arranged = (rng.random(count) < typology.holders.arranged) & ~victim
    relied = venues(
        rng, province.places, number, cell, int(gangs.size[gang]), (issuer, issuing_doctor)
    )
    unknown = np.full(count, -1)
    skill = float(gangs.skill[gang])
    habits, care = typology.habits, settings.skill
    handed_over = typology.holders.handed_over * care.handed_over.at(skill)
    # Cards are used and rested in sets.
    sets = max(1, round(int(gangs.size[gang]) / _SET_CARDS))
    cycle, turn = int(rng.integers(*_CYCLE_MONTHS)), rng.integers(0, _CYCLE_MONTHS[1], sets)
    of_set = rng.integers(0, sets, count)
    rest = np.floor(cycle * care.rested.at(skill) + rng.random(count)).astype(np.int64)
    cards = Cards(
        gang=np.full(count, gang),
        person=unknown,
        from_day=from_day,
        to_day=to_day,
        role=role,
        visits=_even(rng, habits.visits, care.visits_spread.at(skill), count),
        amount=_even(rng, habits.amount, care.visits_spread.at(skill), count),
        handed_over=rng.random(count) < handed_over,
        certificate=np.where(arranged, _certificates(rng, count), -1),
        certificate_day=from_day + rng.integers(-15, 40, count),
        certifier=np.full(count, issuer),
        certifying_doctor=np.full(count, issuing_doctor),
        treated=rng.random(count) < habits.treatment * (1 - skill),
        found=slots.found & has_case,
        phone=unknown,
        conditions=unknown,
        own_certificate=unknown,
        own_certificate_day=unknown,
        own_drugs=unknown,
        home=unknown,
        cycle=np.full(count, cycle),
        rest=np.minimum(rest, cycle - 1),
        turn=turn[of_set],
    )
    chance = np.where(has_case, rng.random(len(relied)), 1.0)
    return _Draft(cell, wanted, cards, colluders(gang, relied, start, start + life, chance))


def _even(rng: np.random.Generator, of: Spread, left: float, size: int) -> Floats:
    """Numbers around the median, of whose spread a share is left."""
    even: Floats = of.median * (spread(rng, of, size) / of.median) ** left
    return even


def _crew(rng: np.random.Generator, typology: Typology, number: int, size: int) -> Ints:
    """Roles of those without an account in use, the organiser first; larger gangs have more of them."""
    if number == LONE_COLLECTOR:
        return np.empty(0, np.int64)
    scale = np.sqrt(size / typology.cards.median)
    crew = typology.crew
    mean = np.array([crew.collectors, crew.dispensers, crew.dealers, crew.sellers]) * scale
    count = np.floor(mean + rng.random(4)).astype(np.int64)
    return np.append(ORGANISER, np.repeat([COLLECTOR, DISPENSER, DEALER, SELLER], count))


def _other_cells(rng: np.random.Generator, province: Province, cell: int, count: int) -> Ints:
    """Neighbourhoods of the same district, some from anywhere, by their people."""
    district = province.places.cell_district
    people = np.minimum(CELL_PEOPLE, province.members - CELL_PEOPLE * np.arange(len(district)))
    same = pick(rng, people * (district == district[cell]), count)
    anywhere = pick(rng, people, count)
    chosen: Ints = np.where(rng.random(count) < _SAME_DISTRICT, same, anywhere)
    return chosen


def _certificates(rng: np.random.Generator, count: int) -> Ints:
    weights: Floats = np.array(
        [
            _CERTIFICATE_WEIGHTS.get(disease.code, _OTHER_CERTIFICATE)
            for disease in special_diseases()
        ]
    )
    return pick(rng, weights, count)
