"""Every table of the lake, in one place."""

from expectations.contract import TableContract
from expectations.gold import GOLD_TABLES
from expectations.gold_account import ACCOUNT_TABLES
from expectations.gold_fact import FACT_TABLES
from expectations.gold_provider import PROVIDER_TABLES
from expectations.gold_triage import TRIAGE_TABLES
from expectations.landing import LandingTable
from expectations.landing_event import CLAIM_TABLES
from expectations.landing_inquiry import INQUIRY_TABLES
from expectations.landing_reference import REFERENCE_TABLES
from expectations.ops import OPS_TABLES, quarantine

#: A table stands after those it refers to.
LANDING_TABLES: tuple[LandingTable, ...] = (*REFERENCE_TABLES, *CLAIM_TABLES, *INQUIRY_TABLES)

LANDING_BY_NAME = {table.name: table for table in LANDING_TABLES}


def all_contracts() -> tuple[TableContract, ...]:
    """The contracts of every table that a job writes, layer by layer."""
    return (
        *(table.bronze for table in LANDING_TABLES),
        *(table.silver for table in LANDING_TABLES),
        *FACT_TABLES,
        *ACCOUNT_TABLES,
        *PROVIDER_TABLES,
        *TRIAGE_TABLES,
        *GOLD_TABLES,
        *(quarantine(table.name) for table in LANDING_TABLES),
        *OPS_TABLES,
    )
