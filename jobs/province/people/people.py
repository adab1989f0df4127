"""Who lives in the province: one neighbourhood at a time, households first."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.draws import Flags, Floats, Ints, generator, pick
from jobs.province.people.geography import KM_PER_DEGREE, Places
from jobs.province.settings import CELL_PEOPLE, Population, Settings

WORKER, RETIRED, RESIDENT, STUDENT_CHILD = range(4)
#: `person.psn_type`, in the order of `People.psn_type`.
PERSON_TYPES = ("worker", "retired", "resident", "student_child")
EMPLOYEE, RESIDENT_INSURANCE = 310, 390
#: Addresses from here on are those of homes and dormitories; below it, of households.
SHARED_ADDRESS = 1 << 40
_YEAR = 365.25
#: Days after the start in which deaths, pauses and entries are drawn: longer than any run.
_HORIZON = round(20 * _YEAR)
#: Years in which people enter; who enters later is not among the members yet.
_ENTRY_YEARS = 3
_DORMITORY_PEOPLE, _HOME_PEOPLE = 160, 45
#: People of a village that has a clerk.
_VILLAGE_PEOPLE = 500

#: Members of a household by kind: (youngest, oldest, sex: 1 or 2, 0 either; role), role a is one of a
#: couple, c a child of it, e an elder. Ages of the second of a couple follow the first's.
_HOUSEHOLDS: dict[str, tuple[tuple[int, int, int, str], ...]] = {
    "single_adult": ((20, 58, 0, "s"),),
    "single_elder": ((62, 92, 0, "s"),),
    "elder_couple": ((60, 86, 1, "a"), (60, 86, 2, "a")),
    "adult_couple": ((24, 64, 1, "a"), (24, 64, 2, "a")),
    "parents_child": ((25, 50, 1, "a"), (25, 50, 2, "a"), (0, 22, 0, "c")),
    "parents_grown_child": ((46, 64, 1, "a"), (46, 64, 2, "a"), (18, 34, 0, "c")),
    "parents_children": ((28, 52, 1, "a"), (28, 52, 2, "a"), (0, 20, 0, "c"), (0, 20, 0, "c")),
    "three_generations": (
        (30, 50, 1, "a"),
        (30, 50, 2, "a"),
        (0, 22, 0, "c"),
        (56, 84, 1, "e"),
        (56, 84, 2, "e"),
    ),
    "couple_with_elder": ((42, 64, 1, "a"), (42, 64, 2, "a"), (68, 94, 2, "e")),
}


@dataclass(frozen=True)
class People:
    """People of one or more neighbourhoods, one entry a person; days count from the start, -1 is never."""

    #: province-wide
    index: Ints
    #: 1 male, 2 female
    sex: Ints
    #: negative for all who were born before the start
    birth_day: Ints
    #: 310 or 390
    insutype: Ints
    #: index into `PERSON_TYPES`
    psn_type: Ints
    #: index into the districts of `Places`
    district: Ints
    cell: Ints
    urban: Flags
    #: from another province
    elsewhere: Flags
    #: province-wide: index of the household's first person
    household: Ints
    #: index of husband or wife, -1 none
    spouse: Ints
    #: an adult of the household who could collect for this person, -1 none
    carer: Ints
    home_lat: Floats
    home_lon: Floats
    #: number of the phone: index of the person it belongs to
    phone: Ints
    #: number of the address: the household's, or that of a home or dormitory (from `SHARED_ADDRESS`)
    address: Ints
    dormitory: Flags
    nursing_home: Flags
    #: days of entry (at or before 0 for most), of the end of payments, of death
    insured_day: Ints
    paused_day: Ints
    death_day: Ints

    def __len__(self) -> int:
        return len(self.index)

    def age(self, day: int) -> Floats:
        """Age in years on a day."""
        years: Floats = (day - self.birth_day) / _YEAR
        return years

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several neighbourhoods in one."""
        return cls(
            **{
                each.name: np.concatenate([getattr(part, each.name) for part in parts])
                for each in fields(cls)
            }
        )


