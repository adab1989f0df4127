"""How a landing table is declared, and the bronze and silver contracts that follow from it.

The names and rules are those of the landing contract that settlement centres deliver to.
"""

from dataclasses import dataclass
from typing import Literal

from expectations.contract.properties import (
    FED,
    KEPT_A_MONTH,
    MARKED,
    PINNED_BY_MODELS,
    WITHOUT_LIMITS,
    limits_of,
)
from expectations.contract.table import Belonging, Check, Field, TableContract
from expectations.landing.reasons import MISSING_PARENT, REVERSING_PARENT, RowReason

LINEAGE = (
    Field("batch", "date", "Landing batch that the row came with", nullable=False),
    Field("batch_version", "string", "SHA-256 of the batch's manifest", nullable=False),
    Field("source_file", "string", "File name inside the batch folder", nullable=False),
    Field("record_number", "long", "Record in the file, counted from 1", nullable=False),
)

VALIDITY = (
    Field(
        "valid_from",
        "timestamp",
        "When this version, and all it refers to, had arrived; it counts as of T when valid_from < T",
        nullable=False,
    ),
    Field(
        "valid_to",
        "timestamp",
        "When a better version arrived; empty while this one stands. Counts as of T when valid_to >= T",
    ),
    Field("is_first", "boolean", "Whether no version of this key held before it", nullable=False),
    Field(
        "key_hash", "long", "Hash of the key: finds other versions of a row fast", nullable=False
    ),
)


#: How the names of columns end that name somebody or something; a diagnosis is none of that.
_ID_ENDS = ("_id", "_no", "_codg", "_code", "_hash", "_sn", "admdvs")
_DIAGNOSIS = "dise_codg"
#: Codes whose columns are called otherwise.
_CODES = frozenset({"medinslv", "atc", "code"})
#: Ends of those that are codes of an illness or numbers of a line, in which .0 means something.
_WITH_DECIMALS = ("dise_code", "condition", "_sn")
_CODE_OF_ANY = "code"


@dataclass(frozen=True)
class LandingField:
    """One landed column: its landing name, type, silver name and meaning.

    `is_open_ended` columns say until or from when something holds; many systems write 9999-12-31 there for
    "not yet" or "for good".
    """

    name: str
    type: str
    silver: str
    description: str
    required: bool = False
    values: tuple[str, ...] = ()
    is_open_ended: bool = False


@dataclass(frozen=True)
class Reference:
    """A column that must point at a row of another table; `parent_key` is its landing name there.

    `place` is the column that names the institution of the row, where one of another province need not
    point at anything: nothing of that province is delivered but its people and institutions.
    """

    column: str
    parent: str
    parent_key: str
    place: str = ""

    @property
    def missing(self) -> RowReason:
        """The reason against a row whose parent has not arrived; every other one is a fault of the row itself."""
        return RowReason(MISSING_PARENT, self.column, {"table": self.parent})

    @property
    def reversing(self) -> RowReason:
        """The reason against a row that reverses one which reverses another itself."""
        return RowReason(REVERSING_PARENT, self.column)


@dataclass(frozen=True)
class RowFault:
    """What keeps a row out of silver: an SQL condition in landing names, and the reason that quarantine gives."""

    condition: str
    reason: RowReason


