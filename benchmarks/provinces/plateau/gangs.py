"""Gangs: how they form, whom they recruit, when they rest and when they stop."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.provinces.plateau import catalogue as cat
from benchmarks.provinces.plateau.landing import NEVER
from benchmarks.provinces.plateau.settings import Arr, Ints
from benchmarks.provinces.plateau.world import Kind, World, groups

#: Typologies around a counter of the gang's own.
COUNTER = ("pharmacy_ring", "code_swap", "village_clinic")


@dataclass
class Card:
    """One spell of one person's card in one gang."""

    person: int
    start: int
    mode: str  # self, lend, given or left (at the counter)
    victim: bool
    profile: list[tuple[int, float]]  # drugs and boxes per 28 days
    next_day: int
    until: int = NEVER
    end: int | None = None
    used: bool = False


@dataclass
class Gang:
    """A buyer, helpers, a dealer, counters (from the day they joined) and cards."""

    number: int
    typology: str
    skill: float
    target: int
    place: int
    start: int
    dealer: int
    ships: bool
    range_km: float
    week: int
    memory: Arr  # how well each counter remembers the collectors
    organiser: int = -1
    doctor: int = -1
    joined: int = 0
    pause: int = -1
    stop: int | None = None
    case: int | None = None
    residents: Ints | None = None
    cards: list[Card] = field(default_factory=list)
    gone: list[Card] = field(default_factory=list)
    collectors: list[int] = field(default_factory=list)
    counters: list[int] = field(default_factory=list)
    burners: list[int] = field(default_factory=list)
    clues: list[int] = field(default_factory=list)

    def people(self) -> set[int]:
        """Everyone whose card was ever in the gang."""
        return {c.person for c in self.cards + self.gone}

    def core(self) -> set[int]:
        """Organiser and collectors."""
        return {self.organiser, *self.collectors}

    def open(self) -> bool:
        """Whether the gang goes on and takes cards from everywhere."""
        return self.stop is None and self.residents is None

    def drop(self, card: Card, day: int) -> None:
        """A card leaves the gang."""
        card.end = max(day, card.start)
        self.cards.remove(card)
        self.gone.append(card)


