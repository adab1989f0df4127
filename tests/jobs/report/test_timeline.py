"""An account's year: what is drawn, and what it says of supply on hand. No Spark."""

import re
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from support.pages import EMPTY, timeline, visit

from features.member.facts import member_facts
from features.member.frames import MemberRows, References
from features.member.packing import KINDS
from features.member.references import usable
from features.member.supply import fills_with_stock
from jobs.report.read_timelines import account_timelines
from jobs.report.strings import Words
from jobs.report.timeline import Visit, on_hand
from jobs.report.timeline_picture import timeline_picture

AS_OF = EMPTY.as_of


def marks(picture: str, what: str) -> list[str]:
    """The texts of the marks of a kind."""
    return re.findall(rf'<g class="{what}"><title>([^<]*)</title>', picture)


def test_each_visit_is_drawn_once_even_beyond_the_lanes_and_twice_a_day() -> None:
    start = AS_OF - timedelta(days=365)
    visits = [visit(start + timedelta(days=9 * at), f"H{at % 20}") for at in range(40)]
    visits += [visit(start, "H0", settlement="again", kind="41", has_drugs=False, amount=7.5)]
    visits += [visit(start, "H3", kind="21", start=start - timedelta(days=3), end=start)]
    words = Words("en")
    names = {"H1": "县医院"}

    drawn = marks(timeline_picture(timeline(visits=tuple(visits), names=names), 1, words), "visit")

    assert len(drawn) == len(visits) == 42
    assert drawn[0] == "January 3, 2009 · H0 · outpatient visit · 80.00"
    assert drawn[1] == "January 12, 2009 · 县医院 (H1) · outpatient visit · 80.00"
    assert "January 3, 2009 · H0 · pharmacy · 7.50 · no drugs" in drawn
    assert "January 3, 2009 · H3 · stay in hospital · 80.00" in drawn


def test_two_visits_of_a_day_do_not_hide_each_other() -> None:
    day = date(2009, 6, 1)
    twice = (visit(day), visit(day, settlement="again"))

    picture = timeline_picture(timeline(visits=twice), 1, Words("en"))

    assert len({*re.findall(r'<circle cx="[^"]+" cy="[^"]+"', picture)}) == 2


def test_the_timeline_shows_fills_and_what_is_on_hand() -> None:
    picture = timeline_picture(timeline(), 1, Words("en"))

    assert marks(picture, "fill") == ["March 1, 2009 · 30 days' supply · H0"]
    assert marks(picture, "supply") == ["amlodipine: at most 30 days on hand"]
    assert ">0 days left<" in picture


def test_the_timeline_is_in_chinese_too() -> None:
    picture = timeline_picture(timeline(), 1, Words("zh"))

    assert marks(picture, "fill") == ["2009年3月1日 · 30 天用量 · H0"]
    assert "手头余量" in picture


def test_supply_on_hand_falls_by_a_day_a_day_and_rests_in_hospital() -> None:
    # 30 days' supply 40 days ago, the first 4 of 10 days in hospital from 20 days ago on, 5 more
    # days' supply 10 days ago: 30 - 20 = 10 left on admission and still on discharge.
    curve = on_hand(AS_OF, [(40, 0.0, 30.0), (10, 10.0, 5.0)], [(20, 10)])

    def day(ago: int) -> date:
        return AS_OF - timedelta(days=ago)

    assert curve == (
        (day(40), 0.0),
        (day(40), 30.0),
        (day(20), 10.0),
        (day(10), 10.0),
        (day(10), 15.0),
        (day(0), 5.0),
    )


def test_supply_on_hand_never_falls_below_nothing() -> None:
    curve = on_hand(AS_OF, [(9, 0.0, 2.5)], [])

    assert [(-(day - AS_OF).days, days) for day, days in curve] == [
        (9, 0.0),
        (9, 2.5),
        (7, 0.5),
        (6, 0.0),
        (0, 0.0),
    ]


def test_nothing_on_hand_without_fills() -> None:
    assert on_hand(AS_OF, [], []) == ()


VISITS = (
    # settlement, days before, institution, kind, start, end, refunds
    ("s1", 100, "H1", "11", None, None, None),
    ("s2", 90, "H2", "41", None, None, None),
    ("s3", 80, "H1", "21", 85, 80, None),
    ("s4", 60, "H1", "11", None, None, None),
    ("s5", 50, "H1", "11", None, None, None),
    ("r5", 49, "H1", "11", None, None, "s5"),
)
FEES = (
    # settlement, days before, drug, boxes, days stated
    ("s1", 100, "D1", 1.0, 30.0),
    ("s2", 90, "D1", 2.0, 0.0),
    ("s2", 90, "D2", 1.0, 7.0),
    ("s4", 60, "D1", 1.0, 30.0),
    ("s5", 50, "D1", 1.0, 30.0),
    ("r5", 49, "D1", -1.0, -30.0),
)


