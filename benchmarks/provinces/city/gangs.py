"""Gangs: an organiser, collectors with a diary of trips, a stock of cards, dealers and a ledger."""

from types import SimpleNamespace as Record
from typing import Any

import numpy as np

from benchmarks.provinces.city.base import CAT, COND_DX, FITS, FLAG, INGR, Arr, Log, Rng
from benchmarks.provinces.city.honest import Honest, hours, services
from benchmarks.provinces.city.world import CLINIC, HOSP, NEVER, PHARM, VILLAGE, World

ALL = [PHARM, CLINIC, HOSP]
# typology: fewest, most cards, places, goods, who goes, share of victims, visits a month, frequency
SPECS: dict[str, tuple[int, int, list[int], str, str, float, float, float]] = {
    "rented_cards": (4, 22, ALL, "chronic", "collector", 0.0, 2.4, 5),
    "cash_per_box": (5, 30, ALL, "chronic", "owner", 0.0, 2.0, 4),
    "pharmacy_ring": (6, 40, [PHARM], "any", "counter", 0.15, 2.2, 3),
    "hospital_stall": (5, 20, [HOSP], "injection", "collector", 0.0, 2.0, 2),
    "certificate_abuse": (3, 12, [HOSP, PHARM], "dear", "collector", 0.1, 1.6, 2),
    "cold_chain": (3, 12, [PHARM, HOSP], "cold", "collector", 0.0, 2.0, 2),
    "remote_voucher": (6, 40, [PHARM], "tonic", "remote", 0.5, 1.5, 1.2),
    "code_swap": (4, 15, [PHARM, VILLAGE], "any", "counter", 0.3, 1.8, 1.2),
    "staff_hoard": (4, 15, [HOSP], "chronic", "staff", 1.0, 1.6, 1.5),
    "lone_collector": (1, 1, ALL, "chronic", "owner", 0.0, 3.2, 5),
    "family_ring": (3, 7, ALL, "chronic", "collector", 0.0, 2.4, 3),
}
_BASIC = FLAG["w"] & ~FLAG["d"]
GOODS = {
    "chronic": FLAG["c"] & _BASIC,
    "any": _BASIC,
    "injection": (CAT == "j") | (FLAG["c"] & _BASIC),
}
GOODS["dear"] = np.isin(
    INGR, ["ketoacid", "epoetin", "tacrolimus", "adalimumab", "entecavir", "rivaroxaban"]
)
GOODS["cold"], GOODS["tonic"] = FLAG["k"] & ~FLAG["d"], ~FLAG["c"] & _BASIC


