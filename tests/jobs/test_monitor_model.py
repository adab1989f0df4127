"""Half a year of a model in use: quiet until the rules of prescribing change, then warnings that say what to do."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from support.pages import Seen
from support.registered import (
    MEMBER_NAME,
    indicator_rows,
    register_members,
    store_of,
    write_rows,
)

from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.gold.member_score import AUDIT_DRAW, MODEL_MONITOR
from expectations.landing.inquiry import CLOSED_CASE
from expectations.landing.reference import PERSON
from jobs import monitor_model, propose_accounts, score_subjects
from models.watched import WATCH_TAG

MEMBERS = 600
FIRST, QUIET, CHANGED = (date(2025, month, 1) for month in (2, 3, 4))


def write_month(workspace, day, seed, changed=False):
    """A month's features and indicators; once longer prescriptions are allowed, many hold more than before."""
    draws = np.random.default_rng(seed)
    flagged = 240 if changed else 60
    excess = draws.gamma(1.0, 120.0 if changed else 40.0, MEMBERS)
    features = [
        {"member_id": f"m{at:03d}", "peer_group": "all", "excess_fund_sum_365d": float(excess[at])}
        for at in range(MEMBERS)
    ]
    template = indicator_rows(1)[0]
    chosen = draws.permutation(MEMBERS)[:flagged]
    points = draws.uniform(0.5, 4.0, flagged)
    indicators = [
        template | {"subject_id": f"m{at:03d}", "points": float(points[place])}
        for place, at in enumerate(chosen)
    ]
    write_rows(workspace, MEMBER_FEATURE, features, day)
    write_rows(workspace, INDICATOR, indicators, day)


def silver(workspace, table, rows):
    """Rows of a silver table that hold from 2024 on, with every other required column filled."""
    filled = {"valid_from": datetime(2024, 1, 1), "batch": date(2024, 1, 1)}
    contract = table.silver
    given = []
    for row in rows:
        blank = {
            each.name: {"string": "x", "long": 0, "integer": 0, "boolean": False}.get(
                each.dataType.typeName(), datetime(2024, 1, 1)
            )
            for each in contract.schema
            if not each.nullable
        }
        full = dict.fromkeys(contract.columns) | blank
        given.append(full | {k: v for k, v in filled.items() if k in full} | row)
    frame = workspace.spark.createDataFrame(
        [{name: row[name] for name in contract.columns} for row in given], contract.schema
    )
    workspace.lake.replace(frame, contract)


def case(member, outcome):
    return {
        "case_id": f"c{member}",
        "subject_type": "person",
        "subject_id": member,
        "role": "card_holder",
        "outcome": outcome,
        "clue_time": datetime(2024, 2, 1),
        "open_time": datetime(2024, 3, 1),
        "decision_time": datetime(2025, 2, 20),
        "is_final": True,
        "arrive_time": datetime(2025, 2, 21),
    }


def monitored(workspace, day):
    for job, more in ((score_subjects.JOB, {"subject": "member"}), (propose_accounts.JOB, {})):
        assert workspace.run(job, day.isoformat(), **more).exit_code == 0
    result = workspace.run(monitor_model.JOB, day.isoformat())
    assert (result.exit_code, result.outcome) == (0, "succeeded")
    rows = workspace.lake.of_day(MODEL_MONITOR, day).collect()
    page = (Path(workspace.config.report.root) / "models" / "monitor.html").read_text()
    return {(row["measure"], row["slice"]): row for row in rows}, page


@pytest.fixture(scope="module")
def workspace(new_workspace):
    made = new_workspace("detect.capacity=40", "detect.audit_share=0.25")
    write_month(made, FIRST, 1)
    skipped = made.run(monitor_model.JOB, FIRST.isoformat())
    assert (skipped.exit_code, skipped.outcome) == (0, "skipped")
    assert "no model of accounts scored 2025-02-01: run score_subjects" in skipped.message
    register_members(made, date(2025, 1, 1), 0.5)
    people = [
        {"member_id": f"m{at:03d}", "district": "310101" if at % 2 else "310102"}
        for at in range(MEMBERS)
    ]
    silver(made, PERSON, people)
    return made


