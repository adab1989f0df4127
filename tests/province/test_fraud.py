from dataclasses import fields, replace

import numpy as np
import pytest
from support.province_gangs import MEMBERS, at_work, gang_settings, planned, province, rows_equal

from jobs.province.arrays.days import DAY, weekdays
from jobs.province.arrays.shapes import DRUG, E_VOUCHER, SPECIAL, joined
from jobs.province.boxes.boxes import box_starts
from jobs.province.care.catalogue import ANYWHERE, CATALOGUE, DUAL_CHANNEL
from jobs.province.gangs.fraud import gang_months
from jobs.province.gangs.gangs import (
    CODE_SWAP,
    COLD_CHAIN,
    PHARMACY_RING,
    REMOTE_VOUCHER,
    RENTED_CARDS,
    STAFF_HOARD,
    TYPOLOGIES,
)
from jobs.province.people.geography import PHARMACY


@pytest.fixture(scope="module")
def events():
    return joined([each.events for each in at_work()])


def fraud_visits(events, typology=None):
    flags = events.visits.gang >= 0
    if typology is not None:
        flags &= planned().gangs.typology[np.maximum(events.visits.gang, 0)] == typology
    return flags


def test_every_typology_goes_on_visits(events):
    gangs = events.visits.gang[fraud_visits(events)]
    assert set(planned().gangs.typology[gangs]) == set(range(len(TYPOLOGIES)))


def test_a_gang_uses_its_own_cards_while_it_has_them():
    cards = planned().cards
    for each in at_work():
        visits = each.events.visits.take(each.events.visits.gang >= 0)
        mine = cards.take(cards.gang == each.gang)
        row = np.searchsorted(mine.person[np.argsort(mine.person)], visits.person)
        row = np.argsort(mine.person)[np.minimum(row, len(mine) - 1)]
        assert (mine.person[row] == visits.person).all()
        day = visits.time // DAY
        assert ((mine.from_day[row] <= day) & (day < mine.to_day[row])).all()
        first, after = province().settings.month_days(each.month)
        assert ((day >= first) & (day < after)).all()


def test_events_are_in_the_order_of_time_and_lines_in_that_of_visits():
    for each in at_work():
        assert (np.diff(each.events.visits.time) >= 0).all()
        assert (np.diff(each.events.lines.visit) >= 0).all()
        assert set(each.events.lines.visit) == set(range(len(each.events.visits)))


