"""Batches of settlements (or others) in forms that real systems write, and what became of them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Row
from support.workspace import base_row

from expectations.ops import LANDING_BATCH, quarantine
from expectations.tables import LANDING_BY_NAME


def rows_of(prefix, count, **changes):
    """Valid settlements with ids of their own."""
    return [
        base_row("settlement", **({"setl_id": f"{prefix}{n}"} | changes))
        for n in range(1, count + 1)
    ]


def parquet(landing, batch, columns, rows=3, table="settlement", **how):
    """A file of valid settlements (or others) with some columns in another form."""
    base: dict[str, str | None] = {**base_row(table)}
    if table == "settlement":
        base |= {"setl_id": "", "orig_setl_id": None}
    whole = {name: pa.array([value] * rows, pa.string()) for name, value in base.items()}
    if table == "settlement":
        whole["setl_id"] = pa.array([f"{batch}-{n}" for n in range(rows)])
    whole |= columns
    buffer = io.BytesIO()
    pq.write_table(pa.table(whole), buffer, **how)
    landing.bytes(table, batch, "part-0.parquet", buffer.getvalue(), [base_row(table)] * rows)


def text(landing, batch, content, rows):
    """Bytes as a CSV file of settlements."""
    landing.content("settlement", batch, content, rows)


def csv_text(rows, *, end="\n", names=None):
    """Rows as lines with commas, their values as they are."""
    header = names or list(rows[0])
    lines = [",".join(header), *(",".join(row.values()) for row in rows)]
    return "".join(line + end for line in lines)


class Landed:
    """What became of a table's batches, in three queries: many tests of one run of ingest_batch look at it."""

    def __init__(self, workspace, table="settlement"):
        lake = workspace.lake
        self.batches = batches(workspace, table)
        self._bronze = _by_batch(lake.read(LANDING_BY_NAME[table].bronze))
        self._waiting = _by_batch(lake.read(quarantine(table)))

    def kept(self, batch, *columns):
        """Values of a batch in bronze, in the order of its records; whole rows without columns."""
        rows = self._bronze.get(batch, [])
        return [tuple(row[name] for name in columns) for row in rows] if columns else rows

    def waiting(self, batch):
        """Rows of a batch in quarantine, in the order of its records."""
        return self._waiting.get(batch, [])

    def reasons(self, batch):
        """The reasons of a batch's rows in quarantine, by record."""
        return {row["record_number"]: row["reasons"] for row in self.waiting(batch)}


def _by_batch(frame):
    found: dict[str, list[Row]] = {}
    for row in sorted(frame.collect(), key=lambda row: (row["source_file"], row["record_number"])):
        found.setdefault(row["batch"].isoformat(), []).append(row)
    return found


def batches(workspace, table="settlement"):
    """The ledger's rows of a table's batches, by day."""
    rows = workspace.lake.read(LANDING_BATCH).filter(f"table_name = '{table}'")
    return {row["batch"].isoformat(): row for row in rows.orderBy("written_at").collect()}


def kept(workspace, batch, *columns, table="settlement"):
    """Values of a batch in bronze."""
    rows = workspace.lake.read(LANDING_BY_NAME[table].bronze).filter(f"batch = DATE'{batch}'")
    return [tuple(row) for row in rows.orderBy("record_number").select(*columns).collect()]
