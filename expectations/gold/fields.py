"""Columns that several gold tables have."""

from expectations.contract.table import Field

AS_OF = Field(
    "as_of_date", "date", "Only what had arrived before this day was used", nullable=False
)
MEMBER = Field("member_id", "string", "The insured account", nullable=False)
