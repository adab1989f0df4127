"""What honest people do: refill appointments, acute episodes, stays, courses, and joint errands."""

import numpy as np

from benchmarks.provinces.city import base as cb
from benchmarks.provinces.city.base import (
    ACUTE,
    ACUTE_DX,
    COND_DX,
    COND_NAMES,
    CONDS,
    DX,
    FLAG,
    Arr,
    Log,
    Rng,
)
from benchmarks.provinces.city.world import CLINIC, HOSP, PHARM, VILLAGE, World

HOLIDAYS = np.array([27, 120, 272, 393, 485, 637, 740, 850, 1000])  # spring festival, May, October
# joint errands: oldest-first age, places to go to (-1: the first member's), every so many days,
# size, share of households or estates
ERRANDS = [("nursing_home", 0, -1, 28, 99, 1.0), ("family_carer", 70, -1, 0, 9, 0.2)]
ERRANDS += [("couple", 50, -1, 0, 2, 0.4), ("neighbour_carer", 55, -1, 0, 5, 0.1)]
ERRANDS += [("village_batch", 30, VILLAGE, 30, 18, 0.25), ("market_day", 30, PHARM, 30, 14, 0.3)]
ERRANDS += [("shuttle_bus", 60, HOSP, 28, 14, 0.1)]


def hours(rng: Rng, kind: Arr) -> Arr:
    """The minute of the day at which people come, by kind of place; a few are keyed wrongly."""
    n, early = len(kind), rng.random(len(kind)) < 0.66
    doctor = np.clip(np.where(early, rng.normal(575, 55, n), rng.normal(910, 50, n)), 440, 1080)
    shop = np.clip(np.where(early, rng.normal(640, 110, n), rng.normal(1090, 80, n)), 450, 1290)
    minute = np.where(kind == PHARM, shop, doctor)
    return np.where(rng.random(n) < 0.004, rng.integers(0, 1440, n), minute).astype(int)


def workday(day: Arr, kind: Arr, u: Arr) -> Arr:
    """Moves most weekend visits to doctors to the Monday after."""
    wd = (day + 2) % 7
    return np.asarray(day + np.where((wd >= 5) & (kind != PHARM) & (u < 0.7), 7 - wd, 0))


def services(log: Log, rng: Rng, visit: Arr, kind: Arr, exams: float) -> None:
    """Registration, examinations and treatment of visits to doctors."""
    doc, k = visit[kind != PHARM], kind[kind != PHARM]
    log.line(doc, item=4, price=np.select([k == HOSP, k == CLINIC], [1800, 900], 500))
    own, _ = cb.expand(rng.poisson(np.where(k == HOSP, exams, exams * 0.6)))
    price = rng.lognormal(8.4, 0.8, len(own)) + 200
    log.line(doc[own], item=rng.choice([1, 1, 1, 2, 3], len(own)), price=price)


