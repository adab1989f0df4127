"""Gangs that take cards from place to place: rented cards, cash per box, hospital gates, cold chain, one alone.

They differ in who goes (a collector with several cards, or the holders themselves), how many places there
are and what is bought: all of it parameters.
"""

import numpy as np

from jobs.province.gangs.at_work import GangAtWork
from jobs.province.gangs.outings import Outings, due_visits, trips


def outings(rng: np.random.Generator, gang: GangAtWork, first: int, after: int) -> Outings:
    """The visits of a month."""
    return trips(rng, gang, due_visits(rng, gang, first, after), first, after)
