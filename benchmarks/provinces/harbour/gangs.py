"""Gangs: who organises, whose cards are used, where, from when, and which gangs are caught."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.provinces.harbour.arrays import NEVER
from benchmarks.provinces.harbour.params import TYPOLOGIES
from benchmarks.provinces.harbour.types import Arr, Floats, Rng
from benchmarks.provinces.harbour.world import RETIRED, World

#: Typologies whose cards runners carry, and those that need a colluding counter.
WITH_RUNNERS = ("rented_cards", "cold_chain", "hospital_stall", "certificate_abuse")
AT_COUNTERS = ("pharmacy_ring", "code_swap")


@dataclass
class Card:
    """A card in a gang's hands for a while."""

    psn: int
    start: int
    stop: int
    victim: bool = False
    idle: float = 0.0  # not used again before this day
    cover: dict[int, float] = field(default_factory=dict)  # drug: day until which it lasts


@dataclass
class Case:
    """Days of the clue, the opening and the decision, and the holders who are named."""

    clue: int
    opened: int
    decided: int
    who: list[int]


class Gang:
    """An organiser, his runners, cards, dealers and helpers; `past` ones ended before the data.

    inst is a colluding place, or -1; outlet a pharmacy that sells boxes again, or -1; counters are
    places that runners know; rest is the day until which it pauses; last the last day at a place.
    """

    def __init__(self, u: "Underworld", n: int, skill: float, past: bool) -> None:
        c, rng, days = u.c, u.rng, u.p.days
        self.gid, self.skill, self.past, self.kind = len(u.gangs), skill, past, u.lacking(past)
        old = rng.random() < 0.45
        start = int(rng.integers(-420, 0) if old else rng.integers(0, max(1, int(days * 0.5))))
        stop = days
        if rng.random() >= 0.8:
            stop = min(days, max(start, 0) + int(rng.integers(60, 400)))
        if past:
            start, stop = int(rng.integers(-900, -300)), int(rng.integers(-240, -8))
        self.start, self.stop = start, stop
        places = {
            "pharmacy_ring": str(rng.choice(["pharmacy", "pharmacy", "dtp"])),
            "code_swap": str(rng.choice(["clinic", "village", "pharmacy"])),
            **dict.fromkeys(("hospital_stall", "staff_hoard", "certificate_abuse"), "hospital"),
        }
        place = places.get(self.kind)
        self.inst = int(rng.choice(c.of_type(place))) if place else -1
        self.doc = c.doctor(self.inst, rng) if place and c.doc_count[self.inst] else -1
        self.inst_role = "pharmacy" if c.inst_type[self.inst] == "pharmacy" else "dispenser"
        self.org = u.outsider()
        helpers = 1 + n // 9 if self.kind in WITH_RUNNERS else 0
        self.runners = [u.outsider() for _ in range(helpers)]
        dealers = len(u.dealer_psn)
        some = min(dealers, int(rng.choice([1, 1, 2])))
        self.dealers: list[int] = rng.choice(dealers, some, replace=False).tolist()
        sells = rng.random() < 0.4
        self.outlet = int(rng.choice(c.of_type("pharmacy"))) if sells else -1
        xy = c.inst_xy - u.w.xy[self.org % u.w.insured]
        far = np.hypot(*xy.T) + rng.exponential(0.08, len(xy)) + 99 * c.away
        near = np.argsort(far)[: 4 + int(10 * skill)]
        self.counters: list[int] = [*near.tolist(), *c.of_type("dtp").tolist()]
        self.case: Case | None = None
        self.rest, self.last = -1, dict[int, int]()
        self.cards: list[Card] = []


