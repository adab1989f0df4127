"""convert_source: what the mapping makes of the sample, hashing, and broken sources."""

import csv
import gzip
import hashlib
import hmac
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from support.workspace import ROOT

from expectations.contract.errors import ConfigError
from jobs.convert_source import JOB, keyed_hash
from jobs.make_sample import write_sample

MAPPING = ROOT / "conf" / "sources" / "provider_claims.yaml"


def landed(workspace, table):
    """All rows of a landing table, and its manifests."""
    folders = sorted((workspace.landing.root / table).glob("batch=*"))
    manifests = [json.loads((folder / "_manifest.json").read_text()) for folder in folders]
    rows = pd.concat(
        pq.read_table(folder / file["name"]).to_pandas()
        for folder, manifest in zip(folders, manifests, strict=True)
        for file in manifest["files"]
    )
    return rows, manifests


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    write_sample(folder, providers=16)
    return folder


@pytest.fixture(scope="module")
def converted(new_workspace, source):
    this = new_workspace(f"source.mapping={MAPPING}", f"source.folder={source}")
    assert this.run(JOB).exit_code == 0
    return this


def claims_of(source):
    for path in source.glob("*patient.csv.gz"):
        with gzip.open(path, "rt") as text:
            yield from csv.DictReader(text)


def test_a_claim_becomes_a_settlement_by_the_rules_of_the_mapping(converted, source):
    rows, _ = landed(converted, "settlement")
    found = {row.setl_id: row for row in rows.itertuples()}
    claims = list(claims_of(source))
    assert set(found) == {claim["ClaimID"] for claim in claims}
    for claim in claims:
        row = found[claim["ClaimID"]]
        deductible = 0 if claim["DeductibleAmtPaid"] == "NA" else int(claim["DeductibleAmtPaid"])
        assert float(row.medfee_sumamt) == int(claim["InscClaimAmtReimbursed"]) + deductible
        assert row.fund_pay_sumamt == claim["InscClaimAmtReimbursed"]
        assert row.setl_time == f"{claim['ClaimEndDt']} 00:00:00"
        assert row.med_type == ("21" if "AdmissionDt" in claim else "11")
        after = pd.Timestamp(claim["ClaimEndDt"]) + pd.Timedelta(days=1)
        assert row.arrive_time == str(after)


def test_manifests_count_and_sum_what_they_list(converted):
    rows, manifests = landed(converted, "fee_detail")
    assert sum(manifest["rows"] for manifest in manifests) == len(rows)
    control = sum(float(manifest["control"]["det_item_fee_sumamt"]) for manifest in manifests)
    assert control == rows["det_item_fee_sumamt"].astype(float).sum()


def test_codes_and_doctors_become_rows_without_empty_ones(converted, source):
    codes, _ = landed(converted, "settlement_code")
    wanted = sum(
        value not in ("NA", "")
        for claim in claims_of(source)
        for name, value in claim.items()
        if name.startswith(("ClmDiagnosis", "ClmProcedure", "ClmAdmit", "DiagnosisGroup"))
    )
    assert len(codes) == wanted
    doctors, _ = landed(converted, "settlement_doctor")
    named = sum(
        value != "NA"
        for claim in claims_of(source)
        for name, value in claim.items()
        if "Physician" in name
    )
    assert len(doctors) == named


def test_a_second_conversion_leaves_every_batch_as_it_lies(converted):
    _, before = landed(converted, "settlement_code")
    result = converted.run(JOB)
    assert ", 0 batches written," in result.message
    assert landed(converted, "settlement_code")[1] == before


def test_hashing_is_hmac_sha256_with_the_key_of_the_environment():
    hashed = keyed_hash(pd.Series(["BENE11001", None]), b"0123456789abcdef")
    assert hashed[0] == hmac.new(b"0123456789abcdef", b"BENE11001", hashlib.sha256).hexdigest()
    assert hashed[1] is None


def test_a_mapping_that_hashes_needs_its_key(new_workspace, source, tmp_path, monkeypatch):
    mapping = yaml.safe_load(MAPPING.read_text())
    mapping["hash"] = {"columns": ["psn_no"]}
    mapping["tables"] = {"person_condition": mapping["tables"]["person_condition"]}
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump(mapping, sort_keys=False))
    this = new_workspace(f"source.mapping={path}", f"source.folder={source}")
    monkeypatch.delenv("DRUGTRAIL_HASH_KEY", raising=False)
    with pytest.raises(ConfigError, match="set the environment variable DRUGTRAIL_HASH_KEY"):
        this.run(JOB)
    monkeypatch.setenv("DRUGTRAIL_HASH_KEY", "0123456789abcdef")
    assert this.run(JOB).exit_code == 0
    rows, _ = landed(this, "person_condition")
    assert rows["psn_no"].str.fullmatch("[0-9a-f]{64}").all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m["tables"].update(visits="SELECT 1"), "tables: visits is no landing table"),
        (lambda m: m.update(tabels={}), "unknown key tabels; the nearest valid name is tables"),
        (
            lambda m: m["tables"].update(closed_case="SELECT Nobody FROM cases"),
            "tables.closed_case does not fit the files",
        ),
        (
            lambda m: m["tables"].update(closed_case="SELECT Provider AS case_id FROM cases"),
            "tables.closed_case: arrive_time is required and missing; batch is required and missing",
        ),
    ],
)
def test_a_wrong_mapping_is_named_with_file_and_key(new_workspace, source, tmp_path, change, told):
    mapping = yaml.safe_load(MAPPING.read_text())
    mapping["tables"] = {"closed_case": mapping["tables"]["closed_case"]}
    change(mapping)
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump(mapping, sort_keys=False))
    this = new_workspace(f"source.mapping={path}", f"source.folder={source}")
    try:
        message = this.run(JOB).message
    except ConfigError as error:
        message = str(error)
    assert told in message
    assert str(path) in message


def test_a_source_record_of_the_wrong_shape_is_refused(new_workspace, source, tmp_path):
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "closed_cases_providers.csv").open("a") as cases:
        cases.write("PRV1,Yes,maybe\n")
    this = new_workspace(f"source.mapping={MAPPING}", f"source.folder={tmp_path}")
    result = this.run(JOB)
    assert result.exit_code == 3
    assert (
        "closed_cases_providers.csv has a record with another number of fields than its header"
        in result.message
    )
