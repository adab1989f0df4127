"""The county: settlements, people, places of care, drugs, regimens and crowds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.provinces.countryside.files import (
    NULL,
    NUM,
    Frame,
    Ints,
    at_age,
    choose,
    hexes,
    table,
    within,
)

HOSPITAL, CLINIC, PHARMACY, VILLAGE = range(4)
ABROAD = 28  # institutions at the end of the list that lie in another province


@dataclass
class Params:
    """What a world is made with."""

    members: int
    months: int
    seed: int
    fraud_share: float
    benign: float = 1.0
    skill_power: float = 0.7
    gang_scale: float = 1.0
    appetite: float = 1.0
    price: float = 1.0
    pharmacies: float = 1.0
    village_rooms: float = 0.45
    scan_share: float = 0.8
    typologies: tuple[str, ...] = ()


class World:
    """Everything that stays as it is over the months."""

    def __init__(self, par: Params) -> None:
        self.par, self.rng = par, np.random.default_rng([par.seed, 11])
        self.drugs()
        self.land()
        self.people()
        self.institutions()
        self.places()
        self.units()
        self.crowds()

    def share(self, p: float) -> float:
        """A share of honest habits under the benign factor."""
        return min(0.95, p * self.par.benign)

    def drugs(self) -> None:
        """Products: one an ingredient, and a second brand for the chronic ones."""
        rng, raw = self.rng, table("drugs")
        second = [r for r in raw if "c" in r[6]]
        items, brand = raw + second, np.repeat([0, 1], [len(raw), len(second)])
        k, self.ing_names = len(items), [r[0] for r in raw]
        self.first = {r[0]: i for i, r in enumerate(raw)}
        self.ing, self.other = np.array([self.first[r[0]] for r in items]), np.arange(len(raw))
        self.other[[self.first[r[0]] for r in second]] = len(raw) + np.arange(len(second))
        pack = np.where(brand == 1, rng.choice([1, 1, 2], k), 1)
        num = np.array([[r[3], r[4], r[5], r[8]] for r in items], dtype=float).T
        ratio = np.where(brand == 1, rng.uniform(0.7, 1.6, k), 1) * pack
        self.dpb, self.resale, self.popular = num[0] * pack, num[2], num[3]
        self.cents = np.round(num[1] * ratio * 100 * self.par.price).astype(np.int64)
        self.flag = {f: np.array([f in r[6] for r in items]) for f in "ckwdox"}
        self.atc, self.cat, self.indic = ([r[c] for r in items] for c in (1, 2, 7))
        self.max_visit = np.ceil(92 / self.dpb).clip(2, 12)
        # Scanning began with the dearest drugs and became general in the summer.
        self.trace_from = np.where(self.flag["d"] | (rng.random(k) < 0.25), -90, 181)
        self.watch_from = np.where(self.flag["w"], rng.choice([-60, 60, 334], k), NULL)

    def land(self) -> None:
        """Counties, townships and villages with their positions."""
        rng, n = self.rng, self.par.members
        c = max(1, round(n / 25000))
        t, v = max(2, round(n / c / 2800)), 8
        self.counties, self.towns_per = c, t
        town, seat = np.arange(c), c + np.arange(c * t)
        seat_c, up = np.repeat(town, t), np.repeat(np.arange(c * t), v)
        self.s_county = np.concatenate([town, seat_c, seat_c[up]])
        self.s_seat = np.concatenate([town, seat, seat[up]])
        self.s_kind = np.repeat([0, 1, 2], [c, c * t, c * t * v])
        lat = 31.5 + 0.45 * (town // 3) + rng.normal(0, 0.03, c)
        lon = 112.0 + 0.5 * (town % 3) + rng.normal(0, 0.03, c)
        angle, far = rng.uniform(0, 6.3, c * t), rng.uniform(0.08, 0.2, c * t)
        slat, slon = lat[seat_c] + far * np.sin(angle), lon[seat_c] + far * np.cos(angle)
        self.s_lat = np.concatenate([lat, slat, slat[up] + rng.normal(0, 0.025, len(up))])
        self.s_lon = np.concatenate([lon, slon, slon[up] + rng.normal(0, 0.025, len(up))])
        weight = np.array([1.5 * t, 2.2, 1.0])[self.s_kind]
        self.s_weight = weight * rng.lognormal(0, 0.3, len(weight))

    def people(self) -> None:
        """Households drawn by type, accepted so that ages follow the pyramid."""
        rng, n = self.rng, self.par.members
        types = table("households")
        num = np.array([t[:3] for t in types], dtype=float).T
        kind = choose(rng, num[0], n)
        head, member = rng.normal(num[1][kind], num[2][kind]), np.zeros((len(types), 6, 2))
        for k, t in enumerate(types):
            slots = [s.split(":") for s in t[3].split()]
            member[k, : len(slots)] = np.array(slots, dtype=float)
        size = np.array([len(t[3].split()) for t in types])[kind]
        hh, slot = within(size)
        part = member[kind[hh], slot]
        age = np.abs(head[hh] + part[:, 0] + rng.normal(0, 1.5, len(hh)) * (slot > 0)).clip(0.1, 98)
        band = np.minimum(age // 5, 17).astype(int)
        rate = (
            NUM["pyramid"]
            / NUM["pyramid"].sum()
            / (np.bincount(band, minlength=18) / len(hh) + 1e-9)
        )
        score = np.bincount(hh, rate[band].clip(0.2, 4)) / size
        rank = np.argsort(np.argsort(rng.exponential(1, n) / score, kind="stable"))
        keep = np.argsort(rank[hh], kind="stable")[:n]
        self.n, self.age = n, age[keep]
        self.hh, sex = np.unique(hh[keep], return_inverse=True)[1], part[keep, 1].astype(int)
        self.sex, homes = np.where(sex == 9, rng.integers(1, 3, n), sex), int(self.hh.max()) + 1
        self.settle = choose(rng, self.s_weight, homes)[self.hh]
        self.county, town = self.s_county[self.settle], self.s_kind[self.settle] == 0
        self.employee = (self.age > 22) & (rng.random(n) < np.where(town, 0.45, 0.06))
        self.lat = self.s_lat[self.settle] + rng.normal(0, 0.006, homes)[self.hh]
        self.lon = self.s_lon[self.settle] + rng.normal(0, 0.006, homes)[self.hh]
        self.guest = rng.random(n) < np.where(town, 0.02, 0.001)
        dies = rng.random(n) < 0.00004 * np.exp(self.age / 13) * self.par.months / 12
        self.death = np.where(dies, rng.integers(31, 30 * self.par.months + 9, n), NULL)
        # Phones: the young own one, the old and the children use the household's.
        self.adults = np.flatnonzero((self.age > 20) & (self.age < 64))
        self.holder = np.full(homes, -1)
        self.holder[self.hh[self.adults[::-1]]] = self.adults[::-1]
        shares = np.where(self.age < 66, self.share(0.06), self.share(0.5))
        own = (self.age > 16) & (rng.random(n) > shares)
        own |= self.holder[self.hh] < 0
        self.phone = np.where(own, np.arange(n), self.holder[self.hh])
        self.voucher = rng.beta(1.2, 1.2, n) * np.interp(self.age, [30, 60, 80], [0.95, 0.7, 0.35])

    def institutions(self) -> None:
        """Hospitals, clinics, pharmacies and village rooms, with their doctors."""
        rng, made = self.rng, []
        for s, kind in enumerate(self.s_kind):
            if kind == 0:
                made += [(HOSPITAL, 2, 1, NULL, s)] * 2 + [(CLINIC, 1, 0, 30000, s)] * 3
                shops = max(3, round(self.par.pharmacies * self.towns_per * 1.1))
                made += [(PHARMACY, 9, k < 2, 60000, s) for k in range(shops)]
            elif kind == 1:
                shops = 1 + int(rng.poisson(1.1 * self.par.pharmacies))
                made += [(HOSPITAL, 1, 0, NULL, s)] + [(PHARMACY, 9, 0, 40000, s)] * shops
            elif rng.random() < 0.85:
                made.append((VILLAGE, 1, 0, 20000, s))
        # The prefecture's city and, abroad, one city's care and shops where boxes surface.
        made += [
            (HOSPITAL, 3, 1, NULL, -1),
            (PHARMACY, 9, 1, 90000, -1),
            (HOSPITAL, 3, 1, NULL, -2),
        ]
        made += [(CLINIC, 1, 0, NULL, -2)] + [(PHARMACY, 9, 0, NULL, -2)] * (ABROAD - 2)
        a = np.array(made, dtype=np.int64).T
        self.i_kind, self.i_level, self.i_dual, self.i_cap, self.i_settle = a
        k, at = a.shape[1], np.maximum(self.i_settle, 0)
        away = np.array([0, 0.8, 3.0])[np.maximum(-self.i_settle, 0)]
        self.i_lat = self.s_lat[at] + away + rng.normal(0, 0.006, k) * (1 + 60 * (away > 2))
        self.i_lon = self.s_lon[at] - away + rng.normal(0, 0.006, k) * (1 + 60 * (away > 2))
        self.i_county = np.where(self.i_settle >= 0, self.s_county[at], self.i_settle)
        self.shops = np.flatnonzero(self.i_kind == PHARMACY)
        self.foreign = self.shops[self.i_settle[self.shops] == -2]
        self.i_scans: Any = rng.random(k) < self.par.scan_share
        self.i_careless: Any = rng.random(k) < self.share(0.04)
        staff = np.array([14, 2, 2, 1])[self.i_kind] * (1 + 2 * (self.i_level == 2))
        staff += 28 * (self.i_level == 3) + rng.integers(0, 2, k)
        self.doc_ptr = np.concatenate([[0], np.cumsum(staff)])
        self.doc_inst = np.repeat(np.arange(k), staff)
        # A few doctors leave for another place of the county, with their code and their patients.
        d = len(self.doc_inst)
        self.doc_code, self.doc_move, self.doc_when = np.arange(d), np.arange(d), np.full(d, 10**6)
        pair = rng.permutation(d)[: 2 * round(d * self.share(0.04))].reshape(-1, 2)
        at, to = self.doc_inst[pair.T]
        who, same = pair[(self.i_county[at] == self.i_county[to]) & (at != to)].T
        self.doc_move[who], self.doc_code[same] = same, who
        self.doc_when[who] = rng.integers(30, 30 * self.par.months, len(who))

    def places(self) -> None:
        """The ten places that each person knows, and everybody's habits."""
        rng, n, every = self.rng, self.n, np.arange(len(self.i_kind))

        def near(pool: Ints, settle: Ints) -> Ints:
            """A random place of the pool in the settlement, else -1."""
            pool = pool[np.argsort(self.i_settle[pool], kind="stable")]
            left = np.searchsorted(self.i_settle[pool], settle)
            count = np.searchsorted(self.i_settle[pool], settle, side="right") - left
            spot = left + (rng.random(n) * count).astype(np.int64)
            return np.where(count > 0, pool[np.minimum(spot, len(pool) - 1)], -1)

        seat, town, shop = self.s_seat[self.settle], self.county, self.shops
        hospital = every[self.i_kind == HOSPITAL]
        big = near(hospital, town)
        township = np.where(seat == town, big, near(hospital, seat))
        room = near(every[(self.i_kind == VILLAGE) | (self.i_kind == CLINIC)], self.settle)
        room = np.where(room < 0, township, room)
        inner = every[np.argsort(self.i_county, kind="stable")]
        inner = inner[self.i_county[inner] >= 0]
        edge = np.searchsorted(self.i_county[inner], np.arange(self.counties + 1))
        wide = edge[town + 1] - edge[town]
        anywhere = inner[edge[town] + (rng.random(n) * wide).astype(np.int64)]
        city = np.full(n, every[self.i_settle == -1][0])
        near_shops = [near(shop, seat), near(shop, seat)]
        dual = near(shop[self.i_dual[shop] > 0], town)
        cols = [room, township, *near_shops, big, near(hospital, town), dual, near(shop, town)]
        self.known = np.stack([*cols, city, anywhere], axis=1)
        self.habit = {name: rng.random(n) < self.share(float(p)) for name, p in table("habits")}
        work = (self.age > 18) & (self.age < 60)
        self.habit["night_shift"] &= work
        away = self.habit["commuter"] = self.habit["commuter"] & work
        self.known[away, :8] = every[-ABROAD:][[1, 0, 2, 3, 0, 0, 4, 2]]
        self.habit["shared_phone"] = (self.phone != np.arange(n)) & (self.age > 16)
        self.loyal = np.where(self.habit["many_doctors"], 0.1, rng.beta(8, 2, n))

    def units(self) -> None:
        """Chronic regimens: units of refill, each with a rhythm, a place and its drugs."""
        rng, n, conds = self.rng, self.n, table("conditions")
        self.conds, self.icds = conds, [c[1] for c in conds] + [a[0] for a in table("acutes")]
        self.uraemia, self.frail = [c[0] for c in conds].index("uraemia"), rng.gamma(2.5, 0.4, n)
        self.ill, taken = np.zeros((n, len(conds)), dtype=bool), []
        for k, c in enumerate(conds):
            prevalence = at_age(self.age, np.array(c[2].split(), dtype=float)) / 100
            self.ill[:, k] = rng.random(n) < prevalence * self.frail
            who = np.flatnonzero(self.ill[:, k])
            apart = self.habit["several_certificates"][who] | (c[4] != "g") | (c[5] != "0")
            for slot in c[6].split(","):
                names, _, part = slot.partition("@")
                ids = np.array([self.first[x] for x in names.split("/")])
                pos = choose(rng, self.popular[ids], len(who))
                got = np.where(rng.random(len(who)) < 0.3, self.other[ids[pos]], ids[pos])
                key = who * 32 + np.where(apart, k + 1, 0)
                new = np.stack([key, who, got, ids[(pos + 1) % len(ids)], np.full(len(who), k)])
                taken.append(new[:, rng.random(len(who)) < float(part or 1) * 0.92])
        item = np.concatenate(taken, axis=1)
        item = item[:, np.argsort(item[0], kind="stable")]
        _, first, size = np.unique(item[0], return_index=True, return_counts=True)
        u = len(first)
        self.u_psn, self.u_cond = item[1, first], item[4, first]
        self.item_drug, self.item_alt = item[2], item[3]
        self.item_ptr = np.concatenate([[0], np.cumsum(size)])
        self.item_dose = rng.choice([0.5, 1, 1, 1, 1, 1.5], len(item[0]))
        self.item_dose *= 1 + self.habit["double_dose"][item[1]]
        course = np.array([int(c[5]) for c in conds])[self.u_cond]
        days = NUM["interval"].astype(int)[choose(rng, NUM["interval_share"], u)]
        days = np.where(self.habit["long_prescription"][self.u_psn], 90, days)
        self.u_days = np.where(course == 2, rng.choice([7, 14], u), days)
        self.u_rate = rng.beta(2.5, 2.7, u) * 30 / self.u_days
        self.u_place = np.array([c[4] for c in conds])[self.u_cond]
        col = np.zeros(u, dtype=np.int64)
        for p in "ghc":
            at = self.u_place == p
            col[at] = choose(rng, NUM[f"at_{p}"], int(at.sum()))
        self.u_inst = self.known[self.u_psn, col]
        begin, months = rng.integers(-4, self.par.months, u), self.par.months
        self.u_from = np.where(course > 0, begin, -99)
        self.u_to = np.where(course > 0, begin + rng.integers(2, 6, u) * (3 - course), 999)
        switch = self.habit["regimen_switch"][self.u_psn]
        self.u_switch = np.where(switch, rng.integers(0, months, u), 999)
        certs = np.array([c[3] != "" for c in conds])
        self.certified = self.ill & certs & (rng.random(self.ill.shape) < 0.7)
        self.chronic = np.isin(np.arange(n), self.u_psn)
        for k, name in ((1, "dear_course"), (2, "herb_course")):
            self.habit[name] = np.isin(np.arange(n), self.u_psn[course == k])
        for name in ("double_dose", "stock_pile", "year_end", "travel_stock", "regimen_switch"):
            self.habit[name] &= self.chronic
        self.habit["long_prescription"] &= self.chronic
        self.habit["several_certificates"] &= self.certified.sum(1) > 1

    def crowds(self) -> None:
        """Groups of honest people who go together, each with a place and a rhythm."""
        rng, n, every = self.rng, self.n, np.arange(self.n)
        self.group = np.full(n, -1)
        none, parts = np.full(n, -1), list[Frame]()

        def form(
            kind: str, who: Any, key: Ints, places: tuple[Ints, Ints, Ints], *how: float
        ) -> None:
            """Groups by key; how: day rule, hour, spread in minutes, share that joins."""
            who = every[who & (self.group < 0)]
            _, lead, inv = np.unique(key[who], return_index=True, return_inverse=True)
            self.group[who] = sum(len(p["inst"]) for p in parts) + inv
            k = len(lead)
            g: Frame = {"kind": np.full(k, kind), "hour": how[1] + rng.normal(0, 0.7, k)}
            g |= {c: v[who[lead]] for c, v in zip(("inst", "dev", "proxy"), places, strict=True)}
            g |= {"mode": np.full(k, how[0]), "join": np.full(k, how[3])}
            g |= {"spread": how[2] * rng.uniform(0.5, 1.5, k), "day": rng.integers(0, 28, k)}
            parts.append(g)

        def some(p: float) -> NDArray[np.bool_]:
            return rng.random(n) < self.share(p)

        room, clinic, shop, big = (self.known[:, c] for c in (0, 1, 2, 4))
        shift = self.county * 6 + rng.integers(0, 6, n)
        form("dialysis", self.ill[:, self.uraemia], shift, (big, none, none), 3, 11.5, 40, 1)
        old = self.chronic & (self.age > 72) & some(0.07)
        home = self.county * 100 + (rng.random(n) * max(1, n / self.counties / 9000)).astype(int)
        for h in np.unique(home[old]):
            lives = every[old & (home == h)]
            self.lat[lives], self.lon[lives] = self.lat[lives[0]], self.lon[lives[0]]
            self.known[lives] = self.known[lives[0]]
        runner = self.adults[home * 7919 % len(self.adults)]
        form("nursing_home", old, home, (shop, runner, runner), 0, 9.5, 30, 0.85)
        carer = self.adults[rng.random(len(self.adults)) < self.share(0.012)]
        carer = carer[np.argsort(self.settle[carer], kind="stable")]
        left = np.searchsorted(self.settle[carer], self.settle)
        wide = np.searchsorted(self.settle[carer], self.settle, side="right") - left
        spot = left + (rng.random(n) * wide).astype(np.int64)
        mine = np.append(carer, -1)[np.where(wide > 0, spot, -1)]
        weak = self.chronic & (self.age > 62) & (rng.random(n) < 0.25) & (mine >= 0)
        form("neighbour_carer", weak, mine, (shop[mine], mine, mine), 0, 9.5, 15, 0.8)
        child = self.holder[self.hh]
        parent = self.chronic & (self.age > 64) & (child >= 0) & some(0.2)
        form("family_carer", parent, self.hh, (clinic, child, child), 0, 11, 10, 0.7)
        ripe = self.chronic & (self.age > 45)
        both = ripe & (np.bincount(self.hh, ripe)[self.hh] >= 2) & some(0.3)[self.hh]
        phone = np.where(rng.random(n) < 0.5, self.phone, -1)
        form("couple", both, self.hh, (shop, phone, none), 0, 9.5, 5, 0.75)
        luck = rng.random(len(self.s_kind))[self.settle]
        rural = self.chronic & (self.s_kind[self.settle] == 2)
        rooms, joins = self.share(self.par.village_rooms), rural & (rng.random(n) < 0.72)
        clerk = self.adults[self.settle * 104729 % len(self.adults)]
        here = (room, clerk, none)
        form("clerk_phone", joins & (luck < rooms * 0.4), self.settle, here, 0, 8.6, 100, 0.85)
        here = (room, none, none)
        form("village_batch", joins & (luck < rooms), self.settle, here, 0, 8.8, 90, 0.8)
        bus = rural & (luck > 1 - self.share(0.2)) & (rng.random(n) < 0.35)
        form("shuttle_bus", bus, self.settle, (big, none, none), 1, 9, 20, 0.7)
        seat = self.s_seat[self.settle]
        form("market_day", rural & some(0.3), seat, (none, none, none), 2, 9, 140, 0.8)
        plant = self.employee & (self.age < 55) & self.chronic & some(0.5)
        crew = self.county * 8 + rng.integers(0, 8, n)
        form("dormitory", plant, crew, (self.known[:, 7], none, none), 1, 18, 40, 0.6)
        self.g = {c: np.concatenate([p[c] for p in parts]) for c in parts[0]}
        if not len(self.g["inst"]):
            self.g = {c: np.zeros(1, v.dtype) for c, v in self.g.items()}
        ids = [hexes(rng, n + 4000, k) for k in (20, 24, 24, 24, 24, 24)]
        self.id_psn, self.id_cert, self.id_tel, self.id_addr, self.id_hh, self.id_phone = ids
        k = len(self.i_kind)
        self.id_inst, self.id_doc = hexes(rng, k, 12), hexes(rng, len(self.doc_inst), 12)
        self.id_drug, self.id_desk = hexes(rng, len(self.cents), 16), hexes(rng, k * 4, 12)
        self.id_oper = hexes(rng, k * 4, 10)
