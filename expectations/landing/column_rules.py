"""Whether typed columns can hold a row that breaks the contract, seen from the columns. Pure.

What `landing_rows` finds out row by row is settled here at a glance for nearly every Parquet file:
that nothing required is empty, no value outside its list, no text broken, no time implausible. Where that
is not certain, it says so and the rows have to be looked at one by one.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.landing.plausible import Plausible
from expectations.landing.row_rules import NUL, REPLACEMENT, SHORTENED
from expectations.landing.table import LandingField, LandingTable

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
    identifiers = [
        column.name
        for column in table.fields
        if column.name in table.identifiers and column.type == "string"
    ]
    for piece in pieces:
        present = [column for column in table.fields if column.name in piece.column_names]
        if not all(_is_sound(piece[column.name], column, plausible) for column in present):
            return None
        if any(
            _may_be_shortened(piece[name]) for name in identifiers if name in piece.column_names
        ):
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


def _is_sound(values: pa.ChunkedArray, column: LandingField, plausible: Plausible) -> bool:
    if column.required and values.null_count:
        return False
    if column.type == "double":
        return pc.all(pc.is_finite(values)).as_py() is not False
    if column.type in ("date", "timestamp"):
        return _is_plausible(values, column, plausible)
    if column.type != "string":
        return True
    return all(_is_sound_text(chunk, column) for chunk in values.chunks)


def _is_plausible(values: pa.ChunkedArray, column: LandingField, plausible: Plausible) -> bool:
    # Compared in Arrow: Python has no dates beyond the years 1 to 9999, a file may.
    first, last = (pa.scalar(limit, values.type) for limit in plausible.limits(column))
    found = pc.min_max(values)
    is_within = pc.and_(pc.greater_equal(found["min"], first), pc.less_equal(found["max"], last))
    return is_within.as_py() is not False


def _is_sound_text(values: pa.Array, column: LandingField) -> bool:
    # A dictionary may hold values that no row has: in doubt the answer is no.
    texts = values.dictionary if pa.types.is_dictionary(values.type) else values
    try:
        # Bytes that a writer took for text without looking whether they are UTF-8.
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    if column.required and pc.any(pc.equal(texts, "")).as_py():
        return False
    if _holds_any(texts, (REPLACEMENT.encode(), NUL.encode())):
        return False
    if not column.values:
        return True
    allowed = pa.array([*column.values, "", None], pa.string())
    return pc.all(pc.is_in(texts, allowed)).as_py() is not False


def _holds_any(texts: pa.StringArray, marks: Sequence[bytes]) -> bool:
    """Whether some bytes are anywhere in the texts, taken as one, which is faster than text by text."""
    _, ends, content = texts.buffers()
    if not len(texts) or content is None:
        return False
    first, last = np.frombuffer(ends, np.int32)[[texts.offset, texts.offset + len(texts)]].tolist()
    whole = content.slice(first, last - first).to_pybytes()
    return any(mark in whole for mark in marks)


def _may_be_shortened(values: pa.ChunkedArray) -> bool:
    """Whether an identifier may be a number that a spreadsheet shortened."""
    chunks = (
        chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk for chunk in values.chunks
    )
    return any(
        pc.any(pc.match_substring(chunk, SHORTENED, ignore_case=True)).as_py() for chunk in chunks
    )


def _is_ahead(piece: pa.Table, event_time: str, clock_skew_hours: int) -> bool:
    latest = pc.add(piece["arrive_time"], pa.scalar(timedelta(hours=clock_skew_hours)))
    return bool(pc.any(pc.greater(piece[event_time], latest)).as_py())
