"""The gold table of how much accounts resemble accounts in fraud in simulated provinces."""

from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS
from expectations.contract.table import Field, TableContract
from expectations.feature.resemblance import RESEMBLANCE_FEATURES
from expectations.gold.fields import AS_OF, MEMBER
from expectations.gold.member_score import MEMBER_REASONS

MEMBER_RESEMBLANCE = TableContract(
    name="gold.member_resemblance",
    grain="one row per member of gold.member_feature, and as-of date",
    fields=(
        MEMBER,
        AS_OF,
        *(feature.field for feature in RESEMBLANCE_FEATURES),
        MEMBER_REASONS,
        Field("model_digest", "string", "SHA-256 of the shipped model", nullable=False),
    ),
    primary_key=("member_id", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="score_resemblance",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

RESEMBLANCE_TABLES = (MEMBER_RESEMBLANCE,)
