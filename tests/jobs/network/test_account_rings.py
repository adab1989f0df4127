"""From facts to links, rings and the list of accounts, by the jobs as in use."""

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F
from support.frames import frame_of, lineage

from expectations.contract.errors import ConfigError
from expectations.gold.account import HIGH_RISK_ACCOUNT, INDICATOR, MEMBER_FEATURE, PEER_STATISTIC
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from expectations.gold.ring import (
    ACCOUNT_LINK,
    ACCOUNT_LINK_CUT,
    MEMBER_RING_FEATURE,
    RING,
    RING_FINDING,
    RING_HISTORY,
    RING_LINK,
    RING_MEMBER,
)
from expectations.landing.reference import DRUG, INSTITUTION, PERSON
from jobs import build_account_links, find_rings, flag_indicators, propose_accounts, write_report
from jobs.runtime.config import load_config
from jobs.runtime.job import Options

AS_OF = date(2025, 7, 1)
NEXT = date(2025, 8, 1)
ARRIVED = datetime(2025, 1, 1)
GANG = ["g1", "g2", "g3", "g4"]
COUPLE = ["k1", "k2"]
SILVER = lineage(ARRIVED)


def visit(number, member, institution, day, minute, **more):
    time = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    return {
        "settlement_id": f"s{number}",
        "member_id": member,
        "service_date": day,
        "service_month": f"{day:%Y-%m}",
        "settlement_time": time,
        "institution_id": institution,
        "visit_type": "11",
        "operator_id": f"o{number % 5}",
        "diagnoses": [],
        "proxies": [],
        "total_amount": Decimal(100),
        "is_refund": False,
        "valid_from": time,
    } | more


def province():
    """A gang that goes about together, a couple that does too, and people who come and go."""
    draw = np.random.default_rng(11)
    first = date(2025, 1, 6)
    rows = []
    for trip in range(10):
        place, day = f"h{trip % 4}", first + timedelta(days=11 * trip)
        rows += [(who, place, day, 600 + 3 * n) for n, who in enumerate(GANG)]
        rows += [(who, f"h{trip % 2}", day, 500 + n) for n, who in enumerate(COUPLE)]
    for who in range(120):
        days, minutes = draw.integers(0, 150, 5), draw.integers(480, 1000, 5)
        places = draw.integers(0, 6, 5)
        rows += [
            (f"m{who:03}", f"h{place}", first + timedelta(days=int(day)), int(minute))
            for place, day, minute in zip(places, days, minutes, strict=True)
        ]
    return [visit(number, *row) for number, row in enumerate(rows)]


def person(name, **more):
    return (
        SILVER
        | {"member_id": name, "household_id": f"of {name}", "address_hash": f"a {name}"}
        | more
    )


@pytest.fixture(scope="module")
def lake(spark, new_workspace):
    workspace = new_workspace("account_links.model=no-such-file.json")
    visits = province()
    names = sorted({row["member_id"] for row in visits})
    people = [
        person(name, household_id="couple") if name in COUPLE else person(name) for name in names
    ]
    places = [
        SILVER | {"institution_id": f"h{n}", "latitude": 30.0, "longitude": 120.0} for n in range(6)
    ]
    features = [
        {"member_id": name, "as_of_date": day, "peer_group": "all", "excess_fund_sum_365d": 50.0}
        for name in names
        for day in (AS_OF, NEXT)
    ]
    for contract, rows in (
        (VISIT_FACT, visits),
        (FEE_FACT, []),
        (PERSON.silver, people),
        (INSTITUTION.silver, places),
        (DRUG.silver, []),
        (MEMBER_FEATURE, features),
        (PEER_STATISTIC, []),
    ):
        workspace.lake.append(frame_of(spark, contract, *rows), contract)
    for job in (build_account_links, find_rings, flag_indicators, propose_accounts):
        result = workspace.run(job.JOB, str(AS_OF))
        assert result.exit_code == 0, result.message
    return workspace


