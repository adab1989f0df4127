"""Whether typed columns can hold a row that breaks the contract, seen from the columns. Pure.

What `row_rules` finds out row by row is settled here at a glance for nearly every Parquet file. Where that is
not certain, it says so and the rows have to be looked at one by one.
"""

from collections.abc import Iterable
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from expectations.landing.plausible import Plausible
from expectations.landing.table import LandingField, LandingTable
from expectations.landing.value_rules import (
    VALUE_RULES,
    Values,
    may_be_ahead_of_arrival,
    may_have_outer_blanks,
)

_TYPES = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "double": pa.float64(),
}


def has_contract_types(schema: pa.Schema, table: LandingTable) -> bool:
    """Whether every column of the contract that is there has its very type, and the required ones are."""
    if len(set(schema.names)) < len(schema.names):
        return False
    return all(
        _is_of_type(schema.field(column.name).type, column)
        if column.name in schema.names
        else not column.required
        for column in table.fields
    )


def sound_sums(
    pieces: Iterable[pa.Table], table: LandingTable, plausible: Plausible
) -> dict[str, Decimal] | None:
    """The sum of each amount if no row breaks the contract, else (or if in doubt) None.

    Args:
        pieces: the rows in the types of the contract (`has_contract_types`), piece by piece.
        table: the landing table.
        plausible: which times are.
    """
    sums = dict.fromkeys(table.amounts, Decimal(0))
    for piece in pieces:
        present = [column for column in table.fields if column.name in piece.column_names]
        for column in present:
            values = Values(column, piece[column.name], plausible)
            if any(
                rule.may_be_broken(values) for rule in VALUE_RULES if rule.concerns(table, column)
            ):
                return None
            # Blanks around a text break no rule, but are no part of it.
            if column.type == "string" and may_have_outer_blanks(values):
                return None
        if table.event_time and may_be_ahead_of_arrival(piece, table, plausible):
            return None
        for name in {column.name for column in present} & set(table.amounts):
            amounts = piece[name]
            if not pa.types.is_decimal128(amounts.type):
                # Arrow adds up none of 32 or 64 bits.
                kind = amounts.type
                amounts = amounts.cast(pa.decimal128(kind.precision, kind.scale))
            sums[name] += pc.sum(amounts).as_py() or Decimal(0)
    return sums


def _is_of_type(found: pa.DataType, column: LandingField) -> bool:
    if pa.types.is_dictionary(found) and column.type == "string":
        found = found.value_type
    if pa.types.is_decimal(found):
        return column.type == f"decimal({found.precision},{found.scale})"
    return bool(_TYPES.get(column.type) == found)
