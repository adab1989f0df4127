"""What can be seen of people from outside, month by month."""

import numpy as np

from jobs.province.care.billing import Settled
from jobs.province.inquiry.inquiry import MonthTotals
from jobs.province.people.neighbours import Neighbours


def month_totals(here: Neighbours, result: Settled) -> MonthTotals:
    """What can be seen of each of these people in a month."""
    visits, lines = result.events.visits, result.events.lines
    inside = (visits.person >= here.first) & (visits.person < here.first + len(here.people))
    position = np.where(inside, visits.person - here.first, len(here.people))
    size = len(here.people) + 1
    count = np.bincount(position, minlength=size)
    pairs, times = np.unique(position << 32 | visits.institution, return_counts=True)
    owner = pairs >> 32
    is_drug = lines.drug >= 0
    of_line = position[lines.visit[is_drug]]
    boxes = np.bincount(of_line, lines.quantity[is_drug], minlength=size)
    amount = np.bincount(of_line, (lines.quantity * lines.price)[is_drug], minlength=size)
    proxy = visits.proxy - here.first
    proxy = proxy[(visits.proxy >= 0) & (proxy >= 0) & (proxy < len(here.people))]
    order = np.lexsort((times, owner))
    most = np.full(size, -1)
    most[owner[order]] = (pairs & 0xFFFFFFFF)[order]
    errands = np.bincount(proxy, minlength=size)
    rows = np.flatnonzero(count[:-1] > 0)
    return MonthTotals(
        person=here.first + rows,
        visits=count[rows],
        institutions=np.bincount(owner, minlength=size)[rows],
        boxes=boxes[rows].astype(np.float64),
        drug_amount=amount[rows].astype(np.float64),
        errands=errands[rows],
        institution=most[rows],
    )
