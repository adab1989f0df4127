"""How gangs fill dealers' weekly orders: a channel for each typology."""

from collections.abc import Callable

import numpy as np

from benchmarks.provinces.harbour.arrays import DAY
from benchmarks.provinces.harbour.book import SPECIAL, Book, fees, packs, visits
from benchmarks.provinces.harbour.gangs import Card, Gang, Underworld
from benchmarks.provinces.harbour.honest import hours
from benchmarks.provinces.harbour.types import Arr, Ints
from benchmarks.provinces.harbour.world import DOSES

DEAR_ILLS = (
    "dialysis", "transplant", "hepatitis_b", "arthritis",
    "copd", "diabetes", "coronary", "parkinson",
)  # fmt: skip
OUTLETS = ["hospital", "pharmacy", "clinic", "dtp"]
#: Days between visits on a card on average: at least, and more for the skilled.
IDLE = {"hospital_stall": (14, 16), "certificate_abuse": (14, 15)}
#: Drugs to fetch: drug, boxes, share of them that is fraud.
Goods = list[tuple[int, int, float]]


class Channels:
    """Lets the gangs live week by week."""

    def __init__(self, u: Underworld, book: Book) -> None:
        self.u, self.w, self.c, self.rng, self.book = u, u.w, u.c, u.rng, book
        self.forged: dict[int, int] = {}  # person: illness of the certificate
        self.seen: dict[int, list[int]] = {}  # victim: times of true visits
        self.now = [g for g in u.gangs if not g.past]

    def live(self) -> None:
        """Weekly orders, filled in random order by the gangs that are active."""
        rng, c, u, now = self.rng, self.c, self.u, self.now
        victims = [card.psn for g in now for card in g.cards if card.victim]
        for chunk in self.book.visits:
            for i in np.flatnonzero(np.isin(chunk["psn"], victims)):
                self.seen.setdefault(int(chunk["psn"][i]), []).append(int(chunk["t"][i]))
        for g in now:
            if g.kind == "certificate_abuse":
                self.forge(g)
        dealers, want = len(u.dealer_psn), u.pay**0.5
        taste = np.zeros((dealers, len(c.drug)))
        for d in range(dealers):
            liking = rng.lognormal(0, 0.5, 16)
            taste[d, rng.choice(len(c.drug), 16, replace=False, p=want / want.sum())] = liking
        load = np.array([sum(len(g.cards) for g in now if d in g.dealers) for d in range(dealers)])
        for day in range(0, u.p.days, 7):
            taste *= rng.lognormal(0, 0.08, taste.shape)
            demand = taste * load[:, None] * 0.55 * u.p.volume
            orders = rng.poisson(demand * rng.lognormal(0, 0.3, (dealers, 1)))
            for i in rng.permutation(len(now)):
                self._week(now[i], day, orders)

    def _week(self, g: Gang, day: int, orders: Ints) -> None:
        """One gang's week: what it delivers is no longer wanted."""
        rng = self.rng
        if not g.start <= day < g.stop or day < g.rest:
            return
        if rng.random() < (0.8 if day == 28 else 0.01 + 0.05 * g.skill):  # a feast, or a rest
            g.rest = day + 7 * int(rng.integers(1, 5))
            return
        qty = orders[g.dealers].sum(0)
        before = qty.copy()
        ready = [k for k in g.cards if k.start <= day < k.stop and k.idle <= day + 6]
        CHANNELS[g.kind](self, g, [ready[i] for i in rng.permutation(len(ready))], day, qty)
        orders[g.dealers] = np.maximum(orders[g.dealers] - (before - qty), 0)

    def goods(
        self, g: Gang, card: Card, day: int, more: float, qty: Ints, only: Arr | int = 1
    ) -> Goods:
        """Drugs of the order for this card; careful gangs take what is indicated, below the label."""
        c, rng, u, out = self.c, self.rng, self.u, Goods()
        careful = rng.random() < g.skill
        ills = u.sick.get(card.psn, {"I10"} if self.w.age[card.psn] > 40 else {"J45", "M10"})
        score = u.pay * (qty > 0) * only
        if careful and len(card.cover) > 1 + 2 * (1 - g.skill):  # few drugs a card
            score = score * np.isin(np.arange(len(score)), list(card.cover))
        for d in np.flatnonzero(score).tolist():
            fits = not c.icd[d] or any(icd in ills for icd in c.icd[d])
            covered = card.cover.get(d, -99) > day + (2 if careful else 12)
            own = careful and d in u.own.get(card.psn, ())
            odd = not fits and c.price[d] > (150 if careful else 1000)
            if covered or own or odd:
                score[d] = 0
            elif careful and not fits:
                score[d] *= 0.02
        for _ in range(1 + int(rng.random() < 0.45) + int(rng.random() < more)):
            if score.sum() > 0:
                d = int(rng.choice(len(score), p=score / score.sum()))
                if careful:
                    days = float(rng.choice([14, 28, 28]))
                else:
                    days = 28 * rng.uniform(0.8, 1.1 + 0.9 * (1 - g.skill))
                most = min(round(days / c.days[d]), 12, 1 + 1100 // c.price[d], qty[d])
                number = int(max(1, most))
                score[d], qty[d] = 0, qty[d] - number
                card.cover[d] = max(day, card.cover.get(d, day)) + number * c.days[d]
                out.append((d, number, 1.0))
        return out

    def visit(
        self,
        g: Gang,
        card: Card,
        day: int,
        hour: float | None,
        inst: int,
        goods: Goods,
        **more: int,
    ) -> None:
        """Write one visit on a card, then leave the card alone for some days."""
        c, rng, s, psn, n = self.c, self.rng, g.skill, card.psn, len(goods)
        least, skilled = IDLE.get(g.kind, (5, 14))
        card.idle = day + rng.gamma(5, (least + skilled * s) / 5)
        if not goods or not max(0, card.start) <= day < min(card.stop, self.u.p.days):
            return
        if hour is None:
            hour = float(hours(c, np.array([inst]), self.w.hour[[psn]], rng)[0])
        icd, store = c.icd[goods[0][0]], c.inst_type[inst] == "pharmacy"
        certified = any(
            begin <= day and c.ill_icd[ill] in icd
            for holder, ill, begin, *_ in self.w.certs
            if holder == psn
        )
        dev, proxy, rel = self._runner(g, psn)
        fits = [code for code in icd if code in self.u.sick.get(psn, ())]
        drug, cnt, frac = (np.array(column) for column in zip(*goods))
        one = np.zeros(1, int)
        scan = more.pop("scan", 0) or int(rng.random() < 0.12 * s)
        resold = int(rng.random() < self.u.p.resurface * (1.15 - s))
        faked = {"gang": g.gid, "frac": frac, "scan": scan, "resold": resold}
        lines = [packs(np.zeros(n, int), drug, cnt, dose=rng.choice(DOSES, n), **faked)]
        for item, chance in (("registration", 0.6), ("exam", 0.06 + 0.12 * s)):
            if not store and rng.random() < chance:
                lines.append(fees(one, item, rng))
        if rng.random() < 0.12 * s + 0.02:  # camouflage: something for a cold
            lines.append(packs(one, rng.choice(c.common(), 1), rng.integers(1, 3, 1)))
        t = day * DAY + int(np.clip(hour, 0.1, 23.9) * 3600) + int(rng.integers(0, 60))
        kind = SPECIAL if certified else c.visit_kind(np.array([inst]))
        dx = c.dx_of((fits or icd or ["K52"])[0])
        more |= {"dev": dev, "proxy": proxy, "rel": rel}
        self.book.add(visits(psn, inst, t, kind, dx, **more), *lines)

    def _runner(self, g: Gang, psn: int) -> tuple[int, int, int]:
        """Whose phone shows the card, who signs for it and as what."""
        rng, s, dev, proxy, rel = self.rng, g.skill, -1, -1, 0
        runner = g.runners[psn % len(g.runners)] if g.runners else -1
        if g.runners and rng.random() < 0.6 * (1 - s) ** 2.2:
            dev = runner
        if g.runners and rng.random() < 0.7 * (1 - s) ** 2.3 + 0.01:
            proxy, rel = runner if rng.random() < 0.85 else g.org, 1 + psn % 4
        elif g.kind == "family_ring" and rng.random() < 0.35:
            proxy, rel = g.org, 1
        return dev, proxy, rel

    def forge(self, g: Gang) -> None:
        """Certificates by forged diagnosis, obtained one after another."""
        rng, c = self.rng, self.c
        dear = np.flatnonzero(np.isin(c.ill, DEAR_ILLS))
        few = rng.choice(dear, rng.integers(1, 3), replace=False)
        for card in g.cards:
            ill, day = int(rng.choice(few)), card.start + int(rng.integers(0, 45))
            at_own = rng.random() < 1 - 0.5 * g.skill
            inst = g.inst if at_own else int(self.w.fav["hospital"][card.psn])
            helped = inst == g.inst and rng.random() < 0.9 - 0.5 * g.skill
            doc = g.doc if helped else c.doctor(inst, rng)
            self.w.certs.append((card.psn, ill, day, inst, doc))
            self.forged[card.psn], card.idle = ill, max(card.idle, day + 3)
            self.u.sick.setdefault(card.psn, set()).add(c.ill_icd[ill])

    def tour(self, g: Gang, cards: list[Card], day0: int, qty: Ints) -> None:
        """Runners go round with wallets of cards."""
        rng, s, many = self.rng, g.skill, len(g.runners)
        for r in range(many * (1 if rng.random() < s else 2)):
            wallet = [k for k in cards[r % many :: many] if k.idle <= day0 + 6]
            todo = wallet[: int(len(wallet) * (1 - 0.45 * s)) + 1]
            day = day0 + int(rng.choice(7, p=[0.18, 0.16, 0.16, 0.16, 0.16, 0.1, 0.08]))
            early = rng.random() < 0.3 + 0.6 * s
            hour = float(rng.normal(10, 1.5) if early else rng.uniform(12, 20))
            for _ in range(int(rng.integers(2, 5)) + int(2 * s)):
                at = self._next_counter(g, day)
                if s > 0.5:
                    size = 1 + int(rng.random() < 0.35)
                else:
                    size = int(rng.integers(1, 3 + int(4 * (1 - s))))
                if todo:
                    g.last[at] = day
                hour = self._present(g, todo[:size], day, hour, at, qty)
                todo, hour = todo[size:], min(hour + rng.uniform(0.2, 0.6), 20.5)

    def _next_counter(self, g: Gang, day: int) -> int:
        """A counter chosen by habit, crowd and how lately one was there."""
        tired = np.array([max(0, 14 - (day - g.last.get(place, -99))) for place in g.counters])
        crowd = 0.5 * np.log(self.c.crowd[g.counters])
        liking = crowd - (0.05 + 0.3 * g.skill) * tired + self.rng.gumbel(0, 0.7, len(tired))
        return g.counters[np.argmax(liking)]

    def _present(
        self, g: Gang, cards: list[Card], day: int, hour: float, at: int, qty: Ints
    ) -> float:
        """Use some cards one after another at a counter, or near their holders' own habits."""
        rng, c, s = self.rng, self.c, g.skill
        only = np.where(c.cold | (c.price > 150), 1.0, 0.15) if g.kind == "cold_chain" else 1
        for card in cards:
            home, place = rng.random() < 0.75 * s**1.5, at
            if home:
                usual = str(rng.choice(OUTLETS, p=[0.3, 0.4, 0.2, 0.1]))
                place = int(self.w.fav[usual][card.psn])
            when = None if home and rng.random() < s else hour
            goods = self.goods(g, card, day, 0.6 * (1 - s), qty, only)
            seat = 0 if rng.random() < 0.3 * (1 - s) else -1
            self.visit(g, card, day, when, place, goods, seat=seat)
            hour += rng.exponential(0.05 + 0.35 * s) + 0.03
        return hour

    def stall(self, g: Gang, cards: list[Card], day0: int, qty: Ints) -> None:
        """Patients fetch what they are entitled to, a bit early, and sell part at the gate."""
        rng, c, s, pay = self.rng, self.c, g.skill, self.u.pay
        for card in cards:
            held = (d for d in self.u.own.get(card.psn, ()) if pay[d] > 12)
            own, goods = sorted(held, key=lambda d: -pay[d]), Goods()
            fixed = rng.random() < 0.6 * (1 - s)
            day = day0 + int(rng.choice([1, 4]) if fixed else rng.integers(0, 7))
            if not own or rng.random() < 0.25:
                continue
            for d in own[: 1 + int(rng.random() < 0.6 * (1 - s))]:
                need = round((20 + 40 * (1 - s)) / c.days[d] * rng.uniform(0.7, 1.4))
                sold = int(max(1, min(need, max(1, qty[d]), 10)))
                keep = int(rng.random() < 0.35)
                qty[d] = max(0, qty[d] - sold)
                goods.append((d, sold + keep, sold / (sold + keep)))
            shop = "dtp" if max(c.price[d] for d, *_ in goods) > 300 else "pharmacy"
            place = int(self.w.fav[shop][card.psn]) if rng.random() < 0.35 else g.inst
            self.visit(g, card, day, None, place, goods)

    def counter(self, g: Gang, cards: list[Card], day0: int, qty: Ints) -> None:
        """A colluding counter bills onto deposited cards: without goods, or for other goods."""
        rng, s = self.rng, g.skill
        busy, hour = day0 + int(rng.integers(0, 6)), rng.uniform(12, 21)
        for card in cards[: max(1, int(len(cards) * (0.95 - 0.3 * s)))]:
            burst = rng.random() < (1 - s) ** 1.3
            day = busy if burst else day0 + int(rng.integers(0, 7))
            hour = min(hour + rng.exponential(0.06), 21.5)
            odds = [s, 0.4 * (1 - s), 0.35 * (1 - s), 0.25 * (1 - s)]
            scan = int(rng.choice(4, p=odds))
            goods = self.goods(g, card, day, 1 - s, qty)
            when, seat = (hour, 0) if burst else (None, -1)
            self.visit(g, card, day, when, g.inst, goods, scan=scan, seat=seat)

    def certified(self, g: Gang, cards: list[Card], day0: int, qty: Ints) -> None:
        """Forged certificates, drawn on steadily, at hospital or special pharmacy."""
        rng, s, c = self.rng, g.skill, self.c
        for card in cards:
            if card.psn not in self.forged:
                continue
            code, day = c.ill_icd[self.forged[card.psn]], day0 + int(rng.integers(0, 6))
            only = np.array([code in icd for icd in c.icd]).astype(int)
            goods = self.goods(g, card, day, 0.2, np.maximum(qty, 4 * only), only)
            place, usual = g.inst, rng.random() < 0.4 + 0.5 * s
            if usual:
                place = int(self.w.fav["hospital" if rng.random() < 0.6 else "dtp"][card.psn])
            when = None if rng.random() < 0.4 + 0.6 * s else rng.uniform(14, 18)
            self.visit(g, card, day, when, place, goods)

    def family(self, g: Gang, cards: list[Card], day0: int, qty: Ints) -> None:
        """Children fetch on the cards of an aged holder's circle, a little more than needed."""
        rng, s = self.rng, g.skill
        day, hour = day0 + int(rng.choice([5, 6, int(rng.integers(0, 7))])), rng.normal(10, 2)
        for card in cards[: rng.integers(1, 4)]:
            lead = card.psn if rng.random() < 0.3 + 0.6 * s else g.cards[0].psn
            when = hour if rng.random() < 1 - 0.6 * s else None
            place = int(self.w.fav[OUTLETS[rng.integers(3)]][lead])
            self.visit(g, card, day, when, place, self.goods(g, card, day, 0.1, qty))
            hour += rng.uniform(0.05, 0.3)

    def insiders(self, g: Gang, cards: list[Card], day0: int, qty: Ints) -> None:
        """A doctor and a clerk use cards of patients who don't know, best beside a true visit."""
        rng, s = self.rng, g.skill
        for card in cards[: max(1, int(len(cards) * 0.6))]:
            day, hour = day0 + int(rng.integers(0, 5)), float(rng.uniform(16, 18.4))
            near = [t for t in self.seen.get(card.psn, []) if day0 <= t // DAY < day0 + 7]
            if near and rng.random() < s:
                day = near[0] // DAY
                hour = near[0] % DAY / 3600 + rng.uniform(0.02, 0.4)
            elif rng.random() < 0.55 * s:
                continue
            when = hour if rng.random() < 0.8 else None
            goods = self.goods(g, card, day, 0.1, qty)
            doc = g.doc if rng.random() < 0.95 - 0.4 * s else -2
            seat = 1 if rng.random() < 0.9 - 0.5 * s else -1
            self.visit(g, card, day, when, g.inst, goods, doc=doc, seat=seat)


CHANNELS: dict[str, Callable[[Channels, Gang, list[Card], int, Ints], None]] = {
    "rented_cards": Channels.tour,
    "cold_chain": Channels.tour,
    "hospital_stall": Channels.stall,
    "pharmacy_ring": Channels.counter,
    "code_swap": Channels.counter,
    "certificate_abuse": Channels.certified,
    "family_ring": Channels.family,
    "staff_hoard": Channels.insiders,
}
