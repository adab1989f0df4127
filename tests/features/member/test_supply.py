from support.member_histories import Account, Example, day, drug, example_test, reference

from expectations.feature.member_drug import SUPPLY

REFERENCES = {
    "drugs": [
        reference(
            "drugs",
            "a10",
            ingredient="amlodipine",
            atc="C08CA01",
            days_per_box=10.0,
            ddd_per_box=20.0,
            chronic=True,
        ),
        # The same ingredient in another strength: a day of it is half a defined dose.
        reference(
            "drugs",
            "a30",
            ingredient="amlodipine",
            atc="C08CA01",
            days_per_box=30.0,
            ddd_per_box=15.0,
            chronic=True,
        ),
        reference("drugs", "n10", ingredient="nifedipine", atc="c08ca05", days_per_box=10.0),
        reference("drugs", "x", ingredient="no days known", atc="C08CA09", ddd_per_box=9.0),
        reference("drugs", "limited", days_per_box=10.0, indications="E11"),
    ],
    "institutions": [],
    "diseases": [],
}
TEN, THIRTY = drug("a10"), drug("a10", 3)
B = {"institution_id": "h2"}

EXAMPLES = (
    Example(
        "supply is summed by ingredient within each window, over strengths",
        # amlodipine: 10 + 30 in 90 days, 30 more in 180, 10 more in 365; nifedipine 50 within 90.
        Account()
        .visit(90, TEN)
        .visit(50, drug("a30"))
        .visit(180, drug("a30"))
        .visit(181, TEN)
        .visit(20, drug("n10", 5))
        .visit(0, drug("a10", 99))
        .visit(366, drug("a10", 99)),
        {
            "supply_ratio_max_90d": 50 / 90,
            "supply_ratio_max_180d": 70 / 180,
            "supply_ratio_max_365d": 80 / 365,
            "oversupplied_ingredient_count_180d": 0,
        },
    ),
    Example(
        "stated days go before those of the box, and half of a box is half of its days",
        Account().visit(5, drug("a10", 3, days=12.5)).visit(4, drug("a10", 0.5)),
        {"supply_ratio_max_90d": 17.5 / 90},
    ),
    Example(
        "supply that nobody states and no reference knows is none",
        Account().visit(5, drug("x", 3)).visit(4, drug("not in the reference")),
        {
            "supply_ratio_max_90d": None,
            "stock_days_max": 0,
            "overlap_days_180d": 0,
            "dose_ratio_max_90d": None,
            "excess_fund_sum_365d": 0,
        },
    ),
    Example(
        "excess is what goes beyond 180 days and a reserve of 30, by ingredient",
        # amlodipine 250: 40 beyond 210, and more than 1.2 x 180 = 216; nifedipine 210: neither.
        Account().visit(180, drug("a10", 25)).visit(100, drug("n10", 21)),
        {"excess_days_180d": 40, "oversupplied_ingredient_count_180d": 1},
    ),
    Example(
        "1.2 times the days is not yet too much",
        Account().visit(100, drug("a10", 20, days=216)).visit(90, drug("n10", 20, days=216.01)),
        {"oversupplied_ingredient_count_180d": 1},
    ),
    Example(
        "stock goes down by a day a day and never below zero",
        # 30 on day 100; day 90: 20 left, 50 after it; day 30: none left (50 - 60), 10 after it; day 0: none.
        Account().visit(100, THIRTY).visit(90, THIRTY).visit(30, TEN),
        {"stock_peak_days_365d": 50, "stock_days_max": 0},
    ),
    Example(
        "stock at the as-of date is what the last fill left less the days since",
        # Day 20: 30; day 5: 15 left, 25 after it; day 0: 20.
        Account().visit(20, THIRTY).visit(5, TEN),
        {"stock_peak_days_365d": 30, "stock_days_max": 20},
    ),
    Example(
        "nothing is used of the stock at home while in hospital, before a fill or after the last",
        # 30 on day 50; until day 30 ten days at home: 20 left, 30 after it. Then 25 days at home.
        Account().visit(50, THIRTY).stay(45, 35, cents=1).visit(30, TEN).stay(15, 10, cents=1),
        {"stock_peak_days_365d": 30, "stock_days_max": 5},
    ),
    Example(
        "a stay settled twice keeps no day twice",
        # Days 45 to 35 in hospital, settled half way and at the end: again 20 left on day 30.
        Account().visit(50, THIRTY).stay(45, 40, cents=1).stay(45, 35, cents=1).visit(30, TEN),
        {"stock_peak_days_365d": 30, "stock_days_max": 0},
    ),
    Example(
        "what a hospital gives during a stay is no supply at home",
        Account().visit(50, TEN).stay(40, 30, drug("a10", 50)),
        {"supply_ratio_max_365d": 10 / 365, "stock_peak_days_365d": 10},
    ),
    Example(
        "a refund takes its days back",
        # 30 + 30 on day 20; 30 of the second went back.
        Account().visit(20, THIRTY).visit(20, THIRTY, **B).refund(2, 3, drug("a10", -3, -1000)),
        {
            "stock_peak_days_365d": 30,
            "elsewhere_overlap_days_180d": 0,
            "early_refill_count_180d": 0,
        },
    ),
    Example(
        "a day that three fills cover is doubled once",
        # Days 0-30, 10-40, 20-50 from the first fill on: 10-30 and 30-40 are doubled.
        Account().visit(60, THIRTY).visit(50, THIRTY).visit(40, THIRTY),
        {"overlap_days_180d": 30, "elsewhere_overlap_days_180d": 0},
    ),
    Example(
        "overlap elsewhere needs two institutions",
        # h1 0-30, h1 10-40, h2 20-50: h2 meets h1 on 20-40; 10-30 and 30-40 are doubled in all.
        Account().visit(60, THIRTY).visit(50, THIRTY).visit(40, THIRTY, **B),
        {"overlap_days_180d": 30, "elsewhere_overlap_days_180d": 20},
    ),
    Example(
        "a third institution doubles no day again",
        # h1 0-30, h2 0-30, h3 0-30, all on one day: thirty days, not sixty.
        Account().visit(60, THIRTY).visit(60, THIRTY, **B).visit(60, THIRTY, institution_id="h3"),
        {"overlap_days_180d": 30, "elsewhere_overlap_days_180d": 30, "early_refill_count_180d": 2},
    ),
    Example(
        "a short fill elsewhere within a long one is doubled whole, and what lasts longest counts",
        # h1 0-30; h2 10-20; h1 25-35: h2's fill is over, so h1 meets only itself on 25-30.
        Account().visit(60, THIRTY).visit(50, TEN, **B).visit(35, TEN),
        {"overlap_days_180d": 15, "elsewhere_overlap_days_180d": 10},
    ),
    Example(
        "days in hospital pass for no fill",
        # 30 days on day 60; of the thirty until day 30 ten were in hospital: ten are left.
        Account().visit(60, THIRTY).stay(55, 45, cents=1).visit(30, TEN),
        {"overlap_days_180d": 10, "early_refill_count_180d": 1},
    ),
    Example(
        "an overlap belongs to the day of the fill that makes it",
        # Days 0-30 from day 200, 10-40 from day 190, 10-20 more from day 180.
        Account().visit(200, THIRTY).visit(190, THIRTY, **B).visit(180, TEN),
        {
            "overlap_days_180d": 0,  # the days from 180 on are doubled already
            "elsewhere_overlap_days_180d": 0,
            "elsewhere_overlap_days_365d": 20,
            "early_refill_count_180d": 1,
        },
    ),
    Example(
        "a refill is early with a quarter of the previous one left",
        # A quarter of 30 is 7.5. Day 77: 7 left, not early, then 37. Day 47: 7 left, not early, then 37.
        # Day 46: 36 left, early.
        Account().visit(100, THIRTY).visit(77, THIRTY).visit(47, THIRTY).visit(46, TEN),
        {"early_refill_count_180d": 1, "elsewhere_early_refill_count_180d": 0},
    ),
    Example(
        "an early refill is elsewhere when the previous fill came from another institution",
        # Each comes with the whole stock of the one before.
        Account().visit(181, TEN).visit(180, TEN, **B).visit(179, TEN, **B).visit(178, TEN),
        {"early_refill_count_180d": 3, "elsewhere_early_refill_count_180d": 2},
    ),
    Example(
        "the same ingredient within seven days elsewhere, by the calendar",
        # 97 to 90: seven days. 90 to 82: eight. 20 to 10: ten, be it that eight were spent in hospital.
        Account()
        .visit(97, TEN)
        .visit(90, TEN, **B)
        .visit(82, TEN)
        .visit(20, TEN)
        .stay(19, 11, cents=1)
        .visit(10, TEN, **B),
        {"repeat_elsewhere_7d_count_90d": 1},
    ),
    Example(
        "of two fills on a day the earlier one is the one before, whatever the institution is called",
        # h1 in the evening repeats h2 of the morning, and h2 the day after repeats h1; not h2 h2.
        Account().visit(9, TEN, at="20:00").visit(9, TEN, at="08:00", **B).visit(8, TEN, **B),
        {"repeat_elsewhere_7d_count_90d": 2},
    ),
    Example(
        "doses are compared with those of the highest label dose",
        # 60 defined doses in 90 days; a10's label dose is two a day: 60 / (90 x 2).
        Account().visit(91, drug("a10", 9)).visit(90, drug("a10", 2)).visit(3, drug("a30", 4 / 3)),
        {"dose_ratio_max_90d": 60 / 180},
    ),
    Example(
        "a class is doubled while two ingredients of it last, within 90 days",
        # amlodipine from day 100 to day 70, nifedipine from 95 to 85 and from 75 to 65: within 90 days
        # 90-85 and 75-70; amlodipine with itself is no double.
        Account().visit(100, THIRTY).visit(95, drug("n10")).visit(80, TEN).visit(75, drug("n10")),
        {"class_overlap_days_90d": 10},
    ),
    Example(
        "days of a class still to come are not counted",
        Account().visit(5, TEN).visit(5, drug("n10", 9)).visit(4, drug("x", days=30)),
        {"class_overlap_days_90d": 5},
    ),
    Example(
        "the fund lost what it paid for days beyond use, and for what nothing explains",
        # 100 days of amlodipine since day 20: usable 20 + 30, half is excess; the fund paid 600 of 1,000
        # yuan, 300 for nothing. Of the drug for E11 nothing is excess, but nothing explains it: 6 yuan.
        Account().visit(20, drug("a10", 10, 100000)).visit(20, drug("limited", cents=1000)),
        {"excess_fund_sum_365d": 306.0},
    ),
    Example(
        "long fills are those of chronic drugs for 28 days and more",
        Account()
        .visit(300, drug("a10", days=28))
        .visit(200, drug("a10", days=27.99))
        .visit(100, drug("n10", 9))
        .visit(50, TEN)
        .visit(50, drug("a10", 2)),
        # Two fills of one day and institution are one of thirty days.
        {"long_fill_share_365d": 2 / 3},
    ),
    Example(
        "without chronic drugs there is no share of long fills",
        Account().visit(100, drug("n10", 9)),
        {"long_fill_share_365d": None},
    ),
    Example(
        "a slip of the keyboard counts as ten years",
        Account().visit(10, drug("a10", 99999.9)),
        {"stock_days_max": 3640, "supply_ratio_max_90d": 3650 / 90},
    ),
    Example(
        "a certificate ramps when 90 days hold more than 108 days of an ingredient",
        # Begun on day 200. 60 on day 190, 50 on day 101: the 90 days from 190 to 101 hold 110 days. The
        # 90 days that end on day 100 hold 110 as well, but that is later.
        Account()
        .add("certificates", special_disease_code="M1", start_date=day(200))
        .visit(190, drug("a10", 6))
        .visit(101, drug("a10", 5))
        .visit(100, drug("a10", 6)),
        {"certificate_ramp_days_365d": 99},
    ),
    Example(
        "91 days are too long for a ramp, and 108 days are not enough",
        Account()
        .add("certificates", special_disease_code="M1", start_date=day(200))
        .visit(191, drug("a10", 6))
        .visit(101, drug("a10", 5))
        .visit(10, drug("a10", days=108)),
        {"certificate_ramp_days_365d": None},
    ),
    Example(
        "supply before the certificate is no ramp, and the newest certificate counts",
        Account()
        .add("certificates", special_disease_code="M1", start_date=day(300))
        .add("certificates", special_disease_code="M1", start_date=day(100))
        .visit(101, drug("a10", 20))
        .visit(5, TEN),
        {"certificate_ramp_days_365d": None},
    ),
)


test_example = example_test(EXAMPLES, REFERENCES)


def test_every_feature_of_supply_has_an_example() -> None:
    shown = {name for each in EXAMPLES for name in each.expected}
    assert {each.name for each in SUPPLY} <= shown
