"""In which form a Parquet file has its columns, and as what Spark is to read them."""

from dataclasses import dataclass
from typing import IO

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
    pa.string_view(): "string",
    # Text of writers that do not say that it is text.
    pa.binary(): "string",
    pa.large_binary(): "string",
    pa.binary_view(): "string",
    pa.null(): NOTHING,
}
_MOST_DIGITS = 38
#: What Spark unpacks pages with.
_CODECS = frozenset({"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4", "LZ4_RAW"})
_NO_ENCODINGS = frozenset({"BYTE_STREAM_SPLIT"})
_MAGIC = 4


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


def fault_of_pages(file: pq.ParquetFile) -> str:
    """Why Spark can't read some pages of a file; empty if it can."""
    groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    codecs = {chunk.compression for chunk in chunks} - _CODECS
    if codecs:
        return f"is compressed by {', '.join(sorted(codecs))}, which can't be read here: use zstd, snappy or gzip"
    encodings = {name for chunk in chunks for name in chunk.encodings} & _NO_ENCODINGS
    if encodings:
        return f"is encoded by {', '.join(encodings)}, which can't be read here: write it plain or with a dictionary"
    return ""


def fault_of_unreadable(source: IO[bytes]) -> str:
    """Why a file that should be Parquet cannot be opened, told by its first and last bytes."""
    source.seek(0, 2)
    size = source.tell()
    if not size:
        return "is empty: even a file without rows needs a footer"
    source.seek(0)
    first = source.read(_MAGIC)
    source.seek(max(0, size - _MAGIC))
    last = source.read(_MAGIC)
    if b"PARE" in (first, last):
        return "is encrypted, and there is no key for it here: deliver it plain"
    if first != b"PAR1":
        return "is no Parquet file: it does not begin as one"
    if last != b"PAR1":
        return "is a truncated Parquet file: send it again"
    return "is a damaged Parquet file (or its footer has far too many bytes): send it again"


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
