"""Outings: which account is taken where and when. Each family of typologies makes its own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.province.arrays.days import DAY, day_weights
from jobs.province.arrays.draws import Flags, Ints, pick
from jobs.province.arrays.shapes import Columns, stacked
from jobs.province.gangs.at_work import GangAtWork, hours_of_day

_QUEUE_SECONDS = (90, 420)
#: share of visits at the holder's usual institution: card handed over, holder goes
_USUAL_PLACE = (0.15, 0.6)
#: visits of one account in a month: the busiest of class_statistics.csv has 51 on average
_MOST_VISITS = 42


@dataclass(frozen=True)
class Outings(Columns):
    """One row per visit of an account."""

    #: row of the gang's cards
    card: Ints
    institution: Ints
    time: Ints
    #: doctor and terminal where the gang has chosen them, -1 otherwise
    doctor: Ints
    terminal: Ints


#: Visits of the accounts of given cards at given rows of the colluders, from a day to the one before another.
Inside = Callable[[np.random.Generator, GangAtWork, Ints, Ints, int, int], Outings]


def due_visits(rng: np.random.Generator, gang: GangAtWork, first: int, after: int) -> Ints:
    """The card of every fraudulent visit of a month, in random order.

    Cards rest by turns, careful gangs stay lower, and once a case is open little is left.
    """
    cards, skill = gang.cards, gang.settings.skill
    careful = gang.skill(first)
    begin, end = np.maximum(cards.from_day, first), np.minimum(cards.to_day, after)
    opened = int(gang.row.open_day[0])
    days = np.maximum(end - begin, 0).astype(np.float64)
    if opened >= 0:
        spent = np.maximum(end - np.maximum(begin, opened), 0)
        days -= spent * (1 - gang.row.after_case[0])
    rate = cards.visits * days / 30.4 * (1 - skill.visits_cut * careful)
    certified = (cards.own_certificate >= 0) | (cards.certificate >= 0)
    rate = rate * np.where(certified, skill.certified_visits, 1.0) * gang.activity
    rate = rate * np.where(_rests(gang, first), skill.rest_activity, 1.0)
    rate = rate * rng.gamma(5.0, 0.2, len(rate)) * rng.gamma(12.0, 1 / 12.0)
    card = np.repeat(np.arange(len(cards)), rng.poisson(np.minimum(rate, _MOST_VISITS)))
    return rng.permutation(card)


def trips(
    rng: np.random.Generator, gang: GangAtWork, card: Ints, first: int, after: int
) -> Outings:
    """Visits at the institutions that the gang knows: someone goes there with one or several cards."""
    count = len(card)
    errands = max(1, round(count / gang.habits.habits.together))
    errand = np.concatenate(
        [np.arange(min(errands, count)), rng.integers(0, errands, max(count - errands, 0))]
    )
    # Nobody takes the same card twice to one place: it gets an errand of its own.
    _, firsts = np.unique(errand * len(gang.cards) + card, return_index=True)
    again = np.ones(count, np.bool_)
    again[firsts] = False
    errand[again] = errands + np.arange(int(again.sum()))
    leader = np.zeros(errands + int(again.sum()), np.int64)
    leader[errand[::-1]] = np.arange(count)[::-1]
    lead = leader[errand]
    day = days_for(rng, gang, card, first, after)
    usable = _in_use(gang, card, day[lead])
    lead = np.where(usable, lead, np.arange(count))
    edges = np.cumsum(gang.taste, axis=1)
    chance = rng.random(count) * edges[card, -1]
    site = np.minimum((edges[card] <= chance[:, None]).sum(axis=1), len(gang.sites) - 1)
    # Holders who go themselves go where they always go; collectors now and then, for camouflage.
    usual = np.where(gang.cards.handed_over[card], *_USUAL_PLACE)
    at_home = rng.random(count) < usual
    institution = np.where(at_home, gang.cards.home[card], gang.sites[site])[lead]
    sort = gang.province.places.sort[institution]
    hour = hours_of_day().one(sort, rng.random(count)[lead])
    start = day[lead] * DAY + hour * 3600 + rng.integers(0, 3000, count)[lead]
    queue = rank_within(lead) * rng.integers(*_QUEUE_SECONDS, count) + rng.integers(0, 90, count)
    none = np.full(count, -1)
    return Outings(card, institution, start + queue, none, none)


def days_for(
    rng: np.random.Generator, gang: GangAtWork, card: Ints, first: int, after: int
) -> Ints:
    """A day for every visit, as others choose theirs, while the card is with the gang."""
    begin = np.clip(gang.cards.from_day[card], first, after - 1) - first
    end = np.clip(gang.cards.to_day[card], first + 1, after) - first
    end = np.maximum(end, begin + 1)
    edges = np.concatenate(
        [[0.0], np.cumsum(day_weights(gang.province.settings, first, after, None))]
    )
    at = edges[begin] + rng.random(len(card)) * (edges[end] - edges[begin])
    found = np.searchsorted(edges, at, side="right") - 1
    days: Ints = first + np.clip(found, begin, end - 1)
    return days


def rank_within(group: Ints) -> Ints:
    """How many-eth of its group each row is, in the order of the rows."""
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], group[order])
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - first
    return rank


def at_colluders(rng: np.random.Generator, gang: GangAtWork, card: Ints) -> Ints:
    """For every visit the row of the gang's colluders where it is made, -1 elsewhere; the first most."""
    row = np.full(len(card), -1)
    venues = np.flatnonzero(gang.colluders.doctor < 0)
    if len(venues):
        goes = rng.random(len(card)) < gang.habits.habits.colluding
        row[goes] = venues[pick(rng, 1.0 / (1 + np.arange(len(venues))), int(goes.sum()))]
    return row


def with_colluders(
    rng: np.random.Generator, gang: GangAtWork, first: int, after: int, inside: Inside
) -> Outings:
    """The visits of a month: `inside` says how those at places in league go, the others are trips."""
    card = due_visits(rng, gang, first, after)
    row = at_colluders(rng, gang, card)
    is_inside = row >= 0
    return stacked(
        [
            inside(rng, gang, card[is_inside], row[is_inside], first, after),
            trips(rng, gang, card[~is_inside], first, after),
        ]
    )


def _in_use(gang: GangAtWork, card: Ints, day: Ints) -> Flags:
    usable: Flags = (gang.cards.from_day[card] <= day) & (day < gang.cards.to_day[card])
    return usable


def _rests(gang: GangAtWork, first: int) -> Flags:
    """Cards that rest this month: some of them always, by turns of one or two months."""
    cards = gang.cards
    turn = first // 30
    phase = (cards.person * 2654435761 >> 7) % 997
    rotated = (phase / 997.0 < gang.settings.skill.rests) & cards.handed_over
    rests: Flags = rotated & ((turn + phase) // (1 + phase % 2) % 2 == 1)
    return rests
