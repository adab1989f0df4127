"""Which batches bronze holds, from the ledger of kept batches: a small table, read once a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from pyspark.sql import Row
from pyspark.sql import functions as F

from expectations.ops import LANDING_BATCH
from jobs.lake.tables import Lake


@dataclass(frozen=True)
class KeptBatch:
    """The last kept version of a batch, and how its rows were divided between bronze and quarantine."""

    version: str
    rows_kept: int
    rows_quarantined: int


@dataclass
class Ledger:
    """Every version ever kept, with its table's name; and by table and day the batches that stand."""

    versions: set[tuple[str, str]] = field(default_factory=set)
    standing: dict[str, dict[date, KeptBatch]] = field(default_factory=dict)

    def of(self, table: str) -> Mapping[date, KeptBatch]:
        """The standing batches of a table."""
        return self.standing.get(table, {})


def read_ledger(lake: Lake) -> Ledger:
    """The kept batches of `ops/landing_batch`; none before the first ingest."""
    ledger = Ledger()
    if not lake.exists(LANDING_BATCH):
        return ledger
    kept = lake.read(LANDING_BATCH).filter(F.col("outcome") == "kept")
    names = ("table_name", "batch", "batch_version", "rows_kept", "rows_quarantined")
    rows = kept.select(*names, "sequence", "written_at").collect()
    for row in sorted(rows, key=_order):
        table, day, version, rows_kept, rows_quarantined = (row[name] for name in names)
        ledger.versions.add((table, version))
        ledger.standing.setdefault(table, {})[day] = KeptBatch(version, rows_kept, rows_quarantined)
    return ledger


def _order(row: Row) -> tuple[int, datetime]:
    """Oldest first, by the number given at ingest; by the time alone where the row is older than the number."""
    return (row["sequence"] or 0, datetime.min if row["sequence"] else row["written_at"])