def people(seed: int, settings: Settings, places: Places, members: int, cell: int) -> People:
    """The people of a neighbourhood; a pure function of its arguments."""
    rng = generator(seed, "people", cell)
    population = settings.population
    first = cell * CELL_PEOPLE
    count = min(CELL_PEOPLE, members - first)
    home = _households(rng, population.households, count)
    household = first + home["start"]
    urban = bool(places.cell_urban[cell])
    age = home["age"]
    birth_day = -np.maximum(1, (age * _YEAR).astype(np.int64))
    share = population.urban_employee_share if urban else population.rural_employee_share
    psn_type = _insurance(rng, age, home["sex"], share)
    elsewhere = (rng.random(count) < population.elsewhere_share) & (age >= 18)
    flat = KM_PER_DEGREE * np.cos(np.radians(places.cell_lat[cell]))
    spread = 0.9 if urban else 2.2
    lat = places.cell_lat[cell] + rng.normal(0, spread, count)[home["start"]] / KM_PER_DEGREE
    lon = places.cell_lon[cell] + rng.normal(0, spread, count)[home["start"]] / flat
    far = rng.integers(int(places.cell_district.max()) + 1, len(places.district_code), count)
    district = np.where(elsewhere, far, places.cell_district[cell])
    dormitory = (age >= 18) & (age < 23) & (rng.random(count) < population.dormitory_share) & urban
    nursing_home = (age >= 78) & (rng.random(count) < population.nursing_home_share)
    address = household.copy()
    for lives_there, size, shift in (
        (dormitory, _DORMITORY_PEOPLE, 0),
        (nursing_home, _HOME_PEOPLE, 1),
    ):
        number = np.cumsum(lives_there) // size
        address = np.where(lives_there, SHARED_ADDRESS + cell * 256 + 2 * number + shift, address)
    alone = dormitory | nursing_home
    index = first + np.arange(count)
    insured_day = -rng.integers(60, 4000, count)
    young = (age < 2) | (psn_type != RETIRED) & (rng.random(count) < 0.5)
    share = population.entry_rate * _ENTRY_YEARS / max(float(young.mean()), 0.1)
    enters = young & (rng.random(count) < share)
    entry = rng.integers(1, round(_ENTRY_YEARS * _YEAR), count)
    insured_day = np.where(enters, entry, insured_day)
    born = enters & (age < 2)
    birth_day = np.where(born, insured_day - rng.integers(5, 60, count), birth_day)
    pause = rng.exponential(_YEAR / population.pause_rate, count).astype(np.int64)
    death = _death_days(rng, settings, age)
    owns = (age >= 14) & (rng.random(count) < np.where(age < 75, population.own_phone_share, 0.45))
    phone = np.where(owns | alone, index, household)
    spouse = np.where(home["spouse"] >= 0, first + home["spouse"], -1)
    phone = _with_spouses(rng, population, spouse, phone, (age > 40) & (home["sex"] == 2) & ~alone)
    if not urban:
        phone = _with_clerks(rng, population, age, phone, index, (age > 62) & ~owns & ~alone)
    return People(
        index=index,
        sex=home["sex"],
        birth_day=birth_day,
        insutype=np.where(psn_type <= RETIRED, EMPLOYEE, RESIDENT_INSURANCE),
        psn_type=psn_type,
        district=district,
        cell=np.full(count, cell),
        urban=np.full(count, urban),
        elsewhere=elsewhere,
        household=household,
        spouse=spouse,
        carer=np.where((home["carer"] >= 0) & ~alone, first + home["carer"], -1),
        home_lat=np.round(np.where(elsewhere, places.district_lat[district], lat), 2).astype(
            np.float64
        ),
        home_lon=np.round(np.where(elsewhere, places.district_lon[district], lon), 2).astype(
            np.float64
        ),
        phone=phone,
        address=address,
        dormitory=dormitory,
        nursing_home=nursing_home,
        insured_day=insured_day,
        paused_day=np.where((pause < _HORIZON) & (psn_type != RETIRED), pause + 1, -1),
        death_day=np.where(death < _HORIZON, death + 1, -1),
    )


def _with_spouses(
    rng: np.random.Generator, population: Population, spouse: Ints, phone: Ints, may: Flags
) -> Ints:
    """The phones, some wives having their e-voucher on the husband's."""
    shares = may & (spouse >= 0) & (rng.random(len(phone)) < population.spouse_phone_share)
    shared: Ints = np.where(shares, spouse, phone)
    return shared


