"""Fees that can't mean what they say: tablets for boxes, days no box holds, lines of more than their visit."""

from support.member_histories import Account, Example, drug, example_test, reference

REFERENCES = {
    "drugs": [
        reference("drugs", "d", ingredient="i", days_per_box=30.0, list_price=50.0),
        reference("drugs", "unpriced", ingredient="u", days_per_box=30.0),
        reference("drugs", "unknown"),
        reference("drugs", "filler", days_per_box=3650.0),
    ],
    "institutions": [],
    "diseases": [],
}

EXAMPLES = (
    Example(
        "a filler of 999 days is not used, the label's days are",
        Account().visit(5, drug("d", 2, 10000, days=999)),
        {"stock_peak_days_365d": 60},
    ),
    Example(
        "days that are more than four times off the label's either way are not used",
        Account().visit(5, drug("d", 1, 5000, days=120.25)).visit(5, drug("unpriced", 4, days=29)),
        {"stock_peak_days_365d": 120, "supply_ratio_max_90d": 120 / 90},
    ),
    Example(
        "days within four times of the label's are a prescription's own",
        Account().visit(5, drug("d", 1, 5000, days=120)),
        {"stock_peak_days_365d": 120},
    ),
    Example(
        "a box that is said to last for years is one of which nothing is known",
        Account().visit(9, drug("filler")).visit(5, drug("filler", days=20)),
        {"stock_peak_days_365d": 20, "supply_ratio_max_90d": 20 / 90},
    ),
    Example(
        "days of a drug whose label is not known are used as stated",
        Account().visit(5, drug("unknown", 1, days=150)),
        {"stock_peak_days_365d": 150},
    ),
    Example(
        "a quantity in tablets is brought to boxes by the list price",
        # 60 tablets for the price of two boxes, no days stated.
        Account().visit(5, drug("d", 60, 10000)),
        {"stock_peak_days_365d": 60},
    ),
    Example(
        "days stated beside a quantity in tablets are compared with the boxes",
        Account().visit(5, drug("d", 60, 10000, days=56)),
        {"stock_peak_days_365d": 56},
    ),
    Example(
        "a refund in tablets takes boxes back",
        Account().visit(5, drug("d", 60, 10000)).refund(1, 4, drug("d", -30, -5000)),
        {"stock_peak_days_365d": 30},
    ),
    Example(
        "a refund takes back whichever signs its lines have",
        Account()
        .visit(5, drug("d", 4, 20000))
        .refund(1, 4, drug("d", 1, 5000), cents=-5000)
        .visit(3, drug("unknown", 2, days=20))
        .refund(2, 2, drug("unknown", 1, days=10), cents=-1000),
        {"stock_peak_days_365d": 90},
    ),
    Example(
        "a cheap box is a box: a fifth of the list price is not yet tablets",
        Account().visit(5, drug("d", 2, 2000)),
        {"stock_peak_days_365d": 60},
    ),
    Example(
        "a line that takes boxes back within its visit does so whatever doctor or day it names",
        Account()
        .visit(5, drug("d", 4, 20000, doctor_id="x"), drug("d", -3, -15000))
        .visit(4, drug("d", 1, 5000), drug("unpriced", 1), drug("unpriced", -1, -1000)),
        {"stock_peak_days_365d": 59, "early_refill_count_180d": 1},
    ),
    Example(
        "the fund's money for drugs is never more than the fund paid of the visit",
        # A line of twenty times the visit's 861 yuan, of which the fund paid 507.40.
        Account().visit(5, drug("d", 300, 1722000), cents=86100, fund_cents=50740),
        {"drug_fund_sum_365d": 507.40},
    ),
    Example(
        "nor more than what the fund paid is after a refund without lines",
        Account()
        .visit(5, drug("d", 2, 10000), fund_cents=6000)
        .refund(1, 4, cents=-5000, fund_cents=-4000),
        {"drug_fund_sum_365d": 20},
    ),
)

test_example = example_test(EXAMPLES, REFERENCES)