def test_doctors_work_where_and_when_they_prescribe(events):
    places, visits = province().places, events.visits
    seen = visits.take(visits.doctor >= 0)
    assert (places.doctor_institution[seen.doctor] == seen.institution).all()
    weekday = weekdays(province().settings, seen.time // DAY)
    works = (places.doctor_workdays[seen.doctor] >> weekday) & 1 == 1
    # As in honest care: where nobody of a small department works that day, somebody stands in.
    assert works.mean() > 0.8
    assert (visits.terminal < places.terminals[visits.institution]).all()


def test_pharmacies_sell_only_what_they_may(events):
    places, lines = province().places, events.lines.take(events.lines.item_type == DRUG)
    at = events.visits.institution[lines.visit]
    pharmacy = places.kind[at] == PHARMACY
    free = CATALOGUE.channel[lines.drug] == ANYWHERE
    free |= places.dual[at] & (CATALOGUE.channel[lines.drug] == DUAL_CHANNEL)
    assert free[pharmacy].all()
    assert (lines.quantity <= CATALOGUE.max_boxes_visit[lines.drug]).all()
    assert (lines.quantity >= 1).all()


def test_some_is_bought_for_real_illness(events):
    drugs = events.lines.take(
        (events.lines.item_type == DRUG) & fraud_visits(events)[events.lines.visit]
    )
    assert 0.03 < (drugs.misused == 0).mean() < 0.5
    assert 0.01 < ((drugs.misused > 0) & (drugs.misused < 1)).mean() < 0.3
    assert (events.lines.misused[~fraud_visits(events)[events.lines.visit]] == 0).all()


def test_visits_under_a_certificate_are_billed_as_such(events):
    cards = planned().cards
    certified = np.isin(
        events.visits.person, cards.person[(cards.own_certificate < 0) & (cards.certificate < 0)]
    )
    assert not (certified & (events.visits.med_type == SPECIAL)).any()
    assert (events.visits.med_type[fraud_visits(events)] == SPECIAL).any()


def test_typologies_differ_as_described(events):
    visits, places = events.visits, province().places

    def part(typology):
        return visits.take(fraud_visits(events, typology))

    remote, hoard = part(REMOTE_VOUCHER), part(STAFF_HOARD)
    assert (remote.certificate_type == E_VOUCHER).mean() > 0.85
    assert (places.kind[remote.institution] == PHARMACY).mean() > 0.6
    for gang in np.unique(hoard.gang):
        mine = hoard.take(hoard.gang == gang)
        _, often = np.unique(mine.institution, return_counts=True)
        assert often.max() / len(mine) > 0.6
    rented = part(RENTED_CARDS)
    pairs = np.unique(rented.person * 10_000 + rented.institution) // 10_000
    people, visits_each = np.unique(rented.person, return_counts=True)
    busy = people[visits_each >= 20]
    assert np.unique(pairs, return_counts=True)[1][np.isin(np.unique(pairs), busy)].mean() >= 3
    drugs = events.lines.take(events.lines.item_type == DRUG)
    cold = CATALOGUE.cold_chain[drugs.drug]
    mine = fraud_visits(events, COLD_CHAIN)[drugs.visit]
    assert cold[mine].mean() > 3 * cold[fraud_visits(events, PHARMACY_RING)[drugs.visit]].mean()


def test_accounts_differ_widely_and_many_look_normal(events):
    visits = events.visits.take(fraud_visits(events))
    half = visits.take(visits.time < 181 * DAY)
    _, count = np.unique(half.person, return_counts=True)
    low, middle, high = np.quantile(count, [0.25, 0.5, 0.75])
    assert middle < 40
    assert high / low > 3
    assert count.max() > 5 * middle


def test_little_is_left_after_a_case_is_opened():
    plan, here = planned(), province()
    gang = int(np.argmax((plan.gangs.open_day > 60) & (plan.gangs.open_day < 240)))
    opened = int(plan.gangs.open_day[gang])
    assert opened > 60
    days = np.concatenate(
        [each.events.visits.time // DAY for each in at_work() if each.gang == gang]
    )
    before, later = ((days >= opened - 60) & (days < opened)).sum(), (days >= opened + 60).sum()
    assert later / (360 - opened - 60) < 0.6 * before / 60
    assert here.members == MEMBERS


def test_fewer_months_are_the_first_of_more():
    here, plan = province(), planned()
    for gang in range(0, len(plan.gangs), 5):
        few = list(gang_months(here, gang_settings(), plan, gang, 4))
        many = [each for each in at_work() if each.gang == gang and each.month < 4]
        assert [each.month for each in few] == [each.month for each in many]
        for left, right in zip(few, many, strict=True):
            assert rows_equal(left.events.visits, right.events.visits)
            assert rows_equal(left.events.lines, right.events.lines)
            assert rows_equal(left.reused, right.reused)
            assert rows_equal(left.parcels, right.parcels)


def test_codes_come_back_from_boxes_of_the_same_drug_sold_before():
    drug_of, time_of, place_of = {}, {}, {}
    for each in at_work():
        lines, visits = each.events.lines, each.events.visits
        starts = box_starts(lines)
        for row in np.flatnonzero(lines.item_type == DRUG):
            for box in range(int(lines.quantity[row])):
                key = each.gang, each.month, int(starts[row]) + box
                drug_of[key] = lines.drug[row]
                time_of[key] = visits.time[lines.visit[row]]
                place_of[key] = visits.institution[lines.visit[row]]
    resold = swapped = far = 0
    for each in at_work():
        visits, lines = each.events.visits, each.events.lines
        for row in range(len(each.reused)):
            line = each.reused.line[row]
            key = (
                each.gang,
                int(each.reused.origin_month[row]),
                int(each.reused.origin_number[row]),
            )
            visit = lines.visit[line]
            assert each.reused.box[row] < lines.quantity[line]
            assert drug_of[key] == lines.drug[line]
            assert time_of[key] <= visits.time[visit]
            if visits.gang[visit] < 0:
                resold += 1
                far += province().places.elsewhere[visits.institution[visit]]
                assert visits.time[visit] - time_of[key] > 9 * DAY
            else:
                swapped += 1
                typology = planned().gangs.typology[each.gang]
                assert typology in (CODE_SWAP, PHARMACY_RING, REMOTE_VOUCHER)
    assert resold > 50
    assert swapped > 20
    assert 0.1 < far / resold < 0.7


def test_another_seed_makes_other_gangs():
    assert not rows_equal(replace(planned(1).cards), planned(2).cards.take(slice(None)))
    assert {each.name for each in fields(planned(1).cards)} >= {"person", "found"}
