"""What the simulator's modules hand to each other: visits with their lines, as arrays of equal length."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from expectations.landing.codes import CREDENTIAL_TYPES, VISIT_TYPES
from jobs.province.arrays.draws import Floats, Ints

#: `Lines.item_type`; the words of the landing contract in this order.
ITEM_TYPES = ("drug", "exam", "treatment", "material", "other")
DRUG, EXAM, TREATMENT, MATERIAL, OTHER = range(5)

#: `Visits.med_type`; the codes of the landing contract.
OUTPATIENT, SPECIAL, INPATIENT, PHARMACY = map(int, VISIT_TYPES)

#: `Visits.certificate_type`
E_VOUCHER, IDENTITY_CARD, INSURANCE_CARD = map(int, CREDENTIAL_TYPES)

#: `Visits.relation`: what a proxy states to be to the insured person.
RELATIONS = ("spouse", "child", "parent", "relative", "carer", "neighbour", "other")


@dataclass(frozen=True)
class Columns:
    """Arrays of equal length, one entry a row."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Self:
        """The given rows, by index or by flag."""
        return type(self)(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})


Rows = TypeVar("Rows", bound=Columns)


def stacked(parts: Sequence[Rows]) -> Rows:
    """The rows of several parts, one after the other; at least one part."""
    columns = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(parts[0])
    }
    return type(parts[0])(**columns)


@dataclass(frozen=True)
class Visits(Columns):
    """One row per visit, which is one settlement.

    Times are whole seconds since the province's first midnight; people, institutions and doctors are
    indices into the province's people and places; -1 is none.
    """

    person: Ints
    institution: Ints
    doctor: Ints
    time: Ints
    med_type: Ints
    #: index into `catalogue.DIAGNOSES`
    diagnosis: Ints
    #: days in bed, 0 unless inpatient
    stay: Ints
    certificate_type: Ints
    #: number of the phone that showed the e-voucher (hashed on the way out), -1 none
    device: Ints
    #: terminal of the institution, from 0; its operator follows from it and the hour
    terminal: Ints
    #: the person who collected for the insured one
    proxy: Ints
    relation: Ints
    #: index of the gang behind the visit, -1 for an honest one
    gang: Ints


@dataclass(frozen=True)
class Lines(Columns):
    """One row per fee line of a visit."""

    #: row of the Visits that they come with
    visit: Ints
    item_type: Ints
    #: index into the drug catalogue, -1 for another fee
    drug: Ints
    #: boxes of a drug, times of a service
    quantity: Floats
    #: yuan each
    price: Floats
    #: days' supply as the prescription states it, NaN where it is left empty
    days: Floats
    #: share of the line that serves no own need of the insured person: what the fund loses by it
    misused: Floats


@dataclass(frozen=True)
class Events:
    """Visits and their lines."""

    visits: Visits
    lines: Lines


def joined(parts: Sequence[Events]) -> Events:
    """Several events as one, line references moved along; at least one part."""
    starts = np.cumsum([0, *(len(part.visits) for part in parts[:-1])])
    visits = {
        each.name: np.concatenate([getattr(part.visits, each.name) for part in parts])
        for each in fields(Visits)
    }
    lines = {
        each.name: np.concatenate([getattr(part.lines, each.name) for part in parts])
        for each in fields(Lines)
    }
    lines["visit"] = np.concatenate(
        [part.lines.visit + start for part, start in zip(parts, starts, strict=True)]
    )
    return Events(Visits(**visits), Lines(**lines))
