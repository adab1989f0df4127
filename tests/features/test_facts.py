"""Facts of visits and fees, row by row."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from support.frames import frame_of

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from features.facts import fee_facts, visit_facts

ARRIVED, CORRECTED = datetime(2025, 1, 12), datetime(2025, 2, 3)


@pytest.fixture(scope="module")
def visits(spark):
    """A visit in two versions with codes and proxies, its refund, and one with nothing beside it."""
    settlement = {
        "settlement_id": "s1",
        "member_id": "m1",
        "institution_id": "h1",
        "settlement_time": datetime(2025, 1, 10, 23, 59),
        "visit_type": "11",
        "diagnosis_code": "I10",
        "start_time": datetime(2025, 1, 9, 8),
        "end_time": datetime(2025, 1, 10, 9),
        "total_amount": Decimal("30.00"),
        "fund_amount": Decimal("20.00"),
        "refund_flag": "0",
        "valid_from": ARRIVED,
        "valid_to": CORRECTED,
    }
    moved = settlement | {
        "settlement_time": datetime(2025, 2, 1, 0, 0),
        "valid_from": CORRECTED,
        "valid_to": None,
    }
    refund = moved | {
        "settlement_id": "s2",
        "refund_flag": "1",
        "original_settlement_id": "s1",
        "total_amount": Decimal("-30.00"),
        "fund_amount": Decimal("-20.00"),
    }
    bare = moved | {"settlement_id": "s3", "refund_flag": None}
    code = {"settlement_id": "s1", "code_type": "diagnosis", "valid_from": ARRIVED}
    codes = (
        code | {"sequence": 2, "code": "J40"},
        code | {"sequence": 1, "code": "I10"},
        code | {"sequence": 3, "code": "E11", "valid_from": CORRECTED},
        # The same illness coded twice is one; a procedure is none.
        code | {"sequence": 4, "code": "I10"},
        code | {"sequence": 1, "code": "99.1", "code_type": "procedure"},
    )
    proxies = [
        {
            "settlement_id": "s1",
            "proxy_cert_hash": "p1",
            "valid_from": ARRIVED,
            "valid_to": CORRECTED,
        }
    ]
    facts = visit_facts(
        frame_of(spark, SETTLEMENT.silver, settlement, moved, refund, bare),
        frame_of(spark, SETTLEMENT_CODE.silver, *codes),
        frame_of(spark, PROXY_PICKUP.silver, *proxies),
    )
    rows = VISIT_FACT.conform(facts).collect()
    return {(row["settlement_id"], row["valid_from"]): row.asDict(recursive=True) for row in rows}


def test_every_version_of_a_visit_has_its_day_and_what_was_coded_with_its_time(visits):
    first, second = visits["s1", ARRIVED], visits["s1", CORRECTED]
    assert (first["service_date"], first["service_month"]) == (date(2025, 1, 10), "2025-01")
    assert (second["service_date"], second["service_month"]) == (date(2025, 2, 1), "2025-02")
    assert (first["valid_to"], second["valid_to"]) == (CORRECTED, None)
    assert (first["start_date"], first["end_date"]) == (date(2025, 1, 9), date(2025, 1, 10))
    assert first["diagnoses"] == [
        {"value": "E11", "valid_from": CORRECTED, "valid_to": None},
        {"value": "I10", "valid_from": ARRIVED, "valid_to": None},
        {"value": "J40", "valid_from": ARRIVED, "valid_to": None},
    ]
    assert first["proxies"] == [{"value": "p1", "valid_from": ARRIVED, "valid_to": CORRECTED}]
    assert (first["total_amount"], first["fund_amount"]) == (Decimal("30.00"), Decimal("20.00"))


def test_a_refund_says_what_it_reverses_and_a_visit_may_have_nothing_beside_it(visits):
    refund, bare = visits["s2", CORRECTED], visits["s3", CORRECTED]
    assert (refund["is_refund"], refund["original_settlement_id"]) == (True, "s1")
    assert refund["total_amount"] == Decimal("-30.00")
    assert (bare["is_refund"], bare["diagnoses"], bare["proxies"]) == (False, None, None)
    assert len(visits) == 4


def test_the_fund_pays_no_more_than_a_visit_cost(spark):
    """A share in fen beside a total in yuan, of a visit and of its refund; and one that fits."""
    amounts = [
        ("120.00", "9600.00"),
        ("-120.00", "-9600.00"),
        ("120.00", "96.00"),
        ("120.00", None),
    ]
    rows = [
        {
            "settlement_id": f"s{n}",
            "settlement_time": datetime(2025, 1, 10),
            "total_amount": Decimal(total),
            "fund_amount": fund and Decimal(fund),
        }
        for n, (total, fund) in enumerate(amounts)
    ]
    nothing = [frame_of(spark, table.silver) for table in (SETTLEMENT_CODE, PROXY_PICKUP)]
    found = visit_facts(frame_of(spark, SETTLEMENT.silver, *rows), *nothing).collect()
    told = {row["settlement_id"]: row["fund_amount"] and str(row["fund_amount"]) for row in found}
    assert told == {"s0": "120.00", "s1": "-120.00", "s2": "96.00", "s3": None}


def test_a_visit_is_no_longer_than_a_year_and_over_when_it_is_settled(spark):
    times = [
        (datetime(2000, 1, 1), datetime(2025, 1, 9)),
        (datetime(2024, 1, 10), datetime(2030, 1, 1)),
        (datetime(2024, 1, 9), None),
        (datetime(2025, 2, 1), datetime(2025, 2, 3)),
        (datetime(2025, 1, 8), datetime(2001, 1, 1)),
        (None, datetime(2025, 1, 11)),
        (datetime(2025, 1, 8, 23), datetime(2025, 1, 9, 1)),
    ]
    rows = [
        {
            "settlement_id": f"s{n}",
            "settlement_time": datetime(2025, 1, 10, 9),
            "start_time": start,
            "end_time": end,
        }
        for n, (start, end) in enumerate(times)
    ]
    nothing = [frame_of(spark, table.silver) for table in (SETTLEMENT_CODE, PROXY_PICKUP)]
    found = visit_facts(frame_of(spark, SETTLEMENT.silver, *rows), *nothing).collect()
    settled = date(2025, 1, 10)
    assert {row["settlement_id"]: (row["start_date"], row["end_date"]) for row in found} == {
        "s0": (None, date(2025, 1, 9)),
        "s1": (date(2024, 1, 10), settled),
        "s2": (None, None),
        "s3": (None, settled),
        "s4": (date(2025, 1, 8), None),
        "s5": (None, settled),
        "s6": (date(2025, 1, 8), date(2025, 1, 9)),
    }


def test_fees_of_a_drug_and_doctor_are_added_up_in_the_time_in_which_they_held(spark):
    fee = {
        "settlement_id": "s1",
        "member_id": "m1",
        "fee_time": datetime(2025, 1, 31, 23, 59),
        "drug_id": "d1",
        "item_type": "drug",
        "doctor_id": "dr1",
        "quantity": Decimal("1.5"),
        "line_amount": Decimal("10.10"),
        "valid_from": ARRIVED,
    }
    fees = (
        fee | {"supply_days": Decimal("7.50")},
        fee | {"quantity": Decimal("2")},
        # Another doctor, another day, another time in which it held: rows of their own.
        fee | {"doctor_id": "dr2"},
        fee | {"fee_time": datetime(2025, 2, 1, 0, 0)},
        fee | {"valid_to": CORRECTED, "supply_days": Decimal("1.00")},
        # Who billed an examination is left out, so two doctors' are one row.
        fee | {"drug_id": None, "item_type": "exam"},
        fee | {"drug_id": None, "item_type": "exam", "doctor_id": "dr2"},
    )
    rows = FEE_FACT.conform(fee_facts(frame_of(spark, FEE_DETAIL.silver, *fees))).collect()
    found = sorted(
        (
            str(row["service_date"]),
            row["service_month"],
            row["drug_id"] or "-",
            row["doctor_id"] or "-",
            row["valid_to"] is None,
            *(
                float(row[name])
                for name in ("quantity", "line_amount", "stated_supply_days", "unstated_quantity")
            ),
        )
        for row in rows
    )
    assert found == [
        ("2025-01-31", "2025-01", "-", "-", True, 3.0, 20.2, 0.0, 3.0),
        ("2025-01-31", "2025-01", "d1", "dr1", False, 1.5, 10.1, 1.0, 0.0),
        ("2025-01-31", "2025-01", "d1", "dr1", True, 3.5, 20.2, 7.5, 2.0),
        ("2025-01-31", "2025-01", "d1", "dr2", True, 1.5, 10.1, 0.0, 1.5),
        ("2025-02-01", "2025-02", "d1", "dr1", True, 1.5, 10.1, 0.0, 1.5),
    ]


def test_days_go_with_the_sign_of_the_boxes_and_days_that_none_has_are_not_stated(spark):
    fee = {
        "settlement_id": "s1",
        "member_id": "m1",
        "fee_time": datetime(2025, 1, 31, 9),
        "drug_id": "d1",
        "item_type": "drug",
        "line_amount": Decimal("10.10"),
        "valid_from": ARRIVED,
    }
    lines = (
        # Eight boxes of three days, and one that goes back, its days stated in either sign.
        ("either sign", "8", "24"),
        ("either sign", "-1", "3"),
        ("either sign", "-1", "-3"),
        ("a filler", "2", "999"),
        ("nothing", "2", "0"),
        ("too long", "2", "200.01"),
        ("long", "2", "200"),
    )
    fees = [
        fee | {"drug_id": drug, "quantity": Decimal(boxes), "supply_days": Decimal(days)}
        for drug, boxes, days in lines
    ]
    rows = fee_facts(frame_of(spark, FEE_DETAIL.silver, *fees)).collect()
    found = {
        row["drug_id"]: (float(row["stated_supply_days"]), float(row["unstated_quantity"]))
        for row in rows
    }
    assert found == {
        "either sign": (18, 0),
        "a filler": (0, 2),
        "nothing": (0, 2),
        "too long": (0, 2),
        "long": (200, 0),
    }
