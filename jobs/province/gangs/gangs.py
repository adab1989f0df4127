"""The gangs of the province: who belongs to them, whose accounts they use, and from when to when.

`gang_plan.plan` draws the plan once, on the driver, from seed, settings and number of members. Gangs are
numbered in the order of their founding, and a gang is planned whole when it is founded, so that the plan
of more months begins with the same gangs. Days count from the province's first day and may be negative:
the province starts with gangs at work.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from expectations.landing import codes
from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.arrays.shapes import Columns
from jobs.province.care.illness import Health
from jobs.province.people.geography import Places
from jobs.province.people.people import People
from jobs.province.settings import Settings

#: `Gangs.typology`; the words of the truth tables in this order.
TYPOLOGIES = (
    "rented_cards",
    "cash_per_box",
    "pharmacy_ring",
    "hospital_stall",
    "certificate_abuse",
    "cold_chain",
    "remote_voucher",
    "code_swap",
    "staff_hoard",
    "lone_collector",
)
(
    RENTED_CARDS,
    CASH_PER_BOX,
    PHARMACY_RING,
    HOSPITAL_STALL,
    CERTIFICATE_ABUSE,
    COLD_CHAIN,
    REMOTE_VOUCHER,
    CODE_SWAP,
    STAFF_HOARD,
    LONE_COLLECTOR,
) = range(10)

#: `Cards.role`, `Members.role`; the words of `closed_case.role` in this order.
ROLES = (*codes.ROLES, codes.NO_ROLE)
(
    CARD_HOLDER,
    COLLECTOR,
    DISPENSER,
    DEALER,
    SELLER,
    ORGANISER,
    PHARMACY_ROLE,
    DOCTOR_ROLE,
    VICTIM,
    NO_ROLE,
) = range(10)


_DAYS_PER_MONTH = 30.44


@dataclass(frozen=True)
class Province:
    """What the gangs find: the people, the places and the calendar."""

    seed: int
    settings: Settings
    members: int
    places: Places
    people_of: Callable[[int], People]
    health_of: Callable[[int], Health]


@dataclass(frozen=True)
class Gangs(Columns):
    """One row per gang, the row being its number."""

    typology: Ints
    #: 0 clumsy to 1 careful
    skill: Floats
    start_day: Ints
    end_day: Ints
    #: neighbourhood where it is at home
    cell: Ints
    district: Ints
    organiser: Ints
    #: day on which a case against it was opened, -1 never
    open_day: Ints
    #: index into `inquiry.TRIGGERS`, -1 without a case
    trigger: Ints
    #: share of its activity that is left once the case is open
    after_case: Floats


@dataclass(frozen=True)
class Cards(Columns):
    """One row per account and the time in which a gang uses it."""

    gang: Ints
    person: Ints
    from_day: Ints
    to_day: Ints
    role: Ints
    #: fraudulent visits a month while it is in use
    visits: Floats
    #: yuan of drugs a visit
    amount: Floats
    #: whether the card itself is with the gang, so that the holder's own visits are mostly absent
    handed_over: Flags
    #: special disease (index into `catalogue.SPECIAL_DISEASES`) certified at the gang's bidding, -1 none
    certificate: Ints
    certificate_day: Ints
    #: institution and doctor that issued it
    certifier: Ints
    certifying_doctor: Ints
    #: courses of treatment are billed that never were
    treated: Flags
    #: whether the inquiry found the account
    found: Flags
    #: what the gang knows of the holder: phone, chronic conditions (bits), the own certificate (-1 none)
    #: and its first day, and the drugs of the own regimen (-1 none), one row a holder
    phone: Ints
    conditions: Ints
    own_certificate: Ints
    own_certificate_day: Ints
    own_drugs: Ints
    #: where the holder usually goes
    home: Ints
    #: months from one use of the card to the next, how many of them it rests, and where in them it begins
    cycle: Ints
    rest: Ints
    turn: Ints

    def rests(self, first_day: int) -> Flags:
        """Whether each card rests in the month that begins on a day; its holder has it then."""
        month = round(first_day / _DAYS_PER_MONTH)
        rests: Flags = (month + self.turn) % self.cycle < self.rest
        return rests


@dataclass(frozen=True)
class Members(Columns):
    """One row per member of a gang who is there for another role than an account."""

    gang: Ints
    person: Ints
    role: Ints
    from_day: Ints
    to_day: Ints
    found: Flags
    phone: Ints
    address: Ints


@dataclass(frozen=True)
class Customers(Columns):
    """Honest people who buy what a gang resells to pharmacies, some for each gang."""

    gang: Ints
    person: Ints
    phone: Ints
    conditions: Ints
    #: day after the last on which the account can be used
    until: Ints


@dataclass(frozen=True)
class Colluders(Columns):
    """One row per institution or doctor that a gang relies on; `NO_ROLE` for those who know nothing."""

    gang: Ints
    institution: Ints
    #: -1 for the institution itself
    doctor: Ints
    role: Ints
    from_day: Ints
    to_day: Ints
    found: Flags


@dataclass(frozen=True)
class Plan:
    """All gangs of the province up to a month."""

    gangs: Gangs
    cards: Cards
    members: Members
    colluders: Colluders
    customers: Customers


@dataclass(frozen=True)
class Away(Columns):
    """One row per account and time in which the card is with a gang."""

    person: Ints
    from_day: Ints
    to_day: Ints


@dataclass(frozen=True)
class ArrangedCertificates(Columns):
    """One row per special-disease certificate that a gang arranged for a card holder."""

    person: Ints
    #: index into `catalogue.SPECIAL_DISEASES`
    disease: Ints
    begin_day: Ints
    institution: Ints
    doctor: Ints


def away(plan: Plan, first_person: int, end_person: int, first_day: int, end_day: int) -> Away:
    """Which accounts of a range of people are with a gang in a range of days (ends excluded).

    Ask for one month at a time: what is planned for later must not change what happens now, and cards
    that rest in a month are with their holders.
    """
    cards = plan.cards
    chosen = (
        cards.handed_over
        & ~cards.rests(first_day)
        & (cards.person >= first_person)
        & (cards.person < end_person)
        & (cards.from_day < end_day)
        & (cards.to_day > first_day)
    )
    held = cards.take(chosen)
    return Away(held.person, held.from_day, held.to_day)


def without_card(gone: Away, person: Ints, day: Ints) -> Flags:
    """Whether the card of each person is with a gang on a day."""
    found = np.zeros(len(person), np.bool_)
    order = np.argsort(gone.person, kind="stable")
    holder = gone.person[order]
    first = np.searchsorted(holder, person)
    count = np.searchsorted(holder, person, side="right") - first
    for turn in range(int(count.max(initial=0))):
        rows = np.flatnonzero(count > turn)
        interval = order[first[rows] + turn]
        found[rows] |= (gone.from_day[interval] <= day[rows]) & (day[rows] < gone.to_day[interval])
    return found


def arranged_certificates(
    plan: Plan, first_person: int, end_person: int, first_day: int, end_day: int
) -> ArrangedCertificates:
    """Certificates that gangs arrange for a range of people, beginning in a range of days.

    Those from before the first day come with the first month.
    """
    cards = plan.cards
    begins = np.where(cards.certificate_day < 0, 0, cards.certificate_day)
    chosen = (
        (cards.certificate >= 0)
        & (cards.person >= first_person)
        & (cards.person < end_person)
        & (begins >= first_day)
        & (begins < end_day)
    )
    arranged = cards.take(chosen)
    return ArrangedCertificates(
        arranged.person,
        arranged.certificate,
        arranged.certificate_day,
        arranged.certifier,
        arranged.certifying_doctor,
    )
