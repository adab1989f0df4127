"""In which form a Parquet file has its columns, and as what Spark is to read them."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

#: The columns that hold nothing at all have no type.
NOTHING = "void"
_SPARK = {
    pa.bool_(): "boolean",
    pa.int8(): "byte",
    pa.int16(): "short",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.uint8(): "short",
    pa.uint16(): "integer",
    pa.uint32(): "long",
    pa.uint64(): "decimal(20,0)",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.date64(): "date",
    pa.string(): "string",
    pa.large_string(): "string",
    # Text of writers that do not say that it is text.
    pa.binary(): "string",
    pa.large_binary(): "string",
    pa.null(): NOTHING,
}
_MOST_DIGITS = 38


@dataclass(frozen=True)
class Form:
    """A column as it lies in a file.

    Attributes:
        name: as the file has it.
        stored: its type there, for people.
        spark: as what Spark reads it; empty if it can't.
        is_moment: whether its times are moments in UTC, not what a clock on the wall shows.
        is_nanoseconds: whether its times are read as a number of nanoseconds.
    """

    name: str
    stored: str
    spark: str
    is_moment: bool = False
    is_nanoseconds: bool = False


def column_forms(file: pq.ParquetFile) -> tuple[Form, ...]:
    """The forms of all columns of a file, in its order."""
    leaves = (file.schema.column(place) for place in range(len(file.schema)))
    old_times = {leaf.path for leaf in leaves if leaf.physical_type == "INT96"}
    return tuple(_form(column, is_int96=column.name in old_times) for column in file.schema_arrow)


def _form(column: pa.Field, *, is_int96: bool) -> Form:
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_int96:
        # What Spark and Impala write; the file does not say whether it is a moment: Spark's are.
        return Form(column.name, "timestamp (INT96)", "timestamp", is_moment=True)
    if pa.types.is_timestamp(kind):
        is_nanoseconds = kind.unit == "ns"
        spark = "long" if is_nanoseconds else "timestamp"
        return Form(column.name, str(kind), spark, kind.tz is not None, is_nanoseconds)
    if pa.types.is_decimal(kind) and kind.precision <= _MOST_DIGITS:
        return Form(column.name, str(kind), f"decimal({kind.precision},{kind.scale})")
    return Form(column.name, str(kind), _SPARK.get(kind, ""))
