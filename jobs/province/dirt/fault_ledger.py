"""Faults that can be injected into landing files, and the ledger that says what must become of each."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

#: What becomes of a fault's rows: in the lake once the landing folder was ingested and conformed.
CONFORMED = "conformed"
SUPERSEDED = "superseded"
#: refused by ingest_batch, row by row
QUARANTINED = "quarantined"
#: held back by conform_tables
ORPHAN = "orphan"
#: the whole batch is refused
REFUSED = "refused"
#: not delivered
ABSENT = "absent"

#: kind: what becomes of it at first, and after the late folder was delivered too
KINDS = {
    "duplicate_row": (SUPERSEDED, SUPERSEDED),
    "duplicate_across": (SUPERSEDED, SUPERSEDED),
    "late_row": (CONFORMED, CONFORMED),
    "clock_slip": (CONFORMED, CONFORMED),
    "clock_error": (QUARANTINED, QUARANTINED),
    "unreadable": (QUARANTINED, QUARANTINED),
    "unknown_settlement": (ORPHAN, ORPHAN),
    "unknown_member": (ORPHAN, ORPHAN),
    "lost_settlement": (ABSENT, ABSENT),
    "late_settlement": (ABSENT, CONFORMED),
    # What comes of the settlements above, one entry a table: its cause says which.
    "orphaned_child": (ORPHAN, ORPHAN),
    "waiting_child": (ORPHAN, CONFORMED),
    # The rows of whole batches.
    "wrong_count": (REFUSED, CONFORMED),
    "wrong_sum": (REFUSED, CONFORMED),
    "wrong_hash": (REFUSED, CONFORMED),
    "withheld_batch": (ABSENT, CONFORMED),
    "resent_same": (CONFORMED, CONFORMED),
    # The rows of the batch's first version; the corrected row is the one named by its key.
    "resent_corrected": (CONFORMED, SUPERSEDED),
}


@dataclass(frozen=True)
class Fault:
    """One entry of the ledger."""

    number: int
    kind: str
    table: str
    batch: str
    #: empty where it is not about one file
    file: str
    #: record in the file, counted from 1; 0 where it is not about one record
    record: int
    #: the values of the key columns joined by a bar
    key: str
    rows: int
    outcome: str
    #: after the late folder was delivered as well
    outcome_late: str
    #: what the quarantine or the refusal must say
    reason: str = ""
    #: number of the fault that this one comes of, -1 for none
    cause: int = -1


def write_ledger(faults: Iterable[Fault], path: Path) -> None:
    """Write the ledger as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Fault)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(fault) for fault in faults)


def read_ledger(path: Path) -> list[Fault]:
    """The ledger that `write_ledger` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    whole = {each.name for each in fields(Fault) if each.type is int}
    values: list[dict[str, Any]] = [
        {name: int(text) if name in whole else text for name, text in row.items()} for row in rows
    ]
    return [Fault(**each) for each in values]
