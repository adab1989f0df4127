from dataclasses import fields

import numpy as np
import pytest
from support.province_gangs import CONF, gang_settings, planned, province

from expectations.contract.errors import ConfigError
from jobs.province.gangs.founding import sketches
from jobs.province.gangs.gangs import (
    CARD_HOLDER,
    COLLECTOR,
    DEALER,
    LONE_COLLECTOR,
    NO_ROLE,
    ORGANISER,
    PHARMACY_RING,
    RENTED_CARDS,
    STAFF_HOARD,
    TYPOLOGIES,
    VICTIM,
    arranged_certificates,
    away,
)
from jobs.province.gangs.plan import no_plan
from jobs.province.gangs.settings import load_gang_settings

YEAR = 365


def accounts_in_use(plan, first_day, end_day):
    used = (plan.cards.from_day < end_day) & (plan.cards.to_day > first_day)
    return plan.cards.take(used)


@pytest.mark.parametrize(
    ("seed", "members", "share"),
    [(1, 20_000, 0.02), (2, 20_000, 0.02), (3, 20_000, 0.02), (1, 100_000, 0.003)],
)
def test_accounts_in_use_within_a_year_are_the_share_asked_for(seed, members, share):
    plan = planned(seed, members, share)
    count = len(np.unique(accounts_in_use(plan, 0, YEAR).person))
    billed = count * (1 - gang_settings().founding.unused)
    assert billed == pytest.approx(members * share, rel=0.10)


def test_the_share_stays_the_same_over_the_years():
    accounts = 20_000.0
    gangs, slots = sketches(5, gang_settings(), accounts, 4 * YEAR)
    start = gangs.start_day[slots.gang]
    for first in range(0, 3 * YEAR, 91):
        used = (start + slots.from_after < first + YEAR) & (start + slots.to_after > first)
        assert used.sum() == pytest.approx(accounts, rel=0.08)


def test_every_typology_is_there_with_about_its_weight():
    plan = planned(1, 100_000, 0.02)
    cards = accounts_in_use(plan, 0, YEAR)
    share = np.bincount(plan.gangs.typology[cards.gang], minlength=10) / len(cards)
    weights = [gang_settings().typology(word).weight for word in TYPOLOGIES]
    assert share == pytest.approx(weights, rel=0.4)
    small = accounts_in_use(planned(), 0, YEAR)
    assert set(planned().gangs.typology[small.gang]) == set(range(len(TYPOLOGIES)))


def test_more_months_begin_with_the_same_gangs():
    short, long = planned(months=4), planned(months=12)
    count = len(short.gangs)
    assert count < len(long.gangs)
    for part in ("gangs", "cards", "members", "colluders", "customers"):
        few, many = getattr(short, part), getattr(long, part)
        many = many.take(np.arange(count) if part == "gangs" else many.gang < count)
        for each in fields(few):
            np.testing.assert_array_equal(getattr(few, each.name), getattr(many, each.name))


def test_only_dealers_and_cards_given_up_are_in_two_gangs():
    plan = planned(1, 100_000, 0.02)
    dealers = plan.members.take(plan.members.role == DEALER)
    others = plan.members.take(plan.members.role != DEALER)
    alone = np.concatenate([np.unique(plan.cards.person), np.unique(dealers.person), others.person])
    assert len(np.unique(alone)) == len(alone)
    assert 0.1 < 1 - len(np.unique(dealers.person)) / len(dealers) < 0.4
    order = np.lexsort((plan.cards.from_day, plan.cards.person))
    cards = plan.cards.take(order)
    again = np.flatnonzero(np.diff(cards.person) == 0)
    assert 0.01 < len(again) / len(cards) < 0.1
    assert (cards.gang[again] < cards.gang[again + 1]).all()
    assert (cards.to_day[again] <= cards.from_day[again + 1]).all()


def test_gangs_with_one_dealer_are_at_work_at_the_same_time():
    plan = planned(1, 100_000, 0.02)
    dealers = plan.members.take(plan.members.role == DEALER)
    dealers = dealers.take(np.lexsort((dealers.gang, dealers.person)))
    pair = np.flatnonzero(np.diff(dealers.person) == 0)
    older, younger = dealers.gang[pair], dealers.gang[pair + 1]
    assert (older < younger).all()
    first_of = dealers.person[pair] != np.append(-1, dealers.person[pair[:-1]])
    ends = plan.gangs.end_day[older[first_of]]
    assert (ends > plan.gangs.start_day[younger[first_of]]).mean() > 0.9


