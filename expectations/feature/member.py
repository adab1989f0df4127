"""Every member feature, declared once: those of visits and drugs in modules of their own."""

from expectations.contract.feature import declared
from expectations.feature.member_drug import CERTIFICATE, PRODUCT, SUPPLY
from expectations.feature.member_visit import CARE, SHOPPING, TRAVEL, USE

CREDENTIAL = declared(
    "visit_fact, person",
    ("proxy_count_180d", "68", 180, "count", (0,), "different proxies on drug visits"),
    ("proxy_visit_share_180d", "68", 180, "share", (0,), "drug visits with a proxy"),
    (
        "accounts_per_device_90d",
        "67",
        90,
        "count",
        (3,),
        "most accounts on a phone that showed this one; 0 if none is shared",
    ),
    (
        "accounts_per_proxy_90d",
        "69",
        90,
        "count",
        (3,),
        "most accounts of a proxy who collected for this one; 0 if none is shared",
    ),
    ("strangers_per_device_90d", "67", 90, "count", (3,), "of these, accounts of other households"),
    ("strangers_per_proxy_90d", "69", 90, "count", (3,), "of these, accounts of other households"),
    (
        "kin_share_90d",
        "82",
        90,
        "share",
        (3,),
        "accounts of the same household among all that share a phone or proxy with this one",
    ),
)

TRACE = declared(
    "trace_scan, drug",
    (
        "resold_box_count_365d",
        "71",
        365,
        "count",
        (4,),
        "boxes sold to the member, not returned and not split, that another institution scanned as sold"
        " to somebody else later",
    ),
    (
        "resold_box_surprise_365d",
        "71",
        365,
        "log10",
        (4,),
        "-log10 of the chance of so many such boxes, at the rate of other members' boxes of the same"
        " counters (Poisson)",
    ),
    (
        "resold_gap_days_median_365d",
        "73",
        365,
        "days",
        (4,),
        "median days until such a box was sold again",
    ),
    (
        "uncoded_share_90d",
        "75",
        90,
        "share",
        (4,),
        "boxes that had to be scanned and were not, by drug",
    ),
)

PEER = declared(
    "member_feature",
    (
        "drug_fund_percentile_365d",
        "3",
        365,
        "share",
        (1,),
        "share of peers whose drug_fund_sum_365d is no higher, in three digits",
    ),
)

#: What the functions over a member's rows compute; peers come after.
OWN_FEATURES = (
    *USE,
    *CARE,
    *SUPPLY,
    *SHOPPING,
    *TRAVEL,
    *PRODUCT,
    *CERTIFICATE,
    *CREDENTIAL,
    *TRACE,
)
MEMBER_FEATURES = (*OWN_FEATURES, *PEER)
