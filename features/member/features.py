"""All features of some members, put together."""

from datetime import date

import polars as pl

from features.member.certificates import certificate_features
from features.member.credentials import credential_features
from features.member.frames import MemberRows, References, member_facts
from features.member.products import product_features
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


def member_features(rows: MemberRows, references: References, as_of: date) -> pl.DataFrame:
    """Every member-level feature, one row per member_id with a settlement in the horizon."""
    facts = member_facts(rows, references, as_of)
    features = facts.visits.select("member_id").unique().sort("member_id")
    for family in _FAMILIES:
        features = features.join(family(facts), on="member_id", how="left")
    return features
