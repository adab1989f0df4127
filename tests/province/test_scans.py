"""Trace codes: one a box, scanned as the dates allow, double only where a box really came back."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from jobs.province.arrays.days import DAY
from jobs.province.arrays.shapes import Lines, Visits
from jobs.province.boxes.boxes import ReusedCodes, no_reuse
from jobs.province.boxes.scanners import Habits, Scanners
from jobs.province.boxes.scans import INBOUND, RETURN, SALE, scans
from jobs.province.boxes.sold_boxes import CARELESS, Returns
from jobs.province.boxes.trace_codes import GANG_UNITS, box_serials, trace_codes
from jobs.province.care.catalogue import CATALOGUE, USES, drugs_for

START = (date(2025, 1, 1) - date(1970, 1, 1)).days
KIND = np.array([0, 1, 2, 3] * 10)
#: No noise: every box is scanned once it must be.
EXACT = Habits(
    old_stock=0,
    missed_sale=0,
    missed_inbound=0,
    rescanned=0,
    mistaken=0,
    split=(0, 0, 0, 0),
    late=0,
)
NO_RETURNS = Returns(*(np.empty(0, np.int64) for _ in range(4)))


def month_second(month):
    return Scanners.of(1, START, KIND, EXACT).month_start(month)


def sales(month, count=3_000, seed=0, boxes=(1, 2, 3)):
    """Visits with one drug line each in a month."""
    rng = np.random.default_rng(seed)
    first, after = month_second(month), month_second(month + 1)
    day = rng.integers(first // DAY, after // DAY, count)
    none = np.full(count, -1)
    visits = Visits(
        person=rng.integers(0, 5_000, count),
        institution=rng.integers(0, len(KIND), count),
        doctor=none,
        time=np.sort(day * DAY + rng.integers(8 * 3600, 18 * 3600, count)),
        med_type=np.full(count, 11),
        diagnosis=np.zeros(count, int),
        stay=np.zeros(count, int),
        certificate_type=np.full(count, 3),
        device=none,
        terminal=np.zeros(count, int),
        proxy=none,
        relation=none,
        gang=none,
    )
    drug = rng.choice(drugs_for(USES.index("hypertension")), count)
    quantity = rng.choice(boxes, count).astype(float)
    lines = Lines(
        visit=np.arange(count),
        item_type=np.zeros(count, int),
        drug=drug,
        quantity=quantity,
        price=CATALOGUE.price[drug],
        days=np.full(count, np.nan),
        misused=np.zeros(count),
    )
    return visits, lines


def made(month=15, habits=EXACT, unit=0, returns=NO_RETURNS, reused=None, seed=1, **shape):
    visits, lines = sales(month, **shape)
    scanners = Scanners.of(seed, START, KIND, habits)
    arrive = visits.time + 3_600
    found = scans(scanners, unit, month, visits, lines, arrive, returns, reused or no_reuse())
    return found, visits, lines, scanners


def of_type(found, scan_type):
    return found.take(found.scan_type == scan_type)


def test_a_code_has_20_digits_and_no_box_shares_it():
    number = np.arange(100_000)
    serials = np.concatenate(
        [
            *(box_serials(u, m, number) for u in (0, 10, GANG_UNITS) for m in (0, 119)),
            # A task of 50,000 people sells more in a month than a cell has room for.
            box_serials(0, 0, np.array([600_000, 700_000])),
        ]
    )
    codes = trace_codes(3, np.full(len(serials), 5), serials)
    assert all(code.isdigit() and len(code) == 20 for code in codes[:1000].astype(str))
    assert len(np.unique(codes)) == len(serials)


def test_a_code_names_its_drug():
    drugs = np.arange(len(CATALOGUE))
    codes = trace_codes(3, drugs, np.zeros(len(drugs), int)).astype("U20")
    assert len({code[:7] for code in codes}) == len(drugs)
    assert {code[0] for code in codes} == {"8"}


def test_more_boxes_than_a_serial_can_number_are_refused():
    for unit, number in ((0, 10 << 19), (GANG_UNITS, 1 << 19)):
        with pytest.raises(ValueError, match="no room for so many boxes"):
            box_serials(unit, 0, np.array([number]))
    with pytest.raises(ValueError, match="no room for so many months"):
        box_serials(0, 128, np.array([1]))


def test_once_scanning_is_settled_every_box_is_sold_by_one_scan_with_its_settlement():
    found, visits, lines, _ = made()
    sold = of_type(found, SALE)
    assert len(sold) == lines.quantity.sum()
    assert len(np.unique(sold.code)) == len(sold)
    assert np.bincount(sold.visit).tolist() == lines.quantity.tolist()
    assert (sold.person == visits.person[sold.visit]).all()
    assert (sold.institution == visits.institution[sold.visit]).all()
    assert ((visits.time[sold.visit] - sold.time) < 600).all()
    assert len(np.unique(found.scan_id)) == len(found)


def test_a_box_comes_in_where_it_is_sold_some_days_before():
    found, *_ = made()
    came, sold = of_type(found, INBOUND), of_type(found, SALE)
    assert set(came.code) == set(sold.code)
    order_in, order_out = np.argsort(came.code), np.argsort(sold.code)
    waited = (sold.time[order_out] - came.time[order_in]) / DAY
    assert (came.institution[order_in] == sold.institution[order_out]).all()
    assert (came.drug[order_in] == sold.drug[order_out]).all()
    assert waited.min() > 0
    assert 3 < np.median(waited) < 30
    assert (came.person == -1).all()
    assert (came.visit == -1).all()


def test_boxes_come_in_by_lots():
    found, *_ = made()
    came = of_type(found, INBOUND)
    lots = np.unique(np.stack([came.institution, came.drug, came.time // DAY]), axis=1)
    assert lots.shape[1] < 0.8 * len(came)


def test_nothing_arrives_before_its_month_or_before_it_happened():
    found, *_ = made(habits=Habits())
    assert found.arrive.min() >= month_second(15)
    assert (found.arrive >= found.time).all()


def test_scanning_sets_in_with_the_dates():
    shares = [len(of_type(made(month, Habits())[0], SALE)) / 6_000 for month in (1, 5, 6, 9, 13)]
    assert shares == sorted(shares)
    assert shares[0] < 0.15
    assert 0.2 < shares[2] < 0.7
    assert 0.9 < shares[4] < 1.0


def test_an_institution_that_uploads_later_scans_nothing_before():
    found, _, _, scanners = made(4, Habits())
    later = scanners.upload_from[found.institution] > scanners.start + found.time // DAY
    assert not later.any()
    assert scanners.upload_from.max() <= START + 365


def test_honest_noise_is_there_and_small():
    found, *_ = made(16, Habits(), count=20_000)
    sold, came = of_type(found, SALE), of_type(found, INBOUND)
    _, times = np.unique(sold.code[~sold.split_pack], return_counts=True)
    assert 0.001 < (times > 1).mean() < 0.01
    orphans = ~np.isin(sold.code[~sold.split_pack], came.code)
    assert 0.01 < orphans.mean() < 0.08
    assert 0.003 < sold.split_pack.mean() < 0.05


def test_a_split_pack_is_one_code_for_many_buyers_and_says_so():
    found, *_ = made(habits=Habits(split=(1, 1, 1, 1)), count=20_000, boxes=(1,))
    sold = of_type(found, SALE)
    assert sold.split_pack[~CATALOGUE.cold_chain[sold.drug]].all()
    codes, buyers = np.unique(sold.code, return_counts=True)
    assert buyers.max() > 1
    for code in codes[:50]:
        mine = sold.take(sold.code == code)
        assert len(set(mine.institution)) == len(set(mine.drug)) == 1


def returns_of(lines, visits, rows):
    time = visits.time[lines.visit[rows]] + 2 * 3_600
    return Returns(rows, np.ones(len(rows), np.int64), time, time + 3_600)


def test_a_refund_brings_the_same_box_back():
    visits, lines = sales(15)
    rows = np.arange(0, 900, 3)
    found, *_ = made(returns=returns_of(lines, visits, rows))
    back = of_type(found, RETURN)
    assert back.refund.tolist() == list(range(len(rows)))
    assert (back.person == visits.person[rows]).all()
    assert (back.visit == -1).all()
    sold = of_type(found, SALE)
    for code, row in zip(back.code, rows, strict=True):
        assert row in sold.visit[sold.code == code]


def test_a_returned_box_may_be_sold_again_at_the_same_place_only():
    visits, lines = sales(15)
    rows = np.arange(0, 900, 3)
    found, *_ = made(returns=returns_of(lines, visits, rows))
    sold, back = of_type(found, SALE), of_type(found, RETURN)
    codes, times = np.unique(sold.code, return_counts=True)
    twice = codes[times > 1]
    assert 0 < len(twice) < len(rows)
    assert np.isin(twice, back.code).all()
    for code in twice:
        mine = sold.take(sold.code == code)
        assert len(set(mine.institution)) == 1
        assert back.time[back.code == code][0] > mine.time.min()
        assert back.time[back.code == code][0] < mine.time.max()


def test_a_box_bought_back_surfaces_with_the_code_of_its_first_sale():
    unit = GANG_UNITS + 4
    first, _, lines, _ = made(13, unit=unit)
    # Box 1 of line 2 of a later month is the twelfth box that was sold in month 13.
    visits, later_lines = sales(17, boxes=(2,))
    later_lines.drug[2] = lines.drug[np.searchsorted(np.cumsum(lines.quantity), 12, side="right")]
    reused = ReusedCodes(*(np.array([value]) for value in (2, 1, 13, 12)))
    scanners = Scanners.of(1, START, KIND, EXACT)
    later = scans(scanners, unit, 17, visits, later_lines, visits.time, NO_RETURNS, reused)
    again = of_type(later, SALE)
    origin = of_type(first, SALE).code[12]
    assert np.isin(again.code, of_type(first, SALE).code).sum() == 1
    assert again.visit[again.code == origin].tolist() == [2]


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in one.__dataclass_fields__
    )


def test_the_same_unit_and_month_give_the_same_scans_and_another_others():
    assert same(made(habits=Habits())[0], made(habits=Habits())[0])
    other = made(habits=Habits(), unit=1)[0]
    assert not np.isin(
        of_type(other, SALE).take(~of_type(other, SALE).split_pack).code, made()[0].code
    ).any()


def test_a_code_taken_down_wrongly_is_double_without_any_fraud():
    found, *_ = made(habits=replace(EXACT, mistaken=0.01))
    sold = of_type(found, SALE)
    codes, times = np.unique(sold.code, return_counts=True)
    assert 0.005 < (times > 1).mean() < 0.012
    apart = [len(set(sold.institution[sold.code == code])) for code in codes[times > 1]]
    assert max(apart) > 1


def test_a_careless_counter_scans_one_label_for_several_boxes_and_no_other_does():
    found, *_, scanners = made(habits=replace(EXACT, careless_counter=0.3, careless_box=0.05))
    sold = of_type(found, SALE)
    codes, times = np.unique(sold.code, return_counts=True)
    twice = np.isin(sold.code, codes[times > 1])
    assert 0 < scanners.careless.sum() < len(KIND)
    assert scanners.careless[sold.institution[twice]].all()
    assert 0.03 < twice[scanners.careless[sold.institution]].mean() < 0.1
    assert set(sold.mishap[twice]) == {CARELESS}
    assert (sold.mishap[~twice] == -1).all()
    for code in codes[times > 1]:
        assert len(set(sold.institution[sold.code == code])) == 1


def test_a_month_without_sales_has_no_scans():
    found, *_ = made(count=0)
    assert len(found) == 0
