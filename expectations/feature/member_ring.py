"""Features of an account that come from its links and its ring."""

from expectations.contract.feature import declared

MEMBER_RING_FEATURES = declared(
    "account_link, ring",
    (
        "link_weight_two_best_365d",
        "38",
        365,
        "nats",
        (3,),
        "mean log-odds of the two best links to accounts of other households; one link alone counts half",
    ),
    (
        "link_probability_best_365d",
        "38",
        365,
        "share",
        (3,),
        "probability of the best link to an account of another household",
    ),
    (
        "linked_account_count_365d",
        "36",
        365,
        "count",
        (3,),
        "accounts of other households with a link that passed",
    ),
    (
        "link_probability_sum_365d",
        "37",
        365,
        "count",
        (3,),
        "sum of the probabilities of its links",
    ),
    ("ring_account_count_365d", "77", 365, "count", (3,), "accounts in its ring"),
    ("ring_density_365d", "77", 365, "share", (3,), "linked share of the pairs of its ring"),
    (
        "ring_kin_share_365d",
        "82",
        365,
        "share",
        (3,),
        "members of its household among the other accounts of its ring",
    ),
)
