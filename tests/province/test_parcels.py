import numpy as np
import pytest
from support.province_gangs import at_work, gang_settings, planned, province

from jobs.province.arrays.days import DAY
from jobs.province.arrays.shapes import stacked
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.gangs.gangs import COLD_CHAIN, DEALER, ORGANISER, SELLER
from jobs.province.inquiry.parcels import (
    INSTITUTION_ADDRESS,
    OTHER_ADDRESS,
    RECEIVERS,
    household_parcels,
)


@pytest.fixture(scope="module")
def of_gangs():
    return stacked([each.parcels for each in at_work()])


@pytest.fixture(scope="module")
def of_households():
    here = province()
    return [
        household_parcels(here, gang_settings(), cell, month)
        for cell in range(4)
        for month in range(12)
    ]


def test_only_what_a_warrant_covers_is_on_record(of_gangs, of_households):
    covered = [parcels for parcels in of_households if len(parcels)]
    assert 0 < len(covered) < len(of_households)
    # A hub's records are obtained for a whole quarter.
    assert len(covered) % 3 == 0
    assert all(len(np.unique(parcels.warrant)) == 1 for parcels in covered)
    assert (of_gangs.warrant >= 0).all()


def test_records_arrive_after_the_parcels_were_sent(of_gangs, of_households):
    for parcels in [of_gangs, *of_households]:
        assert (parcels.arrive_time > parcels.time).all()


def test_honest_parcels_are_the_background(of_gangs, of_households):
    assert sum(map(len, of_households)) > 5 * len(of_gangs)


def test_senders_can_be_found_by_phone_or_address(of_gangs):
    members = planned().members
    senders = members.take(np.isin(members.role, (ORGANISER, DEALER, SELLER)))
    own = np.isin(of_gangs.sender_phone, senders.phone)
    assert 0.3 < own.mean() < 0.95
    assert np.isin(of_gangs.sender_address, senders.address).mean() > 0.3


def test_goods_are_declared_as_something_else(of_gangs):
    declared = set(gang_settings().parcels.declared)
    assert set(of_gangs.goods.tolist()) <= declared
    assert declared < set(gang_settings().parcels.household_declared) | declared
    assert "茶叶" in declared


def test_cold_chain_goods_travel_cold():
    plan = planned()
    cold = [each for each in at_work() if plan.gangs.typology[each.gang] == COLD_CHAIN]
    lines = np.concatenate([each.events.lines.drug for each in cold])
    assert CATALOGUE.cold_chain[lines[lines >= 0]].mean() > 0.3
    sent = stacked([each.parcels for each in cold])
    if len(sent) >= 20:
        assert sent.cold_pack.mean() > 0.2


def test_receivers_are_homes_shops_and_pharmacies_here_and_elsewhere(of_gangs, of_households):
    every = stacked([of_gangs, *of_households])
    assert set(every.receiver_kind) == set(range(len(RECEIVERS)))
    shops = every.take(every.receiver_kind == RECEIVERS.index("pharmacy"))
    institution = shops.receiver_address - INSTITUTION_ADDRESS
    known = (shops.receiver_address >= INSTITUTION_ADDRESS) & (
        shops.receiver_address < OTHER_ADDRESS
    )
    assert (province().places.district[institution[known]] == shops.receiver_district[known]).all()
    assert known.mean() > 0.9


def test_weights_are_those_of_boxes(of_gangs):
    assert (of_gangs.weight_kg > 0).all()
    assert 1 < np.median(of_gangs.weight_kg) < 15


def test_couriers_come_by_day(of_gangs):
    hour = of_gangs.time % DAY // 3600
    assert ((hour >= 8) & (hour < 20)).all()
