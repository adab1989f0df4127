"""Boxes after they were bought: resold through pharmacies, or their codes used for other goods."""

from dataclasses import dataclass

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Ints, generator, pick
from jobs.province.arrays.shapes import (
    DRUG,
    E_VOUCHER,
    IDENTITY_CARD,
    INSURANCE_CARD,
    PHARMACY,
    Columns,
    Events,
    Visits,
    stacked,
)
from jobs.province.boxes.boxes import ReusedCodes, box_starts, no_reuse
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.care.fees import drug_lines
from jobs.province.gangs.at_work import GangAtWork, sold_at
from jobs.province.gangs.founding import spread
from jobs.province.gangs.gangs import PHARMACY_ROLE
from jobs.province.people.geography import A_PHARMACY
from jobs.province.people.neighbours import diagnosis_lists, hour_lists

#: boxes whose codes a shop keeps at hand as pictures, for each drug
_KEPT_CODES = 6
_SECOND_BOX = 0.3


@dataclass(frozen=True)
class Stock(Columns):
    """One row per box that will surface again."""

    drug: Ints
    #: the month in which the gang bought it, and its number among the boxes of that month
    month: Ints
    number: Ints
    #: when and where it is sold again
    day: Ints
    institution: Ints


@dataclass(frozen=True)
class KnownCodes(Columns):
    """Codes of boxes sold before, kept to be scanned for other goods."""

    drug: Ints
    month: Ints
    number: Ints


def no_stock() -> Stock:
    """Nothing to resell."""
    none = np.empty(0, np.int64)
    return Stock(none, none, none, none, none)


def no_codes() -> KnownCodes:
    """No code is known yet."""
    none = np.empty(0, np.int64)
    return KnownCodes(none, none, none)


def put_aside(rng: np.random.Generator, gang: GangAtWork, month: int, events: Events) -> Stock:
    """The boxes of a month that will surface at pharmacies, with code, weeks or months later."""
    resale, skill = gang.settings.resale, gang.skill(gang.province.settings.month_days(month)[0])
    peeled = resale.peeled.at(skill)
    lines = events.lines
    is_goods = (
        (lines.item_type == DRUG) & (lines.misused > 0) & (events.visits.gang[lines.visit] >= 0)
    )
    line = np.repeat(np.arange(len(lines)), np.where(is_goods, lines.quantity, 0).astype(np.int64))
    box = np.arange(len(line)) - np.searchsorted(line, line)
    chance = gang.habits.flow.to_pharmacies * (1 - peeled) * lines.misused[line]
    kept = rng.random(len(line)) < chance
    line, box = line[kept], box[kept]
    outlets = _outlets(gang)
    where = outlets[pick(rng, 1.0 / (1 + np.arange(len(outlets))), len(line))]
    places = gang.province.places
    legal = sold_at(lines.drug[line], np.ones(len(line), np.bool_), places.dual[where])
    line, box, where = line[legal], box[legal], where[legal]
    lag = np.rint(spread(rng, resale.lag_days, len(line))).astype(np.int64)
    return Stock(
        drug=lines.drug[line],
        month=np.full(len(line), month),
        number=box_starts(lines)[line] + box,
        day=events.visits.time[lines.visit[line]] // DAY + lag,
        institution=where,
    )


def sold_again(
    rng: np.random.Generator, gang: GangAtWork, due: Stock
) -> tuple[Events, ReusedCodes]:
    """Honest people who buy the resold boxes: their visits, and the codes on those boxes."""
    customers, places = gang.customers, gang.province.places
    settings = gang.province.settings
    # Each box goes to someone who needs it, if the gang's customers include one.
    use = CATALOGUE.use[due.drug]
    needs = (customers.conditions[None, :] >> np.minimum(use, 62)[:, None]) & 1 == 1
    alive = customers.until[None, :] > due.day[:, None]
    key = rng.random(needs.shape) + 2.0 * needs + 5.0 * alive
    buyer = np.argmax(key, axis=1)
    possible = alive[np.arange(len(due)), buyer]
    due, buyer = due.take(possible), buyer[possible]
    count = len(due)
    hour = hour_lists().one(places.sort[due.institution], rng.random(count))
    time = due.day * DAY + hour * 3600 + rng.integers(0, 3600, count)
    chance = rng.random(count)
    billing = settings.billing
    shown = np.where(
        chance < billing.e_voucher_share,
        E_VOUCHER,
        np.where(chance > 1 - billing.identity_card_share, IDENTITY_CARD, INSURANCE_CARD),
    )
    none = np.full(count, -1)
    visits = Visits(
        person=customers.person[buyer],
        institution=due.institution,
        doctor=none,
        time=time,
        med_type=np.full(count, PHARMACY),
        diagnosis=diagnosis_lists().one(CATALOGUE.use[due.drug], rng.random(count)),
        stay=np.zeros(count, np.int64),
        certificate_type=shown,
        device=np.where(shown == E_VOUCHER, customers.phone[buyer], -1),
        terminal=(rng.random(count) * places.terminals[due.institution]).astype(np.int64),
        proxy=none,
        relation=none,
        gang=none,
    )
    boxes = np.where(rng.random(count) < _SECOND_BOX, 2.0, 1.0)
    stated = rng.random(count) < settings.care.stated_days_share
    days = np.where(stated, np.round(boxes * CATALOGUE.days_per_box[due.drug]), np.nan)
    lines = drug_lines(places, due.institution, np.arange(count), due.drug, boxes, days)
    reused = ReusedCodes(np.arange(count), np.zeros(count, np.int64), due.month, due.number)
    return Events(visits, lines), reused


