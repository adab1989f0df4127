"""Parameters of a province, and the tables beside the code."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.provinces.harbour.arrays import DAY0, month_start
from benchmarks.provinces.harbour.types import Floats

#: Shares of the typologies among the cards that are used.
MIX = {
    "hospital_stall": 0.2, "rented_cards": 0.26, "cold_chain": 0.1, "pharmacy_ring": 0.12,
    "code_swap": 0.06, "certificate_abuse": 0.1, "family_ring": 0.09, "staff_hoard": 0.07,
}  # fmt: skip
TYPOLOGIES = tuple(MIX)
#: Shares of the insured with a habit that looks suspicious.
HABITS = {
    "couple": 0.02, "family_carer": 0.014, "neighbour_carer": 0.004, "nursing_home": 0.005,
    "village_batch": 0.01, "market_day": 0.012, "dormitory": 0.02, "night_shift": 0.008,
    "shared_phone": 0.012, "long_prescription": 0.025, "year_end_stock": 0.016, "travel_stock": 0.008,
    "double_dose": 0.012, "many_doctors": 0.008, "commuter": 0.005, "dear_course": 0.007,
    "regimen_switch": 0.008, "infusion_course": 0.006, "herbal_course": 0.008, "returns": 0.004,
    "night_clinic": 0.004, "hoarder": 0.009, "multi_clinic": 0.01, "buys_for_kin": 0.008,
}  # fmt: skip
#: Where the parameters of a drawn province lie.
RANGES = {
    "skilled": (0.6, 0.9), "acute": (1.8, 3.2), "price": (0.7, 1.4), "pharmacies": (0.6, 1.7),
    "resurface": (0.05, 0.6), "scan": (0.9, 0.99), "dealers": (0.15, 0.5), "volume": (0.7, 1.4),
    "late": (0.01, 0.06),
}  # fmt: skip


@dataclass
class Params:
    """Everything that can differ between two provinces."""

    members: int
    months: int
    seed: int
    fraud_share: float = 0.003
    benign: float = 1.0
    skilled: float = 0.68  # share of gangs with a skill above one half
    mix: Floats = field(default_factory=lambda: np.array(list(MIX.values())))
    habit: dict[str, float] = field(default_factory=lambda: dict(HABITS))
    acute: float = 2.6  # acute visits a year of an average person
    price: float = 1.0  # multiplier of drug prices
    pharmacies: float = 1.0  # density of pharmacies
    resurface: float = 0.3  # chance that a crude gang's box is scanned again
    scan: float = 0.97  # share of boxes that counters scan
    dealers: float = 0.3  # dealers per gang
    volume: float = 1.0  # multiplier of dealers' demand
    late: float = 0.03  # share of rows arriving late

    @property
    def days(self) -> int:
        """Number of simulated days."""
        return (month_start(self.months) - DAY0).days

    def draw(self) -> None:
        """Draw the parameters at random from the seed."""
        rng = np.random.default_rng([self.seed, 77])
        self.mix = rng.dirichlet(self.mix * 9 + 0.3)
        self.habit = {k: v * float(rng.lognormal(0, 0.4)) for k, v in self.habit.items()}
        for name, (low, high) in RANGES.items():
            setattr(self, name, float(rng.uniform(low, high)))


def columns(name: str) -> list[tuple[str, ...]]:
    """The columns of a table beside this module, without its head."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return list(zip(*(line.split("|") for line in text.splitlines()[1:])))
