"""Arrow columns from numpy arrays, and batches with manifests."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.provinces.plateau.catalogue import WORDS
from benchmarks.provinces.plateau.settings import Arr, Bools, Ints, Rng

#: 2025-01-01 in days since 1970; seconds of a day; a day that never comes.
DAY0, DAY, NEVER = 20089, 86400, 10**6
CONTROL = {
    "settlement": ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay"),
    "fee_detail": ("det_item_fee_sumamt",),
    "closed_case": ("loss_amt", "recovered_amt"),
    "special_cert": ("annual_cap",),
}


def month_starts(months: int) -> Ints:
    """Day numbers of the first of each month, from the first to the one after the last."""
    return (np.datetime64("2025-01") + np.arange(months + 1)).astype("M8[D]").astype(int) - DAY0


def hexes(rng: Rng, n: int, size: int) -> pa.Array:
    """Random hexadecimal identifiers of `size` bytes."""
    offsets = pa.py_buffer(np.arange(n + 1, dtype=np.int32) * size * 2)
    letters = pa.py_buffer(rng.bytes(n * size).hex().encode())
    return pa.Array.from_buffers(pa.string(), n, [None, offsets, letters])


def pick(words: pa.Array | list[Any] | str, number: Any) -> pa.Array:
    """Words by number, of a list or of one in the catalogue; a negative number is null."""
    words = WORDS[words] if isinstance(words, str) else words
    words = pa.array(words, pa.string()) if isinstance(words, list) else words
    number = np.asarray(number, np.int64)
    return words.take(pa.array(np.maximum(number, 0), mask=number < 0))


def dec(units: Arr, scale: int = 2, mask: Bools | None = None, precision: int = 16) -> pa.Array:
    """Exact decimals from whole units (cents for scale 2)."""
    low = np.asarray(units, np.int64)
    data = pa.py_buffer(np.column_stack([low, low >> 63]).tobytes())
    out = pa.Array.from_buffers(pa.decimal128(precision, scale), len(low), [None, data])
    return out if mask is None else pick(out, np.where(mask, -1, np.arange(len(low))))


def ts(sec: Arr, mask: Bools | None = None) -> pa.Array:
    """Timestamps from seconds since the first day."""
    micro = (np.asarray(sec, np.int64) + DAY0 * DAY) * 1_000_000
    return pa.array(micro, mask=mask).cast(pa.timestamp("us"))


def date(day: Any, mask: Bools | None = None) -> pa.Array:
    """Dates from days since the first day."""
    days = (np.asarray(day, int) + DAY0).astype(np.int32)
    return pa.array(days, mask=mask).cast(pa.date32())


class Landing:
    """Writes tables batch by batch."""

    def __init__(self, root: Path, months: int, rng: Rng) -> None:
        self.root, self.rng, self.starts = root, rng, month_starts(months)
        self.end = int(self.starts[-1]) * DAY

    def versions(self, first: Ints, again: Ints, arrive: Ints) -> tuple[Ints, Bools, Ints]:
        """Rows as first received and later again, but once when both come in the same batch.

        Gives the number of each row, whether it is the later version, and when it arrives.
        """
        who, late = np.r_[first, again], np.repeat([False, True], [len(first), len(again)])
        month = np.searchsorted(self.starts * DAY, arrive, side="right")
        final = dict(zip(who[late].tolist(), month[late].tolist()))
        rows = zip(late.tolist(), who.tolist(), month.tolist())
        keep = np.array([last or final.get(row) != batch for last, row, batch in rows], bool)
        return who[keep], late[keep], arrive[keep]

    def write(self, table: str, columns: dict[str, pa.Array], arrive: Arr) -> None:
        """Sorts rows by arrival and writes them by month; what arrives after the last day is left out."""
        arrive = np.asarray(arrive, np.int64)
        data = pa.table({**columns, "arrive_time": ts(arrive)})
        order = np.lexsort([self.rng.random(len(arrive)), arrive])
        ends = np.searchsorted(arrive[order], self.starts * DAY)
        for day, rows in zip(self.starts.tolist(), np.split(order, ends)[:-1]):
            if not len(rows):
                continue
            part, batch = data.take(pa.array(rows)), str(np.datetime64("2025-01-01") + day)
            file = self.root / table / f"batch={batch}" / "part-00000.parquet"
            file.parent.mkdir(parents=True)
            pq.write_table(part, file, compression="zstd", compression_level=1)
            control = {c: str(pc.sum(part[c]).as_py() or "0.00") for c in CONTROL.get(table, ())}
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            manifest = {"table": table, "batch": batch, "rows": len(rows), "control": control}
            manifest["files"] = [{"name": file.name, "rows": len(rows), "sha256": digest}]
            (file.parent / "_manifest.json").write_text(json.dumps(manifest, indent=1))
