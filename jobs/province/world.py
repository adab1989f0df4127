"""What every task knows of the whole province: places, and any neighbourhood's people on demand."""

import itertools
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from jobs.province.arrays.draws import Ints
from jobs.province.care.illness import Health, health
from jobs.province.gangs.gangs import Province
from jobs.province.people.benign import Habits, habits
from jobs.province.people.geography import places
from jobs.province.people.neighbours import Neighbours
from jobs.province.people.people import People, people
from jobs.province.settings import CELL_PEOPLE, Settings

#: Neighbourhoods kept in memory: those of a task, and some whose people its gangs know.
_KEPT_CELLS = 24
#: Neighbourhoods of which a few columns are kept: those that a task's gangs ever come across.
_KNOWN_CELLS = 1024


class World:
    """The province from seed, settings and number of members; neighbourhoods are drawn when asked for."""

    def __init__(self, seed: int, settings: Settings, members: int) -> None:
        self.seed, self.settings, self.members = seed, settings, members
        self.places = places(seed, settings, members)
        self.lived_in = lru_cache(maxsize=_KEPT_CELLS)(self._lived_in)
        self._identities = lru_cache(maxsize=_KNOWN_CELLS)(self._identities_of)
        self._conditions = lru_cache(maxsize=_KNOWN_CELLS)(
            lambda cell: self.health_of(cell).conditions
        )

    def _lived_in(self, cell: int) -> tuple[People, Health, Habits]:
        ones = people(self.seed, self.settings, self.places, self.members, cell)
        healthy = health(self.seed, self.settings, self.places, ones, cell)
        return ones, *habits(self.seed, self.settings, self.places, ones, healthy, cell)

    def _identities_of(self, cell: int) -> tuple[Ints, Ints]:
        """Kind of insurance and number of the phone, without the cost of health."""
        ones = people(self.seed, self.settings, self.places, self.members, cell)
        return ones.insutype, ones.phone

    def people_of(self, cell: int) -> People:
        """The people of a neighbourhood."""
        return self.lived_in(cell)[0]

    def health_of(self, cell: int) -> Health:
        """Their health."""
        return self.lived_in(cell)[1]

    def neighbours(self, cells: range) -> Neighbours:
        """The people of a task's neighbourhoods."""
        each = [self.lived_in(cell) for cell in cells]
        return Neighbours(
            seed=self.seed,
            settings=self.settings,
            places=self.places,
            cells=cells,
            people=People.joined([one[0] for one in each]),
            health=Health.joined([one[1] for one in each]),
            habits=Habits.joined([one[2] for one in each]),
        )

    def province(self) -> Province:
        """The province as the gangs find it."""
        return Province(
            seed=self.seed,
            settings=self.settings,
            members=self.members,
            places=self.places,
            people_of=self.people_of,
            health_of=self.health_of,
        )

    def insutype(self, persons: Ints) -> Ints:
        """Kind of insurance of people by index."""
        return self._looked_up(persons, lambda cell: self._identities(cell)[0])

    def phone(self, persons: Ints) -> Ints:
        """Number of the phone of people by index."""
        return self._looked_up(persons, lambda cell: self._identities(cell)[1])

    def conditions(self, persons: Ints) -> Ints:
        """Chronic conditions of people by index, as bits."""
        return self._looked_up(persons, self._conditions)

    def _looked_up(self, persons: Ints, column_of: Callable[[int], Ints]) -> Ints:
        found = np.zeros(len(persons), np.int64)
        cells = persons // CELL_PEOPLE
        order = np.argsort(cells, kind="stable")
        edges = np.flatnonzero(np.diff(cells[order], prepend=-1, append=-1))
        for first, after in itertools.pairwise(edges):
            rows = order[first:after]
            cell = int(cells[rows[0]])
            found[rows] = column_of(cell)[persons[rows] - cell * CELL_PEOPLE]
        return found
