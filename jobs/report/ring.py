"""A ring as its page shows it, as plain data: who, when, where, which drugs, and how it works."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from expectations.landing.codes import COLLECTOR, ORGANISER

#: Roles of people who carry cards of others, the first the likeliest head.
CARRYING = (ORGANISER, COLLECTOR)


@dataclass(frozen=True)
class Finding:
    """How the ring may work, with the numbers of gold.ring_finding."""

    code: str
    value: float
    accounts: int
    expected: float | None = None
    significance: float | None = None
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One who takes part: a person (`member`), a phone, an operator or an institution.

    `is_linked` is whether the account is one of the linked ones; a carrier may be none. `visits`, `boxes`,
    `fund` and the days are of the account's own visits. `listed` is its rank on the list of accounts.
    """

    kind: str
    subject: str
    role: str
    score: float
    reasons: tuple[str, ...] = ()
    organiser_rank: int | None = None
    is_linked: bool = False
    visits: int = 0
    boxes: Decimal = Decimal(0)
    fund: Decimal = Decimal(0)
    expected_loss: Decimal = Decimal(0)
    first_day: date | None = None
    last_day: date | None = None
    listed: int | None = None


@dataclass(frozen=True)
class Place:
    """An institution that the ring's accounts used; `lat` and `lon` in degrees where known."""

    institution: str
    name: str
    kind: str
    accounts: int
    visits: int
    fund: Decimal
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True)
class Drug:
    """A drug that the ring's accounts got; `resold` is its street price over its list price, if known."""

    drug: str
    name: str
    accounts: int
    boxes: Decimal
    amount: Decimal
    resold: float | None = None


@dataclass(frozen=True)
class Tie:
    """What joins two subjects: `link` (accounts), `kin`, `carries` (carrier to account), `uses` (to a place).

    `weight` is a probability for accounts, and a number of visits otherwise.
    """

    kind: str
    src: str
    dst: str
    weight: float


@dataclass(frozen=True)
class Week:
    """The visits of an account in a week, which begins on `monday`, and the boxes of drugs that it got."""

    account: str
    monday: date
    visits: int
    boxes: Decimal


@dataclass(frozen=True)
class Ring:
    """A ring as of a date. Amounts are in the currency of the source.

    `since` is the first day of the visits shown; `boxes` and `fund` are sums over them.
    """

    ring: str
    rank: int
    as_of: date
    since: date
    accounts: int
    links: int
    density: float
    confidence: float
    significance: float
    expected_loss: Decimal
    has_unseen_head: bool
    first_day: date | None = None
    last_day: date | None = None
    findings: tuple[Finding, ...] = ()
    parts: tuple[Part, ...] = ()
    places: tuple[Place, ...] = ()
    more_places: int = 0
    drugs: tuple[Drug, ...] = ()
    more_drugs: int = 0
    ties: tuple[Tie, ...] = ()
    weeks: tuple[Week, ...] = ()
    boxes: Decimal = Decimal(0)
    fund: Decimal = Decimal(0)
    homes: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def pairs(self) -> int:
        """Pairs of its accounts."""
        return self.accounts * (self.accounts - 1) // 2

    @property
    def people(self) -> tuple[Part, ...]:
        """People, the likeliest head first."""
        found = [part for part in self.parts if part.kind == "member"]
        return tuple(sorted(found, key=lambda each: (each.organiser_rank or 0, each.subject)))

    @property
    def cards(self) -> tuple[Part, ...]:
        """The linked accounts."""
        return tuple(part for part in self.people if part.is_linked)

    @property
    def things(self) -> tuple[Part, ...]:
        """Phones, operators and institutions with a role."""
        return tuple(part for part in self.parts if part.kind != "member")

    @property
    def head(self) -> Part | None:
        """The likeliest head: the person who carries most; None where nobody carries others."""
        people = self.people
        return people[0] if people and people[0].role in CARRYING else None

    def carried_by(self, subject: str) -> int:
        """How many accounts somebody comes for."""
        return len({tie.dst for tie in self.ties if tie.kind == "carries" and tie.src == subject})

    @property
    def kin(self) -> tuple[str, ...]:
        """Accounts of members' households that are linked to them and in no ring: no evidence."""
        found = self.finding("linked_kin")
        return found.subjects if found else ()

    def finding(self, code: str) -> Finding | None:
        """A finding that holds."""
        return next((each for each in self.findings if each.code == code), None)

    @property
    def mondays(self) -> tuple[date, ...]:
        """The weeks of the visits shown, without a gap."""
        first = self.since - timedelta(days=self.since.weekday())
        last = self.as_of - timedelta(days=1)
        return tuple(first + timedelta(days=at) for at in range(0, (last - first).days + 1, 7))


@dataclass(frozen=True)
class Rings:
    """All rings of a date in short: `found` of them, and pages of the first."""

    found: int
    accounts: int
    expected_loss: Decimal
    first: tuple[Ring, ...] = ()

    def page_of(self, ring: str | None) -> Ring | None:
        """The ring with a page of its own, if it has one."""
        return next((each for each in self.first if each.ring == ring), None)
