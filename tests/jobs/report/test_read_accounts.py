"""The list of accounts as the page gets it from the tables."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from expectations.gold.account import HIGH_RISK_ACCOUNT, INDICATOR
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.member_score import AUDIT_DRAW
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from jobs.report.account import Accounts, HeldBack, Pattern, Sign
from jobs.report.read_accounts import accounts
from jobs.report.timeline import Fill, Visit

AS_OF = date(2026, 1, 1)
LATER = AS_OF + timedelta(days=7)
ARRIVED = datetime(2025, 12, 1, tzinfo=UTC)


def reason(code, value, median=None, held_back_by=None, text="as it was proposed"):
    return {
        "reason_code": code,
        "typology": "many_institutions",
        "value": value,
        "threshold": 1.0,
        "peer_median": median,
        "points": 2.0,
        "held_back_by": held_back_by,
        "text": text,
    }


def account(rank, day=AS_OF, **changes):
    row = {
        "as_of_date": day,
        "rank": rank,
        "member_id": f"M{rank}",
        "points": 10.0 - rank,
        "priority": -float(rank),
        "expected_loss_amount": Decimal("100.50"),
        "is_within_capacity": rank <= 2,
        "typologies": ["many_institutions"],
        "reasons": [reason("MANY_INSTITUTIONS", 7.0, 1.0)],
        "next_check": "as it was proposed",
        "state": "proposed",
        "expires_on": day + timedelta(days=90),
    }
    return row | changes


def indicator(subject, code, held_back_by=None, subject_type="member", **changes):
    row = {
        "as_of_date": AS_OF,
        "subject_type": subject_type,
        "subject_id": subject,
        "typology": "many_institutions",
        "family": "use",
        "reason_code": code,
        "feature": "institution_count_90d",
        "value": 0.6,
        "threshold": 1.0,
        "peer_median": None,
        "window_days": 90,
        "points": 1.0,
        "held_back_by": held_back_by,
        "first_date": None,
        "last_date": None,
        "settlement_ids": [],
    }
    return row | changes


def visit(settlement, day, **changes):
    row = {
        "settlement_id": settlement,
        "member_id": "M1",
        "service_date": day,
        "service_month": f"{day:%Y-%m}",
        "settlement_time": datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        "institution_id": "H1",
        "visit_type": "11",
        "total_amount": Decimal("50.00"),
        "fund_amount": Decimal("40.00"),
        "is_refund": False,
        "valid_from": ARRIVED,
    }
    return dict.fromkeys(VISIT_FACT.columns) | row | changes


def fee(settlement, day, **changes):
    row = {
        "settlement_id": settlement,
        "member_id": "M1",
        "service_date": day,
        "service_month": f"{day:%Y-%m}",
        "item_type": "drug",
        "drug_id": "D1",
        "quantity": Decimal(2),
        "line_amount": Decimal("50.00"),
        "stated_supply_days": Decimal(28),
        "unstated_quantity": Decimal(0),
        "valid_from": ARRIVED,
    }
    return dict.fromkeys(FEE_FACT.columns) | row | changes


@pytest.fixture(scope="module")
def workspace(new_workspace):
    made = new_workspace("report.top=1", "detect.capacity=2", "report.language=zh")
    lake = made.lake
    listed = [
        account(
            1,
            reasons=[
                reason("MANY_INSTITUTIONS", 7.0, 1.0),
                reason("A_RULE_OF_LAST_YEAR", 3.0),
                reason("OVER_SUPPLY", 1.5, 0.2, held_back_by="DIALYSIS"),
                reason("RESEMBLES_FRAUD", 0.99),
            ],
        ),
        account(2, typologies=["many_institutions", "over_supply"]),
        account(3),
        account(1, LATER, member_id="OTHER"),
    ]
    signs = [
        indicator("M1", "MANY_INSTITUTIONS"),
        indicator("M1", "OVER_SUPPLY", "DIALYSIS"),
        indicator("M8", "OVER_SUPPLY", "DIALYSIS"),
        indicator("M8", "MANY_VISITS", "CANCER"),
        indicator("M9", "OVER_SUPPLY", "DIALYSIS"),
        indicator("H7", "SOLD_WITHOUT_INBOUND", subject_type="institution"),
        indicator("M7", "OVER_SUPPLY", "CANCER", as_of_date=LATER),
    ]
    day = AS_OF - timedelta(days=20)
    late = {"valid_from": datetime(2026, 1, 1, tzinfo=UTC)}
    visits = [
        visit("s1", day),
        visit("of another", day, member_id="M2"),
        visit("too late", day, **late),
    ]
    habits = [("proxy_count_180d", 3.0), ("proxy_visit_share_180d", 0.5)]
    alike = {
        "member_id": "M1",
        "as_of_date": AS_OF,
        "resemblance_365d": 1.0,
        "resemblance_share_365d": 0.99,
        # They were written in another language than the page's.
        "reasons": [(name, value, 0.1, "as it was written") for name, value in habits],
        "model_digest": "d",
    }
    for contract, rows in (
        (MEMBER_RESEMBLANCE, [alike]),
        (HIGH_RISK_ACCOUNT, listed),
        (INDICATOR, signs),
        (VISIT_FACT, visits),
        (FEE_FACT, [fee("s1", day), fee("too late", day, **late)]),
    ):
        lake.replace(made.spark.createDataFrame(rows, contract.schema).coalesce(1), contract)
    return made


@pytest.fixture(scope="module")
def found(workspace):
    return accounts(workspace.lake, workspace.config, AS_OF)


def test_the_list_of_the_date_is_counted_and_its_first_accounts_are_shown(found):
    assert (found.listed, found.capacity, found.shown, found.of_week) == (3, 2, 1, 2)
    assert [each.account for each in found.first] == ["M1", "M2"]
    assert found.week_loss == Decimal("201.00")
    assert found.looked_at is None
    assert found.patterns == (
        Pattern("many_institutions", 3, 2),
        Pattern("over_supply", 1, 1),
    )


def test_reasons_are_in_the_readers_language_whatever_they_were_proposed_in(found):
    first = found.first[0]
    assert first.signs == (
        Sign("MANY_INSTITUTIONS", "many_institutions", "90 天内在 7 家机构配药", 1.0, "count"),
        Sign("A_RULE_OF_LAST_YEAR", "many_institutions", "as it was proposed"),
        Sign(
            "OVER_SUPPLY",
            "many_institutions",
            "同一成分全年配药量为用药天数的 1.5 倍",
            0.2,
            "ratio",
            "透析治疗",
        ),
        Sign(
            "RESEMBLES_FRAUD",
            "many_institutions",
            "在同类人群中的位置与模拟省份中的欺诈账户相似: 代办人数\N{FULLWIDTH COLON}3; "
            "代办就诊占比\N{FULLWIDTH COLON}50 %",
        ),
    )
    assert first.next_check == "询问就诊多家机构的原因"


def test_what_was_held_back_is_counted_by_account(found):
    assert found.held_back == (HeldBack("透析治疗", 3, 2), HeldBack("肿瘤治疗", 1, 1))
    assert found.spared == 2


def test_institutions_that_show_something_are_named(found):
    (flagged,) = found.flagged
    assert (flagged.subject, flagged.name) == ("institution", "H7")
    assert flagged.text == "60% 的售出药盒没有入库扫码"
    assert found.flagged_total == 1


def test_the_timeline_holds_what_had_arrived_of_the_first_account_alone(found):
    (drawn,) = found.timelines
    day = AS_OF - timedelta(days=20)
    assert (drawn.account, drawn.as_of) == ("M1", AS_OF)
    assert drawn.visits == (Visit("s1", day, "H1", "11", True, 50.0),)
    (supply,) = drawn.supplies
    assert (supply.ingredient, supply.fills) == ("D1", (Fill(day, "H1", 28.0),))
    assert supply.on_hand == ((day, 0.0), (day, 28.0), (AS_OF, 8.0))


def test_a_date_without_accounts_gives_an_empty_list_and_no_table_none(workspace, new_workspace):
    assert accounts(workspace.lake, workspace.config, date(2025, 1, 1)) == Accounts(0, 2, 1)
    assert accounts(new_workspace().lake, workspace.config, AS_OF) is None


def test_draws_at_random_come_with_their_place_in_the_list_if_they_have_one(workspace, found):
    drawn = [
        {"member_id": "M9", "stratum": "unlisted", "rank": None, "propensity": 0.01},
        {"member_id": "M3", "stratum": "listed", "rank": 3, "propensity": 0.5},
    ]
    rows = [{"as_of_date": AS_OF} | row for row in drawn]
    frame = workspace.spark.createDataFrame(rows, AUDIT_DRAW.schema).coalesce(1)
    workspace.lake.replace(frame, AUDIT_DRAW)

    again = accounts(workspace.lake, workspace.config, AS_OF)

    assert found.audit == ()
    assert [(each.account, each.propensity) for each in again.audit] == [("M3", 0.5), ("M9", 0.01)]
    assert [each.listed.rank if each.listed else None for each in again.audit] == [3, None]
