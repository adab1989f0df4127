"""Several ways to the same result: their times side by side, and whether they agree."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

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


def python_peak_memory_mb() -> int:
    """The peak memory of the largest Python worker of this process's Spark so far; 0 if there is none."""
    parents, peaks = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            lines = (folder / "status").read_text().splitlines()
            is_worker = b"pyspark.daemon" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        pid = int(folder.name)
        parents[pid] = int(fields["PPid"])
        if is_worker and "VmHWM" in fields:
            peaks[pid] = int(fields["VmHWM"].split()[0]) // 1024

    def is_ours(pid: int) -> bool:
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    return max(
        (peak for pid, peak in peaks.items() if pid != os.getpid() and is_ours(pid)), default=0
    )
