"""Honest people who are at one place at one time, and those who go from doctor to doctor."""

import numpy as np
import pytest

from jobs.province.arrays.days import DAY, weekdays
from jobs.province.arrays.shapes import DRUG, MATERIAL, joined
from jobs.province.care.care import care
from jobs.province.care.catalogue import CATALOGUE, DIAGNOSES
from jobs.province.people.benign import BENIGN_TYPES, COURSES
from jobs.province.settings import load_settings
from jobs.province.world import World

SETTINGS = load_settings("conf/simulation/province.yaml")
HALF_A_YEAR = 6


@pytest.fixture(scope="module")
def here():
    return World(11, SETTINGS, 100_000).neighbours(range(6))


@pytest.fixture(scope="module")
def events(here):
    return joined([care(here, month) for month in range(HALF_A_YEAR)])


@pytest.fixture(scope="module")
def who(here, events):
    return events.visits.person - here.first


def people_of(here, word):
    return here.habits.looks[here.habits.type_of == BENIGN_TYPES.index(word)]


def test_shares_of_honest_crowds_are_those_of_the_settings(here):
    grown = here.people.age(0) > 18
    for word, share, among in (
        ("night_clinic", SETTINGS.benign.night_clinic, grown),
        ("herbal_course", SETTINGS.benign.herbal_course, here.people.age(0) > 12),
        ("infusion_course", SETTINGS.benign.infusion_course, here.people.age(0) > 12),
        ("many_doctors", SETTINGS.benign.many_doctors, here.people.age(0) > 25),
    ):
        assert len(people_of(here, word)) / among.sum() == pytest.approx(share, rel=0.35), word


def test_a_dialysis_ward_has_shifts_of_the_same_people(here, events, who):
    patients = people_of(here, "dialysis_shift")
    mine = np.isin(who, patients) & (events.visits.institution == here.health.home[who])
    mine &= here.habits.hour[who] == events.visits.time // 3600 % 24
    day = events.visits.time[mine] // DAY
    assert len(patients) > 5
    assert mine.sum() / len(patients) > 0.6 * 3 * 26
    # Monday, Wednesday, Friday or Tuesday, Thursday, Saturday: never both for one person.
    weekday = weekdays(SETTINGS, day)
    assert (weekday < 6).mean() > 0.98
    odd = np.bincount(who[mine], weekday % 2, len(here.people))[patients]
    count = np.bincount(who[mine], minlength=len(here.people))[patients]
    share = odd[count > 20] / count[count > 20]
    assert ((share < 0.2) | (share > 0.8)).mean() > 0.9


