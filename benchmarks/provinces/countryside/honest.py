"""Honest visits of a month, drawn from rates by age, season and weekday, and the crowds' days."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.provinces.countryside.files import (
    DAY,
    NULL,
    NUM,
    Frame,
    Ints,
    at_age,
    choose,
    fill,
    month_start,
    rows,
    stack,
    table,
    within,
)
from benchmarks.provinces.countryside.world import ABROAD, CLINIC, PHARMACY, World

TRIP = {"psn": 0, "inst": 0, "t": 0, "med": 0, "dx": 0, "los": 0, "dev": -2, "proxy": -1}
TRIP |= {"doc": -1, "gang": -1}
LINE = {"trip": 0, "drug": -1, "n": 1, "cents": 0, "item": 0, "gang": -1}
Part = tuple[Frame, Frame]


def merge(parts: list[Part]) -> Part:
    """Stack trips and renumber their lines."""
    base = np.cumsum([0] + [len(trip["psn"]) for trip, _ in parts])
    lines = [line | {"trip": line["trip"] + b} for (_, line), b in zip(parts, base, strict=False)]
    return stack([p[0] for p in parts]), stack(lines)


class Honest:
    """Draws what people do with their own cards."""

    def __init__(self, world: World) -> None:
        self.w, self.rng = world, np.random.default_rng([world.par.seed, 23])
        acute = table("acutes")
        self.a_weight = np.array([a[1].split() for a in acute], dtype=float)
        self.a_season = np.array([float(a[2]) for a in acute])
        lists = [[world.first[x] for x in a[3].split()] for a in acute]
        self.a_len = np.array([len(x) for x in lists])
        self.a_drug = np.array([x + [0] * (8 - len(x)) for x in lists])
        self.a_dx, self.plain = len(world.icds) - len(acute), np.flatnonzero(~world.flag["d"])
        self.counter = np.flatnonzero(world.flag["o"])
        world.habit["infusion_course"] = np.zeros(world.n, dtype=bool)

    def when(self, m: int, inst: Ints, lo: Any = 0, hi: Any = 10**6) -> Ints:
        """Moments of visits by weekday and hour of the place."""
        rng, n = self.rng, len(inst)
        days, shop = np.arange(month_start(m), month_start(m + 1)), self.w.i_kind[inst] == PHARMACY
        at = [days[choose(rng, NUM[k][(days + 2) % 7], n)] for k in ("hospital", "shop")]
        day, low, high = (
            np.where(shop, at[1], at[0]),
            np.maximum(lo, days[0]),
            np.minimum(hi, days[-1]),
        )
        late = low + (rng.random(n) * (high - low + 1)).astype(np.int64)
        day = np.where((day < low) | (day > high), late, day)
        early = rng.random(n) < np.where(shop, 0.5, 0.64)
        hour = np.where(early, rng.normal(9.7, 1.3, n), rng.normal(15.6 + 1.4 * shop, 1.8, n))
        return np.asarray(day * DAY + (hour.clip(6.8, 21.4) * 3600).astype(np.int64))

    def month(self, m: int) -> list[Part]:
        """All honest trips and their lines."""
        rate = at_age(self.w.age, NUM["acute"]) * NUM["winter"][m % 12] / 12
        acute = self.acute(m, np.arange(self.w.n), rate * np.sqrt(self.w.frail) * 0.82)
        return [self.chronic(m), acute, self.counters(m), self.wards(m)]

    def together(self, m: int, trip: Frame, nth: Ints, may: Any) -> None:
        """Those who may join their crowd go on its day, at its hour, to its place."""
        w, rng, n = self.w, self.rng, len(trip["psn"])
        gi = w.group[trip["psn"]]
        g = rows(w.g, gi)
        goes = (gi >= 0) & may & (rng.random(n) < g["join"])
        first, last = month_start(m), month_start(m + 1) - 1
        monday, base = first + (-(first + 2)) % 7, g["day"]
        shift = rng.integers(-1, 2, len(w.g["inst"]))[gi].clip(0)
        week = monday + base % 7 + 7 * rng.integers(0, 4, n)
        market = first + base % 3 + 3 * rng.integers(0, 9, n)
        session, rule = monday + 7 * (nth // 3) + 2 * (nth % 3) + base % 2, g["mode"].astype(int)
        day = np.choose(rule, [np.minimum(first + base + shift, last), week, market, session])
        hour = (
            g["hour"] + rng.random(n) * g["spread"] / 60 + (rule == 3) * 4.6 * (base // 2 % 3 - 1)
        )
        goes &= day <= last
        trip["t"] = np.where(goes, day * DAY + (hour * 3600).astype(np.int64), trip["t"])
        trip["inst"] = np.where(goes & (g["inst"] >= 0), g["inst"], trip["inst"])
        handy = goes & (g["dev"] >= 0) & (rng.random(n) < 0.6)
        trip["dev"] = np.where(handy, w.phone[g["dev"]], -2)
        trip["proxy"] = np.where(goes & (rng.random(n) < 0.7), g["proxy"], -1)

    def chronic(self, m: int) -> Part:
        """Refills of chronic regimens, alone or with one's crowd."""
        w, rng, habit = self.w, self.rng, self.w.habit
        kidney = (w.u_cond == w.uraemia) & (w.group[w.u_psn] >= 0)
        rate = w.u_rate * np.where(habit["many_doctors"][w.u_psn], 1.7, 1)
        rate = np.where(kidney, 13.5, rate) * ((w.u_from <= m) & (m < w.u_to))
        u, nth = within((rate + rng.random(len(rate))).astype(np.int64))
        psn, n = w.u_psn[u], len(u)
        stray = (rng.random(n) > w.loyal[psn]) & (w.u_place[u] == "g")
        inst = np.where(stray, w.known[psn, choose(rng, NUM["at_g"], n)], w.u_inst[u])
        wide = rng.integers(0, len(w.i_kind) - ABROAD - 2, n)
        wide_ok = stray & habit["many_doctors"][psn] & (w.i_county[wide] == w.county[psn])
        inst, med = np.where(wide_ok, wide, inst), np.where(w.certified[psn, w.u_cond[u]], 1, 0)
        trip = fill(TRIP, n, psn=psn, inst=inst, t=self.when(m, inst), dx=w.u_cond[u], med=med)
        self.together(m, trip, nth, (w.u_place[u] == "g") | kidney[u])
        days = w.u_days[u] * np.where(habit["stock_pile"][psn], rng.uniform(1, 2.2, n), 1)
        days *= np.where(habit["year_end"][psn] & (m % 12 == 11), 2.5, 1)
        days *= np.where(habit["travel_stock"][psn] & (m % 12 in (0, 8)), 2.2, 1)
        days = np.where(kidney[u], 2.3, days)
        at, k = within(np.diff(w.item_ptr)[u])
        item = w.item_ptr[u][at] + k
        drug = np.where(m >= w.u_switch[u][at], w.item_alt[item], w.item_drug[item])
        boxes = (days[at] * w.item_dose[item] / w.dpb[drug] + rng.random(len(at))).astype(np.int64)
        line = fill(LINE, len(at), trip=at, drug=drug, n=boxes.clip(1, w.max_visit[drug]))
        line = rows(line, (boxes > 0) & (rng.random(len(at)) < 0.88))
        # Some lose a box and come again within days.
        lost = np.flatnonzero(habit["lost_box"][psn] & (rng.random(n) < 0.12))
        later = trip["t"][lost] + DAY * rng.integers(1, 6, len(lost))
        again = rows(trip, lost) | {"t": np.minimum(later, month_start(m + 1) * DAY - 9)}
        copy = rows(line, np.isin(line["trip"], lost))
        copy["trip"] = np.searchsorted(lost, copy["trip"])
        return merge([(trip, line), (again, copy)])

    def acute(self, m: int, who: Ints, rate: Any) -> Part:
        """Acute illness, some of it with days of infusions."""
        w, rng = self.w, self.rng
        psn = np.repeat(who, rng.poisson(rate))
        stage, dx = np.digitize(w.age[psn], [15, 58]), np.zeros(len(psn), dtype=np.int64)
        for s in range(3):
            weight = self.a_weight[:, s] * NUM["winter"][m % 12] ** self.a_season
            dx[stage == s] = choose(rng, weight, int((stage == s).sum()))
        inst = w.known[psn, choose(rng, NUM["at_acute"], len(psn))]
        drip = (w.i_level[inst] == 1) & (rng.random(len(psn)) < w.share(0.07))
        w.habit["infusion_course"][psn[drip]] = True
        first = fill(TRIP, len(psn), psn=psn, inst=inst, t=self.when(m, inst), dx=dx + self.a_dx)
        owner, nth = within(1 + drip * rng.integers(2, 5, len(psn)))
        trip = rows(first, owner)
        trip["t"] = trip["t"] + nth * DAY
        keep = trip["t"] < month_start(m + 1) * DAY
        trip, drip, dx = rows(trip, keep), drip[owner][keep], dx[owner][keep]
        at, _ = within(1 + rng.binomial(3, 0.42, len(dx)))
        drug = self.a_drug[dx[at], (rng.random(len(at)) * self.a_len[dx[at]]).astype(int)]
        line = fill(LINE, len(at), trip=at, drug=drug, n=1 + (rng.random(len(at)) < 0.35))
        given = np.flatnonzero(drip)
        return trip, stack([line, fill(LINE, len(given), trip=given, drug=w.first["dexameth"])])

    def counters(self, m: int) -> Part:
        """Sales at a pharmacy's counter."""
        w, rng = self.w, self.rng
        rate = 0.045 * np.where(w.employee, 2.2, 0.8) * np.where(w.age > 16, 1, 0.4)
        psn = np.repeat(np.arange(w.n), rng.poisson(rate * w.frail))
        inst = w.known[psn, choose(rng, NUM["at_shop"], len(psn))]
        dx = self.a_dx + choose(rng, self.a_weight[:, 1], len(psn))
        trip = fill(TRIP, len(psn), psn=psn, inst=inst, t=self.when(m, inst), dx=dx)
        self.together(m, trip, psn * 0, w.g["kind"][w.group[psn]] == "dormitory")
        at, _ = within(1 + rng.binomial(3, 0.4, len(psn)))
        drug = self.counter[choose(rng, w.popular[self.counter], len(at))]
        return trip, fill(LINE, len(at), trip=at, drug=drug, n=1 + rng.poisson(0.6, len(at)))

    def wards(self, m: int) -> Part:
        """Stays in hospital."""
        w, rng = self.w, self.rng
        psn = np.flatnonzero(rng.random(w.n) < at_age(w.age, NUM["inpatient"]) / 12 * w.frail)
        n, inst = len(psn), w.known[psn, choose(rng, NUM["at_ward"], len(psn))]
        los = 2 + rng.gamma(2.0, 2.6, n).astype(np.int64)
        own, sick = w.ill[psn].argmax(1), w.ill[psn].any(1) & (rng.random(n) < 0.6)
        dx = np.where(sick, own, self.a_dx + choose(rng, self.a_weight[:, 2], n))
        t = self.when(m, inst)
        trip = fill(TRIP, n, psn=psn, inst=inst, t=t, med=2, dx=dx, los=los)
        at, _ = within(2 + rng.poisson(6, n))
        drug = self.plain[choose(rng, w.popular[self.plain], len(at))]
        return trip, fill(LINE, len(at), trip=at, drug=drug, n=1 + rng.poisson(0.8, len(at)))

    def finish(self, trip: Frame, line: Frame, effort: Any) -> Part:
        """Add fees beside drugs and slips of clerks; drop trips of the dead and of inpatients."""
        w, rng, psn, n = self.w, self.rng, trip["psn"], len(trip["psn"])
        chance, honest = rng.random(n), trip["gang"] < 0
        night = w.habit["night_shift"][psn] & (chance < 0.6)
        hour = np.where(night, rng.uniform(20, 23.5, n), rng.uniform(5, 23, n)) * 3600
        slip = night | (chance > 1 - w.share(0.01))
        trip["t"] = np.where(slip, trip["t"] // DAY * DAY + hour.astype(np.int64), trip["t"])
        wrong = (rng.random(n) < w.share(0.003)) & honest & (trip["med"] != 2)
        trip["inst"] = np.where(wrong, w.known[psn, 9], trip["inst"])
        ward, kind = np.flatnonzero(trip["med"] == 2), w.i_kind[trip["inst"]]
        trip["med"] = np.where((kind == PHARMACY) & (trip["med"] == 0), 3, trip["med"])
        enter, leave = np.full((2, w.n), 10**12)
        leave[psn[ward]] = trip["t"][ward]
        enter[psn[ward]] = trip["t"][ward] - trip["los"][ward] * DAY
        inside = (trip["t"] > enter[psn]) & (trip["t"] < leave[psn]) & (rng.random(n) < 0.97)
        gone = (w.death[psn] != NULL) & (trip["t"] > w.death[psn] * DAY)
        base = np.where(kind == PHARMACY, 0.05, np.where(kind == CLINIC, 2.1, 3.4))
        at, _ = within(rng.poisson(np.where(trip["med"] == 2, 17, base) * effort))
        item = choose(rng, np.array([0.42, 0.3, 0.13, 0.15]), len(at)) + 1
        level = w.i_level[trip["inst"][at]].clip(0, 3)
        cents = (rng.lognormal(7.6, 0.9, len(at)) * (1 + 0.5 * level)).astype(np.int64)
        line = stack([line, fill(LINE, len(at), trip=at, cents=cents, item=item)])
        keep = ~((inside | gone) & honest) & (np.bincount(line["trip"], minlength=n) > 0)
        line = rows(line, keep[line["trip"]])
        line["trip"] = (np.cumsum(keep) - 1)[line["trip"]]
        return rows(trip, keep), line
