from dataclasses import replace

from support.member_histories import (
    AS_OF,
    Account,
    Example,
    day,
    drug,
    example_test,
    fee,
    member_rows,
    reference,
    reference_rows,
)

from expectations.feature.member_drug import PRODUCT
from features.member.features import member_features

REFERENCES = {
    "drugs": [
        reference("drugs", "cold", cold_chain=True, atc="A10AB01", chronic=True),
        reference("drugs", "injection", category="tcm_injection", atc="", chronic=True),
        reference("drugs", "tonic", category="herb_tonic", watch_from=day(50)),
        reference("drugs", "resold", resale_ratio=0.7, atc="c08ca01", chronic=True),
        reference("drugs", "unsold", resale_ratio=0.3, atc="C09AA01", chronic=True),
        reference("drugs", "capped", monthly_max_boxes=4.0),
        reference("drugs", "other", monthly_max_boxes=2.0),
        reference("drugs", "diabetes", indications="E11;e10.9"),
        reference("drugs", "listed", indications="\uff29\uff11\uff10\uff0cE10-E14\u3001N18"),
        reference("drugs", "cancer", indications="C; D05"),
    ],
    "institutions": [],
    "diseases": [
        reference("diseases", "M1", indications="E11.9"),
        reference("diseases", "M2", indications="c"),
    ],
}
DIABETES = drug("diabetes", cents=1000)

