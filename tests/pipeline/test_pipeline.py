"""The whole pipeline on the sample: counted by hand, resumed, repeated, and untouched by later rows."""

import csv
import gzip
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import mlflow
import pytest
from pyspark.sql import functions as F
from support.workspace import ROOT, base_row

from expectations.contract.properties import PINNED_BY_MODELS
from expectations.gold import institution as gold
from expectations.landing.event import FEE_DETAIL, SETTLEMENT, SETTLEMENT_CODE, SETTLEMENT_DOCTOR
from expectations.ops import JOB_RUN, TABLE_BALANCE, VALIDATION_RESULT
from expectations.tables import LANDING_BY_NAME, all_contracts
from jobs import (
    build_components,
    build_institution_features,
    build_links,
    conform_tables,
    ingest_batch,
    score_subjects,
    train_model,
    write_report,
)
from jobs.make_sample import write_sample
from jobs.run_pipeline import JOB
from jobs.runtime.pipeline import steps_of

AS_OF = "2010-01-03"
GOLD_JOBS = (
    build_institution_features.JOB,
    build_links.JOB,
    build_components.JOB,
    train_model.JOB,
    score_subjects.JOB,
)


def read(path):
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    write_sample(folder, providers=120)
    return folder


@pytest.fixture(scope="module")
def inpatient(source):
    return [row for path in source.glob("*_inpatient.csv.gz") for row in read(path)]


@pytest.fixture(scope="module")
def outpatient(source):
    return read(source / "unlabelled_outpatient.csv.gz")


@pytest.fixture(scope="module")
def workspace(new_workspace, source):
    return new_workspace(
        f"source.mapping={ROOT}/conf/sources/provider_claims.yaml",
        f"source.folder={source}",
        "train.care_setting=inpatient",
        "train.min_positives=10",
        "train.folds=3",
        "train.repeats=2",
    )


@pytest.fixture(scope="module")
def failed(workspace):
    """A first run that stops at build_links, because a file lies where its table belongs."""
    obstacle = Path(workspace.config.lake.root) / "gold" / "institution_link"
    obstacle.parent.mkdir(parents=True)
    obstacle.write_text("in the way")
    result = workspace.run(JOB, AS_OF)
    assert result.exit_code == 1
    assert "gold.institution_link in " in result.message
    assert "cannot be read: it is a file" in result.message
    obstacle.unlink()
    return workspace


@pytest.fixture(scope="module")
def done(failed):
    """The second run, which goes on from where the first failed."""
    result = failed.run(JOB, AS_OF)
    assert (result.exit_code, result.outcome) == (0, "succeeded")
    names = [step.name for step in steps_of(failed.config)]
    before = names.index("build_links")
    assert result.message.startswith(f"{len(names) - before} jobs run, {before} done before")
    return failed


@pytest.fixture(scope="module")
def gold_before(done):
    """All gold rows after the run, before later tests add to the lake."""
    return {
        contract.name: sorted(map(str, done.lake.read(contract).collect()))
        for contract in gold.GOLD_TABLES
    }


def count(workspace, table):
    return workspace.lake.read_silver(table, None).count()


def test_the_failed_run_is_recorded_and_resumed_from_the_job_that_failed(done):
    rows = done.lake.read(JOB_RUN).filter("pipeline_key IS NOT NULL").orderBy("sequence").collect()
    ended = [(row["job"], row["outcome"]) for row in rows]
    # These claims have no closed case of a member.
    skipped = {"build_training_set", "train_model:member", "score_subjects:member", "monitor_model"}
    ends = [
        (step.name, "skipped" if step.key in skipped else "succeeded")
        for step in steps_of(done.config)
    ]
    failing = ends.index(("build_links", "succeeded"))
    assert ended == [
        *ends[:failing],
        ("build_links", "failed"),
        ("run_pipeline", "failed"),
        *ends[failing:],
        ("run_pipeline", "succeeded"),
    ]


def test_each_run_says_what_it_read_and_wrote(done):
    row = done.lake.read(JOB_RUN).filter("job = 'score_subjects' AND outcome = 'succeeded'").first()
    assert set(row["inputs"]) == {"gold.institution_feature"}
    assert set(row["outputs"]) == {"gold.institution_score", "gold.institution_unscored"}
    assert row["rows_written"] == 122
    assert row["as_of_date"] == date(2010, 1, 3)


