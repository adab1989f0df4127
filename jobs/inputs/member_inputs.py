"""What member features are computed from, as of a date: facts, references, people."""

from datetime import date

import polars as pl
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import MEMBER_FEATURE
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import SPECIAL_CERT
from expectations.landing.inquiry import TRACE_SCAN
from expectations.landing.reference import DRUG, INSTITUTION, PERSON, SPECIAL_DISEASE
from expectations.landing.table import LandingTable
from features.dispensing.features import sales
from features.member.frames import CARE_TYPES, References
from features.member.rows import (
    certificate_rows,
    fee_rows,
    person_rows,
    sale_rows,
    shared_rows,
    visit_rows,
)
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake

_DRUG_COLUMNS = {
    "drug_id": "drug_id",
    "ingredient": "ingredient",
    "atc": "atc_code",
    "category": "category",
    "days_per_box": "days_per_box",
    "ddd_per_box": "ddd_per_box",
    "monthly_max_boxes": "monthly_max_boxes",
    "list_price": "list_price",
    "resale_ratio": "resale_ratio",
    "chronic": "is_chronic",
    "cold_chain": "is_cold_chain",
    "indications": "indications",
    "watch_from": "watch_from",
    "trace_from": "trace_from",
}
_INSTITUTION_COLUMNS = {
    "institution_id": "institution_id",
    "institution_type": "institution_type",
    "visit_cap": "visit_cap_amount",
    "district": "district",
    "latitude": "latitude",
    "longitude": "longitude",
}
_DISEASE_COLUMNS = {"special_disease_code": "special_disease_code", "indications": "indications"}


def member_kinds(lake: Lake, as_of: date) -> dict[str, DataFrame]:
    """The rows that `member_stream` brings together, by kind.

    Raises:
        DataRefused: when the facts have not been built.
    """
    visits = visit_rows(lake.read_as_of(VISIT_FACT, as_of), as_of)
    members = lake.read_as_of_if_exists(PERSON.silver, as_of)
    return {
        "visits": visits,
        "fees": fee_rows(lake.read_as_of(FEE_FACT, as_of), as_of),
        "persons": person_rows(members),
        "certificates": certificate_rows(lake.read_as_of_if_exists(SPECIAL_CERT.silver, as_of)),
        "sales": sale_rows(lake.read_as_of_if_exists(TRACE_SCAN.silver, as_of), as_of),
        "shared": shared_rows(visits, members, as_of),
    }


def dispensed(lake: Lake, as_of: date) -> DataFrame:
    """The drugs dispensed in the year before a day, with who got them.

    Raises:
        DataRefused: when facts, or member features of the day, have not been built.
    """
    return sales(
        lake.read_as_of(FEE_FACT, as_of),
        lake.read_as_of(VISIT_FACT, as_of),
        lake.read_as_of_if_exists(DRUG.silver, as_of),
        lake.read_day(MEMBER_FEATURE, as_of),
        as_of,
    )


def member_references(lake: Lake, as_of: date) -> References:
    """The small tables that features look up; they grow with the catalogue, not with the claims."""
    fees = lake.read_as_of(FEE_FACT, as_of, rows=0)
    care = fees.filter(F.col("item_type").isin(*CARE_TYPES))
    return References(
        drugs=_looked_up(lake, DRUG, _DRUG_COLUMNS, as_of),
        institutions=_looked_up(lake, INSTITUTION, _INSTITUTION_COLUMNS, as_of),
        diseases=_looked_up(lake, SPECIAL_DISEASE, _DISEASE_COLUMNS, as_of),
        is_care_known=not care.isEmpty(),
    )


def _looked_up(
    lake: Lake, table: LandingTable, columns: dict[str, str], as_of: date
) -> pl.DataFrame:
    rows = lake.read_as_of_if_exists(table.silver, as_of).select(
        *(_plain(table, source).alias(name) for name, source in columns.items())
    )
    return to_polars(rows).sort(next(iter(columns)))


def _plain(table: LandingTable, column: str) -> Column:
    """A column for a feature: amounts become doubles here."""
    types = {field.silver: field.type for field in table.fields}
    return F.col(column).cast("double") if types[column].startswith("decimal") else F.col(column)