@pytest.fixture(scope="module")
def member():
    """A member with a refund, a stay and a drug whose supply follows from its boxes."""

    def ago(days):
        return None if days is None else AS_OF - timedelta(days=days)

    visits = pl.DataFrame(
        [
            {
                "member_id": "M1",
                "settlement_id": settlement,
                "original_settlement_id": refunds,
                "is_refund": refunds is not None,
                "time": pl.Series([ago(days)]).cast(pl.Datetime)[0],
                "institution_id": institution,
                "visit_type": kind,
                "diagnosis": "I10",
                "start": ago(start),
                "end": ago(end),
                "cents": -5000 if refunds else 5000,
                "fund_cents": -4000 if refunds else 4000,
            }
            for settlement, days, institution, kind, start, end, refunds in VISITS
        ],
        infer_schema_length=None,
    )
    fees = pl.DataFrame(
        [
            {
                "member_id": "M1",
                "settlement_id": settlement,
                "day": ago(days),
                "item_type": "drug",
                "drug_id": drug,
                "doctor_id": "DR",
                "quantity": boxes,
                "cents": int(5000 * boxes),
                "stated_days": stated,
                "unstated_quantity": 0.0 if stated else boxes,
            }
            for settlement, days, drug, boxes, stated in FEES
        ]
    )
    drugs = pl.DataFrame(
        {
            "drug_id": ["D1", "D2"],
            "ingredient": ["amlodipine", "aspirin"],
            "atc": ["C08CA01", "B01AC06"],
            "category": ["chemical"] * 2,
            "days_per_box": [14.0, 7.0],
            "ddd_per_box": [14.0, 7.0],
            "monthly_max_boxes": [4.0, 8.0],
            "list_price": [None, None],
            "resale_ratio": [None, 0.5],
            "chronic": [True, True],
            "indications": ["I10", None],
        }
    )
    unknown = [None, None]
    institutions = pl.DataFrame(
        {
            "institution_id": ["H1", "H2"],
            "institution_type": ["hospital"] * 2,
            "district": ["320100"] * 2,
        }
        | {"visit_cap": unknown, "latitude": unknown, "longitude": unknown},
        schema_overrides=dict.fromkeys(("visit_cap", "latitude", "longitude"), pl.Float64),
    )
    text = pl.String
    certificates = pl.DataFrame(schema={"member_id": text} | KINDS["certificates"])
    diseases = pl.DataFrame(schema={"special_disease_code": text, "indications": text})
    none = pl.DataFrame()
    visits = visits.with_columns(diagnoses=pl.lit(None, pl.List(pl.String)))
    rows = MemberRows(visits, fees, none, certificates, none, none)
    return member_facts(rows, usable(References(drugs, institutions, diseases)), AS_OF)


def test_a_timeline_holds_each_visit_that_is_left_after_refunds_once(member) -> None:
    (found,) = account_timelines(member, ["M1"], {"H1": "县医院"})

    assert [each.settlement for each in found.visits] == ["s1", "s2", "s3", "s4"]
    assert [each.has_drugs for each in found.visits] == [True, True, False, True]
    assert found.visits[2] == Visit(
        settlement="s3",
        day=AS_OF - timedelta(days=80),
        institution="H1",
        kind="21",
        has_drugs=False,
        amount=50.0,
        start=AS_OF - timedelta(days=85),
        end=AS_OF - timedelta(days=80),
    )
    assert found.names == {"H1": "县医院", "H2": ""}


def test_supply_on_hand_of_a_timeline_is_that_of_the_features(member) -> None:
    (found,) = account_timelines(member, ["M1"], {})

    # By hand: 30 on day 100; 10 days later 20 are left and 28 come: 48. To day 60 pass 30 days, 5 of
    # them in hospital: 48 - 25 = 23, and 30 come: 53. 60 days later nothing is left.
    amlodipine, aspirin = found.supplies
    assert [(fill.institution, fill.days) for fill in amlodipine.fills] == [
        ("H1", 30.0),
        ("H2", 28.0),
        ("H1", 30.0),
    ]
    corners = [((AS_OF - day).days, days) for day, days in amlodipine.on_hand]
    assert corners == [
        (100, 0.0),
        (100, 30.0),
        (90, 20.0),
        (90, 48.0),
        (85, 43.0),
        (80, 43.0),
        (60, 23.0),
        (60, 53.0),
        (7, 0.0),
        (0, 0.0),
    ]
    assert (amlodipine.peak, aspirin.peak) == (53.0, 7.0)
    fills = fills_with_stock(member).filter(pl.col("ingredient") == "amlodipine")
    assert fills["stock_before"].to_list() == [0.0, 20.0, 23.0]


def test_an_account_that_got_no_drugs_has_visits_and_no_supply(member) -> None:
    fees = member.rows.fees.head(0)
    facts_of_visits = member_facts(replace(member.rows, fees=fees), member.references, AS_OF)

    (found,) = account_timelines(facts_of_visits, ["M1"], {})

    assert [each.has_drugs for each in found.visits] == [False] * 4
    assert found.supplies == ()
    assert "Supply on hand" not in timeline_picture(found, 1, Words("en"))
