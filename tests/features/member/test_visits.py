import math

from support.member_histories import Account, Example, drug, example_test, fee, reference

from expectations.feature.member_visit import CARE, USE

REFERENCES = {
    "drugs": [reference("drugs", "d10", days_per_box=10.0)],
    "institutions": [
        reference("institutions", "h1", institution_type="hospital", visit_cap=30.0),
        reference("institutions", "v1", institution_type="village"),
        reference("institutions", "odd", visit_cap=33.33),
    ],
    "diseases": [],
}
ONE, TEN = drug("d10", cents=1000), drug("d10", cents=10000)

USE_EXAMPLES = (
    Example(
        "the first and the last day of a window count, the days beside them do not",
        # 0 is the as-of day itself; 366 lies before the year.
        Account()
        .visit(0, ONE)
        .visit(1, ONE)
        .visit(30, ONE)
        .visit(31, ONE)
        .visit(90, ONE)
        .visit(91, ONE)
        .visit(365, ONE)
        .visit(366, ONE),
        {
            "visit_count_30d": 2,  # 1, 30
            "visit_count_90d": 4,  # and 31, 90
            "visit_count_365d": 6,  # and 91, 365
            "drug_fund_sum_90d": 24.0,  # 4 x 10 yuan x 60 %
            "drug_fund_sum_365d": 36.0,
            "drug_amount_sum_365d": 60.0,
            "active_day_share_90d": 4 / 90,
        },
    ),
    Example(
        "stays and visits without a drug are no drug visits",
        Account()
        .visit(5, ONE)
        .stay(9, 6, TEN)
        .visit(7, fee("exam", 500))
        .visit(8, fee("treatment", 500), ONE),
        {
            "visit_count_30d": 2,
            "drug_amount_sum_365d": 20.0,
            "drug_only_share_180d": 0.5,  # one of two was without examination and treatment
            "stay_count_365d": 1,
            # 5 yuan examined, 5 treated, of 10 + 100 + 5 + 15
            "treatment_share_365d": 10 / 130,
        },
    ),
    Example(
        "a visit of unknown type counts as a visit",
        Account().visit(5, ONE, visit_type=None),
        {"visit_count_30d": 1, "drug_amount_sum_365d": 10.0},
    ),
    Example(
        "a refunded visit is gone, whenever the refund came",
        Account()
        .visit(100, ONE)
        .refund(1, 2, drug("d10", -1, -1000))
        .visit(50, TEN)
        .visit(40, ONE),
        {"visit_count_90d": 2, "visit_count_365d": 2, "drug_amount_sum_365d": 110.0},
    ),
    Example(
        "a partial refund takes off its part on the day of the visit",
        # 2 boxes of 10 yuan, one given back with its 6 yuan from the fund: 10 yuan at 60 % are left.
        Account()
        .visit(95, drug("d10", 2, 2000, doctor_id="x"))
        .refund(1, 3, drug("d10", -1, -1000)),
        {
            "visit_count_30d": 0,
            "visit_count_365d": 1,
            "drug_amount_sum_365d": 10.0,
            "drug_fund_sum_90d": 0.0,
            "drug_fund_sum_365d": 6.0,
        },
    ),
    Example(
        "a refund on the as-of day has not happened yet",
        Account().visit(95, ONE).refund(1, 0, drug("d10", -1, -1000)),
        {"visit_count_365d": 1, "drug_amount_sum_365d": 10.0},
    ),
    Example(
        "refunds of nothing known and refunds of refunds change nothing",
        Account()
        .visit(95, ONE)
        .refund(None, 9, drug("d10", -1, -1000))
        .refund(77, 9, drug("d10", -1, -1000))
        .refund(2, 8, drug("d10", -1, -1000)),
        {"visit_count_365d": 1, "drug_amount_sum_365d": 10.0},
    ),
    Example(
        "growth compares the last 90 days with the mean of the three 90 days before",
        # 200 yuan against (30 + 60 + 0) / 3 = 30; day 361 lies before.
        Account()
        .visit(90, drug("d10", cents=20000))
        .visit(91, drug("d10", cents=3000))
        .visit(360, drug("d10", cents=6000))
        .visit(361, TEN),
        {"drug_amount_growth_360d": math.log((200 + 100) / (30 + 100))},
    ),
    Example(
        "night is from 20 to 6 o'clock",
        Account()
        .visit(1, ONE, at="20:00")
        .visit(2, ONE, at="05:59")
        .visit(3, ONE, at="06:00")
        .visit(4, ONE, at="19:59"),
        {"off_hour_share_90d": 0.5},
    ),
    Example(
        "midnight is a day whose hour is not known, a second later is night",
        Account().visit(1, ONE, at="00:00").visit(2, ONE, at="00:00:01").visit(3, ONE),
        {"off_hour_share_90d": 0.5},
    ),
    Example(
        "where only days are known there is no night",
        Account().visit(1, ONE, at="00:00").visit(2, ONE, at="00:00"),
        {"off_hour_share_90d": None},
    ),
    Example(
        "hugging a cap is nine tenths of it and more, but not the cap itself",
        # The cap is 30 yuan; where none is known, nothing is counted.
        Account()
        .visit(1, drug("d10", cents=2700))
        .visit(2, drug("d10", cents=2699))
        .visit(3, drug("d10", cents=2999))
        .visit(4, drug("d10", cents=3000))
        .visit(5, drug("d10", cents=2900), institution_id="v1"),
        {"cap_hug_share_90d": 0.5, "village_share_365d": 0.2},
    ),
    Example(
        "a cap is compared in whole cents",
        # 0.9 x 33.33 = 29.997
        Account()
        .visit(1, drug("d10", cents=2999), institution_id="odd")
        .visit(2, drug("d10", cents=3000), institution_id="odd"),
        {"cap_hug_share_90d": 0.5, "village_share_365d": None},
    ),
    Example(
        "visits count as small when the median is two boxes",
        # boxes 1, 2, 9: the median is 2
        Account().visit(1, drug("d10", 1)).visit(2, drug("d10", 2)).visit(90, drug("d10", 9)),
        {"small_visit_count_90d": 3},
    ),
    Example(
        "no visit counts as small when the median is more than two boxes",
        Account().visit(1, drug("d10", 1)).visit(2, drug("d10", 3)).visit(3, drug("d10", 3)),
        {"small_visit_count_90d": 0},
    ),
    Example(
        "gaps between visits vary by their sample deviation over their mean",
        # Visits 190, 180, 160, 130 days ago: gaps 10, 20, 30 end within 180 days; deviation 10, mean 20.
        Account().visit(190, ONE).visit(180, ONE).visit(160, ONE).visit(130, ONE),
        {"gap_variation_180d": 0.5, "visit_count_90d": 0, "off_hour_share_90d": None},
    ),
    Example(
        "gaps do not vary when all visits are on one day",
        Account().visit(5, ONE).visit(5, ONE).visit(5, ONE),
        {"gap_variation_180d": None, "active_day_share_90d": 1 / 90},
    ),
    Example(
        "an account wakes up after a rest of 90 days, for 30 days",
        # 210 to 120 is a rest of 90 days: the visits 120 and 91 days ago count, that of day 90 does not.
        Account().visit(210, ONE).visit(120, ONE).visit(91, ONE).visit(90, ONE),
        {"wake_up_visit_count_180d": 2},
    ),
    Example(
        "a rest of 89 days wakes nobody up",
        Account().visit(209, ONE).visit(120, ONE),
        {"wake_up_visit_count_180d": 0},
    ),
    Example(
        "a member without drug visits has counts of 0 and no shares",
        Account().visit(5, fee("exam", 500)),
        {
            "visit_count_365d": 0,
            "drug_fund_sum_365d": 0.0,
            "drug_only_share_180d": None,
            "active_day_share_90d": None,
            "drug_amount_growth_360d": None,
            "treatment_share_365d": 1.0,
        },
    ),
)
SESSION = (fee("treatment", 40000), fee("exam", 10000))
CARE_EXAMPLES = (
    Example(
        "dialysis is treatment of a kidney failure beyond examination, within 90 days",
        Account()
        .visit(90, *SESSION, diagnosis="N18.5")
        .visit(91, *SESSION, diagnosis="N18.5")
        .visit(3, *SESSION, diagnosis="z49.1")
        .visit(2, *SESSION, diagnosis="I10")
        .visit(1, fee("treatment", 100), fee("exam", 100), diagnosis="N18.5"),
        {"dialysis_visit_count_90d": 2},
    ),
    Example(
        "transplants and cancers go by the principal diagnosis, however it is written",
        Account()
        .visit(300, ONE, diagnosis="z94.0")
        .visit(200, ONE, diagnosis="T86")
        .visit(100, ONE, diagnosis="C34.100")
        .visit(50, ONE, diagnosis=None),
        {"transplant_visit_count_365d": 2, "cancer_visit_share_365d": 0.25},
    ),
    Example(
        "a refunded stay is no stay",
        Account()
        .stay(20, 10, fee("treatment", 9000))
        .refund(1, 9, fee("treatment", -9000, quantity=-1.0), visit_type="21")
        .stay(40, 30, fee("treatment", 9000)),
        {"stay_count_365d": 1, "treatment_share_365d": 1.0},
    ),
)
EXAMPLES = (*USE_EXAMPLES, *CARE_EXAMPLES)


test_example = example_test(EXAMPLES, REFERENCES)


def test_every_feature_of_use_and_care_has_an_example() -> None:
    shown = {name for each in EXAMPLES for name in each.expected}
    assert {each.name for each in (*USE, *CARE)} <= shown
