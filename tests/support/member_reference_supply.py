"""Supply on hand, slowly: day by day, a quarter of a day at a time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from support.member_histories import Row
from support.member_reference_rows import ratio

#: Drawn supplies are whole quarters of days.
_QUARTERS = 4


@dataclass
class Fill:
    """What one institution gave of an ingredient on one day."""

    ago: int
    institution: str
    drugs: list[Row] = field(default_factory=list)
    stock: float = 0.0
    overlap: int = 0
    elsewhere: int = 0
    early: bool = False
    moved: bool = False
    recent: float = 0.0

    @property
    def supply(self) -> float:
        days = min(sum(d["supply"] for d in self.drugs), 3650)
        assert (days * _QUARTERS).is_integer()
        return days

    @property
    def since(self) -> tuple[datetime, str]:
        """When the first of it was given, and by whom: fills follow each other in this order."""
        return min(d["visit"]["time"] for d in self.drugs), self.institution

    @property
    def chronic(self) -> bool:
        return any(d["about"]["chronic"] for d in self.drugs)


@dataclass
class Ingredient:
    """A year of fills, lived through."""

    fills: list[Fill]
    peak: float = 0.0
    left: float = 0.0

    def total(self, days: int) -> float:
        return sum(f.supply for f in self.fills if f.ago <= days)

    @property
    def dose_ratio(self) -> float | None:
        drugs = [(f.ago, d) for f in self.fills for d in f.drugs if d["about"]["ddd_per_box"]]
        labels = [
            d["about"]["ddd_per_box"] / d["about"]["days_per_box"]
            for _, d in drugs
            if d["about"]["days_per_box"]
        ]
        given = sum(d["quantity"] * d["about"]["ddd_per_box"] for ago, d in drugs if ago <= 90)
        return given / (90 * max(labels)) if labels else None

    @property
    def excess_fund(self) -> float:
        usable = max(f.ago for f in self.fills) + 30
        excess = max(0.0, 1 - usable / self.total(365))
        drugs = [d for f in self.fills for d in f.drugs]
        unexplained = sum(d["fund"] for d in drugs if not d["explained"])
        return (sum(d["fund"] for d in drugs) * excess + unexplained * (1 - excess)) / 100


def supply_reference(
    visits: Sequence[Row], drugs: Sequence[Row], certificates: Sequence[Row], as_of: date
) -> Row:
    """Every supply feature, and the ramp of certificates, of one member."""
    hospital = _hospital_days(visits, as_of)
    by_name: dict[str, dict[tuple[int, str], Fill]] = defaultdict(dict)
    for d in drugs:
        if d["supply"] > 0:
            key = (d["ago"], d["visit"]["institution_id"])
            by_name[d["ingredient"]].setdefault(key, Fill(*key)).drugs.append(d)
    lived = {
        name: _live(sorted(fills.values(), key=lambda f: f.since), hospital)
        for name, fills in by_name.items()
    }
    each = list(lived.values())
    fills = [f for one in each for f in one.fills]
    half = [f for f in fills if f.ago <= 180]
    chronic = [f for f in fills if f.chronic]
    begun = min(((as_of - c["start_date"]).days for c in certificates), default=None)
    ramp = [begun - f.ago for f in fills if begun is not None and f.recent > 108 and f.ago <= begun]
    ratios = {
        days: max((one.total(days) / days for one in each), default=None) for days in _WINDOWS
    }
    doses = [one.dose_ratio for one in each if one.dose_ratio is not None]
    return {
        **{f"supply_ratio_max_{days}d": ratios[days] for days in _WINDOWS},
        "excess_days_180d": sum(max(0, one.total(180) - 210) for one in each),
        "overlap_days_180d": sum(f.overlap for f in half) / _QUARTERS,
        "elsewhere_overlap_days_180d": sum(f.elsewhere for f in half) / _QUARTERS,
        "elsewhere_overlap_days_365d": sum(f.elsewhere for f in fills) / _QUARTERS,
        "early_refill_count_180d": sum(f.early for f in half),
        "elsewhere_early_refill_count_180d": sum(f.early and f.moved for f in half),
        "repeat_elsewhere_7d_count_90d": _repeats(each),
        "stock_days_max": max((one.left for one in each), default=0),
        "stock_peak_days_365d": max((one.peak for one in each), default=0),
        "dose_ratio_max_90d": max(doses, default=None),
        "oversupplied_ingredient_count_180d": sum(one.total(180) > 1.2 * 180 for one in each),
        "class_overlap_days_90d": _class_days(lived),
        "excess_fund_sum_365d": sum(one.excess_fund for one in each),
        "long_fill_share_365d": ratio(sum(f.supply >= 28 for f in chronic), len(chronic)),
        "certificate_ramp_days_365d": min(ramp, default=None),
    }


_WINDOWS = (90, 180, 365)


def _hospital_days(visits: Sequence[Row], as_of: date) -> set[int]:
    """Days before the as-of date that the member spent in hospital; not that of discharge."""
    days = set()
    for v in visits:
        if v["visit_type"] == "21":
            at, end = v["start"] or v["time"].date(), v["end"] or v["time"].date()
            while at < end:
                days.add((as_of - at).days)
                at += timedelta(days=1)
    return {ago for ago in days if 1 <= ago <= 365}


def _live(fills: list[Fill], hospital: set[int]) -> Ingredient:
    """Take one day's supply a day, from the first fill to the as-of date."""
    ingredient = Ingredient(fills)
    stock, clock = 0.0, 0
    covered: dict[int, list[str]] = defaultdict(list)
    previous: Fill | None = None
    for ago in range(max(f.ago for f in fills), 0, -1):
        for f in (f for f in fills if f.ago == ago):
            f.stock = round(stock, 2)
            if previous:
                f.early = f.stock > 0 and f.stock >= 0.25 * previous.supply
                f.moved = f.institution != previous.institution
            for part in range(clock, clock + round(f.supply * _QUARTERS)):
                before = covered[part]
                f.overlap += len(before) == 1
                f.elsewhere += len(set(before)) == 1 and f.institution not in before
                before.append(f.institution)
            f.recent = round(
                sum(g.supply for g in fills[: fills.index(f) + 1] if g.ago < ago + 90), 2
            )
            stock += f.supply
            ingredient.peak = max(ingredient.peak, round(stock, 2))
            previous = f
        if ago not in hospital:
            stock = max(0.0, stock - 1)
            clock += _QUARTERS
    ingredient.left = round(stock, 2)
    return ingredient


def _repeats(each: Sequence[Ingredient]) -> int:
    return sum(
        b.institution != a.institution and a.ago - b.ago <= 7 and b.ago <= 90
        for one in each
        for a, b in zip(one.fills, one.fills[1:], strict=False)
    )


def _class_days(lived: dict[str, Ingredient]) -> float:
    """Of the last 90 days, those on which two ingredients of a class and more last."""
    lasting: dict[tuple[str, int], set[str]] = defaultdict(set)
    for name, one in lived.items():
        for f in one.fills:
            code = f.drugs[0]["atc"]
            if len(code) < 5:
                continue
            start = -f.ago * _QUARTERS
            for part in range(start, start + round(f.supply * _QUARTERS)):
                if -90 * _QUARTERS <= part < 0:
                    lasting[code[:5], part].add(name)
    return sum(len(names) > 1 for names in lasting.values()) / _QUARTERS
