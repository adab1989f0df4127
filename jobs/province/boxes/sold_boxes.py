"""The boxes that a unit sells in a month: which code each has, and whether the sale is scanned."""

from dataclasses import dataclass, replace

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags, Ints
from jobs.province.arrays.shapes import DRUG, Columns, Lines, Visits
from jobs.province.boxes.boxes import ReusedCodes
from jobs.province.boxes.scanners import Scanners
from jobs.province.boxes.trace_codes import box_serials
from jobs.province.care.catalogue import CATALOGUE

_HOUR = 3_600
#: `SoldBoxes.mishap`: why two honest boxes have one code; words of `truth_benign.benign_type`.
MISHAPS = ("returned_box", "miskeyed_code", "careless_counter")
RETURNED, MISKEYED, CARELESS = range(len(MISHAPS))


@dataclass(frozen=True)
class Returns(Columns):
    """Lines that a refund takes back, one row a line."""

    line: Ints
    #: boxes that come back, at most those of the line
    boxes: Ints
    time: Ints
    #: when the refund's settlement arrives
    arrive: Ints


@dataclass(frozen=True)
class SoldBoxes(Columns):
    """One row per box that a unit sells in a month, in the order of its number."""

    number: Ints
    line: Ints
    visit: Ints
    drug: Ints
    institution: Ints
    time: Ints
    serial: Ints
    #: a part of an opened pack
    is_split: Flags
    is_scanned: Flags
    #: carries the code of a box that a gang had sold before
    is_reused: Flags
    #: its code has been scanned in for another sale
    is_known: Flags
    #: index into `MISHAPS`: why it shares its code with an honest box, -1 it does not
    mishap: Ints


def sold_boxes(
    scanners: Scanners,
    rng: np.random.Generator,
    unit: int,
    month: int,
    visits: Visits,
    lines: Lines,
    returns: Returns,
    reused: ReusedCodes,
) -> SoldBoxes:
    """The boxes of some lines, each with its code."""
    boxes = _boxes(scanners, rng, unit, month, visits, lines)
    boxes = _with_reused(boxes, reused, unit)
    boxes = _with_sold_again(scanners, rng, boxes, returns)
    boxes = _with_mistakes(scanners, rng, boxes)
    return _with_one_label(scanners, rng, boxes)


def _boxes(
    scanners: Scanners,
    rng: np.random.Generator,
    unit: int,
    month: int,
    visits: Visits,
    lines: Lines,
) -> SoldBoxes:
    """The boxes with their own codes, numbered as `boxes.box_starts` does."""
    habits = scanners.habits
    count = np.where(lines.item_type == DRUG, np.ceil(lines.quantity), 0).astype(np.int64)
    line = np.repeat(np.arange(len(lines)), count)
    visit, drug = lines.visit[line], lines.drug[line]
    institution, time = visits.institution[visit], visits.time[visit]
    number = np.arange(len(line))
    day = scanners.start + time // DAY
    since = day - np.maximum(CATALOGUE.trace_from[drug], scanners.upload_from[institution])
    coded = 1 - habits.old_stock * np.exp(-np.maximum(since, 0) / habits.old_stock_days)
    may_scan = day >= scanners.upload_from[institution]
    coded = np.where(since >= 0, coded, habits.early_share * may_scan)
    # The boxes of a line come from one shelf: all of them are of the old stock, or none.
    is_coded = rng.random(len(lines))[line] < coded
    is_missed = rng.random(len(line)) < scanners.missed_sale[institution]
    opens = rng.random(len(lines))[line] < np.array(habits.split)[scanners.kind[institution]]
    is_split = (opens & (lines.quantity[line] <= 1) & ~CATALOGUE.cold_chain[drug]) | (
        lines.quantity[line] % 1 != 0
    )
    opened = _opened(institution, drug, is_split)
    return SoldBoxes(
        number=number,
        line=line,
        visit=visit,
        drug=drug,
        institution=institution,
        time=time,
        serial=box_serials(unit, month, opened),
        is_split=is_split,
        is_scanned=is_coded & ~is_missed,
        is_reused=np.zeros(len(line), dtype=bool),
        is_known=opened != number,
        mishap=np.full(len(line), -1),
    )


