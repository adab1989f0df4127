from dataclasses import replace

import numpy as np
import pytest
from support.province_gangs import MONTHS, at_work, gang_settings, planned, province, rows_equal

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import hex_text, mixed
from jobs.province.arrays.shapes import stacked
from jobs.province.gangs.gangs import ROLES
from jobs.province.inquiry.cases import NEVER, no_cases
from jobs.province.inquiry.inquiry import (
    TRIGGERS,
    Losses,
    MonthTotals,
    conspicuousness,
    gang_inquiry,
    honest_inquiry,
)


def losses_of(gang):
    """Half of what was misused, as if the fund had paid so much of it."""
    parts = []
    for each in at_work():
        if each.gang != gang:
            continue
        lines, visits = each.events.lines, each.events.visits
        amount = 0.5 * lines.quantity * lines.price * lines.misused
        person, row = np.unique(visits.person[lines.visit], return_inverse=True)
        total = np.bincount(row, amount)
        parts.append(Losses(person, np.full(len(person), each.month), total))
    none = np.empty(0, np.int64)
    return stacked([Losses(none, none, np.empty(0)), *parts])


@pytest.fixture(scope="module")
def inquiries():
    here, plan = province(), planned()
    return {
        gang: gang_inquiry(here, gang_settings(), plan, gang, losses_of(gang))
        for gang in range(len(plan.gangs))
    }


def month_of(seed, size=5_000):
    """Some thousand people with few visits, and a hundred with many."""
    rng = np.random.default_rng(seed)
    many = np.arange(size) < 100
    visits = np.where(many, rng.integers(12, 25, size), rng.integers(1, 5, size))
    return MonthTotals(
        person=np.arange(size),
        visits=visits,
        institutions=np.minimum(visits, rng.integers(1, 5, size)),
        boxes=visits * 3.0,
        drug_amount=visits * 150.0,
        errands=rng.integers(0, 2, size),
        institution=rng.integers(0, 20, size),
    )


@pytest.fixture(scope="module")
def of_honest():
    here, plan = province(), planned()
    return [
        honest_inquiry(here, gang_settings(), plan, 0, month, month_of(month))
        for month in range(120)
    ]


def identifiers(people):
    return set(np.char.decode(hex_text(mixed(people, province().seed, "psn_no")), "ascii"))


def test_an_open_case_arrives_first_and_its_decision_months_later(inquiries):
    cases = stacked([no_cases(), *(each.cases for each in inquiries.values())])
    opened, closed = cases.outcome == "", cases.outcome != ""
    assert opened.sum() > 10
    assert (cases.decision_time[opened] == NEVER).all()
    assert (cases.role[opened] == "").all()
    assert np.isnan(cases.loss_amt[opened]).all()
    keys = {
        (cases.case_id[row], cases.subject_id[row]): cases.arrive_time[row]
        for row in np.flatnonzero(opened)
    }
    for row in np.flatnonzero(closed):
        assert keys[cases.case_id[row], cases.subject_id[row]] < cases.arrive_time[row]
    days = (cases.decision_time[closed] - cases.open_time[closed]) / DAY
    assert np.median(days) > 60
    assert (cases.arrive_time[closed] > cases.decision_time[closed]).all()
    assert (cases.arrive_time[opened] >= cases.open_time[opened]).all()


def test_the_clue_comes_before_the_case_and_the_offence_before_both(inquiries):
    cases = stacked([no_cases(), *(each.cases for each in inquiries.values())])
    told = cases.clue_time != NEVER
    assert told.any()
    assert (cases.clue_time[told] < cases.open_time[told]).all()
    known = cases.offence_start != NEVER
    assert (cases.offence_start[known] <= cases.offence_end[known]).all()
    assert (cases.offence_end[known] * DAY <= cases.open_time[known]).all()


def test_proven_loss_is_smaller_than_the_loss_before_the_case(inquiries):
    for gang, found in inquiries.items():
        losses = losses_of(gang)
        names = np.char.decode(hex_text(mixed(losses.person, province().seed, "psn_no")), "ascii")
        for row in np.flatnonzero(found.cases.loss_amt > 0):
            real = losses.amount[names == found.cases.subject_id[row]].sum()
            assert found.cases.loss_amt[row] < real
            assert found.cases.recovered_amt[row] <= found.cases.loss_amt[row]


