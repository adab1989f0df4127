"""Inpatient stays: who is in bed from when to when, and what is billed at discharge."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from jobs.province.arrays.days import DAY, weekdays
from jobs.province.arrays.draws import Floats, Ints, generator
from jobs.province.arrays.sampling import WeightedLists, expanded
from jobs.province.arrays.shapes import INPATIENT, INSURANCE_CARD, Events, Lines, Visits
from jobs.province.care.catalogue import (
    CATALOGUE,
    CONDITIONS,
    ILLNESSES,
    SERVICES,
    USES,
    drugs_for,
)
from jobs.province.care.fees import drug_lines, ordered, service_lines
from jobs.province.care.illness import age_bands
from jobs.province.people.neighbours import (
    IN_BED,
    Neighbours,
    diagnosis_lists,
    services_index,
    services_level,
)

#: How often each age band (`catalogue.AGE_BANDS`) is in hospital, relative to all.
_BY_AGE = np.array([0.45, 0.5, 0.75, 1.7, 2.7])
_SORTS = np.array([0.36, 0.44, 0.20])
_DEPARTMENT = np.array([each.department for each in ILLNESSES])
#: Services above this price, yuan, are done once and not every day.
_ONCE = 600.0
_YEAR = 365.25


@dataclass(frozen=True)
class Stays:
    """Who is in bed: position in the people, times in seconds since the start, and what for."""

    who: Ints
    begin: Ints
    end: Ints
    days: Ints
    use: Ints


def stays(here: Neighbours, month: int) -> Stays:
    """Those admitted in a month, each once at most."""
    rng = generator(here.seed, "stays", here.unit, month)
    first, after = here.settings.month_days(month)
    rate = here.settings.care.stay_rate * here.settings.rate_factor * (after - first) / _YEAR
    band = age_bands(here.people)
    expected = rate * _BY_AGE[band] * here.health.frailty
    who = np.flatnonzero(rng.random(len(expected)) < expected)
    size = len(who)
    days = 1 + rng.gamma(1.6, (here.settings.care.stay_days - 1) / 1.6, size).astype(np.int64)
    begin = (
        rng.integers(first * DAY, after * DAY, size) // DAY * DAY + rng.integers(8, 20, size) * 3600
    )
    end = (begin // DAY + days) * DAY + rng.integers(9 * 3600, 16 * 3600, size)
    use = _reason_lists().one(band[who] * 2 + here.people.sex[who] - 1, rng.random(size))
    chronic = (here.health.main[who] >= 0) & (rng.random(size) < 0.45)
    return Stays(who, begin, end, days, np.where(chronic, here.health.main[who], use))


def in_bed(here: Neighbours, month: int, who: Ints, time: Ints) -> np.typing.NDArray[np.bool_]:
    """Whether people are in hospital at some time of a month."""
    found = np.zeros(len(who), bool)
    for admitted in (stays(here, month - 1), stays(here, month)):
        begin = np.full(len(here.people), np.iinfo(np.int64).max)
        end = np.full(len(here.people), -1)
        begin[admitted.who], end[admitted.who] = admitted.begin, admitted.end
        found |= (begin[who] <= time) & (time <= end[who])
    return found


def stay_bills(here: Neighbours, month: int, services: WeightedLists) -> Events:
    """The settlements of those admitted in a month, at the time of discharge."""
    admitted = stays(here, month)
    rng = generator(here.seed, "bills", here.unit, month)
    who, size = admitted.who, len(admitted.who)
    sort = WeightedLists.of([(np.arange(3), _SORTS)]).one(
        np.zeros(size, np.int64), rng.random(size)
    )
    institution = here.institution(who, sort, rng.random(size))
    day = admitted.begin // DAY
    visits = Visits(
        person=here.people.index[who],
        institution=institution,
        doctor=here.places.doctor_for(
            institution,
            _DEPARTMENT[admitted.use],
            rng.random(size),
            weekdays(here.settings, day),
        ),
        time=admitted.end,
        med_type=np.full(size, INPATIENT),
        diagnosis=diagnosis_lists().one(admitted.use, rng.random(size)),
        stay=admitted.days,
        certificate_type=np.full(size, INSURANCE_CARD),
        device=np.full(size, -1),
        terminal=(rng.random(size) * here.places.terminals[institution]).astype(np.int64),
        proxy=np.full(size, -1),
        relation=np.full(size, -1),
        gang=np.full(size, -1),
    )
    level = services_level(here.places, institution)
    row, service = services.included(services_index(admitted.use, level, IN_BED), rng.random(size))
    once = SERVICES.price[service] > _ONCE
    again, _ = expanded(np.where(once, 1, admitted.days[row]))
    daily = service_lines(row[again], service[again])
    drugs = _drug_lines(here, rng, admitted, institution)
    return ordered(visits, [drugs, daily])


def _drug_lines(
    here: Neighbours, rng: np.random.Generator, admitted: Stays, institution: Ints
) -> Lines:
    """What is given in bed, a few days' worth at a time, for the reason and what else there is."""
    number = 2 + rng.poisson(here.settings.care.stay_drugs * np.minimum(admitted.days / 9.0, 2.0))
    visit, _ = expanded(number)
    lists = _bed_lists()
    use = np.where(rng.random(len(visit)) < 0.6, admitted.use[visit], len(ILLNESSES))
    drug = lists.one(use, rng.random(len(visit)))
    days = np.maximum(1, admitted.days[visit] * rng.uniform(0.2, 0.8, len(visit)))
    boxes = np.ceil(days / CATALOGUE.days_per_box[drug])
    boxes = np.clip(boxes, 1, np.maximum(CATALOGUE.max_boxes_visit[drug], 1))
    days = np.where(rng.random(len(drug)) < 0.3, np.round(np.minimum(days, 90)), np.nan)
    return drug_lines(here.places, institution, visit, drug, boxes, days)


@cache
def _reason_lists() -> WeightedLists:
    """Why people are admitted, by age band and sex."""
    by_age = np.array([each.by_age for each in ILLNESSES])
    male = np.array([each.male_factor for each in ILLNESSES])
    inpatient = np.array([each.inpatient for each in ILLNESSES])
    # A chronic condition counts as a few visits a year.
    inpatient[: len(CONDITIONS)] *= 3
    rows = [
        by_age[:, band] * factor * inpatient
        for band in range(by_age.shape[1])
        for factor in (male, 2 - male)
    ]
    return WeightedLists.of([(np.arange(len(USES)), row) for row in rows])


@cache
def _bed_lists() -> WeightedLists:
    """Drugs in bed by use, and those of a surgical ward last; the dearest are rare there."""
    cost = CATALOGUE.price
    lists: list[tuple[Ints, Floats]] = []
    for use in [*range(len(ILLNESSES)), USES.index("surgery_stay")]:
        found = drugs_for(use)
        lists.append((found, CATALOGUE.weight[found] / np.maximum(cost[found] / 150.0, 1.0)))
    return WeightedLists.of(lists)