def _opened(institution: Ints, drug: Ints, is_split: Flags) -> Ints:
    """Number of the pack that a part is sold from: the first opened of that drug there in the month."""
    number = np.arange(len(drug))
    shelf = (institution << 10) + drug
    parts = np.flatnonzero(is_split)
    _, first, which = np.unique(shelf[parts], return_index=True, return_inverse=True)
    number[parts] = parts[first][which]
    return number


def _changed(boxes: SoldBoxes, at: Ints, serial: Ints, flag: str) -> SoldBoxes:
    """The boxes with other serials at some places, which are whole packs, and a flag set there."""
    names = ("serial", "is_split", flag)
    changed = {name: getattr(boxes, name).copy() for name in names}
    for name, value in zip(names, (serial, False, True), strict=True):
        changed[name][at] = value
    return replace(boxes, **changed)


def _with_code_of(boxes: SoldBoxes, at: Ints, source: Ints, mishap: int) -> SoldBoxes:
    """The boxes, some of which have the code of another one; both are marked."""
    changed = _changed(boxes, at, boxes.serial[source], "is_known")
    both = boxes.mishap.copy()
    both[source] = mishap
    both[at] = mishap
    return replace(changed, mishap=both)


def _with_reused(boxes: SoldBoxes, reused: ReusedCodes, unit: int) -> SoldBoxes:
    if not len(reused):
        return boxes
    at = np.searchsorted(boxes.line, reused.line, side="left") + reused.box
    serial = box_serials(unit, reused.origin_month, reused.origin_number)
    return _changed(boxes, at, serial, "is_reused")


def _with_sold_again(
    scanners: Scanners, rng: np.random.Generator, boxes: SoldBoxes, returns: Returns
) -> SoldBoxes:
    """Returned boxes on sale again: the next buyer of that drug there gets the same code."""
    goes_back = rng.random(len(returns)) < scanners.habits.sold_again
    if not len(boxes) or not goes_back.any():
        return boxes
    first = np.searchsorted(boxes.line, returns.line[goes_back], side="left")
    time = returns.time[goes_back] + _HOUR
    shelf = (boxes.institution << 10) + boxes.drug
    # One number for shelf and time, so that one search finds the next sale on the same shelf.
    when = (shelf << 30) + boxes.time
    order = np.argsort(when, kind="stable")
    found = np.searchsorted(when[order], (shelf[first] << 30) + time)
    buyer = order[np.minimum(found, len(order) - 1)]
    fits = (found < len(order)) & (shelf[buyer] == shelf[first]) & ~boxes.is_split[first]
    buyer, chosen = np.unique(buyer[fits], return_index=True)
    return _with_code_of(boxes, buyer, first[fits][chosen], RETURNED)


def _with_mistakes(scanners: Scanners, rng: np.random.Generator, boxes: SoldBoxes) -> SoldBoxes:
    """Codes taken down wrongly: that of another box of the drug, often one sold elsewhere."""
    order = np.argsort(boxes.drug, kind="stable")
    place = np.flatnonzero(rng.random(len(boxes)) < scanners.habits.mistaken)
    other = place - rng.integers(1, 6, len(place))
    mine, others = order[place], order[np.maximum(other, 0)]
    fits = (other >= 0) & (boxes.drug[mine] == boxes.drug[others])
    fits &= ~boxes.is_reused[mine] & ~boxes.is_split[others]
    return _with_code_of(boxes, mine[fits], others[fits], MISKEYED)


def _with_one_label(scanners: Scanners, rng: np.random.Generator, boxes: SoldBoxes) -> SoldBoxes:
    """At careless counters the label of the box sold before, of the same drug, is scanned once more."""
    slips = scanners.careless[boxes.institution]
    slips &= rng.random(len(boxes)) < scanners.habits.careless_box
    if not slips.any():
        return boxes
    shelf = (boxes.institution << 10) + boxes.drug
    order = np.lexsort((boxes.number, boxes.time, shelf))
    place = np.flatnonzero(slips[order])
    mine, others = order[place], order[np.maximum(place - 1, 0)]
    fits = (place > 0) & (shelf[mine] == shelf[others]) & ~slips[others]
    fits &= ~boxes.is_reused[mine] & ~boxes.is_split[others] & ~boxes.is_known[mine]
    return _with_code_of(boxes, mine[fits], others[fits], CARELESS)
