"""Landed data and their outcome, as plain data for the page."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from expectations.landing.placeholders import SHARED
from expectations.landing.reasons import RowReason


@dataclass(frozen=True)
class Constant:
    """A value that the source's mapping supplies, with the reason for it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class AmountBalance:
    """The sums of one amount column of a table; `column` is its landing name."""

    column: str
    landed: Decimal
    conformed: Decimal
    superseded: Decimal
    quarantined: Decimal
    emptied: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        """The landed amount that is not accounted for."""
        ends = self.conformed + self.superseded + self.quarantined + self.emptied
        return self.landed - ends


@dataclass(frozen=True)
class Arrival:
    """The landed rows of one landing table and their outcome.

    Rows are of all accepted batch versions. `conformed` is None until conform_tables has run.
    """

    table: str
    batches_kept: int
    batches_refused: int
    landed: int
    kept: int
    conformed: int | None
    superseded: int
    quarantined: int
    amounts: tuple[AmountBalance, ...] = ()
    is_stale: bool = False

    @property
    def difference(self) -> int:
        """The landed rows that are not accounted for."""
        return self.landed - (self.conformed or 0) - self.superseded - self.quarantined

    @property
    def reconciles(self) -> bool:
        """Whether every row, and every readable amount to the cent, is accounted for."""
        return (
            self.conformed is not None
            and not self.difference
            and not any(amount.difference for amount in self.amounts)
        )


@dataclass(frozen=True)
class RefusedBatch:
    """A batch that was refused and has not been accepted since."""

    table: str
    batch: date
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class QuarantineReason:
    """One reason for rows in a table's quarantine, with the place of one row.

    `text` is the job's own sentence; `reason` is None if only rows of an older version have it.
    """

    table: str
    text: str
    reason: RowReason | None
    rows: int
    batch: date
    source_file: str
    record_number: int


@dataclass(frozen=True)
class EmptiedValue:
    """A value of a column that stands for nothing, by its entry of the list, and the column's empty share."""

    table: str
    column: str
    entry: str
    rows: int
    empty_share: float

    @property
    def is_shared(self) -> bool:
        """Whether it was emptied because too many people carry it."""
        return self.entry == SHARED


@dataclass(frozen=True)
class Expectation:
    """One expectation on one table in its newest validation."""

    table: str
    expectation: str
    columns: str
    severity: str
    is_met: bool
    rows_checked: int | None
    rows_unexpected: int | None
    note: str | None = None
