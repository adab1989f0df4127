"""What clerks enter wrongly: the hour of a visit, or the terminal."""

from dataclasses import replace

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Ints, generator
from jobs.province.arrays.shapes import INPATIENT, Events
from jobs.province.people.geography import Places

#: Hours that a wrong entry has, from and below.
_HOURS = (8, 20)


def with_wrong_entries(
    seed: int, places: Places, unit: int, month: int, events: Events, share: float
) -> tuple[Events, Ints]:
    """The events, some visits of the day having a wrong hour or terminal, and the rows of these visits.

    Args:
        seed: the province's.
        places: the institutions.
        unit: a neighbourhood or a gang.
        month: counted from the start.
        events: of the unit and month.
        share: of visits.
    """
    visits = events.visits
    rng = generator(seed, "desks", unit, month)
    size = len(visits)
    wrong = (rng.random(size) < share) & (visits.med_type != INPATIENT)
    by_hour = rng.random(size) < 0.5
    hour = rng.integers(*_HOURS, size)
    time = visits.time // DAY * DAY + hour * 3600 + visits.time % 3600
    terminal = (rng.random(size) * places.terminals[visits.institution]).astype(np.int64)
    entered = replace(
        visits,
        time=np.where(wrong & by_hour, time, visits.time),
        terminal=np.where(wrong & ~by_hour, terminal, visits.terminal),
    )
    return Events(entered, events.lines), np.flatnonzero(wrong)
