"""Several ways to the same result: their times side by side, and whether they agree."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import polars as pl
from rich.table import Table


def timed(compute: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    clock = time.perf_counter()
    compute()
    return time.perf_counter() - clock


def timing_table() -> Table:
    """An empty table for `add_times`."""
    return Table(
        "fee lines", "by", "seconds (least, median, most)", "us/line", "to DuckDB", box=None
    )


def add_times(table: Table, lines: int, seconds: Mapping[str, Sequence[float]]) -> None:
    """A row for each contender: its times over so many fee lines, beside DuckDB's if that took part."""
    base = statistics.median(seconds["DuckDB"]) if "DuckDB" in seconds else None
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        table.add_row(
            f"{lines:,}",
            name,
            f"{min(taken):.1f}, {middle:.1f}, {max(taken):.1f}",
            f"{1e6 * middle / lines:.2f}",
            f"{middle / base:.2f}" if base else "",
        )


def differing_numbers(ours: pl.Series, theirs: pl.Series, tolerance: float) -> int:
    """In how many places two columns of numbers differ by more than a part of them, or one is empty."""
    one, other = ours.cast(pl.Float64), theirs.cast(pl.Float64)
    off = (one - other).abs() > tolerance * (1 + one.abs())
    return int((off.fill_null(value=False) | (one.is_null() != other.is_null())).sum())
