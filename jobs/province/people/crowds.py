"""Honest people who fetch what they take for long at the same place, day and hour: carers, wards, buses."""

import numpy as np

from jobs.province.arrays.draws import Flags, Ints
from jobs.province.arrays.sampling import expanded, rank_within
from jobs.province.arrays.shapes import RELATIONS
from jobs.province.people.drafts import SHARED_GROUP, Draft
from jobs.province.people.geography import A_CLINIC, A_VILLAGE, LEVEL_2, Places, attraction
from jobs.province.people.people import People

#: Days of a dialysis ward: Monday, Wednesday, Friday or Tuesday, Thursday, Saturday; hours of its shifts.
_WARD_DAYS = (0.0, 1.0)
_WARD_HOURS = (7, 12, 17)
_THRICE_A_WEEK = 7 / 3
#: Seats of a bus that takes people to a hospital, and when it is there.
_BUS_SEATS = (8, 26)
_BUS_HOURS = (8, 9, 10)
_BUS_AGE = 60
#: Neighbours for whom one of them collects, and how old they are.
_ERRANDS = (3, 8)
_ERRAND_AGE = 68
#: Neighbours with a certificate who share a doctor.
_SHARED_DOCTOR = (2, 5)


def nursing_homes(rng: np.random.Generator, draft: Draft, people: People, places: Places) -> None:
    """An employee of the home collects for all residents on one day."""
    rows = np.flatnonzero(people.nursing_home & draft.free)
    runners = np.flatnonzero((people.age(0) > 25) & (people.age(0) < 58) & ~people.elsewhere)
    if not len(rows) or not len(runners):
        return
    homes, which = np.unique(people.address[rows], return_inverse=True)
    runner = rng.choice(runners, len(homes))
    position = rank_within(which)
    first = rows[np.unique(which, return_index=True)[1]]
    draft.go_together(rows, first[which], SHARED_GROUP + people.index[first[which]], position)
    draft.proxy[rows] = people.index[runner[which]]
    draft.relation[rows] = RELATIONS.index("carer")
    draft.types += [(rows, "nursing_home"), (runner, "nursing_home")]


def family_carers(rng: np.random.Generator, draft: Draft, people: People, share: float) -> None:
    """One person collects for two to six old relatives, some of them in other households."""
    age = people.age(0)
    old = rng.permutation(
        np.flatnonzero(draft.free & (age > 64) & (rng.random(len(age)) < 4 * share))
    )
    sizes = 2 + np.minimum(rng.geometric(0.45, len(old)) - 1, 4)
    rows, which, position = _seated(old, sizes)
    leaders = rows[position == 0]
    carers = np.flatnonzero((age > 32) & (age < 66) & (people.sex == 2) & ~people.elsewhere)
    if not len(rows) or len(carers) < len(leaders):
        return
    carer = rng.choice(carers, len(leaders), replace=False)
    group = people.index[carer[which]] + SHARED_GROUP * 2
    draft.go_together(rows, leaders[which], group, position)
    draft.proxy[rows] = people.index[carer[which]]
    draft.relation[rows] = rng.choice([1, 1, 1, 3], len(rows))
    draft.types += [(rows, "family_carer"), (carer, "family_carer")]


def neighbour_carers(rng: np.random.Generator, draft: Draft, people: People, share: float) -> None:
    """Someone of the neighbourhood collects on one day for several old people of the houses around."""
    age = people.age(0)
    old = np.flatnonzero(draft.free & (age > _ERRAND_AGE))
    rows, which, position = _neighbours(rng, old, share, _ERRANDS)
    able = np.flatnonzero((age > 45) & (age < 72) & ~people.elsewhere)
    if not len(rows) or not len(able):
        return
    first = rows[position == 0]
    # Who lives next door: people are numbered house after house.
    carer = able[np.minimum(np.searchsorted(able, first + 1), len(able) - 1)]
    draft.go_together(rows, first[which], people.index[carer[which]] + SHARED_GROUP * 4, position)
    draft.proxy[rows] = people.index[carer[which]]
    draft.relation[rows] = RELATIONS.index("neighbour")
    draft.types += [(rows, "neighbour_carer"), (carer, "neighbour_carer")]


def couples(rng: np.random.Generator, draft: Draft, people: People, share: float) -> None:
    """Husband and wife who both refill go on the same day."""
    wife = people.spouse - people.index[0]
    found = (people.sex == 1) & (people.spouse >= 0) & draft.free
    found &= draft.free[np.clip(wife, 0, len(wife) - 1)] & (rng.random(len(wife)) < share)
    rows = np.flatnonzero(found)
    pair = np.concatenate([rows, wife[rows]])
    leader = np.concatenate([rows, rows])
    draft.go_together(pair, leader, people.index[leader], (pair != leader).astype(np.int64))
    draft.types.append((pair, "couple"))


def village_batches(rng: np.random.Generator, draft: Draft, places: Places, share: float) -> None:
    """A village doctor settles the month's refills of a quarter of the patients in one evening."""
    chosen = rng.random(int(places.sort.size)) < share
    rows = np.flatnonzero(draft.free & (places.sort[draft.home] == A_VILLAGE) & chosen[draft.home])
    if not len(rows):
        return
    key = draft.home[rows] * 4 + rng.integers(0, 4, len(rows))
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    position = rank_within(which)
    draft.go_together(rows, rows[first][which], SHARED_GROUP * 3 + key, position)
    draft.interval[rows] = 28.0
    draft.types.append((rows, "village_batch"))


