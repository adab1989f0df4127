"""What doctors, counters and shops of rings are compared with, read from the lake."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from support.frames import frame_of, lineage

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.inquiry import TRACE_SCAN
from expectations.landing.reference import PERSON
from jobs.network.ring_surroundings import boxes_sold, main_counters, main_doctors

AS_OF = date(2025, 7, 1)
DAYS = 100
ARRIVED = datetime(2025, 1, 1)
SILVER = lineage(ARRIVED)
#: Account, institution and the doctors who billed, one row per visit. The ring is a and b.
VISITS = [
    *[("a", "h", ["d1"])] * 3,
    ("a", "h", ["d2"]),
    # Two visits are too few for a main doctor or a main counter.
    *[("b", "h", ["d1"])] * 2,
    # A doctor who bills twice in one visit bills one visit.
    *[("c", "h", ["d2", "d2"])] * 3,
    *[("e", "h", ["d1", "d2"])] * 2,
    ("e", "h", ["d3"]),
    # The ring does not use g, so its doctors are not looked at; but c has its main counter there.
    *[("c", "g", ["d9"])] * 4,
    ("a", "k", []),
    # Drugs without a doctor say nothing.
    *[("f", "h", [])] * 3,
]
HOMES = {"a": (30.001, 120.0), "b": (30.0, 120.003), "c": (30.002, 120.0), "e": (31.0, 121.0)}


def visits():
    day = AS_OF - timedelta(days=10)
    for number, (who, place, _) in enumerate(VISITS):
        yield {
            "settlement_id": f"s{number}",
            "member_id": who,
            "service_date": day,
            "service_month": f"{day:%Y-%m}",
            "settlement_time": datetime(2025, 6, 21, 9),
            "institution_id": place,
            "visit_type": "11",
            "diagnoses": [],
            "proxies": [],
            "is_refund": False,
            "valid_from": ARRIVED,
        }


def fees():
    for number, (who, _, doctors) in enumerate(VISITS):
        for line, doctor in enumerate(doctors):
            yield {
                "settlement_id": f"s{number}",
                "member_id": who,
                "service_date": AS_OF - timedelta(days=10),
                "service_month": "2025-06",
                "drug_id": f"drug{line}",
                "doctor_id": doctor,
                "quantity": Decimal(1),
                "line_amount": Decimal(10),
                "stated_supply_days": Decimal(0),
                "unstated_quantity": Decimal(1),
                "valid_from": ARRIVED,
            }


def scan(code, days, member, place, **more):
    return (
        SILVER
        | {
            "scan_id": f"{code}-{days}",
            "trace_code": code,
            "scan_type": "sale",
            "scan_time": datetime(2025, 7, 1, 12) - timedelta(days=days),
            "settlement_id": f"{code}-{member}",
            "member_id": member,
            "institution_id": place,
            "drug_id": "drug",
        }
        | more
    )


SCANS = [
    scan("x1", 30, "a", "h"),
    scan("x1", 20, None, "shop"),
    scan("x2", 30, "a", "h"),
    scan("x3", 30, "c", "h"),
    scan("x3", 20, "e", "far"),
    # Before the window, and scanned twice at one counter.
    scan("x4", 200, "b", "h"),
    scan("x5", 30, "b", "h"),
    scan("x5", 29, "c", "h"),
]


@pytest.fixture(scope="module")
def asked(spark, new_workspace):
    lake = new_workspace().lake
    people = [
        SILVER | {"member_id": who, "home_latitude": lat, "home_longitude": lon}
        for who, (lat, lon) in (HOMES | {"f": (None, None)}).items()
    ]
    for contract, rows in (
        (VISIT_FACT, visits()),
        (FEE_FACT, fees()),
        (PERSON.silver, people),
        (TRACE_SCAN.silver, SCANS),
    ):
        lake.append(frame_of(spark, contract, *rows), contract)
    return lake, AS_OF, DAYS, spark.createDataFrame([("a",), ("b",)], "member_id string")


def found(rows, *names):
    return {tuple(row[name] for name in names) for row in rows.collect()}


def test_main_doctors_are_those_of_the_rings_institutions(asked):
    used = asked[0].spark.createDataFrame([("h",), ("k",)], "institution_id string")
    rows = found(main_doctors(*asked, used), "member_id", "institution_id", "doctor_id", "accounts")
    # a has d1 at three of four visits, c has d2; two of e's five billed visits are no half.
    assert rows == {("a", "h", "d1", 1), (None, "h", "d2", 1), (None, "h", None, 1)}


def test_main_counters_are_those_of_the_neighbours(asked):
    rows = found(main_counters(*asked), "member_id", "area", "institution_id", "accounts")
    # e lives far away, nobody knows where f lives, and b has two visits.
    assert rows == {("a", "1500.0/6000.0", "h", 1), (None, "1500.0/6000.0", "g", 1)}


def test_boxes_are_told_by_where_they_were_got_and_sold_again(asked):
    rows = found(boxes_sold(*asked), "member_id", "institution_id", "shop", "boxes", "resold")
    assert rows == {
        ("a", "h", "shop", 1, 1),
        ("a", "h", None, 1, 0),
        ("b", "h", None, 1, 0),
        (None, "h", None, 2, 1),
        (None, "far", None, 1, 0),
    }
