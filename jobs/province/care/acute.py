"""Visits for what comes and goes: to doctors, and to pharmacies without one."""

from functools import cache

import numpy as np

from jobs.province.arrays.days import DAY, MARKET_DAYS, day_weights, weekdays
from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.arrays.sampling import WeightedLists
from jobs.province.arrays.shapes import (
    OUTPATIENT,
    PHARMACY,
    RELATIONS,
    Events,
    Lines,
    Visits,
)
from jobs.province.care.catalogue import ANYWHERE, CATALOGUE, DEPARTMENTS, ILLNESSES, drugs_for
from jobs.province.care.fees import drug_lines, ordered, service_lines
from jobs.province.care.illness import age_bands
from jobs.province.people.gatherings import ANY_HOUR, SHIFTS, looks_for_doctors
from jobs.province.people.geography import A_PHARMACY, LEVEL_1, SORTS
from jobs.province.people.neighbours import (
    AT_VISIT,
    Neighbours,
    diagnosis_lists,
    hour_lists,
    services_index,
    services_level,
)

_ACUTE = np.array(
    [use for use, each in enumerate(ILLNESSES) if not each.chronic and each.inpatient < 1]
)
_RATES = np.array([ILLNESSES[use].by_age for use in _ACUTE])
_MALE = np.array([ILLNESSES[use].male_factor for use in _ACUTE])
_SEASON = np.array([ILLNESSES[use].season for use in _ACUTE])
_DEPARTMENT = np.array([each.department for each in ILLNESSES])
_DRUGS = np.array([each.drugs for each in ILLNESSES])
_CHILDREN = DEPARTMENTS.index("paediatrics")
#: Where people go with something acute, by sort: children, in town, in the country.
_SORTS = np.array(
    [
        [0.26, 0.30, 0.30, 0.10, 0.0, 0.04],
        [0.20, 0.22, 0.40, 0.18, 0.0, 0.0],
        [0.07, 0.16, 0.32, 0.12, 0.0, 0.33],
    ]
)
_YEAR = 365.25
#: Days that a course lasts.
_COURSE = 6.0
#: Share of visits that those with a crowd make at its clinic, and of these on one of its days of a month.
_AT_OWN_CLINIC = 0.75
_ON_CROWD_DAY = 0.3
_CROWD_DAYS = 3
#: Hours by `Habits.clock`: any (never used), evening, night, then those after each of three shifts.
_CROWD_HOURS = np.array(
    [[9, 9, 9], [12, 17, 18], [19, 20, 21], [7, 8, 8], [15, 16, 16], [11, 12, 13]]
)


def acute_visits(here: Neighbours, month: int, services: WeightedLists) -> Events:
    """Visits for acute illness in a month, at doctors and in pharmacies."""
    settings = here.settings
    rng = generator(here.seed, "acute", here.unit, month)
    first, after = settings.month_days(month)
    rates, lists = _illness_lists(settings.calendar_month(month))
    group = age_bands(here.people) * 2 + here.people.sex - 1
    frail = 0.4 + 0.6 * here.health.frailty
    # People who go for refills often have acute things seen to on the way.
    frail = np.where(here.health.certificate >= 0, 0.45 * frail, frail)
    to_doctor = settings.care.acute_rate
    care = to_doctor + settings.care.pharmacy_rate
    often = here.habits.rate
    expected = rates[group] * frail * often * care * settings.rate_factor * (after - first) / _YEAR
    who = np.repeat(np.arange(len(group)), rng.poisson(expected))
    size = len(who)
    use = lists.one(group[who], rng.random(size))
    in_pharmacy = rng.random(size) >= to_doctor / care
    where = np.where(here.people.age(0)[who] < 14, 0, np.where(here.people.urban[who], 1, 2))
    sorts = WeightedLists.of([(np.arange(len(SORTS)), row) for row in _SORTS])
    sort = np.where(in_pharmacy, A_PHARMACY, sorts.one(where, rng.random(size)))
    institution = here.institution(who, sort, rng.random(size))
    # Those who refill somewhere have it seen to there.
    home = (here.health.interval[who] > 0) & ~in_pharmacy & (rng.random(size) < 0.55)
    home |= (here.health.certificate[who] >= 0) & (rng.random(size) < 0.55)
    institution = np.where(home, here.health.home[who], institution)
    # Who tries many doctors goes to any that is near.
    tries = looks_for_doctors(often[who]) & ~in_pharmacy
    which = (here.people.cell[who] - here.cells.start) * len(SORTS) + sort
    institution = np.where(tries, here.near.one(which, rng.random(size)), institution)
    own = here.habits.clinic[who]
    gathers = (own >= 0) & ~in_pharmacy & (rng.random(size) < _AT_OWN_CLINIC)
    institution = np.where(gathers, own, institution)
    sort = here.places.sort[institution]
    day = _days(here, rng, who, first, after)
    hour = hour_lists().one(sort, rng.random(size))
    day, hour = _with_crowd(here, rng, who, gathers, first, after, day, hour)
    age = here.people.age(0)[who]
    department = np.where((age < 14) & (rng.random(size) < 0.7), _CHILDREN, _DEPARTMENT[use])
    proxy = np.where((age < 14) & (here.people.carer[who] >= 0), -1, -1)
    shown, device = here.credential(
        who, np.where(age < 14, here.people.carer[who], proxy), rng.random(size)
    )
    doctor = here.places.doctor_for(
        institution, department, rng.random(size), weekdays(here.settings, day)
    )
    visits = Visits(
        person=here.people.index[who],
        institution=institution,
        doctor=doctor,
        time=day * DAY + hour * 3600 + rng.integers(0, 3600, size),
        med_type=np.where(sort == A_PHARMACY, PHARMACY, OUTPATIENT),
        diagnosis=diagnosis_lists().one(use, rng.random(size)),
        stay=np.zeros(size, np.int64),
        certificate_type=shown,
        device=device,
        terminal=(rng.random(size) * here.places.terminals[institution]).astype(np.int64),
        proxy=proxy,
        relation=np.where(proxy >= 0, RELATIONS.index("parent"), -1),
        gang=np.full(size, -1),
    )
    lines = _drug_lines(here, rng, use, institution)
    level = services_level(here.places, institution)
    row, service = services.included(services_index(use, level, AT_VISIT), rng.random(size))
    return ordered(visits, [lines, service_lines(row, service)])


