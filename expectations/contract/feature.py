"""The declaration of a feature of a member, doctor, drug or institution.

The declarations give the columns of the gold tables and the catalogue page in docs/.
"""

from dataclasses import dataclass

from expectations.contract.table import Field

#: What to watch for when a feature meets labels (table C of the domain notes).
LEAKAGE = {
    0: "nothing beyond the as-of date",
    1: "late claims and refunds: leave 30 days after the period",
    2: "changes once a case opens: cut the day before",
    3: "looks at other accounts: built anew for each as-of date",
    4: "a rule or code began on some day: empty before it",
    6: "for triage only, no model reads it",
}


@dataclass(frozen=True)
class FeatureDefinition:
    """One feature as of a date.

    `numbers` are its places in table C of the domain notes; `window` is in days before the as-of
    date, 0 for a state; `unit` one of count, yuan, days, km, minutes, ratio, share, nats, yes/no;
    `source` names the tables it comes from; `leakage` are keys of `LEAKAGE`.
    """

    name: str
    numbers: str
    window: int
    unit: str
    leakage: tuple[int, ...]
    definition: str
    source: str

    @property
    def field(self) -> Field:
        """The column of the feature."""
        span = f", last {self.window} days" if self.window else ""
        return Field(self.name, "double", f"{self.definition} ({self.unit}{span})")


def declared(
    source: str, *rows: tuple[str, str, int, str, tuple[int, ...], str]
) -> tuple[FeatureDefinition, ...]:
    """Features from the same tables."""
    return tuple(FeatureDefinition(*row, source) for row in rows)
