"""The scans of all units of a task in a month, with the settlements that they belong to."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from jobs.province.arrays.draws import Ints
from jobs.province.arrays.shapes import Events, stacked
from jobs.province.boxes.boxes import ReusedCodes
from jobs.province.boxes.scanners import Scanners
from jobs.province.boxes.scans import SALE, Returns, Scans, scans
from jobs.province.boxes.sold_boxes import MISHAPS
from jobs.province.care.bill_tables import Arrivals, Ids
from jobs.province.care.billing import Settled
from jobs.province.landing.flow_tables import trace_scans
from jobs.province.people.geography import Places

#: People, and the benign type that they have.
Mishaps = tuple[Ints, str]


def unit_scans(
    ids: Ids,
    scanners: Scanners,
    places: Places,
    month: int,
    units: Sequence[tuple[int, Events, ReusedCodes]],
    result: Settled,
    setl_ids: pa.Array,
) -> tuple[Arrivals, list[Mishaps]]:
    """Rows of `trace_scan`, and who shares a code with somebody by no fault of theirs.

    Args:
        ids: how numbers become identifiers.
        scanners: the institutions' scanning.
        places: the institutions.
        month: counted from the start.
        units: number, events and returning codes of each unit, in the order in which they were settled.
        result: their settlements.
        setl_ids: the identifiers of these.
    """
    bills, billed = result.bills, result.lines
    back = np.flatnonzero((billed.sign < 0) & (result.events.lines.drug[billed.line] >= 0))
    arrive = bills.arrive[result.bill_of_visit]
    boxes = np.ceil(result.events.lines.quantity).astype(np.int64)
    found: list[Scans] = []
    found_bills: list[Ints] = []
    visit = line = 0
    for unit, events, reused in units:
        visits, lines = events.visits, events.lines
        mine = back[(billed.line[back] >= line) & (billed.line[back] < line + len(lines))]
        bill, old = billed.bill[mine], billed.line[mine]
        returns = Returns(old - line, boxes[old], bills.time[bill], bills.arrive[bill])
        of_unit = arrive[visit : visit + len(visits)]
        scanned = scans(scanners, unit, month, visits, lines, of_unit, returns, reused)
        # The last entry serves scans that belong to no settlement.
        sales = np.append(result.bill_of_visit[visit : visit + len(visits)], -1)
        refunds = np.append(bill, -1)
        found.append(scanned)
        found_bills.append(np.maximum(sales[scanned.visit], refunds[scanned.refund]))
        visit, line = visit + len(visits), line + len(lines)
    of_scan = np.concatenate(found_bills)
    start = scanners.start
    scanned = stacked(found)
    sold = scanned.take((scanned.mishap >= 0) & (scanned.scan_type == SALE))
    mishaps = [
        (np.unique(sold.person[sold.mishap == number]), word) for number, word in enumerate(MISHAPS)
    ]
    return trace_scans(ids, start, places, scanned, of_scan, setl_ids), mishaps
