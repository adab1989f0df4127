"""What both accounts' own habits add to a link between them.

Honest crowds do things together that no chance explains: neighbours of a carer, patients of a ward. What tells
a gang's cards from them is that each of the two also has habits of accounts in fraud. Neither evidence is enough alone.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

#: Log-odds for each unit of rarity of the two accounts, and the rarity that says nothing: one account in
#: thirty is rarer. Chosen on provinces of two generators that neither model had seen (docs/rings.md).
_WEIGHT, _USUAL = 1.2, 3.5
#: Of an account that was not weighed: as many resemble accounts in fraud more as less.
_UNKNOWN = 0.5


def with_habits(
    links: DataFrame, resemblance: DataFrame | None, pass_probability: float
) -> DataFrame:
    """Links weighed anew by how rare the habits of both accounts are.

    The less unusual one decides, so that nobody is drawn in by knowing a suspect. The rarity is -ln of the share of
    accounts that resemble accounts in fraud more.

    Args:
        links: gold.account_link of a date.
        resemblance: `member_id`, `resemblance_share_365d`; None where accounts were not weighed, and then links
            stay as they are.
        pass_probability: from which on a link passes.

    Returns:
        `links` with other values of `weight`, `probability` and `has_passed`.
    """
    if resemblance is None:
        return links
    rows = links
    for end in ("src", "dst"):
        rare = resemblance.select(F.col("member_id").alias(end), _rarity().alias(f"{end}_rarity"))
        rows = rows.join(rare, on=end, how="left")
    unknown = F.lit(_UNKNOWN)
    less_rare = F.least(*(F.coalesce(f"{end}_rarity", -F.log(unknown)) for end in ("src", "dst")))
    weight = F.round(F.col("weight") + _WEIGHT * (less_rare - _USUAL), 6)
    return (
        rows.withColumn("weight", weight)
        .withColumn("probability", F.round(1 / (1 + F.exp(-F.col("weight"))), 6))
        .withColumn("has_passed", ~F.col("is_kin") & (F.col("probability") >= pass_probability))
        .select(links.columns)
    )


def _rarity() -> Column:
    return -F.log(F.greatest(1 - F.col("resemblance_share_365d"), F.lit(1e-9)))
