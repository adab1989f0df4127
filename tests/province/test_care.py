from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from jobs.province.arrays.days import DAY, is_holiday, weekdays
from jobs.province.arrays.shapes import DRUG, INPATIENT, SPECIAL
from jobs.province.care.care import care
from jobs.province.care.catalogue import CATALOGUE, HOSPITAL_ONLY
from jobs.province.care.refills import refills
from jobs.province.care.stays import stays
from jobs.province.people.geography import PHARMACY
from jobs.province.people.neighbours import services_lists
from jobs.province.settings import load_settings
from jobs.province.world import World

SETTINGS = load_settings("conf/simulation/province.yaml")
CELLS = range(4)


@pytest.fixture(scope="module")
def here():
    return World(11, SETTINGS, 40_000).neighbours(CELLS)


@pytest.fixture(scope="module")
def months(here):
    return [care(here, month) for month in range(3)]


def test_a_month_does_not_depend_on_other_months(here, months):
    again = care(World(11, SETTINGS, 40_000).neighbours(CELLS), 2)

    assert np.array_equal(again.visits.time, months[2].visits.time)
    assert np.array_equal(again.lines.quantity, months[2].lines.quantity)


def test_nothing_of_a_month_lies_before_it(here, months):
    for month, events in enumerate(months):
        assert events.visits.time.min() >= SETTINGS.month_days(month)[0] * DAY


def test_every_visit_has_lines_and_they_follow_it(months):
    for events in months:
        assert (np.diff(events.lines.visit) >= 0).all()
        assert len(np.unique(events.lines.visit)) == len(events.visits)


def test_longer_prescriptions_come_less_often_and_hold_as_many_boxes():
    """From the day that rules change on, and not before."""
    usual, longer = (refills_by_month(since) for since in (None, date(2025, 3, 1)))

    # Of those due before the change, some come late, after it.
    first = [months[0]["visit"].n_unique() for months in (usual, longer)]
    assert first[1] == pytest.approx(first[0], rel=0.01)
    usual, longer = (pl.concat(months[3:]) for months in (usual, longer))
    assert longer["visit"].n_unique() < 0.5 * usual["visit"].n_unique()
    assert longer["boxes"].sum() == pytest.approx(usual["boxes"].sum(), rel=0.1)


def refills_by_month(since):
    """Boxes at each refill of those without a certificate, nine months: month and number of the visit."""
    changes = {"longer_from": since, "longer_share": 1.0, "longer_times": 3}
    settings = SETTINGS.model_copy(update={"care": SETTINGS.care.model_copy(update=changes)})
    here = World(11, settings, 40_000).neighbours(range(1))
    months = []
    for month in range(9):
        events = refills(here, month, services_lists(settings.care.refill_services))
        lines = pl.DataFrame(
            {
                "visit": events.lines.visit + 1_000_000 * month,
                "drug": events.lines.drug,
                "boxes": events.lines.quantity,
                "type": events.visits.med_type[events.lines.visit],
            }
        )
        months.append(lines.filter((pl.col("drug") >= 0) & (pl.col("type") != SPECIAL)))
    return months


def test_people_see_nobody_else_while_they_are_in_hospital(here, months):
    admitted = stays(here, 1)
    visits = months[1].visits
    for who, begin, end in list(zip(admitted.who, admitted.begin, admitted.end, strict=True))[:50]:
        own = (visits.person == here.people.index[who]) & (visits.med_type != INPATIENT)
        assert not ((visits.time[own] >= begin) & (visits.time[own] <= end)).any()


def test_the_dead_go_to_no_doctor(here):
    days = np.where(np.arange(len(here.people)) % 10 == 0, 5, -1)
    dead = replace(here, people=replace(here.people, death_day=days))

    visits = care(dead, 1).visits

    assert not (visits.person % 10 == 0).any()


def test_sundays_and_holidays_are_quiet(here, months):
    day = np.concatenate([events.visits.time for events in months]) // DAY
    counts = np.bincount(day[day < 90], minlength=90)
    days = np.arange(90)
    quiet = is_holiday(SETTINGS, days) | (weekdays(SETTINGS, days) == 6)

    assert counts[quiet].mean() < 0.7 * counts[~quiet].mean()


def test_refills_add_up_to_the_dose(here):
    health = here.health
    rows = np.flatnonzero((health.interval[health.taker] > 0) & (health.taken_from < 0))
    boxes = np.zeros(len(here.people))
    events = [care(here, month) for month in range(12)]
    for each in events:
        is_drug = (each.lines.item_type == DRUG) & CATALOGUE.chronic[each.lines.drug]
        who = each.visits.person[each.lines.visit[is_drug]] - here.first
        days = each.lines.quantity[is_drug] * CATALOGUE.days_per_box[each.lines.drug[is_drug]]
        boxes += np.bincount(who, days, minlength=len(boxes))
    regular = rows[CATALOGUE.chronic[health.drug[rows]]]
    due = np.bincount(
        health.taker[regular],
        health.boxes[regular] * CATALOGUE.days_per_box[health.drug[regular]] * 365,
        minlength=len(boxes),
    )
    takers = due > 300

    assert np.median(boxes[takers] / due[takers]) == pytest.approx(0.95, abs=0.15)


def test_pharmacies_dispense_no_injections(here, months):
    places = here.places
    for events in months:
        at_pharmacy = places.kind[events.visits.institution[events.lines.visit]] == PHARMACY
        drug = events.lines.drug[at_pharmacy & (events.lines.item_type == DRUG)]
        assert not (CATALOGUE.channel[drug] == HOSPITAL_ONLY).any()


def test_lines_follow_the_intensity():
    counts = {}
    for intensity in (24.0, 40.0):
        settings = load_settings("conf/simulation/province.yaml", {"intensity": intensity})
        here = World(3, settings, 100_000).neighbours(range(5))
        counts[intensity] = sum(len(care(here, month).lines) for month in range(12)) / 25_000

    assert counts[24.0] == pytest.approx(24, rel=0.12)
    assert counts[40.0] == pytest.approx(40, rel=0.12)
