"""Institutions and doctors that gangs rely on, and where they take their cards."""

import numpy as np

from jobs.province.arrays.draws import Floats, Ints, pick
from jobs.province.gangs.gangs import (
    CERTIFICATE_ABUSE,
    CODE_SWAP,
    DOCTOR_ROLE,
    NO_ROLE,
    PHARMACY_RING,
    PHARMACY_ROLE,
    REMOTE_VOUCHER,
    STAFF_HOARD,
    Colluders,
)
from jobs.province.people.geography import (
    A_CLINIC,
    A_PHARMACY,
    A_VILLAGE,
    LEVEL_1,
    LEVEL_2,
    LEVEL_3,
    Places,
    attraction,
)

#: a ring of at least this size has two stores [cn]
_TWO_STORES = 25
_WITH_DOCTOR = {PHARMACY_RING: 0.3, STAFF_HOARD: 0.25, CERTIFICATE_ABUSE: 1.0, CODE_SWAP: 0.7}
_SMALL_PHARMACY_POWER = -0.5


def nearby(
    rng: np.random.Generator, places: Places, cell: int, sorts: tuple[int, ...], count: int
) -> Ints:
    """Institutions near a neighbourhood, of the first of the sorts that there is, drawn by size and nearness."""
    for sort in sorts:
        found, drawn = attraction(places, cell, sort)
        if len(found):
            key = np.log(drawn + 1e-300) + rng.gumbel(size=len(found))
            nearest: Ints = found[np.argsort(-key)[:count]]
            return nearest
    return np.flatnonzero(~places.elsewhere)[:count]


def certifier(rng: np.random.Generator, places: Places, cell: int) -> tuple[int, int]:
    """A hospital that certifies special diseases, and the doctor who does."""
    hospital = int(nearby(rng, places, cell, (LEVEL_3, LEVEL_2, LEVEL_1, A_CLINIC), 1)[0])
    return hospital, _doctor(rng, places, hospital)


def venues(
    rng: np.random.Generator,
    places: Places,
    typology: int,
    cell: int,
    size: int,
    certifying: tuple[int, int],
) -> list[tuple[int, int, int]]:
    """Institution, doctor (-1 is the institution itself) and role of all that a gang relies on.

    The role is `NO_ROLE` for a hospital that knows nothing of what its staff do.
    """
    relied: list[tuple[int, int, int]] = []
    if typology == PHARMACY_RING:
        stores = nearby(rng, places, cell, (A_PHARMACY, A_CLINIC), 2 if size >= _TWO_STORES else 1)
        relied = [(int(store), -1, PHARMACY_ROLE) for store in stores]
        hospital = int(nearby(rng, places, cell, (LEVEL_1, LEVEL_2, A_CLINIC), 1)[0])
    elif typology == REMOTE_VOUCHER:
        found, _ = attraction(places, cell, A_PHARMACY)
        found = found if len(found) else np.flatnonzero(~places.elsewhere)
        # A small shop somewhere: nobody has to be able to come.
        store = found[pick(rng, places.weight[found] ** _SMALL_PHARMACY_POWER, 1)[0]]
        return [(int(store), -1, PHARMACY_ROLE)]
    elif typology == CODE_SWAP:
        store = nearby(rng, places, cell, (A_PHARMACY, A_CLINIC), 1)[0]
        relied = [(int(store), -1, PHARMACY_ROLE)]
        hospital = int(nearby(rng, places, cell, (A_VILLAGE, A_CLINIC, LEVEL_1), 1)[0])
    elif typology == STAFF_HOARD:
        hospital = int(nearby(rng, places, cell, (LEVEL_2, LEVEL_3, LEVEL_1, A_CLINIC), 1)[0])
        relied = [(hospital, -1, NO_ROLE)]
    elif typology == CERTIFICATE_ABUSE:
        hospital = certifying[0]
        relied = [(hospital, -1, NO_ROLE)]
    else:
        return []
    if rng.random() < _WITH_DOCTOR[typology]:
        doctor = certifying[1] if typology == CERTIFICATE_ABUSE else _doctor(rng, places, hospital)
        if doctor >= 0:
            relied.append((hospital, doctor, DOCTOR_ROLE))
    return relied


def colluders(
    gang: int, relied: list[tuple[int, int, int]], from_day: int, to_day: int, found: Floats
) -> Colluders:
    """Rows of the plan for what one gang relies on; `found` is a chance for each, under 0.5 found."""
    rows = np.array(relied, np.int64).reshape(-1, 3)
    count = len(rows)
    return Colluders(
        gang=np.full(count, gang),
        institution=rows[:, 0],
        doctor=rows[:, 1],
        role=rows[:, 2],
        from_day=np.full(count, from_day),
        to_day=np.full(count, to_day),
        found=found[:count] < 0.5,
    )


def _doctor(rng: np.random.Generator, places: Places, institution: int) -> int:
    doctors = places.doctors_of(institution)
    return int(rng.integers(doctors.start, doctors.stop)) if len(doctors) else -1
