"""Parcels, clues and boxes beside accounts, worked out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from support.frames import frame_of

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.triage import TRIAGE_FEATURES
from expectations.landing.inquiry import CLUE, PARCEL, TRACE_SCAN
from expectations.landing.reference import INSTITUTION, PERSON
from features.inquiry.triage import (
    MAX_SHARERS,
    crowded_parcels,
    holders,
    parcels_sent,
    pickups,
    triage_features,
)

AS_OF = date(2025, 7, 1)

PEOPLE = [
    {"member_id": "m1", "phone_hash": "phone 1", "address_hash": "flat"},
    {"member_id": "m2", "phone_hash": "phone 2", "address_hash": "flat"},
    {"member_id": "m3"},
    # As many as may share an address, and one more.
    *({"member_id": f"y{n}", "address_hash": "house"} for n in range(MAX_SHARERS)),
    *({"member_id": f"x{n}", "address_hash": "dormitory"} for n in range(MAX_SHARERS + 1)),
]


def visit(name, when, boxes, **more):
    seen = {
        "settlement_id": name,
        "member_id": "m1",
        "settlement_time": datetime.fromisoformat(when),
        "is_refund": False,
        "visit_type": "11",
        **more,
    }
    return seen, {"settlement_id": name, "drug_id": "d1", "quantity": Decimal(boxes)}


VISITS = [
    visit("s1", "2025-06-20 10:00", 2),
    visit("s2", "2025-06-22 09:00", 5),
    visit("s3", "2025-03-01 09:00", 2),
    visit("stay", "2025-06-25 09:00", 9, visit_type="21"),
    visit("refund", "2025-06-25 09:00", -9, is_refund=True),
]
#: s1 is of three boxes; nothing was collected at the last.
FEES = [
    *(fee for _, fee in VISITS),
    {"settlement_id": "s1", "drug_id": "d2", "quantity": Decimal(1)},
    {"settlement_id": "none", "quantity": Decimal(1)},
]


def parcel(name, when, kg=1.0, goods="文件", to="home", **more):
    return {
        "waybill_id": name,
        "send_time": datetime.fromisoformat(when),
        "weight_kg": kg,
        "declared_goods": goods,
        "receiver_address_type": to,
        "legal_basis_id": "warrant",
        **more,
    }


PHONE, FLAT = {"sender_phone_hash": "phone 1"}, {"sender_address_hash": "flat"}
PARCELS = [
    # At the moment of s1, and two hours after it.
    parcel("p0", "2025-06-20 10:00", 0.2, **PHONE),
    parcel("p1", "2025-06-20 12:00", 1.0, "茶叶", "pharmacy", **PHONE),
    # From the flat of two members; s2 is of one of them.
    parcel("p2", "2025-06-23 09:00", 2.0, "衣服", **FLAT),
    # Exactly 72 hours after s2, and a second more.
    parcel("p3", "2025-06-25 09:00:00", 0.5, **PHONE, **FLAT),
    parcel("p4", "2025-06-25 09:00:01", 4.0, "Food", is_cold_pack=True, **PHONE),
    # After s3, which is more than 90 days ago.
    parcel("p5", "2025-03-02 09:00", 3.0, "食品", "clinic", **PHONE),
    # Too early, under another warrant, on the day itself.
    parcel("early", "2025-01-01 09:00", **PHONE),
    parcel("other warrant", "2025-06-20 12:00", **PHONE) | {"legal_basis_id": "other"},
    parcel("today", "2025-07-01 00:00", **PHONE),
    # From a dormitory; one of these is known by its phone, too.
    parcel("crowded", "2025-06-10 09:00", sender_address_hash="dormitory"),
    parcel(
        "half known",
        "2025-06-10 09:00",
        sender_address_hash="dormitory",
        sender_phone_hash="phone 2",
    ),
    parcel("from a house", "2025-06-10 09:00", sender_address_hash="house"),
    parcel("from a stranger", "2025-06-10 09:00", sender_phone_hash="phone 9"),
]


def clue(name, subject, kind="person", channel="hotline", verified=None, ago=9):
    return {
        "clue_id": name,
        "channel": channel,
        "receive_time": datetime(2025, 7, 1, 12) - timedelta(days=ago),
        "subject_type": kind,
        "subject_id": subject,
        "is_verified": verified,
    }


#: Of three clues of the hotline that were checked two were right: 3 of 5. Of others nothing is known: 1 of 2.
CLUES = [
    clue("c1", "m1", verified=True),
    clue("c2", "somebody", verified=True, ago=400),
    clue("c3", "m1", verified=False),
    clue("c4", "m1"),
    clue("c5", "phone 1", "phone", "police"),
    clue("c6", "dormitory", "address"),
    clue("c7", "m1", ago=366),
    clue("c8", "flat", "address", None),
    clue("c9", None, "unknown"),
    clue("c10", "m1", "institution"),
]


def sold(code, ago, place, member):
    return {
        "scan_id": f"{code} {ago}",
        "trace_code": code,
        "scan_type": "sale",
        "scan_time": datetime(2025, 7, 1) - timedelta(days=ago),
        "institution_id": place,
        "member_id": member,
        "settlement_id": f"{code} {ago}",
    }


SCANS = [
    sold("t1", 50, "here", "m1"),
    sold("t1", 20, "far", None),
    sold("t2", 50, "here", "m1"),
    sold("t2", 20, "near", None),
    sold("t3", 50, "near", "m3"),
    sold("t3", 20, "far", None),
    sold("t4", 50, "near", "m3"),
    sold("t4", 20, "far", None),
]
PLACES = [
    {"institution_id": "here", "district": "330101"},
    {"institution_id": "near", "district": "339999"},
    {"institution_id": "far", "district": "440101"},
]


@pytest.fixture(scope="module")
def linked(spark):
    held = holders(frame_of(spark, PERSON.silver, *PEOPLE))
    sent = parcels_sent(frame_of(spark, PARCEL.silver, *PARCELS), "warrant", AS_OF)
    return sent, held


@pytest.fixture(scope="module")
def features(spark, linked):
    collected = pickups(
        frame_of(spark, VISIT_FACT, *(seen for seen, _ in VISITS)),
        frame_of(spark, FEE_FACT, *FEES),
    )
    rows = triage_features(
        *linked,
        collected,
        frame_of(spark, CLUE.silver, *CLUES),
        frame_of(spark, TRACE_SCAN.silver, *SCANS),
        frame_of(spark, INSTITUTION.silver, *PLACES),
        AS_OF,
    ).collect()
    return {row["member_id"]: row.asDict() for row in rows}


NONE = dict.fromkeys(each.name for each in TRIAGE_FEATURES)
EXPECTED = {
    "m1": {
        "resold_elsewhere_box_count_365d": 1,
        "parcel_count_180d": 6,
        # p0, p1, p2 and p3, of 3.7 kg, after visits of three and five boxes.
        "parcel_after_pickup_count_90d": 4,
        "parcel_kg_per_box_90d": 3.7 / 8,
        "parcel_to_pharmacy_share_180d": 2 / 6,
        # Tea to a pharmacy, clothes after a visit, cold food, food to a clinic.
        "parcel_other_goods_count_180d": 4,
        # c1 and c4, the phone's and the flat's.
        "clue_weight_365d": 0.6 + 0.6 + 0.5 + 0.5,
    },
    # p2, p3 and the one that is half known: clothes, but nothing says drugs.
    "m2": NONE
    | {
        "parcel_count_180d": 3,
        "parcel_after_pickup_count_90d": 0,
        "parcel_to_pharmacy_share_180d": 0,
        "parcel_other_goods_count_180d": 0,
        "clue_weight_365d": 0.5,
    },
    "m3": NONE | {"resold_elsewhere_box_count_365d": 2},
}


def test_a_member_is_what_was_worked_out_by_hand(features):
    for name, expected in EXPECTED.items():
        found = {feature: features[name][feature] for feature in expected}
        assert found == pytest.approx(expected), name
    assert EXPECTED["m1"].keys() == {each.name for each in TRIAGE_FEATURES}


def test_an_address_of_few_is_each_ones_and_one_of_many_nobodys(features, linked):
    assert set(features) == {"m1", "m2", "m3", *(f"y{n}" for n in range(MAX_SHARERS))}
    assert {features[f"y{n}"]["parcel_count_180d"] for n in range(MAX_SHARERS)} == {1}
    assert [row["waybill_id"] for row in crowded_parcels(*linked).collect()] == ["crowded"]


def test_triage_features_are_declared_to_be_for_people_only():
    assert all(6 in each.leakage for each in TRIAGE_FEATURES)