class Underworld:
    """Draws the gangs and decides which are caught."""

    def __init__(self, w: World, rng: Rng) -> None:
        self.w, self.c, self.p, self.rng = w, w.c, w.p, rng
        self.used: set[int] = set()  # people in a gang
        self.gangs: list[Gang] = []
        self.dealer_psn: list[int] = []
        self.sick: dict[int, set[str]] = {}  # person: ICD-10 codes
        self.own: dict[int, set[int]] = {}  # person: drugs of true therapies
        columns = (w.therapies[name].tolist() for name in ("psn", "ill", "drug"))
        for i, k, drug in zip(*columns):
            self.sick.setdefault(i, set()).add(self.c.ill_icd[k])
            self.own.setdefault(i, set()).add(drug)
        c = self.c
        worth = c.price * c.ratio * (c.price > 25) * np.where(c.price > 600, 0.3, 1)
        self.pay = worth * (1 + c.cold * 0.6 + c.chronic * 0.5)  # what dealers pay a box
        self.pay[c.drug.index("herbal decoction")] = 0
        self.sound = (w.age > 20) & (w.death == NEVER) & (w.paused == NEVER)

    def outsider(self, insured: float = 0.7) -> int:
        """Someone who organises, collects or deals; insured here or not."""
        w, rng = self.w, self.rng
        free = np.flatnonzero((self.sound & (w.age > 24) & (w.age < 68))[: w.insured])
        i = int(rng.choice(free)) if rng.random() < insured else -1
        if i < 0 or i in self.used:
            return int(rng.integers(w.total, w.with_extra))
        self.used.add(i)
        return i

    def recruit(self, g: Gang, n: int) -> list[int]:
        """Card holders that suit the typology and aren't in a gang yet."""
        m = self.w.insured
        free = self.sound[:m] & ~np.isin(np.arange(m), list(self.used))
        weight = self._suits(g) * free
        n = min(n, int((weight > 0).sum()))
        got: list[int] = []
        if n:
            got = self.rng.choice(m, n, replace=False, p=weight / weight.sum()).tolist()
        self.used.update(got)
        return got

    def _suits(self, g: Gang) -> Arr:
        """How well each insured person suits the gang."""
        w, c, m, boss = self.w, self.c, self.w.insured, g.org % self.w.insured
        sick, age = np.isin(np.arange(m), list(self.sick)), w.age[:m]
        near: Floats = np.exp(-np.hypot(*(w.xy[:m] - w.xy[boss]).T) / 0.12)

        def regulars(kind: str, others: float) -> Arr:
            """1 for people who usually go to the gang's place."""
            return np.where(w.fav[kind][:m] == g.inst, 1, others)

        if g.kind in ("rented_cards", "cold_chain"):
            settled = np.where(w.kind[:m] == RETIRED, 1.5, 0.25)
            skilled = np.where(sick, 1 + 25 * g.skill**2, 1)
            value: Floats = np.where(w.migrant[:m], 1.2, settled) * skilled
            return near * value
        if g.kind == "hospital_stall":
            dear, worth = np.zeros(w.total), self.pay[w.therapies["drug"]]
            np.maximum.at(dear, w.therapies["psn"], worth * (worth > 25))
            return np.minimum(dear[:m], 150) * regulars("hospital", 0.03)
        if g.kind in AT_COUNTERS:
            kind = "dtp" if c.dtp[g.inst] else str(c.inst_type[g.inst])
            value = regulars(kind, 0.02) * np.where(sick, 3, 1)
            return near * value
        if g.kind == "certificate_abuse":
            return near * ((age > 42) * np.where(sick, 1, 0.7))
        if g.kind == "family_ring":
            kin = np.isin(w.house[:m], w.house[boss] + np.arange(-1, 2))
            return (kin * 50 + near * 0.001) * np.where(age > 66, 5, 1)
        return sick * regulars("hospital", 0.001)

    def new_gang(self, n: int, skill: float, past: bool = False) -> Gang:
        """One gang with n cards; some are recruited later, or lost."""
        rng, g = self.rng, Gang(self, n, skill, past)
        for i in self.recruit(g, min(n, 7) if g.kind == "family_ring" else n):
            a, b = g.start, g.stop
            if rng.random() < 0.3 and b - a > 90 and not past:
                if rng.random() < 0.5:
                    a += int(rng.integers(20, b - a - 40))
                else:
                    b = max(30, a + int(rng.integers(40, b - a)))
            a = g.start if a > self.p.days - 20 else a
            g.cards.append(Card(i, a, b, g.kind == "staff_hoard", rng.uniform(0, 30)))
        self.gangs.append(g)
        return g

    def lacking(self, past: bool) -> str:
        """A typology, rather one that has fewer cards than its share of them."""
        mix, had = self.p.mix, dict.fromkeys(TYPOLOGIES, 0)
        for g in self.gangs:
            had[g.kind] += len(g.cards) * (g.past == past)
        cards = np.array(list(had.values()))
        lack = np.maximum(mix * (cards.sum() + 20) - cards, 0.3 * mix)
        return str(self.rng.choice(TYPOLOGIES, p=lack / lack.sum()))

    def _skill(self, high: bool, top: float = 0.97) -> float:
        """A skill above one half, or one below."""
        return float(self.rng.uniform(0.52, top) if high else self.rng.uniform(0.06, 0.5))

    def build(self) -> None:
        """Gangs of heavy-tailed size until enough people's cards are in use."""
        rng, sizes = self.rng, list[int]()
        want = max(2, round(self.p.fraud_share * self.w.insured))
        while sum(sizes) < want:
            left = max(2, want - sum(sizes))
            sizes.append(int(min(25, 2 + rng.pareto(1.25) * 2.6, left)))
        dealers = max(2, round(len(sizes) * self.p.dealers))
        self.dealer_psn = [self.outsider(0.5) for _ in range(dealers)]
        skilled = np.arange(len(sizes)) < np.ceil(len(sizes) * self.p.skilled)
        for size, high in zip(sizes, rng.permutation(skilled)):
            self.new_gang(size, self._skill(high))
        for _ in range(len(sizes)):
            lack = want - sum(len(g.cards) for g in self.gangs)
            if lack > 0:
                self.new_gang(min(max(2, lack), 8), self._skill(True))
        self._lend()

    def _lend(self) -> None:
        """Some gangs pass a card on to another."""
        rng = self.rng
        big = [g for g in self.gangs if len(g.cards) > 3 and g.kind != "staff_hoard"]
        for g in big:
            other, card = big[rng.integers(len(big))], g.cards[rng.integers(len(g.cards))]
            a, b = max(card.start, other.start, 0), min(card.stop, other.stop)
            known = any(card.psn == each.psn for each in other.cards)
            if rng.random() < 0.4 and b - a > 80 and not known:
                other.cards.append(Card(card.psn, (a + b) // 2, b))
                card.stop = (a + b) // 2

    def plan(self) -> None:
        """Decide which gangs are caught, and when, before they live: they stop because of it."""
        rng, days = self.rng, self.p.days
        budget, past, caught = 58e-5 * self.p.members * self.p.months / 12, 0, 0
        while past < 0.4 * budget:
            size = int(min(6, 1 + rng.pareto(1.2) * 2))
            g = self.new_gang(size, self._skill(rng.random() < 0.5, 0.8), past=True)
            opened = max(g.stop + int(rng.integers(0, 60)), -250)
            clue = opened - int(rng.integers(5, 60))
            decided = int(rng.integers(5, max(6, days - 10)))
            g.case = Case(clue, opened, decided, [card.psn for card in g.cards])
            past += len(g.cards) or 1
        early = [g for g in self.gangs if not g.past and g.start < days * 0.4]
        seen = [len(g.cards) ** 0.7 * (1.25 - g.skill) * rng.lognormal(0, 0.5) for g in early]
        rank = [early[i] for i in sorted(range(len(early)), key=lambda i: -seen[i])]
        for place, g in enumerate(rank):
            done = caught < 0.33 * budget
            if not done and place > len(rank) * 0.2:
                break
            caught += self._catch(g, done)

    def _catch(self, g: Gang, done: bool) -> int:
        """Open a case on a gang; how many of its people are named by the end if it is done."""
        rng, days = self.rng, self.p.days
        first = max(g.start + 30, 5)
        last = int(days * 0.55) if done else days - 20
        clue = int(rng.integers(first, max(first + 1, last)))
        opened = clue + int(rng.integers(5, 35))
        decided = opened + 45 + int(rng.exponential(50)) if done else days + 99
        who = [k.psn for k in g.cards if rng.random() < 0.6 and k.start < opened][:10]
        g.case = Case(clue, opened, decided, who)
        warned = g.skill > 0.6 and rng.random() < 0.5
        end = clue + int(rng.integers(3, 25)) if warned else opened + int(rng.integers(0, 12))
        g.stop = max(min(g.stop, end), g.start + 5)
        for card in g.cards:
            card.stop, card.start = min(card.stop, g.stop), min(card.start, g.stop - 5)
        return len(who) if decided < days - 2 else 0
