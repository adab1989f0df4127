"""Trace scans: what institutions scan when boxes come in, when they are sold and when they come back."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags, Ints, generator, mixed
from jobs.province.arrays.shapes import Columns, Lines, Visits, stacked
from jobs.province.boxes.boxes import ReusedCodes
from jobs.province.boxes.scanners import Scanners
from jobs.province.boxes.sold_boxes import Returns as Returns
from jobs.province.boxes.sold_boxes import SoldBoxes, sold_boxes
from jobs.province.boxes.trace_codes import (
    AGAIN,
    BACK,
    IN,
    OUT,
    box_serials,
    scan_ids,
    trace_codes,
)

#: `Scans.scan_type`, the words of the landing contract.
SCAN_TYPES = ("inbound", "sale", "return")
INBOUND, SALE, RETURN = range(3)
#: Longest time between two lots of a drug, in days less four, by kind of institution (hospital, clinic,
#: pharmacy, village). A proposal.
_LONGEST_RHYTHM = np.array([12, 25, 35, 45])

_HOUR, _MINUTE = 3_600, 60


@dataclass(frozen=True)
class Scans(Columns):
    """One row per scan, in the columns of `trace_scan`; times in seconds since the province's start."""

    scan_id: npt.NDArray[np.bytes_]
    code: npt.NDArray[np.bytes_]
    #: index into `SCAN_TYPES`
    scan_type: Ints
    time: Ints
    institution: Ints
    drug: Ints
    #: row of the visits for a sale, -1 otherwise
    visit: Ints
    #: row of the returns for a return, -1 otherwise
    refund: Ints
    #: -1 for an inbound scan
    person: Ints
    split_pack: Flags
    arrive: Ints
    #: index into `sold_boxes.MISHAPS`, -1 none
    mishap: Ints


def scans(
    scanners: Scanners,
    unit: int,
    month: int,
    visits: Visits,
    lines: Lines,
    arrive: Ints,
    returns: Returns,
    reused: ReusedCodes,
) -> Scans:
    """All scans of the boxes that a unit sells in a month, and of those that come back from it.

    No scan arrives before its month begins, so a month's batch never waits for a later month.

    Args:
        scanners: the institutions' scanning.
        unit: a task's first cell, or `trace_codes.GANG_UNITS` and a gang.
        month: counted from the province's start.
        visits: the unit's visits of the month.
        lines: their lines.
        arrive: when each visit's settlement arrives.
        returns: the lines of `lines` that are taken back.
        reused: boxes that carry the code of one sold before.
    """
    rng = generator(scanners.seed, "scans", unit, month)
    boxes = sold_boxes(scanners, rng, unit, month, visits, lines, returns, reused)
    sold = boxes.take(boxes.is_scanned)
    uploaded = np.maximum(arrive[sold.visit], sold.time) + _delay(scanners, rng, len(sold))
    sale_time = sold.time - rng.integers(15, 6 * _MINUTE, len(sold))
    again = rng.random(len(sold)) < scanners.habits.rescanned
    second_time = np.minimum(sale_time + rng.integers(3, 90, len(sold)), sold.time)
    came_in, in_time, in_arrive = _inbound(scanners, rng, month, sold, uploaded)
    back, row = _returned(boxes, returns)
    back_arrive = returns.arrive[row] + rng.integers(0, 3 * _MINUTE, len(row))

    def person(boxes: SoldBoxes) -> Ints:
        return visits.person[boxes.visit]

    def none(boxes: SoldBoxes) -> Ints:
        return np.full(len(boxes), -1)

    def part(
        scan_type: int, kind: int, mine: SoldBoxes, time: Ints, arrive: Ints, **columns: Ints
    ) -> Scans:
        return Scans(
            scan_id=scan_ids(scanners.seed, box_serials(unit, month, mine.number), kind),
            code=trace_codes(scanners.seed, mine.drug, mine.serial),
            scan_type=np.full(len(mine), scan_type),
            time=time,
            institution=mine.institution,
            drug=mine.drug,
            split_pack=mine.is_split,
            arrive=arrive,
            mishap=mine.mishap,
            **({"visit": none(mine), "refund": none(mine), "person": none(mine)} | columns),
        )

    sale = {"visit": sold.visit, "person": person(sold)}
    twice = sold.take(again)
    return stacked(
        [
            part(INBOUND, IN, came_in, in_time, in_arrive),
            part(SALE, OUT, sold, sale_time, uploaded, **sale),
            part(
                SALE,
                AGAIN,
                twice,
                second_time[again],
                uploaded[again],
                visit=twice.visit,
                person=person(twice),
            ),
            part(
                RETURN, BACK, back, returns.time[row], back_arrive, refund=row, person=person(back)
            ),
        ]
    )


