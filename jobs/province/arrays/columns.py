"""Arrow columns made from numpy arrays without a step in Python for each row."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.province.arrays.draws import Flags, Ints

_SECOND = 1_000_000


def texts(
    values: npt.NDArray[np.bytes_] | npt.NDArray[np.str_], null: Flags | None = None
) -> pa.Array:
    """A text column of its own values; fixed-width bytes are taken over as they lie."""
    if values.dtype.kind == "S":
        width = values.dtype.itemsize
        lengths = np.char.str_len(values) if len(values) else np.empty(0, np.int64)
        if len(values) and bool((lengths == width).all()):
            offsets = np.arange(0, (len(values) + 1) * width, width, dtype=np.int32)
            data = pa.py_buffer(np.ascontiguousarray(values))
            column = pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), data)
            return column if null is None else _with_nulls(column, null)
        values = np.char.decode(np.asarray(values, np.bytes_), "utf-8")
    return pa.array(values.tolist(), pa.string(), mask=null)


def coded(
    indices: npt.NDArray[np.integer], dictionary: pa.Array, null: Flags | None = None
) -> pa.Array:
    """A text column as indices into a dictionary of distinct words."""
    small = pa.array(indices.astype(np.int32), mask=null)
    return pa.DictionaryArray.from_arrays(small, dictionary, safe=False)


def worded(indices: Ints, words: Sequence[str]) -> pa.Array:
    """A text column as indices into words that need not be distinct.

    Equal words become one: Parquet pages of a dictionary with equal entries end in stray bytes, which
    would make the same rows a different file every time.
    """
    known, place = np.unique(np.asarray(words), return_inverse=True)
    return coded(place[indices], pa.array(known.tolist()))


def decimals(numbers: Ints, precision: int, scale: int, null: Flags | None = None) -> pa.Array:
    """A decimal column from whole numbers of its smallest unit."""
    words = np.empty((len(numbers), 2), np.int64)
    words[:, 0] = numbers
    words[:, 1] = numbers >> 63
    mask = None if null is None else _bitmap(null)
    return pa.Array.from_buffers(
        pa.decimal128(precision, scale), len(numbers), [mask, pa.py_buffer(words)]
    )


def timestamps(start_day: int, seconds: Ints, null: Flags | None = None) -> pa.Array:
    """A timestamp column from seconds since the province's first midnight."""
    return pa.array((seconds + start_day * 86_400) * _SECOND, pa.int64(), mask=null).view(
        pa.timestamp("us")
    )


def dates(start_day: int, days: Ints, null: Flags | None = None) -> pa.Array:
    """A date column from days since the province's first day."""
    return pa.array((days + start_day).astype(np.int32), pa.int32(), mask=null).view(pa.date32())


def plain_sum(numbers: Ints, scale: int) -> Decimal:
    """The sum of whole numbers of a decimal's smallest unit."""
    return Decimal(int(numbers.sum())).scaleb(-scale)


def _with_nulls(column: pa.StringArray, null: Flags) -> pa.Array:
    offsets, data = column.buffers()[1:]
    return pa.StringArray.from_buffers(len(column), offsets, data, _bitmap(null))


def _bitmap(null: Flags) -> pa.Buffer:
    return pa.py_buffer(np.packbits(~null, bitorder="little"))
