"""The jobs about accounts, wrongly asked: one sentence and the exit code of the manual, whatever is wrong."""

import pytest
from support.workspace import ROOT

from expectations.gold.account import MEMBER_FEATURE
from expectations.gold.fact import VISIT_FACT
from jobs import (
    build_facts,
    build_member_features,
    build_triage_features,
    evaluate_detection,
    flag_indicators,
    propose_accounts,
    review_account,
)
from jobs.runtime.command_line import exit_code

DAY = ["--as-of", "2025-10-01"]
DECISION = ["--member", "m1", "--decision", "approved", "--reason", "asked"]
TYPO = "member:\n  - {code: OVER, feature: supply_ratio_max_36d, familly: supply}\n"


@pytest.mark.parametrize(
    ("job", "arguments", "told"),
    [
        (build_member_features.JOB, [], "--as-of DATE is missing"),
        (flag_indicators.JOB, [], "--as-of DATE is missing"),
        (review_account.JOB, DECISION, "--as-of DATE is missing"),
        (review_account.JOB, DAY, "--member is missing"),
        (evaluate_detection.JOB, DAY, "--truth FOLDER is missing"),
        (evaluate_detection.JOB, [*DAY, "--truth", "nowhere"], "there is no truth_person"),
        (build_triage_features.JOB, DAY, "--legal-basis ID is missing"),
        (
            flag_indicators.JOB,
            [*DAY, "--set", "detect.typologies=TYPO"],
            "OVER: unknown key familly; the nearest valid name is family",
        ),
        (
            propose_accounts.JOB,
            [*DAY, "--set", "detect.typologies=nowhere.yaml"],
            "cannot read the rules in nowhere.yaml",
        ),
        (propose_accounts.JOB, [*DAY, "--set", "detect.capacity=0"], "detect.capacity is 0"),
    ],
)
def test_a_wrong_argument_ends_with_2_before_spark_starts(job, arguments, told, tmp_path, capfd):
    (tmp_path / "rules.yaml").write_text(TYPO)
    given = [each.replace("TYPO", f"{tmp_path}/rules.yaml") for each in arguments]
    assert exit_code(job, ["--config", f"{ROOT}/conf/local.yaml", *given]) == 2
    said = capfd.readouterr().err
    assert told in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def empty(new_workspace, tmp_path_factory):
    register = tmp_path_factory.mktemp("register") / "legal_bases.yaml"
    entry = "{kind: warrant, issued_by: Court, valid_from: 2025-01-01, valid_until: 9999-12-31}"
    register.write_text(f"bases:\n  W-2025-001: {entry}\n")
    return new_workspace(f"triage.legal_bases={register}")


@pytest.mark.parametrize(
    ("job", "more", "missing"),
    [
        (build_facts.JOB, {}, "silver.settlement in {}: run conform_tables first"),
        (build_member_features.JOB, {}, "gold.visit_fact in {}: run build_facts first"),
        (flag_indicators.JOB, {}, "gold.fee_fact in {}: run build_facts first"),
        (propose_accounts.JOB, {}, "gold.indicator in {}: run flag_indicators first"),
        (
            review_account.JOB,
            {"member": "m1", "decision": "approved", "reason": "asked"},
            "gold.high_risk_account in {}: run propose_accounts first",
        ),
        (
            build_triage_features.JOB,
            {"legal_basis": "W-2025-001"},
            "gold.visit_fact in {}: run build_facts first",
        ),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_a_lake_without_the_table_is_refused_with_the_job_that_writes_it(empty, job, more, missing):
    result = empty.run(job, None if job is build_facts.JOB else "2025-10-01", **more)
    assert (result.exit_code, result.outcome) == (3, "refused")
    assert result.message == "there is no table " + missing.format(empty.lake.root)


def test_a_lake_of_another_version_ends_with_1_and_says_what_differs(empty):
    root = empty.lake.root
    other = empty.spark.createDataFrame([("m1",)], "member_id string")
    for contract in (VISIT_FACT, MEMBER_FEATURE):
        other.write.format("delta").save(f"{root}/{contract.layer}/{contract.table}")
    result = empty.run(build_member_features.JOB, "2025-10-01")
    assert (result.exit_code, result.outcome) == (1, "failed")
    assert result.message.startswith(
        f"gold.visit_fact in {root}/gold/visit_fact was written by another version"
    )
    assert "settlement_id" in result.message
    assert "Run migrate_tables" in result.message
