"""Gangs: a dealer's monthly order book, split by a plan over cards, places, collectors, weeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.provinces.countryside.files import (
    DAY,
    Ints,
    choose,
    fill,
    month_start,
    stack,
    table,
    within,
)
from benchmarks.provinces.countryside.honest import LINE, TRIP, Honest, Part
from benchmarks.provinces.countryside.world import HOSPITAL, VILLAGE, World

# Typology: weight, fewest and most cards, drug flag wanted, kind of place that helps or -1,
# whether the holders are victims, whether somebody collects.
KINDS: dict[str, tuple[float, int, int, str, int, bool, bool]] = {
    r[0]: (float(r[1]), int(r[2]), int(r[3]), r[4], int(r[5]), r[6] == "1", r[7] == "1")
    for r in table("typologies")
}


@dataclass
class Gang:
    """One gang and its plan; card arrays run in parallel."""

    kind: str
    skill: float
    organiser: int
    start: int
    stop: int
    dealer: int
    cards: Ints
    since: Ints
    until: Ints
    phase: Ints
    places: Ints
    own: Any
    crew: Ints
    ally: Ints
    doctor: int
    phones: Ints
    loss: float = 0.0
    opened: int = -999


class Gangs:
    """Forms the gangs and draws what they do in a month."""

    def __init__(self, world: World, honest: Honest) -> None:
        self.w, self.honest = w, _ = world, honest
        self.rng = rng = np.random.default_rng([w.par.seed, 37])
        self.end, self.taken = month_start(w.par.months), np.zeros(w.n, dtype=bool)
        starts = [
            [any(c[1].startswith(x) for x in i.split(";") if x) for i in w.indic] for c in w.conds
        ]
        self.fit, self.anyone = np.array(starts), np.array(w.indic) == ""
        self.certs: list[tuple[int, int, int, int, int]] = []
        self.list: list[Gang] = []
        self.past: list[Gang] = []
        names, sizes, kinds = list(w.par.typologies or KINDS), [0], []
        left = round(w.par.fraud_share * w.n * 1.02)
        while left > 0:
            kind = names[int(choose(rng, np.array([KINDS[k][0] for k in names]), 1)[0])]
            kind = kind if left >= 4 else "lone_collector"
            low, high = KINDS[kind][1:3]
            size = min(left, low + round((high - low) * rng.beta(1.2, 2.2) * w.par.gang_scale))
            left -= size
            sizes.append(size)
            kinds.append(kind)
        # Skills lie evenly on a curve whose median is above a half.
        grade = (rng.permutation(len(kinds)) + 0.5) / max(1, len(kinds))
        self.dealers = rng.choice(w.adults, max(1, len(kinds) // 3))
        self.taste = rng.gamma(0.5, 1, (len(self.dealers), len(w.cents)))
        for size, kind, q in zip(sizes[1:], kinds, grade, strict=True):
            self.list.append(self.form(kind, size, float(q**w.par.skill_power), False))

    def form(self, kind: str, size: int, skill: float, old: bool) -> Gang:
        """Recruit cards near an organiser and give each its places; old gangs ended before."""
        w, rng, end = self.w, self.rng, self.end
        _, _, _, _, place, _, collects = KINDS[kind]
        boss, crude = int(rng.choice(w.adults)), 1 - skill
        gap = np.hypot(w.lat - w.lat[boss], w.lon - w.lon[boss])
        weight = np.exp(-gap / (0.02 + 0.1 * rng.random())) + 0.002
        weight = w.voucher**2 if kind == "remote_voucher" else weight
        weight = weight * (1 + 5 * w.chronic) * (1 + (w.age > 55)) * (w.age > 20) * ~self.taken
        if kind == "certificate_abuse":
            weight *= 1 + 9 * w.certified.any(1)
        met = rng.choice(w.n, min(w.n, size * 3), replace=False, p=weight / weight.sum())
        core = met[: size // 2 + 1]
        kin = np.flatnonzero(np.isin(w.hh, w.hh[core]) & (w.age > 14) & ~self.taken)
        few = round(size * (0.8 if kind == "family_ring" else rng.uniform(0.2, 0.5)))
        mixed = np.concatenate([core, kin[:few], met])
        if kind == "lone_collector":
            mixed = np.concatenate([[boss], np.flatnonzero(w.hh == w.hh[boss]), met])
        cards = mixed[np.sort(np.unique(mixed, return_index=True)[1])][:size]
        self.taken[cards] = True
        before = rng.random() < 0.6
        start = int(rng.integers(-500, 0) if before else rng.integers(0, end * 2 // 3))
        stop = max(max(start, 0) + 60, min(start + int(rng.integers(150, 700)), end + 200))
        if old:
            start = int(rng.integers(-700, -150))
            stop = min(start + int(rng.integers(90, 500)), -20)
        k, begin = len(cards), max(start, 0)
        join = begin + rng.random(k) ** 2.5 * max(0, min(stop, end) - begin - 60)
        since = np.where((rng.random(k) < 0.6) | old, start, join.astype(np.int64))
        leave = np.maximum(since, begin) + rng.integers(60, 200, k)
        until = np.minimum(np.where(rng.random(k) < 0.55 + 0.2 * crude, stop, leave), stop)
        # A gang that ended may leave cards to the next one.
        ended = [g for g in self.list if start < g.stop < end - 60]
        if ended and rng.random() < 0.5 and not old:
            heir = max(ended[-1].stop + 10, start)
            cards = np.concatenate([cards, np.setdiff1d(ended[-1].cards[:2], cards)])
            since = np.append(since, np.full(len(cards) - k, heir))
            until, k = np.append(until, np.full(len(cards) - k, max(stop, heir + 80))), len(cards)
        county = np.flatnonzero((w.i_county == w.county[boss]) & (w.i_settle >= 0))
        gap = np.hypot(w.i_lat[county] - w.lat[boss], w.i_lon[county] - w.lon[boss])
        near = county[np.argsort(gap, kind="stable")]
        near = near[(w.i_kind[near] == place) & ((place != HOSPITAL) | (w.i_level[near] >= 2))]
        ally, likes = near[: 1 + int(rng.random() < skill)], np.array([3, 4, 5, 3, 4, 2, 3, 2]) / 26
        places = w.known[cards[:, None], rng.choice(8, (k, 6), p=likes)]
        far = rng.random((k, 6)) < 0.9 * crude**1.5
        places = np.where(far, rng.choice(county, (k, 6)), places)
        places = np.take_along_axis(places, rng.integers(0, 2 + int(4 * crude), (k, 6)), 1)
        if len(ally):
            tied = rng.random((k, 6)) < 0.55 + 0.45 * crude
            places = np.where(tied, rng.choice(ally, (k, 6)), places)
        # Days a month of each drug's ingredient that the owners take anyway.
        own, sort = np.zeros((k, len(w.cents))), np.argsort(cards, kind="stable")
        unit, _ = within(np.diff(w.item_ptr))
        mine = np.flatnonzero(np.isin(w.u_psn[unit], cards))
        u = unit[mine]
        supply = w.u_rate[u] * w.u_days[u] * w.item_dose[mine]
        same = w.ing[w.item_drug[mine]][:, None] == w.ing[None, :]
        np.add.at(own, sort[np.searchsorted(cards[sort], w.u_psn[u])], supply[:, None] * same)
        doctor = -1
        if place in (HOSPITAL, VILLAGE) and len(ally) and rng.random() < 0.7:
            doctor = int(rng.integers(w.doc_ptr[ally[0]], w.doc_ptr[ally[0] + 1]))
        crew = rng.choice(w.adults, 1 + int(rng.integers(0, 1 + k // 4)) if collects else 0)
        chief = boss if rng.random() < 0.8 or kind == "lone_collector" else -1
        who = (kind, skill, chief, start, stop, int(rng.integers(0, len(self.dealers))))
        phones = w.n + rng.integers(0, 4000, 1 + k // 3)
        plan = (cards, since, until, rng.integers(0, 12, k), places, own, crew, ally)
        gang = Gang(*(who + plan), doctor, phones)
        if kind == "certificate_abuse" and not old and doctor >= 0:
            # Cards without a dear illness get a certificate from the doctor in the plan.
            dear = w.uraemia + np.arange(3)
            for card, day in zip(cards, since, strict=True):
                if not w.certified[card, dear].any():
                    begin = int(day - rng.integers(5, 60))
                    self.certs.append(
                        (int(card), int(rng.choice(dear)), begin, int(ally[0]), doctor)
                    )
        return gang

    def month(self, m: int) -> list[Part]:
        """Trips of all gangs in a month, and visits to doctors that keep cards credible."""
        first, last, parts = month_start(m), month_start(m + 1) - 1, []
        wish = self.taste * self.rng.lognormal(0, 0.4, self.taste.shape)
        for k, g in enumerate(self.list):
            work, idle = 2 + g.phase % 3, 1 + g.phase % 2
            duty = ((m + g.phase) % (work + idle) < work) | (
                self.rng.random(len(g.cards)) > g.skill
            )
            live = (np.maximum(g.since, g.start) <= last) & (np.minimum(g.until, g.stop) > first)
            now = np.flatnonzero(duty & live)
            if len(now):
                parts += self.plan(m, k, g, now, wish[g.dealer])
        return parts

    def allot(self, g: Gang, now: Ints, ill: Any, wish: Any) -> tuple[Ints, Ints]:
        """Split the order over cards: boxes by card and drug, within limits that skill respects."""
        w, rng, s, c = self.w, self.rng, g.skill, len(now)
        want = KINDS[g.kind][3]
        purse = rng.lognormal(np.log(205 + 850 * (1 - s) ** 2), 0.5, c) * 100 * w.par.appetite
        purse *= 3.5 if want == "d" else 1
        fits = (ill.astype(int) @ self.fit > 0) | self.anyone
        fits |= rng.random(fits.shape) > 0.55 + 0.45 * s
        side = (rng.random(len(w.cents)) < 0.2) & w.flag["c"]
        value = wish * w.resale * w.popular * (w.flag[want] | side) * fits.any(0)
        value *= ~w.flag["d"] | (want == "d")
        cap = (1.0 + rng.uniform(0.3, 4.0) * (1 - s) ** 1.5) * 30 - g.own[now] * s
        cap = np.floor(np.where(fits, cap / w.dpb + rng.random(fits.shape) * 0.9, 0)).clip(0)
        top = np.argsort(-value, kind="stable")[: 5 + int(rng.integers(0, 6))]
        top = top[value[top] > 0]
        part, left = value[top] / (value[top].sum() + 1e-9), purse.copy()
        got = np.zeros((c, len(top)), dtype=np.int64)
        for j in rng.permutation(len(top)):
            cents = w.cents[top[j]]
            need = int(purse.sum() * min(0.5, part[j] * 1.5 + 0.1) / cents + rng.random())
            room = np.minimum(cap[:, top[j]], np.floor(left / cents + rng.random(c) * 0.5))
            # Skilled plans load the freest card first; crude ones whoever is at hand.
            order = np.argsort(-(s * left / purse + rng.random(c)), kind="stable")
            got[order, j] = np.diff(np.minimum(np.cumsum(room[order]), need), prepend=0).clip(0)
            left = left - got[:, j] * cents
        return got, top

    def plan(self, m: int, k: int, g: Gang, now: Ints, wish: Any) -> list[Part]:
        """Turn allotted boxes into trips, rounds of collectors, days and papers."""
        w, rng, s, cards, c = self.w, self.rng, g.skill, g.cards[now], len(now)
        _, _, _, _, _, victim, collects = KINDS[g.kind]
        ill, first = w.ill[cards].copy(), month_start(m)
        for card, cond, begin, _, _ in self.certs:
            ill[cards == card, cond] |= begin < first
        got, top = self.allot(g, now, ill, wish)
        ci, di = np.nonzero(got)
        if not len(ci):
            return []
        boxes, whole = got[ci, di], rng.random(len(ci)) < s
        chunk = np.where(whole, w.max_visit[top[di]], rng.integers(1, 4, len(ci))).astype(np.int64)
        at, nth = within(-(-boxes // chunk))
        n, drug, owner = np.minimum(chunk[at], boxes[at] - nth * chunk[at]), top[di][at], ci[at]
        spent, trips = (got * w.cents[top]).sum(1), 1 + rng.poisson(0.25 + 4 * (1 - s) ** 2, c)
        trips = np.maximum(trips, np.where(rng.random(c) < s, spent // 35000, 0)).clip(1, 60)
        key = owner * 64 + (rng.random(len(at)) * trips[owner]).astype(np.int64)
        _, lead, trip_of = np.unique(key, return_index=True, return_inverse=True)
        ti, t_n = owner[lead], len(lead)
        psn, inst = cards[ti], g.places[now][ti, rng.integers(0, 6, t_n)]
        dear = np.bincount(trip_of, w.flag["d"][drug], t_n) > 0
        ready = ((w.i_level[inst] >= 2) & (w.i_kind[inst] == HOSPITAL)) | (w.i_dual[inst] > 0)
        inst = np.where(dear & ~ready, w.known[psn, np.where(rng.random(t_n) < 0.6, 4, 6)], inst)
        low, high = np.maximum(g.since[now][ti], g.start), np.minimum(g.until[now][ti], g.stop) - 1
        t = alone = self.honest.when(m, inst, low, high)
        # Rounds: a collector goes on one day with several cards, from place to place.
        size = 1 + (int(rng.poisson(0.5 + 5 * (1 - s) ** 1.5)) if collects else 0)
        order = np.lexsort((inst + rng.normal(0, 1 + 40 * s, t_n), low > first))
        head, same = order[np.arange(t_n) // size * size], inst[order] == np.roll(inst[order], 1)
        gap = np.where(same, rng.integers(2, 14, t_n), rng.integers(18, 70, t_n)) * 60
        gap[::size] = 0
        walk, t = np.cumsum(gap) - np.repeat(np.cumsum(gap)[::size], size)[:t_n], t.copy()
        t[order] = alone[head] // DAY * DAY + (alone[head] % DAY + walk).clip(0, 79000)
        day, crowd = first + w.g["day"][w.group[psn]] + 1, w.group[psn] >= 0
        if g.kind == "village_room" and s > 0.4:
            t = np.where(crowd & (rng.random(t_n) < 0.7), day * DAY + t % DAY, t)
        t = np.where((t // DAY >= low) & (t // DAY <= high) & (t // DAY >= first), t, alone)
        trip = fill(TRIP, t_n, psn=psn, inst=inst, t=t, gang=k)
        # Who lives by vouchers lends the voucher, who lives by the card lends the card.
        voucher = (rng.random(t_n) < 0.01 + 1.05 * w.voucher[psn]) & ~(
            victim & (np.arange(t_n) % 3 == 0)
        )
        shown = (rng.random(t_n) < 0.1 + 0.8 * (1 - s) ** 1.5) & collects
        phone = g.phones[(np.arange(t_n) + m) % len(g.phones)]
        if len(g.crew):
            phone = np.where(rng.random(t_n) < 0.5, w.phone[rng.choice(g.crew, t_n)], phone)
            seen = rng.random(t_n) < 0.06 + 0.1 * (1 - s)
            trip["proxy"] = np.where(seen, rng.choice(g.crew, t_n), -1)
        if g.kind == "remote_voucher":
            voucher |= True
        trip["dev"] = np.where(voucher, np.where(shown, phone, w.phone[psn]), -9)
        helps = (g.doctor >= 0) & (inst == w.doc_inst[g.doctor]) & (rng.random(t_n) < 0.75)
        trip["doc"] = np.where(helps, g.doctor, -1)
        # The paper's illness: the owner's where it suits, else one that suits, else the owner's.
        paper = self.fit[:, drug[lead]]
        suits = ill[ti] & paper.T
        sick = np.where(w.ill[psn].any(1), w.ill[psn].argmax(1), self.honest.a_dx)
        lie = (rng.random(t_n) < 0.4 + 0.6 * s) & paper.any(0)
        dx = np.where(suits.any(1), suits.argmax(1), np.where(lie, paper.argmax(0), sick))
        papers = w.certified[psn, dx.clip(0, len(w.conds) - 1)]
        for card, cond, begin, _, _ in self.certs:
            papers |= (psn == card) & (dx == cond) & (begin < first)
        trip |= {"dx": dx, "med": papers.astype(np.int64)}
        # The plan pads a trip with an everyday remedy, and sends cards to a doctor at times.
        pad = np.flatnonzero(rng.random(t_n) < 0.2 + 0.45 * s)
        plain = rng.choice(self.honest.counter, len(pad))
        lines = [fill(LINE, len(at), trip=trip_of, drug=drug, n=n, gang=k)]
        lines.append(fill(LINE, len(pad), trip=pad, drug=plain))
        cover = cards[rng.random(c) < 0.25 * s]
        return [(trip, stack(lines)), self.honest.acute(m, cover, np.full(len(cover), 0.6))]
