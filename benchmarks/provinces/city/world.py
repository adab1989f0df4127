"""The standing part of the city: places, households, illnesses, and where people usually go."""

import numpy as np

from benchmarks.provinces.city.base import COND_CERT, CONDS, DRUGS, FLAG, Arr, Params, Rng

HOSP, CLINIC, PHARM, VILLAGE, NEVER = 0, 1, 2, 3, 10**6


class World:
    """Arrays of estates, places, doctors, products and people."""

    def __init__(self, p: Params, rng: Rng) -> None:
        """Builds everything in the order in which a city grows."""
        self.p, self.rng = p, rng
        self.days = int((np.datetime64("2025-01") + p.months).astype("M8[D]").astype(int)) - 20089
        for step in (self._products, self._estates, self._people, self._places, self._illness):
            step()
        self.hab: list[Arr] = [self._habit(HOSP, 7.0), self._habit(CLINIC, 1.6)]
        self.hab += [self._habit(PHARM, 1.3), self._habit(VILLAGE, 1.0)]
        self.stay_key = self.stay_end = self.stay_who = np.zeros(
            0, int
        )  # known once people fell ill
        commuter = (rng.random(self.n) < 0.006 * p.benign) & self.local
        far = np.flatnonzero((self.kind == HOSP) & self.away)
        self.hab[HOSP][commuter, 0] = rng.choice(far, int(commuter.sum()))
        self.commuter = np.flatnonzero(commuter)

    def _products(self) -> None:
        rng, n_ing = self.rng, len(DRUGS)
        self.ing = np.repeat(np.arange(n_ing), rng.integers(1, 4, n_ing))
        n = len(self.ing)
        days, yuan = (np.array([float(d[k]) for d in DRUGS])[self.ing] for k in (3, 4))
        pack = np.where((days > 20) | (yuan > 300), 1.0, rng.choice([1.0, 1.0, 1.0, 2.0], n))
        self.dpb, self.ddd = (
            days * pack,
            np.round(days * pack * rng.uniform(0.6, 1.0, n_ing)[self.ing]),
        )
        cost = yuan * pack**0.9 * rng.uniform(0.75, 1.3, n) * self.p.price
        self.price = np.round(cost * 100).astype(np.int64)
        ratio = np.where(FLAG["w"][self.ing], 0.52, 0.3) + rng.uniform(-0.12, 0.12, n)
        self.resale = np.where(rng.random(n) < 0.25, np.nan, np.round(ratio, 2))
        self.trace_from = np.where(rng.random(n) < 0.8, -200, rng.integers(0, 300, n))
        self.ing_first = np.searchsorted(self.ing, np.arange(n_ing))
        self.ing_n = np.bincount(self.ing, minlength=n_ing)

    def product(self, ing: Arr) -> Arr:
        """A product of each ingredient; the first one sells best."""
        u = self.rng.random(len(ing)) ** 1.6
        return np.asarray(self.ing_first[ing] + (u * self.ing_n[ing]).astype(int))

    def _estates(self) -> None:
        rng, n = self.rng, max(8, self.p.members // 220)
        self.towns = int(np.clip(self.p.members // 12000 + 3, 3, 24))
        far = np.sqrt(rng.random(self.towns)) * (12 + 5 * np.sqrt(self.towns))
        turn, far[0] = rng.uniform(0, 2 * np.pi, self.towns), 0
        self.town_x, self.town_y = far * np.cos(turn), far * np.sin(turn)
        self.e_rural = rng.random(n) < self.p.rural
        weight = np.r_[0.45, rng.dirichlet(np.full(self.towns - 1, 3.0)) * 0.55]
        self.e_town = rng.choice(self.towns, n, p=weight)
        r = np.where(self.e_rural, rng.uniform(4, 14, n), np.abs(rng.normal(0, 2.3, n)))
        turn = rng.uniform(0, 2 * np.pi, n)
        self.e_x = self.town_x[self.e_town] + r * np.cos(turn)
        self.e_y = self.town_y[self.e_town] + r * np.sin(turn)

    def _people(self) -> None:
        rng, m, n_e = self.rng, self.p.members, len(self.e_x)
        size = rng.choice([1, 2, 3, 4, 5], m, p=[0.2, 0.34, 0.24, 0.14, 0.08])
        size = size[: int(np.searchsorted(np.cumsum(size), m)) + 1]
        hh_estate = np.sort(rng.integers(0, n_e, len(size)))
        hh = np.repeat(np.arange(len(size)), size)[:m]
        pos = np.arange(m) - np.searchsorted(hh, hh)
        a = np.arange(20, 90)
        odds = np.exp(-(((a - 48) / 19.0) ** 2)) + 0.12 * (a > 60) * (a < 80)
        head = rng.choice(a, len(size), p=odds / odds.sum())[hh]
        old, young = np.array([0, 0, -27, -27, -54]), np.array([0, 0, -27, -27, 26])
        age = head + np.where(head >= 60, old[pos], young[pos]) + (pos > 0) * rng.normal(0, 2.5, m)
        v = max(4, m * 6 // 1000)  # people insured elsewhere who fall ill here
        n = self.n = m + v
        self.age = np.clip(np.r_[age, rng.uniform(18, 75, v)], 0.2, 99)
        self.pos, self.hh = np.r_[pos, np.zeros(v, int)], np.r_[hh, len(size) + np.arange(v)]
        self.estate = np.r_[hh_estate[hh], rng.integers(0, n_e, v)]
        sex = np.where(self.pos == 1, 2, rng.integers(1, 3, n))
        self.sex = np.where((self.pos == 0) & (rng.random(n) < 0.7), 1, sex)
        self.local, self.rural = np.arange(n) < m, self.e_rural[self.estate]
        self.emp = (rng.random(n) < np.where(self.rural, 0.12, 0.62)) & (self.age > 20)
        self.addr = self.hh.copy()
        self.x = self.e_x[self.estate] + rng.normal(0, 0.4, n)
        self.y = self.e_y[self.estate] + rng.normal(0, 0.4, n)
        # a phone of one's own, or another's in the household: the old and the young borrow one
        borrow = rng.random(n) < np.select([self.age < 14, self.age > 74], [1.0, 0.45], 0.05)
        first = np.searchsorted(self.hh, self.hh)
        last = np.searchsorted(self.hh, self.hh, side="right") - 1
        self.phone = np.where(borrow, np.where(self.age > 60, last, first), np.arange(n))
        tilt = np.select([self.age < 30, self.age < 60, self.age < 72], [1.5, 1.3, 0.7], 0.35)
        self.voucher = np.clip(self.p.voucher * tilt * rng.beta(1.2, 1.2, n) * 2, 0, 0.97)
        hazard = 0.0004 * np.exp((np.clip(self.age, 30, 99) - 45) * 0.085)
        self.death = (rng.exponential(1 / hazard) * 365).astype(int)
        self.pause = np.where(rng.random(n) < 0.008, rng.integers(0, self.days, n), NEVER)
        self.stop = np.minimum(self.death, self.pause)
        self.end = np.minimum(self.stop, self.days)
        self.town = np.where(self.local, self.e_town[self.estate], -1)
        self.frail = rng.gamma(0.5, 2.0, n) * self.local

    def _places(self) -> None:
        rng, m = self.rng, self.p.members
        villages = np.flatnonzero(self.e_rural & (rng.random(len(self.e_x)) < 0.7))
        villages = villages if len(villages) else np.array([0])
        count = [max(3, m // 5000), max(5, m // 1500), max(6, int(m / 900 * self.p.pharmacies))]
        count += [len(villages), 4 + m // 40000, 2 + m // 100000]
        self.kind = np.repeat([HOSP, CLINIC, PHARM, VILLAGE, PHARM, HOSP], count)
        n = len(self.kind)
        self.away = np.arange(n) >= n - sum(count[4:])
        near = self.estate[rng.integers(0, m, n)]
        near[self.kind == VILLAGE] = villages
        town = self.e_town[near]
        hosp = np.flatnonzero((self.kind == HOSP) & ~self.away)
        turns = np.arange(len(hosp))
        town[hosp] = np.where(turns % 2 == 0, 0, turns % self.towns)
        centre = np.isin(np.arange(n), hosp)
        self.px = np.where(centre, self.town_x[town], self.e_x[near]) + rng.normal(0, 0.7, n)
        self.py = np.where(centre, self.town_y[town], self.e_y[near]) + rng.normal(0, 0.7, n)
        turn = rng.uniform(0, 2 * np.pi, n)
        self.px[self.away], self.py[self.away] = (
            320 * f(turn)[self.away] for f in (np.cos, np.sin)
        )
        self.ptown = np.where(self.away, -1, town)
        self.level = np.select([self.kind == PHARM, self.kind != HOSP], ["9", "1"], "2")
        self.level[centre & (town == 0)] = "3"
        self.attract = rng.normal(0, 0.5, n) + 0.7 * (self.level == "3")
        self.dual = (self.kind == PHARM) & (rng.random(n) < 0.22)
        cap = np.where(self.dual, 8000, rng.choice([600, 800, 1000, 1500], n))
        self.cap, self.skew = np.where(self.kind == HOSP, 50000, cap) * 100, rng.normal(1, 0.03, n)
        staff = np.select([self.kind == HOSP, self.kind == CLINIC], [20, 5], 2)
        self.dr_n = rng.poisson(staff) + 1
        self.dr_place, self.dr_first = (
            np.repeat(np.arange(n), self.dr_n),
            np.cumsum(self.dr_n) - self.dr_n,
        )
        # some doctors work at a second place under the same number
        self.dr_same = np.arange(len(self.dr_place))
        move = np.flatnonzero(rng.random(len(self.dr_same)) < 0.03)
        self.dr_same[move] = rng.integers(0, len(self.dr_same), len(move))
        self.desks = rng.poisson(np.where(self.kind == HOSP, 7, 1)) + 1
        self.desk_first = np.cumsum(self.desks) - self.desks

    def _illness(self) -> None:
        """Each illness by age, with company (a frail body has several) and an onset."""
        rng, n, pairs = self.rng, self.n, []
        z = np.log(np.clip(rng.gamma(2.5, 1 / 2.5, n), 0.05, 9)) * 0.6
        for c, row in enumerate(CONDS):
            a, b = (np.log(float(s) / (1 - float(s))) for s in row[2:4])
            logit = a + (b - a) * (np.clip(self.age, 5, 82) - 45) / 25 + z
            who = np.flatnonzero((rng.random(n) < 1 / (1 + np.exp(-logit))) & self.local)
            pairs.append(np.stack([who, np.full(len(who), c)]))
        both = np.concatenate(pairs, axis=1)
        self.pair_p, self.pair_c = both[:, np.lexsort((both[1], both[0]))]
        m = len(self.pair_p)
        past, new = -rng.gamma(1.4, 1500, m).astype(int) - 1, rng.random(m) < 0.09
        since = np.where(new, rng.integers(1, self.days, m), past)
        self.pair_since = np.maximum(since, -(self.age[self.pair_p] * 360).astype(int))
        self.pair_cert = COND_CERT[self.pair_c] & (rng.random(m) < 0.5)
        self.pair_lo = np.searchsorted(self.pair_p, np.arange(n))
        self.pair_hi = np.searchsorted(self.pair_p, np.arange(n), side="right")
        self.n_cond = self.pair_hi - self.pair_lo
        self.has_cert = np.zeros((n, len(CONDS)), bool)
        self.has_cert[self.pair_p[self.pair_cert], self.pair_c[self.pair_cert]] = True

    def _habit(self, kind: int, scale: float) -> Arr:
        """The five places of a kind that each person uses most, by distance, fame and taste."""
        ids, out = np.flatnonzero((self.kind == kind) & ~self.away), np.empty((self.n, 5), np.int32)
        for a in range(0, self.n, 20000):
            s = slice(a, a + 20000)
            d = np.hypot(self.x[s, None] - self.px[ids], self.y[s, None] - self.py[ids])
            taste = -np.log(self.rng.exponential(1, d.shape).astype(np.float32))
            score = self.attract[ids] + taste - d / scale
            k = min(5, len(ids))
            top = np.argpartition(-score, k - 1, axis=1)[:, :k]
            rank = np.argsort(-np.take_along_axis(score, top, 1), axis=1, kind="stable")
            out[s] = ids[np.take_along_axis(top, rank, 1)[:, np.arange(5) % k]]
        return out

    def habit(self, who: Arr, kind: Arr, j: Arr) -> Arr:
        """The j-th habitual place of a kind for each person."""
        return np.select([kind == k for k in range(4)], [h[who, j] for h in self.hab])

    def takes(self, ing: Arr, place: Arr) -> Arr:
        """Whether a place may dispense an ingredient (dear ones: hospitals, dual channel)."""
        return np.asarray(~FLAG["d"][ing] | self.dual[place] | (self.kind[place] == HOSP))
