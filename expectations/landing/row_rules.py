"""How landed text becomes typed values, and why a row cannot be accepted. Pure: frame in, frame out."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, StringType, StructType

from expectations.landing.headers import Header
from expectations.landing.plausible import Plausible
from expectations.landing.table import ARRIVE_TIME, LandingField, LandingTable
from expectations.landing.written_names import bare_text, name_fault

#: Added by the reader: the text of a record with the wrong number of fields.
MALFORMED = "_malformed_record"
#: And the reason that such a record is given.
MALFORMED_RECORD = "record: does not have as many fields as the header"

_TOLD_AT_MOST = 20
_TIMESTAMP = "yyyy-MM-dd HH:mm:ss"
_DATE = "yyyy-MM-dd"
#: Of the numbers that Spark reads those that people write: no 0x1p3 and no 1.5d.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_MOST_PRECISE = "decimal(38,18)"
#: What a reader puts in place of bytes that are not UTF-8.
REPLACEMENT = "\ufffd"
#: No text of the contract has one; many programs take it for the end of the text.
NUL = "\0"

_READABLE_AS = {
    "string": {"string", "integer", "long", "short", "byte", "boolean", "date"},
    "timestamp": {"string", "timestamp", "timestamp_ntz", "date"},
    "date": {"string", "date", "timestamp", "timestamp_ntz"},
    "boolean": {"string", "boolean", "byte", "short", "integer", "long"},
    "integer": {"string", "byte", "short", "integer", "long"},
    "double": {"string", "double", "float", "integer", "long", "decimal"},
    "decimal": {"string", "decimal", "byte", "short", "integer", "long", "double", "float"},
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
        columns typed; `reasons` (empty for a good row; names fields, never values); `unreadable`, the
        columns whose text was there and could not be read, or `MALFORMED` alone.
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
        _fault(
            column,
            raw.schema[column.name].dataType,
            plausible,
            is_name=column.name in table.id_columns,
            is_whole=column.name in table.whole_id_columns,
            is_bare=is_bare,
        )
        for column in present
    ]
    if table.event_time:
        faults.append(_ahead_of_arrival(table, plausible))
    shape = F.array(F.lit(MALFORMED_RECORD))
    unreadable = [
        F.when(_is_unreadable(column, raw.schema[column.name].dataType), F.lit(column.name))
        for column in present
        if not _is_typed(raw.schema[column.name].dataType, column)
    ]
    return typed.withColumns(
        {
            "reasons": F.when(malformed, shape).otherwise(_all_that_apply(faults)),
            "unreadable": F.when(malformed, F.array(F.lit(MALFORMED))).otherwise(
                _all_that_apply(unreadable)
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


def _all_that_apply(sentences: list[Column]) -> Column:
    """The sentences that are not null; nearly every row has none, and makes no array for it."""
    none = F.array().cast("array<string>")
    if not sentences:
        return none
    is_any = F.coalesce(*sentences).isNotNull()
    return F.when(is_any, F.array_compact(F.array(*sentences))).otherwise(none)


def _value(found: Column, type_found: DataType, column: LandingField, *, is_bare: bool) -> Column:
    """The typed value, or null when there is none or it cannot be read exactly."""
    if isinstance(type_found, StringType):
        return _value_of_text(bare_text(found, is_bare=is_bare), column)
    if _is_typed(type_found, column):
        return found
    kind = _kind(column)
    if kind == "decimal":
        return _exact_decimal(found, type_found, column.type)
    if kind == "date":
        day = found.cast("date")
        return F.when(day.cast("timestamp") == found.cast("timestamp"), day)
    if kind == "double":
        return _finite(found.cast("double"))
    if kind == "integer":
        return found.try_cast("integer")
    if kind == "timestamp":
        # A day beyond the years 1 to 9999 may be none of Spark's times.
        return F.when(F.year(found).between(1, 9999), found.cast("timestamp"))
    if kind == "boolean":
        return F.when(found == 1, F.lit(True)).when(found == 0, F.lit(False))
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


def _exact_decimal(found: Column, type_found: DataType, wanted: str) -> Column:
    """A number as decimal; a binary one may differ by its own rounding only."""
    rounded = found.try_cast(wanted)
    if isinstance(type_found, DecimalType) or type_found.typeName() in (
        "integer",
        "long",
        "short",
        "byte",
    ):
        return F.when(rounded == found, rounded)
    return F.when(F.abs(rounded.cast("double") - found.cast("double")) < 1e-6, rounded)


def _is_unreadable(column: LandingField, type_found: DataType) -> Column:
    landed, value = F.col(f"landed.{column.name}"), F.col(column.name)
    if not isinstance(type_found, StringType):
        return landed.isNotNull() & value.isNull()
    if column.type == "string":
        return F.lit(False)
    return value.isNull() & bare_text(landed, is_bare=False).isNotNull()


def _ahead_of_arrival(table: LandingTable, plausible: Plausible) -> Column:
    # Only of plausible arrivals: hours after the last of Spark's times would be an error.
    arrived = F.when(~_is_implausible(ARRIVE_TIME, plausible), F.col(ARRIVE_TIME.name))
    latest = arrived + F.expr(f"interval {plausible.clock_skew_hours} hours")
    return F.when(
        F.col(table.event_time) > latest,
        F.lit(f"{table.event_time}: lies in the future of arrive_time (a clock error?)"),
    )


def _is_implausible(column: LandingField, plausible: Plausible) -> Column:
    first, last = (F.lit(str(limit)).cast(column.type) for limit in plausible.limits(column))
    return ~F.col(column.name).between(first, last)


def _fault(
    column: LandingField,
    type_found: DataType,
    plausible: Plausible,
    *,
    is_name: bool,
    is_whole: bool,
    is_bare: bool,
) -> Column:
    """The reason that one column gives against its row, or null."""
    value = F.col(column.name)
    fault = F.when(F.lit(False), F.lit(""))
    if not _is_typed(type_found, column):
        fault = fault.when(
            _is_unreadable(column, type_found),
            F.lit(f"{column.name}: can't be read as {column.type}"),
        )
    if column.required:
        fault = fault.when(value.isNull(), F.lit(f"{column.name}: is empty, and it is required"))
    if column.type in ("date", "timestamp"):
        first, last = plausible.years(column)
        fault = fault.when(
            _is_implausible(column, plausible),
            F.lit(f"{column.name}: lies outside the years {first} to {last}"),
        )
    if column.type == "string":
        is_broken = value.contains(REPLACEMENT) | ~F.is_valid_utf8(value)
        fault = fault.when(is_broken, F.lit(f"{column.name}: is not valid UTF-8"))
        fault = fault.when(value.contains(NUL), F.lit(f"{column.name}: holds a NUL character"))
    if is_name:
        told = name_fault(value, column.name, is_whole=is_whole, is_bare=is_bare)
        fault = fault.when(told.isNotNull(), told)
    if column.values:
        allowed = ", ".join(column.values)
        fault = fault.when(
            ~value.isin(*column.values), F.lit(f"{column.name}: is none of {allowed}")
        )
    return fault
