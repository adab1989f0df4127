"""Visits for a course of treatment: decoctions, infusions on days running, dear drugs, an illness newly treated.

A course begins at each person's own interval, so that a month needs no other one.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from jobs.province.arrays.days import DAY, weekdays
from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.arrays.sampling import WeightedLists, expanded
from jobs.province.arrays.shapes import OUTPATIENT, PHARMACY, SPECIAL, Events, Lines, Visits
from jobs.province.care.catalogue import (
    ANYWHERE,
    CATALOGUE,
    CATEGORIES,
    CONDITIONS,
    DEPARTMENTS,
    HOSPITAL_ONLY,
    ILLNESSES,
    SERVICES,
    USES,
    drugs_for,
)
from jobs.province.care.fees import drug_lines, ordered, service_lines
from jobs.province.people.benign import COURSES
from jobs.province.people.geography import A_CLINIC, A_PHARMACY, LEVEL_1, LEVEL_2
from jobs.province.people.neighbours import (
    AT_VISIT,
    Neighbours,
    diagnosis_lists,
    hour_lists,
    services_index,
    services_level,
)

HERBAL, INFUSION, DEAR, NEW = range(len(COURSES))
#: days from one course to the next, visits of a course (fewest and most), days between two visits
_INTERVAL = np.array([300.0, 330.0, 420.0, 450.0])
_FEWEST = np.array([4, 3, 2, 5])
_MOST = np.array([12, 8, 6, 18])
_SPACING = np.array([[7, 14], [1, 1], [14, 28], [5, 9]])
#: sort of institution that each kind of course is had at
_SORTS = np.array(
    [[LEVEL_1, LEVEL_2], [A_CLINIC, LEVEL_1], [LEVEL_2, LEVEL_2], [LEVEL_1, A_PHARMACY]]
)
#: places that an illness newly treated is taken to, and what it is where nothing else is known
_NEW_PLACES = 3
_NEW_USES = ("hypertension", "diabetes", "chd", "stroke", "gastritis", "osteoarthritis", "copd")
#: a dear drug costs more than this a box, and less than that
_DEAR_PRICE = (180.0, 900.0)
#: what infusions are given for
_INFUSED = ("cold", "bronchitis", "pneumonia", "diarrhoea", "urinary")
_HERB = CATEGORIES.index("herb_tonic")
#: herbs of a decoction, and yuan of them a day; drugs in an infusion
_HERBS_A_DAY = {"median": 14.0, "sigma": 0.5}
_INFUSED_DRUGS = 2
_DEPARTMENT = np.array([each.department for each in ILLNESSES])
_TCM = DEPARTMENTS.index("tcm")
_INFUSING = np.array(
    [int(np.flatnonzero(SERVICES.name == name)[0]) for name in ("静脉输液", "一次性输液器")]
)
_WEAKNESS = USES.index("weakness")


@dataclass(frozen=True)
class _Due:
    """Visits of courses in a month: who, which course of theirs, the how many-eth visit, on which day."""

    who: Ints
    course: Ints
    turn: Ints
    day: Ints
    #: days until the next visit
    spacing: Ints


def course_visits(here: Neighbours, month: int, services: WeightedLists) -> Events:
    """The visits for courses of treatment in a month."""
    rng = generator(here.seed, "courses", here.unit, month)
    due = _due(here, *here.settings.month_days(month))
    who, kind, size = due.who, here.habits.course[due.who], len(due.who)
    # One place, one reason and one drug for a whole course; a new illness has some of each.
    part = np.where(kind == NEW, due.turn % _NEW_PLACES, 0)
    own = (here.people.index[who] * 64 + due.course % 64) * 4 + part
    use = _uses(here, who, kind, here.chance(own, "course use"))
    sort = _SORTS[kind, (here.chance(own, "course sort") < 0.35).astype(np.int64)]
    where = (here.people.cell[who] - here.cells.start) * 6 + sort
    institution = here.near.one(where, here.chance(own, "course place"))
    sort = here.places.sort[institution]
    day, hour = due.day, hour_lists().one(sort, here.chance(own, "course hour"))
    department = np.where(kind == HERBAL, _TCM, _DEPARTMENT[use])
    doctor = here.places.doctor_for(
        institution, department, here.chance(own, "course doctor"), weekdays(here.settings, day)
    )
    shown, device = here.credential(who, np.full(size, -1), rng.random(size))
    plain = np.where(sort == A_PHARMACY, PHARMACY, OUTPATIENT)
    health = here.health
    certified = (health.certificate[who] >= 0) & (health.certificate_from[who] <= day)
    visits = Visits(
        person=here.people.index[who],
        institution=institution,
        doctor=doctor,
        time=day * DAY + hour * 3600 + rng.integers(0, 3600, size),
        med_type=np.where(certified & (kind == DEAR), SPECIAL, plain),
        diagnosis=diagnosis_lists().one(use, here.chance(own, "course diagnosis")),
        stay=np.zeros(size, np.int64),
        certificate_type=shown,
        device=device,
        terminal=(rng.random(size) * here.places.terminals[institution]).astype(np.int64),
        proxy=np.full(size, -1),
        relation=np.full(size, -1),
        gang=np.full(size, -1),
    )
    level = services_level(here.places, institution)
    row, service = services.included(services_index(use, level, AT_VISIT), rng.random(size))
    infused = np.flatnonzero(kind == INFUSION)
    each = np.repeat(infused, len(_INFUSING))
    given = service_lines(each, np.tile(_INFUSING, len(infused)))
    lines = _drug_lines(here, rng, due, own, use, institution)
    return ordered(visits, [lines, given, service_lines(row, service)])


def _due(here: Neighbours, first: int, after: int) -> _Due:
    """Visits that fall into a range of days."""
    treated = np.flatnonzero(here.habits.course >= 0)
    kind, person = here.habits.course[treated], here.people.index[treated]
    interval = _INTERVAL[kind] * (0.6 + 0.8 * here.chance(person, "course interval"))
    phase = here.chance(person, "course phase") * interval
    longest = _MOST[kind] * _SPACING[kind].max(axis=1)
    begin = np.ceil((first - longest - phase) / interval).astype(np.int64)
    count = np.maximum(np.ceil((after - phase) / interval).astype(np.int64) - begin, 0)
    which, number = expanded(count)
    course = begin[which] + number
    own = (person[which] * 64 + course % 64) * 4
    visits = _FEWEST[kind[which]] + np.floor(
        here.chance(own, "course visits") * (_MOST - _FEWEST + 1)[kind[which]]
    ).astype(np.int64)
    long = (here.chance(own, "course spacing") < 0.5).astype(np.int64)
    spacing = _SPACING[kind[which], long]
    at, turn = expanded(visits)
    start = np.floor(phase[which] + course * interval[which]).astype(np.int64)
    day = start[at] + turn * spacing[at]
    inside = (day >= first) & (day < after) & (day >= 0)
    at, turn, day = at[inside], turn[inside], day[inside]
    return _Due(treated[which[at]], course[at], turn, day, spacing[at])


def _uses(here: Neighbours, who: Ints, kind: Ints, chance: Floats) -> Ints:
    """What each course is for: infusions for what is acute, dear drugs for what one has."""
    bits = here.health.conditions[who][:, None] >> np.arange(len(CONDITIONS)) & 1 == 1
    has_dear = bits & _dear_uses()
    # The first of the conditions from a place that differs from one to the other.
    shifted = np.where(
        has_dear, (np.arange(len(CONDITIONS)) + (chance * 97).astype(int)[:, None]) % 37, 99
    )
    dear = np.where(has_dear.any(axis=1), np.argmin(shifted, axis=1), USES.index("hyperlipidaemia"))
    infused = np.array([USES.index(word) for word in _INFUSED])
    acute = infused[(chance * len(infused)).astype(np.int64)]
    common = np.array([USES.index(word) for word in _NEW_USES])
    new = common[(chance * len(common)).astype(np.int64)]
    choices = [kind == INFUSION, kind == DEAR, kind == NEW]
    uses: Ints = np.select(choices, [acute, dear, new], _WEAKNESS)
    return uses


def _drug_lines(
    here: Neighbours, rng: np.random.Generator, due: _Due, own: Ints, use: Ints, institution: Ints
) -> Lines:
    """What a visit of a course brings until the next one."""
    kind = here.habits.course[due.who]
    number = np.where((kind == INFUSION) | (kind == NEW), _INFUSED_DRUGS, 1)
    visit, turn = expanded(number)
    lists = _course_lists()
    of_use = np.where(kind == NEW, 2 * len(USES) + 1 + use, 2 * use + (kind == DEAR))
    which = np.where(kind == HERBAL, 2 * len(USES), of_use)[visit]
    drug = lists.one(which, here.chance(own[visit] * 4 + turn, "course drug"))
    median, sigma = _HERBS_A_DAY["median"], _HERBS_A_DAY["sigma"]
    spend = median * np.exp(sigma * (2 * here.chance(own, "course spend") - 1) * 1.7)
    days = due.spacing[visit].astype(np.float64)
    herbal = np.rint(spend[visit] * days / CATALOGUE.price[drug])
    boxes = np.where(
        kind[visit] == HERBAL, herbal, np.ceil(days / CATALOGUE.days_per_box[drug] - 0.2)
    )
    boxes = np.clip(boxes, 1, np.maximum(CATALOGUE.max_boxes_visit[drug], 1))
    once = np.unique(visit * 4096 + drug, return_index=True)[1]
    once.sort()
    visit, drug, boxes, days = visit[once], drug[once], boxes[once], days[once]
    stated = rng.random(len(visit)) < here.settings.care.stated_days_share
    days = np.where(stated, days, np.nan)
    return drug_lines(here.places, institution, visit, drug, boxes, days)


@cache
def _is_dear() -> Flags:
    low, high = _DEAR_PRICE
    dear: Flags = (CATALOGUE.price >= low) & (CATALOGUE.price < high) & CATALOGUE.chronic
    dear &= CATALOGUE.category != _HERB
    return dear


@cache
def _dear_uses() -> Flags:
    """For which of the chronic conditions there is a dear drug."""
    found: Flags = np.isin(np.arange(len(CONDITIONS)), CATALOGUE.use[_is_dear()])
    return found


@cache
def _course_lists() -> WeightedLists:
    """For each use what is infused or given in a course, and its dear drugs; herbs; then brands by use."""
    lists: list[tuple[Ints, Floats]] = []
    dear, cheap = _is_dear(), CATALOGUE.price < 120
    for use in range(len(USES)):
        found = drugs_for(use)
        injected = found[(CATALOGUE.channel[found] == HOSPITAL_ONLY) & cheap[found]]
        plain = injected if len(injected) else found[cheap[found]]
        plain = plain if len(plain) else found
        costly = found[dear[found]]
        costly = costly if len(costly) else plain
        lists += [(plain, CATALOGUE.weight[plain]), (costly, CATALOGUE.weight[costly])]
    herbs = np.flatnonzero(CATALOGUE.category == _HERB)
    lists.append((herbs, CATALOGUE.weight[herbs] / CATALOGUE.price[herbs]))
    for use in range(len(USES)):
        found = drugs_for(use)
        taken = found[(CATALOGUE.channel[found] == ANYWHERE) & cheap[found]]
        taken = taken if len(taken) else found
        lists.append((taken, CATALOGUE.weight[taken] * np.sqrt(CATALOGUE.price[taken])))
    return WeightedLists.of(lists)
