"""Refill visits of those who take drugs all the time.

The days follow from interval, phase and number of the visit alone, so that a month needs no other one.
"""

from dataclasses import dataclass

import numpy as np

from jobs.province.arrays.days import (
    DAY,
    MARKET_DAYS,
    before_travel,
    ends_year,
    is_holiday,
    weekdays,
)
from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.arrays.sampling import WeightedLists, expanded
from jobs.province.arrays.shapes import (
    OUTPATIENT,
    RELATIONS,
    SPECIAL,
    Events,
    Lines,
    Visits,
)
from jobs.province.arrays.shapes import PHARMACY as AT_PHARMACY
from jobs.province.care.catalogue import CATALOGUE, CATEGORIES, HOSPITAL_ONLY, ILLNESSES, SERVICES
from jobs.province.care.fees import drug_lines, ordered, service_lines
from jobs.province.care.materials import material_lines
from jobs.province.people.geography import PHARMACY
from jobs.province.people.neighbours import (
    AT_CHECK,
    AT_REFILL,
    Neighbours,
    diagnosis_lists,
    hour_lists,
    services_index,
    services_level,
)

_QUEUE_SECONDS = 150
#: days from one beginning of a treatment that is broken off to the next, and the part of them it lasts
_LONG_BREAK = (140.0, 420.0)
_TREATED_PART = (0.2, 0.65)
_HERB = CATEGORIES.index("herb_tonic")
_BREWED = int(np.flatnonzero(SERVICES.name == "中药饮片代煎")[0])
_BREWING = 0.1
_DEPARTMENT = np.array([each.department for each in ILLNESSES])


@dataclass(frozen=True)
class _Due:
    """Refills due in a month: who, the how many-eth, on which day."""

    who: Ints
    number: Ints
    day: Ints


def refills(here: Neighbours, month: int, services: WeightedLists) -> Events:
    """The refill visits that are due in a month."""
    due = _due(here, month)
    rng = generator(here.seed, "refills", here.unit, month)
    size = len(due.who)
    health = here.health
    both = rng.random(size) < health.both_share[due.who]
    elsewhere = rng.random(size) < health.second_share[due.who]
    # Those who go to two places on a day have a second visit; its rows follow the others.
    who = np.concatenate([due.who, due.who[both]])
    number = np.concatenate([due.number, due.number[both]])
    day = np.concatenate([due.day, due.day[both]])
    is_extra = np.arange(len(who)) >= size
    has_extra = np.concatenate([both, np.zeros(len(who) - size, bool)])
    at_second = np.concatenate([elsewhere & ~both, np.ones(len(who) - size, bool)])
    institution = np.where(at_second, health.second[who], health.home[who])
    lines = _drug_lines(here, who, number, day, institution, is_extra, has_extra, rng)
    written = _written_use(here, rng, who, lines)
    visits = _visits(here, rng, who, number, day, institution, is_extra, written)
    level = services_level(here.places, institution)
    use = health.main[who]
    # Some are checked at most refills, others never.
    checked = here.chance(here.people.index[who], "checked") ** 2.9
    occasion = np.where(rng.random(len(who)) < checked, AT_CHECK, AT_REFILL)
    row, service = services.included(services_index(use, level, occasion), rng.random(len(who)))
    materials = material_lines(
        np.arange(len(who)),
        use,
        here.chance(here.people.index[who], "materials"),
        rng.random(len(who)),
        rng.random(len(who)),
        here.settings.care.material_buyers,
        here.settings.care.material_share,
    )
    with_drugs = np.isin(materials.visit, lines.visit)
    parts = [lines, service_lines(row, service), _brewing(rng, lines), materials.take(with_drugs)]
    return ordered(visits, parts)


def _written_use(here: Neighbours, rng: np.random.Generator, who: Ints, lines: Lines) -> Ints:
    """The illness that each visit is entered for: the main one, or that of a drug bought.

    Under a certificate it is the certified one.
    """
    main = here.health.main[who]
    count = np.bincount(lines.visit, minlength=len(who))
    chosen = np.cumsum(count) - count + (rng.random(len(who)) * count).astype(np.int64)
    drug = lines.drug[np.minimum(chosen, max(len(lines) - 1, 0))] if len(lines) else main
    other = (rng.random(len(who)) < here.settings.care.other_diagnosis) & (count > 0)
    other &= here.health.certificate[who] < 0
    written: Ints = np.where(other, CATALOGUE.use[drug], main)
    return written


