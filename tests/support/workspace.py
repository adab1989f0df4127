"""Landing folders to break, and jobs run on them as in use."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from jobs.lake.tables import Lake
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, Options, Result

ROOT = Path(__file__).parents[2]
#: A valid row of each table, in landing names; a test says only what matters to it.
BASE_ROWS: dict[str, dict[str, str]] = {
    "person": {"psn_no": "m1", "arrive_time": "2023-12-01 00:00:00"},
    "institution": {"fixmedins_code": "h1", "arrive_time": "2023-12-01 00:00:00"},
    "settlement": {
        "setl_id": "s1",
        "mdtrt_id": "v1",
        "psn_no": "m1",
        "fixmedins_code": "h1",
        "setl_time": "2024-01-05 10:00:00",
        "med_type": "11",
        "medfee_sumamt": "10.00",
        "fund_pay_sumamt": "6.00",
        "refd_setl_flag": "0",
        "orig_setl_id": "",
        "arrive_time": "2024-01-06 00:00:00",
    },
    "fee_detail": {
        "setl_id": "s1",
        "feedetl_sn": "1",
        "psn_no": "m1",
        "fee_ocur_time": "2024-01-05 10:00:00",
        "cnt": "1",
        "det_item_fee_sumamt": "10.00",
        "arrive_time": "2024-01-06 00:00:00",
    },
    "settlement_code": {
        "setl_id": "s1",
        "code_type": "diagnosis",
        "seq": "1",
        "code": "I10",
        "arrive_time": "2024-01-06 00:00:00",
    },
    "closed_case": {
        "case_id": "c1",
        "subject_type": "institution",
        "subject_id": "h1",
        "open_time": "2024-01-01 00:00:00",
        "decision_time": "2024-02-01 00:00:00",
        "outcome": "criminal",
        "final": "true",
        "arrive_time": "2024-02-01 00:00:00",
    },
}
_AMOUNTS = ("medfee_sumamt", "fund_pay_sumamt", "det_item_fee_sumamt")

Row = Mapping[str, str]


def base_row(table: str, **changes: str) -> dict[str, str]:
    """A valid landing row with some fields changed."""
    return BASE_ROWS[table] | changes


@dataclass
class LandingFolder:
    """Writes batches with honest manifests; a test then breaks what it wants broken."""

    root: Path

    def csv(
        self,
        table: str,
        batch: str,
        rows: Sequence[Row],
        *,
        gz: bool = False,
        columns: Sequence[str] = (),
    ) -> Path:
        """One CSV part with a header and a manifest that fits it."""
        names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        return self.content(table, batch, text.getvalue().encode(), rows, gz=gz)

    def content(
        self, table: str, batch: str, content: bytes, rows: Sequence[Row], *, gz: bool = False
    ) -> Path:
        """Any bytes as the one part of a batch, with a manifest for the rows they are meant to hold."""
        name = "part-0.csv.gz" if gz else "part-0.csv"
        return self.bytes(
            table, batch, name, gzip.compress(content, mtime=0) if gz else content, rows
        )

    def bytes(self, table: str, batch: str, name: str, content: bytes, rows: Sequence[Row]) -> Path:
        """A part as it is, with its manifest."""
        folder = self.root / table / f"batch={batch}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        control = {}
        for amount in _AMOUNTS:
            if rows and amount in rows[0]:
                numbers = [Decimal(row[amount]) for row in rows if _is_number(row[amount])]
                control[amount] = str(sum(numbers, Decimal(0)))
        digest = hashlib.sha256(content).hexdigest()
        manifest = {
            "table": table,
            "batch": batch,
            "rows": len(rows),
            "control": control,
            "files": [{"name": name, "rows": len(rows), "sha256": digest}],
        }
        (folder / "_manifest.json").write_text(json.dumps(manifest))
        return folder

    def manifest(self, folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
        """Make a manifest lie."""
        path = folder / "_manifest.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False


@dataclass
class Workspace:
    """A landing folder and a lake of its own, and jobs run on them."""

    spark: SparkSession
    folder: Path
    landing: LandingFolder
    settings: Sequence[str] = ()
    config: Config = field(init=False)

    def __post_init__(self) -> None:
        """Everything below one folder."""
        self.landing.root.mkdir(parents=True, exist_ok=True)
        overrides = [
            f"landing.root={self.landing.root}",
            f"lake.root={self.folder / 'lake'}",
            f"report.root={self.folder / 'report'}",
            f"log.file={self.folder / 'log.jsonl'}",
            f"mlflow.tracking_uri=sqlite:///{self.folder / 'mlflow.db'}",
            f"mlflow.artifact_root={self.folder / 'artifacts'}",
            *self.settings,
        ]
        self.config = load_config(str(ROOT / "conf" / "local.yaml"), overrides)

    @property
    def lake(self) -> Lake:
        """The tables as they stand."""
        return Lake(self.spark, self.config.lake.root)

    def run(
        self, job: Job, as_of: str | None = None, batch: str | None = None, **more: Any
    ) -> Result:
        """Run a job as the command line would, in the shared session; `more` are other options."""
        options = Options(
            as_of=date.fromisoformat(as_of) if as_of else None,
            batch=date.fromisoformat(batch) if batch else None,
            **{"subject": "institution", **more},
        )
        if job.check:
            job.check(self.config, options)
        return execute(job, self.spark, self.config, options)
