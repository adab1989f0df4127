"""Dirt: faults of known kind and number in landing files that were clean, and a ledger of them.

The landing folder is changed where it lies; what is to be delivered later goes to a folder of its own,
laid out in the same way, which `deliver_late` copies over the landing folder.
"""

import shutil
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from expectations.contract.errors import ConfigError
from expectations.landing.table import LandingTable
from expectations.tables import LANDING_BY_NAME
from jobs.province.arrays.draws import generator
from jobs.province.dirt.batches import dirty_batches
from jobs.province.dirt.fault_ledger import KINDS, Fault, write_ledger
from jobs.province.dirt.rows import DirtyRows, Place, children_of
from jobs.province.landing.files import (
    LandedBatch,
    landed,
    read_table,
    sums,
    with_cells,
    write_table,
)

LEDGER = "dirt_ledger.csv"
#: Tables that nothing refers to. A whole batch of one can fail without orphans elsewhere.
_LEAVES = (
    "fee_detail",
    "settlement_code",
    "settlement_doctor",
    "proxy_pickup",
    "trace_scan",
    "parcel",
)
_OF_SETTLEMENT = _LEAVES[:-1]
#: Faults a row at a factor of 1; at least one of each kind. No rates are published: these keep a
#: province usable and every kind present.
_LEAF_RATES = {
    "duplicate_row": 2e-4,
    "duplicate_across": 1e-4,
    "late_row": 3e-4,
    "clock_slip": 1e-4,
    "clock_error": 1e-4,
    "unreadable": 2e-4,
    "unknown_settlement": 1e-4,
}
_SETTLEMENT_RATES = {
    "lost_settlement": 5e-5,
    "late_settlement": 1e-4,
    "unknown_member": 5e-5,
    "clock_error": 5e-5,
    "unreadable": 5e-5,
}
#: Above it so many rows of a batch would be bad that it would be refused whole.
_LARGEST_FACTOR = 50.0


def inject(
    root: Path,
    late: Path,
    truth: Path,
    seed: int,
    factor: float,
    clock_skew_hours: int = 24,
) -> list[Fault]:
    """Put faults into a landing folder; the ledger, which is written to the truth folder as well.

    The same landing files, seed and factor give the same faults.

    Args:
        root: the landing folder, whole and clean.
        late: where to put what is to be delivered later; replaced.
        truth: the truth folder.
        seed: of the draws.
        factor: 1 for about one faulty row in a thousand.
        clock_skew_hours: the configured `quarantine.clock_skew_hours`.

    Raises:
        ConfigError: when the factor is impossible.
    """
    check_factor(factor)
    shutil.rmtree(late, ignore_errors=True)
    rng = generator(seed, "dirt")
    faults: list[Fault] = []
    tables = {name: landed(root, name) for name in ("settlement", *_LEAVES)}
    closed = dirty_batches(
        [batch for name in _LEAVES for batch in tables[name]], root, late, faults, rng
    )
    dirty = DirtyRows(faults, rng, clock_skew_hours)
    open_batches = {
        name: [batch for batch in batches if (name, batch.day) not in closed]
        for name, batches in tables.items()
    }
    busy = _dirty_leaves(dirty, open_batches, rng, factor)
    has_people = bool(landed(root, "person"))
    _dirty_settlements(dirty, tables, closed, busy, late, factor, has_people=has_people)
    dirty.write()
    write_ledger(faults, truth / LEDGER)
    return faults


def check_factor(factor: float) -> None:
    """Refuse a factor that is none, or that would have whole batches refused.

    Raises:
        ConfigError: when it is impossible.
    """
    if not 0 < factor <= _LARGEST_FACTOR:
        raise ConfigError(f"--dirt has to be above 0 and at most {_LARGEST_FACTOR:g}, not {factor}")


def deliver_late(late: Path, root: Path) -> list[str]:
    """Copy the late batches over the landing folder; their names."""
    delivered = []
    for folder in sorted(late.glob("*/batch=*")):
        target = root / folder.relative_to(late)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target)
        delivered.append(str(folder.relative_to(late)))
    return delivered


def _dirty_leaves(
    dirty: DirtyRows,
    batches: dict[str, list[LandedBatch]],
    rng: np.random.Generator,
    factor: float,
) -> set[str]:
    """Row faults in the tables that nothing refers to; the settlements that they belong to."""
    busy: set[str] = set()
    for name in _LEAVES:
        table, mine = LANDING_BY_NAME[name], batches[name]
        total = sum(batch.rows for batch in mine)
        kinds = [
            kind
            for kind, rate in _LEAF_RATES.items()
            for _ in range(max(1, round(rate * factor * total)))
        ]
        places = dirty.drawn(mine, len(kinds))
        # In the order of the files, so that each is read once.
        for place, kind in zip(places, rng.permutation(kinds)[: len(places)], strict=True):
            setl_id = str(dirty.record(place).get("setl_id"))
            if _dirty_leaf(dirty, table, mine, place, kind, points=setl_id != "None"):
                busy.add(setl_id)
    return busy