class Underworld:
    """All gangs and the people they may still ask; people and phones unknown to the insurer come after the known."""

    def __init__(self, world: World, days: int) -> None:
        self.w, self.days, self.rng = world, days, world.s.rng(3)
        self.ids = self.phones = world.n
        self.certs: list[tuple[int, ...]] = []  # person, condition, day, institution, doctor
        w, used = world, set[int]()
        residents = np.isin(np.arange(w.n), w.habit["nursing_home"])
        self.taken = ~w.home | (w.age < 16) | residents
        self.keys = [w.hh, w.block, w.work, w.fav[:, 2] * 100 + w.main_cond]
        self.nets, self.hoarded = [groups(k) for k in self.keys], set[int]()
        share = w.s.fraud_share
        self.gangs = self.form(max(round(share * w.s.members), 2) if share > 0 else 0)
        for g in self.gangs:
            self.staff(g, used)
        for g in self.gangs:  # gangs older than the first month have cards
            if g.start < 0:
                for _ in range(max(2, int(g.target * self.rng.uniform(0.4, 1)))):
                    self.recruit(g, int(self.rng.integers(g.start, 0)))

    def stranger(self) -> int:
        """Somebody who isn't insured here."""
        self.ids += 1
        return self.ids - 1

    def form(self, quota: int) -> list[Gang]:
        """Sizes with a heavy tail, skills, typologies, dealers shared by several gangs."""
        r, w, sizes, out = self.rng, self.w, list[int](), list[Gang]()
        while sum(sizes) < quota:
            sizes.append(min(2 + int(r.pareto(1.15) * 2.2), 30, max(quota - sum(sizes), 2)))
        n, high = len(sizes), int(np.ceil(w.s.skill_high * len(sizes)))
        skill = r.permutation(np.r_[r.uniform(0.5, 1, high), r.uniform(0.03, 0.5, n - high)])
        kinds = dict(w.s.typologies)
        if not w.homes:
            kinds["staff_hoard"] = 0.0
        odds = np.array(list(kinds.values()))
        dealers = [self.stranger() for _ in range(max(n // 3, 1))]
        for i, (size, s) in enumerate(zip(sizes, skill.tolist())):
            kind = str(r.choice(list(kinds), p=odds / odds.sum()))
            kind = "rented_cards" if kind == "lone_collector" and size > 9 else kind
            village = kind == "village_clinic"
            heads = w.p_pop * (w.p_kind == 2 if village else (w.p_kind < 2) | (r.random() < 0.2))
            old = r.random() < 0.5
            start = int(r.integers(-400, 0) if old else r.integers(0, int(self.days * 0.6)))
            place = int(r.choice(w.places, p=heads / heads.sum()))
            dealer, ships = int(r.choice(dealers)), bool(r.random() < w.s.parcel_share)
            reach, week = float(r.uniform(12, 35) + 60 * s * r.random()), int(r.integers(7))
            memory = np.zeros(w.insts)
            out.append(Gang(i, kind, s, size, place, start, dealer, ships, reach, week, memory))
        return out

    def staff(self, g: Gang, used: set[int]) -> None:
        """Organiser, collectors, counters, doctor, phones."""
        r, w = self.rng, self.w
        pool = np.flatnonzero((w.place == g.place) & (w.age > 28) & (w.age < 70) & w.home)
        local = len(pool) > 0 and (r.random() < 0.65 or g.typology == "family_ring")
        g.organiser = int(r.choice(pool)) if local else self.stranger()
        if g.typology == "staff_hoard":
            g.residents, staff = w.homes[int(r.integers(len(w.homes)))]
            g.organiser, g.place = int(staff[-1]), int(w.place[staff[-1]])
            g.collectors = staff[1:].tolist()
        if g.typology in COUNTER or r.random() < 0.12:
            kind = Kind.VILLAGE if g.typology == "village_clinic" else Kind.PHARMACY
            order = np.argsort(w.km(w.p_lat[g.place], w.p_lon[g.place]))
            fit = order[(w.i_type[order] == kind) & w.i_home[order]].tolist()
            g.counters = [i for i in fit if i not in used][: 1 + (g.target > 14)]
            # some owners join later
            g.joined = g.start + (0 if g.typology in COUNTER else int(r.integers(60, 250)))
            used.update(g.counters)
            if g.counters:
                g.place, g.doctor = int(w.i_place[g.counters[0]]), int(w.doc_first[g.counters[0]])
        if g.typology == "certificate_abuse":
            hosp = int(r.choice(np.flatnonzero((w.i_type == Kind.HOSPITAL) & w.i_home)))
            g.doctor = int(w.doc_first[hosp] + r.integers(w.doc_num[hosp]))
        if g.target < 9 or g.typology == "lone_collector":
            g.collectors = g.collectors or [g.organiser]
        while len(g.collectors) < 1 + g.target // 8 and g.typology != "lone_collector":
            near = self.network(g.organiser, [0.3, 0.4, 0.2, 0.1]) if g.organiser < w.n else pool
            near = near[(w.age[near] > 18) & w.home[near]]
            known = len(near) > 0 and r.random() < 0.8
            g.collectors.append(int(r.choice(near)) if known else self.stranger())
        self.taken[[p for p in g.core() if p < w.n]] = True  # they keep their own cards clean
        g.burners = list(range(self.phones, self.phones + 1 + int(4 * g.skill)))
        self.phones += len(g.burners)

    def network(self, person: int, odds: list[float]) -> Arr:
        """People tied to one person: household, neighbours, workmates or fellow patients."""
        k = int(self.rng.choice(4, p=odds))
        key = int(self.keys[k][person])
        return self.nets[k][key] if key >= 0 else np.zeros(0, int)

    def candidates(self, g: Gang, attempt: int) -> Arr:
        """People whom a gang may ask: residents of its home, people tied to it, or anybody near."""
        r, w = self.rng, self.w
        if g.residents is not None:
            return np.array([p for p in g.residents.tolist() if p not in self.hoarded], int)
        seeds = [p for p in (*g.people(), g.organiser, *g.collectors) if p < w.n]
        if not seeds or attempt > 7 or r.random() < 0.12:
            pool = r.choice(w.n, min(400, w.n), replace=False)
            pool = pool[(w.place[pool] == g.place) | (attempt > 9)]
        else:
            pool = self.network(int(r.choice(seeds)), cat.TIES[g.typology])
        return pool[~self.taken[pool] & (w.sick[pool] | (g.skill <= 0.4) | (attempt > 10))]

    def recruit(self, g: Gang, day: int) -> None:
        """Ask around until one person says yes."""
        r, w = self.rng, self.w
        for attempt in range(12):
            pool = self.candidates(g, attempt)
            if not len(pool):
                continue
            ask = r.permutation(pool)[:6]
            worth = 0.25 * np.minimum(w.value[ask], 4) * r.random(len(ask))
            score = w.greed[ask] + worth + g.skill * (1 - w.adherence[ask])
            score = score + (g.typology == "cold_chain") * w.cond[ask, cat.COND["diabetes"]]
            who = int(ask[score.argmax()])
            if g.residents is not None or r.random() < 0.25 + 2 * w.greed[who]:
                return self.join(g, who, day)

    def join(self, g: Gang, who: int, day: int) -> None:
        """A card comes into the gang."""
        r, s, own = self.rng, g.skill, self.w.by_person.get(who, np.zeros(0, int))
        self.taken[who] = True
        self.hoarded.add(who)
        ways = ["self", "lend", "given"]
        mode = cat.MODE[g.typology] or str(r.choice(ways, p=[0.35, 0.35, 0.3]))
        certified = g.typology == "certificate_abuse"
        profile = self.certify(g, who, day) if certified else self.profile(g, own)
        # the holder goes without a part
        self.w.rate[own] *= 1 - 0.45 * s * r.random() * (s > 0.3)
        victim, first = g.typology == "staff_hoard", max(day, 0)
        victim = victim or bool(mode == "left" and r.random() < 0.3)
        card = Card(who, day, mode, victim, profile, first + int(r.integers(1, 14)))
        if mode == "lend":
            card.until = first + int(r.integers(25, 45))
        g.cards.append(card)

    def certify(self, g: Gang, who: int, day: int) -> list[tuple[int, float]]:
        """A certificate of a dear illness for somebody, and the boxes that it is used for."""
        r = self.rng
        c = cat.COND[str(r.choice(["renal", "transplant", "cancer"], p=[0.45, 0.35, 0.2]))]
        self.w.cert[who, c] = True
        since, inst = day - int(r.integers(5, 40)), int(self.w.doc_inst[g.doctor])
        self.certs.append((who, c, since, inst, g.doctor))
        drugs = np.flatnonzero((c == cat.DRUG_COND) & (cat.STREET_YUAN < 900)).tolist()
        greed = 0.8 * (1 - g.skill)
        return [(d, 28 / cat.DAYS[d] * float(r.uniform(0.5, 0.9) + greed)) for d in drugs]

    def profile(self, g: Gang, own: Ints) -> list[tuple[int, float]]:
        """Boxes of dear drugs; careful gangs take little more than the holder plausibly uses."""
        r, w, s = self.rng, self.w, g.skill
        value = cat.STREET_YUAN[w.t_drug[own]] / cat.DAYS[w.t_drug[own]]
        best = own[np.argsort(-value)][: int(r.integers(1, 4))]
        factor = (0.22 + 2.0 * (1 - s) ** 1.4) * r.lognormal(0, 0.25, len(best))
        boxes = w.dose[best] * 28 / cat.DAYS[w.t_drug[best]] * factor
        profile = list(zip(w.t_drug[best].tolist(), boxes.tolist()))
        more = int(r.integers(0, 4)) if s < 0.5 else int(r.random() < 0.15)
        goods = cat.COLD if g.typology == "cold_chain" else cat.RESOLD
        for d in r.choice(goods, max(more, int(not profile)), replace=False).tolist():
            profile.append((d, float(r.uniform(0.5, 1) + 2.2 * (1 - s) * r.random())))
        return profile

    def weekly(self, g: Gang, day: int) -> None:
        """Recruiting, loss of cards, exchange, loans that end, rests, tips and cases."""
        r, ever = self.rng, len(g.people())
        missing = max(g.target - ever, 0)
        pace = 2.1 * missing * 7 / max(self.days * 0.7 - day, 10)
        for _ in range(min(int(r.poisson(pace)) + (ever < 2), missing)):
            self.recruit(g, day)
        for c in list(g.cards):
            self.move(g, c, day)
        if g.skill > 0.3 and r.random() < 0.03 * g.skill:
            g.pause = day + int(r.integers(7, 28))
        if r.random() < 0.013 * (1.25 - g.skill) ** 2 * np.sqrt(len(g.cards)):
            g.clues.append(day + int(r.integers(6)))
            if r.random() < g.skill:
                g.pause = day + int(r.integers(20, 60))
            if g.case is None and r.random() < 0.65:
                g.case = day + int(r.integers(20, 75))
        if g.case is not None and day >= g.case:
            g.stop = day
            for c in list(g.cards):
                g.drop(c, day)
            heirs = [o for o in self.gangs if o.open() and o.target < 28]
            for _ in range(missing if heirs else 0):  # who would have joined goes to others
                heirs[int(r.integers(len(heirs)))].target += 1

    def move(self, g: Gang, c: Card, day: int) -> None:
        """A card may be given back and lent again, lost, or passed on to a gang with the same dealer."""
        r, u = self.rng, self.rng.random()
        if day >= c.until:
            g.drop(c, day)
            if r.random() < 0.75 and day + 20 < self.days:
                start = day + int(r.integers(14, 60))
                again, until = start + int(r.integers(9)), start + int(r.integers(25, 45))
                g.cards.append(Card(c.person, start, c.mode, c.victim, c.profile, again, until))
        elif len(g.cards) > 2 and c.start < day and u < 0.008:
            mates = [o for o in self.gangs if o.dealer == g.dealer and o.start < day and o is not g]
            mates = [o for o in mates if o.open() and o.typology not in COUNTER]
            if u < 0.004:
                g.drop(c, day)
            elif mates and c.mode != "left" and not c.victim:
                g.drop(c, day)
                mate, again = mates[int(r.integers(len(mates)))], day + int(r.integers(3, 15))
                mate.cards.append(Card(c.person, day, "given", False, c.profile, again))
