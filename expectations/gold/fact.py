"""The fact tables: what features read instead of fee lines, kept up to date by what a batch concerns."""

from pyspark.sql.types import ArrayType, StructType

from expectations.contract.properties import KEPT_A_MONTH, MARKED, limits_of
from expectations.contract.table import Field, TableContract
from expectations.gold.fields import MEMBER

#: What is made anew is marked as deleted in the files that hold it, and they stay. Files are in the order of
#: accounts, and the limits of `member_id` are what finds one account's rows fast; no other identifier has any.
_PROPERTIES = (
    KEPT_A_MONTH | MARKED | limits_of("member_id", "service_date", "valid_from", "valid_to")
)
_TIMES = (
    Field(
        "valid_from",
        "timestamp",
        "When this version had arrived; it counts as of T when valid_from < T",
        nullable=False,
    ),
    Field("valid_to", "timestamp", "When a better version arrived; empty while this one stands"),
)
_DATED = (
    StructType().add("value", "string").add("valid_from", "timestamp").add("valid_to", "timestamp")
)
_MONTH = Field("service_month", "string", "Month of the service date, as 2026-01", nullable=False)
_SETTLEMENT = Field("settlement_id", "string", "The settlement, or the refund", nullable=False)

VISIT_FACT = TableContract(
    name="gold.visit_fact",
    grain="one row per version of a settlement, refunds too",
    fields=(
        _SETTLEMENT,
        MEMBER,
        Field("service_date", "date", "Day of the settlement", nullable=False),
        _MONTH,
        Field("settlement_time", "timestamp", "When it was settled", nullable=False),
        Field("institution_id", "string", "Where it was settled", nullable=False),
        Field("visit_type", "string", "As in silver.settlement"),
        Field("diagnosis_code", "string", "Principal diagnosis"),
        Field("diagnoses", ArrayType(_DATED), "All coded diagnoses, each with the time it held"),
        Field("credential_type", "string", "01 e-voucher, 02 identity card, 03 insurance card"),
        Field("device_hash", "string", "Phone that showed the e-voucher, hashed"),
        Field("terminal_id", "string", "Point-of-sale terminal"),
        Field("operator_id", "string", "Operator of the terminal"),
        Field(
            "proxies", ArrayType(_DATED), "Proxies' documents, hashed, each with the time it held"
        ),
        Field("start_date", "date", "Admission or start of the visit"),
        Field("end_date", "date", "Discharge or end of the visit"),
        Field("total_amount", "decimal(16,2)", "All fees, yuan; negative for a refund"),
        Field("fund_amount", "decimal(16,2)", "Paid by the fund, yuan; negative for a refund"),
        Field("is_refund", "boolean", "Whether it reverses another", nullable=False),
        Field("original_settlement_id", "string", "The settlement that a refund reverses"),
        *_TIMES,
    ),
    primary_key=("settlement_id", "valid_from"),
    partition_by=("service_month",),
    written_by="build_facts",
    properties=_PROPERTIES,
)

FEE_FACT = TableContract(
    name="gold.fee_fact",
    grain="one row per day, settlement, drug (or kind of fee that is none), doctor and time in which it held",
    fields=(
        _SETTLEMENT,
        MEMBER,
        Field("service_date", "date", "Day on which the fee was incurred", nullable=False),
        _MONTH,
        Field("item_type", "string", "What the fees are for"),
        Field("drug_id", "string", "The drug; empty for fees that are none"),
        Field("doctor_id", "string", "Billing doctor; left out of fees that are no drugs"),
        Field(
            "quantity", "decimal(18,4)", "Boxes, for a drug; negative for a refund", nullable=False
        ),
        Field("line_amount", "decimal(18,2)", "Yuan; negative for a refund", nullable=False),
        Field(
            "stated_supply_days",
            "decimal(18,2)",
            "Days' supply of the lines that state it",
            nullable=False,
        ),
        Field(
            "unstated_quantity", "decimal(18,4)", "Boxes of the lines that do not", nullable=False
        ),
        *_TIMES,
    ),
    # A drug or a doctor may be empty.
    primary_key=(),
    partition_by=("service_month",),
    written_by="build_facts",
    properties=_PROPERTIES,
)

FACT_TABLES = (VISIT_FACT, FEE_FACT)
