import math
from functools import reduce

from support.member_histories import Account, Example, day, drug, example_test, reference

from expectations.feature.member import CREDENTIAL, TRACE

REFERENCES = {
    "drugs": [
        reference("drugs", "coded", trace_from=day(50)),
        reference("drugs", "coded too", trace_from=day(400)),
        reference("drugs", "never coded"),
    ],
    "institutions": [],
    "diseases": [],
}
ONE = drug("never coded")


def sold(
    account: Account, drug_id: str | None, ago: int, gap: float | None = None, chance: float = 0.01
) -> Account:
    again = gap is not None
    row = {"drug_id": drug_id, "day": day(ago), "sold_again": again, "gap_days": gap}
    return account.add("sales", **row, chance_ppb=round(1e9 * chance))


def scanned(account: Account, *boxes: tuple[str | None, int]) -> Account:
    for drug_id, ago in boxes:
        sold(account, drug_id, ago)
    return account


def shared(account: Account, kind: str, accounts: int, relatives: int) -> Account:
    return account.add("shared", kind=kind, accounts=accounts, relatives=relatives)


CREDENTIAL_EXAMPLES = (
    Example(
        "different proxies are counted, on the share of drug visits within 180 days",
        Account()
        .visit(180, ONE, proxy="p")
        .visit(90, ONE, proxy="p")
        .visit(80, ONE, proxy="q")
        .visit(5, ONE)
        .visit(181, ONE, proxy="r")
        .stay(20, 10, ONE, proxy="s"),
        {"proxy_count_180d": 2, "proxy_visit_share_180d": 0.75},
    ),
    Example(
        "the most accounts of a phone and of a proxy, and the most strangers, may be of different ones",
        # Phones: 5 accounts with 4 of the household, 4 with 1. Proxies: 10 with 2.
        # Kin: (3 + 0 + 1) of (4 + 3 + 9) others.
        shared(
            shared(shared(Account().visit(5, ONE), "device", 5, 4), "device", 4, 1), "proxy", 10, 2
        ),
        {
            "accounts_per_device_90d": 5,
            "strangers_per_device_90d": 3,
            "accounts_per_proxy_90d": 10,
            "strangers_per_proxy_90d": 8,
            "kin_share_90d": 4 / 16,
        },
    ),
    Example(
        "who shares nothing has 0 accounts and no share of kin",
        Account().visit(5, ONE),
        {
            "accounts_per_device_90d": 0,
            "strangers_per_device_90d": 0,
            "accounts_per_proxy_90d": 0,
            "strangers_per_proxy_90d": 0,
            "kin_share_90d": None,
            "proxy_count_180d": 0,
            "proxy_visit_share_180d": 0.0,
        },
    ),
    Example(
        "who shares only a proxy has 0 accounts on phones",
        shared(Account().visit(200, ONE), "proxy", 3, 3),
        {
            "accounts_per_device_90d": 0,
            "accounts_per_proxy_90d": 3,
            "strangers_per_proxy_90d": 0,
            "kin_share_90d": 1.0,
            "proxy_visit_share_180d": None,
        },
    ),
)
TRACE_EXAMPLES = (
    Example(
        "boxes sold again are counted with the median of the days until then",
        sold(
            sold(sold(sold(Account().visit(5, ONE), "coded", 365, 4.0), "coded", 1, 10.0), None, 9),
            "coded",
            366,
            1.0,
        ),
        # Three boxes at 0.01: the chance of two and more is 1 - e^-0.03 (1 + 0.03).
        {
            "resold_box_count_365d": 2,
            "resold_gap_days_median_365d": 7.0,
            "resold_box_surprise_365d": -math.log10(1 - math.exp(-0.03) * 1.03),
        },
    ),
    Example(
        "one box sold again of a hundred at careless counters is no surprise",
        reduce(
            lambda account, _: sold(account, "coded", 7),
            range(99),
            sold(Account().visit(5, ONE), "coded", 9, 2.0),
        ),
        {"resold_box_count_365d": 1, "resold_box_surprise_365d": -math.log10(1 - math.exp(-1.0))},
    ),
    Example(
        "a box resold before the year or on the as-of day does not count",
        sold(sold(Account().visit(5, ONE), "coded", 0, 4.0), "coded", 9),
        {
            "resold_box_count_365d": 0,
            "resold_gap_days_median_365d": None,
            "resold_box_surprise_365d": 0,
        },
    ),
    Example(
        "nothing is said of boxes where nothing was scanned",
        Account().visit(5, ONE),
        {
            "resold_box_count_365d": None,
            "resold_gap_days_median_365d": None,
            "resold_box_surprise_365d": None,
            "uncoded_share_90d": None,
        },
    ),
    Example(
        "boxes must be scanned from the first day of their drug on",
        # Ten boxes after day 50, four of them scanned; the five before, and a stay's, need no scan.
        scanned(
            Account()
            .visit(50, drug("coded", 10), drug("never coded", 9))
            .visit(51, drug("coded", 5))
            .stay(20, 10, drug("coded", 7)),
            *[("coded", 50)] * 4,
            *[("coded", 51)] * 5,
        ),
        {"uncoded_share_90d": 0.6},
    ),
    Example(
        "a scan of one drug does not stand for a box of another",
        # Of "coded" 3 of 3 are missing; of "coded too" one scan more than boxes: 3 of 4.
        scanned(
            Account().visit(5, drug("coded", 3), drug("coded too", 1)),
            ("coded too", 5),
            ("coded too", 4),
            ("never coded", 3),
        ),
        {"uncoded_share_90d": 0.75},
    ),
    Example(
        "a scan that names no drug may stand for any",
        scanned(Account().visit(5, drug("coded", 4)), (None, 5), (None, 4), (None, 91)),
        {"uncoded_share_90d": 0.5},
    ),
    Example(
        "boxes given back need no scan, and 91 days ago is long enough",
        scanned(
            Account()
            .visit(90, drug("coded too", 4, 4000))
            .refund(1, 80, drug("coded too", -2, -2000))
            .visit(91, drug("coded too", 40)),
            ("coded too", 90),
        ),
        {"uncoded_share_90d": 0.5},
    ),
)
EXAMPLES = (*CREDENTIAL_EXAMPLES, *TRACE_EXAMPLES)


test_example = example_test(EXAMPLES, REFERENCES)


def test_every_feature_of_credentials_and_scans_has_an_example() -> None:
    shown = {name for each in EXAMPLES for name in each.expected}
    assert {each.name for each in (*CREDENTIAL, *TRACE)} <= shown
