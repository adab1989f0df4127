"""Boxes with their codes: scanned when they come in, are sold or returned, and where resold boxes surface."""

import numpy as np
import pyarrow as pa

from benchmarks.provinces.plateau.claims import Claims
from benchmarks.provinces.plateau.landing import DAY, hexes, pick, ts
from benchmarks.provinces.plateau.settings import Arr, Bools, Ints
from benchmarks.provinces.plateau.world import Kind

#: Day from which scanning is a duty.
DUTY = 181
#: A box, the counter at which it shows up again, and the second.
Move = tuple[int, int, int]


class Boxes:
    """Every box of a drug that was billed, with the visit and the line that it belongs to."""

    def __init__(self, c: Claims) -> None:
        v, lines = c.visits, c.lines
        self.c, self.rng, self.gangs = c, c.rng, c.under.gangs
        number = np.where(lines["drug"] >= 0, lines["boxes"], 0)
        self.line = np.repeat(np.arange(len(number)), number)
        self.n, self.visit = len(self.line), lines["visit"][self.line]
        self.nth = np.arange(self.n) - np.searchsorted(self.line, self.line)
        self.inst, self.drug = v["inst"][self.visit], lines["drug"][self.line]
        self.sec, self.gang = c.sec[self.visit], v["gang"][self.visit]
        self.sold = self.nth < lines["sold"][self.line]
        self.key = self.inst * 100 + self.drug
        self.order = np.lexsort([self.sec, self.key])
        refund = np.full(len(number), -1)
        refund[c.back] = c.back_of
        self.refund = refund[self.line]

    def scanned(self) -> Bools:
        """Boxes that were scanned when sold; gangs with counters of their own skip some."""
        r, w, n, duty = self.rng, self.c.w, self.n, self.sec // DAY >= DUTY
        seen = r.random(n) < np.where(duty, w.i_late_scan[self.inst], w.i_scan[self.inst])
        hide = np.array([g.skill * bool(g.counters) for g in self.gangs] + [0.0])[self.gang]
        return seen & ~(self.sold & (r.random(n) < 0.5 * hide) & ~duty)

    def codes(self) -> tuple[Ints, Bools, Bools, Bools]:
        """The box whose code was scanned for each; which are split packs, scanned twice, or mistyped."""
        r, w, n, code, before = self.rng, self.c.w, self.n, np.arange(self.n), np.full(self.n, -1)
        order, careless = self.order, w.i_careless[self.inst]
        # the last box of this drug here
        before[order[1:]] = np.where(np.diff(self.key[order]) == 0, order[:-1], -1)
        split = np.isin(w.i_type[self.inst], (Kind.CLINIC, Kind.VILLAGE)) & (r.random(n) < 0.02)
        same = (self.nth > 0) & (r.random(n) < 3 * careless)
        again = split | (r.random(n) < 0.3 * careless)
        code = np.where(again & (before >= 0), before, np.where(same, code - 1, code))
        wrong = r.random(n) < 0.001
        return np.where(wrong, r.integers(0, n, n), code), split, same, wrong

    def moves(self, back: Ints) -> tuple[list[Move], list[Move]]:
        """Returned and resold boxes: those that an honest customer gets here, and those that turn up elsewhere."""
        r, c, w, sec, n = self.rng, self.c, self.c.w, self.sec, self.n
        here, away = list[Move](), list[Move]()
        for b, k in zip(back.tolist(), self.refund[back].tolist()):
            if r.random() < 0.6:
                here.append((b, self.inst[b], c.back_sec[k]))
        pharmacy = w.i_type == Kind.PHARMACY
        shops, far = np.flatnonzero(pharmacy & w.i_home), np.flatnonzero(pharmacy & ~w.i_home)
        sinks = r.choice(shops, (max(len(self.gangs), 1), 2))
        for b in np.flatnonzero(self.sold).tolist():
            g, at, u = self.gangs[self.gang[b]], int(sec[b] + r.uniform(3, 60) * DAY), r.random()
            if u <= 0.4 + 0.55 * g.skill:
                continue  # peeled, or sold where nothing is scanned
            if r.random() < 0.45:
                away.append((b, int(r.choice(far)), at))
            else:
                own = g.counters and r.random() < 0.7
                buyers = g.counters if own else sinks[g.dealer % len(sinks)]
                buyers = shops if r.random() < g.skill else buyers
                here.append((b, int(r.choice(buyers)), at))
        for b in r.integers(0, n, max(n // 4000, 3)).tolist():
            away.append((b, int(r.choice(far)), int(sec[b] + r.uniform(-20, 90) * DAY)))
        return here, away

    def resell(self, code: Ints, moves: list[Move]) -> None:
        """The next customer of the same drug at the counter gets the box."""
        used, ranked = set[int](), self.key[self.order]
        for b, inst, sec in moves:
            key = inst * 100 + self.drug[b]
            low, high = np.searchsorted(ranked, [key, key + 1])
            at = low + int(np.searchsorted(self.sec[self.order[low:high]], sec))
            if at < high and self.order[at] not in used:
                code[self.order[at]] = code[b]
                used.add(self.order[at])


def write_scans(c: Claims) -> dict[str, Arr]:
    """Writes the scans; gives the honest people touched by a counter's carelessness."""
    boxes, r, person = Boxes(c), c.rng, c.visits["person"]
    seen, (code, split, same, wrong) = boxes.scanned(), boxes.codes()
    back = np.flatnonzero((boxes.refund >= 0) & seen)
    here, away = boxes.moves(back)
    boxes.resell(code, here)
    sale, row = np.flatnonzero(seen), boxes.refund[back]
    bought_in = sale[(code[sale] == sale) & (r.random(len(sale)) < 0.94)]
    away_box, away_inst, away_sec = np.array(away, int).T
    size = [len(sale), len(bought_in), len(back), len(away)]
    box, kind = np.r_[sale, bought_in, back, away_box], np.repeat([1, 0, 2, 1], size)
    in_sec = boxes.sec[bought_in] - r.integers(2 * DAY, 70 * DAY, len(bought_in))
    nobody, stranger = np.full(len(bought_in), -1), np.full(len(away), -1)
    visit, inst = boxes.visit, boxes.inst
    setl = np.r_[visit[sale], nobody, len(c.total) + row, stranger]
    who = np.r_[person[visit[sale]], nobody, person[visit[back]], stranger]
    sec = np.r_[boxes.sec[sale] - 30, in_sec, c.back_sec[row], away_sec]
    columns = {
        "scan_id": hexes(r, len(box), 9),
        "drug_trac_codg": pick(hexes(r, boxes.n, 10), code[box]),
        "scan_type": pick(["inbound", "sale", "return"], kind),
        "scan_time": ts(sec),
        "med_list_codg": pick(c.med, boxes.drug[box]),
        "fixmedins_code": pick(c.inst, np.r_[inst[sale], inst[bought_in], inst[back], away_inst]),
        "setl_id": pick(c.all_setl, setl),
        "psn_no": pick(c.psn, who),
        "split_pack": pa.array(split[box] & (kind == 1)),
    }
    arrive = np.r_[c.arrive[visit[sale]], in_sec + 7200, c.back_arrive[row], away_sec + 90000]
    c.land.write("trace_scan", columns, arrive)
    hits = {"careless_scan": same, "mistyped_code": wrong, "returned_box": boxes.refund >= 0}
    honest = seen & (boxes.gang < 0)
    return {name: np.unique(person[visit[hit & honest]]) for name, hit in hits.items()}