def test_silver_holds_what_the_files_hold(done, inpatient, outpatient):
    claims = inpatient + outpatient
    codes = [
        row[name]
        for row in claims
        for name in row
        if name.startswith(("ClmDiag", "ClmProc", "ClmAdmit", "DiagnosisG"))
        and row[name] not in ("NA", "")
    ]
    doctors = [
        row[name] for row in claims for name in row if "Physician" in name and row[name] != "NA"
    ]
    assert count(done, SETTLEMENT) == count(done, FEE_DETAIL) == len(claims)
    assert count(done, SETTLEMENT_CODE) == len(codes)
    assert count(done, SETTLEMENT_DOCTOR) == len(doctors)


def test_every_row_and_cent_is_accounted_for(done, inpatient, outpatient):
    total = sum(
        Decimal(row["InscClaimAmtReimbursed"])
        + Decimal(row["DeductibleAmtPaid"] if row["DeductibleAmtPaid"] != "NA" else 0)
        for row in inpatient + outpatient
    )
    rows = {row["table_name"]: row for row in done.lake.read(TABLE_BALANCE).collect()}
    for row in rows.values():
        parts = ("conformed", "superseded", "quarantined")
        assert row["rows_landed"] == sum(row[f"rows_{part}"] for part in parts)
    assert rows["fee_detail"]["amounts_conformed"]["det_item_fee_sumamt"] == total
    died = {
        row["BeneID"] for path in done_members(done) for row in read(path) if row["DOD"] != "NA"
    }
    assert rows["person"]["rows_superseded"] == len(died)


def done_members(workspace):
    return Path(workspace.config.source.folder).glob("*beneficiary.csv.gz")


def test_expectations_hold_and_name_no_identifier(done):
    results = done.lake.read(VALIDATION_RESULT)
    assert results.filter("severity = 'critical' AND NOT is_met").isEmpty()
    assert results.count() > 100
    docs = Path(done.config.report.root) / "data_docs"
    pages = [page.read_text() for page in docs.rglob("*.html")]
    assert pages
    assert not [page for page in pages if "BENE1" in page or "PRV51" in page or "CLM0" in page]


def test_features_are_those_of_a_plain_count(done, inpatient):
    of = defaultdict(list)
    for row in inpatient:
        if row["ClaimEndDt"] < "2010-01-02":
            of[row["Provider"]].append(row)
    found = done.lake.read(gold.INSTITUTION_FEATURE).collect()
    for row in found:
        claims = of[row["institution_id"]]
        stays = [
            (date.fromisoformat(c["DischargeDt"]) - date.fromisoformat(c["AdmissionDt"])).days + 1
            for c in claims
        ]
        assert row["inpatient_claim_count"] == len(claims)
        assert row["inpatient_stay_days_max"] == max(stays, default=None)
        assert row["inpatient_member_count"] == len({c["BeneID"] for c in claims})
    assert len(found) == 122


def test_institutions_are_ranked_with_five_reasons_and_the_rest_listed_apart(done, inpatient):
    scores = done.lake.read(gold.INSTITUTION_SCORE).orderBy("rank").collect()
    assert {row["institution_id"] for row in scores} == {row["Provider"] for row in inpatient}
    assert [row["rank"] for row in scores] == list(range(1, len(scores) + 1))
    assert [row["score"] for row in scores] == sorted(
        (row["score"] for row in scores), reverse=True
    )
    assert all(0 <= row["score"] <= 1 and len(row["reasons"]) == 5 for row in scores)
    apart = done.lake.read(gold.INSTITUTION_UNSCORED).drop("as_of_date").collect()
    why = ("no inpatient claims before 2010-01-03", "no_inpatient_claims")
    assert {tuple(row) for row in apart} == {("PRV90001", *why), ("PRV90002", *why)}


def test_training_rows_look_no_further_than_their_cut(done, source):
    labels = {
        row["Provider"]: row["PotentialFraud"]
        for row in read(source / "closed_cases_providers.csv")
    }
    rows = done.lake.read(gold.INSTITUTION_TRAINING_ROW).collect()
    assert {row["institution_id"]: row["label"] for row in rows} == {
        name: int(said == "Yes") for name, said in labels.items()
    }
    assert {(row["cut_date"], row["feature_date"]) for row in rows} == {
        (date(2010, 1, 1), date(2010, 1, 1))
    }