def _with_crowd(
    here: Neighbours,
    rng: np.random.Generator,
    who: Ints,
    gathers: Flags,
    first: int,
    after: int,
    day: Ints,
    hour: Ints,
) -> tuple[Ints, Ints]:
    """Day and hour of those who go with a crowd: some on its days of the month, all at its hours."""
    crowd, clock = here.habits.crowd[who], here.habits.clock[who]
    turn = rng.integers(0, _CROWD_DAYS, len(who))
    chance = here.chance((np.maximum(crowd, 0) << 16) + (first % 4096) * 8 + turn, "crowd day")
    shared = first + (chance * (after - first)).astype(np.int64)
    meets = gathers & (crowd >= 0) & (rng.random(len(who)) < _ON_CROWD_DAY)
    day = np.where(meets, shared, day)
    # Shifts change every week, so that a crowd comes at another hour.
    shift = (crowd + day // 7) % 3
    hours = _CROWD_HOURS[np.where(clock == SHIFTS, len(_CROWD_HOURS) - 3 + shift, clock)]
    drawn = hours[np.arange(len(who)), rng.integers(0, hours.shape[1], len(who))]
    hour = np.where(gathers & (clock != ANY_HOUR), drawn, hour)
    return day, hour


def _days(here: Neighbours, rng: np.random.Generator, who: Ints, first: int, after: int) -> Ints:
    """Days of visits: fewer on Sundays and holidays; in the country more on market days."""
    settings = here.settings
    weights = [day_weights(settings, first, after, None)]
    weights += [day_weights(settings, first, after, phase) for phase in range(MARKET_DAYS)]
    lists = WeightedLists.of([(np.arange(first, after), row) for row in weights])
    which = np.where(here.habits.market[who], 1 + here.market_phase[who], 0)
    return lists.one(which, rng.random(len(who)))


def _drug_lines(here: Neighbours, rng: np.random.Generator, use: Ints, institution: Ints) -> Lines:
    in_hospital = here.places.sort[institution] <= LEVEL_1
    number = rng.poisson(np.maximum(_DRUGS[use] - 1, 0.2)) + (rng.random(len(use)) < 0.9)
    number = np.minimum(number, _drug_numbers()[use * 2 + in_hospital])
    visit, drug = _drug_lists().some(use * 2 + in_hospital, number, rng.random(len(use)))
    days = _COURSE * rng.lognormal(0, 0.35, len(drug))
    boxes = np.ceil(days / CATALOGUE.days_per_box[drug] * 0.8)
    boxes = np.clip(boxes, 1, np.maximum(np.minimum(CATALOGUE.max_boxes_visit[drug], 6), 1))
    stated = rng.random(len(drug)) < here.settings.care.stated_days_share
    whole = np.round(np.minimum(boxes * CATALOGUE.days_per_box[drug], 180))
    days = np.where(stated, whole, np.nan)
    return drug_lines(here.places, institution, visit, drug, boxes, days)


@cache
def _illness_lists(calendar_month: int) -> tuple[Floats, WeightedLists]:
    """Visits a year by age band and sex in a calendar month, and what for."""
    rows = []
    for band in range(_RATES.shape[1]):
        for male in (_MALE, 2 - _MALE):
            rows.append(_RATES[:, band] * male * _SEASON[:, calendar_month])
    lists = WeightedLists.of([(_ACUTE, row) for row in rows])
    return lists.totals, lists


@cache
def _drug_lists() -> WeightedLists:
    """Drugs by use, outside and inside hospitals; acute courses avoid what must be infused for months."""
    lists = []
    for use in range(len(ILLNESSES)):
        found = drugs_for(use)
        free = found[CATALOGUE.channel[found] == ANYWHERE]
        free = free if len(free) else found
        lists += [(free, CATALOGUE.weight[free]), (free, CATALOGUE.weight[free])]
    return WeightedLists.of(lists)


@cache
def _drug_numbers() -> Ints:
    """How many drugs each of these lists can give without giving one twice."""
    heaviest = []
    for use in range(len(ILLNESSES)):
        found = drugs_for(use)
        weights = CATALOGUE.weight[found[CATALOGUE.channel[found] == ANYWHERE]]
        weights = weights if len(weights) else CATALOGUE.weight[found]
        heaviest += 2 * [max(1, int(weights.sum() / weights.max()))]
    return np.array(heaviest)
