"""The gold tables that models of closed cases learn from: labels of subjects, and training rows of accounts."""

from expectations.contract.properties import PINNED_BY_MODELS, WITHOUT_LIMITS
from expectations.contract.table import Check, Field, TableContract
from expectations.feature.member_model import MEMBER_MODEL_INPUTS
from expectations.gold.fields import AS_OF

#: What a label tells of its case, in labels and in training rows.
_OF_CASE = (
    Field("case_id", "string", "The case that gives the label"),
    Field("outcome", "string", "How it was decided"),
    Field("role", "string", "Part in the case"),
    Field("trigger", "string", "What opened the case; empty where the case does not say"),
    Field(
        "typology",
        "string",
        "Alone or in a gang, and the role, as gang_card_holder; empty without a confirmation",
    ),
    Field("decided_on", "date", "Day of the decision"),
    Field("days_since_decision", "integer", "From the decision to the as-of date"),
    Field("is_final", "boolean", "Whether no appeal is pending; empty where the case does not say"),
    Field("loss_amount", "decimal(16,2)", "Proven loss to the fund, yuan"),
)

SUBJECT_LABEL = TableContract(
    name="gold.subject_label",
    grain="one row per subject with a label from decided cases, and as-of date",
    fields=(
        AS_OF,
        Field(
            "subject_type",
            "string",
            "What the subject is",
            nullable=False,
            values=("member", "institution"),
        ),
        Field("subject_id", "string", "Which", nullable=False),
        Field("label", "integer", "1 confirmed, 0 cleared or without finding", nullable=False),
        Field(
            "cut_date",
            "date",
            "Last day before which features may look: the day before the first clue, or before the opening; for a"
            " label of 0 that of a confirmed subject, drawn by a hash",
            nullable=False,
        ),
        *_OF_CASE,
        Field("origin", "string", "Where the label comes from, in words", nullable=False),
    ),
    primary_key=("as_of_date", "subject_type", "subject_id"),
    partition_by=("as_of_date",),
    checks=(
        Check("ExpectColumnValuesToBeBetween", {"column": "label", "min_value": 0, "max_value": 1}),
    ),
    written_by="build_labels",
    properties=PINNED_BY_MODELS | WITHOUT_LIMITS,
)

MEMBER_TRAINING_ROW = TableContract(
    name="gold.member_training_row",
    grain="one row per labelled account, and per drawn account without a label and day of features, and as-of date",
    fields=(
        AS_OF,
        Field("member_id", "string", "The insured account", nullable=False),
        Field(
            "feature_date",
            "date",
            "The as-of date of its features, not after the cut",
            nullable=False,
        ),
        Field("label", "integer", "1 confirmed, 0 cleared or without finding; empty if unknown"),
        Field("cut_date", "date", "Of the label; empty if unknown"),
        *_OF_CASE,
        Field(
            "propensity",
            "double",
            "The chance with which it was drawn; 1 for labelled accounts",
            nullable=False,
        ),
        Field(
            "component",
            "string",
            "What it must share a fold with: its household and its rings, as one id",
            nullable=False,
        ),
        Field(
            "drug_fund_sum_365d",
            "double",
            "What the fund paid for its drugs in a year, yuan; models are compared with it, none looks at it",
        ),
        *(each.field for each in MEMBER_MODEL_INPUTS),
    ),
    primary_key=("as_of_date", "member_id", "feature_date"),
    partition_by=("as_of_date",),
    checks=(
        Check(
            "ExpectColumnValuesToBeBetween",
            {"column": "propensity", "min_value": 0, "max_value": 1},
        ),
    ),
    written_by="build_training_set",
    properties=PINNED_BY_MODELS | WITHOUT_LIMITS,
)

MEMBER_MODEL_TABLES: tuple[TableContract, ...] = (SUBJECT_LABEL, MEMBER_TRAINING_ROW)