def test_division_of_labour_of_rented_cards_is_18_to_4_to_6():
    plan = planned(1, 100_000, 0.02)
    rented = np.flatnonzero(plan.gangs.typology == RENTED_CARDS)
    middle = (plan.gangs.start_day + plan.gangs.end_day) // 2
    cards, members = plan.cards, plan.members
    mid = middle[cards.gang]
    at_once = (np.isin(cards.gang, rented) & (cards.from_day <= mid) & (mid < cards.to_day)).sum()
    role = members.role[np.isin(members.gang, rented)]
    collectors = np.isin(role, (ORGANISER, COLLECTOR)).sum()
    dealers = (role == DEALER).sum()
    assert at_once / collectors == pytest.approx(18 / 4, rel=0.25)
    assert dealers / collectors == pytest.approx(6 / 4, rel=0.2)


def test_families_run_some_gangs_of_rented_cards():
    plan, here = planned(), province()
    rented = np.flatnonzero(plan.gangs.typology == RENTED_CARDS)
    cards = plan.cards.take(np.isin(plan.cards.gang, rented))
    head = plan.gangs.organiser[cards.gang]
    household = np.concatenate([here.people_of(cell).household for cell in range(4)])
    kin = household[cards.person] == household[head]
    assert 0.03 < kin.mean() < 0.6


def test_sizes_and_lives_are_heavy_tailed():
    plan = planned(1, 100_000, 0.02)
    size = np.bincount(plan.cards.gang)
    life = plan.gangs.end_day - plan.gangs.start_day
    assert size.max() > 8 * np.median(size)
    assert life.max() > 3 * np.median(life)
    assert plan.gangs.skill.std() > 0.15


def test_roles_follow_the_typology():
    plan = planned(1, 100_000, 0.02)
    typology = plan.gangs.typology
    assert (plan.cards.role[typology[plan.cards.gang] == STAFF_HOARD] == VICTIM).mean() > 0.8
    alone = np.flatnonzero(typology == LONE_COLLECTOR)
    assert not np.isin(plan.members.gang, alone).any()
    assert (np.bincount(plan.cards.gang)[alone] == 1).all()
    rings = np.flatnonzero(typology == PHARMACY_RING)
    assert set(rings) <= set(plan.colluders.gang[plan.colluders.role != NO_ROLE])
    assert set(plan.cards.role) == {CARD_HOLDER, VICTIM}


def test_accounts_are_used_only_while_they_can_be():
    plan, here = planned(), province()
    people = [here.people_of(cell) for cell in range(4)]
    death = np.concatenate([each.death_day for each in people])[plan.cards.person]
    paused = np.concatenate([each.paused_day for each in people])[plan.cards.person]
    assert (plan.cards.to_day[paused >= 0] <= paused[paused >= 0]).all()
    late = plan.cards.to_day[death >= 0] - death[death >= 0]
    assert late.max(initial=0) <= 45


def test_away_are_the_cards_that_were_handed_over_and_nobody_else():
    plan = planned()
    found = away(plan, 5_000, 10_000, 31, 59)
    rows = [
        np.flatnonzero((plan.cards.person == person) & (plan.cards.from_day == day))[0]
        for person, day in zip(found.person, found.from_day, strict=True)
    ]
    assert len(found)
    assert plan.cards.handed_over[rows].all()
    assert not plan.cards.take(rows).rests(31).any()
    assert ((found.person >= 5_000) & (found.person < 10_000)).all()
    assert ((found.from_day < 59) & (found.to_day > 31)).all()


def test_arranged_certificates_come_once_and_those_from_before_with_the_first_month():
    plan, here = planned(), province()
    spans = [here.settings.month_days(month) for month in range(12)]
    monthly = [arranged_certificates(plan, 0, 20_000, *span) for span in spans]
    people = np.concatenate([each.person for each in monthly])
    assert len(np.unique(people)) == len(people)
    assert (monthly[0].begin_day < 0).any()
    arranged = plan.cards.certificate >= 0
    assert len(people) == (plan.cards.certificate_day[arranged] < spans[-1][1]).sum()


def test_a_province_without_fraud_has_an_empty_plan():
    assert len(no_plan().gangs) == 0
    assert len(away(no_plan(), 0, 100, 0, 31)) == 0


def test_settings_name_the_unknown_key(tmp_path):
    text = (CONF / "gangs.yaml").read_text(encoding="utf-8")
    (tmp_path / "gangs.yaml").write_text(text.replace("outlets: 4", "outlet: 4"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"resale\.outlet"):
        load_gang_settings(tmp_path / "gangs.yaml")


def test_weights_of_typologies_add_up_to_one():
    total = sum(gang_settings().typology(word).weight for word in TYPOLOGIES)
    assert total == pytest.approx(1.0)
