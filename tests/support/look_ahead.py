"""Finds what a table built as of a day takes from rows that arrived later."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]


def looking_ahead(
    build: Callable[[], Rows], arrive: Callable[[], None], key: Sequence[str]
) -> set[str]:
    """The columns that change when later rows arrive: each looks ahead. `rows` if rows come or go.

    Args:
        build: builds the table as of one day and gives its rows.
        arrive: lands rows that arrived after that day, and only such.
        key: the columns that tell rows apart.
    """
    before = {tuple(row[name] for name in key): row for row in build()}
    arrive()
    after = {tuple(row[name] for name in key): row for row in build()}
    found = {
        name
        for each in before.keys() & after.keys()
        for name in before[each]
        if before[each][name] != after[each][name]
    }
    return found | ({"rows"} if before.keys() != after.keys() else set())
