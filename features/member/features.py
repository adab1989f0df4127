"""All features of some members in one frame."""

from datetime import date

import polars as pl

from expectations.contract.feature import FeatureDefinition
from expectations.feature.member import OWN_FEATURES, TRACE
from expectations.feature.member_drug import SUPPLY
from features.member.certificates import certificate_features
from features.member.credentials import credential_features
from features.member.facts import member_facts
from features.member.frames import MemberRows, References
from features.member.products import product_features
from features.member.references import usable
from features.member.supply import supply_features
from features.member.visits import (
    care_features,
    shopping_features,
    travel_features,
    use_features,
)

_FAMILIES = (
    use_features,
    care_features,
    supply_features,
    shopping_features,
    travel_features,
    product_features,
    certificate_features,
    credential_features,
)
_COUNTED = ("count", "yuan", "yes/no")
#: Sums, which are 0 where there is nothing to sum. What scans would tell is unknown without any.
_SUMS = {each.name for each in OWN_FEATURES if each.unit in _COUNTED and each not in TRACE} | {
    each.name for each in SUPPLY if each.unit == "days"
}


def member_features(rows: MemberRows, references: References, as_of: date) -> pl.DataFrame:
    """Every member-level feature, one row per member_id with a settlement in the horizon.

    Columns are doubles in the order of their declaration; null means that the feature has no value.
    """
    facts = member_facts(rows, usable(references), as_of)
    features = facts.visits.select("member_id").unique().sort("member_id")
    for family in _FAMILIES:
        features = features.join(family(facts), on="member_id", how="left", maintain_order="left")
    return features.select("member_id", *(_column(each) for each in OWN_FEATURES))


def _column(feature: FeatureDefinition) -> pl.Expr:
    value = pl.col(feature.name).cast(pl.Float64)
    number = pl.when(value.is_finite()).then(value)
    return (number.fill_null(0.0) if feature.name in _SUMS else number).alias(feature.name)
