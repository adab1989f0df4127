"""Rows for the member features, without Spark, written down one by one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from typing import Any

import polars as pl
import pytest

from features.member.features import member_features
from features.member.frames import MemberRows, References
from features.member.packing import KINDS

AS_OF = date(2026, 1, 1)
Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]

_TEXT, _NUMBER = pl.String(), pl.Float64()
SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    **{kind: {"member_id": _TEXT} | columns for kind, columns in KINDS.items()},
    "drugs": {
        "drug_id": _TEXT,
        "ingredient": _TEXT,
        "atc": _TEXT,
        "category": _TEXT,
        "days_per_box": _NUMBER,
        "ddd_per_box": _NUMBER,
        "monthly_max_boxes": _NUMBER,
        "list_price": _NUMBER,
        "resale_ratio": _NUMBER,
        "chronic": pl.Boolean(),
        "cold_chain": pl.Boolean(),
        "indications": _TEXT,
        "watch_from": pl.Date(),
        "trace_from": pl.Date(),
    },
    "institutions": {
        "institution_id": _TEXT,
        "institution_type": _TEXT,
        "visit_cap": _NUMBER,
        "district": _TEXT,
        "latitude": _NUMBER,
        "longitude": _NUMBER,
    },
    "diseases": {"special_disease_code": _TEXT, "indications": _TEXT},
}
MEMBER_KINDS = tuple(KINDS)
REFERENCE_KINDS = ("drugs", "institutions", "diseases")


def day(ago: int) -> date:
    """The day so many days before the as-of date."""
    return AS_OF - timedelta(days=ago)


def fee(item_type: str, cents: int, **changes: Any) -> Row:
    """A fee that is no drug."""
    base = dict.fromkeys(SCHEMAS["fees"]) | {"item_type": item_type, "cents": cents}
    return base | {"quantity": 1.0, "stated_days": 0.0, "unstated_quantity": 0.0} | changes


def drug(
    drug_id: str, boxes: float = 1, cents: int = 1000, days: float | None = None, **changes: Any
) -> Row:
    """A drug, with stated days of supply or as many as its boxes hold."""
    supply = {
        "stated_days": float(days or 0),
        "unstated_quantity": float(boxes if days is None else 0),
    }
    named = {"drug_id": drug_id, "quantity": float(boxes)}
    return fee("drug", cents, **named, **supply, **changes)


@dataclass
class Account:
    """One member's rows; settlements are numbered from 1 as they are written down."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {kind: [] for kind in MEMBER_KINDS})

    def visit(self, ago: int, *fees: Row, at: str = "10:00", **changes: Any) -> "Account":
        """A settlement so many days before the as-of date, 60 % of it paid by the fund."""
        cents = changes.pop("cents", sum(each["cents"] for each in fees))
        base = dict.fromkeys(SCHEMAS["visits"]) | {
            "settlement_id": str(len(self.rows["visits"]) + 1),
            "is_refund": False,
            "time": datetime.combine(day(ago), time.fromisoformat(at)),
            "institution_id": "h1",
            "visit_type": "11",
            "diagnosis": "I10",
            "credential": "03",
            "cents": cents,
            "fund_cents": round(cents * 0.6),
        }
        visit = base | changes
        self.rows["visits"].append(visit)
        settlement = {"settlement_id": visit["settlement_id"], "day": day(ago)}
        self.rows["fees"] += [each | settlement for each in fees]
        return self

    def refund(self, of: int | None, ago: int, *fees: Row, **changes: Any) -> "Account":
        """A settlement that reverses another or a part of it; fees come with negative amounts."""
        original = None if of is None else str(of)
        return self.visit(ago, *fees, is_refund=True, original_settlement_id=original, **changes)

    def stay(self, first: int, last: int, *fees: Row, **changes: Any) -> "Account":
        """A stay from one day to another, settled on the last."""
        dates: dict[str, Any] = {"start": day(first), "end": day(last)}
        return self.visit(last, *fees, visit_type="21", **dates, **changes)

    def add(self, kind: str, /, **values: Any) -> "Account":
        """A row of another kind."""
        self.rows[kind].append(dict.fromkeys(SCHEMAS[kind]) | values)
        return self

    def of(self, member: str) -> dict[str, list[Row]]:
        """The rows as those of a member of that name."""
        named: dict[str, list[Row]] = {}
        for kind, rows in self.rows.items():
            named[kind] = [
                row
                | {"member_id": member}
                | {
                    name: f"{member} {row[name]}"
                    for name in ("settlement_id", "original_settlement_id")
                    if row.get(name) is not None
                }
                for row in rows
            ]
        return named


@dataclass(frozen=True)
class Example:
    """A history and what has to come of it, worked out by hand; the name says what it shows."""

    name: str
    account: Account
    expected: dict[str, float | None]


def computed_examples(examples: Sequence[Example], references: Rows) -> dict[str, Row]:
    """The features of all examples, each a member of its own, computed at once."""
    histories = [each.account.of(each.name) for each in examples]
    rows = {kind: [row for one in histories for row in one[kind]] for kind in MEMBER_KINDS}
    return computed(rows, references)


def computed(rows: Rows, references: Rows, as_of: date = AS_OF) -> dict[str, Row]:
    """The features of every member, by member_id."""
    found = member_features(member_rows(rows), reference_rows(references), as_of)
    return {row.pop("member_id"): row for row in found.to_dicts()}


def member_rows(rows: Rows) -> MemberRows:
    """Frames with the types that Spark delivers."""
    return MemberRows(**{kind: frame(kind, rows[kind]) for kind in MEMBER_KINDS})


def reference_rows(rows: Rows) -> References:
    """Frames with the types that Spark delivers."""
    given: dict[str, Any] = {kind: frame(kind, rows[kind]) for kind in REFERENCE_KINDS}
    return References(**given)


def frame(kind: str, rows: Iterable[Row]) -> pl.DataFrame:
    """One kind of rows as a frame."""
    return pl.DataFrame(list(rows), schema=SCHEMAS[kind])


def reference(kind: str, key: str, **values: Any) -> Row:
    """A row of a reference; what is not said is empty."""
    return dict.fromkeys(SCHEMAS[kind]) | {next(iter(SCHEMAS[kind])): key} | values


def example_test(examples: Sequence[Example], references: Rows) -> Callable[[Example], None]:
    """A test of every example; all are computed together, once."""
    members = cache(partial(computed_examples, examples, references))

    @pytest.mark.parametrize("example", examples, ids=lambda each: each.name)
    def test_example(example: Example) -> None:
        row = members()[example.name]
        actual = {name: row[name] for name in example.expected}
        assert actual == pytest.approx(example.expected)

    return test_example
