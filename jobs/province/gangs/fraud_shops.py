"""Gangs with a pharmacy or a village doctor of their own: large rings, remote vouchers, swapped codes.

What is settled there needs no customer: it is entered in batches, by the clumsy late in the evening, by
the careful spread over the hours in which the shop is open.
"""

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Ints
from jobs.province.arrays.sampling import rank_within
from jobs.province.gangs.at_work import GangAtWork
from jobs.province.gangs.outings import (
    Outings,
    days_for,
    with_colluders,
)
from jobs.province.people.neighbours import hour_lists

#: settlements of a batch, on average
_BATCH = 3.5
#: closing time and the hours before it, when nobody looks
_LATE_HOURS = (18, 21)
_MINUTE = 60


def outings(rng: np.random.Generator, gang: GangAtWork, first: int, after: int) -> Outings:
    """The visits of a month."""
    return with_colluders(rng, gang, first, after, _batches)


def _batches(
    rng: np.random.Generator, gang: GangAtWork, card: Ints, row: Ints, first: int, after: int
) -> Outings:
    """Settlements entered by those in league, some after hours one after the other."""
    count = len(card)
    institution = gang.colluders.institution[row]
    day = days_for(rng, gang, card, first, after)
    careful = gang.skill(first)
    late = rng.random(count) < gang.habits.habits.after_hours * (1 - careful)
    # A batch is what falls on one evening at one place: days are made to coincide.
    batches = max(1, round(late.sum() / _BATCH))
    leader = np.flatnonzero(late)[:batches]
    if len(leader):
        led = leader[rng.integers(0, len(leader), count)]
        meets = late & (day[led] >= gang.cards.from_day[card])
        meets &= day[led] < gang.cards.to_day[card]
        day = np.where(meets, day[led], day)
    sort = gang.province.places.sort[institution]
    hour = hour_lists().one(sort, rng.random(count))
    time = day * DAY + hour * 3600 + rng.integers(0, 3600, count)
    evening = institution * 10_000 + day
    start = rng.integers(_LATE_HOURS[0] * 3600, _LATE_HOURS[1] * 3600, count)
    _, first_of, which = np.unique(evening, return_index=True, return_inverse=True)
    step = rng.integers(_MINUTE, (2 + round(8 * careful)) * _MINUTE, count)
    queue = rank_within(np.where(late, which, -1 - np.arange(count))) * step
    time = np.where(late, day * DAY + start[first_of][which] + queue, time)
    doctor, terminal = np.full(count, -1), np.full(count, -1)
    return Outings(card, institution, time, doctor, terminal)