def _brewing(rng: np.random.Generator, lines: Lines) -> Lines:
    """Now and then the hospital brews the herbs, for a small fee."""
    herbal = np.unique(lines.visit[CATALOGUE.category[lines.drug] == _HERB])
    visit = herbal[rng.random(len(herbal)) < _BREWING]
    return service_lines(visit, np.full(len(visit), _BREWED))


def _due(here: Neighbours, month: int) -> _Due:
    first, after = here.settings.month_days(month)
    health, care = here.health, here.settings.care
    refilling = np.flatnonzero(health.interval > 0)
    interval, phase = health.interval[refilling], health.phase[refilling]
    start = np.ceil((first - phase) / interval).astype(np.int64)
    counts = np.ceil((after - phase) / interval).astype(np.int64) - start
    turn_of, turn = expanded(counts)
    who, number = refilling[turn_of], start[turn_of] + turn
    key = health.group[who] * 8192 + number
    # Never before its turn: what a month brings must not fall into the month before.
    shift = here.chance(key, "shift") * 2 * here.habits.jitter[who]
    day = np.floor(phase[turn_of] + (number + shift) * interval[turn_of]).astype(np.int64)
    settings = here.settings
    for _ in range(3):
        closed = is_holiday(settings, day) | (weekdays(settings, day) == 6)
        day += closed & (here.chance(key, "closed") < 0.6)
    phase_of = here.market_phase[who]
    day += np.where(here.habits.market[who], (phase_of - day) % MARKET_DAYS, 0)
    own = here.people.index[who] * 8192 + number
    came = here.chance(own, "missed") >= care.refill_missed
    came &= (day >= 0) & ~_broken_off(here, who, day)
    came &= number % _times_as_long(here, who, day) == 0
    return _Due(who[came], number[came], day[came])


def _broken_off(here: Neighbours, who: Ints, day: Ints) -> Flags:
    """Whether a treatment rests: some are treated for some months, and not again for some."""
    person = here.people.index[who]
    cycle = _LONG_BREAK[0] + here.chance(person, "break") * (_LONG_BREAK[1] - _LONG_BREAK[0])
    part = _TREATED_PART[0] + here.chance(person, "treated") * (_TREATED_PART[1] - _TREATED_PART[0])
    at = (day + here.chance(person, "break begins") * cycle) % cycle
    rests: Flags = here.habits.breaks_off[who] & (at > part * cycle)
    return rests


def _times_as_long(here: Neighbours, who: Ints, day: Ints) -> Ints:
    """For how many usual intervals a refill is: more than one for some once prescribing rules have changed."""
    since, care = here.settings.longer_day, here.settings.care
    if since is None:
        return np.ones(len(who), np.int64)
    longer = (day >= since) & (here.health.certificate[who] < 0)
    longer &= here.chance(here.people.index[who], "longer") < care.longer_share
    return np.where(longer, care.longer_times, 1)


