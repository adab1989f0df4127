"""The settlements behind an indicator, as of a date."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from support.frames import frame_of

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.reference import DRUG
from features.indicator.evidence import EVIDENCE, MOST_NAMED, visits_with_kinds, with_evidence

AS_OF = date(2025, 7, 1)
EARLIER, LATER = datetime(2025, 1, 1), datetime(2025, 7, 1, 12)


def visit(name, ago, yuan="10.00", **changes):
    return {
        "settlement_id": name,
        "member_id": "m1",
        "service_date": AS_OF - timedelta(days=ago),
        "total_amount": Decimal(yuan),
        "visit_type": "11",
        "credential_type": "03",
        "is_refund": False,
        **changes,
    }


def proxy(*times):
    return [{"value": "p1", "valid_from": since, "valid_to": until} for since, until in times]


#: Visits of one account, by what each shows; 90 days is the window of all indicators but one.
VISITS = [
    visit("plain", 1, "5.00"),
    visit("last day", 90, "7.00"),
    visit("too early", 91),
    visit("no drug", 2),
    visit("today", 0),
    visit("certificate", 3, visit_type="14"),
    visit("cold", 4),
    visit("tonic", 5),
    visit("voucher", 6, credential_type="01"),
    visit("proxy", 7, proxies=proxy((EARLIER, None))),
    visit("later proxy", 8, proxies=proxy((LATER, None))),
    visit("former proxy", 9, proxies=proxy((EARLIER, datetime(2025, 6, 1)))),
    visit("undone", 10),
    visit("refund", 9, "-10.00", is_refund=True, original_settlement_id="undone"),
    visit("half undone", 11),
    visit("half", 9, "-4.00", is_refund=True, original_settlement_id="half undone"),
    visit("stay", 90),
    visit("someone's", 8, "-9.00", is_refund=True, original_settlement_id="plain", member_id="m2"),
]
WITHOUT_DRUG = ("no drug",)


@pytest.fixture(scope="module", params=["of everybody", "of those asked about"])
def shown(spark, request):
    """An indicator of each kind of evidence, one of a state and one of a busy account; by reason code."""
    many = [visit(f"v{n:02d}", 1 + n % 5, f"{n}.00", member_id="busy") for n in range(25)]
    held = [(each, "d1") for each in [*VISITS, *many] if each["settlement_id"] not in WITHOUT_DRUG]
    by_name = {each["settlement_id"]: each for each in VISITS}
    held += [(by_name["no drug"], None), (by_name["cold"], "d2"), (by_name["tonic"], "d3")]
    fees = [
        {
            "settlement_id": each["settlement_id"],
            "member_id": each["member_id"],
            # A long stay is billed as it goes, and settled at its end.
            "service_date": each["service_date"]
            - timedelta(days=92 if each["settlement_id"] == "stay" else 0),
            "drug_id": drug,
        }
        for each, drug in [*held, (by_name["no drug"] | {"member_id": "m2"}, "d1")]
    ]
    drugs = (
        {"drug_id": "d1", "is_cold_chain": False},
        {"drug_id": "d2", "is_cold_chain": True, "category": "biological"},
        {"drug_id": "d3", "category": "herb_tonic"},
    )
    found = [
        *(("m1", kind, kind, 90) for kind in EVIDENCE),
        ("m1", "state", "drugs", 0),
        ("busy", "busy", "drugs", 90),
        ("nobody", "nobody", "drugs", 90),
    ]
    frame = spark.createDataFrame(
        found, "subject_id string, reason_code string, evidence string, window_days int"
    )
    is_asked = request.param == "of those asked about"
    visits = visits_with_kinds(
        frame_of(spark, VISIT_FACT, *VISITS, *many),
        frame_of(spark, FEE_FACT, *fees),
        frame_of(spark, DRUG.silver, *drugs),
        AS_OF,
        frame.withColumnRenamed("subject_id", "member_id") if is_asked else None,
    ).withColumnRenamed("member_id", "subject_id")
    rows = with_evidence(frame, visits, AS_OF).collect()
    assert len(rows) == len(found)
    return {row["reason_code"]: row for row in rows}


def test_evidence_is_what_shows_the_pattern_within_its_window(shown):
    named = {code: set(shown[code]["settlement_ids"]) for code in EVIDENCE}
    assert named == {
        "drugs": {
            "plain",
            "last day",
            "certificate",
            "cold",
            "tonic",
            "voucher",
            "proxy",
            "later proxy",
            "former proxy",
            "half undone",
            "stay",
        },
        "certificate": {"certificate"},
        "cold_chain": {"cold"},
        "e_voucher": {"voucher"},
        # A proxy that came to be known on the day, or no longer held, shows nothing as of it.
        "proxy": {"proxy"},
        "tonic": {"tonic"},
    }


def test_first_and_last_day_are_those_of_the_evidence(shown):
    days = [AS_OF - timedelta(days=ago) for ago in (90, 1)]
    assert [shown["drugs"]["first_date"], shown["drugs"]["last_date"]] == days
    cold = AS_OF - timedelta(days=4)
    assert [shown["cold_chain"]["first_date"], shown["cold_chain"]["last_date"]] == [cold, cold]


def test_a_state_is_shown_by_the_last_thirty_days(shown):
    assert set(shown["state"]["settlement_ids"]) == set(shown["drugs"]["settlement_ids"]) - {
        "last day",
        "stay",
    }


def test_the_dearest_settlements_are_named_in_order(shown):
    assert shown["busy"]["settlement_ids"] == [f"v{n:02d}" for n in range(24, 24 - MOST_NAMED, -1)]
    # Of equal amounts the smaller id comes first.
    tied = [name for name in shown["drugs"]["settlement_ids"] if name not in ("plain", "last day")]
    assert tied == sorted(tied)
    assert shown["drugs"]["settlement_ids"][-2:] == ["last day", "plain"]


def test_an_indicator_without_visits_is_kept_with_nothing_named(shown):
    row = shown["nobody"]
    assert (row["settlement_ids"], row["first_date"], row["last_date"]) == ([], None, None)
