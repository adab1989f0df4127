"""The people whom one task simulates, with all that care of them needs to know."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.days import MARKET_DAYS, hours
from jobs.province.arrays.draws import Floats, Ints, mixed
from jobs.province.arrays.sampling import WeightedLists
from jobs.province.arrays.shapes import E_VOUCHER, EXAM, IDENTITY_CARD, INSURANCE_CARD, TREATMENT
from jobs.province.care.catalogue import DIAGNOSES, ILLNESSES, SERVICES, USES, services_for
from jobs.province.care.illness import Health
from jobs.province.people.benign import Habits
from jobs.province.people.geography import SORTS, Places, attraction
from jobs.province.people.people import People
from jobs.province.settings import CELL_PEOPLE, Settings

#: Occasions of services: a visit with a complaint, a refill with a check-up, one without, a day in bed.
AT_VISIT, AT_CHECK, AT_REFILL, IN_BED = range(4)
_OCCASIONS = 4
_LEVELS = 4


@dataclass(frozen=True)
class Neighbours:
    """Some neighbourhoods' people with their health and habits; columns are in the order of people."""

    seed: int
    settings: Settings
    places: Places
    cells: range
    people: People
    health: Health
    habits: Habits

    @property
    def first(self) -> int:
        """Index of the first person."""
        return self.cells.start * CELL_PEOPLE

    @property
    def unit(self) -> int:
        """Number of the unit that random draws are made for."""
        return self.cells.start

    @cached_property
    def near(self) -> WeightedLists:
        """Institutions by neighbourhood and sort."""
        return WeightedLists.of(
            [attraction(self.places, cell, s) for cell in self.cells for s in range(len(SORTS))]
        )

    @cached_property
    def market_phase(self) -> Ints:
        """Which of five days is the market day, by person."""
        hashed = mixed(self.people.cell, self.seed, "market") % np.uint64(MARKET_DAYS)
        return hashed.astype(np.int64)

    @cached_property
    def regimen_count(self) -> Ints:
        """How many regimen rows each person has."""
        counts: Ints = np.bincount(self.health.taker, minlength=len(self.people))
        return counts

    @cached_property
    def regimen_start(self) -> Ints:
        """Where each person's regimen rows begin."""
        starts: Ints = np.cumsum(self.regimen_count) - self.regimen_count
        return starts

    def chance(self, numbers: Ints, purpose: str) -> Floats:
        """A number in [0, 1) that is always the same for the same number and purpose."""
        hashed = mixed(numbers, self.seed, purpose)
        return (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def institution(self, who: Ints, sort: Ints, chance: Floats) -> Ints:
        """Where people go for each sort: mostly to the one that they always go to."""
        usual = self.settings.care.usual_institution
        own = self.chance(self.people.index[who] * len(SORTS) + sort, "usual")
        drawn = np.where(chance < usual, own, (chance - usual) / (1.0 - usual + 1e-12))
        which = (self.people.cell[who] - self.cells.start) * len(SORTS) + sort
        return self.near.one(which, drawn)

    def credential(
        self, who: Ints, proxy: Ints, chance: npt.NDArray[np.float64]
    ) -> tuple[Ints, Ints]:
        """What is shown at the terminal, and the phone that shows the e-voucher."""
        billing = self.settings.billing
        age = self.people.age(0)[who]
        young = billing.e_voucher_share * np.clip(1.45 - age / 90, 0.4, 1.5)
        shown = np.where(
            chance < young,
            E_VOUCHER,
            np.where(chance > 1 - billing.identity_card_share, IDENTITY_CARD, INSURANCE_CARD),
        )
        # Half of those who collect for others have the other's voucher on their own phone.
        collector = np.where((proxy >= 0) & (chance < young / 2), proxy - self.first, who)
        inside = (collector >= 0) & (collector < len(self.people))
        phone = self.people.phone[np.where(inside, collector, who)]
        return shown, np.where(shown == E_VOUCHER, phone, -1)


@cache
def services_lists(check_share: float) -> WeightedLists:
    """Services by use, level (0: none) and occasion; index with `services_index`."""
    lists = []
    for use in range(len(USES)):
        for level in range(_LEVELS):
            for occasion in range(_OCCASIONS):
                found = services_for(use, level, occasion == IN_BED)
                share = np.minimum(SERVICES.share[found], 1.0)
                if occasion in (AT_CHECK, AT_REFILL) and ILLNESSES[use].word != "dialysis":
                    # The doctor is always paid; the rest is for those who come to be looked at.
                    paid = np.char.endswith(SERVICES.name[found], "诊察费")
                    share = np.where(paid, share, share * _beside(occasion, found, check_share))
                lists.append((found, share))
    return WeightedLists.of(lists)


def services_index(use: Ints, level: Ints, occasion: Ints | int) -> Ints:
    """Which list of `services_lists` a visit draws from."""
    index: Ints = (use * _LEVELS + level) * _OCCASIONS + occasion
    return index


def _beside(occasion: int, service: Ints, check_share: float) -> Floats:
    """How often a service is billed at a refill, as a share of other visits: materials hardly ever."""
    share = check_share if occasion == AT_CHECK else check_share / 50
    kind = SERVICES.item_type[service]
    return share * np.where(kind == EXAM, 1.0, np.where(kind == TREATMENT, 0.4, 0.12))


def services_level(places: Places, institution: Ints) -> Ints:
    """Level of the services there: 1 to 3 in hospitals, 1 in clinics and villages, 0 in pharmacies."""
    levels = np.array([3, 2, 1, 1, 0, 1])
    found: Ints = levels[places.sort[institution]]
    return found


@cache
def diagnosis_lists() -> WeightedLists:
    """Diagnoses by use."""
    uses = [np.flatnonzero(DIAGNOSES.use == use) for use in range(len(USES))]
    return WeightedLists.of([(found, DIAGNOSES.weight[found]) for found in uses])


@cache
def hour_lists() -> WeightedLists:
    """Hours of the day by sort of institution."""
    return WeightedLists.of([(np.arange(24), row) for row in hours()])
