import numpy as np
import pytest

from jobs.province.arrays.shapes import INPATIENT, SPECIAL
from jobs.province.care.billing import fund_of_lines, settled, visit_numbers
from jobs.province.care.care import care
from jobs.province.settings import load_settings
from jobs.province.world import World

SETTINGS = load_settings("conf/simulation/province.yaml")


@pytest.fixture(scope="module")
def result():
    world = World(5, SETTINGS, 20_000)
    events = care(world.neighbours(range(2)), 1)
    numbers = visit_numbers(0, 1, len(events.visits))
    return settled(5, SETTINGS, world.places, 0, 1, events, numbers, world.insutype)


def test_lines_add_up_to_their_settlement(result):
    sums = np.bincount(result.lines.bill, result.lines.cents, minlength=len(result.bills))

    assert np.array_equal(sums.astype(np.int64), result.bills.total)


def test_nobody_pays_a_negative_share(result):
    bills = result.bills
    cash = bills.total - bills.fund - bills.account
    sign = np.where(bills.refund, -1, 1)

    for amount in (bills.total, bills.fund, bills.account, cash):
        assert (amount * sign >= 0).all()


def test_settlements_are_in_the_order_of_arrival_and_never_arrive_early(result):
    assert (np.diff(result.bills.arrive) >= 0).all()
    assert (result.bills.arrive > result.bills.time).all()


def test_a_refund_takes_back_lines_of_an_earlier_settlement(result):
    bills, lines = result.bills, result.lines
    refunds = np.flatnonzero(bills.refund)
    place = {int(number): row for row, number in enumerate(bills.number)}
    assert len(refunds) > 10
    for refund in refunds:
        original = place[int(bills.number[refund]) - 1]
        assert bills.time[refund] > bills.time[original]
        assert bills.arrive[refund] > bills.arrive[original]
        back = lines.take(lines.bill == refund)
        first = bills.first_line[original]
        taken = lines.take(first + back.reverses - 1)
        assert (taken.bill == original).all()
        assert np.array_equal(-back.cents, taken.cents)
        assert -bills.total[refund] <= bills.total[original]


def test_numbers_are_unique_between_units_and_months():
    numbers = np.concatenate(
        [visit_numbers(unit, month, 1000) for unit in (0, 1, 70_000) for month in (0, 1, 119)]
    )

    assert len(np.unique(np.concatenate([numbers, numbers + 1]))) == 2 * len(numbers)


def test_special_disease_and_stays_are_paid_better(result):
    bills = result.bills
    kind = result.events.visits.med_type[bills.visit]
    share = bills.fund / np.maximum(bills.total, 1)

    special = share[(kind == SPECIAL) & ~bills.refund]
    assert np.median(special) == pytest.approx(0.9, abs=0.04)
    assert np.median(share[kind == INPATIENT]) > np.median(share[kind == 11])


def test_the_fund_pays_its_part_of_each_line(result):
    share = fund_of_lines(result)
    sums = np.bincount(result.lines.bill, share, minlength=len(result.bills))

    assert sums == pytest.approx(result.bills.fund / 100, abs=0.01)
