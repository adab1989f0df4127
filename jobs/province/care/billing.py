"""From visits to settlements: what they cost, who pays, when it arrives, and what is taken back.

Honest and fraudulent visits go through the same steps, so that no trace of their origin is left.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.arrays.sampling import expanded
from jobs.province.arrays.shapes import INPATIENT, SPECIAL, Columns, Events, stacked
from jobs.province.people.geography import Places
from jobs.province.people.people import EMPLOYEE
from jobs.province.settings import Settings

#: Bits of a settlement's number: unit, month, row of the visit, and whether it is a refund.
_ROW_BITS, _MONTH_BITS = 26, 10
#: Most that the personal account pays of a visit, in cents.
_ACCOUNT_MOST = 4_000


@dataclass(frozen=True)
class Bills(Columns):
    """One row per settlement, refunds included; amounts in cents, times in seconds since the start."""

    #: unique in the province; ids are made from it
    number: Ints
    #: row of the visits
    visit: Ints
    refund: Flags
    time: Ints
    arrive: Ints
    total: Ints
    fund: Ints
    account: Ints
    #: first of its fee lines in `BillLines`, and how many they are
    first_line: Ints
    line_count: Ints


@dataclass(frozen=True)
class BillLines(Columns):
    """One row per fee line as it is settled, in the order of the bills."""

    #: row of the bills
    bill: Ints
    #: row of the lines
    line: Ints
    #: from 1 in every settlement
    serial: Ints
    #: serial of the line that a refund line reverses, 0 for no refund
    reverses: Ints
    #: 1, or -1 in a refund
    sign: Ints
    cents: Ints


@dataclass(frozen=True)
class Settled:
    """The settlements of some events, in the order of their arrival."""

    events: Events
    bills: Bills
    lines: BillLines
    #: row in `bills` of each visit's settlement
    bill_of_visit: Ints


def visit_numbers(unit: int, month: int, visits: int) -> Ints:
    """Numbers of a unit's settlements in a month; those of the refunds are one more."""
    rows = np.arange(visits, dtype=np.int64)
    return ((unit << _MONTH_BITS | month) << _ROW_BITS | rows) << 1


def settled(
    seed: int,
    settings: Settings,
    places: Places,
    unit: int,
    month: int,
    events: Events,
    numbers: Ints,
    insutype_of: Callable[[Ints], Ints],
) -> Settled:
    """Settle the visits of a month.

    Args:
        seed: the province's.
        settings: who pays how much.
        places: where the visits were.
        unit: the task's number.
        month: counted from the start.
        events: visits with their lines, sorted by visit.
        numbers: `visit_numbers` of each visit.
        insutype_of: kind of insurance of people by index.
    """
    rng = generator(seed, "billing", unit, month)
    visits, lines = events.visits, events.lines
    size = len(visits)
    count = np.bincount(lines.visit, minlength=size)
    first = np.cumsum(count) - count
    cents = np.round(np.round(lines.price * 100) * lines.quantity).astype(np.int64)
    total = np.add.reduceat(cents, first) if size else np.empty(0, np.int64)
    fund = _fund(rng, settings, places, events, total, insutype_of(visits.person))
    own = total - fund
    employee = insutype_of(visits.person) == EMPLOYEE
    from_account = employee & (rng.random(size) < settings.billing.account_share)
    account = np.where(from_account, np.minimum(own, _ACCOUNT_MOST), 0)
    bills = Bills(
        number=numbers,
        visit=np.arange(size),
        refund=np.zeros(size, bool),
        time=visits.time,
        arrive=_arrival(rng, settings, visits.time),
        total=total,
        fund=fund,
        account=account,
        first_line=first,
        line_count=count,
    )
    plain = BillLines(
        bill=lines.visit,
        line=np.arange(len(lines)),
        serial=np.arange(len(lines)) - first[lines.visit] + 1,
        reverses=np.zeros(len(lines), np.int64),
        sign=np.ones(len(lines), np.int64),
        cents=cents,
    )
    back, back_lines = _refunds(rng, settings, events, bills, plain)
    every = stacked([bills, back])
    every_line = stacked([plain, back_lines])
    return _in_order(events, every, every_line, size)


def fund_of_lines(result: Settled) -> Floats:
    """What the fund paid for each line as it was settled, in yuan."""
    bills, lines = result.bills, result.lines
    total = np.where(bills.total == 0, 1, bills.total)
    share: Floats = bills.fund[lines.bill] / total[lines.bill] * lines.cents / 100.0
    return share


