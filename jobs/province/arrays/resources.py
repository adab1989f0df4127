"""Columns of the CSV files that lie beside this package's modules."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.draws import Flags, Floats, Ints

Texts = npt.NDArray[np.str_]


def resource_rows(file: str) -> list[dict[str, str]]:
    """The rows of a file, found inside a zip archive too."""
    content = resources.files("jobs.province").joinpath(file).read_text(encoding="utf-8")
    return list(csv.DictReader(content.splitlines()))


def numbers(rows: Sequence[Mapping[str, str]], column: str) -> Floats:
    """A column of numbers; empty is NaN."""
    return np.array([float(row[column] or "nan") for row in rows])


def texts(rows: Sequence[Mapping[str, str]], column: str) -> Texts:
    """A column of words."""
    return np.array([row[column] for row in rows])


def flags(rows: Sequence[Mapping[str, str]], column: str) -> Flags:
    """A column of 0 and 1."""
    return np.array([row[column] == "1" for row in rows])


def places(rows: Sequence[Mapping[str, str]], column: str, words: Sequence[str]) -> Ints:
    """Where each word stands among `words`; -1 where it is empty."""
    place = {word: n for n, word in enumerate(words)} | {"": -1}
    return np.array([place[row[column]] for row in rows], dtype=np.int64)


def days(rows: Sequence[Mapping[str, str]], column: str) -> Ints:
    """A column of dates as days since 1970-01-01; empty is -1."""
    epoch = date(1970, 1, 1)
    found = [(date.fromisoformat(row[column]) - epoch).days if row[column] else -1 for row in rows]
    return np.array(found, dtype=np.int64)
