"""Every table of the lake, in one place."""

from expectations.contract.table import TableContract
from expectations.gold.account import ACCOUNT_TABLES
from expectations.gold.dispensing import PROVIDER_TABLES
from expectations.gold.fact import FACT_TABLES
from expectations.gold.institution import GOLD_TABLES
from expectations.gold.member_model import MEMBER_MODEL_TABLES
from expectations.gold.member_score import MEMBER_SCORE_TABLES
from expectations.gold.resemblance import RESEMBLANCE_TABLES
from expectations.gold.ring import RING_TABLES
from expectations.gold.triage import TRIAGE_TABLES
from expectations.landing.event import CLAIM_TABLES
from expectations.landing.inquiry import INQUIRY_TABLES
from expectations.landing.reference import REFERENCE_TABLES
from expectations.landing.table import LandingTable
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
        *RING_TABLES,
        *RESEMBLANCE_TABLES,
        *TRIAGE_TABLES,
        *GOLD_TABLES,
        *MEMBER_MODEL_TABLES,
        *MEMBER_SCORE_TABLES,
        *(quarantine(table.name) for table in LANDING_TABLES),
        *OPS_TABLES,
    )
