"""What only people who look at cases may see: parcels and clues beside an account. No model reads it."""

from expectations.contract.feature import declared
from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS
from expectations.contract.table import Field, TableContract

TRIAGE_FEATURES = (
    *declared(
        "trace_scan, institution",
        (
            "resold_elsewhere_box_count_365d",
            "72",
            365,
            "count",
            (4, 6),
            "boxes sold to the member, not returned and not split, that were sold again in another province",
        ),
    ),
    *declared(
        "parcel, person, visit_fact, fee_fact",
        ("parcel_count_180d", "", 180, "count", (6,), "parcels from the member's phone or address"),
        (
            "parcel_after_pickup_count_90d",
            "84",
            90,
            "count",
            (6,),
            "of these, sent within 72 hours of a drug visit of the member",
        ),
        (
            "parcel_kg_per_box_90d",
            "85",
            90,
            "ratio",
            (6,),
            "weight in kg of parcels within 72 hours of a drug visit / boxes of these visits",
        ),
        (
            "parcel_to_pharmacy_share_180d",
            "86",
            180,
            "share",
            (6,),
            "parcels to a pharmacy or a clinic / all parcels",
        ),
        (
            "parcel_other_goods_count_180d",
            "87",
            180,
            "count",
            (6,),
            "parcels declared as tea, clothes or food that went to a pharmacy or clinic, cold-packed, or within 72 hours of a drug visit",
        ),
    ),
    *declared(
        "clue, person",
        (
            "clue_weight_365d",
            "88",
            365,
            "ratio",
            (6,),
            "clues about the member, its phone or address that were not disproved, each by the share of its channel's checked clues that were verified (one verified and one disproved added)",
        ),
    ),
)

ACCOUNT_TRIAGE = TableContract(
    name="gold.account_triage",
    grain="one row per member with a parcel, a clue or a box sold again in another province, and as-of date; for triage by people only, no model reads it",
    fields=(
        Field("member_id", "string", "The insured account", nullable=False),
        Field(
            "as_of_date", "date", "Only what had arrived before this day was used", nullable=False
        ),
        Field(
            "legal_basis_id",
            "string",
            "The warrant or request whose parcels were looked at, and no others",
            nullable=False,
        ),
        *(feature.field for feature in TRIAGE_FEATURES),
    ),
    primary_key=("member_id", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="build_triage_features",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

TRIAGE_TABLES = (ACCOUNT_TRIAGE,)
