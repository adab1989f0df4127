"""Writes landing tables in monthly batches with manifests, and names what they hold."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.provinces.harbour.arrays import (
    DAY,
    digits,
    hexes,
    month_of,
    month_start,
    nullable,
    salt,
    stamps,
)
from benchmarks.provinces.harbour.types import Arr, Ints, Rng
from benchmarks.provinces.harbour.world import World

CONTROL = {
    "settlement": ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay"),
    "fee_detail": ("det_item_fee_sumamt",),
}
FILE = "part-00000.parquet"


class Writer:
    """Writes tables: one batch a month, dated the first day after its rows arrived."""

    def __init__(self, w: World, root: Path, rng: Rng) -> None:
        self.p, self.root, self.rng = w.p, root, rng
        self.names = {
            kind: hexes(w.p.members * 3 + 4000, salt(w.p.seed, kind))
            for kind in ("psn", "cert", "tel", "addr", "dev")
        }
        counts = {"inst": len(w.c.inst_type), "doc": len(w.c.doc_inst), "drug": len(w.c.drug)}
        self.names |= {kind: self.number(kind, np.arange(n)) for kind, n in counts.items()}

    def id(self, kind: str, which: Arr) -> pa.Array:
        """Names of people, phones, addresses, places, drugs by index; negative is null."""
        return self.names[kind].take(nullable(which))

    def number(self, kind: str, which: Arr) -> pa.Array:
        """Identifiers of 20 digits for rows of a kind."""
        return digits(which, salt(self.p.seed, kind))

    def lag(self, n: int) -> Ints:
        """Seconds until a row arrives; some come late."""
        is_late = self.rng.random(n) < self.p.late
        late = np.where(is_late, np.minimum(self.rng.exponential(12, n), 45) * DAY, 0)
        return (self.rng.uniform(2, 30, n) * 3600 + late).astype(np.int64)

    def table(
        self, name: str, columns: dict[str, Any], arrive: Arr, until: int | None = None
    ) -> None:
        """Split rows by month of arrival, in order of arrival, and write the manifests."""
        table = pa.table(columns).append_column("arrive_time", stamps(arrive))
        order = np.lexsort((self.rng.random(len(arrive)), arrive))
        if until is not None:
            order = order[arrive[order] < until]
        month = np.maximum(month_of(arrive[order] // DAY) + 1, 0)
        # A table without rows has one empty batch.
        for m in np.unique(month).tolist() or [1]:
            part, batch = table.take(pa.array(order[month == m])), month_start(m).isoformat()
            folder = self.root / name / f"batch={batch}"
            folder.mkdir(parents=True)
            pq.write_table(part, folder / FILE, compression="zstd")
            sha = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
            manifest = {
                "table": name,
                "batch": batch,
                "rows": part.num_rows,
                "control": {c: str(pc.sum(part[c]).as_py() or 0) for c in CONTROL.get(name, ())},
                "files": [{"name": FILE, "rows": part.num_rows, "sha256": sha}],
            }
            (folder / "_manifest.json").write_text(json.dumps(manifest))