class Gangs:
    """Builds gangs one by one until enough cards are in use, and lets them make their trips."""

    def __init__(self, w: World, log: Log, rng: Rng, honest: Honest) -> None:
        """Recruits and runs."""
        self.w, self.rng, self.extra = w, rng, w.n  # outsiders and spare phones are numbered from n
        self.taken, self.left, self.gangs = (
            np.zeros(w.n, bool),
            list[tuple[int, int]](),
            list[Any](),
        )
        self.rows: list[tuple[int, ...]] = []
        self.boxes: list[tuple[int, int, float]] = []
        t = honest.t
        order = np.argsort(w.pair_p[t["pair"]], kind="stable")
        self.own_p = w.pair_p[t["pair"]][order]
        self.own = np.stack([w.ing[t["prod"]], t["dose"]], axis=1)[order]
        names = list(SPECS) if w.p.typologies == "all" else w.p.typologies.split(",")
        odds = np.array([SPECS[n][7] for n in names])
        self.pool = [self.outsider() for _ in range(2 + w.p.members // 30000)]
        target, strata, used = round(w.p.fraud_share * w.p.members), list[int](), 0
        while used < target and len(self.gangs) < 20 + target:
            strata = strata or list(rng.permutation(8))
            skill = 0.08 + 0.9 * ((strata.pop() + rng.random()) / 8) ** w.p.skill_power
            gang = self.recruit(str(rng.choice(names, p=odds / odds.sum())), skill, target - used)
            self.diary(gang)
            self.gangs.append(gang)
            used += sum(c.lines > 0 for c in gang.cards)
        cols = dict(zip(Log.V, np.array(self.rows, int).reshape(-1, len(Log.V)).T))
        kind = w.kind[cols["place"]]
        cols["minute"] = np.where(cols["minute"] < 0, hours(rng, kind), cols["minute"])
        visit, box = log.add(**cols), np.array(self.boxes, int).reshape(-1, 3)
        services(log, rng, visit, kind, 0.8)
        log.line(visit[box[:, 0]], drug=w.product(box[:, 1]), cnt=box[:, 2], fraud=1)

    def outsider(self) -> int:
        """A new person or phone without insurance here."""
        self.extra += 1
        return self.extra - 1

    def near(self, hub: int, weight: Arr, k: int, km: float) -> list[int]:
        """People drawn around a hub; nobody is drawn twice."""
        w = self.w
        p = weight * np.exp(-np.hypot(w.x - w.x[hub], w.y - w.y[hub]) / km) * w.local * ~self.taken
        p = p * (w.end > 60)
        k = min(k, int((p > 0).sum()))
        people = [int(i) for i in self.rng.choice(w.n, k, False, p / p.sum())] if k else []
        self.taken[people] = True
        return people

    def recruit(self, name: str, skill: float, room: int) -> Any:
        """An organiser finds collectors, cards, places, goods and buyers."""
        w, rng, days = self.w, self.rng, self.w.days
        lo, hi, kinds, goods, mode, victims, _, _ = SPECS[name]
        size = int(np.clip(rng.gamma(1.4, (lo + hi) / 4.2 * w.p.gang_size), lo, hi * 1.3))
        size = max(1, min(size, room, max(lo, round(w.p.fraud_share * w.p.members / 4))))
        start = int(
            -rng.integers(10, 700) if rng.random() < 0.6 else rng.integers(0, int(days * 0.65))
        )
        end, opened = max(start, 0) + int(rng.gamma(2.4, 150)) + 90, NEVER
        if rng.random() < 0.06 + 0.42 * (1 - skill) * (1 if size > 2 else 0.5):
            opened = int(max(start, 0) + rng.uniform(30, 250))
            end = min(end, opened)
        hub = int(rng.choice(np.flatnonzero(w.local & (w.age > 25) & ~self.taken)))
        self.taken[hub] = True
        home = [int(w.hab[k][hub, 0]) for k in kinds]
        mixed = rng.permutation(home + [int(w.hab[k][hub, 1]) for k in kinds])
        places = [int(q) for q in mixed[: 2 + int(rng.integers(0, 3))]]
        if mode in ("counter", "staff", "remote"):
            places = home[: 2 if name == "code_swap" else 1]
        clinic, doctor = next((q for q in home if w.kind[q] == HOSP), -1), -1
        if clinic >= 0 and rng.random() < {"staff": 1.0, "collector": 0.3}.get(mode, 0.1):
            doctor = int(w.dr_first[clinic] + rng.integers(0, w.dr_n[clinic]))
        ings = rng.permutation(np.flatnonzero(GOODS[goods]))[
            : int(3 + rng.integers(0, 3) + skill * 9)
        ]
        sick = np.bincount(w.pair_p[np.any(FITS[:, ings], axis=1)[w.pair_c]], minlength=w.n)
        weight = (0.14 - 0.12 * skill + sick) * np.where(w.age > 45, 1.0, 0.25) * (w.age > 18)
        km = 25.0 if mode in ("remote", "staff") else 1.5 + 5 * skill
        if name == "certificate_abuse":
            weight = weight * (0.02 + w.has_cert.any(1))
        elif mode == "staff":
            weight = weight * (w.hab[HOSP][:, 0] == clinic) * (w.age > 60) + 1e-9
        elif mode == "remote":
            weight = w.voucher * (w.age > 20)
        elif name == "family_ring":  # kin live in the same stairway
            weight = (np.abs(w.hh - w.hh[hub]) < 12) * (w.age > 16) * (0.3 + sick) + 1e-9
        people = self.near(hub, weight, size, km)
        spare = [p for p in self.left if p[1] <= start]
        if spare and size > 2 and rng.random() < 0.35:  # a card that another gang has let go
            people[-1] = spare[0][0]
            self.left.remove(spare[0])
        adult = (w.age > 24) & (w.age < 68)
        helpers = self.near(hub, adult * 1.0, 1 + size // 8, 6.0) if size > 1 else people
        helpers = [h if size == 1 or rng.random() < 0.6 else self.outsider() for h in helpers]
        boss = people[0] if size == 1 else hub if rng.random() < 0.6 else self.outsider()
        shops = [np.flatnonzero((w.kind == PHARM) & f) for f in (w.away, ~w.away)]
        outlets = [*rng.choice(shops[0], 2), *rng.choice(shops[1], 1 + int(rng.integers(0, 2)))]
        g = Record(
            no=len(self.gangs), typology=name, skill=skill, start=start, end=end, opened=opened
        )
        g.organiser, g.collectors, g.places, g.doctor, g.ings = boss, helpers, places, doctor, ings
        g.dealers = [int(d) for d in rng.choice(self.pool, 1 + int(rng.random() < 0.3), False)]
        g.outlets, g.cards = places[:1] if name == "code_swap" else outlets, []
        if rng.random() < 0.3:
            self.pool[int(rng.integers(0, len(self.pool)))] = self.outsider()
        for n, psn in enumerate(people):
            c = Record(psn=psn, victim=rng.random() < victims, last=-99, used={}, lines=0)
            c.join = start + int(0 if n < 2 else rng.beta(0.6, 1.6) * (end - start) * 0.8)
            c.leave = min(end, c.join + 45 + int(rng.exponential(300 + 300 * (1 - skill))))
            rest = (int(rng.uniform(60, 130)), int(rng.uniform(25, 80)))
            c.on, c.rest = rest if skill > 0.45 else (9, 0)
            mine = [
                int(w.hab[k][psn, j]) for k in kinds for j in (0, 1) if rng.random() < 0.8 - j / 2
            ]
            c.places = rng.permutation(mine)[: 2 + (rng.random() < 0.4)]
            a, z = np.searchsorted(self.own_p, [psn, psn + 1])
            c.own, c.phase, c.device = (
                dict(self.own[a:z]),
                int(rng.integers(0, 200)),
                self.outsider(),
            )
            g.cards.append(c)
            self.left += [(psn, c.leave)] if c.leave < end and not c.victim else []
        return g

    def diary(self, g: Any) -> None:
        """Trips week by week: a day, an hour, cards that are due, and a way round their places."""
        w, rng, s, spec = self.w, self.rng, g.skill, SPECS[g.typology]
        rate = spec[6] * w.p.greed * (0.55 + 0.45 * (1 - s) * rng.uniform(0.6, 1.6))
        each = 1.3 + (1 - s) * rng.uniform(1.5, 5)
        favour = {c: (int(rng.integers(0, 7)), int(rng.integers(520, 960))) for c in g.collectors}
        for monday in range(max(g.start, 0), min(g.end, w.days), 7):
            for boss in g.collectors:
                live = [c for c in g.cards if c.join <= monday < c.leave]
                live = [c for c in live if (monday + c.phase) % (c.on + c.rest) < c.on]
                mean = len(live) / len(g.collectors) * rate / 4.3 / each
                for _ in range(int(rng.poisson(mean))):
                    gap = np.array([monday - c.last for c in live])
                    due = np.where(gap < 7 * s, 1e-6, np.clip(gap, 0.01, 60) ** (1 + 2 * s))
                    k = min(len(live), 1 + int(rng.poisson(each - 1)))
                    picks = [live[i] for i in rng.choice(len(live), k, False, due / due.sum())]
                    loose, (day, at) = rng.random() < s, favour[boss]
                    if loose:
                        day, at = int(rng.integers(0, 7)), int(rng.integers(500, 1120))
                    self.trip(g, boss, spec[4], monday + day, at + int(rng.normal(0, 12)), picks)

    def trip(self, g: Any, boss: int, mode: str, day: int, at: int, cards: list[Any]) -> None:
        """One trip: from place to place with the cards in hand."""
        w, rng, s, here = self.w, self.rng, g.skill, -1
        common, inside = int(rng.choice(g.places)), mode in ("counter", "staff", "remote")
        for c in cards:
            own = len(c.places) > 0 and not inside and rng.random() < 0.25 + 0.75 * s
            place, when, minute = int(rng.choice(c.places)) if own else common, day, at
            alone = mode == "owner" or (inside and rng.random() < s)
            if alone:
                when, minute = day + int(rng.integers(-2, 3)), -1
            elif here >= 0:
                km = np.hypot(w.px[place] - w.px[here], w.py[place] - w.py[here])
                minute += int(
                    rng.integers(2, 7) + (km * 2.4 + rng.uniform(4, 25)) * (place != here)
                )
            if not max(g.start, 0) <= when < min(g.end, w.days) or minute > 1310:
                continue
            if when >= w.stop[c.psn] and rng.random() < 0.3 + 0.7 * s:
                continue
            at, here = (at, here) if alone else (minute, place)
            basket = self.basket(g, c, when, place)
            if not basket:
                continue
            device = proxy = -1
            if not alone or mode == "remote":
                if rng.random() > s:
                    device = boss
                elif rng.random() < 0.5 and mode != "staff":
                    c.device = self.outsider() if rng.random() < 0.15 else c.device
                    device = c.device
                if mode == "collector" and rng.random() < 0.45:
                    proxy = (
                        boss if rng.random() > s * 0.8 else g.cards[rng.integers(len(g.cards))].psn
                    )
            # an illness to write down: the owner's own that fits, else any that fits, else habit
            mine = w.pair_c[w.pair_lo[c.psn] : w.pair_hi[c.psn]]
            good = [*mine[FITS[mine, basket[0][0]]]] or [*mine][: int(rng.random() < 0.5)]
            cond = int([*good, *np.flatnonzero(FITS[:, basket[0][0]]), 0][0])
            doc = g.doctor if w.dr_place[g.doctor] == place else -1
            self.boxes += [(len(self.rows), i, b) for i, b in basket]
            proxy, dx = proxy if proxy != c.psn else -1, int(COND_DX[cond])
            self.rows.append((c.psn, when, minute, place, dx, device, proxy, doc, g.no, 0, cond))
            c.last, c.lines = when, c.lines + len(basket)
            later = when + int(rng.integers(1, 15))
            if rng.random() < 0.16 * s and later < w.end[c.psn]:  # a look at the doctor's
                look = int(w.hab[int(rng.choice([CLINIC, HOSP]))][c.psn, 0])
                self.rows.append((c.psn, later, -1, look, dx, -1, -1, -1, -1, 0, cond))

    def basket(self, g: Any, c: Any, day: int, place: int) -> list[tuple[int, float]]:
        """What to take: the skilled keep a ledger of days per ingredient near the label."""
        w, rng, s, passed = self.w, self.rng, g.skill, day - max(c.join, 0) + 30
        mine = w.pair_c[w.pair_lo[c.psn] : w.pair_hi[c.psn]]
        out, want = list[tuple[int, float]](), 1 + int(rng.binomial(2, 0.4))
        for i in map(int, rng.permutation(g.ings)):
            odd = not FITS[mine, i].any() and rng.random() < s * 0.93
            if len(out) >= want or odd or not w.takes(np.array([i]), np.array([place]))[0]:
                continue
            days, label = w.dpb[w.ing_first[i]], passed * (1.1 + 3.0 * (1 - s) ** 2)
            free = label - c.used.get(i, 0.0) - c.own.get(i, 0.0) * passed * s
            boxes = min(
                np.ceil(rng.uniform(8, 22 + 36 * (1 - s)) / days), np.floor(free / days), 12
            )
            if boxes < 1 and rng.random() < s:
                continue
            c.used[i] = c.used.get(i, 0.0) + max(boxes, 1) * days
            out.append((i, max(boxes, 1)))
        return out
