"""Cases, clues and parcels: what the authorities know, and how little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.provinces.countryside.files import (
    DAY,
    NULL,
    Landing,
    hexes,
    month_start,
    pick,
    table,
)
from benchmarks.provinces.countryside.gangs import KINDS, Gang, Gangs
from benchmarks.provinces.countryside.office import Office
from benchmarks.provinces.countryside.world import World

SEEN = ("pharmacy_ring", "remote_voucher", "code_swap")  # where the place itself is guilty


@dataclass
class Subject:
    """Somebody or some place in a case."""

    who: int
    kind: str
    role: str
    k: int
    gang: Gang | None
    opened: int
    decided: int
    outcome: str
    case: int
    trigger: str
    sec: int


class Cases:
    """Settles beforehand whom a case will reach, and lands what is known month by month."""

    def __init__(self, world: World, gangs: Gangs) -> None:
        self.w, self.gangs = world, gangs
        self.rng = rng = np.random.default_rng([world.par.seed, 71])
        end, self.rows = month_start(world.par.months), list[Subject]()
        target = max(3, round(66e-5 * world.n * world.par.months / 12))
        left = round(target * 0.42)
        while left > 0:
            kind = "rented_cards" if left > 3 else "lone_collector"
            g = gangs.form(kind, min(left, 9), 0.3, True)
            gangs.past.append(g)
            g.opened, g.loss = max(g.stop, -200), float(np.round(rng.lognormal(9, 0.8)))
            k, day = len(gangs.list) + len(gangs.past) - 1, int(rng.integers(5, max(6, end - 5)))
            for card in g.cards[:left]:
                self.add(int(card), "person", "card_holder", k, g, day, "criminal")
            left -= len(g.cards)
        left = round(target * 0.38)
        loud = [2 - 2 * g.skill + len(g.cards) / 20 + rng.normal(0, 0.35) for g in gangs.list]
        for k in map(int, np.argsort(-np.array(loud), kind="stable")):
            g = gangs.list[k]
            if left <= 0 or g.start > end * 0.55:
                continue
            g.opened = max(int(rng.uniform(0.12, 0.6) * end), g.start + 40)
            g.stop = min(g.stop, g.opened + int(rng.integers(0, 12)))
            day, role = g.opened + int(rng.integers(25, 130)), "card_holder"
            caught = g.cards[rng.random(len(g.cards)) < rng.uniform(0.5, 0.9)]
            for card in caught[:left]:
                role = "victim" if KINDS[g.kind][5] else "card_holder"
                self.add(int(card), "person", role, k, g, day, "administrative")
            left -= len(caught)
            for psn in sorted({*map(int, g.crew), g.organiser} - {-1, *map(int, g.cards)}):
                role = "organiser" if psn == g.organiser else "collector"
                if rng.random() < 0.6:
                    self.add(psn, "person", role, k, g, day, "criminal")
            role, out = ("pharmacy", "administrative") if g.kind in SEEN else ("none", "no_finding")
            for inst in map(int, g.ally):
                self.add(inst, "institution", role, k, g, day, out)
            if g.doctor >= 0:
                self.add(g.doctor, "doctor", "doctor", k, g, day, "administrative")
        # Wrong tips reach honest people who stand out.
        odd = world.chronic * (1.0 + 4 * (world.group >= 0)) * ~gangs.taken
        for psn in rng.choice(world.n, round(target * 0.2) + 1, replace=False, p=odd / odd.sum()):
            out = str(rng.choice(["cleared", "cleared", "no_finding", "withdrawn"]))
            self.add(int(psn), "person", "none", -1, None, int(rng.integers(5, end)), out)

    def add(
        self, who: int, kind: str, role: str, k: int, g: Gang | None, day: int, out: str
    ) -> None:
        """Note one subject of a case."""
        rng, case = self.rng, k if k >= 0 else 3000 + len(self.rows)
        if out in ("criminal", "administrative") and rng.random() < 0.35 and role != "victim":
            out = "criminal" if out == "administrative" else "administrative"
        ways = ["tip", "tip", "audit", "police", "model", "other_agency", "random_audit"]
        opened = g.opened if g else day - int(rng.integers(10, 90))
        way, sec = str(rng.choice(ways)), int(rng.integers(8 * 3600, 17 * 3600))
        day += int(rng.integers(0, 6))
        self.rows.append(Subject(who, kind, role, k, g, opened, day, out, case, way, sec))

    def subject(self, kind: str, who: int) -> str:
        """The identifier of a subject."""
        w = self.w
        pool = {"person": w.id_psn, "institution": w.id_inst, "doctor": w.id_doc}[kind]
        return str(pool[int(w.doc_code[who]) if kind == "doctor" else who].as_py())

    def month(self, m: int, office: Office, out: Landing) -> None:
        """Land the openings and decisions of a month, with clues and parcels."""
        low, high = month_start(m), month_start(m + 1)
        ids = hexes(np.random.default_rng([self.w.par.seed, 73]), 3001 + len(self.rows), 12)
        for r in self.rows:
            done, opened = low <= r.decided < high, low <= max(r.opened, 0) < high
            if not (done or opened):
                continue
            g, open_t = r.gang, r.opened * DAY + r.sec
            bad = g is not None and r.role not in ("none", "victim")
            loss = float(office.loss[r.who]) if r.kind == "person" else 0.0
            loss = loss or (g.loss / len(g.cards) if g else 0.0)
            cents, name = round(loss * 100), None
            if done and bad and g and len(g.cards) > 1:
                name = office.gang_ids[r.k].as_py()
            first, last = (max(g.start, -900), min(g.stop, r.opened)) if bad and g else (NULL, NULL)
            day = r.decided if done else max(r.opened, 0)
            out.add("closed_case", [[x] for x in (
                ids[r.case].as_py(), r.kind, self.subject(r.kind, r.who), r.role if done else None,
                name, r.trigger, first, last, open_t - 9 * DAY, open_t,
                r.decided * DAY + r.sec if done else NULL, r.outcome if done else None,
                r.sec % 7 > 0 if done else None, cents if done and bad else NULL,
                cents * 6 // 10 if done and bad else NULL,
            )], [day * DAY + r.sec + 900 + r.sec % 9000])  # fmt: skip
        self.clues(m, out)
        for g in self.gangs.list:
            if low <= g.opened < high:
                self.parcels(g, out)

    def clues(self, m: int, out: Landing) -> None:
        """Tips, right and wrong."""
        w, rng, low, high = self.w, self.rng, month_start(m), month_start(m + 1)
        noted = [r for r in self.rows if low <= r.opened - 9 < high and rng.random() < 0.6]
        live = [g for g in self.gangs.list if g.start < high and g.stop > low]
        whom = [int(rng.choice(g.cards)) for g in live if rng.random() < 0.06 * (1.3 - g.skill)]
        whom += [int(x) for x in rng.integers(0, w.n, rng.poisson(w.n * 6e-5))]
        kinds = [r.kind for r in noted]
        kinds += [str(x) for x in rng.choice(["person", "person", "phone", "unknown"], len(whom))]
        ids = [self.subject(r.kind, r.who) for r in noted]
        for kind, psn in zip(kinds[len(noted) :], whom, strict=True):
            phone = str(w.id_tel[psn].as_py()) if kind == "phone" else None
            ids.append(self.subject(kind, psn) if kind == "person" else phone)  # type: ignore[arg-type]
        n = len(ids)
        when = rng.integers(low * DAY, high * DAY - 9000, n)
        when[: len(noted)] = [(r.opened - 9) * DAY + r.sec // 2 for r in noted]
        ways = ["hotline", "walk_in", "online", "institution", "police", "model", "other_agency"]
        texts, spots = [t[0] for t in table("texts")], ["县医院", "镇上药店", "village", "market"]
        drug = np.where(rng.random(n) < 0.5, -1, rng.integers(0, 20, n))
        checked = [[None, True, False, False][x] for x in rng.integers(0, 4, n)]
        out.add("clue", [
            hexes(rng, n, 16), pick(ways, rng.integers(0, 7, n)), when, kinds, ids,
            pick(texts, rng.integers(0, len(texts), n)), pick(w.ing_names, drug),
            pick(spots, rng.integers(-1, 4, n)), checked,
        ], when + rng.integers(60, 3500, n))  # fmt: skip

    def parcels(self, g: Gang, out: Landing) -> None:
        """Parcels under the warrant of an open case; most are somebody else's."""
        w, rng, n = self.w, self.rng, int(self.rng.integers(30, 60))
        mine = np.arange(n) < rng.integers(2, 12)
        own = rng.choice(g.crew if len(g.crew) else g.cards, n)
        send = np.where(mine, own, rng.integers(0, w.n, n))
        to = w.n + np.where(mine, g.dealer * 7, rng.integers(0, 4000, n))
        goods = ["茶叶", "衣服", "土特产", "食品", "书", "鞋", "配件", "日用品"]
        kinds = ["shop", "warehouse", "pharmacy", "clinic", "home", "unknown"]
        where, k = districts(w), w.counties
        out.add("parcel", [
            hexes(rng, n, 16), rng.integers((g.opened - 60) * DAY, g.opened * DAY, n),
            pick(w.id_tel, w.phone[send]), pick(w.id_addr, w.hh[send]), pick(where, w.county[send]),
            pick(w.id_tel, to), pick(w.id_addr, to),
            pick(where, np.where(mine, k + 1, rng.integers(0, k + 2, n))),
            pick(kinds, np.where(mine, rng.integers(0, 6, n), rng.integers(2, 6, n))),
            pick(goods, np.where(mine, rng.integers(0, 4, n), rng.integers(0, 8, n))),
            np.round(rng.lognormal(0.6, 0.7, n), 2), rng.random(n) < 0.04,
            [f"W{g.opened:05d}"] * n,
        ], g.opened * DAY + rng.integers(3600, DAY // 2, n))  # fmt: skip


def districts(w: World) -> list[str]:
    """Codes of the counties, then of the prefecture's city, then of another province."""
    return [f"5112{c + 21:02d}" for c in range(w.counties)] + ["511299", "440105"]
