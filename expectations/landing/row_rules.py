"""How landed text becomes typed values, and why a row cannot be accepted. Pure: frame in, frame out."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, StringType, StructType

from expectations.landing.headers import Header
from expectations.landing.plausible import Plausible
from expectations.landing.reasons import REASONS, WRONG_FIELD_COUNT, RowReason, no_reasons
from expectations.landing.table import LandingField, LandingTable
from expectations.landing.value_rules import (
    NUL,
    VALUE_RULES,
    Cell,
    ahead_of_arrival,
    is_ahead_of_arrival,
)
from expectations.landing.written_names import bare_text

#: Added by the reader: the text of a record with the wrong number of fields.
MALFORMED = "_malformed_record"

_TOLD_AT_MOST = 20
_TIMESTAMP = "yyyy-MM-dd HH:mm:ss"
_DATE = "yyyy-MM-dd"
#: Of the numbers that Spark reads those that people write: no 0x1p3 and no 1.5d.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_MOST_PRECISE = "decimal(38,18)"

#: A whole number may come as any of them: databases have but one kind, pandas makes doubles where one is empty.
_NUMBERS = frozenset({"byte", "short", "integer", "long", "decimal", "double", "float"})
_READABLE_AS = {
    "string": {"string", "integer", "long", "short", "byte", "boolean", "date"},
    "timestamp": {"string", "timestamp", "timestamp_ntz", "date"},
    "date": {"string", "date", "timestamp", "timestamp_ntz"},
    "boolean": {"string", "boolean", *_NUMBERS},
    "integer": {"string", *_NUMBERS},
    "double": {"string", *_NUMBERS},
    "decimal": {"string", *_NUMBERS},
}


def unusable_columns(raw: StructType, table: LandingTable) -> list[str]:
    """Sentences for required columns that are missing and columns of a hopeless type."""
    faults = []
    for column in table.fields:
        if column.name not in raw.names:
            if column.required:
                faults.append(f"column {column.name} is missing, and it is required")
        elif not _is_readable(raw[column.name].dataType, column):
            found = raw[column.name].dataType.simpleString()
            faults.append(
                f"column {column.name} is {found}, which can't be {column.type} throughout"
            )
    return faults


def _is_readable(found: DataType, column: LandingField) -> bool:
    kind = _kind(column)
    # Whole numbers beyond a long, as an unsigned one may be.
    if kind == "string" and isinstance(found, DecimalType):
        return found.scale == 0
    return found.typeName() in _READABLE_AS[kind]


def tolerated_columns(header: Header, table: LandingTable) -> list[str]:
    """Warnings for columns that are left out, and for optional ones that are missing."""
    more = len(header.unknown) - _TOLD_AT_MOST
    return [
        *(
            f"column {name} is not in the contract and was left out"
            for name in header.unknown[:_TOLD_AT_MOST]
        ),
        *([f"{more} more columns are not in the contract and were left out"] if more > 0 else []),
        *(
            f"column {column.name} is missing and was taken as empty"
            for column in table.fields
            if column.name not in header.columns and not column.required
        ),
    ]


def sound_rows(raw: DataFrame, table: LandingTable) -> DataFrame:
    """Landed rows of which it is known that they are of the contract's types and break none of its rules.

    Args:
        raw: the landing columns in the types of the contract, and other columns, which stay.
        table: the landing table.
    """
    others = [F.col(name) for name in raw.columns if name not in table.columns]
    return raw.select(*others, *(_sound_value(raw, column) for column in table.fields))


def _sound_value(raw: DataFrame, column: LandingField) -> Column:
    if column.name not in raw.columns:
        return _absent(column)
    if column.required:
        return F.col(column.name)
    found = F.col(column.name)
    return _value(found, raw.schema[column.name].dataType, column, is_bare=True).alias(column.name)


def _absent(column: LandingField) -> Column:
    return F.lit(None).cast(column.type).alias(column.name)


def typed_rows(
    raw: DataFrame, table: LandingTable, plausible: Plausible, *, is_bare: bool = False
) -> DataFrame:
    """Give each landed row its typed columns, its `reasons` and its `unreadable` columns.

    Args:
        raw: the landing columns, text or typed as the file has them, and other columns, which stay;
            a text column named `MALFORMED` marks records of the wrong shape.
        table: the landing table.
        plausible: which times are.
        is_bare: whether it is known that no text has blanks around it or a letter that does not show.

    Returns:
        The other columns of `raw`; `landed`, a struct of the landing columns as they came; the landing
        columns typed; `reasons` (of `expectations.landing.reasons`, empty for a good row); `unreadable`,
        the columns whose text was there and could not be read, or `MALFORMED` alone.
    """
    present = [column for column in table.fields if column.name in raw.columns]
    others = [F.col(name) for name in raw.columns if name not in table.columns]
    landed = F.struct(*(F.col(column.name) for column in present)).alias("landed")
    malformed = F.col(MALFORMED).isNotNull() if MALFORMED in raw.columns else F.lit(False)
    values = [
        F.when(
            ~malformed,
            _value(F.col(column.name), raw.schema[column.name].dataType, column, is_bare=is_bare),
        ).alias(column.name)
        for column in present
    ]
    absent = [_absent(column) for column in table.fields if column.name not in raw.columns]
    typed = raw.select(*others, landed, *values, *absent)
    faults = [
        _fault(table, column, raw.schema[column.name].dataType, plausible, is_bare=is_bare)
        for column in present
    ]
    if table.event_time:
        faults.append(F.when(is_ahead_of_arrival(table, plausible), ahead_of_arrival(table)))
    shape = F.array(RowReason(WRONG_FIELD_COUNT, "record").literal)
    unreadable = [
        F.when(
            _is_there(column, raw.schema[column.name].dataType) & F.col(column.name).isNull(),
            F.lit(column.name),
        )
        for column in present
        if not _is_typed(raw.schema[column.name].dataType, column)
    ]
    return typed.withColumns(
        {
            "reasons": F.when(malformed, shape).otherwise(_all_that_apply(faults, no_reasons())),
            "unreadable": F.when(malformed, F.array(F.lit(MALFORMED))).otherwise(
                _all_that_apply(unreadable, F.array().cast("array<string>"))
            ),
        }
    )


def _kind(column: LandingField) -> str:
    return "decimal" if column.type.startswith("decimal") else column.type


def _is_typed(type_found: DataType, column: LandingField) -> bool:
    """Whether every value of a file's column can be read because it is of the contract's type.

    A text may be empty and a double no number, so these two are looked at.
    """
    if column.type in ("string", "double"):
        return False
    return type_found.json() == f'"{column.type}"'


def _all_that_apply(faults: list[Column], none: Column) -> Column:
    """The faults that are not null; nearly every row has none, and makes no array for it."""
    if not faults:
        return none
    is_any = F.coalesce(*faults).isNotNull()
    return F.when(is_any, F.array_compact(F.array(*faults))).otherwise(none)


def _value(found: Column, type_found: DataType, column: LandingField, *, is_bare: bool) -> Column:
    """The typed value, or null when there is none or it cannot be read exactly."""
    if isinstance(type_found, StringType):
        return _value_of_text(bare_text(found, is_bare=is_bare), column)
    if _is_typed(type_found, column):
        return found
    kind = _kind(column)
    if kind == "decimal" and type_found.typeName() in ("double", "float"):
        return _nearest_decimal(found, column.type)
    if kind in ("decimal", "integer"):
        return _exact(found, type_found, column.type)
    if kind == "date":
        day = found.cast("date")
        return F.when(day.cast("timestamp") == found.cast("timestamp"), day)
    if kind == "double":
        return _finite(found.cast("double"))
    if kind == "timestamp":
        # A day beyond the years 1 to 9999 may be none of Spark's times.
        return F.when(F.year(found).between(1, 9999), found.cast("timestamp"))
    if kind == "boolean":
        number = _exact(found, type_found, "integer")
        return F.when(number == 1, F.lit(True)).when(number == 0, F.lit(False))
    return found.cast(column.type)


def _value_of_text(text: Column, column: LandingField) -> Column:
    kind = _kind(column)
    if kind == "string":
        return text
    # Spark takes control characters around a number for blanks.
    text = F.when(~text.contains(NUL), text)
    if kind == "timestamp":
        return F.try_to_timestamp(text, F.lit(_TIMESTAMP))
    if kind == "date":
        return F.try_to_date(text, _DATE)
    if kind == "boolean":
        return F.when(F.lower(text) == "true", True).when(F.lower(text) == "false", False)
    if kind == "integer":
        return F.when(text.rlike(r"^[+-]?\d+$"), text.try_cast("integer"))
    if kind == "double":
        return F.when(text.rlike(_NUMBER), _finite(text.try_cast("double")))
    exact = text.try_cast(_MOST_PRECISE)
    rounded = exact.try_cast(column.type)
    return F.when(exact == rounded, rounded)


def _finite(number: Column) -> Column:
    return F.when(~F.isnan(number) & (F.abs(number) != float("inf")), number)


def _exact(found: Column, type_found: DataType, wanted: str) -> Column:
    """A number in another type if it is the same number there."""
    number = found.try_cast(wanted)
    return F.when(number.try_cast(type_found) == found, number)


def _nearest_decimal(found: Column, wanted: str) -> Column:
    """A binary number as decimal, if it differs by its own rounding only."""
    rounded = found.try_cast(wanted)
    return F.when(F.abs(rounded.cast("double") - found.cast("double")) < 1e-6, rounded)


def _is_there(column: LandingField, type_found: DataType) -> Column:
    """Whether the file has a value; an empty text is none, nor is one of blanks."""
    landed = F.col(f"landed.{column.name}")
    if not isinstance(type_found, StringType):
        return landed.isNotNull()
    if column.type == "string":
        return F.lit(False)
    return bare_text(landed, is_bare=False).isNotNull()


def _fault(
    table: LandingTable,
    column: LandingField,
    type_found: DataType,
    plausible: Plausible,
    *,
    is_bare: bool,
) -> Column:
    """The reason that one column gives against its row, or null."""
    is_there = F.lit(False)
    if not _is_typed(type_found, column):
        is_there = _is_there(column, type_found)
    cell = Cell(column, F.col(column.name), is_there, plausible, is_bare)
    fault = F.when(F.lit(False), F.lit(None).cast(REASONS.elementType))
    for rule in VALUE_RULES:
        if rule.concerns(table, column):
            fault = fault.when(rule.is_broken(cell), rule.reason(cell))
    return fault
