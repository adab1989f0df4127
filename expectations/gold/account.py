"""The gold tables about accounts: features, peers, indicators, the list and what people decide."""

from pyspark.sql.types import ArrayType, StringType, StructType

from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS
from expectations.contract.table import Field, TableContract
from expectations.feature.member import MEMBER_FEATURES
from expectations.gold.fields import AS_OF, MEMBER
from expectations.ops import SEQUENCE

MEMBER_FEATURE = TableContract(
    name="gold.member_feature",
    grain="one row per member with a settlement in the last 365 days, and as-of date",
    fields=(
        MEMBER,
        AS_OF,
        Field("peer_group", "string", "Whom the member is compared with", nullable=False),
        *(feature.field for feature in MEMBER_FEATURES),
    ),
    primary_key=("member_id", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="build_member_features",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

PEER_STATISTIC = TableContract(
    name="gold.peer_statistic",
    grain="one row per group of peers, feature and as-of date",
    fields=(
        AS_OF,
        Field(
            "peer_group",
            "string",
            "Certificate, age band, sex and district, as far as enough members agree",
            nullable=False,
        ),
        Field("feature", "string", "Which feature", nullable=False),
        Field("peers", "long", "Members in the group", nullable=False),
        Field("median", "double", "Median; empty values count as 0", nullable=False),
        Field("high", "double", "99th percentile", nullable=False),
        Field("upper", "double", "90th percentile"),
        Field("extreme", "double", "99.9th percentile"),
    ),
    primary_key=("as_of_date", "peer_group", "feature"),
    partition_by=("as_of_date",),
    written_by="build_member_features",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

INDICATOR = TableContract(
    name="gold.indicator",
    grain="one row per subject, reason code and as-of date",
    fields=(
        AS_OF,
        Field(
            "subject_type",
            "string",
            "What is flagged",
            nullable=False,
            values=("member", "institution", "doctor"),
        ),
        Field("subject_id", "string", "Which", nullable=False),
        Field("typology", "string", "The pattern that it is consistent with", nullable=False),
        Field(
            "family", "string", "Rules that see the same thing in different ways", nullable=False
        ),
        Field("reason_code", "string", "The rule in conf/typologies.yaml", nullable=False),
        Field("feature", "string", "The feature that it looks at", nullable=False),
        Field("value", "double", "Its value", nullable=False),
        Field(
            "threshold",
            "double",
            "From which on the rule speaks: its own, or what is high among peers",
            nullable=False,
        ),
        Field("peer_median", "double", "Median among peers; empty without peers"),
        Field(
            "window_days",
            "integer",
            "Days before the as-of date that the feature looks at",
            nullable=False,
        ),
        Field(
            "points",
            "double",
            "What it adds to the rank if it is the strongest of its family",
            nullable=False,
        ),
        Field(
            "held_back_by",
            "string",
            "What explains it; it then counts for nothing. Empty if nothing does",
        ),
        Field("first_date", "date", "First day of the evidence"),
        Field("last_date", "date", "Last day of the evidence"),
        Field(
            "settlement_ids",
            ArrayType(StringType()),
            "The evidence: at most 20 settlements, the dearest first",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "subject_type", "subject_id", "reason_code"),
    partition_by=("as_of_date",),
    written_by="flag_indicators",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

ACCOUNT_REASON = (
    StructType()
    .add("reason_code", "string")
    .add("typology", "string")
    .add("value", "double")
    .add("threshold", "double")
    .add("peer_median", "double")
    .add("points", "double")
    .add("held_back_by", "string")
    .add("text", "string")
)

#: States of an account on the list. Nothing is locked: each is what a person knows or has decided.
STATES = ("proposed", "approved", "rejected", "expired")

#: What may speak for a place in the list.
RANKED_BY = ("rules", "model", "both")

#: The family of rules about links to other accounts.
LINK_FAMILY = "links"
#: The family of the rule about likeness to accounts in fraud in simulated provinces.
RESEMBLANCE_FAMILY = "resemblance"
#: Families that rank accounts by themselves, beside the points of all others.
FAMILIES_APART = (LINK_FAMILY, RESEMBLANCE_FAMILY)
#: A first place in a ranking counts 1 / (PLACE_OFFSET + 1), see `features.indicator.accounts.ranked_accounts`.
PLACE_OFFSET = 20
#: What a place in the ranking by links counts beside one in the ranking by the account's own points, if the links are
#: certain; otherwise as much less as they are less probable, but never less than this.
LINK_PLACE_WEIGHT = 2.0
LEAST_LINK_PROBABILITY = 0.01
#: The same of a place in the ranking by resemblance.
RESEMBLANCE_PLACE_WEIGHT = 1.0
#: The priority of an account that is not on the list: below that of the last of any list.
UNLISTED_PRIORITY = -20.0
#: Log-odds of the links of an account without one: below those of the weakest link that is kept.
UNLINKED_LOG_ODDS = -6.5

HIGH_RISK_ACCOUNT = TableContract(
    name="gold.high_risk_account",
    grain="one row per account with an indicator that counts, and as-of date; the first are a week's work, with the"
    " draws of gold.audit_draw `detect.capacity` in all",
    fields=(
        AS_OF,
        Field("rank", "long", "1 is to be looked at first; ties by member id", nullable=False),
        MEMBER,
        Field("points", "double", "Sum over families of the strongest indicator", nullable=False),
        Field(
            "priority",
            "double",
            "What the rank goes by: its place by its own indicators and its place by its links, either may do,"
            " and its place by the model of accounts as far as its version's blend_weight allows",
            nullable=False,
        ),
        Field("ring_id", "string", "The ring that it is in; empty if it is in none"),
        Field(
            "ranked_by",
            "string",
            "What speaks for its place: rules (and links), model, or both. By which of the two alone it would be"
            " among the week's accounts; if by neither, by which it would stand higher",
            values=RANKED_BY,
        ),
        Field(
            "model_version",
            "string",
            "The version of the model of accounts whose score is part of the priority; empty without one",
        ),
        Field(
            "expected_loss_amount",
            "decimal(16,2)",
            "Fund's part of what was dispensed beyond the holder's own use in the last 365 days, yuan",
            nullable=False,
        ),
        Field(
            "is_within_capacity",
            "boolean",
            "Whether it is among the week's accounts",
            nullable=False,
        ),
        Field(
            "typologies",
            ArrayType(StringType()),
            "Patterns that it is consistent with, strongest first",
            nullable=False,
        ),
        Field(
            "reasons",
            ArrayType(ACCOUNT_REASON),
            "Its indicators, strongest first, those held back last",
            nullable=False,
        ),
        Field("next_check", "string", "What to check next", nullable=False),
        Field(
            "state",
            "string",
            "As of the date: from the last proposal and the last decision",
            nullable=False,
            values=STATES,
        ),
        Field(
            "expires_on",
            "date",
            "Day from which the proposal is void unless renewed",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "member_id"),
    partition_by=("as_of_date",),
    written_by="propose_accounts",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

ACCOUNT_DECISION = TableContract(
    name="gold.account_decision",
    grain="one row per decision of a person about an account on a list; rows are only added",
    fields=(
        Field("decision_id", "string", "Unique", nullable=False),
        MEMBER,
        AS_OF,
        Field(
            "decision",
            "string",
            "What was decided",
            nullable=False,
            values=("approved", "rejected"),
        ),
        Field("reason", "string", "Why, in the person's words", nullable=False),
        Field("decided_by", "string", "Who decided", nullable=False),
        Field("decided_at", "timestamp", "When", nullable=False),
        SEQUENCE,
    ),
    primary_key=("decision_id",),
    written_by="review_account",
    is_entered=True,
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

DETECTION_RESULT = TableContract(
    name="gold.detection_result",
    grain="one row per as-of date, setting, measure and slice of a list judged against the truth",
    fields=(
        AS_OF,
        Field(
            "setting",
            "string",
            "all, the family of rules that was switched off, or `by <feature>`: a ranking by it alone",
            nullable=False,
        ),
        Field("measure", "string", "What was measured", nullable=False),
        Field(
            "slice",
            "string",
            "Capacity, typology, skill or benign group; empty for all",
            nullable=False,
        ),
        Field("value", "double", "The figure; empty where nothing can be measured"),
        Field("n", "long", "Accounts that it rests on", nullable=False),
    ),
    primary_key=("as_of_date", "setting", "measure", "slice"),
    partition_by=("as_of_date",),
    written_by="evaluate_detection",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

ACCOUNT_TABLES = (
    MEMBER_FEATURE,
    PEER_STATISTIC,
    INDICATOR,
    HIGH_RISK_ACCOUNT,
    ACCOUNT_DECISION,
    DETECTION_RESULT,
)
