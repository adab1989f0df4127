"""The city: drugs, illnesses, institutions and doctors."""

import numpy as np

from benchmarks.provinces.harbour.book import OUTPATIENT, STORE
from benchmarks.provinces.harbour.params import Params, columns
from benchmarks.provinces.harbour.types import Arr, Bools, Floats, Ints, Rng

ACUTE_ICD = ["J06", "J20", "K29", "K52", "B35", "N39", "M54", "L30", "R51", "S93"]
#: Types of institution: the least number of them, and people to each.
TYPES = {
    "hospital": (3, 7000), "clinic": (5, 2200), "village": (3, 3500), "pharmacy": (6, 1300),
    "dtp": (2, 10000), "away_hospital": (3, 10**9), "away_pharmacy": (4, 6000),
}  # fmt: skip


class City:
    """Reference data as arrays; drugs, illnesses, institutions and doctors are known by index."""

    def __init__(self, p: Params, rng: Rng) -> None:
        self._institutions(p, rng)
        drug, self.atc, category, days, price, ratio, chronic, cold, indications = columns(
            "drugs.txt"
        )
        self.drug, self.category = list(drug), np.array(category)
        self.days, self.ratio = _numbers(days), _numbers(ratio)
        self.chronic, self.cold = _numbers(chronic) > 0, _numbers(cold) > 0
        prices = _numbers(price) * p.price * rng.lognormal(0, 0.05, len(drug))
        self.price: Floats = np.round(prices, 2)
        self._equipment(rng)
        self.icd = [[code for code in text.split(";") if code] for text in indications]
        # Boxes are scanned from the first day, some from July.
        self.trace_from = np.where(np.arange(len(drug)) * 5 % 7 < 4, 0, 181)
        self.ill, self.ill_icd, shares, slots, special, home = columns("illnesses.txt")
        self.ill_special, self.ill_home = np.array(special), np.array(home)
        self.ill_share = np.array([_numbers(text.split()) for text in shares])
        self.ill_slots = [
            [[drug.index(name) for name in slot.split(",")] for slot in text.split("+")]
            for text in slots
        ]
        self.dx = sorted({*self.ill_icd, *ACUTE_ICD, *(code for icd in self.icd for code in icd)})

    def _institutions(self, p: Params, rng: Rng) -> None:
        """Institutions, where they lie, and their doctors."""
        dense = {"pharmacy": p.pharmacies}
        counts = [
            max(least, int(p.members / each * dense.get(kind, 1.0)))
            for kind, (least, each) in TYPES.items()
        ]
        tags = rng.permutation(np.repeat(list(TYPES), counts))
        m, self.away, self.dtp = len(tags), np.char.startswith(tags, "away"), tags == "dtp"
        kind = np.char.replace(np.char.replace(tags, "away_", ""), "dtp", "pharmacy")
        self.inst_type: Arr = kind
        hospital, clinic = kind == "hospital", kind == "clinic"
        self.centre = np.array([29.87, 121.55]) + rng.normal(0, 0.16, (8, 2))
        self.inst_district = rng.integers(0, 8, m)
        self.inst_district[self.dtp] = rng.integers(0, 3, self.dtp.sum())
        self.inst_xy = self.centre[self.inst_district] + rng.normal(0, 0.04, (m, 2))
        moved = np.array([2.5, -3.0]) + rng.normal(0, 0.8, (self.away.sum(), 2))
        self.inst_xy[self.away] += moved
        staff = [rng.integers(low, high, m) for low, high in ((14, 30), (2, 6), (1, 3))]
        self.doc_count = np.select([hospital, clinic, kind == "village"], staff, 0)
        self.doc_inst = np.repeat(np.arange(m), self.doc_count)
        self.doc_start = np.cumsum(self.doc_count) - self.doc_count
        self.night = hospital | (rng.random(m) < 0.15)
        self.night[np.flatnonzero(clinic)[0]] = True

    def _equipment(self, rng: Rng) -> None:
        """Levels, desks, crowds and carelessness of institutions."""
        m, hospital = len(self.inst_type), self.inst_type == "hospital"
        other = np.where(self.inst_type == "pharmacy", 9, 1)
        self.level = np.where(hospital, rng.integers(2, 4, m), other)
        self.desks = np.where(hospital, rng.integers(4, 9, m), rng.integers(1, 4, m))
        self.crowd = rng.lognormal(0, 0.4, m) * np.where(self.dtp, 1.8, 1)
        self.careless = rng.random(m) < 0.05

    def of_type(self, kind: str) -> Ints:
        """Institutions of a type inside the province; dtp are pharmacies for special drugs."""
        is_kind: Bools = self.dtp if kind == "dtp" else (self.inst_type == kind) & ~self.dtp
        return np.flatnonzero(is_kind & ~self.away)

    def elsewhere(self, kind: str) -> Ints:
        """Institutions of a type outside the province."""
        return np.flatnonzero(self.away & (self.inst_type == kind))

    def visit_kind(self, inst: Arr) -> Ints:
        """The kind of a plain visit at these institutions."""
        return np.where(self.inst_type[inst] == "pharmacy", STORE, OUTPATIENT)

    def common(self) -> Ints:
        """Drugs without chronic use, cheap."""
        return np.flatnonzero(~self.chronic & (self.price < 60))

    def dx_of(self, icd: object) -> Ints:
        """Indices of ICD-10 codes among the diagnoses."""
        return np.searchsorted(self.dx, np.asarray(icd))

    def doctor(self, inst: int, rng: Rng) -> int:
        """Any doctor of an institution."""
        return int(self.doc_start[inst] + rng.integers(self.doc_count[inst]))


def _numbers(texts: tuple[str, ...] | list[str]) -> Floats:
    return np.array([float(text or 0) for text in texts])
