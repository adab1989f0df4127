"""How each institution scans, from which day on, and how carefully.

Whether a box is scanned depends on day, drug and institution: boxes have had to be scanned to be settled
since 2025-07-01, older stock is uncoded, and from 2026-01-01 every institution uploads all it scans
(NHSA notice 2025 no. 7). Numbers marked (P) are proposals: none is published.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints, generator

_EPOCH = date(1970, 1, 1)
_FIRST_UPLOADS = (date(2025, 1, 1) - _EPOCH).days
_SCAN_TO_SETTLE = (date(2025, 7, 1) - _EPOCH).days
_ALL_UPLOAD = (date(2026, 1, 1) - _EPOCH).days
#: Share of institutions that upload when scanning becomes a condition of settling, by kind (hospital,
#: clinic, pharmacy, village); village doctors are last (P).
_READY = np.array([0.85, 0.6, 0.75, 0.35])


@dataclass(frozen=True)
class Habits:
    """How scanning goes; all shares are (P)."""

    #: scanned although the drug's date has not come, by an institution that uploads already
    early_share: float = 0.10
    #: share of uncoded stock on the first day, and the days in which it falls to a third
    old_stock: float = 0.85
    old_stock_days: float = 40.0
    #: boxes that are not scanned, by institution: the median and its spread (log-normal)
    missed_sale: float = 0.012
    missed_inbound: float = 0.02
    missed_spread: float = 0.8
    #: scanned twice at one sale
    rescanned: float = 0.004
    #: sales scanned with the code of another box of the drug
    mistaken: float = 0.001
    #: institutions that scan one label for several boxes, and the share of their boxes
    careless_counter: float = 0.0
    careless_box: float = 0.0
    #: lines of one box at most that come from an opened pack, by kind of institution
    #: (hospital, clinic, pharmacy, village)
    split: tuple[float, ...] = (0.015, 0.04, 0.003, 0.06)
    #: scans that are uploaded late, and by how many days on average
    late: float = 0.03
    late_days: float = 4.0
    #: returned boxes that go on sale again
    sold_again: float = 0.7
    #: boxes bought back that the pharmacy scans in as if they were new
    reused_inbound: float = 0.55


@dataclass(frozen=True)
class Scanners:
    """Each institution's scanning, by its index; the same in every task."""

    seed: int
    #: the province's start, in days since 1970-01-01
    start: int
    habits: Habits
    #: index into `geography.INSTITUTION_TYPES`
    kind: Ints
    #: first day, since 1970-01-01, on which it uploads scans
    upload_from: Ints
    missed_sale: Floats
    missed_inbound: Floats
    #: uploads what came in every night, otherwise together with the sale
    nightly: Flags
    #: scans one label for several boxes
    careless: Flags

    @classmethod
    def of(cls, seed: int, start_day: int, kind: Ints, habits: Habits) -> Self:
        """The scanning of a province's institutions.

        Args:
            seed: the province's.
            start_day: its start, in days since 1970-01-01.
            kind: `Places.kind`.
            habits: how scanning goes.
        """
        rng = generator(seed, "scanners")
        spread = np.exp(habits.missed_spread * rng.standard_normal((2, len(kind))))
        ready = rng.random(len(kind)) < _READY[kind]
        early = rng.integers(_FIRST_UPLOADS, _SCAN_TO_SETTLE + 1, len(kind))
        late = rng.integers(_SCAN_TO_SETTLE, _ALL_UPLOAD + 1, len(kind))
        return cls(
            seed,
            start_day,
            habits,
            kind,
            upload_from=np.where(ready, early, late),
            missed_sale=np.minimum(habits.missed_sale * spread[0], 0.3),
            missed_inbound=np.minimum(habits.missed_inbound * spread[1], 0.4),
            nightly=rng.random(len(kind)) < 0.5,
            careless=rng.random(len(kind)) < habits.careless_counter,
        )

    def month_start(self, month: int) -> int:
        """The first second of a month, counted from the province's start."""
        start = _EPOCH + timedelta(days=self.start)
        number = start.year * 12 + start.month - 1 + month
        return (date(number // 12, number % 12 + 1, 1) - start).days * 86_400