def test_most_fraud_is_never_found(inquiries):
    plan = planned()
    named = {name for each in inquiries.values() for name in each.cases.subject_id.tolist()}
    accounts = identifiers(plan.cards.person)
    assert 0 < len(named & accounts) < 0.5 * len(accounts)


def test_victims_are_called_victims(inquiries):
    cases = stacked([no_cases(), *(each.cases for each in inquiries.values())])
    assert set(cases.role.tolist()) <= {*ROLES, ""}
    guilty = np.isin(cases.outcome, ("criminal", "administrative"))
    assert (cases.role[guilty] != "none").all()
    assert (cases.role[(cases.outcome != "") & ~guilty] == "none").all()


def test_later_losses_change_nothing():
    plan = planned()
    gang = int(np.argmax(plan.gangs.open_day > 90))
    losses = losses_of(gang)
    opened = int(plan.gangs.open_day[gang])
    month = next(m for m in range(120) if province().settings.month_days(m)[1] > opened)
    early = losses.take(losses.month < month)
    more = replace(losses, amount=np.where(losses.month >= month, 1e6, losses.amount))
    results = [
        gang_inquiry(province(), gang_settings(), plan, gang, each) for each in (early, more)
    ]
    assert rows_equal(results[0].cases, results[1].cases)
    assert rows_equal(results[0].clues, results[1].clues)


def test_clues_are_free_text_without_gaps_and_some_without_identifier(inquiries, of_honest):
    clues = stacked([each.clues for each in [*inquiries.values(), *of_honest]])
    assert len(clues) > 50
    assert not any("{" in text for text in clues.text.tolist())
    assert all(text for text in clues.text.tolist())
    unknown = clues.subject_type == "unknown"
    assert (clues.subject_id[unknown] == "").all()
    assert 0.05 < unknown.mean() < 0.6
    assert any(text.split()[0].isascii() for text in clues.text.tolist())
    assert any(not text[:4].isascii() for text in clues.text.tolist())
    assert (clues.arrive_time > clues.recv_time).all()
    assert set(clues.verified.tolist()) == {-1, 0, 1}


def test_honest_people_are_cleared_and_the_conspicuous_are_struck_more_often(of_honest):
    cases = stacked([each.cases for each in of_honest])
    decided = cases.take(cases.outcome != "")
    assert {"cleared", "no_finding", "withdrawn"} <= set(decided.outcome.tolist())
    by_sight = decided.take((decided.trigger == "tip") & (decided.subject_type == "person"))
    many = identifiers(np.arange(100))
    share = np.mean([name in many for name in by_sight.subject_id.tolist()])
    assert share > 5 * 100 / 5_000
    assert set(decided.trigger.tolist()) >= {"tip", "audit", "random_audit"}


def test_people_of_gangs_are_not_cleared_by_the_way(of_honest):
    plan = planned()
    before = plan.cards.from_day < 0
    guilty = identifiers(plan.cards.person[before])
    cases = stacked([each.cases for each in of_honest])
    hit = np.array([name in guilty for name in cases.subject_id.tolist()])
    assert set(cases.trigger[hit].tolist()) <= {"random_audit"}


def test_rates_of_cases_are_those_of_the_settings(of_honest):
    chosen = gang_settings().cases
    cases = stacked([each.cases for each in of_honest])
    count = (cases.outcome == "").sum()
    rate = (chosen.honest_tips + chosen.malicious_tips) * chosen.honest_tip_case
    rate += chosen.audits + chosen.random_audits
    assert count == pytest.approx(rate * 5_000 * 10, rel=0.35)


def test_conspicuous_is_who_comes_often_and_carries_much():
    totals = month_of(1)
    seen = conspicuousness(totals)
    assert seen[:100].min() > np.median(seen[100:])


def test_triggers_and_months_are_as_declared():
    assert list(gang_settings().cases.triggers) == list(TRIGGERS[:-1])
    assert MONTHS == 12