def _fund(
    rng: np.random.Generator,
    settings: Settings,
    places: Places,
    events: Events,
    total: Ints,
    insutype: Ints,
) -> Ints:
    """What the fund pays, by kind of visit, institution and insurance."""
    visits, billing = events.visits, settings.billing
    sort = places.sort[visits.institution]
    outpatient = np.array(billing.outpatient_fund_share.numbers())[sort]
    inpatient = np.array(billing.inpatient_fund_share.numbers())[sort]
    share = np.where(visits.med_type == INPATIENT, inpatient, outpatient)
    share = share + np.where(insutype == EMPLOYEE, billing.employee_bonus, 0.0)
    # What is outside the catalogue is paid by the patient: little in most visits.
    eligible = 1.0 - np.minimum(rng.exponential(0.015, len(total)), 0.3)
    certified = settings.certificates.fund_share + 0.2 * (share - 0.66)
    share = np.where(visits.med_type == SPECIAL, certified, share)
    cap = np.round(places.visit_cap[visits.institution] * 100)
    # A visit beyond the cap is settled up to it; stays and special diseases have caps of their own.
    capped = (visits.med_type != INPATIENT) & (visits.med_type != SPECIAL)
    base = np.where(capped, np.minimum(total, cap), total)
    fund: Ints = np.floor(base * np.clip(share, 0, 0.97) * eligible).astype(np.int64)
    return fund


def _arrival(rng: np.random.Generator, settings: Settings, time: Ints) -> Ints:
    """When the settlement centre receives it: within the hour, the night after, or days later."""
    billing, size = settings.billing, len(time)
    soon = time + rng.integers(20, 3600, size)
    night = (time // DAY + 1) * DAY + rng.integers(3600, 5 * 3600, size)
    late = time + 3600 + (rng.exponential(billing.late_days, size) * DAY).astype(np.int64)
    chance = rng.random(size)
    arrive: Ints = np.where(
        chance < billing.late_share,
        late,
        np.where(chance < billing.late_share + billing.next_day_share, night, soon),
    )
    return arrive


def _refunds(
    rng: np.random.Generator, settings: Settings, events: Events, bills: Bills, lines: BillLines
) -> tuple[Bills, BillLines]:
    """Some outpatient settlements taken back within days, whole or in part."""
    billing, visits = settings.billing, events.visits
    chosen = (rng.random(len(bills)) < billing.refund_rate) & (visits.med_type != INPATIENT)
    rows = np.flatnonzero(chosen & (bills.total > 0))
    who, turn = expanded(bills.line_count[rows])
    old = bills.first_line[rows][who] + turn
    partial = rng.random(len(rows)) < billing.partial_refund_share
    # Of a partial refund's lines every second one comes back on average, the first always.
    back = ~partial[who] | (turn == 0) | (rng.random(len(who)) < 0.4)
    who, old = who[back], old[back]
    count = np.bincount(who, minlength=len(rows))
    first = np.cumsum(count) - count
    cents = -lines.cents[old]
    total = np.add.reduceat(cents, first) if len(rows) else np.empty(0, np.int64)
    share = total / np.maximum(bills.total[rows], 1)
    whole = count == bills.line_count[rows]
    fund = np.where(whole, -bills.fund[rows], np.ceil(bills.fund[rows] * share)).astype(np.int64)
    account = np.where(whole, -bills.account[rows], np.ceil(bills.account[rows] * share))
    wait = np.where(rng.random(len(rows)) < 0.6, 0, 1 + rng.integers(0, 9, len(rows)))
    left = np.maximum((19 * 3600 - bills.time[rows] % DAY), 1800)
    later = (rng.random(len(rows)) * np.where(wait == 0, left, 3600)).astype(np.int64)
    time = bills.time[rows] + wait * DAY + np.maximum(later, 120)
    refunds = Bills(
        number=bills.number[rows] + 1,
        visit=rows,
        refund=np.ones(len(rows), bool),
        time=time,
        arrive=np.maximum(_arrival(rng, settings, time), bills.arrive[rows] + 60),
        total=total,
        fund=fund,
        account=account.astype(np.int64),
        first_line=first + len(lines),
        line_count=count,
    )
    reversing = BillLines(
        bill=who + len(bills),
        line=lines.line[old],
        serial=np.arange(len(who)) - first[who] + 1,
        reverses=lines.serial[old],
        sign=np.full(len(who), -1),
        cents=cents,
    )
    return refunds, reversing


def _in_order(events: Events, bills: Bills, lines: BillLines, visits: int) -> Settled:
    """Settlements as they arrive, ties by number, and their lines after them."""
    order = np.lexsort((bills.number, bills.arrive))
    sorted_bills = bills.take(order)
    which, turn = expanded(sorted_bills.line_count)
    sorted_lines = lines.take(sorted_bills.first_line[which] + turn)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    count = sorted_bills.line_count
    moved = {each.name: getattr(sorted_bills, each.name) for each in fields(Bills)}
    moved_lines = {each.name: getattr(sorted_lines, each.name) for each in fields(BillLines)}
    return Settled(
        events=events,
        bills=Bills(**{**moved, "first_line": np.cumsum(count) - count}),
        lines=BillLines(**{**moved_lines, "bill": which}),
        bill_of_visit=place[:visits],
    )
