"""Honest habits that look suspicious: people who fetch for others, stock up, roam, share phones."""

import numpy as np

from benchmarks.provinces.harbour.types import Arr, Ints, Rng
from benchmarks.provinces.harbour.world import World

#: Habits of a group: minutes between two of its cards.
STEPS = {
    "couple": 4, "family_carer": 5, "neighbour_carer": 6, "nursing_home": 2, "village_batch": 2,
}  # fmt: skip
#: Habits of a person: column of the bundles, its value (none: a random day), least age.
LONE: tuple[tuple[str, str, float | None, int], ...] = (
    ("market_day", "market", True, 45),
    ("year_end_stock", "yearend", True, 40),
    ("many_doctors", "new_doc", True, 30),
    ("hoarder", "roam", 0.8, 55),
    ("multi_clinic", "roam", 0.5, 30),
    ("commuter", "away", 0.5, 18),
    ("travel_stock", "travel", None, 18),
    ("regimen_switch", "switch", None, 18),
    ("long_prescription", "gap", 84, 18),
)


def habits(w: World, rng: Rng) -> None:
    """Give honest people the habits that act through their bundles and phones."""
    p, b, n = w.p, w.bundles, w.insured
    ill = np.isin(np.arange(w.total), b["psn"])
    for i in w.pick("couple", ill & (w.spouse >= 0) & (w.spouse < n), rng, 2, False):
        _together(w, np.array([i, w.spouse[i]]), i, "couple", rng)
    for i in w.pick("family_carer", (w.age > 30) & (w.age < 72), rng, 3, False):
        houses = [w.house[i], rng.integers(0, w.house.max())]
        kin = np.flatnonzero(ill[:n] & np.isin(w.house[:n], houses))[: rng.integers(2, 7)]
        carer = {"proxy": i, "rel": 1, "proxy_p": rng.choice([0.0, 0.5, 0.95])}
        carer["dev"] = i if rng.random() < 0.4 else -1
        _together(w, kin, i, "family_carer", rng, **carer)
    for i in w.pick("neighbour_carer", (w.age > 45) & (w.age < 75), rng, 4, False):
        close = np.hypot(*(w.xy[:n] - w.xy[i]).T) < 0.03
        near = np.flatnonzero(ill[:n] & (w.age[:n] > 68) & close)
        cards = rng.permutation(near)[: rng.integers(2, 8)]
        carer = {"proxy": i, "rel": int(rng.choice([3, 4])), "proxy_p": rng.choice([0.2, 0.9])}
        _together(w, cards, i, "neighbour_carer", rng, **carer)
    for habit, low, high, old in (("nursing_home", 20, 60, 76), ("village_batch", 10, 40, 50)):
        for _ in range(rng.poisson(p.habit[habit] * p.benign * n / ((low + high) / 2))):
            there = (w.district[:n] == rng.integers(0, 8)) & (w.age[:n] > old)
            pool = np.flatnonzero(ill[:n] & there)
            cards = rng.permutation(pool)[: rng.integers(low, high)]
            staff = int(rng.integers(w.total, w.with_extra))
            nurse = habit == "nursing_home"
            place, helper = ("hospital", "proxy") if nurse else ("village", "dev")
            carer = {"rel": 2, "proxy_p": 0.8, helper: staff}
            if len(cards):
                _together(w, cards, cards[0], habit, rng, place, **carer)
    for habit, column, value, old in LONE:
        j = _bundles_of(w, w.pick(habit, ill & (w.age > old), rng))
        day = rng.integers(10, max(11, p.days), len(j)) if value is None else value
        b[column][j] = day
        if habit == "hoarder":
            b["gap"][j] *= rng.uniform(0.35, 0.8)
            b["adhere"][j] *= 1.5
    w.therapies["dose"][np.isin(w.therapies["psn"], w.pick("double_dose", ill, rng))] *= 2
    who = w.pick("shared_phone", np.ones(w.total, bool), rng)
    w.dev[who], w.cert_pref[who] = who[np.arange(len(who)) // 4 * 4], 1


def _bundles_of(w: World, who: Arr) -> Ints:
    return np.flatnonzero(np.isin(w.bundles["psn"], who))


def _together(
    w: World, cards: Ints, lead: int, habit: str, rng: Rng, place: str = "", **carer: float
) -> None:
    """These cards are fetched on the same days, one after another."""
    b, j = w.bundles, _bundles_of(w, cards)
    j = j[w.c.ill_home[b["ill"][j]] == "any"]
    order = np.unique(b["psn"][j], return_inverse=True)[1]
    place = place or ("hospital" if rng.random() < 0.4 else "pharmacy")
    b["minute"][j] = 1 + order * STEPS[habit] * rng.uniform(0.6, 1.4, len(j))
    b["gap"][j] = rng.choice([14, 28, 28, 30])
    b["phase"][j] = rng.uniform(0, 28)
    b["wobble"][j] = rng.choice([1.0, 3.0])
    b["group"][j], b["hour"][j], b["inst"][j] = lead, w.hour[lead], w.fav[place][lead]
    for column, value in ({"proxy": -1, "rel": 0, "proxy_p": 0.0, "dev": -1} | carer).items():
        b[column][j] = value
    w.tag(b["psn"][j], habit)
