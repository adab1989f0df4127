"""Honest life, day by day: stocks run low, illness flares, people go along, courses run."""

from typing import Any

import numpy as np

from benchmarks.provinces.plateau import catalogue as cat
from benchmarks.provinces.plateau.ledger import Ledger
from benchmarks.provinces.plateau.settings import Arr, Ints
from benchmarks.provinces.plateau.world import Along, Kind, World


class Life:
    """Everybody's honest days."""

    def __init__(self, world: World, ledger: Ledger, days: int) -> None:
        w, n, r = world, world.n, world.s.rng(2)
        self.w, self.ledger, self.days, self.rng = w, ledger, days, r
        self.has = {k: np.isin(np.arange(n), who) for k, who in w.habit.items()}
        self.trigger = r.uniform(2, 10, n)  # days of stock at which somebody thinks of a refill
        self.today_inst, self.today_min = np.zeros(n, int), np.zeros(n, int)
        lean = r.random((n, 4)) * np.array([0.7, 0.3, 0.5, 0.5])
        self.weights = np.cumsum(lean / lean.sum(1, keepdims=True), 1)
        # carers go on errands every so many days
        self.errand = np.select([w.along == Along.STAFF, w.along == Along.NEIGHBOUR], [14, 10], 21)
        self.phase, rural = r.integers(0, 28, n), w.p_kind[w.place] == 2
        self.eager = np.where(rural, 0.16, 0.3) * r.uniform(0.5, 1.5, n)
        self.by_doctor = r.random(n) < 0.25
        self.trip = np.where(self.has["travel_stock"], r.integers(10, max(days, 11), n), -99)
        self.switch = np.where(self.has["regimen_switch"], r.integers(5, max(days, 6), n), -99)
        self.hoard = np.where(self.has["hoarder"], r.uniform(30, 120, n), 0)
        self.market_bound = self.has["market_day"] | (rural & (r.random(n) < 0.25))
        self.shop_around = self.has["many_doctors"] | (r.random(n) < 0.03)
        self.away = np.flatnonzero(~w.i_home)
        self.street = np.lexsort([w.hh, w.block])  # neighbours side by side
        self.seat = np.argsort(self.street)
        self.plan_courses()

    def plan_courses(self) -> None:
        """Courses with a rhythm: day, person, drug, boxes, price of a treatment in cents, favourite counter."""
        w, r, habit, rows = self.w, self.rng, self.w.habit, list[tuple[int, ...]]()
        older = np.flatnonzero(w.home & (w.age > 45))
        tonic = r.choice(older, w.s.members // 100, replace=False)
        half = len(habit["cancer"]) // 2
        antibody, infused = habit["cancer"][: half // 3], habit["cancer"][half // 3 : half]
        # who, gap in days, sessions, drug, most boxes, price, counter, episodes
        for who, gap, sessions, drug, most, price, where, episodes in (
            (habit["dialysis"], 7 / 3, (999, 1000), "epoetin", 2, 42000, 3, 1),
            (antibody, 21, (6, 17), "trastuzumab", 1, 60000, 3, 1),
            (infused, 21, (4, 9), "", 1, 180000, 3, 2),
            (habit["dear_course"], 28, (3, 8), "osimertinib", 1, 3000, 3, 1),
            (habit["herb_course"], 7, (4, 12), "herbal", 4, 2000, 2, 3),
            (habit["infusion"], 1, (4, 9), "reduning", 2, 4500, 2, 5),
            (tonic[::2], 20, (2, 7), "cordyceps", 3, 0, 0, 2),
            (tonic[1::2], 15, (2, 6), "ejiao", 2, 0, 0, 2),
        ):
            for person in np.repeat(who, episodes).tolist():
                start = 0 if drug == "epoetin" else r.integers(-60, self.days)
                start, boxes = start + r.integers(0, 3), int(r.integers(1, most + 1))
                at = (start + np.arange(r.integers(*sessions)) * gap).astype(int)
                course = (person, cat.DRUG[drug] if drug else -1, boxes, price, where)
                rows += [(day, *course) for day in at[(at >= 0) & (at < self.days)].tolist()]
        table = np.array(rows, int).reshape(-1, 6)
        table = table[np.argsort(table[:, 0], kind="stable")]
        self.courses = np.split(table, np.searchsorted(table[:, 0], np.arange(1, self.days)))

    def clock(self, people: Ints) -> Ints:
        """Minute of the day at which people like to go."""
        r, n = self.rng, len(people)
        m = np.where(r.random(n) < 0.62, r.normal(575, 55, n), r.normal(940, 75, n))
        night, evening = r.uniform(1200, 1435, n), r.random(n) < 0.06
        m = np.where(evening, r.uniform(1080, 1310, n), m)
        m = np.where(self.has["night_clinic"][people], night, m)
        shift = np.where(r.random(n) < 0.6, 455, 1225) + r.normal(0, 12, n)
        m = np.where(self.has["factory_shift"][people], shift, m)
        return m.clip(5, 1436).astype(int)

    def choose(self, people: Ints) -> Ints:
        """Counter to which each person goes today."""
        w, r, n = self.w, self.rng, len(people)
        col = (r.random(n)[:, None] > self.weights[people]).sum(1).clip(0, 3)
        inst = w.fav[people, col]
        for k in np.flatnonzero(self.shop_around[people] & (r.random(n) < 0.7)).tolist():
            inst[k] = r.choice(w.near_list[w.place[people[k]]])
        commutes = self.has["commuter"][people] & (r.random(n) < 0.75)
        return np.where(commutes, self.away[self.phase[people] % len(self.away)], inst)

    def phones(self, people: Ints, inst: Ints, proxy: Ints) -> Ints:
        """The phone that shows the voucher (the person's, the carer's, the village clerk's), or -1 for a card."""
        w, r, n, clerk = self.w, self.rng, len(people), self.w.clerk[people]
        phone = np.where(w.voucher[people] & (r.random(n) < 0.85), w.phone[people], -1)
        by_carer = (proxy >= 0) & (r.random(n) < 0.35)
        phone = np.where(by_carer, w.phone[np.maximum(proxy, 0)], phone)
        by_clerk = (clerk >= 0) & (w.i_type[inst] == Kind.VILLAGE)
        return np.where(by_clerk, w.phone[np.maximum(clerk, 0)], phone)

    def doctors(self, people: Ints, inst: Ints) -> Ints:
        """The person's usual doctor there, or any."""
        w, r, n = self.w, self.rng, len(people)
        out = w.doc_first[inst] + (r.random(n) * w.doc_num[inst]).astype(int)
        for col in range(4):
            usual = (w.fav[people, col] == inst) & (r.random(n) < 0.8)
            out = np.where(usual, w.doctor[people, col], out)
        return np.asarray(out)

    def seen_by(self, people: Ints, inst: Ints, proxy: Ints) -> dict[str, Ints]:
        """Phones and doctors of visits."""
        phone = self.phones(people, inst, proxy)
        return {"phone": phone, "doctor": self.doctors(people, inst)}

    def step(self, day: int) -> None:
        """One day."""
        w, r, n, weekday = self.w, self.rng, self.w.n, (day + 2) % 7
        w.stock[:] = np.maximum(w.stock - w.rate, 0)
        year_end = self.has["year_end_stock"] & (day % 365 > 318)
        leaving = (self.trip >= day) & (self.trip < day + 10)
        trigger = self.trigger + self.hoard + year_end * 60.0 + leaving * 60.0
        fill = w.horizon * np.where(year_end, 2.4, 1)
        fill = np.where(leaving, np.maximum(fill, 90), fill) + self.hoard
        reach = trigger[w.t_person] * w.dose
        levels = (reach, reach + 10 * w.dose)
        need, soon = (np.bincount(w.t_person[w.stock < x], minlength=n) > 0 for x in levels)
        on_market = np.where(w.market[w.place] == weekday, 0.8, 0.03)
        odds = np.where(self.market_bound, on_market, self.eager)
        on_duty = np.where(w.doc_day[w.doctor[:, 3]] == weekday, 0.75, 0.03)
        odds = np.where(self.by_doctor, on_duty, odds) * (0.6 if weekday >= 5 else 1.05)
        fetched = (w.along == Along.FAMILY) | (w.along == Along.NEIGHBOUR)
        odds = np.select([w.along == Along.STAFF, fetched], [0, odds * 0.3], odds)
        go = need & (r.random(n) < odds)
        for person in np.flatnonzero(self.switch == day).tolist():
            if person in w.by_person:  # a new drug while the old one lasts
                k = int(w.by_person[person][0])
                same = np.flatnonzero(cat.DRUG_COND[w.t_drug[k]] == cat.DRUG_COND)
                w.t_drug[k], w.stock[k] = int(r.choice(same)), 0.0
        carer = np.maximum(w.carer, 0)
        errand = (w.along != Along.COUPLE) & ((day + self.phase[carer]) % self.errand == 0)
        along = (w.carer >= 0) & (go[carer] | errand) & soon & ~go & (r.random(n) < 0.9)
        movers = np.unique(np.r_[np.flatnonzero(go), carer[along]])
        self.today_inst[movers], self.today_min[movers] = self.choose(movers), self.clock(movers)
        self.refill(np.flatnonzero(go), day, fill, trigger, False)
        self.refill(np.flatnonzero(along), day, fill, trigger, True)
        self.acute(day)
        self.run_courses(day)

    def refill(self, people: Ints, day: int, fill: Arr, trigger: Arr, along: bool) -> None:
        """People buy what runs low, up to their horizon; carers take others' cards along, neighbours help now and then."""
        w, r, n, place = self.w, self.rng, len(people), np.full(self.w.n, -1)
        place[people] = np.arange(n)
        low = w.stock < np.maximum(0.35 * fill, trigger * 1.2)[w.t_person] * w.dose
        k = np.flatnonzero((place[w.t_person] >= 0) & low)
        visit, drug = place[w.t_person[k]], w.t_drug[k]
        want = (fill[w.t_person[k]] * w.dose[k] - 0.4 * w.stock[k]) / cat.DAYS[drug]
        boxes = np.ceil(want - 0.25 + r.normal(0, 0.2, len(k))).astype(int)
        boxes = boxes.clip(1, cat.MOST_BOXES[drug])
        w.stock[k] += boxes * cat.DAYS[drug]
        self.trigger[people] = r.uniform(2, 12, n)
        lead = w.carer[people] if along else people
        inst, minute = self.today_inst[lead], self.today_min[lead] + along * r.integers(1, 16, n)
        helper = self.street[(self.seat[people] + r.integers(-7, 8, n)) % w.n]
        helped = (helper != people) & (w.block[helper] == w.block[people]) & (w.age[helper] > 14)
        helped &= r.random(n) < np.where(w.age[people] > 60, 0.09, 0.04)
        proxy = np.where(helped, helper, -1)
        proxy = np.where(along & (w.along[people] != Along.COUPLE), lead, proxy)
        cond = np.full(n, -1)
        cond[visit] = cat.DRUG_COND[drug]
        exam = np.flatnonzero((w.i_type[inst] == Kind.HOSPITAL) & (r.random(n) < 0.4))
        extra = np.flatnonzero(r.random(n) < 0.12)
        columns = {"person": people, "inst": inst, "proxy": proxy, "cond": cond}
        columns["minute"] = day * 1440 + np.minimum(minute, 1437)
        columns |= self.seen_by(people, inst, proxy)
        self.write((visit, drug, boxes), exam, extra, **columns)

    def write(self, bought: tuple[Ints, ...], exam: Ints, extra: Ints, **columns: Any) -> None:
        """Enter visits with what is bought (visit, drug, boxes), examinations and boxes on the side in the ledger."""
        r, (visit, drug, boxes) = self.rng, bought
        have = np.isin(np.arange(len(columns["person"])), visit)
        exam, extra = exam[have[exam]], extra[have[extra]]
        n, e, x, sold = len(visit), len(exam), len(extra), columns.pop("sold", 0)
        lines = {
            "visit": np.r_[visit, exam, extra],
            "drug": np.r_[drug, np.full(e, -1), r.choice(cat.ACUTE, x)],
            "boxes": np.r_[boxes, np.ones(e, int), r.integers(1, 3, x)],
            "item": np.repeat([0, 1, 0], [n, e, x]),
            "sold": np.r_[np.broadcast_to(sold, n), np.zeros(e + x, int)],
            "cents": np.zeros(n + e + x, int),
        }
        lines["cents"][n : n + e] = r.lognormal(8.6, 0.8, e).astype(int)
        self.ledger.add(lines, **columns)

    def acute(self, day: int) -> None:
        """Colds, coughs, flares; a few go to hospital beds."""
        w, r, season = self.w, self.rng, 1 + 0.45 * np.cos(2 * np.pi * (day - 10) / 365)
        often = np.where(self.shop_around, 2.2, 1)
        people = np.flatnonzero(r.random(w.n) < w.s.acute * season * w.frail * often)
        n, inst, main = len(people), self.choose(people), w.main_cond[people]
        bed = (w.i_type[inst] == Kind.HOSPITAL) & (r.random(n) < 0.10 * w.frail[people])
        stay = np.where(bed, 2 + r.gamma(2, 3, n).astype(int), 0)
        drugs = np.where(bed, 4, 1 + (r.random(n) < 0.55) + (r.random(n) < 0.25))
        visit = np.repeat(np.arange(n), drugs)
        exam = np.flatnonzero((w.i_type[inst] != Kind.PHARMACY) & (r.random(n) < 0.6))
        exam = np.r_[exam, np.repeat(np.flatnonzero(bed), 6)]
        child = (w.age[people] < 14) & (w.rank[people] > 0) & (r.random(n) < 0.5)
        proxy = np.where(child, people - w.rank[people], -1)
        flare = (main >= 0) & (r.random(n) < 0.25)
        drug, boxes = r.choice(cat.ACUTE, len(visit)), r.integers(1, 4, len(visit))
        minute = np.minimum((day + stay) * 1440 + self.clock(people), self.days * 1440 - 9)
        columns = {"person": people, "inst": inst, "proxy": proxy, "stay": stay, "minute": minute}
        columns |= {"cond": np.where(flare, main, -1), "icd": r.integers(0, len(cat.ACUTE_ICD), n)}
        columns |= self.seen_by(people, inst, proxy)
        self.write((visit, drug, boxes), exam, np.flatnonzero(bed), **columns)

    def run_courses(self, day: int) -> None:
        """Today's sessions of courses."""
        r, table = self.rng, self.courses[day]
        _, people, drug, boxes, price, where = table[r.random(len(table)) < 0.96].T
        inst, none = self.w.fav[people, where], np.full(len(people), -1)
        given, cure = np.flatnonzero(drug >= 0), np.flatnonzero(price > 0)
        cents = (price[cure] * r.uniform(0.9, 1.1, len(cure))).astype(int)
        lines = {
            "visit": np.r_[given, cure],
            "drug": np.r_[drug[given], none[cure]],
            "boxes": np.r_[boxes[given], np.ones(len(cure), int)],
            "item": np.repeat([0, 2], [len(given), len(cure)]),
            "cents": np.r_[np.zeros(len(given), int), cents],
        }
        columns = {"person": people, "inst": inst, "icd": people % len(cat.ACUTE_ICD)}
        columns["cond"] = np.where(drug >= 0, cat.DRUG_COND[drug], cat.COND["cancer"])
        columns["minute"] = day * 1440 + self.clock(people)
        self.ledger.add(lines, **columns, **self.seen_by(people, inst, none))
