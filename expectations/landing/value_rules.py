"""The rules that every landed row keeps, each once: row by row in Spark, and for whole columns in Arrow. Pure.

Spark gives every row its reasons. Arrow settles for nearly every Parquet file at a glance that no row breaks a
rule; where that is not certain, it says so, and Spark looks at the rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.landing.plausible import Plausible
from expectations.landing.reasons import (
    AFTER_ARRIVAL,
    IMPLAUSIBLE_YEAR,
    NOT_LISTED,
    NOT_UTF8,
    NUL_CHARACTER,
    REQUIRED,
    SHORTENED_NUMBER,
    UNREADABLE,
    RowReason,
)
from expectations.landing.table import ARRIVE_TIME, LandingField, LandingTable

#: What a reader puts in place of bytes that are not UTF-8.
_REPLACEMENT = "\ufffd"
#: No text of the contract has one; many programs take it for the end of the text.
NUL = "\0"
#: In a number as a spreadsheet shortens it, and the whole of it.
_SHORTENED = "E+"
_SHORTENED_NUMBER = r"^-?[0-9]([.,][0-9]+)?E\+[0-9]+$"


@dataclass(frozen=True)
class Cell:
    """A column as Spark sees it in a row.

    Args:
        column: as the contract has it.
        value: in the type of the contract; null if the row has none that can be read.
        is_there: whether the row has one.
        plausible: which times are.
    """

    column: LandingField
    value: Column
    is_there: Column
    plausible: Plausible


@dataclass(frozen=True)
class ValueRule:
    """A rule for the values of one column.

    Args:
        code: of the reason against a row that breaks it.
        concerns: whether it holds for a column of a table.
        is_broken: in Spark, whether the row breaks it; null counts as no.
        may_be_broken: in Arrow, whether some value in the column of a file may. The values have the type of
            the contract.
        parameters: of the reason.
    """

    code: str
    concerns: Callable[[LandingTable, LandingField], bool]
    is_broken: Callable[[Cell], Column]
    may_be_broken: Callable[[pa.ChunkedArray, LandingField, Plausible], bool]
    parameters: Callable[[LandingField, Plausible], Mapping[str, str]] = lambda *_: {}

    def reason(self, cell: Cell) -> Column:
        """The reason against a row that breaks it."""
        parameters = self.parameters(cell.column, cell.plausible)
        return RowReason(self.code, cell.column.name, parameters).literal


def is_ahead_of_arrival(table: LandingTable, plausible: Plausible) -> Column:
    """In Spark, whether the event of a row lies after its arrival by more than clocks differ."""
    # Only of plausible arrivals: hours after the last of Spark's times would be an error.
    is_plausible = ~_is_implausible(ARRIVE_TIME, F.col(ARRIVE_TIME.name), plausible)
    arrived = F.when(is_plausible, F.col(ARRIVE_TIME.name))
    latest = arrived + F.expr(f"interval {plausible.clock_skew_hours} hours")
    return F.col(table.event_time) > latest


def may_be_ahead_of_arrival(piece: pa.Table, table: LandingTable, plausible: Plausible) -> bool:
    """The same in Arrow, for rows with plausible arrivals."""
    skew = pa.scalar(timedelta(hours=plausible.clock_skew_hours))
    latest = pc.add(piece[ARRIVE_TIME.name], skew)
    return _is_any(pc.greater(piece[table.event_time], latest))


def ahead_of_arrival(table: LandingTable) -> Column:
    """The reason against a row whose event lies after its arrival."""
    return RowReason(AFTER_ARRIVAL, table.event_time).literal


def _is_any(found: Any) -> bool:
    return bool(pc.any(found).as_py())


def _texts(values: pa.ChunkedArray) -> Iterator[pa.Array]:
    """The texts of a column. A dictionary may hold some that no row has: in doubt they count."""
    for chunk in values.chunks:
        yield chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk


def _is_text(table: LandingTable, column: LandingField) -> bool:
    return column.type == "string"


def _is_not_finite(values: pa.ChunkedArray, column: LandingField, _: Plausible) -> bool:
    return column.type == "double" and pc.all(pc.is_finite(values)).as_py() is False


def _is_any_empty(values: pa.ChunkedArray, column: LandingField, _: Plausible) -> bool:
    if values.null_count:
        return True
    return column.type == "string" and any(_is_any(pc.equal(each, "")) for each in _texts(values))


def _is_implausible(column: LandingField, value: Column, plausible: Plausible) -> Column:
    first, last = (F.lit(str(limit)).cast(column.type) for limit in plausible.limits(column))
    return ~value.between(first, last)


def _is_any_implausible(
    values: pa.ChunkedArray, column: LandingField, plausible: Plausible
) -> bool:
    # Compared in Arrow: Python has no dates beyond the years 1 to 9999, a file may.
    first, last = (pa.scalar(limit, values.type) for limit in plausible.limits(column))
    found = pc.min_max(values)
    is_within = pc.and_(pc.greater_equal(found["min"], first), pc.less_equal(found["max"], last))
    return is_within.as_py() is False


def _years(column: LandingField, plausible: Plausible) -> Mapping[str, str]:
    return dict(zip(("first", "last"), map(str, plausible.years(column)), strict=True))


def _is_any_not_utf8(values: pa.ChunkedArray, *_: object) -> bool:
    for texts in _texts(values):
        try:
            # Bytes that a writer took for text without looking whether they are UTF-8.
            texts.validate(full=True)
        except pa.ArrowInvalid:
            return True
    return _is_in_any(values, _REPLACEMENT)


def _is_in_any(values: pa.ChunkedArray, mark: str) -> bool:
    return any(_holds(texts, mark.encode()) for texts in _texts(values))


def _holds(texts: pa.StringArray, mark: bytes) -> bool:
    """Whether some bytes are anywhere in the texts, taken as one, which is faster than text by text."""
    _, ends, content = texts.buffers()
    if not len(texts) or content is None:
        return False
    first, last = np.frombuffer(ends, np.int32)[[texts.offset, texts.offset + len(texts)]].tolist()
    return mark in content.slice(first, last - first).to_pybytes()


def _is_shortened(cell: Cell) -> Column:
    upper = F.upper(cell.value)
    # Looked at in the order of cost: nearly no identifier has a plus.
    may_be = cell.value.contains("+") & upper.contains(_SHORTENED)
    return may_be & upper.rlike(_SHORTENED_NUMBER)


def _may_be_shortened(values: pa.ChunkedArray, *_: object) -> bool:
    return any(
        _is_any(pc.match_substring(texts, _SHORTENED, ignore_case=True)) for texts in _texts(values)
    )


def _is_any_unlisted(values: pa.ChunkedArray, column: LandingField, _: Plausible) -> bool:
    allowed = pa.array([*column.values, "", None], pa.string())
    return any(pc.all(pc.is_in(texts, allowed)).as_py() is False for texts in _texts(values))


#: In the order in which a column says what is wrong with a row; only the first counts.
VALUE_RULES = (
    ValueRule(
        UNREADABLE,
        lambda table, column: True,
        lambda cell: cell.is_there & cell.value.isNull(),
        # Values of the contract's types can be read, but for numbers that are none.
        _is_not_finite,
        lambda column, _: {"type": column.type},
    ),
    ValueRule(
        REQUIRED,
        lambda table, column: column.required,
        lambda cell: cell.value.isNull(),
        _is_any_empty,
    ),
    ValueRule(
        IMPLAUSIBLE_YEAR,
        lambda table, column: column.type in ("date", "timestamp"),
        lambda cell: _is_implausible(cell.column, cell.value, cell.plausible),
        _is_any_implausible,
        _years,
    ),
    ValueRule(
        NOT_UTF8,
        _is_text,
        lambda cell: cell.value.contains(_REPLACEMENT) | ~F.is_valid_utf8(cell.value),
        _is_any_not_utf8,
    ),
    ValueRule(
        NUL_CHARACTER,
        _is_text,
        lambda cell: cell.value.contains(NUL),
        lambda values, *_: _is_in_any(values, NUL),
    ),
    ValueRule(
        SHORTENED_NUMBER,
        lambda table, column: _is_text(table, column) and column.name in table.identifiers,
        _is_shortened,
        _may_be_shortened,
    ),
    ValueRule(
        NOT_LISTED,
        lambda table, column: bool(column.values),
        lambda cell: ~cell.value.isin(*cell.column.values),
        _is_any_unlisted,
        lambda column, _: {"values": ", ".join(column.values)},
    ),
)
