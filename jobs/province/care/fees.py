"""Fee lines: prices of drugs and services, and lines put in the order of their visits."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.arrays.shapes import DRUG, Events, Lines, Visits
from jobs.province.care.catalogue import CATALOGUE, SERVICES
from jobs.province.people.geography import PHARMACY, Places


def drug_price(places: Places, institution: Ints, drug: Ints) -> Floats:
    """Yuan a box: the list price, in pharmacies and clinics more or less than that by a few per cent."""
    own = (institution * 7919 % 23 - 8) / 100.0
    factor = np.where(places.kind[institution] == PHARMACY, 1.0 + own, 1.0)
    price: Floats = np.maximum(np.round(CATALOGUE.price[drug] * factor, 2), 0.01)
    return price


def drug_lines(
    places: Places, institution: Ints, visit: Ints, drug: Ints, boxes: Floats, days: Floats
) -> Lines:
    """Lines of drugs for the holder, at the price of the place.

    Args:
        places: the institutions.
        institution: of each visit.
        visit: of each line.
        drug: of each line.
        boxes: of each line.
        days: of supply as stated, not a number where nobody stated them.
    """
    size = len(visit)
    return Lines(
        visit=visit,
        item_type=np.full(size, DRUG),
        drug=drug,
        quantity=boxes,
        price=drug_price(places, institution[visit], drug),
        days=days,
        misused=np.zeros(size),
    )


def service_lines(visit: Ints, service: Ints, quantity: Floats | None = None) -> Lines:
    """Lines of services, one time each unless said otherwise."""
    size = len(visit)
    return Lines(
        visit=visit,
        item_type=SERVICES.item_type[service],
        drug=np.full(size, -1),
        quantity=np.ones(size) if quantity is None else quantity,
        price=SERVICES.price[service],
        days=np.full(size, np.nan),
        misused=np.zeros(size),
    )


def ordered(visits: Visits, parts: Sequence[Lines]) -> Events:
    """Visits that have lines, and these visit after visit."""
    lines = Lines(
        **{
            each.name: np.concatenate([getattr(part, each.name) for part in parts])
            for each in fields(Lines)
        }
    )
    return kept(Events(visits, lines.take(np.argsort(lines.visit, kind="stable"))), None)


def kept(events: Events, flags: Flags | None) -> Events:
    """The flagged visits that have lines, with these."""
    count = np.bincount(events.lines.visit, minlength=len(events.visits))
    keep = count > 0 if flags is None else (count > 0) & flags
    if keep.all():
        return events
    number = np.cumsum(keep) - 1
    lines = events.lines.take(np.flatnonzero(keep[events.lines.visit]))
    moved = {each.name: getattr(lines, each.name) for each in fields(Lines)}
    return Events(
        events.visits.take(np.flatnonzero(keep)),
        Lines(**{**moved, "visit": number[lines.visit]}),
    )