@pytest.fixture(scope="module")
def months(workspace):
    """The first month, one like it, and one after the change."""
    found = [monitored(workspace, FIRST)]
    listed = workspace.lake.read_if_exists(propose_accounts.HIGH_RISK_ACCOUNT)
    week = [row["member_id"] for row in listed.filter("is_within_capacity").collect()]
    draws = workspace.lake.read(AUDIT_DRAW).filter("stratum = 'listed'").collect()
    cases = [case(each, "cleared") for each in week]
    silver(workspace, CLOSED_CASE, [*cases, *(case(row["member_id"], "criminal") for row in draws)])
    write_month(workspace, QUIET, 2)
    found.append(monitored(workspace, QUIET))
    write_month(workspace, CHANGED, 3, changed=True)
    found.append(monitored(workspace, CHANGED))
    return found


def drifted(rows):
    return {of for (measure, of), row in rows.items() if "psi" in measure and row["is_warning"]}


def test_the_first_scored_day_has_nothing_to_be_compared_with(months):
    rows, page = months[0]
    assert rows["score_psi", ""]["value"] is None
    assert "Drift was not measured" in page


def test_a_month_like_the_first_is_quiet(months):
    rows, page = months[1]
    assert drifted(rows) == set()
    assert rows["score_psi", ""]["value"] < 0.1
    assert "compared with: the scores of February 1, 2025" in page


def test_a_change_of_prescribing_is_noticed_and_the_page_says_what_to_do(months):
    rows, page = months[2]
    assert {"", "points_supply", "excess_fund_amount"} <= drifted(rows)
    assert rows["input_psi", "points_care"]["value"] == pytest.approx(0)
    assert "Ask whether rules of prescribing" in rows["input_psi", "points_supply"]["advice"]
    text = Seen(page).text
    assert "Ask whether rules of prescribing, codes or deliveries changed" in text
    assert [each for each in ("2025-02-01", "2025-03-01", "2025-04-01") if each not in text] == []
    assert "Content-Security-Policy" in page
    assert not Seen(page).references


def test_decisions_tell_how_the_lists_and_the_scores_did(months):
    before, _ = months[0]
    rows, page = months[1]
    # Arrived after the first day and before the second: all 30 of the first week were cleared.
    assert before["precision", ""]["n"] == 0
    week = rows["precision", "2025-02-01"]
    assert (week["value"], week["n"], week["is_warning"]) == (0.0, 30, True)
    drawn = rows["precision", "drawn listed"]
    assert (drawn["value"], drawn["n"], drawn["is_warning"]) == (1.0, 5, False)
    assert "drawn at random from the rest of the list" in page
    assert rows["calibration_gap", "2025-02-01"]["n"] == 35
    delay = rows["label_delay_days", ""]
    assert (delay["value"], delay["n"], delay["is_warning"]) == (385.0, 35, True)


def test_districts_share_the_weeks_accounts(months):
    rows, _ = months[1]
    shares = {of: row for (measure, of), row in rows.items() if measure == "district_share"}
    assert sum(row["value"] for row in shares.values()) == pytest.approx(1)
    assert not any(row["is_warning"] for row in shares.values())


def test_each_day_is_one_run_of_mlflow_however_often_it_is_watched(workspace, months):
    again = workspace.run(monitor_model.JOB, CHANGED.isoformat())
    assert again.exit_code == 0
    client = store_of(workspace).client
    experiment = client.get_experiment_by_name(workspace.config.train.experiment)
    runs = client.search_runs([experiment.experiment_id], f"tags.model = '{MEMBER_NAME}'")
    by_day = {run.data.tags[WATCH_TAG]: run.data.metrics for run in runs}
    assert len(runs) == len(by_day) == 3
    assert by_day["2025-04-01"]["input_psi/points_supply"] > 0.1
    assert by_day["2025-03-01"]["score_psi/all"] < 0.1
