"""Outings: which account is taken where and when. Each family of typologies makes its own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.province.arrays.days import DAY, day_weights
from jobs.province.arrays.draws import Flags, Ints, pick
from jobs.province.arrays.sampling import rank_within
from jobs.province.arrays.shapes import Columns, stacked
from jobs.province.gangs.at_work import GangAtWork
from jobs.province.gangs.gangs import REMOTE_VOUCHER, STAFF_HOARD
from jobs.province.people.neighbours import hour_lists

#: between two cards at one counter, at least; from counter to counter
_SHORTEST_WAIT = 60
_WAY_SECONDS = (900, 4500)
#: days of a month on which a dealer comes, and cards of an errand below which holders go themselves
_DEALER_DAYS = 5
_BY_THEMSELVES = 1.5
#: when counters close, seconds of the day
_CLOSING = 20 * 3600 + 1800
#: typologies that have nothing but their own counter
_ONLY_INSIDE = (REMOTE_VOUCHER, STAFF_HOARD)
#: share of visits at the holder's usual institution where the holder goes
_USUAL_PLACE = 0.6


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
    rate = cards.visits * days / 30.4 * (1 - skill.visits_cut) ** careful
    certified = (cards.own_certificate >= 0) | (cards.certificate >= 0)
    rate = rate * np.where(certified, skill.certified_visits, 1.0) * gang.activity
    rate = rate * np.where(cards.rests(first), skill.rest_activity, 1.0)
    rate = rate * rng.gamma(5.0, 0.2, len(rate)) * rng.gamma(12.0, 1 / 12.0)
    most = skill.most_visits.at(careful) * np.where(certified, skill.certified_visits, 1.0)
    card = np.repeat(np.arange(len(cards)), np.minimum(rng.poisson(rate), most.astype(np.int64)))
    return rng.permutation(card)


def trips(
    rng: np.random.Generator, gang: GangAtWork, card: Ints, first: int, after: int
) -> Outings:
    """Visits at the institutions that the gang knows: someone goes there with one or several cards."""
    count = len(card)
    care, careful = gang.settings.skill, gang.skill(first)
    further = (gang.habits.habits.together - 1) * care.trip_cards.at(careful)
    errand = _errands(rng, card, max(1, round(count / (1 + further))))
    _, leader, which = np.unique(errand, return_index=True, return_inverse=True)
    lead = leader[which]
    day = days_for(rng, gang, card, first, after)
    # Holders who go themselves bring the boxes on the days on which the dealer comes.
    dealer_days = days_for(rng, gang, card[:_DEALER_DAYS], first, after)
    if len(dealer_days) and gang.habits.habits.together < _BY_THEMSELVES:
        meets = rng.random(count) < care.dealer_days.at(careful)
        met = dealer_days[rng.integers(0, len(dealer_days), count)] - rng.integers(0, 2, count)
        day = np.where(meets & _in_use(gang, card, met) & (met >= first), met, day)
    usable = _in_use(gang, card, day[lead])
    lead = np.where(usable, lead, np.arange(count))
    place = _own_place(rng, gang, card)
    at_own = rng.random(count) < care.own_counter.at(careful)
    institution = np.where(at_own, place, place[lead])
    hour = hour_lists().one(gang.province.places.sort[institution], rng.random(count))
    hour = np.where(rng.random(count) < care.habit_hour.at(careful), gang.hour, hour)
    start = hour * 3600 + rng.integers(0, 3000, count)
    # Whoever carries several cards goes from counter to counter, or waits between two of them.
    wait = rng.exponential(60 * care.wait_minutes.at(careful), count)
    moves = institution != institution[lead]
    step = np.where(moves, rng.integers(*_WAY_SECONDS, count), _SHORTEST_WAIT + wait)
    spent = _running_total(lead, step.astype(np.int64))
    time = start[lead] + spent
    # Who would come after closing time has gone before, or goes at another hour.
    time = np.where(time > _CLOSING, start, time)
    none = np.full(count, -1)
    return Outings(card, institution, day[lead] * DAY + time, none, none)


def _errands(rng: np.random.Generator, card: Ints, errands: int) -> Ints:
    """The errand of each visit: no card is taken along twice on one, as far as there are enough."""
    cards, which = np.unique(card, return_inverse=True)
    order = np.argsort(rng.random((len(cards), errands)), axis=1)
    turn = rank_within(card)
    found: Ints = np.where(
        turn < errands,
        order[which, np.minimum(turn, errands - 1)] if len(cards) else turn,
        errands + np.arange(len(card)),
    )
    return found


def _own_place(rng: np.random.Generator, gang: GangAtWork, card: Ints) -> Ints:
    """One of each card's places.

    Holders who go themselves go where they always go; collectors now and then, the careful more often.
    """
    count = len(card)
    edges = np.cumsum(gang.taste, axis=1)
    chance = rng.random(count) * edges[card, -1]
    site = np.minimum((edges[card] <= chance[:, None]).sum(axis=1), gang.sites.shape[1] - 1)
    own = gang.settings.skill.usual_place.at(gang.skill(0))
    usual = np.where(gang.cards.handed_over[card], own, _USUAL_PLACE)
    at_home = rng.random(count) < usual
    place: Ints = np.where(at_home, gang.cards.home[card], gang.sites[card, site])
    return place


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


def _running_total(group: Ints, step: Ints) -> Ints:
    """What the steps of each row's group add up to before and with the row, the first being 0."""
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], group[order])
    total = np.cumsum(step[order])
    running = np.empty(len(group), np.int64)
    running[order] = total - total[first]
    return running


def at_colluders(rng: np.random.Generator, gang: GangAtWork, card: Ints) -> Ints:
    """For every visit the row of the gang's colluders where it is made, -1 elsewhere; the first most."""
    row = np.full(len(card), -1)
    venues = np.flatnonzero(gang.colluders.doctor < 0)
    if len(venues):
        share = gang.habits.habits.colluding
        if gang.typology not in _ONLY_INSIDE:
            share *= gang.settings.skill.league.at(gang.skill(0))
        goes = rng.random(len(card)) < share
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
