"""The rows that member features come from: facts as of a date, sharing, and what became of boxes."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from support.frames import frame_of

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import SPECIAL_CERT
from expectations.landing.reference import PERSON
from features.member.frames import HORIZON
from features.member.rows import (
    certificate_rows,
    fee_rows,
    person_rows,
    shared_rows,
    visit_rows,
)

AS_OF = date(2025, 7, 1)
MIDNIGHT = datetime(2025, 7, 1)


def ago(days):
    return AS_OF - timedelta(days=days)


def dated(*values):
    return [
        {"value": value, "valid_from": since, "valid_to": until} for value, since, until in values
    ]


@pytest.fixture(scope="module")
def visits(spark):
    visit = {
        "settlement_id": "s1",
        "member_id": "m1",
        "service_date": ago(1),
        "settlement_time": datetime(2025, 6, 30, 8, 15),
        "institution_id": "h1",
        "visit_type": "11",
        "diagnosis_code": "I10",
        "credential_type": "01",
        "device_hash": "phone",
        "is_refund": False,
        "original_settlement_id": "not a refund",
        "start_date": ago(3),
        "end_date": ago(1),
        "total_amount": Decimal("12.34"),
        "fund_amount": Decimal("0.29"),
        "diagnoses": dated(
            ("I10", datetime(2025, 6, 30), None),
            ("J40", MIDNIGHT, None),
            ("K20", datetime(2025, 5, 1), datetime(2025, 6, 30, 23)),
            # Held until the day began, and a better version came then.
            ("L30", datetime(2025, 5, 1), MIDNIGHT),
        ),
        "proxies": dated(
            ("p2", datetime(2025, 6, 30), None),
            ("p1", datetime(2025, 6, 30), None),
            ("p0", MIDNIGHT, None),
        ),
    }
    refund = visit | {
        "settlement_id": "r1",
        "is_refund": True,
        "original_settlement_id": "s1",
        "total_amount": Decimal("-12.34"),
        "diagnoses": None,
        "proxies": None,
    }
    frame = frame_of(
        spark,
        VISIT_FACT,
        visit,
        refund,
        visit
        | {
            "settlement_id": "first day",
            "service_date": ago(HORIZON),
            "diagnoses": dated(
                ("I10", datetime(2025, 5, 1), None),
                ("K20", datetime(2025, 5, 1), datetime(2025, 6, 30, 23)),
            ),
            "proxies": dated(
                ("p2", datetime(2025, 6, 30), None), ("p3", datetime(2025, 6, 30), None)
            ),
        },
        visit | {"settlement_id": "too early", "service_date": ago(HORIZON + 1)},
        visit | {"settlement_id": "the day itself", "service_date": AS_OF},
    )
    return {row["settlement_id"]: row.asDict() for row in visit_rows(frame, AS_OF).collect()}


def test_visits_are_those_of_the_horizon_in_cents_with_what_held_as_of_the_day(visits):
    assert set(visits) == {"s1", "r1", "first day"}
    assert visits["s1"] == {
        "member_id": "m1",
        "settlement_id": "s1",
        "original_settlement_id": None,
        "is_refund": False,
        "day": ago(1),
        "time": datetime(2025, 6, 30, 8, 15),
        "institution_id": "h1",
        "visit_type": "11",
        "diagnosis": "I10",
        "diagnoses": ["I10", "L30"],
        "credential": "01",
        "device": "phone",
        "proxy": "p1",
        "start": ago(3),
        "end": ago(1),
        "cents": 1234,
        "fund_cents": 29,
    }
    first = visits["first day"]
    assert (first["diagnoses"], first["proxy"]) == (["I10"], "p2")
    refund = visits["r1"]
    assert (refund["original_settlement_id"], refund["cents"]) == ("s1", -1234)
    assert (refund["diagnoses"], refund["proxy"]) == (None, None)


def test_fees_people_and_certificates_come_as_plain_numbers(spark):
    fee = {
        "settlement_id": "s1",
        "member_id": "m1",
        "service_date": ago(HORIZON),
        "item_type": "drug",
        "drug_id": "d1",
        "doctor_id": "dr1",
        "quantity": Decimal("1.5"),
        "line_amount": Decimal("9.99"),
        "stated_supply_days": Decimal("7"),
        "unstated_quantity": Decimal("0.5"),
    }
    fees = frame_of(spark, FEE_FACT, fee, fee | {"service_date": ago(HORIZON + 1)})
    found = [tuple(row) for row in fee_rows(fees, AS_OF).collect()]
    assert found == [("m1", "s1", ago(HORIZON), "drug", "d1", "dr1", 1.5, 999, 7.0, 0.5)]
    person = {
        "member_id": "m1",
        "paused_from": ago(2),
        "home_latitude": 30.1,
        "home_longitude": 120.2,
    }
    assert [
        tuple(row) for row in person_rows(frame_of(spark, PERSON.silver, person)).collect()
    ] == [("m1", ago(2), None, 30.1, 120.2)]
    certificate = {
        "member_id": "m1",
        "special_disease_code": "c1",
        "start_date": ago(9),
        "annual_cap_amount": Decimal("3000.50"),
    }
    held = certificate_rows(frame_of(spark, SPECIAL_CERT.silver, certificate))
    assert [tuple(row) for row in held.collect()] == [("m1", "c1", ago(9), None, 3000.5)]


def test_accounts_that_share_a_phone_or_a_proxy_are_counted_with_kin_apart(spark):
    def held(member, device=None, proxy=None, days=5):
        return (member, ago(days), device, proxy)

    visits = spark.createDataFrame(
        [
            held("a", "phone", "p"),
            held("a", "phone"),
            held("b", "phone"),
            held("c", "phone", "p"),
            # Before the last 90 days nothing is shared.
            held("d", "phone", days=91),
            held("e", "own phone"),
            # Of nobody is anything known, so they are no kin.
            held("x", "other phone"),
            held("y", "other phone", days=90),
        ],
        "member_id string, day date, device string, proxy string",
    )
    people = [
        {"member_id": "a", "household_id": "h1"},
        {"member_id": "b", "household_id": "h1"},
        {"member_id": "c"},
        {"member_id": "d", "household_id": "h1"},
        {"member_id": "e", "household_id": "h1"},
    ]
    rows = shared_rows(visits, frame_of(spark, PERSON.silver, *people), AS_OF).collect()
    assert sorted(tuple(row) for row in rows) == [
        ("a", "device", 3, 2),
        ("a", "proxy", 2, 1),
        ("b", "device", 3, 2),
        ("c", "device", 3, 1),
        ("c", "proxy", 2, 1),
        ("x", "device", 2, 1),
        ("y", "device", 2, 1),
    ]


def test_a_pause_or_death_that_cannot_be_says_nothing(spark):
    paused = {
        "a filler": {"paused_from": date(1900, 1, 1)},
        "before there was an insurance": {
            "paused_from": date(1998, 12, 31),
            "death_date": date(1980, 1, 1),
        },
        "before birth": {"paused_from": ago(9000), "birth_date": ago(8000)},
        "over": {"paused_from": ago(300), "insured_from": ago(200)},
        "paused": {"paused_from": ago(300), "insured_from": ago(400), "birth_date": ago(9000)},
        "dead before birth": {"death_date": ago(9000), "birth_date": ago(8000)},
        "dead": {"death_date": ago(5), "insured_from": ago(2)},
    }
    rows = [{"member_id": name, **values} for name, values in paused.items()]
    found = person_rows(frame_of(spark, PERSON.silver, *rows)).collect()
    assert {row["member_id"] for row in found if row["paused_from"]} == {"paused"}
    assert {row["member_id"] for row in found if row["death_date"]} == {"dead"}
