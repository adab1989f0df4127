"""The accounts on the page and in their sheet, and an account's timeline. No Spark."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

import csv
import html
import io
import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from pages import EMPTY, HOSTILE, Seen

from features.member.frames import MemberRows, References, member_facts
from features.member.supply import fills_with_stock
from jobs._timeline_facts import account_timelines
from jobs.dossier import facts
from jobs.dossier.account import Account, Accounts, Flagged, HeldBack, Pattern, Sign
from jobs.dossier.page import SECTIONS, report_page
from jobs.dossier.sheet import accounts_csv
from jobs.dossier.strings import Words
from jobs.dossier.timeline import Fill, Supply, Timeline, Visit, on_hand
from jobs.dossier.timeline_picture import timeline_picture

AS_OF = EMPTY.as_of
SHOPPING = Sign("MANY", "many_institutions", "drugs from 7 institutions", 1.0, "count")
DIALYSIS = Sign("STOCK", "over_supply", "150 days on hand", 20.0, "days", held_back="dialysis")


def account(rank: int = 1, **changes: object) -> Account:
    row = Account(
        rank=rank,
        account=f"M{rank}",
        points=9.5,
        expected_loss=Decimal("12345.60"),
        signs=(SHOPPING, DIALYSIS),
        next_check="ask why so many",
        state="proposed",
        expires_on=date(2010, 4, 3),
    )
    return replace(row, **changes)


def visit(day: date, institution: str = "H1", **changes: object) -> Visit:
    row = Visit(f"{institution}-{day}", day, institution, "11", True, 80.0)
    return replace(row, **changes)


def timeline(**changes: object) -> Timeline:
    days = [date(2009, 3, 1), date(2009, 3, 1), date(2009, 5, 9)]
    visits = [visit(day, f"H{at}") for at, day in enumerate(days)]
    supply = Supply(
        "amlodipine",
        (Fill(days[0], "H0", 30.0),),
        ((days[0], 0.0), (days[0], 30.0), (days[0] + timedelta(days=30), 0.0), (AS_OF, 0.0)),
    )
    return replace(Timeline("M1", AS_OF, tuple(visits), (supply,)), **changes)


def listed(count: int = 12, **changes: object) -> facts.Report:
    """A report with a list of accounts, and nothing else."""
    found = Accounts(
        listed=340,
        capacity=100,
        shown=11,
        looked_at=2750,
        week_loss=Decimal("765432.10"),
        first=tuple(account(rank) for rank in range(1, count + 1)),
        patterns=(Pattern("many_institutions", 77, 33),),
        held_back=(HeldBack("dialysis: six and more treatments", 21, 8),),
        spared=9,
        flagged=(Flagged("doctor", "D7", "prescribes_beyond_need", "60% of drugs", "compare"),),
        flagged_total=14,
        timelines=(timeline(),),
    )
    return replace(EMPTY, accounts=replace(found, **changes))


def text_of(report: facts.Report) -> str:
    """What a reader reads, cells apart."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", report_page(report))).split())


def test_accounts_come_first() -> None:
    assert SECTIONS[0][0] == "accounts"


def test_the_page_says_what_it_was_given() -> None:
    text = text_of(listed())

    for said in (
        "Accounts to look at this week 100 of 340 that show something",
        "Their expected loss to the fund 765,432",
        "340 insured accounts show patterns",
        "All 2,750 accounts",
        "1 M1 proposed void from April 3, 2010 Its year, drawn 9.5 12,346"
        " drugs from 7 institutions (usual: 1) held back 150 days on hand – dialysis"
        " Check next ask why so many",
        "many institutions and prescribers 77 33",
        "9 accounts are not on the list",
        "dialysis: six and more treatments 21 8",
        "doctor D7 60% of drugs compare",
        "the strongest 1 of 14",
    ):
        assert said in text


def test_what_was_held_back_is_no_reason() -> None:
    assert account().counting == (SHOPPING,)
    assert account().explained == (DIALYSIS,)
    assert account().typologies == ("many_institutions",)


def test_the_strongest_sign_of_each_pattern_stands_open_and_the_others_behind() -> None:
    again = replace(SHOPPING, text="6 doctors")
    others = tuple(replace(SHOPPING, typology=f"t{at}", text=f"sign {at}") for at in range(6))
    found = account(signs=(SHOPPING, again, *others))

    assert found.leading == (SHOPPING, *others[:4])
    assert found.further == (again, *others[4:])
    text = text_of(listed(first=(found,)))
    assert "further signs: 3 6 doctors (usual: 1) sign 4 (usual: 1) sign 5 (usual: 1)" in text
    assert text.count("6 doctors") == 1


