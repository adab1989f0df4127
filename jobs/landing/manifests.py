"""The landing folder: which batches lie there, what their manifests say, whether their files are whole."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import Any

from expectations.landing.table import LandingTable
from jobs.landing.files import FileFacts, folder_entries, read_bytes

_BATCH = re.compile(r"batch=(\d{4}-\d{2}-\d{2})$")
_DATA_FILE = re.compile(r"part-.*\.(csv|csv\.gz|parquet)$")
MANIFEST = "_manifest.json"


@dataclass(frozen=True)
class ListedFile:
    """A file as the manifest announces it."""

    name: str
    rows: int
    sha256: str


@dataclass
class LandingBatch:
    """One table's batch of one date, with what was found wrong with it so far."""

    table: LandingTable
    day: date
    folder: str
    version: str = ""
    rows: int = 0
    control: dict[str, Decimal] = field(default_factory=dict)
    files: list[ListedFile] = field(default_factory=list)
    facts: dict[str, FileFacts] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How people name it."""
        return f"{self.table.name}/batch={self.day}"

    def path(self, file: ListedFile) -> str:
        """Where one of its files lies."""
        return f"{self.folder}/{file.name}"


def landed_batches(root: str, table: LandingTable) -> tuple[list[LandingBatch], list[str]]:
    """The batches of a table with their manifests read, and warnings about folders that are none."""
    batches, warnings = [], []
    for name, is_folder in folder_entries(f"{root}/{table.name}"):
        found = _BATCH.fullmatch(name)
        try:
            day = date.fromisoformat(found[1]) if found else None
        except ValueError:
            day = None
        if is_folder and day:
            batches.append(_with_manifest(LandingBatch(table, day, f"{root}/{table.name}/{name}")))
        elif not name.startswith((".", "_")):
            warnings.append(
                f"{table.name}/{name} is not a folder batch=<yyyy-MM-dd> and was left alone"
            )
    return batches, warnings


def check_files(batch: LandingBatch, inspected: dict[str, FileFacts]) -> None:
    """Compare the files with the manifest, adding to the batch's reasons."""
    for file in batch.files:
        facts = inspected[batch.path(file)]
        batch.facts[file.name] = facts
        if facts.error:
            batch.reasons.append(f"{file.name} {facts.error}")
        elif facts.sha256 != file.sha256:
            batch.reasons.append(
                f"{file.name} is not the file that the manifest lists: its SHA-256 differs"
            )
        if len(set(facts.columns)) < len(facts.columns):
            batch.reasons.append(f"{file.name} has two columns of one name")


def _with_manifest(batch: LandingBatch) -> LandingBatch:
    try:
        content = read_bytes(f"{batch.folder}/{MANIFEST}")
    except OSError:
        batch.reasons.append(f"{MANIFEST} is missing: the sender has to deliver it with the files")
        return batch
    batch.version = hashlib.sha256(content).hexdigest()
    try:
        _read_manifest(batch, json.loads(content, parse_float=Decimal))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
        batch.reasons.append(
            f"{MANIFEST} is not in the form of the contract: {type(error).__name__} {error}"
        )
    return batch


def _read_manifest(batch: LandingBatch, manifest: dict[str, Any]) -> None:
    batch.rows = int(manifest["rows"])
    batch.control = {
        name: Decimal(str(text)) for name, text in (manifest.get("control") or {}).items()
    }
    batch.files = [
        ListedFile(str(file["name"]), int(file["rows"]), str(file["sha256"]).lower())
        for file in manifest["files"]
    ]
    said = (manifest.get("table"), manifest.get("batch"))
    if said != (batch.table.name, batch.day.isoformat()):
        batch.reasons.append(f"{MANIFEST} is that of table {said[0]}, batch {said[1]}")
    for name in sorted(set(batch.control) - set(batch.table.amounts)):
        batch.reasons.append(f"{MANIFEST} has a control sum for {name}, which is no amount column")
    names = [file.name for file in batch.files]
    for name in names:
        # A manifest comes from outside: its names must not lead out of the batch's folder.
        if PurePosixPath(name).name != name or not _DATA_FILE.fullmatch(name):
            batch.reasons.append(f"{MANIFEST} lists {name!r}, which is not a part-* data file name")
    if len(set(names)) < len(names):
        batch.reasons.append(f"{MANIFEST} lists a file twice")
    if sum(file.rows for file in batch.files) != batch.rows:
        batch.reasons.append(
            f"{MANIFEST} says {batch.rows} rows, its files add up to another number"
        )
    lying = {name for name, is_folder in folder_entries(batch.folder) if not is_folder}
    extra = sorted(name for name in lying - set(names) if not name.startswith((".", "_")))
    if extra:
        batch.warnings.append(
            f"files that the manifest does not list were left alone: {', '.join(extra)}"
        )