def test_a_model_is_registered_under_its_alias_with_its_inputs(done):
    client = mlflow.MlflowClient(done.config.mlflow.tracking_uri)
    version = client.get_model_version_by_alias("drugtrail-institution", "champion")
    run = client.get_run(version.run_id)
    assert run.data.tags["train_as_of"] == AS_OF
    inputs = {name.removeprefix("input.") for name in run.data.params if name.startswith("input.")}
    pinned = {
        contract.name
        for contract in all_contracts()
        if PINNED_BY_MODELS.items() <= contract.properties.items()
    }
    # What a model names has to be kept, and nothing else; this source delivers only some of it.
    assert {"silver.settlement", "gold.institution_training_row"} <= inputs <= pinned
    assert [artifact.path for artifact in client.list_artifacts(version.run_id)]


def test_the_report_is_there_and_needs_no_network(done):
    page = (Path(done.config.report.root) / "index.html").read_text()
    assert "PRV5" in page
    assert 'src="http' not in page
    ranked = (Path(done.config.report.root) / "ranked_list.csv").read_text(encoding="utf-8-sig")
    assert len(ranked.splitlines()) > 50


def test_a_second_run_gives_the_same_gold_even_after_later_rows(done, gold_before):
    institution = done.lake.read(gold.INSTITUTION_SCORE).first()["institution_id"]
    visit = (
        done.lake.read_silver(SETTLEMENT, None)
        .filter(F.col("institution_id") == institution)
        .first()
    )
    later = {"arrive_time": "2010-01-03 00:00:00"}
    correction = base_row(
        "settlement",
        setl_id=visit["settlement_id"],
        psn_no=visit["member_id"],
        fixmedins_code=institution,
        setl_time="2009-06-01 00:00:00",
        med_type="21",
        medfee_sumamt="999999.00",
        **later,
    )
    fresh = correction | {"setl_id": "later"}
    refund = correction | {
        "setl_id": "refund",
        "refd_setl_flag": "1",
        "medfee_sumamt": "-999999.00",
        "fund_pay_sumamt": "-6.00",
        "orig_setl_id": visit["settlement_id"],
    }
    done.landing.csv("settlement", "2010-02-28", [correction, fresh, refund])
    case = base_row(
        "closed_case", subject_id=institution, decision_time="2010-01-02 12:00:00", **later
    )
    done.landing.csv("closed_case", "2010-02-28", [case])
    death = base_row("person", psn_no=visit["member_id"], death_date="2009-12-01", **later)
    done.landing.csv("person", "2010-02-28", [death])
    for job in (ingest_batch.JOB, conform_tables.JOB):
        assert done.run(job).exit_code == 0
    assert (
        done.lake.read(LANDING_BY_NAME["settlement"].bronze).filter("batch = '2010-02-28'").count()
        == 3
    )
    for job in GOLD_JOBS:
        assert done.run(job, AS_OF).exit_code == 0
    for contract in gold.GOLD_TABLES:
        assert sorted(map(str, done.lake.read(contract).collect())) == gold_before[contract.name]


def test_too_few_positives_register_nothing_and_everything_after_says_so(done, tmp_path):
    train = done.config.train.model_copy(update={"min_positives": 1000})
    tracking = done.config.mlflow.model_copy(
        update={"tracking_uri": f"sqlite:///{tmp_path}/none.db"}
    )
    report = done.config.report.model_copy(update={"root": str(tmp_path / "report")})
    before, done.config = (
        done.config,
        done.config.model_copy(update={"train": train, "mlflow": tracking, "report": report}),
    )
    try:
        trained = done.run(train_model.JOB, AS_OF)
        scored = done.run(score_subjects.JOB, AS_OF)
        done.run(write_report.JOB, AS_OF)
    finally:
        done.config = before
    assert (trained.exit_code, trained.outcome) == (0, "skipped")
    assert "train.min_positives is 1000: no model was registered" in trained.message
    assert (scored.exit_code, scored.outcome) == (0, "skipped")
    assert "no model was registered" in (tmp_path / "report" / "index.html").read_text()
