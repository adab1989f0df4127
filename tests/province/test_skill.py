"""What careful gangs do otherwise than clumsy ones; all else is equal."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from support.province_gangs import MONTHS, SHARE, gang_settings, planned, province

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Floats
from jobs.province.arrays.shapes import DRUG, Events, joined
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.gangs.fraud import gang_months
from jobs.province.gangs.gangs import RENTED_CARDS, Plan
from jobs.province.gangs.plan import plan
from jobs.province.gangs.supply import Supply
from jobs.province.people.geography import distance_km


@dataclass(frozen=True)
class AtWork:
    plan: Plan
    events: Events

    def day_places(self):
        """How many cards of a gang were at one counter on one day."""
        visits = self.events.visits
        days = visits.time // DAY
        key = np.unique((visits.gang << 50) + (visits.institution << 36) + (days << 24), axis=0)
        pair = np.unique(np.stack([visits.gang, visits.institution, days, visits.person]), axis=1)
        return pair.shape[1] / len(key)

    def months_used(self) -> Floats:
        """The share of the months in a gang's hands in which a card is used."""
        visits = self.events.visits
        used = np.unique(visits.person * 64 + visits.time // DAY // 31)
        cards = self.plan.cards
        begin, end = np.maximum(cards.from_day, 0), np.minimum(cards.to_day, 365)
        return len(used) / (np.maximum(end - begin, 0).sum() / 31)


@cache
def at_work(alpha: float, beta: float) -> AtWork:
    """All that gangs of about one skill do in a year; nobody else's visits."""
    settings = gang_settings()
    skill = settings.skill.model_copy(update={"alpha": alpha, "beta": beta})
    settings = settings.model_copy(update={"skill": skill})
    drawn = plan(province(), settings, SHARE, MONTHS)
    events = joined(
        [
            month.events
            for gang in range(len(drawn.gangs))
            for month in gang_months(province(), settings, drawn, gang, MONTHS)
        ]
    )
    visits = events.visits
    lines = events.lines.take(visits.gang[events.lines.visit] >= 0)
    number = np.cumsum(visits.gang >= 0) - 1
    lines = type(lines)(**{**vars(lines), "visit": number[lines.visit]})
    return AtWork(drawn, Events(visits.take(visits.gang >= 0), lines))


@pytest.fixture(scope="module")
def clumsy():
    return at_work(2.0, 60.0)


@pytest.fixture(scope="module")
def careful():
    return at_work(60.0, 2.0)


def test_most_gangs_are_careful():
    assert (planned(1, 100_000, 0.02).gangs.skill > 0.5).mean() > 0.5


def test_the_careful_go_less_often_with_a_card(clumsy, careful):
    few = np.unique(careful.events.visits.person, return_counts=True)[1]
    many = np.unique(clumsy.events.visits.person, return_counts=True)[1]
    assert np.median(few) < 0.5 * np.median(many)
    assert np.quantile(few, 0.95) < 0.4 * np.quantile(many, 0.95)


def test_the_careful_use_a_card_for_some_months_and_rest_it(clumsy, careful):
    assert careful.months_used() < 0.75 * clumsy.months_used()
    assert careful.plan.cards.rest.mean() > 2.5 > 1.5 > clumsy.plan.cards.rest.mean()


def test_the_careful_have_few_cards_at_one_counter(clumsy, careful):
    assert careful.day_places() < 1.2
    assert clumsy.day_places() > 1.35


def test_a_careful_collector_still_takes_several_cards_along_on_a_day(careful):
    visits, cards = careful.events.visits, careful.plan.cards
    rented = np.flatnonzero(careful.plan.gangs.typology == RENTED_CARDS)
    together = by_chance = 0.0
    for gang in rented:
        mine = visits.take(visits.gang == gang)
        held = cards.take(cards.gang == gang)
        person, row = np.unique(mine.person, return_inverse=True)
        days = np.zeros((len(person), 366))
        days[row, mine.time // DAY] = 1
        begin = np.array([held.from_day[held.person == one].min() for one in person])
        end = np.array([held.to_day[held.person == one].max() for one in person])
        span = np.minimum.outer(end, end) - np.maximum.outer(begin, begin)
        often = days.sum(axis=1)
        pairs = np.triu_indices(len(person), 1)
        together += float((days @ days.T)[pairs].sum())
        # As if each went on any of the days on which the gang has both cards.
        by_chance += float((np.outer(often, often) / np.clip(span, 60, 365))[pairs].sum())
    assert together > 3 * by_chance


def test_the_careful_take_a_card_to_places_near_its_home(clumsy, careful):
    places, far = province().places, []
    for work in (clumsy, careful):
        visits = work.events.visits
        visits = visits.take(work.plan.gangs.typology[visits.gang] == RENTED_CARDS)
        cell = visits.person // 5_000
        home = places.cell_lat[cell], places.cell_lon[cell]
        there = places.lat[visits.institution], places.lon[visits.institution]
        far.append(float(np.mean(distance_km(*home, *there))))
    assert far[1] < 0.8 * far[0]


def test_the_careful_keep_each_ingredient_near_its_label(clumsy, careful):
    most = []
    for work in (clumsy, careful):
        lines, visits = work.events.lines, work.events.visits
        drugs = lines.take(lines.item_type == DRUG)
        person = visits.person[drugs.visit]
        quarter = visits.time[drugs.visit] // DAY // 91
        key = (person * 8 + quarter) * 1_000 + CATALOGUE.therapy[drugs.drug]
        _, row = np.unique(key, return_inverse=True)
        days = np.bincount(row, drugs.quantity * CATALOGUE.days_per_box[drugs.drug])
        most.append(float(np.quantile(days, 0.99)))
    assert most[1] <= 150 < most[0]


def test_the_careful_seldom_show_one_phone_or_name_twice(clumsy, careful):
    crew = {id(work): np.unique(work.plan.members.phone) for work in (clumsy, careful)}
    for column, share in (("device", 0.35), ("proxy", 0.35)):
        seen = []
        for work in (clumsy, careful):
            shown = getattr(work.events.visits, column)
            by_gang = np.isin(shown, crew[id(work)]) if column == "device" else shown >= 0
            seen.append(by_gang.mean())
        assert seen[1] < share * seen[0]


def test_the_careful_vary_the_hour(clumsy, careful):
    shares = []
    for work in (clumsy, careful):
        visits = work.events.visits
        trips = visits.take(visits.doctor >= 0)
        hour = trips.time // 3600 % 24
        most = [
            np.bincount(hour[trips.gang == gang]).max() / (trips.gang == gang).sum()
            for gang in np.unique(trips.gang)
            if (trips.gang == gang).sum() >= 20
        ]
        shares.append(np.median(most))
    assert shares[1] < 0.8 * shares[0]


def test_no_card_is_bought_more_than_it_may_have():
    supply = Supply(2)
    drug = np.array([0, 0, 0, 0])
    lasts = float(CATALOGUE.days_per_box[0])
    card, day = np.array([0, 0, 1, 0]), np.array([0, 1, 1, 1 + round(3 * lasts)])
    first = supply.granted(card[:3], drug[:3], day[:3], np.full(3, 9.0), 4 * lasts)
    later = supply.granted(card[3:], drug[3:], day[3:], np.full(1, 9.0), 4 * lasts)
    assert first.tolist() == [4.0, 0.0, 4.0]
    assert later.tolist() == [3.0]