def swapped(
    rng: np.random.Generator, gang: GangAtWork, month: int, events: Events, known: KnownCodes
) -> tuple[ReusedCodes, KnownCodes]:
    """Boxes settled with the code of another: what was handed out is something else, or nothing.

    Returns:
        The boxes whose code was sold before, and the codes known after this month.
    """
    if gang.habits.flow.swapped == 0:
        return no_reuse(), known
    lines, visits = events.lines, events.visits
    shops = gang.colluders.institution[gang.colluders.role == PHARMACY_ROLE]
    inside = np.isin(visits.institution, shops) & (visits.gang >= 0)
    mine = (lines.item_type == DRUG) & inside[lines.visit] & (lines.misused > 0)
    line = np.repeat(np.arange(len(lines)), np.where(mine, lines.quantity, 0).astype(np.int64))
    box = np.arange(len(line)) - np.searchsorted(line, line)
    number = box_starts(lines)[line] + box
    drug = lines.drug[line]
    wanted = rng.random(len(line)) < gang.habits.flow.swapped
    parts: list[ReusedCodes] = []
    for product in np.unique(drug[wanted]):
        of_product = drug == product
        # Codes of earlier months, then those of this month's boxes that carry their own.
        own = np.flatnonzero(of_product & ~wanted)[:_KEPT_CODES]
        earlier = known.take(known.drug == product)
        months = np.concatenate([earlier.month, np.full(len(own), month)])
        numbers = np.concatenate([earlier.number, number[own]])
        for_box = np.flatnonzero(of_product & wanted)
        # A picture can only be used after the box was scanned for the first time.
        usable = len(earlier) + np.searchsorted(number[own], number[for_box])
        for_box, usable = for_box[usable > 0], usable[usable > 0]
        source = (rng.random(len(for_box)) * usable).astype(np.int64)
        parts.append(ReusedCodes(line[for_box], box[for_box], months[source], numbers[source]))
    fresh = np.flatnonzero(~wanted)
    learnt = KnownCodes(drug[fresh], np.full(len(fresh), month), number[fresh])
    return stacked([no_reuse(), *parts]), _latest(stacked([learnt, known]))


def _latest(known: KnownCodes) -> KnownCodes:
    """Some codes of every drug, the new ones first."""
    order = np.argsort(known.drug, kind="stable")
    starts = np.searchsorted(known.drug[order], known.drug[order])
    return known.take(order[np.arange(len(order)) - starts < _KEPT_CODES])


def _outlets(gang: GangAtWork) -> Ints:
    """Pharmacies that buy from the gang: its own first, others here, some in other provinces."""
    rng = generator(gang.province.seed, "outlets", gang.number)
    places, resale = gang.province.places, gang.settings.resale
    pharmacies = np.flatnonzero(places.sort == A_PHARMACY)
    here, there = (
        pharmacies[~places.elsewhere[pharmacies]],
        pharmacies[places.elsewhere[pharmacies]],
    )
    own = gang.colluders.institution[gang.colluders.role == PHARMACY_ROLE]
    # Any pharmacy sells: a busy one no likelier than a quiet one.
    far = rng.random(resale.outlets) < resale.elsewhere if len(there) else np.zeros(0, np.bool_)
    far = far if len(far) else np.zeros(resale.outlets, np.bool_)
    chosen = np.where(
        far,
        there[rng.integers(0, max(len(there), 1), resale.outlets)] if len(there) else -1,
        here[rng.integers(0, len(here), resale.outlets)],
    )
    return np.concatenate([chosen[:1], own, chosen[1:]])
