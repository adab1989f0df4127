"""What honest people have done in a month: refills, acute visits, courses, stays, put together and made possible."""

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags
from jobs.province.arrays.shapes import INPATIENT, Events, joined
from jobs.province.care.acute import acute_visits
from jobs.province.care.courses import course_visits
from jobs.province.care.fees import kept
from jobs.province.care.refills import refills
from jobs.province.care.stays import in_bed, stay_bills
from jobs.province.people.neighbours import Neighbours, services_lists


def care(here: Neighbours, month: int) -> Events:
    """The honest visits of a month with their lines, sorted by visit.

    Some lie in the month after: those who are discharged or come late. The first month has those of the
    month before the province's start, too.
    """
    events = _planned(here, month)
    if month == 0:
        before = _planned(here, -1)
        events = joined([kept(before, before.visits.time >= 0), events])
    return events


def _planned(here: Neighbours, month: int) -> Events:
    services = services_lists(here.settings.care.refill_services)
    events = joined(
        [
            refills(here, month, services),
            acute_visits(here, month, services),
            course_visits(here, month, services),
            stay_bills(here, month, services),
        ]
    )
    return kept(events, _possible(here, month, events))


def _possible(here: Neighbours, month: int, events: Events) -> Flags:
    """Visits of people who are alive, insured and not in bed elsewhere."""
    visits, people = events.visits, here.people
    who = visits.person - here.first
    begin = visits.time // DAY - visits.stay
    day = visits.time // DAY
    never = np.iinfo(np.int64).max
    last = np.where(people.death_day < 0, never, people.death_day)
    last = np.minimum(last, np.where(people.paused_day < 0, never, people.paused_day))
    possible: Flags = (begin >= people.insured_day[who]) & (day < last[who])
    possible &= (visits.med_type == INPATIENT) | ~in_bed(here, month, who, visits.time)
    return possible
