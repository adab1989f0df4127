"""The accounts to look at first, as plain data for the page."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from jobs.report.timeline import Timeline

#: Signs of an account that stand open on the page.
MAX_LEADING = 5


@dataclass(frozen=True)
class Sign:
    """One indicator of an account; `text` is its sentence in the report's language.

    `usual` is the median among the member's peers, in `unit` (as in `FeatureDefinition`).
    `held_back` is the sentence of the explanation, empty if the indicator counts.
    """

    code: str
    typology: str
    text: str
    usual: float | None = None
    unit: str = ""
    held_back: str = ""


@dataclass(frozen=True)
class Account:
    """One account of the list; amounts in the currency of the source."""

    rank: int
    account: str
    points: float
    expected_loss: Decimal
    signs: tuple[Sign, ...]
    next_check: str
    state: str
    expires_on: date
    is_within_capacity: bool = True
    ring: str | None = None
    ranked_by: str = "rules"

    @property
    def counting(self) -> tuple[Sign, ...]:
        """The indicators that count, strongest first."""
        return tuple(sign for sign in self.signs if not sign.held_back)

    @property
    def leading(self) -> tuple[Sign, ...]:
        """The strongest indicator of each pattern, up to a number that a reader can take in."""
        of_pattern: dict[str, Sign] = {}
        for sign in self.counting:
            of_pattern.setdefault(sign.typology, sign)
        return tuple(of_pattern.values())[:MAX_LEADING]

    @property
    def further(self) -> tuple[Sign, ...]:
        """The other indicators that count."""
        leading = self.leading
        return tuple(sign for sign in self.counting if sign not in leading)

    @property
    def explained(self) -> tuple[Sign, ...]:
        """The indicators that an explanation holds back."""
        return tuple(sign for sign in self.signs if sign.held_back)

    @property
    def typologies(self) -> tuple[str, ...]:
        """The patterns of the account, strongest first."""
        return tuple(dict.fromkeys(sign.typology for sign in self.counting))


@dataclass(frozen=True)
class Pattern:
    """The number of accounts with a pattern, in the whole list and in the week's part."""

    typology: str
    accounts: int
    of_week: int


@dataclass(frozen=True)
class HeldBack:
    """An explanation: the accounts it concerns, and those of which it holds back every indicator."""

    text: str
    accounts: int
    spared: int


@dataclass(frozen=True)
class Flagged:
    """An indicator of an institution or a doctor."""

    subject: str
    name: str
    typology: str
    text: str
    check: str


@dataclass(frozen=True)
class AuditDraw:
    """An account drawn at random to be looked at; `listed` is its row of the list, if it is on it."""

    account: str
    propensity: float
    listed: Account | None = None


@dataclass(frozen=True)
class Accounts:
    """The list as of a date.

    `first` has the accounts of the sheet; the first `shown` of them are on the page. `looked_at` is None if
    the members' features were deleted. `spared` counts accounts whose every indicator was held back.
    `flagged_total` counts the indicators of institutions and doctors; `flagged` has the first of them.
    """

    listed: int
    capacity: int
    shown: int
    looked_at: int | None = None
    week_loss: Decimal = Decimal(0)
    first: tuple[Account, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    spared: int = 0
    flagged: tuple[Flagged, ...] = ()
    flagged_total: int = 0
    timelines: tuple[Timeline, ...] = ()
    audit: tuple[AuditDraw, ...] = ()
    model_version: str | None = None

    @property
    def on_page(self) -> tuple[Account, ...]:
        """The accounts that the page shows."""
        return self.first[: self.shown]

    @property
    def of_week(self) -> int:
        """The number of ranked accounts for a week; the draws of the audit come beside them."""
        return min(self.listed, self.capacity - len(self.audit))

    @property
    def audited(self) -> frozenset[str]:
        """The accounts that were drawn at random."""
        return frozenset(each.account for each in self.audit)

    @property
    def drawn(self) -> frozenset[str]:
        """The accounts with a timeline."""
        return frozenset(each.account for each in self.timelines)
