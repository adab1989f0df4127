"""Parameters of a world, and types of arrays."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.provinces.plateau.catalogue import HABITS, TYPOLOGIES, table

Arr = npt.NDArray[Any]
Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Rng = np.random.Generator


@dataclass
class Settings:
    """Everything one run depends on; `--draw` changes all but the first five."""

    members: int
    months: int
    seed: int
    fraud_share: float
    benign: float
    habits: dict[str, float] = field(default_factory=lambda: dict(HABITS))
    typologies: dict[str, float] = field(default_factory=lambda: dict(TYPOLOGIES))
    skill_high: float = 0.62  # share of gangs with skill above 0.5
    price_level: float = 1.0
    density: float = 1.0  # pharmacies a head
    illness: float = 1.0
    acute: float = 0.005
    voucher_share: float = 0.45
    proxy_noted: float = 0.6
    scan_early: float = 0.45
    caseload: float = 75.0  # people decided per 100,000 and year
    parcel_share: float = 0.4

    def rng(self, stream: int) -> Rng:
        """An independent stream of random numbers for one part of the simulation."""
        return np.random.default_rng([self.seed, stream])


def make(s: Settings, draw: bool) -> Settings:
    """The settings with, if asked for, parameters drawn from the seed, and habits scaled by `benign`."""
    if draw:
        r = s.rng(99)
        s.habits = {k: v * float(r.lognormal(0, 0.5)) for k, v in HABITS.items()}
        s.typologies = {k: v * float(r.lognormal(0, 0.8)) for k, v in TYPOLOGIES.items()}
        for name, low, high in zip(*table("ranges").values()):
            setattr(s, str(name), float(r.uniform(float(low), float(high))))
    s.habits = {k: min(v * s.benign, 0.4) for k, v in s.habits.items()}
    return s
