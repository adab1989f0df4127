"""Break one landed batch on purpose, manifest and all: `python -m benchmarks.break_batch BATCH_FOLDER`."""

import hashlib
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq


def main(batch: str) -> None:
    """Cut the column psn_no out of a batch's first file, as a sender with a new export might."""
    folder = Path(batch)
    manifest = json.loads((folder / "_manifest.json").read_text())
    part = folder / manifest["files"][0]["name"]
    pq.write_table(pq.read_table(part).drop_columns(["psn_no"]), part)
    manifest["files"][0]["sha256"] = hashlib.sha256(part.read_bytes()).hexdigest()
    (folder / "_manifest.json").write_text(json.dumps(manifest))


if __name__ == "__main__":
    main(sys.argv[1])