def _drug_lines(
    here: Neighbours,
    who: Ints,
    number: Ints,
    day: Ints,
    institution: Ints,
    is_extra: Flags,
    has_extra: Flags,
    rng: np.random.Generator,
) -> Lines:
    """What is due of each regimen, in whole boxes that add up to the dose over time."""
    health = here.health
    visit, turn = expanded(here.regimen_count[who])
    row = here.regimen_start[who][visit] + turn
    every = health.every[row]
    step = number[visit] + health.turn[row]
    # A longer prescription stands for the turns that follow without a visit.
    times = _times_as_long(here, who, day)[visit]
    begun = -(-step // every)
    turns = (step + times - 1) // every - begun + 1
    due = turns > 0
    due &= (health.taken_from[row] <= day[visit]) & (day[visit] < health.taken_to[row])
    # Who goes to a pharmacy this once gets no drug there that only hospitals give.
    at_pharmacy = here.places.kind[institution[visit]] == PHARMACY
    due &= ~(at_pharmacy & (CATALOGUE.channel[health.drug[row]] == HOSPITAL_ONLY))
    # A second visit of the day takes over every other drug.
    second = here.chance(row, "second") < 0.4
    due &= np.where(is_extra[visit], second, ~(has_extra[visit] & second))
    visit, row, every, times = visit[due], row[due], every[due], times[due]
    begun, turns = begun[due], turns[due]
    each = health.boxes[row] * every * health.interval[who[visit]]
    part = here.chance(row + here.first * 16, "boxes")
    boxes = np.floor(each * (begun + turns) + part) - np.floor(each * begun + part)
    drug = health.drug[row]
    stock = here.habits.stocks_up[who[visit]] & before_travel(here.settings, day[visit])
    stock |= here.habits.hoards[who[visit]] & ends_year(here.settings, day[visit])
    boxes = np.where(stock & (boxes > 0), np.ceil(boxes * 2.2), boxes)
    boxes = np.minimum(boxes, CATALOGUE.max_boxes_visit[drug] * np.where(stock, 2, 1) * times)
    some = boxes > 0
    visit, row, drug, boxes = visit[some], row[some], drug[some], boxes[some]
    stated = rng.random(len(row)) < here.settings.care.stated_days_share
    days = np.where(stated, np.minimum(np.round(boxes / health.boxes[row]), 180), np.nan)
    return drug_lines(here.places, institution, visit, drug, boxes, days)


def _visits(
    here: Neighbours,
    rng: np.random.Generator,
    who: Ints,
    number: Ints,
    day: Ints,
    institution: Ints,
    is_extra: Flags,
    written: Ints,
) -> Visits:
    health, habits, places = here.health, here.habits, here.places
    size = len(who)
    key = health.group[who] * 8192 + number + is_extra * 4096
    sort = places.sort[institution]
    hour = hour_lists().one(sort, here.chance(key, "hour"))
    hour = np.where((habits.hour[who] >= 0) & ~is_extra, habits.hour[who], hour)
    queue = habits.position[who] * _QUEUE_SECONDS + rng.integers(0, 90, size)
    time = day * DAY + hour * 3600 + (here.chance(key, "minute") * 3000).astype(np.int64) + queue
    use = health.main[who]
    doctor = places.doctor_for(
        institution,
        _DEPARTMENT[use],
        here.chance(habits.doctor_of[who], "doctor"),
        weekdays(here.settings, day),
    )
    certified = (health.certificate[who] >= 0) & (health.certificate_from[who] <= day)
    in_pharmacy = places.kind[institution] == PHARMACY
    sometimes = (rng.random(size) < _proxy_likely(here, who, day)) & (habits.proxy[who] < 0)
    proxy = np.where(sometimes, here.people.carer[who], habits.proxy[who])
    related = np.where(
        proxy == here.people.spouse[who], RELATIONS.index("spouse"), RELATIONS.index("child")
    )
    shown, device = here.credential(who, proxy, rng.random(size))
    code = here.chance(here.people.index[who] * 128 + written, "diagnosis")
    other = rng.random(size) < here.settings.care.other_code
    terminal = (here.chance(key, "terminal") * places.terminals[institution]).astype(np.int64)
    return Visits(
        person=here.people.index[who],
        institution=institution,
        doctor=doctor,
        time=time,
        med_type=np.where(certified, SPECIAL, np.where(in_pharmacy, AT_PHARMACY, OUTPATIENT)),
        diagnosis=diagnosis_lists().one(written, np.where(other, rng.random(size), code)),
        stay=np.zeros(size, np.int64),
        certificate_type=shown,
        device=device,
        terminal=terminal,
        proxy=proxy,
        relation=np.where(proxy < 0, -1, np.where(sometimes, related, habits.relation[who])),
        gang=np.full(size, -1),
    )


def _proxy_likely(here: Neighbours, who: Ints, day: Ints) -> Floats:
    """How likely someone of the household collects: the older, the likelier."""
    age = here.people.age(0)[who]
    share: Floats = here.settings.care.proxy_share * np.clip((age - 55) / 20, 0.1, 1.6)
    return np.where(here.people.carer[who] >= 0, share, 0.0)
