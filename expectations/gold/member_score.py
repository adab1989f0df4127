"""The gold tables of a model of accounts in use: scores, draws for the audit, and what is watched."""

from pyspark.sql.types import ArrayType, StructType

from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS
from expectations.contract.table import Check, Field, TableContract
from expectations.gold.fields import AS_OF, MEMBER

#: What is watched of a model in use.
MEASURES = (
    *("score_psi", "input_psi", "precision", "calibration_gap", "label_delay_days"),
    "district_share",
)

#: Reasons that are kept with a score.
REASON_COUNT = 3

MEMBER_REASON = (
    StructType()
    .add("input", "string")
    .add("value", "double")
    .add("contribution", "double")
    .add("text", "string")
)

MEMBER_REASONS = Field(
    "reasons",
    ArrayType(MEMBER_REASON),
    "At most three inputs that raise the log-odds most, largest first: the input, its value, its contribution,"
    " and the sentence",
    nullable=False,
)

MEMBER_SCORE = TableContract(
    name="gold.member_score",
    grain="one row per member of gold.member_feature, and as-of date",
    fields=(
        MEMBER,
        AS_OF,
        Field(
            "score",
            "double",
            "Probability that an inquiry would confirm the account, as calibrated in training",
            nullable=False,
        ),
        Field("model_name", "string", "Registered model", nullable=False),
        Field("model_version", "string", "Its version", nullable=False),
        Field(
            "blend_weight",
            "double",
            "How much the version may move the list, 0 not at all, as chosen in training",
            nullable=False,
        ),
        MEMBER_REASONS,
    ),
    primary_key=("member_id", "as_of_date"),
    partition_by=("as_of_date",),
    checks=(
        Check("ExpectColumnValuesToBeBetween", {"column": "score", "min_value": 0, "max_value": 1}),
    ),
    written_by="score_subjects",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

AUDIT_DRAW = TableContract(
    name="gold.audit_draw",
    grain="one row per account drawn at random to be looked at beside the first of the list, and as-of date",
    fields=(
        AS_OF,
        MEMBER,
        Field(
            "stratum",
            "string",
            "Drawn from the rest of the list, or from the accounts that are not on it",
            nullable=False,
            values=("listed", "unlisted"),
        ),
        Field("rank", "long", "Its place in the list; empty if it is not on it"),
        Field(
            "propensity",
            "double",
            "The chance with which it was drawn: draws over accounts of its stratum",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "member_id"),
    partition_by=("as_of_date",),
    checks=(
        Check(
            "ExpectColumnValuesToBeBetween",
            {"column": "propensity", "min_value": 0, "max_value": 1},
        ),
    ),
    written_by="propose_accounts",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

MODEL_MONITOR = TableContract(
    name="gold.model_monitor",
    grain="one row per as-of date, model version, measure and what it was taken of",
    fields=(
        AS_OF,
        Field("model_version", "string", "Version of the model of accounts", nullable=False),
        Field(
            "measure",
            "string",
            "What was measured",
            nullable=False,
            values=MEASURES,
        ),
        Field(
            "slice",
            "string",
            "Of what: an input, a week by the as-of date of its list, a district; empty for all",
            nullable=False,
        ),
        Field("value", "double", "The figure; empty where nothing can be measured"),
        Field("limit", "double", "Beyond it there is a warning; empty if none is drawn"),
        Field("n", "long", "Accounts, cases or weeks that it rests on", nullable=False),
        Field("is_warning", "boolean", "Whether it is beyond its limit", nullable=False),
        Field("advice", "string", "What to do; empty without a warning", nullable=False),
    ),
    primary_key=("as_of_date", "model_version", "measure", "slice"),
    partition_by=("as_of_date",),
    written_by="monitor_model",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

MEMBER_SCORE_TABLES: tuple[TableContract, ...] = (MEMBER_SCORE, AUDIT_DRAW, MODEL_MONITOR)
