"""How much memory a Parquet file asks for, told by its footer, and its rows in pieces of bearable size."""

from collections.abc import Iterator, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Bytes in memory of a value of each physical type; of text what its offset takes.
_WIDTH = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_OFFSET = 4
#: Rows of a slice, and of one with texts that are stored as what differs from the text before.
_SLICE = 1 << 17
_SLICE_OF_DIFFERENCES = 1 << 10
_DIFFERENCES = "DELTA_BYTE_ARRAY"
_TEXTS = (
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view()),
)
#: Bytes that the texts of a slice may take.
_BUDGET = 1 << 28


def exceeds(source: IO[bytes], file: pq.ParquetFile, max_bytes: int) -> bool:
    """Whether the rows would take more memory than allowed.

    The footer tells the number of values and the bytes of their pages before anything is read. A text
    that is stored once and stands in many rows is small there. Only where such texts could be too much
    are their lengths added up, slice by slice.

    Args:
        source: the open file.
        file: the same, with its footer read.
        max_bytes: what is allowed.
    """
    groups = range(file.num_row_groups)
    least = sum(_least_bytes(column) for number in groups for column in _columns(file, number))
    if least > max_bytes:
        return True
    most = least
    coded = set(_texts(file)) - _stored_as_differences(file)
    for number in groups:
        longest = _longest_texts(source, file, number, coded, max_bytes)
        for column in _columns(file, number):
            text = longest.get(column.path_in_schema, 0)
            if _DIFFERENCES in column.encodings:
                text = column.total_uncompressed_size
            most += column.num_values * text
    if most <= max_bytes:
        return False
    taken = 0
    for texts in _text_slices(source, file):
        taken += _text_bytes(texts)
        if taken > max_bytes:
            return True
    return False


def slices(source: IO[bytes], file: pq.ParquetFile, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of some columns, never more than a slice of a row group in memory at a time."""
    differences = _stored_as_differences(file)
    coded = set(_texts(file)).intersection(columns) - differences
    for number in range(file.num_row_groups):
        longest = sum(_longest_texts(source, file, number, coded, _BUDGET).values())
        rows = max(1, min(_SLICE, _BUDGET // max(1, longest)))
        if differences.intersection(columns):
            rows = min(rows, _SLICE_OF_DIFFERENCES)
        for batch in file.iter_batches(rows, [number], list(columns), use_threads=False):
            yield pa.Table.from_batches([batch])


def _text_slices(source: IO[bytes], file: pq.ParquetFile) -> Iterator[pa.Array]:
    """All texts, a column of a slice at a time, one that stands in many rows once if the file has it so."""
    differences = _stored_as_differences(file)
    for name in _texts(file):
        if name in differences:
            rows, coded = _SLICE_OF_DIFFERENCES, []
        else:
            rows, coded = _SLICE, [name]
        one = pq.ParquetFile(source, metadata=file.metadata, read_dictionary=coded)
        for batch in one.iter_batches(rows, columns=[name], use_threads=False):
            yield batch.column(0)


def _least_bytes(column: pq.ColumnChunkMetaData) -> int:
    width = _WIDTH.get(column.physical_type, _OFFSET)
    return int(max(column.num_values * width, column.total_uncompressed_size))


def _columns(file: pq.ParquetFile, number: int) -> Iterator[pq.ColumnChunkMetaData]:
    group = file.metadata.row_group(number)
    return (group.column(place) for place in range(group.num_columns))


def _texts(file: pq.ParquetFile) -> list[str]:
    """The columns that hold texts."""
    found = []
    for column in file.schema_arrow:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if kind in _TEXTS:
            found.append(column.name)
    return found


def _stored_as_differences(file: pq.ParquetFile) -> set[str]:
    return {
        column.path_in_schema
        for number in range(file.num_row_groups)
        for column in _columns(file, number)
        if _DIFFERENCES in column.encodings
    }


def _text_bytes(texts: pa.Array) -> int:
    """Bytes of texts if each row has its own."""
    if not pa.types.is_dictionary(texts.type):
        return int(texts.nbytes)
    lengths = pc.take(pc.binary_length(texts.dictionary), texts.indices)
    return int(pc.sum(lengths).as_py() or 0) + _OFFSET * len(texts)


def _longest_texts(
    source: IO[bytes], file: pq.ParquetFile, number: int, texts: set[str], bearable: int
) -> dict[str, int]:
    """Bytes of the longest text that rows of a row group share, by column; where it could matter only.

    The page of such texts comes before the rows that refer to it, so reading one row gives all of them.
    """
    names = [
        column.path_in_schema
        for column in _columns(file, number)
        if column.path_in_schema in texts
        and column.has_dictionary_page
        and column.num_values * column.total_uncompressed_size > bearable
    ]
    if not names:
        return {}
    coded = pq.ParquetFile(source, metadata=file.metadata, read_dictionary=names)
    first = next(coded.iter_batches(1, [number], names, use_threads=False))
    return {name: pc.max(pc.binary_length(first[name].dictionary)).as_py() or 0 for name in names}
