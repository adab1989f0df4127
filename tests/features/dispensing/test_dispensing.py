"""What institutions, doctors and drugs dispense, each feature worked out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from support.frames import frame_of

from expectations.feature.dispensing import (
    DOCTOR_FEATURES,
    DRUG_FEATURES,
    INSTITUTION_DRUG_FEATURES,
)
from expectations.gold.account import MEMBER_FEATURE
from expectations.gold.dispensing import DOCTOR_FEATURE, DRUG_FEATURE, INSTITUTION_DRUG_FEATURE
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import SPECIAL_CERT
from expectations.landing.inquiry import TRACE_SCAN
from expectations.landing.reference import DRUG, INSTITUTION, PERSON
from features.dispensing.features import (
    doctor_features,
    drug_features,
    institution_drug_features,
    sales,
)

AS_OF = date(2025, 7, 1)
SOLD = (
    "settlement_id string, member_id string, drug_id string, doctor_id string, service_date date,"
    " quantity decimal(18,4), line_amount decimal(18,2), institution_id string, visit_type string,"
    " credential_type string, is_cold_chain boolean, is_tonic boolean, is_resalable boolean,"
    " is_over boolean, ago int"
)


def day(ago):
    return AS_OF - timedelta(days=ago)


def at(ago, hour=12, minute=0):
    return datetime.combine(day(ago), datetime.min.time()) + timedelta(hours=hour, minutes=minute)


def sale(place, member, ago, yuan, drug="d0", doctor=None, kind="", visit_type="41", **more):
    """A row of `sales`; `kind` names which of its flags hold."""
    flags = [flag in kind for flag in ("cold", "tonic", "resalable", "over")]
    credential, quantity = more.get("credential", "03"), Decimal(more.get("quantity", 1))
    return (
        *("s", member, drug, doctor, day(ago), quantity, Decimal(str(yuan))),
        *(place, visit_type, credential, *flags, ago),
    )


#: The pharmacy h1 sold for 200 yuan, refunds taken off.
PHARMACY = [
    sale("h1", "m1", 10, 100, "d1", "dr1", "cold over", credential="01", quantity=2),
    sale("h1", "m1", 10, 50, "d2", "dr1", "tonic over", "14", credential="01"),
    sale("h1", "m2", 20, 40, "d1", "dr1", "cold", quantity=3),
    sale("h1", "m2", 20, -10, "d1", "dr1", "cold", quantity=-1),
    sale("h1", "m3", 200, 20, "d3", None, "resalable"),
]
#: The hospital h2 sold d4 in every thirty days of the year, last of all much of it. Its first five days lie
#: before the twelve periods.
EARLIER = (80, 80, 80, 90, 100, 100, 100, 110, 120, 120, 120)
HOSPITAL = [
    sale("h2", "m4", 5, 300, "d4"),
    *(sale("h2", "m4", 30 * n + 31, yuan, "d4") for n, yuan in enumerate(EARLIER)),
    sale("h2", "m4", 361, 1000, "d4"),
    sale("h2", "m4", 15, 20, "d3", "dr1", "resalable"),
]
#: Twenty clinics that are alike but for the last: a yuan more each, a hundredth more of it cold.
CLINICS = [
    row
    for n in range(20)
    for yuan, part in [(1000.0, 1.0) if n == 19 else (100.0 + n, n / 100)]
    for row in (
        sale(f"k{n:02d}", "m5", 100, round(yuan * part, 2), "d6", kind="cold"),
        sale(f"k{n:02d}", "m5", 100, round(yuan * (1 - part), 2) + 0.01, "d7"),
    )
]
#: d9 went to 101 members: the two with the most are the hundredth.
POPULAR = [sale("h3", f"p{n}", 9, 1, "d9", quantity={0: 50, 1: 40}.get(n, 1)) for n in range(101)]


def scan(code, ago, place, kind="sale", drug="d1", **more):
    return {
        "scan_id": f"{code} {ago}",
        "trace_code": code,
        "scan_type": kind,
        "scan_time": at(ago),
        "institution_id": place,
        "drug_id": drug,
        **more,
    }


SCANS = [
    # Sold before and not back, sold before and back, never before, and on the first day that counts.
    scan("c1", 120, "h2"),
    scan("c1", 20, "h1"),
    scan("c2", 130, "h2"),
    scan("c2", 125, "h2", "return"),
    scan("c2", 30, "h1"),
    scan("c3", 90, "h1"),
    scan("c4", 180, "h1"),
    scan("c5", 181, "h1"),
    scan("split", 9, "h1", is_split_pack=True),
    # c1 was received within half a year, c2 long before it.
    scan("c1", 150, "h1", "inbound"),
    scan("c2", 300, "h1", "inbound"),
    # More came than went; nothing went.
    scan("c6", 50, "h3", drug="d9"),
    scan("c6", 60, "h3", "inbound", drug="d9"),
    scan("c7", 60, "h3", "inbound", drug="d9"),
    scan("c8", 60, "h4", "inbound", drug="d9"),
]


@pytest.fixture(scope="module")
def sold(spark):
    return spark.createDataFrame([*PHARMACY, *HOSPITAL, *CLINICS, *POPULAR], SOLD)


@pytest.fixture(scope="module")
def scans(spark):
    return frame_of(spark, TRACE_SCAN.silver, *SCANS)


def by_key(features, contract, key):
    rows = contract.conform(features.selectExpr("*", f"DATE'{AS_OF}' AS as_of_date")).collect()
    return {
        row[key]: {name: row[name] for name in contract.columns if name not in (key, "as_of_date")}
        for row in rows
    }


def visit(member, hour, minute=0, ago=1, **more):
    return {
        "member_id": member,
        "institution_id": "h1",
        "operator_id": "o1",
        "settlement_time": at(ago, hour, minute),
        "service_date": day(ago),
        "is_refund": False,
        **more,
    }


@pytest.fixture(scope="module")
def institutions(spark, sold, scans):
    kinds = {"h1": "pharmacy", "h2": "hospital", "h3": "pharmacy"}
    kinds |= {f"k{n:02d}": "clinic" for n in range(20)}
    places = [
        {"institution_id": name, "institution_type": kind, "district": "330101"}
        for name, kind in kinds.items()
    ]
    people = [
        {"member_id": "m1", "district": "330199"},
        {"member_id": "m2", "district": "330201"},
        {"member_id": "m4", "district": "440101"},
    ]
    visits = [
        visit("m1", 9),
        visit("m1", 9, 10),
        visit("m2", 9, 59),
        visit("m3", 9, 30),
        visit("m4", 10),
        visit("m5", 9, 20, is_refund=True),
        visit("m6", 9, 20, operator_id="o2"),
        visit("m7", 9, 20, operator_id=None),
        # Only their day is known, not whether they came within an hour.
        *(visit(f"q{n}", 0, ago=3) for n in range(4)),
        *(visit(f"p{n}", 9, ago=31) for n in range(4)),
    ]
    features = institution_drug_features(
        sold,
        frame_of(spark, INSTITUTION.silver, *places),
        frame_of(spark, PERSON.silver, *people),
        frame_of(spark, VISIT_FACT, *visits),
        scans,
        AS_OF,
    )
    return by_key(features, INSTITUTION_DRUG_FEATURE, "institution_id")


EXPECTED_INSTITUTION = {
    "h1": {
        "drug_amount_sum_365d": 200,
        "drug_member_count_365d": 3,
        "drug_amount_per_member_365d": 200 / 3,
        "lines_per_member_365d": 4 / 3,
        "cold_chain_share_365d": 130 / 200,
        "tonic_share_365d": 50 / 200,
        "resalable_share_365d": 20 / 200,
        "e_voucher_share_365d": 150 / 200,
        "certificate_share_365d": 50 / 200,
        "top_member_share_365d": 150 / 200,
        "outlying_ratio_count_365d": None,
        # Ten of eleven earlier periods without a sale: there is nothing to compare with.
        "drug_amount_spike_365d": None,
        "nonlocal_share_90d": 30 / 180,
        "oversupplied_share_365d": 150 / 200,
        "operator_members_per_hour_max_30d": 3,
        # c1, c2, c3 and c4 went, c1 came.
        "stock_gap_share_180d": 3 / 4,
        "resold_code_rate_90d": 10_000 / 3,
        "orphan_sale_share_180d": 2 / 4,
    },
    "h2": {
        "drug_amount_sum_365d": 300 + sum(EARLIER) + 1000 + 20,
        "drug_member_count_365d": 1,
        # The earlier periods have the median 100 and the median deviation 20.
        "drug_amount_spike_365d": (320 - 100) / (1.4826 * 20 + 10),
        "nonlocal_share_90d": 1,
        "operator_members_per_hour_max_30d": None,
        "stock_gap_share_180d": 1,
        "orphan_sale_share_180d": 1,
        "resold_code_rate_90d": None,
    },
    # More boxes came than went; nothing went.
    "h3": {"stock_gap_share_180d": 0, "orphan_sale_share_180d": 0, "resold_code_rate_90d": 0},
    "h4": {
        "drug_amount_sum_365d": None,
        "stock_gap_share_180d": None,
        "orphan_sale_share_180d": None,
    },
    # Its amount a member and its share of cold-chain drugs; what does not vary among peers does not count.
    "k19": {"outlying_ratio_count_365d": 2},
    "k18": {"outlying_ratio_count_365d": 0},
}


def test_an_institution_is_what_was_worked_out_by_hand(institutions):
    for name, expected in EXPECTED_INSTITUTION.items():
        found = institutions[name]
        assert {feature: found[feature] for feature in expected} == pytest.approx(expected), name
    assert institutions["h1"].keys() == EXPECTED_INSTITUTION["h1"].keys()
    assert set(institutions) == {"h1", "h2", "h3", "h4", *(f"k{n:02d}" for n in range(20))}


@pytest.fixture(scope="module")
def doctors(spark, sold):
    begun = {"dr1": [1, 20, 365, 366, 0], "dr2": [5], "dr3": range(1, 10), None: [5]}
    certificates = [
        {"member_id": f"m{ago}", "doctor_id": name, "start_date": day(ago)}
        for name, days in begun.items()
        for ago in days
    ]
    features = doctor_features(sold, frame_of(spark, SPECIAL_CERT.silver, *certificates), AS_OF)
    return by_key(features, DOCTOR_FEATURE, "doctor_id")


EXPECTED_DOCTOR = {
    "dr1": {
        "drug_amount_sum_365d": 200,
        "drug_member_count_365d": 3,
        "drug_amount_per_member_365d": 200 / 3,
        "top_member_share_365d": 150 / 200,
        "resalable_share_365d": 20 / 200,
        "tonic_share_365d": 50 / 200,
        "institution_count_365d": 2,
        "oversupplied_share_365d": 150 / 200,
        "certificate_count_365d": 3,
        # Doctors issued 1, 3 and 9: the logarithms are log 3 apart, which is their deviation too.
        "certificate_count_deviation_365d": 0,
    },
    "dr2": {"certificate_count_365d": 1, "certificate_count_deviation_365d": -1},
    "dr3": {
        "certificate_count_365d": 9,
        "certificate_count_deviation_365d": 1,
        "drug_amount_sum_365d": None,
    },
}


def test_a_doctor_is_what_was_worked_out_by_hand(doctors):
    for name, expected in EXPECTED_DOCTOR.items():
        found = {feature: doctors[name][feature] for feature in expected}
        assert found == pytest.approx(expected, abs=1e-12), name
    assert set(doctors) == set(EXPECTED_DOCTOR)


@pytest.fixture(scope="module")
def drugs(sold, scans):
    return by_key(drug_features(sold, scans, AS_OF), DRUG_FEATURE, "drug_id")


EXPECTED_DRUG = {
    "d1": {
        "drug_amount_sum_365d": 130,
        "drug_member_count_365d": 2,
        "institution_count_365d": 1,
        # m1 and m2 hold two boxes each, refunds taken off.
        "top_member_share_365d": 2 / 4,
        "oversupplied_share_365d": 100 / 130,
        # Of six sales within the year of boxes that did not come back one was of a box sold before.
        "resold_code_rate_365d": 10_000 / 6,
        "drug_amount_spike_365d": None,
    },
    "d3": {"institution_count_365d": 2, "drug_amount_sum_365d": 40},
    "d4": {"drug_amount_spike_365d": (300 - 100) / (1.4826 * 20 + 10)},
    "d9": {
        "drug_member_count_365d": 101,
        "top_member_share_365d": 90 / (90 + 99),
        "resold_code_rate_365d": 0,
    },
}


def test_a_drug_is_what_was_worked_out_by_hand(drugs):
    for name, expected in EXPECTED_DRUG.items():
        assert {feature: drugs[name][feature] for feature in expected} == pytest.approx(expected), (
            name
        )
    assert set(drugs) == {"d1", "d2", "d3", "d4", "d6", "d7", "d9"}


@pytest.mark.parametrize(
    ("expected", "declared"),
    [
        (EXPECTED_INSTITUTION, INSTITUTION_DRUG_FEATURES),
        (EXPECTED_DOCTOR, DOCTOR_FEATURES),
        (EXPECTED_DRUG, DRUG_FEATURES),
    ],
    ids=["institution", "doctor", "drug"],
)
def test_every_declared_feature_has_a_number_worked_out_by_hand(expected, declared):
    worked_out = {
        name for features in expected.values() for name, value in features.items() if value
    }
    # A deviation of nought is a number too, and others of it are not.
    assert worked_out == {each.name for each in declared}


def test_sales_are_drugs_of_the_year_outside_stays_with_who_got_them(spark):
    fee = {
        "settlement_id": "s1",
        "member_id": "m1",
        "drug_id": "d1",
        "doctor_id": "dr1",
        "service_date": day(1),
        "quantity": Decimal("2"),
        "line_amount": Decimal("30.00"),
    }
    fees = [
        fee,
        fee | {"drug_id": "d2", "settlement_id": "s2", "member_id": "m2"},
        fee | {"drug_id": "unheard of", "service_date": day(365)},
        fee | {"drug_id": None},
        fee | {"service_date": day(366)},
        fee | {"service_date": AS_OF},
        fee | {"settlement_id": "stay"},
        fee | {"settlement_id": "not there"},
        fee | {"settlement_id": "kind unknown", "drug_id": "d3"},
        # A refund's line takes back, also where its signs are those of a sale.
        fee | {"settlement_id": "refund", "drug_id": "d3"},
    ]
    seen = {
        "institution_id": "h1",
        "service_date": day(1),
        "visit_type": "14",
        "credential_type": "01",
    }
    visits = [
        seen | {"settlement_id": "s1"},
        seen | {"settlement_id": "s2"},
        seen | {"settlement_id": "stay", "visit_type": "21"},
        seen | {"settlement_id": "kind unknown", "visit_type": None},
        seen | {"settlement_id": "refund", "is_refund": True},
    ]
    known = [
        {"drug_id": "d1", "is_cold_chain": True, "category": "chemical", "resale_ratio": 0.3},
        {"drug_id": "d2", "category": "herb_tonic", "resale_ratio": 0.0},
        {"drug_id": "d3"},
    ]
    over = [
        {"member_id": "m1", "supply_ratio_max_365d": 1.2001},
        {"member_id": "m2", "supply_ratio_max_365d": 1.2},
    ]
    rows = sales(
        frame_of(spark, FEE_FACT, *fees),
        frame_of(spark, VISIT_FACT, *visits),
        frame_of(spark, DRUG.silver, *known),
        frame_of(spark, MEMBER_FEATURE, *over),
        AS_OF,
    ).collect()
    named = ("settlement_id", "drug_id", "visit_type", "credential_type")
    flags = ("is_cold_chain", "is_tonic", "is_resalable", "is_over", "ago")
    assert sorted(
        tuple(row[name] for name in (*named, *flags)) for row in rows if row["drug_id"] != "d3"
    ) == [
        ("s1", "d1", "14", "01", True, False, True, True, 1),
        ("s1", "unheard of", "14", "01", None, None, None, True, 365),
        ("s2", "d2", "14", "01", False, True, False, False, 1),
    ]
    others = {row["settlement_id"]: row for row in rows if row["drug_id"] == "d3"}
    named = ("visit_type", "quantity", "line_amount")
    assert {at: tuple(row[name] for name in named) for at, row in others.items()} == {
        "kind unknown": (None, 2, 30),
        "refund": ("14", -2, -30),
    }
