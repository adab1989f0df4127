"""The book of visits and their fee lines, in which all that people do is noted."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from benchmarks.provinces.harbour.types import Arr, Columns, Ints, Rng, Values

#: Kinds of visit.
OUTPATIENT, SPECIAL, STAY, STORE = 11, 14, 21, 41
#: Fees that are no drugs: number, mean and deviation of the amounts.
FEES = {
    "registration": (-1, 12, 4), "exam": (-2, 95, 60), "treatment": (-3, 420, 30),
    "material": (-4, 60, 40), "bed": (-5, 4200, 3500),
}  # fmt: skip


def visits(psn: Any, inst: Any, t: Any, kind: Any, dx: Any, **more: Any) -> Values:
    """Visits: person, place, second, kind, diagnosis, and other columns that Book.VISIT lists."""
    return {"psn": psn, "inst": inst, "t": t, "mtype": kind, "dx": dx, **more}


def packs(v: Ints, drug: Arr, cnt: Arr, **more: Any) -> Values:
    """Lines of drugs: visit, drug, boxes, and other columns that Book.LINE lists."""
    return {"v": v, "drug": drug, "cnt": cnt, **more}


def fees(v: Ints, item: str, rng: Rng) -> Values:
    """Lines of a fee that is no drug, price in cents."""
    number, mean, sd = FEES[item]
    halves = np.maximum(rng.gamma((mean / sd) ** 2, sd * sd / mean, len(v)), 1) * 2
    return {"v": v, "drug": np.full(len(v), number), "cents": np.round(halves).astype(int) * 50}


class Book:
    """Visits and fee lines, collected in chunks of arrays.

    Of a visit: doc is -2 for the usual doctor, -3 for any; seat -1 for any desk; other -1 for none.
    Of a line: v is its visit; drug is below 0 for a fee (its kind); frac the share that is fraud;
    scan 1 for boxes not scanned, 2 for codes of boxes sold before, 3 for boxes never delivered.
    """

    VISIT: ClassVar = {
        "psn": -1, "inst": -1, "t": 0, "mtype": OUTPATIENT, "dx": -1, "doc": -2, "dev": -1,
        "proxy": -1, "rel": 0, "stay": 0, "seat": -1,
    }  # fmt: skip
    LINE: ClassVar = {
        "v": 0, "drug": 0, "cnt": 1, "gang": -1, "frac": 0.0, "scan": 0, "resold": 0,
        "cents": 0, "dose": 1.0,
    }  # fmt: skip

    def __init__(self) -> None:
        self.visits: list[Columns] = []
        self.lines: list[Columns] = []
        self.n = 0

    def add(self, visit: Values, *lines: Values) -> None:
        """Add visits and parts of their lines (v counts from 0 within this call)."""
        n = np.size(visit["psn"])
        self.visits.append(_full(self.VISIT, visit, n))
        for part in lines:
            self.lines.append(_full(self.LINE, {**part, "v": part["v"] + self.n}, len(part["v"])))
        self.n += n

    def close(self) -> tuple[Columns, Columns]:
        """All visits and lines as one dict of arrays each."""
        return _concatenated(self.visits), _concatenated(self.lines)


def _full(defaults: Mapping[str, float], given: Values, n: int) -> Columns:
    """All columns with n rows each, of the given values or the defaults."""
    return {
        name: np.broadcast_to(np.asarray(given.get(name, value), dtype=type(value)), n).copy()
        for name, value in defaults.items()
    }


def _concatenated(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
