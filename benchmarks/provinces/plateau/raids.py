"""What gangs do: the plan of each week, the route over the counters, and the buying itself."""

from collections import defaultdict

import numpy as np

from benchmarks.provinces.plateau import catalogue as cat
from benchmarks.provinces.plateau.gangs import COUNTER, Card, Gang, Underworld
from benchmarks.provinces.plateau.life import Life
from benchmarks.provinces.plateau.world import Kind

Basket = list[tuple[int, int]]
Tasks = list[tuple[Card, Basket]]
Point = tuple[float, float]


class Raids:
    """Moves the gangs day by day."""

    def __init__(self, under: Underworld, life: Life) -> None:
        self.w, self.under, self.life, self.rng = under.w, under, life, under.w.s.rng(4)
        self.agenda = defaultdict[int, list[tuple[Gang, int, Tasks]]](list)
        self.scope = {}  # counters within each gang's range
        for g in under.gangs:
            km = self.w.km(self.w.p_lat[g.place], self.w.p_lon[g.place]) + self.w.unvisited
            self.scope[g.number] = np.argsort(km)[: max(int((km < g.range_km).sum()), 4)]

    def step(self, day: int) -> None:
        """Plan at the start of each gang's week, then carry out today's part."""
        for g in self.under.gangs:
            if day >= g.start and g.stop is None and (day - g.week) % 7 == 0:
                self.under.weekly(g, day)
                self.plan(g, day)
        for g, hand, tasks in self.agenda.pop(day, []):
            if g.stop is None:
                self.route(g, hand, tasks, day)

    def plan(self, g: Gang, day: int) -> None:
        """Which cards buy what this week, when, by whose hand; crude gangs empty cards at the end of the year."""
        r, s, per_day = self.rng, g.skill, defaultdict[tuple[int, int], Tasks](list)
        hurry = day % 365 > 318 and s < 0.5 and r.random() < 0.8
        steady = r.choice(7, 2, replace=False)
        g.memory *= 0.8
        for c in g.cards if day >= g.pause else []:
            if c.next_day >= day + 7 or c.start > day:
                continue
            basket, gap = self.basket(g, c, hurry)
            c.next_day = max(c.next_day, day) + max(int(gap), 3)
            if r.random() < s or (c.mode == "self" and s > 0.3):
                # a careful gang shows one card a day at its own counter
                busy = {when for when, _ in per_day} if g.counters and s > 0.5 else set()
                when = day + int(r.choice([x for x in range(7) if day + x not in busy] or 7))
            else:
                when = day + int(steady[r.integers(2)])
            if c.mode != "self":
                hand = int(r.choice(g.collectors))
            else:  # the buyer of a crude gang waits at the counter
                hand = g.collectors[0] if s < 0.45 else c.person
            if c.mode == "left" and s < 0.5 and r.random() < 0.6 and len(basket) > 1:
                per_day[when, hand].append((c, basket[:1]))  # one visit split in two
                basket = basket[1:]
            if basket:
                per_day[when, hand].append((c, basket))
        for (when, hand), tasks in per_day.items():
            self.agenda[when].append((g, hand, tasks))

    def basket(self, g: Gang, c: Card, hurry: bool) -> tuple[Basket, float]:
        """What a card buys next time, and the days until the time after."""
        r, s, much = self.rng, g.skill, 2.2 if hurry else 1
        if s > 0.5:
            gap = self.w.horizon[c.person] * r.uniform(0.85, 1.25)
        else:
            gap = (r.uniform(6, 16) + 12 * s) * (0.5 if hurry else 1)
        wish = [(d, int(monthly * gap / 28 * much + r.random())) for d, monthly in c.profile]
        basket = [(d, min(boxes, int(cat.MOST_BOXES[d]))) for d, boxes in wish if boxes]
        if not basket and r.random() < 0.7:
            basket = [(c.profile[0][0], 1)]
        return basket[:2] if s > 0.5 and r.random() < s else basket, gap

    def counter(self, g: Gang, c: Card, at: Point, used: dict[int, int], day: int) -> int:
        """Counter with the least cost: travel, risk of being remembered, cards shown today, price, stock."""
        w, r, s, scope = self.w, self.rng, g.skill, self.scope[g.number]
        if g.counters and day >= g.joined and (g.typology in COUNTER or r.random() < 0.35):
            return int(r.choice(g.counters))
        alone = c.mode == "self" and s > 0.45
        if g.typology in COUNTER or alone or r.random() < 0.35 * s:
            own = int(w.fav[c.person, r.choice(4, p=[0.4, 0.2, 0.15, 0.25])])
            if not used[own] or s < 0.5:  # where the holder is known anyway
                return own
        shown = np.array([used[i] for i in scope.tolist()])
        cost = w.km(*at)[scope] / (8 + 10 * s) + s * g.memory[scope]
        cost = cost + shown * (7 * s - 1.5) + 4 * (w.i_price[scope] - 1)
        noise = r.gumbel(0, 0.5 + 0.5 * s, len(scope))
        return int(scope[(cost - 0.5 * np.log(w.i_busy[scope]) + noise).argmin()])

    def route(self, g: Gang, hand: int, tasks: Tasks, day: int) -> None:
        """One walk over the counters."""
        w, r, s, used = self.w, self.rng, g.skill, defaultdict[int, int](int)
        known = hand < w.n
        at = (w.lat[hand], w.lon[hand]) if known else (w.p_lat[g.place], w.p_lon[g.place])
        natural = r.random() < 0.3 + 0.7 * s
        minute = self.usual_minute(tasks[0][0]) if natural else r.normal(560, 15)
        for i in r.permutation(len(tasks)).tolist():
            c, basket = tasks[i]
            inst = self.counter(g, c, at, used, day)
            travel = float(w.km(*at)[inst]) * 1.3
            pause = r.uniform(2, 7) if used[inst] else travel + r.uniform(8, 35)
            minute += pause * (len(tasks) > 1)
            minute = self.usual_minute(c) if c.mode == "left" and s > 0.4 else minute
            at = w.i_lat[inst], w.i_lon[inst]
            used[inst] += 1
            g.memory[inst] += 1
            self.buy(g, c, hand, inst, day * 1440 + int(np.clip(minute, 5, 1436)), basket)

    def usual_minute(self, c: Card) -> float:
        """A minute at which the holder might go."""
        return float(self.life.clock(np.array([c.person]))[0])

    def buy(self, g: Gang, c: Card, hand: int, inst: int, minute: int, basket: Basket) -> None:
        """Show the card; careful gangs let the holder's own refill ride along, vary phones and seldom sign as proxy."""
        w, r, s, p, life = self.w, self.rng, g.skill, c.person, self.life
        rows = {d: [boxes, boxes] for d, boxes in basket}
        for k in w.by_person.get(p, np.zeros(0, int)).tolist():
            d, full = int(w.t_drug[k]), w.horizon[p] * w.dose[k]
            if w.stock[k] < 0.5 * full and r.random() < 0.2 + 0.7 * s and not c.victim:
                bought = rows.setdefault(d, [0, 0])
                want = max(round((full - 0.5 * w.stock[k]) / cat.DAYS[d]), 1)
                own = max(min(want, int(cat.MOST_BOXES[d]) - bought[0]), 0)
                bought[0] += own
                w.stock[k] += own * cat.DAYS[d]
        drug, (boxes, sold) = np.array(list(rows)), np.array(list(rows.values())).T
        dear = (cat.DRUG_COND[drug] >= cat.COND["renal"]).any()
        if dear and w.i_type[inst] != Kind.HOSPITAL and not w.i_dual[inst]:
            inst = int(w.fav[p, 3])  # dear drugs have their place
        person, where = np.array([p]), np.array([inst])
        present = c.mode in ("self", "left") or hand == p
        proxy = -1 if present or r.random() < 0.75 * s else hand
        phone, u = int(life.phones(person, where, np.array([-1]))[0]), r.random()
        if not present:
            phone = phone if u < s else -1
            if u > 0.5 + 0.5 * s:
                own_phone = hand < w.n and r.random() < 0.6
                phone = int(w.phone[hand]) if own_phone else int(r.choice(g.burners))
        there = g.doctor >= 0 and w.doc_inst[g.doctor] == inst and r.random() < 0.9
        doctor = g.doctor if there else int(life.doctors(person, where)[0])
        ill = [x for x in cat.DRUG_COND[drug].tolist() if x >= 0 and (w.cond[p, x] or w.cert[p, x])]
        # an examination and a box on the side, as honest patients have
        checked = r.random() < 0.1 + 0.2 * s and w.i_type[inst] == Kind.HOSPITAL
        exam, extra = np.zeros(int(checked), int), np.zeros(int(r.random() < 0.1), int)
        columns = {"person": person, "inst": where, "minute": minute, "gang": g.number}
        columns |= {"proxy": proxy, "phone": phone, "doctor": doctor, "icd": int(r.integers(10))}
        columns |= {"sold": sold, "cond": [*ill, int(w.main_cond[p])][0]}
        life.write((np.zeros(len(drug), int), drug, boxes), exam, extra, **columns)
        c.used = True