def rows_of(workspace, contract, day=AS_OF):
    return workspace.lake.read(contract).filter(F.col("as_of_date") == F.lit(day)).collect()


def test_those_who_go_about_together_are_linked_and_kin_is_kept_apart(lake):
    links = {(row["src"], row["dst"]): row for row in rows_of(lake, ACCOUNT_LINK)}

    passed = {pair for pair, row in links.items() if row["has_passed"]}
    assert passed == {(a, b) for a in GANG for b in GANG if a < b}
    assert links["k1", "k2"]["is_kin"]
    of_gang = links["g1", "g2"]
    assert (of_gang["met_days"], of_gang["met_places"], of_gang["evidence_count"]) == (10, 4, 10)
    assert of_gang["first_date"] == date(2025, 1, 6)
    assert len(of_gang["settlement_ids"]) == 12
    assert of_gang["reasons"][0]["trait"] == "places_surprise"


def test_every_bound_says_what_it_cut(lake):
    cuts = {
        row["bound"]: (row["limit"], row["pairs_cut"]) for row in rows_of(lake, ACCOUNT_LINK_CUT)
    }
    assert cuts == {
        "near": (60, 0),
        "wide": (100, 0),
        **dict.fromkeys(("device", "proxy", "proxy_phone", "phone", "operator"), (60, 0)),
    }


def test_the_gang_is_a_ring_whose_head_is_not_in_the_data(lake):
    [ring] = rows_of(lake, RING)
    members = rows_of(lake, RING_MEMBER)

    assert (ring["rank"], ring["accounts"], ring["links"], ring["density"]) == (1, 4, 6, 1.0)
    assert ring["expected_loss_amount"] == Decimal("200.00")
    assert ring["has_unseen_head"]
    assert ring["findings"] == ["many_places"]
    people = [row for row in members if row["subject_type"] == "member"]
    assert [row["subject_id"] for row in people] == GANG
    assert {row["role"] for row in people} == {"card_holder"}
    assert sorted(row["organiser_rank"] for row in people) == [1, 2, 3, 4]
    [history] = rows_of(lake, RING_HISTORY)
    assert (history["ring_id"], history["event"]) == (ring["ring_id"], "born")


def test_the_ring_stands_on_its_six_links(lake):
    [ring] = rows_of(lake, RING)
    rows = rows_of(lake, RING_LINK)
    assert {(row["src"], row["dst"]) for row in rows} == {
        (a, b) for a in GANG for b in GANG if a < b
    }
    assert {(row["ring_id"], row["is_kin"]) for row in rows} == {(ring["ring_id"], False)}


def test_a_finding_has_its_numbers(lake):
    [row] = rows_of(lake, RING_FINDING)
    assert (row["finding"], row["holds"], row["value"], row["accounts"]) == (
        "many_places",
        True,
        4.0,
        4,
    )
    assert row["subject_ids"] == ["h0", "h1", "h2", "h3"]


def test_the_ring_has_a_page_and_files_and_those_of_an_ended_ring_go(lake):
    [ring] = rows_of(lake, RING)
    folder = Path(lake.config.report.root) / "rings"
    folder.mkdir(parents=True)
    for name in ("ring-ended.html", "notes.txt"):
        (folder / name).write_text("of an earlier run")

    result = lake.run(write_report.JOB, str(AS_OF))

    assert result.exit_code == 0, result.message
    endings = (".html", ".graphml", ".ftm.json", "-members.csv", "-links.csv")
    wanted = {f"{ring['ring_id']}{ending}" for ending in endings}
    assert {path.name for path in folder.iterdir()} == wanted | {"notes.txt"}
    page = (folder / f"{ring['ring_id']}.html").read_text()
    for said in (*GANG, "4 accounts that are used together", "not seen", "Jan 6, 2025"):
        assert said in page
    assert f"rings/{ring['ring_id']}.html" in (folder.parent / "index.html").read_text()
    linked = (folder / f"{ring['ring_id']}-links.csv").read_text()
    assert linked.count(",link,") == 6
    assert ">k1<" not in page


