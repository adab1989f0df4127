"""Build gold.account_triage: parcels and clues beside an account, for people; no model reads it."""

from pyspark.sql import functions as F

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.triage import ACCOUNT_TRIAGE, TRIAGE_FEATURES
from expectations.landing.inquiry import CLUE, PARCEL, TRACE_SCAN
from expectations.landing.reference import INSTITUTION, PERSON
from features.inquiry.triage import (
    MAX_SHARERS,
    crowded_parcels,
    holders,
    parcels_sent,
    pickups,
    triage_features,
)
from jobs.rules.legal_basis import check_legal_basis
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun


def main(run: JobRun) -> str:
    """Rebuild one as-of date from the parcels of one legal basis; safe to run again."""
    lake, day = run.lake, run.as_of
    assert run.legal_basis is not None
    sent = parcels_sent(
        lake.read_as_of_if_exists(PARCEL.silver, day), run.legal_basis, day
    ).persist()
    held = holders(lake.read_as_of_if_exists(PERSON.silver, day))
    features = triage_features(
        sent,
        held,
        pickups(lake.read_as_of(VISIT_FACT, day), lake.read_as_of(FEE_FACT, day)),
        lake.read_as_of_if_exists(CLUE.silver, day),
        lake.read_as_of_if_exists(TRACE_SCAN.silver, day),
        lake.read_as_of_if_exists(INSTITUTION.silver, day),
        day,
    ).withColumns({"as_of_date": F.lit(day), "legal_basis_id": F.lit(run.legal_basis)})
    rows = lake.replace(features, ACCOUNT_TRIAGE, {"as_of_date": day})
    parcels = sent.select("waybill_id").distinct().count()
    crowded = crowded_parcels(sent, held).count()
    sent.unpersist()
    return (
        f"{rows} members, {len(TRIAGE_FEATURES)} features, {parcels} parcels of this legal basis;"
        f" {crowded} of them are linked to nobody, for more than {MAX_SHARERS} accounts share"
        " the phone or address"
    )


JOB = Job(
    "build_triage_features",
    "Gather parcels and clues beside accounts for people to look at; needs a legal basis",
    main,
    ("as_of", "legal_basis"),
    check_legal_basis,
)

if __name__ == "__main__":
    run_job(JOB)
