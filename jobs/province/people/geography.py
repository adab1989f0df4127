"""Where the province's people live and are treated: districts, institutions, doctors, terminals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.draws import Flags, Floats, Ints, generator, pick
from jobs.province.care.catalogue import DEPARTMENTS
from jobs.province.people.names import district_names, institution_names
from jobs.province.settings import Settings, cells

HOSPITAL, CLINIC, PHARMACY, VILLAGE = range(4)
#: `institution.inst_type`, in the order of `Places.kind`.
INSTITUTION_TYPES = ("hospital", "clinic", "pharmacy", "village")
#: Sorts of institutions as the settings name them (`PerKind`): `Places.sort` is an index into it.
SORTS = ("level_3", "level_2", "level_1", "clinic", "pharmacy", "village")
LEVEL_3, LEVEL_2, LEVEL_1, A_CLINIC, A_PHARMACY, A_VILLAGE = range(6)
_KIND = np.array([HOSPITAL, HOSPITAL, HOSPITAL, CLINIC, PHARMACY, VILLAGE])
_LEVEL = np.array([3, 2, 1, 9, 9, 9])
#: How far people go for each sort, as the distance in km that makes it e times less likely.
REACH_KM = np.array([25.0, 10.0, 4.0, 3.0, 3.0, 2.5])
#: Fewest doctors of an institution of each sort.
_FEWEST_DOCTORS = np.array([len(DEPARTMENTS), 14, 6, 1, 0, 1])
_FAR_DISTRICTS = 3
KM_PER_DEGREE = 111.2
_EVERY_DAY = 127


@dataclass(frozen=True)
class Places:
    """The province's geography; districts, institutions and doctors each in arrays of equal length."""

    district_code: npt.NDArray[np.bytes_]
    district_name: npt.NDArray[np.str_]
    district_lat: Floats
    district_lon: Floats
    #: neighbourhoods
    cell_district: Ints
    cell_lat: Floats
    cell_lon: Floats
    cell_urban: Flags
    #: institutions, those of other provinces last
    code: npt.NDArray[np.bytes_]
    name: npt.NDArray[np.str_]
    #: index into `INSTITUTION_TYPES`
    kind: Ints
    #: index into `SORTS`
    sort: Ints
    #: 1 to 3, 9 for all but hospitals
    level: Ints
    dual: Flags
    district: Ints
    lat: Floats
    lon: Floats
    visit_cap: Floats
    #: days from the start, negative for all that were there before
    contract_from: Ints
    terminals: Ints
    #: how busy it is, relative
    weight: Floats
    elsewhere: Flags
    #: doctors, sorted by institution and department
    doctor_code: npt.NDArray[np.bytes_]
    doctor_institution: Ints
    #: index into `catalogue.DEPARTMENTS`
    doctor_department: Ints
    #: bit mask, Monday 1 to Sunday 64
    doctor_workdays: Ints
    #: first doctor of each institution, and one entry more
    doctor_start: Ints

    def doctors_of(self, institution: int) -> range:
        """The doctors of an institution, as indices."""
        return range(int(self.doctor_start[institution]), int(self.doctor_start[institution + 1]))

    def doctor_for(
        self, institution: Ints, department: Ints, chance: Floats, weekday: Ints
    ) -> Ints:
        """A doctor of the department who works that day, `chance` in [0, 1) saying which; -1 where none is.

        A department that an institution does not have is taken over by any of its doctors.
        """
        keys = self.doctor_institution * len(DEPARTMENTS) + self.doctor_department
        wanted = institution * len(DEPARTMENTS) + department
        first, after = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, "right")
        absent = first == after
        first = np.where(absent, self.doctor_start[institution], first)
        after = np.where(absent, self.doctor_start[institution + 1], after)
        count = np.maximum(after - first, 1)
        turn = (chance * count).astype(np.int64)
        last = max(len(self.doctor_code) - 1, 0)
        for _ in range(4):
            off = (self.doctor_workdays[np.minimum(first + turn, last)] >> weekday) & 1 == 0
            turn = np.where(off, (turn + 1) % count, turn)
        found: Ints = np.where(after > first, first + turn, -1)
        return found


