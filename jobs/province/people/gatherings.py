"""Honest people who see a doctor at the same place and hour when something comes up, and who see many."""

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.people.drafts import Draft
from jobs.province.people.geography import A_CLINIC, LEVEL_1, Places, attraction
from jobs.province.people.people import WORKER, People

#: `Habits.clock`: when people go; those of shifts change the hour every week.
ANY_HOUR, EVENING, NIGHT, SHIFTS = range(4)
#: Workers of a factory who live in a neighbourhood.
_FACTORY_WORKERS = 90
#: How many times as often people go who try many doctors.
_MANY_DOCTORS = (4.0, 12.0)
#: Crowds of a neighbourhood, of each kind.
_CROWDS = 256


def dormitories(rng: np.random.Generator, draft: Draft, people: People, places: Places) -> None:
    """Those who live in a dormitory go to the clinic beside it, after lessons."""
    rows = np.flatnonzero(people.dormitory)
    if not len(rows):
        return
    _, which = np.unique(people.address[rows], return_inverse=True)
    _gather(rng, draft, people, places, rows, which, EVENING)
    draft.types.append((rows, "dormitory"))


def factories(
    rng: np.random.Generator, draft: Draft, people: People, places: Places, share: float
) -> None:
    """Workers of a factory go to its clinic, those of a shift at the end of it."""
    age = people.age(0)
    works = (people.psn_type == WORKER) & (age < 58) & ~people.dormitory & ~people.elsewhere
    rows = np.flatnonzero(works & (rng.random(len(age)) < share))
    if not len(rows):
        return
    which = rng.integers(0, max(1, round(len(rows) / _FACTORY_WORKERS)), len(rows))
    # Three shifts of one factory are three crowds at one clinic.
    _gather(rng, draft, people, places, rows, which, SHIFTS)
    draft.crowd[rows] = draft.crowd[rows] * 4 + rng.integers(0, 3, len(rows))
    draft.types.append((rows, "factory_shift"))


def night_clinics(
    rng: np.random.Generator, draft: Draft, people: People, places: Places, share: float
) -> None:
    """People who work by day and go to a clinic that is open at night."""
    age = people.age(0)
    rows = np.flatnonzero((draft.clinic < 0) & (age > 18) & (rng.random(len(age)) < share))
    if not len(rows):
        return
    _gather(rng, draft, people, places, rows, np.zeros(len(rows), np.int64), NIGHT)
    draft.types.append((rows, "night_clinic"))


def commuters(
    rng: np.random.Generator, draft: Draft, people: People, places: Places, share: float
) -> None:
    """People insured here who work in another province and are treated there."""
    there = np.flatnonzero(places.elsewhere & (places.sort <= A_CLINIC))
    age = people.age(0)
    works = (age > 20) & (age < 62) & (draft.clinic < 0) & ~people.elsewhere
    rows = np.flatnonzero(works & (rng.random(len(age)) < share))
    if not len(rows) or not len(there):
        return
    draft.clinic[rows] = rng.choice(there, len(rows))
    draft.types.append((rows, "commuter"))


def many_doctors(rng: np.random.Generator, draft: Draft, people: People, share: float) -> None:
    """People who try one doctor after the other for the same complaints."""
    rows = np.flatnonzero((people.age(0) > 25) & (rng.random(len(people)) < share))
    draft.rate[rows] = rng.uniform(*_MANY_DOCTORS, len(rows))
    draft.clinic[rows] = -1
    draft.types.append((rows, "many_doctors"))


def looks_for_doctors(rate: Floats) -> Flags:
    """Who tries many doctors, by how often they go."""
    found: Flags = rate >= _MANY_DOCTORS[0]
    return found


def _gather(
    rng: np.random.Generator,
    draft: Draft,
    people: People,
    places: Places,
    rows: Ints,
    which: Ints,
    clock: int,
) -> None:
    """Give each crowd a clinic near the neighbourhood, and its people the hours of their kind."""
    cell = int(people.cell[0])
    near, drawn = attraction(places, cell, A_CLINIC)
    centres, centres_drawn = attraction(places, cell, LEVEL_1)
    clinics = np.concatenate([near, centres])
    likely = np.concatenate([drawn / drawn.sum(), centres_drawn / centres_drawn.sum()])
    chosen = rng.choice(clinics, int(which.max()) + 1, p=likely / likely.sum())
    draft.clinic[rows] = chosen[which]
    draft.crowd[rows] = (cell * 4 + clock) * _CROWDS + which
    draft.clock[rows] = clock