def test_the_page_shows_as_many_as_configured_and_the_sheet_all() -> None:
    report = listed()

    assert "M11" in text_of(report)
    assert "M12" not in text_of(report)
    assert [row[1] for row in csv.reader(io.StringIO(accounts_csv(report)))][1:] == [
        f"M{rank}" for rank in range(1, 13)
    ]


def test_every_link_of_the_accounts_leads_somewhere() -> None:
    page = report_page(listed())
    ids = re.findall(r'\sid="([^"]+)"', page)

    assert len(ids) == len({*ids})
    assert {where[1:] for where in Seen(page).references if where.startswith("#")} <= {*ids}
    assert 'href="#timeline-1"' in page


def test_without_a_list_the_page_names_the_job() -> None:
    assert "the job propose_accounts has not been run for this date" in text_of(EMPTY)


def test_an_empty_list_is_said_in_a_sentence() -> None:
    run = facts.JobFact("propose_accounts", "succeeded", "", 1.0, 0, 0, 0, None)
    report = replace(EMPTY, accounts=Accounts(0, 100, 50), jobs=(run,))

    assert "The list is empty: no account shows a pattern that is not explained." in text_of(report)
    assert len(accounts_csv(report).splitlines()) == 1


def test_hostile_text_in_accounts_is_shown_and_does_nothing() -> None:
    sign = replace(SHOPPING, text=HOSTILE, typology=HOSTILE)
    hostile = account(
        account=HOSTILE, signs=(sign, replace(DIALYSIS, held_back=HOSTILE)), next_check=HOSTILE
    )
    supply = replace(timeline().supplies[0], ingredient=HOSTILE)
    drawn = timeline(supplies=(supply,), names={"H0": HOSTILE}, account=HOSTILE)
    report = listed(
        first=(hostile,),
        patterns=(Pattern(HOSTILE, 1, 1),),
        held_back=(HeldBack(HOSTILE, 1, 0),),
        flagged=(Flagged(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        timelines=(drawn,),
    )
    seen = Seen(report_page(report))

    assert "script" not in seen.tags
    assert seen.text.count(HOSTILE) >= 11


@pytest.mark.parametrize("start", ["=", "@", "+", "\t", "\uff1d"])
def test_no_cell_of_the_accounts_sheet_is_a_formula(start: str) -> None:
    cell = f"{start}HYPERLINK()"
    signs = (replace(SHOPPING, text=cell, typology=cell), replace(DIALYSIS, text=cell))
    report = listed(first=(account(account=cell, signs=signs, next_check=cell),))

    row = list(csv.reader(io.StringIO(accounts_csv(report))))[1]

    assert [each for each in row if cell in each] == [f"'{cell}"] * 4 + [f"'{cell} – dialysis"]


def test_the_accounts_sheet_speaks_the_readers_language() -> None:
    sheet = accounts_csv(replace(listed(1), language="zh"))

    assert sheet.encode().startswith(b"\xef\xbb\xbf")
    head, row, _ = sheet.removeprefix("\ufeff").split("\r\n")
    assert head.startswith("名次,账户,分值,预计损失,状态,失效日期,特征分布,下一步核查,理由 1")
    assert row == (
        "1,M1,9.50,12345.60,建议核查,2010-04-03,多机构、多医生,ask why so many,"
        "drugs from 7 institutions,,,,,150 days on hand – dialysis"
    )


def test_a_pattern_without_words_of_its_own_shows_its_name() -> None:
    assert "brand new 5 2" in text_of(listed(patterns=(Pattern("brand_new", 5, 2),)))


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
            "chronic": [True, True],
            "indications": ["I10", None],
        }
    )
    institutions = pl.DataFrame(
        {"institution_id": ["H1", "H2"], "institution_type": ["hospital"] * 2}
    )
    text = pl.String
    certificates = pl.DataFrame(schema={"member_id": text, "special_disease_code": text})
    diseases = pl.DataFrame(schema={"special_disease_code": text, "indications": text})
    none = pl.DataFrame()
    rows = MemberRows(visits, fees, none, certificates, none, none)
    return member_facts(rows, References(drugs, institutions, diseases), AS_OF)


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