def places(seed: int, settings: Settings, members: int) -> Places:
    """The geography of a province of so many people; a pure function of its arguments."""
    rng = generator(seed, "places")
    land = _districts(rng, settings, cells(members))
    inst = _institutions(rng, settings, members, land)
    doctors = _doctors(rng, settings, members, inst["sort"], inst["weight"])
    codes = np.char.encode(land["code"], "ascii")
    order = rng.permutation(len(inst["sort"]))
    letter = np.where(inst["sort"] == A_PHARMACY, b"P", b"H")
    code = [
        b"%b%b%05d" % (letter[i], codes[inst["district"][i]], order[i] + 1)
        for i in range(len(order))
    ]
    numbers = rng.permutation(len(doctors["institution"]))
    owner = codes[inst["district"]][doctors["institution"]]
    return Places(
        district_code=codes,
        district_name=land["name"],
        district_lat=land["lat"],
        district_lon=land["lon"],
        cell_district=land["cell_district"],
        cell_lat=land["cell_lat"],
        cell_lon=land["cell_lon"],
        cell_urban=land["cell_urban"],
        code=np.array(code),
        name=institution_names(rng, inst["sort"], land["name"][inst["district"]]),
        kind=_KIND[inst["sort"]],
        sort=inst["sort"],
        level=_LEVEL[inst["sort"]],
        dual=inst["dual"],
        district=inst["district"],
        lat=np.round(inst["lat"], 2),
        lon=np.round(inst["lon"], 2),
        visit_cap=np.array(settings.geography.visit_cap.numbers())[inst["sort"]],
        contract_from=inst["contract_from"],
        terminals=inst["terminals"],
        weight=inst["weight"],
        elsewhere=inst["elsewhere"],
        doctor_code=np.array([b"D%b%07d" % (o, n) for o, n in zip(owner, numbers, strict=True)]),
        doctor_institution=doctors["institution"],
        doctor_department=doctors["department"],
        doctor_workdays=doctors["workdays"],
        doctor_start=doctors["start"],
    )


def distance_km(lat_1: Floats, lon_1: Floats, lat_2: Floats, lon_2: Floats) -> Floats:
    """Distance on a flat map, exact to a per cent within a province."""
    east = (lon_1 - lon_2) * np.cos(np.radians(lat_1))
    km: Floats = KM_PER_DEGREE * np.hypot(lat_1 - lat_2, east)
    return km


def attraction(places: Places, cell: int, sort: int) -> tuple[Ints, Floats]:
    """The province's institutions of a sort, and how much each draws the people of a neighbourhood."""
    found = np.flatnonzero((places.sort == sort) & ~places.elsewhere)
    far = distance_km(
        places.lat[found], places.lon[found], places.cell_lat[cell], places.cell_lon[cell]
    )
    drawn: Floats = places.weight[found] * (np.exp(-far / REACH_KM[sort]) + 1e-9)
    return found, drawn