def test_the_list_names_the_ring_and_nobody_is_on_it_for_kin(lake):
    listed = {row["member_id"]: row for row in rows_of(lake, HIGH_RISK_ACCOUNT)}
    [ring] = rows_of(lake, RING)

    assert set(listed) == set(GANG)
    assert {row["ring_id"] for row in listed.values()} == {ring["ring_id"]}
    assert [reason["reason_code"] for reason in listed["g1"]["reasons"]] == ["LINKED_ACCOUNTS"]
    [shown] = [row for row in rows_of(lake, INDICATOR) if row["subject_id"] == "g1"]
    met = {row["member_id"]: row["settlement_ids"] for row in rows_of(lake, MEMBER_RING_FEATURE)}
    assert shown["settlement_ids"] == met["g1"]
    assert "k1" not in listed


def test_a_day_of_the_past_and_the_number_of_tasks_change_nothing(spark, lake):
    tables = (ACCOUNT_LINK, RING, RING_FINDING, RING_MEMBER, MEMBER_RING_FEATURE)
    before = [sorted(map(str, rows_of(lake, contract))) for contract in tables]
    late = datetime(2025, 7, 15)
    facts = [
        visit(9000 + n, who, "h5", date(2025, 6, 1), 600 + n, valid_from=late)
        for n, who in enumerate((*GANG, "m001", "m002"))
    ]
    lake.lake.append(frame_of(spark, VISIT_FACT, *facts), VISIT_FACT)

    kept = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        for job in (build_account_links, find_rings):
            assert lake.run(job.JOB, str(AS_OF)).exit_code == 0
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", kept)

    assert [sorted(map(str, rows_of(lake, contract))) for contract in tables] == before
    # The next month sees them, and the ring is the same ring.
    for job in (build_account_links, find_rings):
        assert lake.run(job.JOB, str(NEXT)).exit_code == 0
    links = {(row["src"], row["dst"]): row for row in rows_of(lake, ACCOUNT_LINK, NEXT)}
    assert links["g1", "g2"]["met_days"] == 11
    [was], [now] = rows_of(lake, RING), rows_of(lake, RING, NEXT)
    assert was["ring_id"] == now["ring_id"]
    [event] = rows_of(lake, RING_HISTORY, NEXT)
    assert event["event"] == "continued"


def test_links_weigh_what_the_habits_of_both_accounts_add(spark, lake):
    names = [row["member_id"] for row in rows_of(lake, MEMBER_FEATURE)]
    before = two_best(lake)
    rows = [
        {
            "member_id": name,
            "as_of_date": AS_OF,
            "resemblance_365d": 0.0,
            "resemblance_share_365d": 0.99 if name in GANG[:3] else 0.4,
            "model_digest": "none",
            "reasons": [],
        }
        for name in names
    ]
    lake.lake.replace(
        frame_of(spark, MEMBER_RESEMBLANCE, *rows), MEMBER_RESEMBLANCE, {"as_of_date": AS_OF}
    )

    assert lake.run(find_rings.JOB, str(AS_OF)).exit_code == 0

    after = two_best(lake)
    added = {name: after[name] - before[name] for name in GANG}
    odd, usual = (1.2 * (-math.log(1 - share) - 3.5) for share in (0.99, 0.4))
    assert added["g4"] == pytest.approx(usual, abs=1e-5)
    # The links of the others differ in weight, so a link to the usual one may have been among the best before.
    assert all(usual < added[name] <= odd + 1e-5 for name in GANG[:3])


def two_best(lake):
    return {
        row["member_id"]: row["link_weight_two_best_365d"]
        for row in rows_of(lake, MEMBER_RING_FEATURE)
    }


def test_a_broken_model_of_links_is_named_before_spark_starts(tmp_path):
    path = tmp_path / "account_link.json"
    path.write_text('{"traits": [')
    config = load_config("conf/local.yaml", [f"account_links.model={path}"])
    with pytest.raises(ConfigError, match=f"{path} is not a model of links"):
        build_account_links.JOB.check(config, Options(as_of=AS_OF))
