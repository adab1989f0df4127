"""The landing folder: which batches lie there, what their manifests say, whether their files are whole."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from expectations.landing.headers import same_names
from expectations.landing.table import LandingTable
from jobs.landing.entries import (
    FOLDER,
    LINK,
    NotReadable,
    NotThere,
    folder_entries,
    read_landed,
    shown,
)
from jobs.landing.files import FileFacts
from jobs.landing.manifest_form import ListedFile, Manifest, ManifestFault, parsed_manifest

#: A batch's day, as its folder is called by it.
BATCH_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BATCH = re.compile(rf"batch=({BATCH_DAY.pattern})")
#: A folder that is meant for a batch and is not called as one.
_MEANT = re.compile(r"(?i)batch\W?[0-9]{4}\W?[0-9]{1,2}\W?[0-9]{1,2}\W?")
#: No blank, wildcard or look-alike: a name means the same to a shell, a URL and Spark.
_DATA_FILE = re.compile(r"part-[A-Za-z0-9._-]{0,200}\.(csv|csv\.gz|parquet)")
MANIFEST = "_manifest.json"
#: A hundred thousand files take 14 MiB.
_LARGEST_MANIFEST = 64 << 20
_TOLD_AT_MOST = 20


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


@dataclass
class LandedTable:
    """The batches of a table, what lies beside them, and what is refused: the table itself, or a folder in it."""

    batches: list[LandingBatch] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def landed_table(root: str, table: LandingTable) -> LandedTable:
    """The batches of a table with their manifests read."""
    landed = LandedTable()
    try:
        entries = folder_entries(f"{root}/{table.name}", 1)
    except NotReadable as error:
        landed.errors.append(f"{table.name} {error}")
        return landed
    for name, kind in entries.items():
        day = _day(name)
        if day:
            batch = LandingBatch(table, day, f"{root}/{table.name}/{name}")
            _read_batch(batch, kind)
            landed.batches.append(batch)
        elif _MEANT.fullmatch(name):
            landed.errors.append(
                f"{table.name}/{shown(name)} is not called batch=<yyyy-MM-dd>: rename it, or move it away"
            )
        elif not name.startswith((".", "_")):
            landed.warnings.append(
                f"{table.name}/{shown(name)} is not a folder batch=<yyyy-MM-dd> and was left alone"
            )
    return landed


def check_files(batch: LandingBatch, inspected: dict[str, FileFacts]) -> None:
    """Compare the files with the manifest, adding to the batch's reasons."""
    faults = []
    for file in batch.files:
        facts = inspected[batch.path(file)]
        batch.facts[file.name] = facts
        if facts.error:
            faults.append(f"{file.name} {facts.error}")
        elif facts.sha256 != file.sha256:
            faults.append(
                f"{file.name} is not the file that the manifest lists: its SHA-256 differs"
            )
        if same := same_names(facts.columns, batch.table):
            faults.append(f"{file.name} {same}")
    batch.reasons += _first(faults)


def _day(name: str) -> date | None:
    found = _BATCH.fullmatch(name)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _read_batch(batch: LandingBatch, kind: str) -> None:
    """Read the manifest of a batch and hold it against the contract and the folder."""
    if kind != FOLDER:
        told = "a link, which is never followed" if kind == LINK else f"a {kind}, not a folder"
        batch.reasons.append(f"{batch.name} is {told}: deliver the batch's folder itself")
        return
    try:
        content = read_landed(f"{batch.folder}/{MANIFEST}", _LARGEST_MANIFEST)
        entries = folder_entries(batch.folder, 2)
    except NotThere:
        batch.reasons.append(f"{MANIFEST} is missing: the sender has to deliver it with the files")
        return
    except NotReadable as error:
        batch.reasons.append(f"{MANIFEST} {error}")
        return
    batch.version = hashlib.sha256(content).hexdigest()
    try:
        manifest = parsed_manifest(content)
    except ManifestFault as fault:
        batch.reasons.append(f"{MANIFEST} is not in the form of the contract: {fault}")
        return
    batch.rows, batch.control, batch.files = manifest.rows, manifest.control, manifest.files
    batch.reasons += _faults(batch, manifest)
    listed = {file.name for file in manifest.files}
    extra = [name for name, found in entries.items() if found != FOLDER and name not in listed]
    if alone := [shown(name) for name in extra if not name.startswith((".", "_"))]:
        batch.warnings.append(
            f"files that the manifest does not list were left alone: {', '.join(_first(alone))}"
        )


def _faults(batch: LandingBatch, manifest: Manifest) -> list[str]:
    faults = []
    if (manifest.table, manifest.batch) != (batch.table.name, batch.day.isoformat()):
        faults.append(
            f"{MANIFEST} is that of table {shown(manifest.table)}, batch {shown(manifest.batch)}"
        )
    for name in sorted(set(manifest.control) - set(batch.table.amounts)):
        faults.append(f"{MANIFEST} has a control sum for {shown(name)}, which is no amount column")
    names = [file.name for file in manifest.files]
    faults += _first(
        f"{MANIFEST} lists {_quoted(name)}, which is not a part-* data file name"
        # A manifest comes from outside: its names must not lead out of the batch's folder.
        for name in names
        if not _DATA_FILE.fullmatch(name)
    )
    if len(set(names)) < len(names):
        faults.append(f"{MANIFEST} lists a file twice")
    if sum(file.rows for file in manifest.files) != manifest.rows:
        faults.append(f"{MANIFEST} says {manifest.rows} rows, its files add up to another number")
    return _first(faults)


def _quoted(name: str) -> str:
    told = shown(name)
    return told if told.startswith(("'", '"')) else f"'{told}'"


def _first(texts: Iterable[str]) -> list[str]:
    """The first few of what may be a hundred thousand, and how many more there are."""
    found = list(texts)
    more = len(found) - _TOLD_AT_MOST
    return found if more <= 0 else [*found[:_TOLD_AT_MOST], f"and {more} more"]
