"""What refunds leave of visits and baskets that links are computed from, counted by hand."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from support.frames import frame_of, lineage

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.reference import DRUG
from jobs.network.account_inputs import account_inputs, meeting_facts, visits_between, with_value

AS_OF = date(2025, 7, 1)
DAYS = 45  # from 17 May on
ARRIVED = datetime(2025, 1, 1)
#: Settlement, account, day, total, and what it reverses; then its line's amount.
CLAIMS = [
    ("kept", "a", date(2025, 6, 10), 100, None, 80),
    ("in part", "a", date(2025, 6, 11), 100, None, 90),
    ("part", "a", date(2025, 6, 12), -30, "in part", -30),
    # A sender writes the lines of refunds with positive amounts.
    ("gone", "b", date(2025, 6, 10), 100, None, 100),
    ("all", "b", date(2025, 6, 12), -100, "gone", 100),
    ("other", "b", date(2025, 6, 13), 40, None, 40),
    ("long ago", "b", date(2025, 5, 16), 70, None, 70),
    ("today", "b", AS_OF, 60, None, 60),
]


def fact(name, who, day):
    return {
        "settlement_id": name,
        "member_id": who,
        "service_date": day,
        "service_month": f"{day:%Y-%m}",
        "valid_from": ARRIVED,
    }


def visits():
    for name, who, day, total, original, _ in CLAIMS:
        yield fact(name, who, day) | {
            "settlement_time": datetime(day.year, day.month, day.day, 9),
            "institution_id": "h",
            "visit_type": "11",
            "total_amount": Decimal(total),
            "fund_amount": Decimal(total) / 2,
            "diagnoses": [],
            "proxies": [],
            "is_refund": original is not None,
            "original_settlement_id": original,
        }


def lines():
    for name, who, day, _, _, amount in CLAIMS:
        yield fact(name, who, day) | {
            "drug_id": "drug",
            "quantity": Decimal(1),
            "line_amount": Decimal(amount),
            "stated_supply_days": Decimal(0),
            "unstated_quantity": Decimal(1),
        }


@pytest.fixture(scope="module")
def lake(spark, new_workspace):
    lake = new_workspace().lake
    lake.append(frame_of(spark, VISIT_FACT, *visits()), VISIT_FACT)
    lake.append(frame_of(spark, FEE_FACT, *lines()), FEE_FACT)
    drug = lineage(ARRIVED) | {"drug_id": "drug", "is_chronic": True, "resale_ratio": 0.5}
    lake.append(frame_of(spark, DRUG.silver, drug), DRUG.silver)
    return lake


def test_a_visit_stays_while_refunds_leave_something_of_it(lake):
    visits = visits_between(lake, AS_OF, DAYS)
    left = {
        row["settlement_id"]: (row["total_amount"], row["fund_amount"]) for row in visits.collect()
    }
    assert left == {"kept": (100, 50), "in part": (70, 35), "other": (40, 20)}
    values = with_value(lake, visits, AS_OF, DAYS).collect()
    assert {row["settlement_id"]: row["value"] for row in values} == {
        "kept": 40.0,
        "in part": 30.0,
        "other": 20.0,
    }


def test_a_refund_takes_out_of_the_basket_whichever_sign_its_lines_have(lake):
    facts = meeting_facts(lake, AS_OF, DAYS)
    taken = account_inputs(lake, facts, AS_OF, DAYS).taken.collect()
    assert sorted(row["value"] for row in taken) == [20.0, 70.0]
