"""What gangs have to do with one another: dealers who buy from two, cards that go from one to another."""

from dataclasses import replace

import numpy as np

from jobs.province.arrays.draws import Floats, Ints, mixed
from jobs.province.gangs.gangs import DEALER, Cards, Members
from jobs.province.gangs.settings import Dealings


def shared_dealers(
    seed: int, dealings: Dealings, start_day: Ints, end_day: Ints, members: Members
) -> Members:
    """The members, some dealers of a gang being those of an older gang of the same time.

    Gangs look only at gangs founded before them, so that more months change nothing of fewer.

    Args:
        seed: the province's.
        dealings: how often it happens.
        start_day: when each gang was founded.
        end_day: when each gang ends.
        members: in the order of their gangs.
    """
    person, phone, address = (
        each.copy() for each in (members.person, members.phone, members.address)
    )
    dealers = np.flatnonzero(members.role == DEALER)
    happens, which = _chances(seed, "shared dealer", members.gang)
    for row in dealers[happens[dealers] < dealings.dealer_shared].tolist():
        gang = int(members.gang[row])
        older = dealers[: np.searchsorted(members.gang[dealers], gang)]
        older = older[end_day[members.gang[older]] > start_day[gang]]
        older = older[~np.isin(person[older], person[members.gang == gang])]
        if len(older):
            source = older[int(which[row] * len(older))]
            person[row], phone[row], address[row] = person[source], phone[source], address[source]
    return replace(members, person=person, phone=phone, address=address)


def taken_over(seed: int, dealings: Dealings, cards: Cards, until: Ints) -> Cards:
    """The cards, some accounts of a gang being those that an older gang gave up not long before.

    Args:
        seed: the province's.
        dealings: how often it happens.
        cards: in the order of their gangs, a person once.
        until: day after the last on which the account of each card can be used.
    """
    columns = {name: column.copy() for name, column in vars(cards).items()}
    free = np.ones(len(cards), np.bool_)
    happens, which = _chances(seed, "taken over", cards.gang)
    for row in np.flatnonzero(happens < dealings.card_taken_over).tolist():
        gang, begin = int(cards.gang[row]), int(cards.from_day[row])
        end = int(np.searchsorted(cards.gang, gang))
        given_up = columns["to_day"][:end]
        older = np.flatnonzero(
            free[:end]
            & (given_up <= begin)
            & (given_up > begin - dealings.take_over_days)
            & (until[:end] > begin)
            & (cards.role[:end] == cards.role[row])
        )
        if not len(older):
            continue
        source = int(older[int(which[row] * len(older))])
        free[[source, row]] = False
        for name in ("person", "phone", "conditions", "own_drugs", "home"):
            columns[name][row] = columns[name][source]
        # A certificate arranged before is the holder's own by now.
        arranged = cards.certificate[source] >= 0
        for name, before in (
            ("own_certificate", "certificate"),
            ("own_certificate_day", "certificate_day"),
        ):
            columns[name][row] = columns[before if arranged else name][source]
        columns["certificate"][row] = -1
        columns["to_day"][row] = min(int(cards.to_day[row]), int(until[source]))
    return Cards(**columns)


def _chances(seed: int, purpose: str, gang: Ints) -> tuple[Floats, Floats]:
    """Two numbers in [0, 1) for each row, which depend on its gang and its place in it alone."""
    place = np.arange(len(gang)) - np.searchsorted(gang, gang)
    number = 2 * ((gang << 20) + place)
    first, second = (
        (mixed(number + turn, seed, purpose) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        for turn in range(2)
    )
    return first, second