def _districts(
    rng: np.random.Generator, settings: Settings, count: int
) -> dict[str, npt.NDArray[Any]]:
    """Districts here and elsewhere, and the neighbourhoods with the district that each lies in."""
    geography = settings.geography
    here = max(1, min(count, max(4, count // geography.cells_per_district)))
    angle, radius = rng.random(here) * 2 * np.pi, geography.radius_km * np.sqrt(rng.random(here))
    radius[0] = 0.0
    lat = geography.latitude + radius * np.sin(angle) / KM_PER_DEGREE
    flat = KM_PER_DEGREE * np.cos(np.radians(geography.latitude))
    lon = geography.longitude + radius * np.cos(angle) / flat
    size = np.exp(rng.normal(0, 0.4, here) - radius / geography.radius_km)
    district = np.concatenate([np.arange(here), pick(rng, size, count - here)])
    spread = 2.0 + 4.0 * radius[district] / geography.radius_km
    remote = radius[district] + rng.normal(0, 8, count)
    urban = np.argsort(np.argsort(remote)) < round(geography.urban_share * count)
    others = geography.other_prefixes
    away, turn = rng.uniform(180, 700, len(others)), rng.random(len(others)) * 2 * np.pi
    code = [f"{geography.prefix}01{number + 1:02d}" for number in range(min(here, 99))]
    code += [
        f"{geography.prefix}{2 + number // 99:02d}{number % 99 + 1:02d}"
        for number in range(here - 99)
    ]
    code += [f"{prefix}{k + 1:02d}01" for prefix in others for k in range(_FAR_DISTRICTS)]
    far = len(others) * _FAR_DISTRICTS
    shift = rng.normal(0, 0.5, (2, far))
    return {
        "code": np.array(code),
        "name": district_names(rng, here + far),
        "lat": np.concatenate(
            [lat, geography.latitude + np.repeat(away * np.sin(turn) / KM_PER_DEGREE, 3) + shift[0]]
        ),
        "lon": np.concatenate(
            [lon, geography.longitude + np.repeat(away * np.cos(turn) / flat, 3) + shift[1]]
        ),
        "here": np.arange(here),
        "cell_district": district,
        "cell_lat": lat[district] + rng.normal(0, spread) / KM_PER_DEGREE,
        "cell_lon": lon[district] + rng.normal(0, spread) / flat,
        "cell_urban": urban,
    }


def _institutions(
    rng: np.random.Generator, settings: Settings, members: int, land: dict[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Institutions near the neighbourhoods: hospitals in towns, village doctors in the country."""
    geography = settings.geography
    per_100k = np.array(geography.institutions_per_100k.numbers())
    least = np.array(geography.institutions_at_least.numbers()).astype(np.int64)
    counts = np.maximum(least, np.round(per_100k * members / 1e5).astype(np.int64))
    sort = np.repeat(np.arange(len(SORTS)), counts)
    urban = land["cell_urban"]
    in_town = np.where(urban, 1.0, 0.25)[None, :]
    likely = np.array([[3.0], [1.5], [1.0], [2.0], [1.5], [0.0]]) * in_town + np.array(
        [[0.0], [0.3], [0.6], [0.3], [0.3], [1.0]]
    ) * np.where(urban, 0.02, 1.0)
    cell = np.concatenate([pick(rng, likely[s], counts[s]) for s in range(len(SORTS))])
    near = rng.normal(0, 1.5, (2, len(sort))) / KM_PER_DEGREE
    far = max(10, round(geography.elsewhere_share * len(sort)))
    far_sort = np.array([A_PHARMACY, LEVEL_3, A_CLINIC])[pick(rng, [0.65, 0.2, 0.15], far)]
    home = len(land["here"])
    far_district = rng.integers(home, len(land["code"]), far)
    every = np.concatenate([sort, far_sort])
    busy = np.array(geography.visits_weight.numbers())[every] * rng.lognormal(0, 0.6, len(every))
    scale = np.array([9.0, 4.0, 2.0, 1.0, 1.0, 1.0])[every]
    return {
        "sort": every,
        "district": np.concatenate([land["cell_district"][cell], far_district]),
        "lat": np.concatenate(
            [land["cell_lat"][cell] + near[0], land["lat"][far_district] + rng.normal(0, 0.1, far)]
        ),
        "lon": np.concatenate(
            [land["cell_lon"][cell] + near[1], land["lon"][far_district] + rng.normal(0, 0.1, far)]
        ),
        "weight": busy,
        "dual": (every == A_PHARMACY) & (rng.random(len(every)) < geography.dual_channel_share),
        "terminals": np.maximum(1, np.round(scale * rng.lognormal(0, 0.3, len(every)))).astype(int),
        "contract_from": -rng.integers(30, 5000, len(every)),
        "elsewhere": np.arange(len(every)) >= len(sort),
    }


def _doctors(
    rng: np.random.Generator, settings: Settings, members: int, sort: Ints, weight: Floats
) -> dict[str, npt.NDArray[Any]]:
    """Doctors by institution and department, every department of a large hospital at least once."""
    total = settings.geography.doctors_per_1000 * members / 1000
    busy = np.where(sort == A_PHARMACY, 0.0, weight)
    count = np.maximum(_FEWEST_DOCTORS[sort], np.round(total * busy / busy.sum()).astype(np.int64))
    institution = np.repeat(np.arange(len(sort)), count)
    turn = np.arange(len(institution)) - np.repeat(np.cumsum(count) - count, count)
    size = np.array([0.12, 0.08, 0.06, 0.05, 0.05, 0.05, 0.03, 0.04, 0.02, 0.02, 0.02, 0.1, 0.07])
    wide = np.concatenate([size, np.full(len(DEPARTMENTS) - len(size), 0.04)])
    department = np.where(
        turn < len(DEPARTMENTS), turn % len(DEPARTMENTS), pick(rng, wide, len(institution))
    )
    # A community centre has general doctors and one for Chinese medicine, a village room only the first.
    small = np.where(turn == 1, DEPARTMENTS.index("tcm"), 0)
    department = np.where(sort[institution] >= LEVEL_1, small, department)
    order = np.lexsort((department, institution))
    is_hospital = sort[institution] <= LEVEL_1
    days = np.array([0b0011111, 0b0011111, 0b0111110, 0b1110101, 0b1011011, 0b1101110])
    workdays = np.where(
        is_hospital, days[rng.integers(0, len(days), len(institution))], _EVERY_DAY - 64
    )
    return {
        "institution": institution,
        "department": department[order],
        "workdays": np.where(rng.random(len(institution)) < 0.1, _EVERY_DAY, workdays),
        "start": np.concatenate([[0], np.cumsum(count)]),
    }
