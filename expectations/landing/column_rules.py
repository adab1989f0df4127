"""Whether typed columns can hold a row that breaks the contract, seen from the columns. Pure.

What `landing_rows` finds out row by row is settled here at a glance for nearly every Parquet file:
that nothing required is empty, no value outside its list, no text broken, no time implausible. Where that
is not certain, it says so and the rows have to be looked at one by one.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.landing.plausible import Plausible
from expectations.landing.row_rules import NUL, REPLACEMENT
from expectations.landing.table import LandingField, LandingTable
from expectations.landing.written_names import OUTER_BLANKS, SPOILT_MARKS, UNSEEN, fault_pattern

_TYPES = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "double": pa.float64(),
}
_BLANK, _BEYOND_ASCII = 0x20, 0x7F


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
        if not all(_is_sound(piece[column.name], column, table, plausible) for column in present):
            return None
        if table.event_time and _is_ahead(piece, table.event_time, plausible.clock_skew_hours):
            return None
        for name in {column.name for column in present} & set(table.amounts):
            sums[name] += pc.sum(piece[name]).as_py() or Decimal(0)
    return sums


def _is_of_type(found: pa.DataType, column: LandingField) -> bool:
    if pa.types.is_dictionary(found) and column.type == "string":
        found = found.value_type
    if pa.types.is_decimal(found):
        return column.type == f"decimal({found.precision},{found.scale})"
    return bool(_TYPES.get(column.type) == found)


def _is_sound(
    values: pa.ChunkedArray, column: LandingField, table: LandingTable, plausible: Plausible
) -> bool:
    if column.required and values.null_count:
        return False
    if column.type == "double":
        return pc.all(pc.is_finite(values)).as_py() is not False
    if column.type in ("date", "timestamp"):
        return _is_plausible(values, column, plausible)
    if column.type != "string":
        return True
    return all(_is_sound_text(chunk, column, table) for chunk in values.chunks)


def _is_plausible(values: pa.ChunkedArray, column: LandingField, plausible: Plausible) -> bool:
    # Compared in Arrow: Python has no dates beyond the years 1 to 9999, a file may.
    first, last = (pa.scalar(limit, values.type) for limit in plausible.limits(column))
    found = pc.min_max(values)
    is_within = pc.and_(pc.greater_equal(found["min"], first), pc.less_equal(found["max"], last))
    return is_within.as_py() is not False


def _is_sound_text(values: pa.Array, column: LandingField, table: LandingTable) -> bool:
    # A dictionary may hold values that no row has: in doubt the answer is no.
    texts = values.dictionary if pa.types.is_dictionary(values.type) else values
    try:
        # Bytes that a writer took for text without looking whether they are UTF-8.
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    if column.required and pc.any(pc.equal(texts, "")).as_py():
        return False
    if _may_be_odd(texts, column.name, table):
        return False
    if not column.values:
        return True
    allowed = pa.array([*column.values, "", None], pa.string())
    return pc.all(pc.is_in(texts, allowed)).as_py() is not False


def _may_be_odd(texts: pa.StringArray, name: str, table: LandingTable) -> bool:
    """Whether some text may hold what has to be looked at by row.

    The bytes of all texts are looked at as one first: in nearly every column of names they are plain letters and
    digits, which is told far faster than text by text.
    """
    _, ends, content = texts.buffers()
    if not len(texts) or content is None:
        return False
    first, last = np.frombuffer(ends, np.int32)[[texts.offset, texts.offset + len(texts)]].tolist()
    if first == last:
        return False
    letters = np.frombuffer(content, np.uint8)[first:last]
    whole = letters.tobytes()
    is_plain = letters.min() > _BLANK and letters.max() < _BEYOND_ASCII
    if not is_plain:
        if REPLACEMENT.encode() in whole or NUL.encode() in whole:
            return True
        if _has(texts, OUTER_BLANKS) or (name in table.id_columns and _has(texts, UNSEEN)):
            return True
    if name not in table.id_columns or not any(mark.encode() in whole for mark in SPOILT_MARKS):
        return False
    return _has(texts, fault_pattern(is_whole=name in table.whole_id_columns))


def _has(texts: pa.StringArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _is_ahead(piece: pa.Table, event_time: str, clock_skew_hours: int) -> bool:
    latest = pc.add(piece["arrive_time"], pa.scalar(timedelta(hours=clock_skew_hours)))
    return bool(pc.any(pc.greater(piece[event_time], latest)).as_py())
