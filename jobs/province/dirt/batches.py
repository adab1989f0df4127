"""Faults of whole batches: wrong manifests, batches out of order, sent again, or corrected."""

import shutil
from decimal import Decimal
from pathlib import Path

import numpy as np

from expectations.tables import LANDING_BY_NAME
from jobs.province.dirt.fault_ledger import KINDS, Fault
from jobs.province.landing.files import LandedBatch, read_table, replace_file, with_cells

_BATCH_KINDS = (
    # Those that not every table can have come first.
    "wrong_sum",
    "resent_corrected",
    "withheld_batch",
    "wrong_count",
    "wrong_hash",
    "resent_same",
)


def dirty_batches(
    batches: list[LandedBatch],
    root: Path,
    late: Path,
    faults: list[Fault],
    rng: np.random.Generator,
) -> dict[tuple[str, str], Path]:
    """Break one batch for each kind of fault, as far as there are enough.

    Args:
        batches: of tables that nothing refers to: no orphans come of them.
        root: the landing folder.
        late: where to put what is to be delivered later.
        faults: the ledger, which is added to.
        rng: what the draws are made with.

    Returns:
        By table and date of the batches concerned, where their rows can be read.
    """
    filled = [batch for batch in batches if batch.rows]
    days = sorted({batch.day for batch in filled})
    # On few days: the rows of settlements on other days can then have faults of their own.
    concerned = rng.permutation(days[:-1] or days)[: -(-len(days) // 3)]
    candidates = [batch for batch in filled if batch.day in concerned]
    candidates = [candidates[n] for n in rng.permutation(len(candidates))]
    last = {batch.table: batch.day for batch in sorted(filled, key=lambda each: each.day)}
    closed: dict[tuple[str, str], Path] = {}
    for kind in _BATCH_KINDS:
        fits = (batch for batch in candidates if _may_have(batch, kind, last[batch.table]))
        batch = next(fits, None)
        if batch:
            candidates.remove(batch)
            copy = late / batch.folder.relative_to(root)
            closed[batch.table, batch.day] = copy
            faults.append(_dirty_batch(batch, kind, copy, len(faults)))
    return closed


def _may_have(batch: LandedBatch, kind: str, last_day: str) -> bool:
    if kind == "wrong_sum":
        return bool(batch.manifest.get("control"))
    if kind == "withheld_batch":
        # It is to come after a later one.
        return batch.day < last_day
    return kind != "resent_corrected" or _correctable(batch.table) is not None


def _dirty_batch(batch: LandedBatch, kind: str, copy: Path, number: int) -> Fault:
    """Break a batch or its delivery; what is to come later is put at `copy`."""
    shutil.copytree(batch.folder, copy)
    name, rows = next(iter(batch.files.items()))
    reason, key, record = "", "", 0
    manifest = batch.manifest
    if kind == "withheld_batch":
        shutil.rmtree(batch.folder)
    elif kind == "wrong_count":
        manifest["rows"] += 1
        manifest["files"][0]["rows"] += 1
        reason = f"{name} has {rows} records, the manifest says {rows + 1}"
    elif kind == "wrong_sum":
        column, total = next(iter(manifest["control"].items()))
        manifest["control"][column] = f"{Decimal(total) + Decimal('0.01'):f}"
        told = manifest["control"][column]
        reason = f"the sum of {column} is {Decimal(total).normalize():f}, the manifest says {told}"
    elif kind == "wrong_hash":
        manifest["files"][0]["sha256"] = "0" * 64
        reason = f"{name} is not the file that the manifest lists: its SHA-256 differs"
    elif kind == "resent_corrected":
        key, reason = _correct(LandedBatch(batch.table, batch.day, copy, manifest), name)
        record = 1
    if kind.startswith("wrong"):
        batch.write_manifest()
    told_rows = batch.rows - (kind == "wrong_count")
    return Fault(
        number,
        kind,
        batch.table,
        batch.day,
        name,
        record,
        key,
        told_rows,
        *KINDS[kind],
        reason,
    )


def _correctable(name: str) -> str | None:
    """A text column that is no key and points at nothing, if the table has one."""
    table = LANDING_BY_NAME[name]
    others = {*table.key, *(each.column for each in table.references), "psn_no"}
    columns = [
        each.name
        for each in table.fields
        if each.type == "string" and not each.values and each.name not in others
    ]
    return columns[-1] if columns else None


def _correct(batch: LandedBatch, name: str) -> tuple[str, str]:
    """Change a value in the first row of a file; the row's key and what was changed."""
    column = str(_correctable(batch.table))
    rows = read_table(batch.folder / name)
    replace_file(batch, name, with_cells(rows, column, {0: "corrected"}), {})
    batch.write_manifest()
    key = "|".join(str(rows[each][0]) for each in LANDING_BY_NAME[batch.table].key)
    return key, f"{column} becomes corrected"
