"""The rules that every landed row keeps, each once: row by row in Spark, and for whole columns in Arrow. Pure.

Spark gives every row its reasons. Arrow settles for nearly every Parquet file at a glance that no row breaks a
rule; where that is not certain, it says so, and Spark looks at the rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.landing.plausible import Plausible
from expectations.landing.reasons import (
    AFTER_ARRIVAL,
    DECIMAL_ID,
    IMPLAUSIBLE_YEAR,
    NOT_LISTED,
    NOT_UTF8,
    NUL_CHARACTER,
    QUOTATION_MARK,
    REQUIRED,
    SHORTENED_NUMBER,
    SPREADSHEET_TEXT,
    UNREADABLE,
    UNSEEN_LETTER,
    RowReason,
)
from expectations.landing.table import ARRIVE_TIME, LandingField, LandingTable
from expectations.landing.written_names import (
    OF_SPREADSHEET,
    OUTER_BLANKS,
    QUOTED,
    SHORTENED,
    UNSEEN,
    WITH_DECIMALS,
)

#: What a reader puts in place of bytes that are not UTF-8.
_REPLACEMENT = "\ufffd"
#: No text of the contract has one; many programs take it for the end of the text.
NUL = "\0"
#: One of these is in every match of a pattern, and hardly in other names: most are told without the pattern.
_MARKS = {
    SHORTENED: "+.,",
    OF_SPREADSHEET: "=#'",
    QUOTED: '"\u201c\u201d\uff02',
    WITH_DECIMALS: ".",
}
_BLANK, _DELETE = 0x20, 0x7F


@dataclass(frozen=True)
class Cell:
    """A column as Spark sees it in a row.

    Args:
        column: as the contract has it.
        value: in the type of the contract; null if the row has none that can be read.
        is_there: whether the row has one.
        plausible: which times are.
        is_bare: whether it is known that no letter of a text does not show.
    """

    column: LandingField
    value: Column
    is_there: Column
    plausible: Plausible
    is_bare: bool


@dataclass(frozen=True)
class Values:
    """A column of a file as Arrow sees it, in the type of the contract.

    Args:
        column: as the contract has it.
        found: the values.
        plausible: which times are.
    """

    column: LandingField
    found: pa.ChunkedArray
    plausible: Plausible

    @cached_property
    def texts(self) -> list[pa.Array]:
        """The texts of a column. A dictionary may hold some that no row has: in doubt they count."""
        return [
            chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
            for chunk in self.found.chunks
        ]

    @cached_property
    def whole(self) -> bytes:
        """The texts taken as one, in which something is found faster than text by text."""
        return b"".join(map(_bytes_of, self.texts))

    @cached_property
    def is_plain(self) -> bool:
        """Whether there are only letters, digits and signs of ASCII: in nearly every column of names."""
        letters = np.frombuffer(self.whole, np.uint8)
        return not len(letters) or bool(letters.min() > _BLANK and letters.max() < _DELETE)

    def match(self, pattern: str) -> bool:
        """Whether some text holds what a pattern says."""
        return any(_is_any(pc.match_substring_regex(each, pattern)) for each in self.texts)


@dataclass(frozen=True)
class ValueRule:
    """A rule for the values of one column.

    Args:
        code: of the reason against a row that breaks it.
        concerns: whether it holds for a column of a table.
        is_broken: in Spark, whether the row breaks it; null counts as no.
        may_be_broken: in Arrow, whether some value in the column of a file may.
        parameters: of the reason.
    """

    code: str
    concerns: Callable[[LandingTable, LandingField], bool]
    is_broken: Callable[[Cell], Column]
    may_be_broken: Callable[[Values], bool]
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


def _is_text(table: LandingTable, column: LandingField) -> bool:
    return column.type == "string"


def _is_not_finite(values: Values) -> bool:
    is_double = values.column.type == "double"
    return is_double and pc.all(pc.is_finite(values.found)).as_py() is False


def _is_any_empty(values: Values) -> bool:
    if values.found.null_count:
        return True
    is_text = values.column.type == "string"
    return is_text and any(_is_any(pc.equal(each, "")) for each in values.texts)


def _is_implausible(column: LandingField, value: Column, plausible: Plausible) -> Column:
    first, last = (F.lit(str(limit)).cast(column.type) for limit in plausible.limits(column))
    return ~value.between(first, last)


def _is_any_implausible(values: Values) -> bool:
    # Compared in Arrow: Python has no dates beyond the years 1 to 9999, a file may.
    limits = values.plausible.limits(values.column)
    first, last = (pa.scalar(limit, values.found.type) for limit in limits)
    found = pc.min_max(values.found)
    is_within = pc.and_(pc.greater_equal(found["min"], first), pc.less_equal(found["max"], last))
    return is_within.as_py() is False


def _years(column: LandingField, plausible: Plausible) -> Mapping[str, str]:
    return dict(zip(("first", "last"), map(str, plausible.years(column)), strict=True))


def _is_any_not_utf8(values: Values) -> bool:
    for texts in values.texts:
        try:
            # Bytes that a writer took for text without looking whether they are UTF-8.
            texts.validate(full=True)
        except pa.ArrowInvalid:
            return True
    return _REPLACEMENT.encode() in values.whole


def _bytes_of(texts: pa.StringArray) -> bytes:
    _, ends, content = texts.buffers()
    if not len(texts) or content is None:
        return b""
    first, last = np.frombuffer(ends, np.int32)[[texts.offset, texts.offset + len(texts)]].tolist()
    return bytes(content.slice(first, last - first).to_pybytes())


def may_have_outer_blanks(values: Values) -> bool:
    """In Arrow, whether some text may have blanks around it, which are no part of it."""
    return not values.is_plain and values.match(OUTER_BLANKS)


def _has_unseen(cell: Cell) -> Column:
    return F.lit(False) if cell.is_bare else cell.value.rlike(UNSEEN)


def _may_have_unseen(values: Values) -> bool:
    return not values.is_plain and values.match(UNSEEN)


def _is_written(pattern: str) -> Callable[[Cell], Column]:
    """In Spark, whether a text is written as a pattern has it."""

    def is_broken(cell: Cell) -> Column:
        may_be = reduce(Column.__or__, (cell.value.contains(mark) for mark in _MARKS[pattern]))
        return may_be & cell.value.rlike(pattern)

    return is_broken


def _may_be_written(pattern: str) -> Callable[[Values], bool]:
    """The same in Arrow."""

    def may_be_broken(values: Values) -> bool:
        is_marked = any(mark.encode() in values.whole for mark in _MARKS[pattern])
        return is_marked and values.match(pattern)

    return may_be_broken


def _is_id(table: LandingTable, column: LandingField) -> bool:
    return column.name in table.id_columns


def _is_whole_id(table: LandingTable, column: LandingField) -> bool:
    return column.name in table.whole_id_columns


def _is_any_unlisted(values: Values) -> bool:
    allowed = pa.array([*values.column.values, "", None], pa.string())
    return any(pc.all(pc.is_in(texts, allowed)).as_py() is False for texts in values.texts)


#: In the order in which a column says what is wrong with a row; only the first counts.
VALUE_RULES = (
    ValueRule(
        UNREADABLE,
        lambda table, column: True,
        lambda cell: cell.value.isNull() & cell.is_there,
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
        lambda values: NUL.encode() in values.whole,
    ),
    ValueRule(UNSEEN_LETTER, _is_id, _has_unseen, _may_have_unseen),
    ValueRule(SHORTENED_NUMBER, _is_id, _is_written(SHORTENED), _may_be_written(SHORTENED)),
    ValueRule(
        SPREADSHEET_TEXT, _is_id, _is_written(OF_SPREADSHEET), _may_be_written(OF_SPREADSHEET)
    ),
    ValueRule(QUOTATION_MARK, _is_id, _is_written(QUOTED), _may_be_written(QUOTED)),
    ValueRule(DECIMAL_ID, _is_whole_id, _is_written(WITH_DECIMALS), _may_be_written(WITH_DECIMALS)),
    ValueRule(
        NOT_LISTED,
        lambda table, column: bool(column.values),
        lambda cell: ~cell.value.isin(*cell.column.values),
        _is_any_unlisted,
        lambda column, _: {"values": ", ".join(column.values)},
    ),
)
