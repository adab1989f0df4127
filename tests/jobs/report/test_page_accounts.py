"""The accounts on the page and in their sheet, in both languages. No Spark."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

import csv
import html
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from support.pages import EMPTY, HOSTILE, Seen, timeline

from jobs.report import content as facts
from jobs.report.account import Account, Accounts, AuditDraw, Flagged, HeldBack, Pattern, Sign
from jobs.report.page import SECTIONS, report_page
from jobs.report.sheet import accounts_csv

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

    assert "The list is empty: no account has an indicator without an explanation." in text_of(
        report
    )
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
    assert head.startswith("名次,账户,分值,预计损失,状态,失效日期,团伙,特征分布,下一步核查,理由 1")
    assert row == (
        "1,M1,9.50,12345.60,建议核查,2010-04-03,,多机构、多医生,ask why so many,"
        "drugs from 7 institutions,,,,,150 days on hand – dialysis,规则与关联,"
    )


def test_a_pattern_without_words_of_its_own_shows_its_name() -> None:
    assert "brand new 5 2" in text_of(listed(patterns=(Pattern("brand_new", 5, 2),)))


def test_the_page_says_who_speaks_for_an_account_when_a_model_has_a_say() -> None:
    report = listed(first=(account(ranked_by="model"),), model_version="3")

    assert "ranked by" not in text_of(listed())
    assert "version 3 of the model of accounts" in text_of(report)
    assert "M1 proposed ranked by model void from" in text_of(report)
    assert "排序依据：模型" in text_of(replace(report, language="zh"))


def test_draws_at_random_are_marked_and_stand_on_the_sheet_with_their_chance() -> None:
    far = account(200)
    draws = (AuditDraw("M200", 0.004, far), AuditDraw("M999", 0.00025))
    report = listed(audit=(AuditDraw("M12", 0.004, account(12)), *draws))

    text = text_of(report)
    assert "3 accounts of the week were drawn at random" in text
    assert "M200 200 0.400%" in text
    assert "M999 not listed 0.025%" in text
    assert "The first 97 are a week's work" in text
    rows = list(csv.reader(io.StringIO(accounts_csv(report))))[1:]
    assert [(row[0], row[1], row[-1]) for row in rows if row[-1]] == [
        ("12", "M12", "0.004"),
        ("200", "M200", "0.004"),
        ("", "M999", "0.00025"),
    ]
    assert {len(row) for row in rows} == {17}