@dataclass(frozen=True)
class LandingTable:
    """One table of the landing contract.

    `event_time` is the column that can't lie after `arrive_time`; `checks` and `belongs` are written in silver
    names, `faults` in landing names.
    `is_pinned` says that models name versions of its silver table as what they were trained on.
    """

    name: str
    kind: Literal["reference", "event"]
    grain: str
    key: tuple[str, ...]
    fields: tuple[LandingField, ...]
    references: tuple[Reference, ...] = ()
    event_time: str = ""
    checks: tuple[Check, ...] = ()
    belongs: Belonging | None = None
    faults: tuple[RowFault, ...] = ()
    is_pinned: bool = False

    @property
    def columns(self) -> list[str]:
        """The landing names in order."""
        return [column.name for column in self.fields]

    @property
    def identifiers(self) -> frozenset[str]:
        """The columns that name the row itself or another one."""
        return frozenset({*self.key, *(each.column for each in self.references)})

    @property
    def id_columns(self) -> frozenset[str]:
        """The columns of text that are ids, codes or hashes: what shows alike has to be alike in them."""
        return frozenset(
            column.name
            for column in self.fields
            if column.type == "string"
            and not column.values
            and column.name != _DIAGNOSIS
            and (column.name in self.identifiers | _CODES or column.name.endswith(_ID_ENDS))
        )

    @property
    def whole_id_columns(self) -> frozenset[str]:
        """Those of `id_columns` in which a number has no decimals."""
        names = self.id_columns - {_CODE_OF_ANY}
        return frozenset(name for name in names if not name.endswith(_WITH_DECIMALS))

    @property
    def amounts(self) -> list[str]:
        """The columns that a manifest may give a control sum for."""
        return [column.name for column in self.fields if column.type.startswith("decimal")]

    @property
    def silver_names(self) -> dict[str, str]:
        """Landing name to silver name."""
        return {column.name: column.silver for column in self.fields}

    @property
    def silver_key(self) -> tuple[str, ...]:
        """The key in silver names."""
        return tuple(self.silver_names[name] for name in self.key)

    @property
    def bronze(self) -> TableContract:
        """As landed, typed, with where each row came from."""
        return TableContract(
            name=f"bronze.{self.name}",
            grain="one row per readable landed record of the standing version of each batch",
            fields=LINEAGE
            + tuple(
                Field(
                    column.name,
                    column.type,
                    column.description,
                    nullable=not column.required,
                    values=column.values,
                )
                for column in self.fields
            ),
            primary_key=("batch", "source_file", "record_number"),
            partition_by=("batch",),
            written_by="ingest_batch",
            properties=KEPT_A_MONTH | WITHOUT_LIMITS,
        )

    @property
    def silver(self) -> TableContract:
        """In the project's names, every version of a row with the time in which it held.

        Delta keeps limits by file of the times alone: nothing else is read by range. Old rows get their
        `valid_to` without their files being written anew, and what changed can be read of, so that facts are
        built anew of what it concerns alone.
        """
        times = [self.silver_names[self.event_time]] if self.event_time else []
        kept = PINNED_BY_MODELS if self.is_pinned else KEPT_A_MONTH
        limits = limits_of(*times, "valid_from", "valid_to")
        return TableContract(
            name=f"silver.{self.name}",
            grain=f"one row per version of {self.grain}",
            fields=tuple(
                Field(
                    column.silver,
                    column.type,
                    column.description,
                    nullable=not column.required,
                    values=column.values,
                    source=column.name,
                )
                for column in self.fields
            )
            + LINEAGE
            + VALIDITY,
            primary_key=(*self.silver_key, "valid_from"),
            partition_by=("batch",),
            checks=self.checks,
            belongs=self.belongs,
            written_by="conform_tables",
            properties=kept | MARKED | FED | limits,
        )


def required(name: str, type: str, silver: str, description: str, *values: str) -> LandingField:
    """A column that every row must fill."""
    return LandingField(name, type, silver, description, required=True, values=values)


def optional(name: str, type: str, silver: str, description: str, *values: str) -> LandingField:
    """A column that may be empty, or missing from the file."""
    return LandingField(name, type, silver, description, values=values)


def open_ended(name: str, silver: str, description: str) -> LandingField:
    """An optional date that may be a placeholder in the far future."""
    return LandingField(name, "date", silver, description, is_open_ended=True)


ARRIVE_TIME = required(
    "arrive_time",
    "timestamp",
    "arrive_time",
    "When the settlement centre received this version of the row",
)


def at_most(smaller: str, larger: str, note: str) -> Check:
    """A warning when one column exceeds another in a row that has both."""
    return Check(
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {
            "column_A": larger,
            "column_B": smaller,
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        severity="warning",
        note=note,
    )


def between(column: str, low: float | None, high: float | None, note: str) -> Check:
    """A warning when a value lies outside a range that is plausible for its meaning."""
    arguments: dict[str, object] = {"column": column}
    if low is not None:
        arguments["min_value"] = low
    if high is not None:
        arguments["max_value"] = high
    return Check("ExpectColumnValuesToBeBetween", arguments, severity="warning", note=note)
