"""What gangs do in a month: their visits, the boxes that come back, and what they send away."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Ints, generator
from jobs.province.arrays.shapes import Events, joined, stacked
from jobs.province.boxes.boxes import ReusedCodes
from jobs.province.boxes.resale import no_codes, no_stock, put_aside, sold_again, swapped
from jobs.province.gangs import fraud_cards, fraud_shops, fraud_wards
from jobs.province.gangs.at_work import GangAtWork, gang_at_work
from jobs.province.gangs.gangs import (
    CASH_PER_BOX,
    CERTIFICATE_ABUSE,
    CODE_SWAP,
    COLD_CHAIN,
    HOSPITAL_STALL,
    LONE_COLLECTOR,
    PHARMACY_RING,
    REMOTE_VOUCHER,
    RENTED_CARDS,
    STAFF_HOARD,
    Plan,
    Province,
)
from jobs.province.gangs.outings import Outings
from jobs.province.gangs.purchases import bought
from jobs.province.gangs.settings import GangSettings
from jobs.province.gangs.supply import Supply
from jobs.province.inquiry.parcels import Parcels, gang_parcels

_FAMILIES: dict[int, Callable[[np.random.Generator, GangAtWork, int, int], Outings]] = {
    RENTED_CARDS: fraud_cards.outings,
    CASH_PER_BOX: fraud_cards.outings,
    HOSPITAL_STALL: fraud_cards.outings,
    COLD_CHAIN: fraud_cards.outings,
    LONE_COLLECTOR: fraud_cards.outings,
    PHARMACY_RING: fraud_shops.outings,
    REMOTE_VOUCHER: fraud_shops.outings,
    CODE_SWAP: fraud_shops.outings,
    CERTIFICATE_ABUSE: fraud_wards.outings,
    STAFF_HOARD: fraud_wards.outings,
}


@dataclass(frozen=True)
class GangMonth:
    """What one gang adds to the province in one month."""

    gang: int
    month: int
    #: visits with `gang` set, and those of honest customers (gang -1) to whom its boxes are resold; in
    #: the order of time. They are to be billed and scanned as they are: numbers of boxes depend on it.
    events: Events
    #: boxes of `events` that carry a code sold before, by numbers of this gang's months
    reused: ReusedCodes
    #: sent in this month, as far as they are ever laid open; many arrive in a later one
    parcels: Parcels


def gang_months(
    province: Province, settings: GangSettings, plan: Plan, gang: int, months: int
) -> Iterator[GangMonth]:
    """The months of one gang in order, as far as they are wanted.

    What a month leaves behind is the supply on the cards, the stock of boxes to be resold and the codes
    that are known: a gang that is gone goes on until its last box has surfaced. Months without anything are left out.
    """
    at_work = gang_at_work(province, settings, plan, gang)
    stock, known = no_stock(), no_codes()
    supply = Supply(len(at_work.cards))
    last_day = int(np.max(at_work.cards.to_day, initial=-1))
    for month in range(months):
        first, after = province.settings.month_days(month)
        if first >= last_day and not len(stock):
            return
        rng = generator(province.seed, "gang", gang, month)
        outings = _FAMILIES[at_work.typology](rng, at_work, first, after)
        own = bought(rng, at_work, _possible(at_work, outings, first, after), supply)
        due = stock.take(stock.day < after)
        stock = stock.take(stock.day >= after)
        resold, codes = sold_again(rng, at_work, due.take(due.day >= first))
        events, moved = _in_time_order(joined([own, resold]))
        codes = replace(codes, line=moved[len(own.lines) + codes.line])
        swaps, known = swapped(rng, at_work, month, events, known)
        stock = stacked([stock, put_aside(rng, at_work, month, events)])
        parcels = gang_parcels(rng, at_work, month, own)
        if len(events.visits) or len(parcels):
            yield GangMonth(gang, month, events, stacked([codes, swaps]), parcels)


class Ahead:
    """A gang's months, one of them looked at before its turn."""

    def __init__(self, months: Iterator[GangMonth]) -> None:
        self.months = months
        self.next = next(months, None)

    def take(self, month: int) -> GangMonth | None:
        """What the gang does in a month; nothing if it rests."""
        found = self.next
        is_due = found is not None and found.month == month
        self.next = next(self.months, None) if is_due else found
        return found if is_due else None


def _possible(gang: GangAtWork, outings: Outings, first: int, after: int) -> Outings:
    """Outings within the month and within the time in which the account can be used."""
    day = outings.time // DAY
    cards = gang.cards
    within = (day >= first) & (day < after)
    within &= (day >= cards.from_day[outings.card]) & (day < cards.to_day[outings.card])
    return outings.take(within)


def _in_time_order(events: Events) -> tuple[Events, Ints]:
    """Visits in the order of time, and where each line went."""
    order = np.argsort(events.visits.time, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    visit = place[events.lines.visit]
    line_order = np.argsort(visit, kind="stable")
    moved = np.empty(len(line_order), np.int64)
    moved[line_order] = np.arange(len(line_order))
    lines = replace(events.lines, visit=visit).take(line_order)
    return Events(events.visits.take(order), lines), moved
