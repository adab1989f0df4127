"""build_triage_features looks at parcels under a legal basis only, and says under which."""

from datetime import date, datetime

import pytest
from support.frames import frame_of
from support.workspace import ROOT

from expectations.contract.errors import ConfigError
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.triage import ACCOUNT_TRIAGE
from expectations.landing.inquiry import PARCEL
from expectations.landing.reference import PERSON
from expectations.ops import JOB_RUN
from jobs import build_triage_features, propose_accounts
from jobs.runtime.config import load_config
from jobs.runtime.pipeline import STEPS, steps_of

#: Warrants, by the member whose parcels were got under each.
BASES = {"a": "W-2025-001", "b": "W-2025-002"}
ARRIVED = datetime(2025, 6, 20)
ROW = {
    "batch": date(2025, 6, 30),
    "batch_version": "1",
    "source_file": "part-0.csv",
    "arrive_time": ARRIVED,
    "valid_from": ARRIVED,
    "is_first": True,
    "key_hash": 0,
}


@pytest.fixture(scope="module")
def workspace(new_workspace, tmp_path_factory):
    """Two members with parcels under a warrant each; one of a's came to be known at noon of the 25th."""
    register = tmp_path_factory.mktemp("register") / "legal_bases.yaml"
    entry = "{kind: warrant, issued_by: Court, valid_from: 2025-01-01, valid_until: 9999-12-31}"
    register.write_text("bases:\n" + "".join(f"  {number}: {entry}\n" for number in BASES.values()))
    made = new_workspace(f"triage.legal_bases={register}")
    people = [
        ROW | {"member_id": name, "phone_hash": f"phone {name}", "record_number": n}
        for n, name in enumerate(("a", "b"))
    ]
    parcels = [
        ROW
        | {
            "waybill_id": f"parcel {n}",
            "send_time": datetime(2025, 6, 10),
            "sender_phone_hash": f"phone {name}",
            "legal_basis_id": BASES[name],
            "record_number": n,
            "valid_from": arrived,
        }
        for n, (name, arrived) in enumerate(
            [("a", ARRIVED), ("a", datetime(2025, 6, 25, 12)), ("b", ARRIVED)]
        )
    ]
    for contract, rows in (
        (PERSON.silver, people),
        (PARCEL.silver, parcels),
        (VISIT_FACT, []),
        (FEE_FACT, []),
    ):
        made.lake.replace(frame_of(made.spark, contract, *rows), contract)
    return made


def rows(workspace):
    found = workspace.lake.read(ACCOUNT_TRIAGE).collect()
    return sorted(
        (row["member_id"], str(row["as_of_date"]), row["legal_basis_id"], row["parcel_count_180d"])
        for row in found
    )


def test_only_parcels_of_the_legal_basis_are_used_and_it_is_on_record(workspace):
    job = build_triage_features.JOB
    first = workspace.run(job, "2025-06-25", legal_basis="W-2025-001")
    assert first.message == (
        "1 members, 7 features, 1 parcels of this legal basis; 0 of them are linked to nobody,"
        " for more than 20 accounts share the phone or address"
    )
    assert workspace.run(job, "2025-06-26", legal_basis="W-2025-002").exit_code == 0
    assert rows(workspace) == [
        ("a", "2025-06-25", "W-2025-001", 1.0),
        ("b", "2025-06-26", "W-2025-002", 1.0),
    ]
    # A job that looks at no parcels has none on record, whatever it is given.
    workspace.run(propose_accounts.JOB, "2025-06-25", legal_basis="W-2025-001")
    runs = workspace.lake.read(JOB_RUN).orderBy("sequence").collect()
    assert [(row["job"], row["legal_basis_id"]) for row in runs] == [
        (job.name, "W-2025-001"),
        (job.name, "W-2025-002"),
        ("propose_accounts", None),
    ]
    assert "gold.account_triage" in runs[0]["outputs"]
    assert "silver.parcel" in runs[0]["inputs"]


@pytest.mark.parametrize("given", [None, "", "  ", "W-2025-003", "warrant a"])
def test_without_a_legal_basis_of_the_register_it_does_not_start(workspace, given):
    with pytest.raises(ConfigError, match="--legal-basis") as caught:
        workspace.run(build_triage_features.JOB, "2025-06-25", legal_basis=given)
    assert caught.value.exit_code == 2


def test_the_pipeline_leaves_it_out_unless_a_legal_basis_is_configured():
    def names(*settings):
        return [
            step.name for step in steps_of(load_config(str(ROOT / "conf" / "local.yaml"), settings))
        ]

    assert "build_triage_features" not in names()
    named = names("triage.legal_basis=W-2025-001", "source.mapping=any", "train.earlier_days=1")
    assert named == [step.name for step in STEPS]


def test_no_other_module_of_jobs_features_or_models_reads_parcels():
    readers = {
        str(path.relative_to(ROOT))
        for package in ("features", "models", "jobs")
        for path in (ROOT / package).rglob("*.py")
        if "PARCEL" in path.read_text() or "account_triage" in path.read_text().lower()
    }
    assert {path for path in readers if not path.startswith("jobs/province/")} == {
        "jobs/build_triage_features.py"
    }
