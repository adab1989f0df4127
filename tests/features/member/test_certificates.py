from support.member_histories import Account, Example, day, drug, example_test, reference

from expectations.feature.member_drug import CERTIFICATE

REFERENCES = {
    "drugs": [
        reference("drugs", "diabetes", indications="E11", days_per_box=10.0),
        reference("drugs", "pressure", indications="I10;I11"),
        reference("drugs", "any"),
    ],
    "institutions": [],
    "diseases": [
        reference("diseases", "M1", indications="e11.9;E10"),
        reference("diseases", "M2", indications=None),
    ],
}
CERTIFIED = {"visit_type": "14"}


def holder(disease: str = "M1", start: int = 300, **values: object) -> Account:
    return Account().add(
        "certificates", special_disease_code=disease, start_date=day(start), **values
    )


EXAMPLES = (
    Example(
        "drugs over a certificate are those of visit type 14, unrelated ones by amount",
        # 10 + 30 + 40 over the certificate in 180 days, 30 for high pressure; 20 on day 181, 99 otherwise.
        holder(annual_cap=250.0)
        .visit(180, drug("diabetes", cents=1000), drug("pressure", cents=3000), **CERTIFIED)
        .visit(1, drug("any", cents=4000), **CERTIFIED)
        .visit(181, drug("pressure", cents=2000), **CERTIFIED)
        .visit(5, drug("pressure", cents=9900)),
        {
            "has_certificate": 1,
            "certificate_age_days": 300,
            "certificate_amount_sum_365d": 100.0,
            "certificate_unrelated_share_180d": 30 / 80,
            "certificate_cap_share_365d": 0.4,
        },
    ),
    Example(
        "a refund over a certificate takes its drug back",
        holder(annual_cap=100.0)
        .visit(20, drug("diabetes", 2, 2000), drug("pressure", cents=3000), **CERTIFIED)
        .refund(1, 10, drug("pressure", -1, -3000), **CERTIFIED),
        {
            "certificate_amount_sum_365d": 20.0,
            "certificate_unrelated_share_180d": 0.0,
            "certificate_cap_share_365d": 0.2,
        },
    ),
    Example(
        "a renewed certificate has one cap, another disease has its own",
        holder(annual_cap=100.0)
        .add("certificates", special_disease_code="M1", start_date=day(30), annual_cap=200.0)
        .add("certificates", special_disease_code="M9", start_date=day(60), annual_cap=300.0)
        .visit(20, drug("diabetes", cents=5000), **CERTIFIED),
        {"certificate_cap_share_365d": 50 / 500, "certificate_age_days": 30},
    ),
    Example(
        "nothing is unrelated where it is not known what a certificate is for",
        holder("M2").visit(20, drug("pressure", cents=5000), **CERTIFIED),
        {
            "certificate_unrelated_share_180d": None,
            "certificate_amount_sum_365d": 50.0,
            "certificate_cap_share_365d": None,
        },
    ),
    Example(
        "drugs over a certificate that nobody delivered are counted, and nothing more is said",
        Account().visit(20, drug("pressure", cents=5000), **CERTIFIED),
        {
            "has_certificate": 0,
            "certificate_age_days": None,
            "certificate_amount_sum_365d": 50.0,
            "certificate_unrelated_share_180d": None,
            "certificate_cap_share_365d": None,
        },
    ),
    Example(
        "a certificate counts until a year after its end",
        holder(start=700, end_date=day(365), annual_cap=100.0).visit(20, drug("any")),
        {
            "has_certificate": 1,
            "certificate_age_days": 700,
            "certificate_amount_sum_365d": 0,
            "certificate_cap_share_365d": 0,
        },
    ),
    Example(
        "one that ended before, or begins on the as-of day, does not",
        holder(start=700, end_date=day(366))
        .add("certificates", special_disease_code="M1", start_date=day(0))
        .visit(20, drug("any")),
        {"has_certificate": 0, "certificate_age_days": None},
    ),
    Example(
        "a ramp begins on the first day of the certificate",
        holder(start=50).visit(50, drug("diabetes", 11)),
        {"certificate_ramp_days_365d": 0},
    ),
)


test_example = example_test(EXAMPLES, REFERENCES)


def test_every_feature_of_certificates_has_an_example() -> None:
    shown = {name for each in EXAMPLES for name in each.expected}
    assert {each.name for each in CERTIFICATE} <= shown