class Honest:
    """Writes everybody's own events and remembers who merely looks guilty."""

    def __init__(self, w: World, log: Log, rng: Rng) -> None:
        """Runs all mechanisms."""
        self.w, self.log, self.rng, self.b = w, log, rng, w.p.benign
        self.benign: list[tuple[Arr, str]] = [(w.commuter, "commuter")]
        for step in (self._traits, self._series, self._groups, self._appointments, self._acute):
            step()
        for step in (self._crowds, self._stays, self._dialysis):
            step()

    def some(self, mask: Arr, share: float, name: str = "") -> Arr:
        """A random share (times `benign`) of a mask; with a name: of people, noted as benign."""
        hit = mask & (self.rng.random(len(mask)) < min(0.9, share * self.b))
        self.benign += [(np.flatnonzero(hit), name)] if name else []
        return np.asarray(hit)

    def _traits(self) -> None:
        w, rng = self.w, self.rng
        self.shopper = self.some(w.local, 0.006, "many_doctors")
        self.stocker = self.some(w.n_cond > 0, 0.03, "travel_stock")
        self.hoarder = self.some(w.n_cond > 0, 0.015, "year_end_hoarder")
        self.night = self.some(w.emp & (w.age < 58), 0.02, "night_shift")
        self.roam = np.where(self.shopper, 0.8, rng.beta(0.7, 4.0, w.n))
        # a village clerk registers the old of the village on the clerk's own phone
        village = self.some(np.bincount(w.estate[w.rural], minlength=len(w.e_x)) > 20, 0.08)
        hit = village[w.estate] & self.some((w.age > 48) & w.local, 0.4)
        clerks = np.flatnonzero((w.age > 25) & (w.age < 60) & w.local)
        first = np.searchsorted(w.estate[clerks], w.estate[hit])
        w.phone[hit] = clerks[np.minimum(first, len(clerks) - 1)]
        self.benign.append((np.flatnonzero(hit), "clerk_phone"))

    def _series(self) -> None:
        """Appointment series: a person's illnesses seen to at one place in one rhythm."""
        w, rng, p, c = self.w, self.rng, self.w.pair_p, self.w.pair_c
        slot = np.where(cb.COND_SPEC[c] | (rng.random(len(p)) < 0.12), 1 + c, 0)
        uniq, first, sid = np.unique(p * 64 + slot, return_index=True, return_inverse=True)
        own, spec, n = uniq // 64, uniq % 64 > 0, len(uniq)
        cut = np.where(spec, [[0.7], [0.75], [0.97]], [[0.28], [0.6], [1.0]])
        cut = np.where(w.rural[own] & ~spec, [[0.2], [0.36], [0.6]], cut)
        kind, odds = (rng.random(n) > cut).sum(0), [0.03, 0.04, 0.15, 0.22, 0.18, 0.17, 0.12, 0.09]
        step = rng.choice([14.0, 21, 28, 30, 35, 45, 60, 84], n, p=odds)
        rows = []
        for k, cond in enumerate(CONDS):
            of = np.flatnonzero(c == k)
            for ing, share in cb.shares(cond[6]):
                hit = of[rng.random(len(of)) < share]
                rows.append(np.stack([hit, np.full(len(hit), ing)]))
        pair, ing = np.concatenate(rows, axis=1)
        t = {
            "sid": sid[pair],
            "pair": pair,
            "prod": w.product(ing),
            "start": w.pair_since[pair] * 1.0,
        }
        t["dose"], t["end"] = (
            rng.choice([0.5, 0.8, 1.0, 1.4], len(pair), p=[0.1, 0.25, 0.57, 0.08]),
            t["start"] + 1e6,
        )
        double = self.some(ing >= 0, 0.03)
        t["dose"][double] = rng.choice([1.8, 2.0, 2.5], int(double.sum()))
        course = np.isin(
            ing, [cb.INGR.index(i) for i in ("osimertinib", "capecitabine", "adalimumab")]
        )
        t["start"][course] = rng.uniform(-150, w.days, int(course.sum()))
        t["end"][course] = t["start"][course] + rng.uniform(50, 240, int(course.sum()))
        # a change of regimen: one therapy ends, and its sister begins before the rest is used up
        turn = np.flatnonzero(self.some(~course, 0.04))
        t["end"][turn] = rng.uniform(0, w.days, len(turn))
        new = {k: v[turn] for k, v in t.items()}
        new |= {
            "prod": w.product(ing[turn]),
            "start": t["end"][turn] - 8,
            "end": t["end"][turn] + 1e6,
        }
        t = {k: np.r_[v, new[k]] for k, v in t.items()}
        kind[np.unique(t["sid"][FLAG["d"][w.ing[t["prod"]]]])] = HOSP
        # the anxious who have everything prescribed twice, at two places
        twice, back = np.flatnonzero(self.some(own >= 0, 0.011)), np.full(n, -1)
        back[twice] = n + np.arange(len(twice))
        again = back[t["sid"]] >= 0
        self.t = {k: np.r_[v, back[v[again]] if k == "sid" else v[again]] for k, v in t.items()}
        both = np.r_[np.arange(n), twice]
        self.s_psn, self.s_kind, self.s_int, self.main = (
            own[both],
            kind[both],
            step[both],
            ~spec[both],
        )
        self.s_cond, self.s_start = c[first][both], w.pair_since[first][both]
        j = rng.choice([0, 1, 2], n, p=[0.82, 0.13, 0.05])
        j, self.main[n:] = np.r_[j, (j[twice] + 1) % 2], False
        self.s_place = w.habit(self.s_psn, self.s_kind, j)
        names = {"transplant": "transplant", "cancer": "cancer", "lung_cancer": "cancer"}
        self.benign += [(p[c == COND_NAMES.index(k)], v) for k, v in names.items()]
        self.benign += [(p[pair[double]], "double_dose"), (p[pair[course]], "dear_course")]
        self.benign += [(p[pair[turn]], "regimen_switch"), (own[twice], "two_sources")]
        self.benign += [(own[step == 84], "long_prescription")]

    def _groups(self) -> None:
        """Joint errands: members of a group follow the group's calendar, place and runner."""
        w, rng, n = self.w, self.rng, len(self.s_psn)
        self.cal, self.seq, self.agent = np.arange(n), np.zeros(n, int), np.full(n, -1)
        every, minute, psn, home = [self.s_int], [np.full(n, -1)], self.s_psn, np.full(w.n, -1)
        free = self.main & (self.s_start <= 0)
        for house in range(int(rng.poisson(w.p.members / 9000 * self.b) + (self.b > 0))):
            old = rng.permutation(np.flatnonzero((w.age > 74) & w.local & (home < 0)))
            who = old[: min(int(rng.integers(20, 61)), len(old) // 3)]
            for a in (w.x, w.y, w.addr, *w.hab):
                a[who] = a[who[:1]]
            home[who] = house
        aides = np.flatnonzero((w.age > 28) & (w.age < 70) & w.local)
        for name, age, to, rhythm, size, share in ERRANDS:
            key = w.hh[psn] if name in ("family_carer", "couple") else w.estate[psn]
            key, mask = home[psn] if name == "nursing_home" else key, free & (w.age[psn] >= age)
            if name == "nursing_home":
                mask = mask & (key >= 0)
            elif size < 4 or size == 9:
                mask = mask & (cb.hash01(key, size, 5) < min(0.9, share * self.b))
                mask = mask & ((w.pos[psn] < 2) | (size == 9))
            else:
                mask = mask & (cb.hash01(key, size + to, 5) < min(0.9, share * self.b))
                mask = mask & (rng.random(n) < 0.12 * size**0.6)
                mask = mask & (w.rural[psn] & (self.s_kind != HOSP) | (to not in (VILLAGE, PHARM)))
            idx = np.flatnonzero(mask)
            idx = idx[np.lexsort((rng.random(len(idx)), key[idx]))]
            rank = np.arange(len(idx)) - np.searchsorted(key[idx], key[idx])
            width = np.maximum(2, (size * (0.6 + 0.8 * cb.hash01(key[idx], 7, 6))).astype(int))
            bunch = key[idx] * 1000 + rank // width
            _, lead, gid = np.unique(bunch, return_index=True, return_inverse=True)
            many = np.bincount(gid, minlength=len(lead))[gid] >= (1 if size == 9 else 2)
            head, mine, g = idx[lead], idx[many], gid[many]
            kin = np.searchsorted(w.hh[aides], w.hh[psn[head]])
            runner = aides[np.minimum(kin, len(aides) - 1)] if size == 9 else psn[head]
            if name in ("family_carer", "neighbour_carer", "nursing_home"):
                self.agent[mine] = runner[g]
            if name == "couple":
                shared = cb.hash01(key[mine], 3, 8) < 0.3
                w.phone[psn[mine[shared]]] = w.phone[psn[head[g[shared]]]]
                self.benign.append((psn[mine[shared]], "shared_phone"))
            place = w.habit(psn[head], 0 * head + to, 0 * head) if to >= 0 else self.s_place[head]
            self.s_place[mine], free[mine] = place[g], False
            self.s_kind[mine] = w.kind[self.s_place[mine]]
            self.cal[mine], self.seq[mine] = sum(map(len, every)) + g, (rank % width)[many]
            every.append(np.full(len(lead), float(rhythm)) if rhythm else self.s_int[head])
            minute.append(hours(rng, w.kind[place]))
            self.benign.append((psn[mine], name))
        self.c_int, self.c_minute = np.concatenate(every), np.concatenate(minute)
        self.c_phase = -rng.random(len(self.c_int)) * self.c_int

    def _appointments(self) -> None:
        """Appointments of every series, then boxes by what is due until the next one kept."""
        w, rng, log, step = self.w, self.rng, self.log, self.c_int[self.cal]
        s, k = cb.expand(np.ceil(w.days / step + 2).astype(int))
        cal, joint = self.cal[s], self.c_minute[self.cal[s]] >= 0
        alone = joint & (rng.random(len(s)) < 0.12)
        wobble = np.where(joint, np.minimum(3, 0.1 * step[s]), 0.22 * step[s])
        t = self.c_phase[cal] + k * step[s] + (cb.hash01(cal, k, 1) - 0.5) * 2 * wobble
        t = t + alone * rng.integers(1, 5, len(s))
        day = workday(np.floor(t).astype(int), self.s_kind[s], cb.hash01(cal, k, 2))
        i = np.searchsorted(HOLIDAYS, day, side="right")
        feast = (i > 0) & (day - HOLIDAYS[np.maximum(i, 1) - 1] <= 7)
        keep = (day >= 0) & (day < w.end[self.s_psn[s]]) & (t >= self.s_start[s])
        keep &= rng.random(len(s)) > np.where(feast, 0.5, 0.07)
        s, t, day, cal, k, joint = (a[keep] for a in (s, t, day, cal, k, joint & ~alone))
        psn, m = self.s_psn[s], len(s)
        until = np.where(np.r_[s[1:] != s[:-1], True], t + step[s], np.r_[t[1:], 0])
        place = self.s_place[s]
        away = ~joint & (rng.random(m) < self.roam[psn])
        kind = np.where(away & (rng.random(m) < 0.35), rng.integers(0, 3, m), w.kind[place])
        place = np.where(away, w.habit(psn, kind, rng.integers(0, 5, m)), place)
        late = self.night[psn] & (kind == PHARM)
        minute = np.where(late, rng.integers(1230, 1380, m), hours(rng, kind))
        queue = (
            self.c_minute[cal]
            + cb.hash01(cal, k, 3) * 40
            - 20
            + self.seq[s] * 3
            + rng.integers(0, 3, m)
        )
        minute = np.where(joint, np.clip(queue, 0, 1439), minute)
        runner, cond = np.where(joint, self.agent[s], -1), self.s_cond[s]
        shown = np.where((runner >= 0) & (rng.random(m) < 0.6), w.phone[runner], -1)
        named = np.where((runner != psn) & (rng.random(m) < 0.45), runner, -1)
        cols = {"day": day, "place": place, "dx": COND_DX[cond], "cond": cond}
        cols |= {"dev": shown, "proxy": named}
        visit = log.add(psn, minute=minute, **cols)
        services(log, rng, visit, w.kind[place], 3.2)
        th = {key: v[np.argsort(self.t["sid"], kind="stable")] for key, v in self.t.items()}
        lo, hi = np.searchsorted(th["sid"], s), np.searchsorted(th["sid"], s + 1)
        row, i = cb.expand(hi - lo)
        at = lo[row] + i
        on = (th["start"][at] <= t[row]) & (t[row] < th["end"][at])
        row, at = row[on], at[on]
        prod, u = th["prod"][at], cb.hash01(at, 1, 4) + 1e4
        rate = th["dose"][at] / w.dpb[prod]
        cnt = np.floor(until[row] * rate + u) - np.floor(t[row] * rate + u)
        eve = HOLIDAYS[np.searchsorted(HOLIDAYS, day[row], side="right")] - day[row] <= 16
        cnt = cnt * np.where(eve & self.stocker[psn[row]], 2, 1)
        cnt = cnt * np.where((day[row] % 365 > 334) & self.hoarder[psn[row]], 3, 1)
        ok = (cnt > 0) & w.takes(w.ing[prod], place[row])
        row, prod, cnt = row[ok], prod[ok], np.minimum(cnt[ok], 30)
        log.line(visit[row], drug=prod, cnt=cnt)
        # lost, broken or stolen boxes: the same again within days
        lost, where = np.flatnonzero(self.some(day + 10 < w.end[psn], 0.006)), np.full(m, -1)
        self.benign.append((psn[lost], "lost_box"))
        more = {k_: a[lost] for k_, a in cols.items()} | {
            "day": day[lost] + rng.integers(2, 10, len(lost))
        }
        where[lost] = log.add(psn[lost], minute=hours(rng, w.kind[place[lost]]), **more)
        services(log, rng, where[lost], w.kind[place[lost]], 0.2)
        log.line(where[row[where[row] >= 0]], drug=prod[where[row] >= 0], cnt=cnt[where[row] >= 0])

    def _acute(self) -> None:
        """Acute episodes with a season, follow-ups, infusion days and courses of herbs."""
        w, rng, log = self.w, self.rng, self.log
        rate = np.select([w.age < 15, w.age < 60], [1.9, 1.0], 1.3) * w.frail * w.p.acute
        rate = np.where(w.local, (rate + self.shopper * 5) * w.days / 365, 1.3)
        who, _ = cb.expand(rng.poisson(rate))
        weight = np.cumsum([[float(v) for v in r[1:4]] for r in ACUTE], axis=0)
        band = np.select([w.age[who] < 15, w.age[who] < 60], [0, 1], 2)
        what = (rng.random(len(who)) > (weight / weight[-1])[:-1, band]).sum(0)
        day = rng.random(len(who)) * w.days
        sign = np.array([{"w": 0.8, "s": -0.8, "n": 0.0}[r[4]] for r in ACUTE])[what]
        wave = 1 + sign * np.cos((day - 15) / 365 * 2 * np.pi)
        stay = rng.random(len(who)) < wave * 0.75
        who, what, day = who[stay], what[stay], day[stay]
        more, n = rng.random(len(who)), len(who)
        drip, herbs = (what == 1) & (more < 0.12), (what == 12) & (more < 0.18)
        self.benign += [(who[drip], "infusion"), (who[herbs], "herbal_course")]
        follow = np.where(more > 0.84, 2, 1)
        times = np.select([drip, herbs], [rng.integers(3, 7, n), rng.integers(3, 9, n)], follow)
        e, k = cb.expand(times)
        gap = np.select([drip, herbs], [1, np.where(cb.hash01(who, 1, 9) < 0.5, 7, 14)], 4)[e]
        psn, u, m = who[e], rng.random(len(e)), len(e)
        shop = cb.hash01(e, 2, 9) < np.array([float(r[5]) for r in ACUTE])[what[e]]
        cut = np.where(w.rural[psn], [[0.22], [0.35]], [[0.38], [0.98]])
        kind = np.select([shop, u < cut[0], u < cut[1]], [PHARM, HOSP, CLINIC], VILLAGE)
        j = np.minimum(rng.geometric(0.75, m) - 1, 4)
        j = np.where(rng.random(m) < self.roam[psn], rng.integers(0, 5, m), j)
        place, when = w.habit(psn, kind, j), workday((day[e] + k * gap).astype(int), kind, u)
        ok = when < w.end[psn]
        psn, ill, place, when, kind = psn[ok], what[e][ok], place[ok], when[ok], kind[ok]
        visit = log.add(psn, day=when, minute=hours(rng, kind), place=place, dx=ACUTE_DX[ill])
        services(log, rng, visit, kind, 3.2)
        for a, row in enumerate(ACUTE):
            at = visit[ill == a]
            for ing, share in cb.shares(row[6]):
                hit = at[rng.random(len(at)) < share * 1.3]
                drug = w.product(np.full(len(hit), ing))
                log.line(hit, drug=drug, cnt=1 + rng.poisson(0.35, len(hit)))

    def _crowds(self) -> None:
        """Dormitories with outbreaks and factories whose shifts end at one hour."""
        w, rng, log = self.w, self.rng, self.log
        kinds = [("dormitory", 15, 26, 60, CLINIC), ("factory_shift", 20, 58, 90, PHARM)]
        kinds = [k for k in kinds for _ in range(int(rng.poisson(w.p.members / 8000 * self.b)))]
        for name, lo, hi, size, kind in kinds:
            pool = rng.permutation(np.flatnonzero((w.age > lo) & (w.age < hi) & w.local))
            who = pool[: min(size, len(pool) // 6)]
            dates = np.repeat(rng.integers(0, w.days, max(1, w.days // 30)), len(who))
            day, psn = dates + rng.integers(0, 2, len(dates)), np.resize(who, len(dates))
            hit = (rng.random(len(dates)) < 0.13) & (day < w.end[psn])
            psn, day, place = psn[hit], day[hit], w.hab[kind][who[:1], 0]
            minute = int(rng.choice([725, 1045, 1205])) + rng.gamma(2, 10, len(psn))
            visit = log.add(psn, day=day, minute=minute, place=place, dx=ACUTE_DX[0])
            services(log, rng, visit, np.full(len(psn), kind), 0.3)
            for ing, share in cb.shares(ACUTE[0][6]) + cb.shares(ACUTE[6][6]):
                got = visit[rng.random(len(visit)) < share]
                log.line(got, drug=w.product(np.full(len(got), ing)))
            self.benign.append((who, name))

    def _stays(self) -> None:
        """Stays in hospital: many lines, one settlement at discharge."""
        w, rng, log = self.w, self.rng, self.log
        rate = (
            0.055
            * np.exp(np.clip(w.age - 35, 0, 50) * 0.022)
            * (0.5 + w.frail / 2 + 0.3 * w.n_cond)
        )
        who, _ = cb.expand(rng.poisson(rate * w.local * w.days / 365))
        day, stay = rng.integers(-5, w.days, len(who)), 2 + rng.gamma(1.6, 4, len(who)).astype(int)
        ok = (day + stay >= 0) & (day + stay < w.end[who])
        who, day, stay = who[ok], day[ok], np.minimum(stay[ok], 40)
        place = w.habit(who, 0 * who, (rng.random(len(who)) < 0.15).astype(int))
        dx = np.array([DX.index(x) for x in ("I63", "J18", "K80", "Z51")])[
            rng.integers(0, 4, len(who))
        ]
        visit = log.add(who, day=day, minute=hours(rng, 0 * who), place=place, dx=dx, stay=stay)
        e, _ = cb.expand(rng.poisson(24 + stay * 2.6))
        price = rng.lognormal(8.9, 0.9, len(e)) + 300
        log.line(visit[e], item=rng.choice([1, 1, 2, 2, 3, 4], len(e)), price=price)
        e, _ = cb.expand(rng.poisson(np.minimum(3 + stay * 0.3, 12)))
        ing = rng.choice(np.flatnonzero(~FLAG["c"] & ~FLAG["d"]), len(e))
        log.line(visit[e], drug=w.product(ing), cnt=1 + rng.poisson(0.5, len(e)))
        order = np.lexsort((day, who))
        w.stay_key, w.stay_end = (who * 4096 + day + 5)[order], (day + stay)[order]
        w.stay_who = who[order]

    def _dialysis(self) -> None:
        """Three sessions a week in fixed shifts of one unit."""
        w, rng, log, cond = self.w, self.rng, self.log, COND_NAMES.index("dialysis")
        who, since = w.pair_p[w.pair_c == cond], w.pair_since[w.pair_c == cond]
        shift, seat = rng.integers(0, 4, len(who)), rng.integers(0, 25, len(who))
        e, k = cb.expand(np.full(len(who), w.days * 3 // 7))
        day = (k // 3) * 7 + np.array([0, 2, 5])[k % 3] + shift[e] % 2
        ok = (day < w.end[who[e]]) & (day >= since[e]) & (rng.random(len(e)) > 0.04)
        e, day = e[ok], day[ok]
        minute = np.where(shift[e] < 2, 690, 1010) + seat[e] + rng.integers(0, 15, len(e))
        place, dx = w.hab[HOSP][who[e], 0], COND_DX[cond]
        visit = log.add(who[e], day=day, minute=minute, place=place, dx=dx, cond=cond)
        log.line(visit, item=2, price=40000)
        log.line(visit, item=3, price=6000)
        self.benign.append((who, "dialysis"))
