"""Institution features: a hand-worked institution, its peers, refunds, and real claims by DuckDB."""

import statistics
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from expectations.feature.institution import INSTITUTION_FEATURES, PLAIN_FEATURES, model_inputs
from expectations.landing.event import SETTLEMENT, SETTLEMENT_CODE, SETTLEMENT_DOCTOR
from expectations.landing.reference import PERSON, PERSON_CONDITION
from features.institution.features import institution_features

CLAIMS = Path(__file__).parents[4] / "shared" / "data" / "provider_claims"
TIME = datetime(2024, 12, 1)
LINEAGE = {
    "batch": date(2024, 12, 31),
    "batch_version": "v",
    "source_file": "part-0.csv",
    "record_number": 1,
    "valid_from": TIME,
    "is_first": True,
    "key_hash": 1,
    "arrive_time": TIME,
}


def frame(spark, table, rows):
    columns = table.silver.columns
    filled = [tuple((LINEAGE | row).get(name) for name in columns) for row in rows]
    return spark.createDataFrame(filled, table.silver.schema)


def visit(settlement, member, start, end, amount, fund, at="a", kind="21", **changes):
    day = {"start_time": datetime.fromisoformat(start), "end_time": datetime.fromisoformat(end)}
    return {
        "settlement_id": settlement,
        "visit_id": settlement,
        "member_id": member,
        "institution_id": at,
        "settlement_time": day["end_time"],
        "visit_type": kind,
        "total_amount": Decimal(amount),
        "fund_amount": Decimal(fund),
        "refund_flag": "0",
        **day,
        **changes,
    }


VISITS = [
    # 350 less a refund of 50.
    visit("s1", "m1", "2024-01-01", "2024-01-03", 350, 250),
    visit("r1", "m1", "2024-01-05", "2024-01-05", -50, -50, refund_flag="1", original_settlement_id="s1"),
    visit("s2", "m1", "2024-01-11", "2024-01-11", 100, 50),
    visit("s3", "m2", "2024-01-04", "2024-01-09", 1200, 1000),
    # Refunded in full: no claim any more.
    visit("s6", "m4", "2024-01-20", "2024-01-29", 500, 400),
    visit("r6", "m4", "2024-02-01", "2024-02-01", -500, -400, refund_flag="1", original_settlement_id="s6"),
    visit("s4", "m2", "2024-02-01", "2024-02-02", 200, 100, at="b"),
    # Without type, start and end: an outpatient visit on the day it was settled.
    visit("s5", "m3", "2024-03-01", "2024-03-01", 50, 30, at="b", kind=None, start_time=None, end_time=None,
          settlement_time=datetime(2024, 3, 1)),
]  # fmt: skip
DIAGNOSES = {"s1": ["A10"], "s2": ["A10", "B20"], "s3": ["C30"], "s4": ["A10"], "s6": ["Z99"]}
DRGS = {"s1": "100", "s2": "100", "s3": "200", "s4": "100", "s6": "900"}
DOCTORS = [
    ("s1", "attending", "d1"),
    ("s1", "operating", "d1"),
    ("s2", "attending", "d2"),
    ("s3", "attending", "d1"),
    ("s4", "attending", "d1"),
]


@pytest.fixture(scope="module")
def inputs(spark):
    """The frames that the features are made of."""
    codes = [
        {"settlement_id": s, "code_type": "diagnosis", "sequence": n, "code": code}
        for s, found in DIAGNOSES.items()
        for n, code in enumerate(found, start=1)
    ] + [
        {"settlement_id": s, "code_type": "drg", "sequence": 1, "code": code}
        for s, code in DRGS.items()
    ]
    doctors = [{"settlement_id": s, "role": role, "doctor_id": d} for s, role, d in DOCTORS]
    members = [
        # A death before there was this insurance is none.
        {"member_id": "m1", "district": "110101", "death_date": date(1980, 1, 1)},
        {"member_id": "m2", "district": "110102", "death_date": date(2024, 2, 3)},
        {"member_id": "m3", "district": "110101"},
        {"member_id": "m4", "district": "220101"},
    ]
    conditions = [("m1", "diabetes"), ("m1", "stroke"), ("m2", "cancer")]
    return (
        spark.createDataFrame([("a",), ("b",), ("idle",)], "institution_id string"),
        frame(spark, SETTLEMENT, VISITS),
        frame(spark, SETTLEMENT_CODE, codes),
        frame(spark, SETTLEMENT_DOCTOR, doctors),
        frame(spark, PERSON, members),
        frame(spark, PERSON_CONDITION, [{"member_id": m, "condition": c} for m, c in conditions]),
    )


@pytest.fixture(scope="module")
def features(inputs):
    """The features by institution."""
    rows = institution_features(*inputs).collect()
    return {row["institution_id"]: row.asDict() for row in rows}