EXAMPLES = (
    Example(
        "shares of kinds go by amount within 90 days",
        # 10 cold, 20 injection, 30 tonic, 40 other; on day 91 and in a stay nothing counts.
        Account()
        .visit(90, drug("cold", cents=1000), drug("injection", cents=2000))
        .visit(50, drug("tonic", cents=3000), drug("other", cents=4000))
        .visit(91, drug("cold", cents=90000))
        .stay(20, 10, drug("tonic", cents=90000)),
        {
            "cold_chain_share_90d": 0.1,
            "injection_share_90d": 0.2,
            "tonic_share_90d": 0.3,
            "watch_share_90d": 0.3,  # the list began on day 50
        },
    ),
    Example(
        "a drug is watched from its first day on the list",
        Account().visit(51, drug("tonic", cents=3000)).visit(49, drug("tonic", cents=1000)),
        {"watch_share_90d": 0.25, "cold_chain_share_90d": 0.0},
    ),
    Example(
        "the gain is the street price less what the holder paid, never a loss",
        # The fund paid 60 %. Of 100 yuan the street gives 70, the holder paid 40: 30. At 30 % it gives 30
        # for 40: none. Day 91 gives 30 x 2, day 366 nothing.
        Account()
        .visit(90, drug("resold", cents=10000), drug("unsold", cents=10000))
        .visit(91, drug("resold", cents=20000))
        .visit(180, drug("other", cents=20000))
        .visit(181, drug("resold", cents=99900), fund_cents=0, cents=99900)
        .visit(366, drug("resold", cents=10000)),
        {
            "resale_gain_sum_90d": 30.0,
            "resale_gain_sum_365d": 90.0,  # paid in full on day 181: no gain
            "resalable_share_180d": 400 / 600,  # 100 + 100 + 200 of 600
        },
    ),
    Example(
        "groups of chronic drugs are those of ATC, other drugs and unknown codes left out",
        # A and C; both of C count once; the injection has no code.
        Account()
        .visit(180, drug("cold"), drug("resold"), drug("unsold"), drug("injection"))
        .visit(5, drug("diabetes"))
        .visit(181, drug("tonic")),
        {
            "chronic_class_count_180d": 2,
            "ingredient_count_180d": 5,
            "chronic_amount_sum_365d": 40.0,
        },
    ),
    Example(
        "a drug that its visit does not explain may be explained by another diagnosis of the year",
        # 10 yuan for E11 at a visit for a cold, explained by one a year ago; 30 for cancer by none.
        Account()
        .visit(20, DIABETES, drug("cancer", cents=3000), diagnosis="J06")
        .visit(365, drug("other"), diagnosis="e11.700"),
        {
            "visit_mismatch_share_180d": 1.0,
            "unexplained_share_180d": 0.75,
            "unexplained_fund_sum_365d": 18.0,
        },
    ),
    Example(
        "a further diagnosis of the visit explains a drug as the principal one does",
        Account()
        .visit(20, DIABETES, diagnosis="J06", diagnoses=["J06", "e10.900", None])
        .visit(10, DIABETES, diagnosis="J06", diagnoses=["J06"]),
        {"visit_mismatch_share_180d": 0.5, "unexplained_share_180d": 0.0},
    ),
    Example(
        "a catalogue may join indications by commas, and give ranges",
        Account()
        .visit(20, drug("listed"), diagnosis="I10.x00")
        .visit(19, drug("listed"), diagnosis="E13.9")
        .visit(18, drug("listed", cents=2000), diagnosis="J06"),
        {"visit_mismatch_share_180d": 0.5},
    ),
    Example(
        "a code in full-width letters is the same code",
        Account().visit(20, DIABETES, diagnosis="\uff25\uff11\uff11.9"),
        {"visit_mismatch_share_180d": 0.0},
    ),
    Example(
        "what only a pharmacy wrote down explains its own sale and nothing else",
        # 10 yuan explained at the pharmacy, 30 elsewhere not; the exam at the pharmacy is none of E11.
        Account()
        .visit(20, DIABETES, visit_type="41", diagnosis="E11")
        .visit(10, drug("diabetes", cents=3000), diagnosis="J06"),
        {"visit_mismatch_share_180d": 0.75, "unexplained_share_180d": 0.75},
    ),
    Example(
        "a diagnosis from a visit of unknown type counts as a doctor's",
        Account()
        .visit(20, drug("other"), visit_type=None, diagnosis="E11")
        .visit(10, DIABETES, diagnosis="J06"),
        {"unexplained_share_180d": 0.0},
    ),
    Example(
        "a prefix of one letter covers all codes that begin with it",
        Account()
        .visit(20, drug("cancer"), diagnosis="J06")
        .visit(10, drug("other"), diagnosis="C34.1"),
        {"visit_mismatch_share_180d": 0.5, "unexplained_share_180d": 0.0},
    ),
    Example(
        "a certified disease explains drugs, in force within the year or not at all",
        Account()
        .add("certificates", special_disease_code="M1", start_date=day(700), end_date=day(365))
        .add("certificates", special_disease_code="M2", start_date=day(700), end_date=day(366))
        .visit(20, DIABETES, drug("cancer", cents=4000), diagnosis="J06"),
        {"unexplained_share_180d": 0.8},
    ),
    Example(
        "a certificate that begins on the as-of day explains nothing yet",
        Account()
        .add("certificates", special_disease_code="M1", start_date=day(0))
        .add("certificates", special_disease_code="M2", start_date=day(1))
        .visit(20, DIABETES, drug("cancer", cents=4000), diagnosis="J06"),
        {"unexplained_share_180d": 0.2},
    ),
    Example(
        "a drug without indications fits any illness, even none",
        Account().visit(20, drug("other"), diagnosis=None).visit(19, DIABETES, diagnosis=None),
        {"visit_mismatch_share_180d": 0.5, "unexplained_share_180d": 0.5},
    ),
    Example(
        "drugs older than 180 days are out of the shares, not out of the sum",
        Account().visit(181, DIABETES, diagnosis="J06").visit(20, drug("other")),
        {
            "visit_mismatch_share_180d": 0.0,
            "unexplained_share_180d": 0.0,
            "unexplained_fund_sum_365d": 6.0,
        },
    ),
    Example(
        "a month is full with 95 % of the most boxes of a drug",
        # December 2025 (days 1 to 31): 3.8 of 4 in two visits. November (32 to 61): 3.79 of 4; the cap of
        # another drug does not help. October: two drugs are full, one month.
        Account()
        .visit(1, drug("capped", 1.8))
        .visit(31, drug("capped", 2.0))
        .visit(32, drug("capped", 3.79), drug("other", 1.8))
        .visit(62, drug("capped", 4), drug("other", 2), drug("cold", 99)),
        {"month_cap_count_365d": 2},
    ),
    Example(
        "chronic drugs for more than 1,000 yuan without any examination are not monitored",
        Account().visit(200, drug("cold", cents=100001)).visit(5, fee("treatment", 100)),
        {"is_unmonitored_365d": 1, "chronic_amount_sum_365d": 1000.01},
    ),
    Example(
        "1,000 yuan are not more than 1,000 yuan",
        Account().visit(200, drug("cold", cents=100000)),
        {"is_unmonitored_365d": 0},
    ),
    Example(
        "one examination is monitoring, and a refunded one is none",
        Account().visit(200, drug("cold", cents=100001)).visit(5, fee("exam", 100)),
        {"is_unmonitored_365d": 0},
    ),
    Example(
        "a refunded examination is no monitoring",
        Account()
        .visit(200, drug("cold", cents=100001))
        .visit(5, fee("exam", 100), fee("treatment", 100))
        .refund(2, 4, fee("exam", -100, quantity=-1.0)),
        {"is_unmonitored_365d": 1},
    ),
    Example(
        "without drugs there are no shares",
        Account().visit(5, fee("exam", 100)),
        {
            "cold_chain_share_90d": None,
            "resalable_share_180d": None,
            "unexplained_share_180d": None,
            "unexplained_fund_sum_365d": 0,
            "ingredient_count_180d": 0,
            "is_unmonitored_365d": 0,
        },
    ),
)


test_example = example_test(EXAMPLES, REFERENCES)


def test_every_feature_of_products_has_an_example() -> None:
    shown = {name for each in EXAMPLES for name in each.expected}
    assert {each.name for each in PRODUCT} <= shown


def test_where_no_source_delivers_examinations_nobody_is_said_to_have_had_none() -> None:
    rows = member_rows(Account().visit(100, drug("cold", cents=100001)).visit(5).of("member"))
    references = reference_rows(REFERENCES)

    [known] = member_features(rows, references, AS_OF).to_dicts()
    [found] = member_features(rows, replace(references, is_care_known=False), AS_OF).to_dicts()

    assert known["is_unmonitored_365d"] == 1
    changed = {name: value for name, value in found.items() if value != known[name]}
    assert changed == {
        "drug_only_share_180d": None,
        "treatment_share_365d": None,
        "is_unmonitored_365d": 0,
    }
