"""Break one landed batch on purpose, manifest and all: `python -m benchmarks.break_batch LANDING`."""

import hashlib
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq


def main(landing: str) -> None:
    """Cut the column psn_no out of a settlement file, as a sender with a new export might."""
    folder = Path(landing) / "settlement" / "batch=2009-06-30"
    part = folder / "part-00000.parquet"
    pq.write_table(pq.read_table(part).drop_columns(["psn_no"]), part)
    manifest = json.loads((folder / "_manifest.json").read_text())
    manifest["files"][0]["sha256"] = hashlib.sha256(part.read_bytes()).hexdigest()
    (folder / "_manifest.json").write_text(json.dumps(manifest))


if __name__ == "__main__":
    main(sys.argv[1])