def dialysis_shifts(
    rng: np.random.Generator,
    draft: Draft,
    places: Places,
    cell: int,
    patients: Flags,
    monday: int,
    share: float,
) -> None:
    """Patients of a dialysis ward come three times a week, always in the same shift with the same others.

    Args:
        rng: of the neighbourhood.
        draft: the habits.
        places: the institutions.
        cell: the neighbourhood.
        patients: who is on dialysis.
        monday: the first Monday, in days from the start.
        share: of the patients, who go to a ward with fixed shifts.
    """
    rows = np.flatnonzero(patients & (rng.random(len(patients)) < share))
    wards, drawn = attraction(places, cell, LEVEL_2)
    if not len(rows) or not len(wards):
        return
    ward = int(wards[np.argmax(drawn)])
    days = rng.integers(0, len(_WARD_DAYS), len(rows))
    shift = rng.integers(0, len(_WARD_HOURS), len(rows))
    # Wards have patients of several neighbourhoods: the group does not depend on the neighbourhood.
    draft.group[rows] = SHARED_GROUP * 5 + (ward * 8 + days * 4 + shift)
    draft.phase[rows] = monday + np.array(_WARD_DAYS)[days] + 0.01
    draft.interval[rows] = _THRICE_A_WEEK
    draft.home[rows] = ward
    draft.second_share[rows] = 0.0
    draft.jitter[rows] = 0.01
    draft.hour[rows] = np.array(_WARD_HOURS)[shift]
    draft.position[rows] = rng.integers(0, 12, len(rows))
    draft.free[rows] = False
    draft.bound[rows] = True
    draft.types.append((rows, "dialysis_shift"))


def shuttle_buses(
    rng: np.random.Generator,
    draft: Draft,
    people: People,
    places: Places,
    cell: int,
    share: float,
) -> None:
    """A hospital's bus brings old people of a neighbourhood on one day of the week, all in an hour."""
    # Fewer buses go where the hospital is near.
    chosen = rng.random(len(people)) < np.where(people.urban, 0.4 * share, share)
    old = np.flatnonzero(draft.free & (people.age(0) >= _BUS_AGE) & chosen)
    rows, which, position = _seated(old, rng.integers(*_BUS_SEATS, len(old)))
    leaders = rows[position == 0]
    hospitals, drawn = attraction(places, cell, LEVEL_2)
    if not len(rows) or not len(hospitals):
        return
    leader = leaders[which]
    draft.go_together(rows, leader, people.index[leader] + SHARED_GROUP * 6, position)
    draft.home[rows] = hospitals[np.argmax(drawn)]
    draft.interval[rows] = 28.0
    draft.second_share[rows] = 0.0
    draft.hour[rows] = rng.choice(_BUS_HOURS, len(leaders))[which]
    draft.bound[rows] = True
    draft.types.append((rows, "shuttle_bus"))


def shared_doctors(
    rng: np.random.Generator, draft: Draft, people: People, holders: Flags, share: float
) -> None:
    """Neighbours with a certificate who go to the same doctor, in the same rhythm, half of them together."""
    rows, which, _ = _neighbours(rng, np.flatnonzero(holders), share, _SHARED_DOCTOR)
    if not len(rows):
        return
    leader = rows[np.searchsorted(which, which)]
    together = (rng.random(int(which.max()) + 1) < 0.5)[which]
    draft.home[rows] = draft.home[leader]
    draft.interval[rows] = draft.interval[leader]
    draft.phase[rows] = draft.phase[leader]
    draft.doctor_of[rows] = people.index[leader]
    draft.group[rows[together]] = draft.group[leader[together]]
    draft.position[rows] = rng.integers(0, 6, len(rows))
    draft.jitter[rows] = 0.25
    draft.free[rows] = False
    draft.types.append((rows, "shared_doctor"))


def several_clinics(
    rng: np.random.Generator, draft: Draft, places: Places, conditions: Ints, share: float
) -> None:
    """People with several illnesses who see another clinic for some of them, twice as often on the whole."""
    many = np.bitwise_count(conditions) >= 2
    rows = np.flatnonzero(draft.free & many & (rng.random(len(many)) < share))
    rows = rows[places.sort[draft.home[rows]] <= A_CLINIC]
    draft.interval[rows] = np.maximum(draft.interval[rows] * rng.uniform(0.3, 0.6, len(rows)), 6.5)
    draft.second_share[rows] = rng.uniform(0.35, 0.6, len(rows))
    draft.types.append((rows, "several_clinics"))


def _neighbours(
    rng: np.random.Generator, who: Ints, share: float, sizes: tuple[int, int]
) -> tuple[Ints, Ints, Ints]:
    """Groups of a share of these people who live near each other: who, group from 0, place in it."""
    rows, which, position = _seated(who, rng.integers(*sizes, len(who)))
    chosen = (rng.random(int((position == 0).sum())) < share)[which]
    _, group = np.unique(which[chosen], return_inverse=True)
    return rows[chosen], group, position[chosen]


def _seated(who: Ints, sizes: Ints) -> tuple[Ints, Ints, Ints]:
    """People in groups of these sizes, one group after the other as far as they go: who, group from 0, place in it."""
    which, position = expanded(sizes[np.cumsum(sizes) <= len(who)])
    return who[: len(which)], which, position