def _delay(scanners: Scanners, rng: np.random.Generator, size: int) -> Ints:
    """Seconds from a settlement's arrival to that of its scans."""
    habits = scanners.habits
    days = rng.exponential(habits.late_days, size)
    is_late = rng.random(size) < habits.late
    delay: Ints = np.where(is_late, days * DAY, rng.integers(0, 3 * _MINUTE, size)).astype(np.int64)
    return delay


def _inbound(
    scanners: Scanners,
    rng: np.random.Generator,
    month: int,
    sold: SoldBoxes,
    uploaded: Ints,
) -> tuple[SoldBoxes, Ints, Ints]:
    """The sold boxes that were scanned in, when, and when that arrives.

    They came in lots, each drug at each institution in its own rhythm.
    """
    habits, size = scanners.habits, len(sold)
    shelf = mixed((sold.institution << 10) + sold.drug, scanners.seed, "lots").astype(np.int64)
    rhythm = (4 + (shelf & 0xFFFF) % _LONGEST_RHYTHM[scanners.kind[sold.institution]]) * DAY
    phase = (shelf >> 16 & 0xFFFF_FFFF) % rhythm
    lot = (sold.time - phase) // rhythm - (rng.geometric(0.8, size) - 1)
    day = (lot * rhythm + phase) // DAY
    hour = 7 * _HOUR + (shelf >> 8 & 0xFFFF) % (10 * _HOUR)
    time = day * DAY + hour + rng.integers(0, 25 * _MINUTE, size)
    time = np.where(time < sold.time - _HOUR, time, time - rhythm)
    # A box that was bought back came in after it had been sold elsewhere, not with its lot.
    bought = sold.time - (rng.uniform(0.2, 6, size) * DAY).astype(np.int64)
    time = np.where(sold.is_reused, bought, time)
    # Who begins to upload scans what is on the shelf on the first day.
    first_upload = (scanners.upload_from[sold.institution] - scanners.start) * DAY
    stocktake = first_upload + rng.integers(8 * _HOUR, 17 * _HOUR, size)
    time = np.where(time < first_upload, stocktake, time)
    night = (time // DAY + 1) * DAY + rng.integers(_HOUR, 5 * _HOUR, size)
    goes_nightly = scanners.nightly[sold.institution] & (night < uploaded)
    goes_nightly &= night >= scanners.month_start(month)
    is_missed = rng.random(size) < scanners.missed_inbound[sold.institution]
    is_missed |= sold.is_reused & (rng.random(size) >= habits.reused_inbound)
    kept = ~sold.is_known & ~is_missed & (time < sold.time)
    return sold.take(kept), time[kept], np.where(goes_nightly, night, uploaded)[kept]


def _returned(boxes: SoldBoxes, returns: Returns) -> tuple[SoldBoxes, Ints]:
    """The boxes that come back, the first of each line, and the row of `returns` for each."""
    row = np.repeat(np.arange(len(returns)), returns.boxes)
    within = np.arange(len(row)) - np.repeat(
        np.cumsum(returns.boxes) - returns.boxes, returns.boxes
    )
    at = np.searchsorted(boxes.line, returns.line[row], side="left") + within
    is_scanned = boxes.is_scanned[at]
    return boxes.take(at[is_scanned]), row[is_scanned]