def _dirty_leaf(
    dirty: DirtyRows,
    table: LandingTable,
    batches: list[LandedBatch],
    place: Place,
    kind: str,
    *,
    points: bool,
) -> bool:
    """Give a row a fault of some kind, if it can have it; whether it could."""
    target = next((_first_row(b) for b in batches if b.day > place.batch.day and b.rows), None)
    if kind == "duplicate_row":
        dirty.duplicate(table, place, None)
    elif kind == "duplicate_across" and target:
        dirty.duplicate(table, place, target)
    elif kind == "late_row" and target:
        dirty.delay(table, place, target)
    elif kind in ("clock_slip", "clock_error") and table.event_time:
        dirty.shift_clock(table, place, beyond=kind == "clock_error")
    elif kind == "unreadable":
        dirty.spoil(table, place)
    elif kind == "unknown_settlement" and points:
        dirty.misdirect(table, place, "setl_id", "settlement")
    else:
        return False
    return True


def _first_row(batch: LandedBatch) -> Place:
    return Place(batch, next(name for name, rows in batch.files.items() if rows), 0)


def _dirty_settlements(
    dirty: DirtyRows,
    tables: dict[str, list[LandedBatch]],
    closed: dict[tuple[str, str], Path],
    busy: set[str],
    late: Path,
    factor: float,
    *,
    has_people: bool,
) -> None:
    """Settlements that are lost, late or refused, and what comes of their children."""
    table, mine = LANDING_BY_NAME["settlement"], tables["settlement"]
    total = sum(batch.rows for batch in mine)
    wanted = {
        kind: max(1, round(rate * factor * total)) for kind, rate in _SETTLEMENT_RATES.items()
    }
    if not has_people:
        del wanted["unknown_member"]
    # Drawn in plenty: those that other faults or refunds are about are left alone.
    free = _free_settlements(dirty, mine, busy, 3 * sum(wanted.values()) + 20)
    children: dict[str, Counter[str]] = defaultdict(Counter)
    for name in _OF_SETTLEMENT:
        readable = [
            replace(batch, folder=closed.get((name, batch.day), batch.folder))
            for batch in tables[name]
        ]
        for batch, setl_id in children_of(readable, "setl_id", set(free)):
            children[setl_id][name] += 1
            if (name, batch.day) in closed:
                free.pop(setl_id, None)
    late_rows: list[pa.Table] = []
    left = list(free.items())
    for kind, count in wanted.items():
        for setl_id, place in left[:count]:
            number = _dirty_settlement(dirty, table, place, kind, late_rows)
            _enter_children(dirty.faults, number, setl_id, children[setl_id])
        left = left[count:]
    if late_rows:
        _write_late_settlements(mine, late_rows, late)


def _free_settlements(
    dirty: DirtyRows, batches: list[LandedBatch], busy: set[str], count: int
) -> dict[str, Place]:
    """Settlements, by id, that no fault and no refund is about."""
    refunded: set[str] = set()
    for batch in batches:
        for name in batch.files:
            rows = read_table(batch.folder / name)
            if "orig_setl_id" in rows.column_names:
                refunded.update(filter(None, rows["orig_setl_id"].to_pylist()))
    free = {}
    for place in dirty.drawn(batches, count):
        record = dirty.record(place)
        setl_id = str(record["setl_id"])
        if not record.get("orig_setl_id") and setl_id not in refunded | busy:
            free[setl_id] = place
    return free


def _dirty_settlement(
    dirty: DirtyRows, table: LandingTable, place: Place, kind: str, late_rows: list[pa.Table]
) -> int:
    if kind == "clock_error":
        return dirty.shift_clock(table, place, beyond=True)
    if kind == "unreadable":
        return dirty.spoil(table, place)
    if kind == "unknown_member":
        return dirty.misdirect(table, place, "psn_no", "person")
    number, row = dirty.remove(table, place, kind)
    if kind == "late_settlement":
        late_rows.append(row)
    return number


def _enter_children(faults: list[Fault], cause: int, setl_id: str, children: Counter[str]) -> None:
    kind = "waiting_child" if faults[cause].kind == "late_settlement" else "orphaned_child"
    reason = "setl_id: points at no row of settlement"
    for table, rows in sorted(children.items()):
        entry = (len(faults), kind, table, "", "", 0, setl_id, rows, *KINDS[kind], reason, cause)
        faults.append(Fault(*entry))


def _write_late_settlements(batches: list[LandedBatch], rows: list[pa.Table], late: Path) -> None:
    """A batch of the day after the last, with the settlements that came late."""
    last = batches[-1]
    day = (date.fromisoformat(last.day) + timedelta(days=1)).isoformat()
    whole = pa.concat_tables(rows)
    whole = with_cells(
        whole, "arrive_time", dict.fromkeys(range(whole.num_rows), f"{day} 09:00:00")
    )
    folder = late / "settlement" / f"batch={day}"
    folder.mkdir(parents=True)
    name = f"part-00000{''.join(Path(next(iter(last.files))).suffixes)}"
    digest = write_table(folder / name, whole)
    control = sums(whole, list(last.manifest.get("control") or {}))
    manifest = {
        "table": "settlement",
        "batch": day,
        "rows": whole.num_rows,
        "control": {column: f"{total.normalize():f}" for column, total in control.items()},
        "files": [{"name": name, "rows": whole.num_rows, "sha256": digest}],
    }
    LandedBatch("settlement", day, folder, manifest).write_manifest()
