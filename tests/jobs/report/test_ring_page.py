"""The pages of rings in both languages. No Spark."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

import html
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from support.pages import EMPTY, HOSTILE, Seen
from support.rings import ring

from jobs.report import content as facts
from jobs.report.account import Account, Accounts, Sign
from jobs.report.page import report_page, ring_files
from jobs.report.ring import Finding, Part, Place, Ring, Rings, Tie, Week
from jobs.report.ring_network_picture import MOST_CARDS, network_picture
from jobs.report.ring_pictures import card_order, places_picture, weeks_picture
from jobs.report.ring_words import how_it_works
from jobs.report.sheet import accounts_csv
from jobs.report.strings import Words

EN, ZH = Words("en"), Words("zh")


def report(*rings: Ring, language: str = "en") -> facts.Report:
    return replace(
        EMPTY, language=language, rings=Rings(len(rings), 40, Decimal("654321.00"), rings)
    )


def account(rank: int, of_ring: str | None) -> Account:
    sign = Sign("LINKED_ACCOUNTS", "linked_accounts", "linked")
    return Account(
        rank,
        f"M{rank}",
        2.0,
        Decimal(1),
        (sign,),
        "ask",
        "proposed",
        date(2010, 4, 3),
        ring=of_ring,
    )


def page(of: Ring, language: str = "en") -> str:
    return ring_files(report(of, language=language))[f"{of.ring}.html"]


def text_of(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("cards", "carriers"), [(2, 0), (40, 3)])
def test_a_page_is_whole_and_loads_nothing(cards: int, carriers: int, language: str) -> None:
    of = ring(cards, carriers)
    seen = Seen(page(of, language))

    assert {"script", "iframe", "link", "img"} & {*seen.tags} == set()
    assert seen.references == [
        "../index.html#rings",
        *(
            f"{of.ring}{ending}"
            for ending in ("-members.csv", "-links.csv", ".graphml", ".ftm.json")
        ),
    ]
    assert seen.tags.count("svg") == 3
    for part in of.parts:
        assert part.subject in seen.text


def test_the_page_says_what_it_was_given() -> None:
    text = text_of(page(ring(4)))
    for said in (
        "Ring 1: 4 accounts that are used together",
        "Expected loss to the fund 123,457",
        "Boxes of drugs 320",
        "Paid by the fund 65,432",
        "Seen together Jan 6, 2025 – Dec 1, 2025",
        "Who runs it C00000000 organiser",
        "cards in turn The cards are used in turn: 3 times two of them got drugs that are resold in the same"
        " month; chance would give 25.5. 1 in 10,000",
        "comes for 4 accounts own card not in the ring",
        "M00000001 rank 2 of the list card holder linked to others of the ring",
        "1 Pharmacy 0 H0 pharmacy 4 90 9,000",
        "H0 institution main counter main counter of more accounts of the ring than of their neighbours 80%",
        "D0 doctor doctor main doctor of more of the ring than of everybody else there 75%",
        "S0 institution seller boxes of the ring were sold again here 50%",
        "clopidogrel 75 mg D1 4 300 30,000 60%",
    ):
        assert said in text


def test_a_ring_without_a_head_names_nobody() -> None:
    of = ring(3, 0)
    text = text_of(page(of))
    assert of.head is None
    assert "Who runs it not seen nobody in the claims comes for the others" in text
    assert "nobody is named for standing next to them" in how_it_works(of, EN)
    assert "head not seen" in network_picture(of, EN)
    assert "组织者未见于数据" in how_it_works(of, ZH)


def test_the_paragraph_is_made_of_the_findings_that_hold() -> None:
    plain = how_it_works(ring(4, findings=()), EN)
    assert "in turn" not in plain
    both = (
        Finding("shared_credentials", 0.75, 3, subjects=("C00000000",)),
        Finding("linked_kin", 2.0, 1, subjects=("K1", "K2")),
    )
    said = how_it_works(ring(4, findings=both), EN)
    assert "One person or phone carries 3 of the 4 accounts: C00000000." in said
    split = Finding("role_split", 1.0, 3, 0.1, 4.0, ("C00000000",))
    assert "One person or phone" not in how_it_works(ring(4, findings=(*both, split)), EN)
    assert "Relatives who come along with members: 2. They are listed as kin" in said
    assert "分工明确：C00000000 为 4 个账户取药" in how_it_works(ring(4), ZH)


def test_kin_is_shown_as_kin_and_not_as_taking_part() -> None:
    kin = (Finding("linked_kin", 1.0, 1, subjects=("K1",)),)
    of = ring(4, findings=kin)
    of = replace(of, ties=(*of.ties, Tie("kin", "K1", "M00000000", 0.9)))
    picture = network_picture(of, EN)
    assert 'class="node kin"' in picture
    assert 'class="tie kin"' in picture
    assert of.cards == ring(4).cards
    assert "in no ring: K1" in text_of(page(of))


def test_a_victim_is_named_so() -> None:
    kept = tuple(
        replace(part, role="victim") if part.is_linked else part for part in ring(3, 0).parts
    )
    assert "The holders may be victims" in how_it_works(ring(3, 0, parts=kept), EN)


def test_hostile_text_does_nothing_on_a_page() -> None:
    of = ring(3)
    of = replace(
        of,
        parts=(*of.parts, Part("phone", HOSTILE, "collector", 0.5, (HOSTILE,))),
        places=(Place(HOSTILE, HOSTILE, HOSTILE, 1, 1, Decimal(1), 30.0, 120.0),),
        findings=(Finding(HOSTILE, 1.0, 1, subjects=(HOSTILE,)),),
        ties=(Tie("carries", HOSTILE, "M00000000", 3.0),),
    )
    markup = page(of)
    assert HOSTILE not in markup
    assert HOSTILE in html.unescape(markup)


def test_pictures_have_a_bound_and_the_page_says_so() -> None:
    of = ring(MOST_CARDS + 5)
    assert network_picture(of, EN).count('class="node card_holder') == MOST_CARDS
    text = text_of(page(of))
    assert f"The picture has {MOST_CARDS} of {MOST_CARDS + 5} card holders" in text
    assert f"The picture has {MOST_CARDS} of {MOST_CARDS + 5} cards." in text
    # The table has all of them.
    assert "M00000064" in text


def test_every_line_of_the_pictures_lies_inside() -> None:
    for cards, carriers in ((2, 0), (5, 2), (40, 3)):
        of = ring(cards, carriers)
        for picture in (network_picture(of, EN), weeks_picture(of, EN), places_picture(of, EN)):
            assert picture is not None
            root = ET.fromstring(picture)
            width, height = map(float, root.attrib["viewBox"].split()[2:])
            for box in root.iter("rect"):
                x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
                assert (x >= 0, y >= 0, x + w <= width + 0.1, y + h <= height + 0.1) == (True,) * 4


def test_cards_stand_in_the_order_of_use() -> None:
    of = ring(3, findings=())
    monday = of.mondays[0]
    late, early = of.mondays[30], of.mondays[3]
    weeks = (
        Week("M00000000", late, 1, Decimal(1)),
        Week("M00000001", early, 1, Decimal(0)),
        Week("M00000002", monday, 1, Decimal(9)),
    )
    of = replace(of, weeks=weeks)
    assert card_order(of) == ["M00000002", "M00000001", "M00000000"]
    turned = replace(of, findings=(Finding("rotation", 0, 3, 1, 4, ("M00000001", "M00000000")),))
    assert card_order(turned) == ["M00000001", "M00000000", "M00000002"]
    picture = weeks_picture(of, EN)
    assert (picture.count('class="shade none"'), picture.count('class="shade s3"')) == (1, 1)


def test_one_spot_and_no_spot_can_be_drawn() -> None:
    here = Place("H1", "", "", 1, 1, Decimal(1), 30.0, 120.0)
    assert "2 km" not in str(places_picture(ring(2, 0, places=(), homes={}), EN))
    assert places_picture(ring(2, 0, places=(here,), homes={}), EN) is not None
    unknown = replace(here, lat=None, lon=None)
    nowhere = ring(2, 0, places=(unknown,))
    assert places_picture(nowhere, EN) is None
    assert "does not say where the institutions lie" in text_of(page(nowhere))


def test_places_that_would_cover_each_other_share_a_mark() -> None:
    far = Place("H9", "", "", 1, 1, Decimal(1), 31.0, 121.0)
    near = [Place(f"H{at}", "", "", 1, 5, Decimal(1), 30.0 + at / 1000, 120.0) for at in range(3)]
    picture = str(places_picture(ring(2, 0, places=(*near, far), homes={}), EN))
    labels = [each.text for each in ET.fromstring(picture).iter("text")]
    assert labels == ["1, 2, 3", "4", "50 km"]


def test_the_report_leads_to_every_page_and_accounts_to_their_ring() -> None:
    of = ring(3)
    first = (account(1, of.ring), account(2, "ring-other"), account(3, None))
    whole = replace(
        EMPTY,
        accounts=Accounts(listed=3, capacity=3, shown=3, first=first),
        rings=Rings(7, 40, Decimal("654321.00"), (of,)),
    )
    markup = report_page(whole)
    assert Seen(markup).references.count(f"rings/{of.ring}.html") == 2
    text = text_of(markup)
    assert "7 groups with 40 accounts in all do things together" in text
    assert "M1 proposed void from April 3, 2010 in ring 1 2.0" in text
    assert "M2 proposed void from April 3, 2010 in a ring 2.0" in text
    assert "M3 proposed void from April 3, 2010 2.0" in text
    assert [row.split(",")[6] for row in accounts_csv(whole).splitlines()] == [
        "Ring",
        of.ring,
        "ring-other",
        "",
    ]


def test_without_rings_the_report_says_why() -> None:
    assert ring_files(EMPTY) == {}
    assert "the job find_rings has not been run" in text_of(report_page(EMPTY))
    none = replace(
        EMPTY,
        rings=Rings(0, 0, Decimal(0)),
        jobs=(facts.JobFact("find_rings", "succeeded", "", 1.0, 0, 0, 0, None),),
    )
    assert "There is no ring: no group of accounts" in text_of(report_page(none))