def test_a_bus_brings_people_to_one_hospital_in_one_hour(here, events, who):
    riders = people_of(here, "shuttle_bus")
    group = here.health.group[riders]
    bus, size = np.unique(group, return_counts=True)
    assert size.max() >= 8
    mine = riders[group == bus[np.argmax(size)]]
    visits = events.visits.take(
        np.isin(who, mine) & (events.visits.institution == here.health.home[who])
    )
    visits = visits.take(visits.time // 3600 % 24 >= here.habits.hour[mine[0]])
    _, at_once = np.unique(visits.time // DAY, return_counts=True)
    assert at_once.max() >= 5


def test_someone_collects_for_neighbours_of_several_households(here, events, who):
    fetched = people_of(here, "neighbour_carer")
    fetched = fetched[here.habits.proxy[fetched] >= 0]
    carer = here.habits.proxy[fetched]
    households = [
        len(np.unique(here.people.household[fetched[carer == one]])) for one in np.unique(carer)
    ]
    assert np.median(households) >= 3


def test_neighbours_with_a_certificate_share_a_doctor(here):
    rows = people_of(here, "shared_doctor")
    leader = here.habits.doctor_of[rows]
    _, size = np.unique(leader, return_counts=True)
    assert size.max() <= 4
    assert np.median(size) >= 2
    assert (here.health.certificate[rows] >= 0).all()


def test_a_shift_goes_to_the_clinic_of_its_factory_when_it_ends(here, events, who):
    rows = people_of(here, "factory_shift")
    mine = np.isin(who, rows) & (events.visits.institution == here.habits.clinic[who])
    hour = events.visits.time[mine] // 3600 % 24
    # By chance it would be half of them.
    assert np.isin(hour, (7, 8, 11, 12, 13, 15, 16)).mean() > 0.62
    crowd, day = here.habits.crowd[who[mine]], events.visits.time[mine] // DAY
    _, together = np.unique(crowd * 4096 + day, return_counts=True)
    assert together.max() >= 4


def test_who_tries_many_doctors_sees_many(here, events, who):
    outpatient = events.visits.stay == 0
    pairs = np.unique(who[outpatient] * (1 << 20) + events.visits.institution[outpatient]) >> 20
    seen = np.bincount(pairs, minlength=len(here.people))
    tries = people_of(here, "many_doctors")
    assert seen[tries].mean() > 3 * seen.mean()


def test_courses_begin_and_end(here, events, who):
    for word in COURSES:
        rows = people_of(here, word)
        assert len(rows) > 20, word
    infused = people_of(here, "infusion_course")
    month = events.visits.time // DAY // 30
    most = np.zeros(len(here.people), np.int64)
    person_month, count = np.unique(who * 16 + month, return_counts=True)
    np.maximum.at(most, person_month // 16, count)
    assert np.quantile(most[infused], 0.75) >= 4
    assert np.quantile(most, 0.75) <= 2


def test_half_of_the_treated_break_off_for_some_months(here, events, who):
    refills = (here.health.interval > 0) & (here.health.interval < 40)
    refills &= here.health.certificate < 0
    breaks = here.habits.breaks_off
    at_home = events.visits.institution == here.health.home[who]
    month = events.visits.time[at_home] // DAY // 30
    pairs = np.unique(who[at_home] * 16 + month) // 16
    months = np.bincount(pairs, minlength=len(here.people))
    assert 0.3 < breaks[refills].mean() < 0.6
    assert months[refills & breaks].mean() < 0.75 * months[refills & ~breaks].mean()


def test_a_new_illness_is_seen_often_and_at_several_places(here, events, who):
    rows = people_of(here, "new_treatment")
    pairs = np.unique(who * (1 << 20) + events.visits.institution) >> 20
    places = np.bincount(pairs, minlength=len(here.people))
    visits = np.bincount(who, minlength=len(here.people))
    assert visits[rows].mean() > 2 * visits.mean()
    assert places[rows].mean() > 1.7 * places.mean()


def test_some_doses_are_above_the_label(here):
    health = here.health
    rows = np.isin(health.taker, people_of(here, "double_dose")) & CATALOGUE.chronic[health.drug]
    of_label = health.boxes * CATALOGUE.days_per_box[health.drug]
    assert np.median(of_label[rows]) > 1.4 * np.median(of_label[CATALOGUE.chronic[health.drug]])


def test_stocks_are_laid_in_before_the_year_ends(here):
    hoards = np.flatnonzero(here.habits.hoards)
    boxes = []
    for month in (10, 11):
        found = care(here, month)
        drugs = found.lines.take(found.lines.item_type == DRUG)
        mine = np.isin(found.visits.person[drugs.visit] - here.first, hoards)
        boxes.append(drugs.quantity[mine].sum())
    assert boxes[1] > 1.3 * boxes[0]


def test_people_in_long_treatment_have_about_five_diagnoses_and_buy_materials(here, events, who):
    holders = np.flatnonzero(here.health.certificate >= 0)
    drugs = events.lines.take(events.lines.item_type == DRUG)
    use = np.concatenate([DIAGNOSES.use[events.visits.diagnosis], CATALOGUE.use[drugs.drug]])
    person = np.concatenate([who, who[drugs.visit]])
    pairs = np.unique(person * 128 + use) >> 7
    assert 4 <= np.median(np.bincount(pairs, minlength=len(here.people))[holders]) <= 12
    codes = np.unique(who * 4096 + events.visits.diagnosis) >> 12
    refills = np.flatnonzero((here.health.interval > 0) & (here.health.certificate < 0))
    assert np.bincount(codes, minlength=len(here.people))[refills].mean() > 2.2
    bought = np.unique(who[events.lines.visit[events.lines.item_type == MATERIAL]])
    assert np.isin(holders, bought).mean() > 0.6
