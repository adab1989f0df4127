"""Frauds from inside a hospital: staff who hoard cards, and certificates arranged with a doctor.

Whoever hoards enters prescriptions on duty, in quiet minutes, under the login of a colleague at hand; a
doctor in league prescribes on the days on which he works.
"""

import numpy as np

from jobs.province.arrays.days import DAY, weekdays
from jobs.province.arrays.draws import Ints, generator
from jobs.province.arrays.sampling import rank_within
from jobs.province.gangs.at_work import GangAtWork
from jobs.province.gangs.gangs import STAFF_HOARD
from jobs.province.gangs.outings import (
    Outings,
    days_for,
    with_colluders,
)
from jobs.province.people.neighbours import hour_lists

#: colleagues whose logins are used
_LOGINS = 4
_QUIET_HOURS = np.array([7, 11, 12, 12, 13, 16, 17])
#: cards of one sitting, on average
_SITTING = 2.5


def outings(rng: np.random.Generator, gang: GangAtWork, first: int, after: int) -> Outings:
    """The visits of a month."""
    return with_colluders(rng, gang, first, after, _inside)


def _inside(
    rng: np.random.Generator, gang: GangAtWork, card: Ints, row: Ints, first: int, after: int
) -> Outings:
    places = gang.province.places
    count = len(card)
    institution = gang.colluders.institution[row]
    # The careful enter one card at a time.
    size = 1 + (_SITTING - 1) * (1 - gang.skill(first))
    sittings = max(1, round(count / size))
    day = days_for(rng, gang, card, first, after)
    sitting = rng.integers(0, sittings, count)
    _, leader, which = np.unique(sitting, return_index=True, return_inverse=True)
    led = leader[which]
    meets = (gang.cards.from_day[card] <= day[led]) & (day[led] < gang.cards.to_day[card])
    led = np.where(meets, led, np.arange(count))
    day = day[led]
    sort = places.sort[institution]
    quiet = rng.choice(_QUIET_HOURS, count)
    is_quiet = rng.random(count) < gang.habits.habits.after_hours * 2
    hour = np.where(is_quiet, quiet, hour_lists().one(sort, rng.random(count)))[led]
    start = day * DAY + hour * 3600 + rng.integers(0, 3000, count)[led]
    time = start + rank_within(led) * rng.integers(60, 300, count)
    if gang.typology == STAFF_HOARD:
        doctor, terminal = _logins(rng, gang, institution, day, led)
    else:
        doctor, terminal = _doctor_in_league(gang, day), np.full(count, -1)
    return Outings(card, institution, time, doctor, terminal)


def _doctor_in_league(gang: GangAtWork, day: Ints) -> Ints:
    """The doctor in league on working days, whoever is there on the others."""
    doctors = gang.colluders.doctor[gang.colluders.doctor >= 0]
    if not len(doctors):
        return np.full(len(day), -1)
    doctor = doctors[0]
    workdays = gang.province.places.doctor_workdays[doctor]
    works = (workdays >> weekdays(gang.province.settings, day)) & 1 == 1
    chosen: Ints = np.where(works, doctor, -1)
    return chosen


def _logins(
    rng: np.random.Generator, gang: GangAtWork, institution: Ints, day: Ints, sitting: Ints
) -> tuple[Ints, Ints]:
    """A colleague's login and the terminal near the ward, the same for all cards of a sitting."""
    places = gang.province.places
    if not len(institution):
        return institution, institution
    own = generator(gang.province.seed, "logins", gang.number)
    doctors = np.array(places.doctors_of(int(institution[0])), np.int64)
    if not len(doctors):
        return np.full(len(day), -1), np.full(len(day), -1)
    logins = own.choice(doctors, min(_LOGINS, len(doctors)), replace=False)
    terminal = int(own.integers(places.terminals[institution[0]]))
    doctor = logins[rng.integers(0, len(logins), len(day))][sitting]
    works = (places.doctor_workdays[doctor] >> weekdays(gang.province.settings, day)) & 1 == 1
    near = rng.random(len(day))[sitting] < 0.7
    return np.where(works, doctor, -1), np.where(near, terminal, -1)
