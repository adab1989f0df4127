"""Whom gangs find: for every place to be filled in a neighbourhood, a person who fits."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints, generator, pick
from jobs.province.arrays.shapes import Columns, stacked
from jobs.province.care.catalogue import CATALOGUE, HOSPITAL_ONLY
from jobs.province.care.illness import Health
from jobs.province.gangs.gangs import CARD_HOLDER, ORGANISER, VICTIM, Customers, Province
from jobs.province.people.people import People

_ADULT = 18
_ORGANISER_AGES = (28, 66)
_CREW_AGES = (20, 70)
#: families of a gang that is run by kin, the organiser's among them
_FAMILIES = 3
#: a dead holder's card may go on for weeks, until the insurer learns of it (feature dead_or_paused_use)
_USED_AFTER_DEATH = 0.15
_USED_AFTER_DEATH_DAYS = 45
#: drugs of a holder's regimen that a gang buys now and then
_OWN_DRUGS = 4
#: customers of a gang's goods in every neighbourhood that it knows
_CUSTOMERS = 25


@dataclass(frozen=True)
class Wanted(Columns):
    """One row per place to be filled, gang after gang; an organiser comes before the others."""

    gang: Ints
    cell: Ints
    role: Ints
    from_day: Ints
    to_day: Ints
    kin: Flags
    min_age: Ints
    #: how much likelier a holder of a certificate is chosen
    certified: Floats
    found: Flags


@dataclass(frozen=True)
class Recruits(Columns):
    """Who fills the places, row by row; all that a gang will know of them."""

    person: Ints
    #: day after the last on which the account can be used: pauses and deaths
    until: Ints
    phone: Ints
    address: Ints
    conditions: Ints
    certificate: Ints
    certificate_day: Ints
    #: some drugs of the own regimen, -1 none, one row a person
    own_drugs: Ints
    #: where the holder usually goes
    home: Ints


def recruited(province: Province, wanted: Wanted) -> tuple[Recruits, Customers]:
    """A person for every place, nobody twice while there is anyone else, and honest customers for every gang's goods.

    Neighbourhoods are looked at one after the other, in each the gangs in order, so that later gangs
    take nobody from earlier ones. Where no one fits any more, the first of the rest is taken.
    """
    order = np.lexsort((np.arange(len(wanted)), wanted.gang, wanted.cell))
    parts: list[Recruits] = []
    customers: list[Customers] = []
    cell_edges = np.flatnonzero(np.diff(wanted.cell[order], prepend=-1, append=-1))
    for first, end in pairwise(cell_edges):
        rows = order[first:end]
        cell = int(wanted.cell[rows[0]])
        pool = _Pool(province.people_of(cell), province.health_of(cell))
        gang_edges = np.flatnonzero(np.diff(wanted.gang[rows], prepend=-1, append=-1))
        for gang_first, gang_end in pairwise(gang_edges):
            mine = rows[gang_first:gang_end]
            gang = int(wanted.gang[mine[0]])
            rng = generator(province.seed, "recruits", gang, cell)
            parts.append(pool.known(rng, pool.take(rng, wanted.take(mine))))
            customers.append(pool.customers(rng, gang))
    found = stacked(parts).take(np.argsort(order, kind="stable"))
    bought = stacked(customers)
    return found, bought.take(np.argsort(bought.gang, kind="stable"))


class _Pool:
    """The people of a neighbourhood who are not in a gang yet."""

    def __init__(self, people: People, health: Health) -> None:
        self.people, self.health = people, health
        self._free = ~people.elsewhere

    def take(self, rng: np.random.Generator, wanted: Wanted) -> Ints:
        """Positions of the people for one gang's places."""
        day = int(wanted.from_day.min())
        age = self.people.age(max(day, 0))
        chosen = np.full(len(wanted), -1)
        families = np.empty(0, np.int64)
        heads = wanted.role == ORGANISER
        if heads.any():
            fits = self._present(day) & (age >= _ORGANISER_AGES[0]) & (age < _ORGANISER_AGES[1])
            chosen[heads] = self._draw(rng, fits, np.ones(len(age)), int(heads.sum()))
            families = self._families(rng, int(self.people.household[chosen[heads][0]]))
        for kin in (True, False):
            for holds_card in (True, False):
                rows = np.flatnonzero(
                    (chosen < 0)
                    & (wanted.kin == kin)
                    & (((wanted.role == CARD_HOLDER) | (wanted.role == VICTIM)) == holds_card)
                )
                if not len(rows):
                    continue
                present = self._present(int(wanted.from_day[rows].max()))
                related = np.isin(self.people.household, families)
                if kin and len(families):
                    fits = present & related & (age >= _ADULT)
                elif holds_card:
                    fits = present & (age >= wanted.min_age[rows[0]])
                else:
                    fits = present & (age >= _CREW_AGES[0]) & (age < _CREW_AGES[1])
                wish = (
                    self._wish(float(wanted.certified[rows[0]]))
                    if holds_card
                    else np.ones(len(age))
                )
                chosen[rows] = self._draw(rng, fits, wish, len(rows), present & (age >= _ADULT))
        return chosen

    def known(self, rng: np.random.Generator, chosen: Ints) -> Recruits:
        """What a gang knows of the people at these positions."""
        people, health = self.people, self.health
        first = np.searchsorted(health.taker, chosen)
        row = np.minimum(first[:, None] + np.arange(_OWN_DRUGS), max(len(health.taker) - 1, 0))
        mine = health.taker[row] == chosen[:, None]
        mine &= CATALOGUE.channel[health.drug[row]] != HOSPITAL_ONLY
        return Recruits(
            person=people.index[chosen],
            until=self._until(rng, chosen),
            phone=people.phone[chosen],
            address=people.address[chosen],
            conditions=health.conditions[chosen],
            certificate=health.certificate[chosen],
            certificate_day=health.certificate_from[chosen],
            own_drugs=np.where(mine, health.drug[row], -1),
            home=health.home[chosen],
        )

    def customers(self, rng: np.random.Generator, gang: int) -> Customers:
        """Adults who are ill for long, whoever else takes an interest in them."""
        wish = np.where(self.health.conditions != 0, 1.0, 0.1) * (self.people.age(0) >= _ADULT)
        wish = wish * (self.people.insured_day <= 0)
        chosen = np.unique(pick(rng, wish, _CUSTOMERS))
        return Customers(
            gang=np.full(len(chosen), gang),
            person=self.people.index[chosen],
            phone=self.people.phone[chosen],
            conditions=self.health.conditions[chosen],
            until=self._until(rng, chosen),
        )

    def _until(self, rng: np.random.Generator, chosen: Ints) -> Ints:
        """The day after the last on which the accounts of these people can be used."""
        paused, death = self.people.paused_day[chosen], self.people.death_day[chosen]
        late = rng.random(len(chosen)) < _USED_AFTER_DEATH
        extra = np.where(late, rng.integers(1, _USED_AFTER_DEATH_DAYS, len(chosen)), 0)
        never = np.iinfo(np.int64).max
        end: Ints = np.minimum(
            np.where(paused >= 0, paused, never), np.where(death >= 0, death + extra, never)
        )
        return end

    def _present(self, day: int) -> Flags:
        """Alive, insured and not paused for some months yet."""
        people, later = self.people, day + 60
        here: Flags = (
            (people.insured_day <= max(day, 0))
            & ((people.death_day < 0) | (people.death_day > later))
            & ((people.paused_day < 0) | (people.paused_day > later))
        )
        return here

    def _wish(self, certified: float) -> Floats:
        """The ill are sought: holders of a certificate most of all, then the chronically ill."""
        chronic = np.where(self.health.conditions != 0, np.sqrt(certified), 1.0)
        wish: Floats = np.where(self.health.certificate >= 0, certified, chronic)
        return wish

    def _families(self, rng: np.random.Generator, head: int) -> Ints:
        households, sizes = np.unique(self.people.household[self._free], return_counts=True)
        large = households[sizes >= 3]
        if not len(large):
            return np.array([head])
        return np.append(rng.choice(large, _FAMILIES - 1), head)

    def _draw(
        self,
        rng: np.random.Generator,
        fits: Flags,
        wish: Floats,
        count: int,
        otherwise: Flags | None = None,
    ) -> Ints:
        """So many positions without repetition, by wish among those who fit; then among the others."""
        key = np.log(wish) + rng.gumbel(size=len(wish)) + np.where(fits, 100.0, 0.0)
        if otherwise is not None:
            key += np.where(otherwise, 50.0, 0.0)
        # Where nobody is left, as in a hamlet full of gangs, people belong to several.
        key[~self._free] -= 1000.0
        # Nor is a card used before it is there.
        key[self.people.insured_day > 0] -= 2000.0
        ranked = np.argsort(-key, kind="stable")
        chosen: Ints = ranked[np.arange(count) % len(ranked)]
        self._free[chosen] = False
        return chosen