def test_an_institution_worked_out_by_hand(features):
    amounts, stays = [300, 100, 1200], [3, 1, 6]
    # Peers' mean of a case group, drawn to the overall mean by 20 claims' weight.
    amount_norm = {"100": (600 + 20 * 450) / 23, "200": (1200 + 20 * 450) / 21}
    stay_norm = {"100": (6 + 20 * 3) / 23, "200": (6 + 20 * 3) / 21}
    expected = {
        "claim_count": 3,
        "amount_sum": 1600,
        "amount_mean": 1600 / 3,
        "amount_max": 1200,
        "amount_std": statistics.stdev(amounts),
        "amount_median": 300,
        "amount_p75": 750,
        "fund_amount_sum": 1250,
        "amount_peer_ratio": 1600 / (2 * amount_norm["100"] + amount_norm["200"]),
        "stay_days_sum": 10,
        "stay_days_mean": 10 / 3,
        "stay_days_max": 6,
        "stay_days_second_max": 3,
        "stay_days_std": statistics.stdev(stays),
        "stay_days_median": 3,
        "stay_days_max_to_mean": 1.8,
        "stay_days_peer_ratio": 10 / (2 * stay_norm["100"] + stay_norm["200"]),
        "amount_per_day": 160,
        "amount_per_day_mean": (100 + 100 + 200) / 3,
        "amount_per_day_median": 100,
        "member_count": 2,
        "claims_per_member": 1.5,
        "claims_per_member_max": 2,
        "repeat_member_count": 1,
        "repeat_claim_count": 1,
        "shared_member_count": 1,
        "shared_member_share": 0.5,
        "shared_institution_count": 1,
        "shared_member_max": 1,
        "deceased_member_count": 1,
        "deceased_member_share": 0.5,
        "conditions_per_member_mean": 1.5,
        "home_district_count": 2,
        "home_province_count": 1,
        "top_district_share": 1,
        "top_district_institution_count": 1,
        "doctor_count": 2,
        "attending_doctor_count": 2,
        "operating_doctor_count": 1,
        "other_doctor_count": 0,
        "top_doctor_share": 2 / 3,
        "diagnosis_count": 3,
        "procedure_count": 0,
        "drg_count": 2,
        "visit_gap_variation": statistics.stdev([3, 7]) / 5,
        "refunded_claim_count": 2,
        "refunded_claim_share": 0.5,
    }
    found = {
        name.removeprefix("inpatient_"): value
        for name, value in features["a"].items()
        if name.startswith("inpatient_")
    }
    assert found == pytest.approx(expected)


def test_care_settings_are_kept_apart(features):
    b = features["b"]
    assert (b["inpatient_claim_count"], b["outpatient_claim_count"]) == (1, 1)
    assert (b["inpatient_amount_sum"], b["outpatient_amount_sum"]) == (200, 50)
    assert (b["inpatient_amount_std"], features["a"]["outpatient_amount_sum"]) == (None, None)


def test_an_institution_without_claims_has_counts_of_zero_and_nothing_else(features):
    idle = features["idle"]
    counts = {feature.name for feature in INSTITUTION_FEATURES if feature.unit == "count"}
    assert {name for name, value in idle.items() if value == 0} == counts
    assert {value for name, value in idle.items() if name not in counts | {"institution_id"}} == {
        None
    }


def test_partitioning_changes_no_bit(inputs, features):
    again = institution_features(*(part.repartition(7) for part in inputs)).collect()
    assert {row["institution_id"]: row.asDict() for row in again} == features


def test_the_catalogue_names_what_is_computed(inputs):
    names = [feature.name for feature in INSTITUTION_FEATURES]
    assert institution_features(*inputs).columns == ["institution_id", *names]
    assert len(names) == len(set(names)) >= 40
    assert set(PLAIN_FEATURES) | set(model_inputs("all")) <= set(names)
    assert len(PLAIN_FEATURES) == 19


@pytest.mark.skipif(not CLAIMS.exists(), reason="the real claims lie beside the project")
def test_real_claims_give_what_duckdb_gives(spark):
    path = str(CLAIMS / "unlabelled_inpatient.csv.gz")
    claims = duckdb.sql(f"SELECT * FROM read_csv('{path}', nullstr='NA', all_varchar=true)").df()
    visits = [
        visit(
            row.ClaimID,
            row.BeneID,
            row.AdmissionDt,
            row.DischargeDt,
            Decimal(row.InscClaimAmtReimbursed) + Decimal(row.DeductibleAmtPaid or 0),
            row.InscClaimAmtReimbursed,
            at=row.Provider,
        )
        for row in claims.itertuples()
    ]
    oracle = duckdb.sql(
        f"""
        WITH claim AS (
            SELECT Provider, BeneID, date_diff('day', AdmissionDt::DATE, DischargeDt::DATE) + 1 AS stay,
                   InscClaimAmtReimbursed::INT + coalesce(DeductibleAmtPaid::INT, 0) AS amount
            FROM read_csv('{path}', nullstr='NA', all_varchar=true))
        SELECT Provider, count(*), sum(amount), stddev_samp(amount), quantile_cont(amount, 0.75),
               max(stay), max(stay) / avg(stay), avg(amount / stay), count(*) / count(DISTINCT BeneID)
        FROM claim GROUP BY Provider ORDER BY Provider
        """
    ).fetchall()
    names = ["claim_count", "amount_sum", "amount_std", "amount_p75", "stay_days_max"]
    names += ["stay_days_max_to_mean", "amount_per_day_mean", "claims_per_member"]
    frames = [
        frame(spark, table, [])
        for table in (SETTLEMENT_CODE, SETTLEMENT_DOCTOR, PERSON, PERSON_CONDITION)
    ]
    settled = frame(spark, SETTLEMENT, visits)
    found = (
        institution_features(settled.select("institution_id").distinct(), settled, *frames)
        .select("institution_id", *(f"inpatient_{name}" for name in names))
        .orderBy("institution_id")
        .collect()
    )
    assert [row[0] for row in found] == [row[0] for row in oracle]
    for mine, theirs in zip(found, oracle, strict=True):
        both = [
            [float("nan") if v is None else float(v) for v in row[1:]] for row in (mine, theirs)
        ]
        assert both[0] == pytest.approx(both[1], rel=1e-9, nan_ok=True)