def _with_clerks(
    rng: np.random.Generator,
    population: Population,
    age: Floats,
    phone: Ints,
    index: Ints,
    may: Flags,
) -> Ints:
    """The phones of the country, some villages' clerks having registered old people on their own."""
    village = (index - index[0]) // _VILLAGE_PEOPLE
    able = np.flatnonzero((age > 28) & (age < 58) & (phone == index))
    if not len(able):
        return phone
    clerk = able[np.searchsorted(able, np.unique(village) * _VILLAGE_PEOPLE + 20) % len(able)]
    has = rng.random(len(clerk)) < population.clerk_share
    registered = may & has[village] & (rng.random(len(phone)) < population.clerk_registers)
    found: Ints = np.where(registered, index[clerk[village]], phone)
    return found


def _households(
    rng: np.random.Generator, shares: dict[str, float], count: int
) -> dict[str, npt.NDArray[Any]]:
    """Ages, sexes and kinship, household after household, for so many people."""
    kinds = [_HOUSEHOLDS[name] for name in shares]
    sizes = np.array([len(kind) for kind in kinds])
    widest = int(sizes.max())
    slots = np.zeros((len(kinds), widest, 3), np.int64)
    roles = np.full((len(kinds), widest), " ")
    for number, kind in enumerate(kinds):
        slots[number, : len(kind)] = [slot[:3] for slot in kind]
        roles[number, : len(kind)] = [slot[3] for slot in kind]
    drawn = pick(rng, list(shares.values()), count)
    starts = np.cumsum(sizes[drawn]) - sizes[drawn]
    drawn, starts = drawn[starts < count], starts[starts < count]
    kind_of = np.repeat(drawn, sizes[drawn])[:count]
    start = np.repeat(starts, sizes[drawn])[:count]
    slot = np.arange(count) - start
    low, high, sex = np.moveaxis(slots[kind_of, slot], 1, 0)
    role = roles[kind_of, slot]
    # Members of a couple are of about the same age: they share the draw of the household.
    shared = rng.random(count)[start]
    couple = (role == "a") | (role == "e")
    chance = np.where(couple, shared, rng.random(count))
    age = low + chance * (high - low + 0.999) + couple * np.abs(rng.normal(0, 2.0, count))
    # Among the old more are women: they outlive the men.
    either = np.where(rng.random(count) < 0.49 - 0.006 * np.maximum(age - 65, 0), 1, 2)
    before = np.concatenate([role[:0], role[1:], [" "]])
    has_next = (np.concatenate([start[1:], [-1]]) == start) & (before == role) & couple
    has_last = np.concatenate([[False], has_next[:-1]])
    position = np.arange(count)
    spouse = np.where(has_next & (sex == 1), position + 1, np.where(has_last, position - 1, -1))
    # The wife of the household's first couple looks after the others; she herself has her husband.
    adult = (start + 1 < count) & (roles[kind_of, np.minimum(1, widest - 1)] == "a")
    carer = np.where(adult, np.where(slot == 1, start, start + 1), -1)
    return {
        "start": start,
        "sex": np.where(sex == 0, either, sex),
        "age": age,
        "spouse": np.where(spouse < count, spouse, -1),
        "carer": np.where(carer < count, carer, -1),
    }


def _insurance(rng: np.random.Generator, age: Floats, sex: Ints, share: float) -> Ints:
    """Who is insured as what; men retire at 60, women at 55 (before the reform of 2025 takes hold)."""
    employee = (age >= 22) & (rng.random(len(age)) < share * 1.25)
    retired = age >= np.where(sex == 1, 60, 55)
    pupil = (age < 18) | ((age < 23) & (rng.random(len(age)) < 0.6))
    kinds: Ints = np.where(
        employee, np.where(retired, RETIRED, WORKER), np.where(pupil, STUDENT_CHILD, RESIDENT)
    )
    return kinds


def _death_days(rng: np.random.Generator, settings: Settings, age: Floats) -> Ints:
    """Days of death by Gompertz's law, from the age at the start."""
    population = settings.population
    slope = np.log(2) / population.death_rate_doubling_years
    rate = population.death_rate_at_65 * np.exp(slope * (age - 65))
    years = np.log1p(rng.exponential(1.0, len(age)) * slope / rate) / slope
    days: Ints = np.minimum(years * _YEAR, 10.0 * _HORIZON).astype(np.int64)
    return days
