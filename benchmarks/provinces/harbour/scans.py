"""Scans of boxes: deliveries, sales, returns, wrong codes, and boxes that are sold again."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.provinces.harbour.arrays import DAY, expand, nullable, stamps
from benchmarks.provinces.harbour.settle import Bill
from benchmarks.provinces.harbour.types import Arr, Ints

INBOUND, SALE, RETURN, ELSEWHERE = range(4)
TYPES = np.array(["inbound", "sale", "return", "sale"])


class Boxes:
    """The boxes that were scanned at their sale, each with its code."""

    def __init__(self, bill: Bill, outlets: Ints) -> None:
        self.bill, self.rng, self.outlets = bill, bill.rng, outlets
        c, lines, rng = bill.c, bill.lines, bill.rng
        visit_of, drug = bill.visit_of, bill.drug
        traced = bill.v["t"][visit_of] // DAY >= c.trace_from[drug]
        scanned = (rng.random(len(drug)) < bill.p.scan) & (lines["scan"] != 1)
        sold = np.flatnonzero((drug >= 0) & traced & scanned)
        k, number = expand(lines["cnt"][sold])
        self.line = line = sold[k]
        self.inst, self.drug = bill.inst[visit_of[line]], drug[line]
        self.t, self.n = bill.v["t"][visit_of[line]], len(line)
        self.supplied, odd = lines["scan"][line] != 3, rng.random(len(drug))[line]
        # One label for all boxes; at a clinic, a split pack.
        clinic = c.inst_type[self.inst] == "clinic"
        lazy = c.careless[self.inst] & (odd < 0.04) | clinic & (odd < 0.01)
        self.split = lazy & clinic
        self.code = np.arange(self.n) - np.where(lazy, number, 0)
        self.order = np.lexsort((self.t, self.drug, self.inst))
        self.place = self._place(self.inst, self.drug, self.t)[self.order]
        self.start = np.full(len(drug), -1)  # a line's first box
        self.start[sold] = np.cumsum(lines["cnt"][sold]) - lines["cnt"][sold]
        self._photographed()
        typo = np.flatnonzero(rng.random(self.n) < 0.001)
        self.code[typo] = rng.integers(0, self.n, len(typo))
        self._returns()
        self.far = self._resold()

    @staticmethod
    def _place(inst: Arr, drug: Arr, t: Arr) -> Ints:
        """A number that sorts by institution, drug and time."""
        number: Ints = (inst * 1000 + drug) * 10**9 + t
        return number

    def _recode(self, box: Ints, code: Ints) -> None:
        """These boxes carry a code that was sold before, and no delivery of their own."""
        self.code[box], self.supplied[box] = code, False

    def _later(self, inst: Arr, drug: Arr, after: Arr) -> Ints:
        """A sale of the same drug there after that time, or -1."""
        at = np.searchsorted(self.place, self._place(inst, drug, after), "right")
        hit = self.order[np.minimum(at, self.n - 1)]
        same = (self.inst[hit] == inst) & (self.drug[hit] == drug)
        return np.where((at < self.n) & same, hit, -1)

    def _photographed(self) -> None:
        """The code of a box of the same drug that was sold there before."""
        photo = np.flatnonzero(self.bill.lines["scan"][self.line] == 2)
        rank = np.argsort(self.order)[photo]
        before = self.order[np.maximum(rank - self.rng.integers(1, 6, len(photo)), 0)]
        same = (self.inst[before] == self.inst[photo]) & (self.drug[before] == self.drug[photo])
        self._recode(photo[same], self.code[before[same]])

    def _returns(self) -> None:
        """Returned boxes, of which some are sold again."""
        bill = self.bill
        start = self.start[bill.reversed]
        k, number = expand(np.where(start >= 0, bill.lines["cnt"][bill.reversed], 0))
        self.returned, self.return_setl = start[k] + number, bill.refund_of[k]
        self.return_t, self.return_code = bill.t[self.return_setl], self.code[self.returned]
        box = self.returned
        again = self._later(self.inst[box], self.drug[box], self.return_t)
        use = (again >= 0) & (self.rng.random(len(box)) < 0.6)
        self._recode(again[use], self.return_code[use])

    def _resold(self) -> Ints:
        """Boxes of gangs that are scanned again: at the outlet, or (these are given) elsewhere."""
        bill, rng, lines, line = self.bill, self.rng, self.bill.lines, self.line
        crude = (lines["resold"][line] == 1) & ~bill.is_reversed[line]
        hot = np.flatnonzero(crude & (rng.random(self.n) < 0.6))
        shop = self.outlets[lines["gang"][line[hot]]]
        after = self.t[hot] + rng.integers(4 * DAY, 45 * DAY, len(hot))
        hit = self._later(np.maximum(shop, 0), self.drug[hot], after)
        use = (shop >= 0) & (hit >= 0) & (rng.random(len(hot)) < 0.8)
        self._recode(hit[use], self.code[hot[use]])
        return hot[~use]

    def write(self) -> None:
        """Write all scans, with noise of boxes sold elsewhere or not sold yet."""
        bill, out, rng = self.bill, self.bill.out, self.rng
        n, far, code = self.n, self.far, self.code
        noise = rng.integers(0, n, 4 * len(far) + n // 400)  # sold elsewhere
        shelf = rng.integers(0, n, n // 20)  # delivered, not sold yet
        supplied = np.flatnonzero(self.supplied & (code == np.arange(n)))
        groups = (
            (INBOUND, supplied, code[supplied]),
            (INBOUND, shelf, n + len(noise) + np.arange(len(shelf))),
            (SALE, np.arange(n), code),
            (RETURN, self.returned, self.return_code),
            (ELSEWHERE, far, code[far]),
            (ELSEWHERE, noise, n + np.arange(len(noise))),
        )
        kind = np.concatenate([np.full(len(box), each) for each, box, _ in groups])
        box = np.concatenate([each for _, each, _ in groups])
        code = np.concatenate([each for *_, each in groups])
        waited = rng.exponential(11, len(box)).astype(int)
        delivered = (self.t[box] // DAY - 1 - waited) * DAY + 23000
        delivered += rng.integers(0, 12000, len(box))
        t = np.where(kind == INBOUND, delivered, self.t[box])
        t[kind == RETURN] = self.return_t
        at_far = np.flatnonzero(kind == ELSEWHERE)[: len(far)]
        t[at_far] += rng.integers(3 * DAY, 50 * DAY, len(far))
        visit = bill.visit_of[self.line[box]]
        setl = np.where(kind == SALE, visit, -1)
        setl[kind == RETURN] = self.return_setl
        abroad = rng.choice(bill.c.elsewhere("pharmacy"), len(box))
        inst = np.where(kind == ELSEWHERE, abroad, self.inst[box])
        arrive = np.where(setl >= 0, bill.arrive[setl], t + out.lag(len(t)))
        r = np.flatnonzero((t >= 0) & (t < bill.p.days * DAY))
        kind, box, setl, visit = kind[r], box[r], setl[r], visit[r]
        drug = self.drug[box]
        product = pc.utf8_slice_codeunits(out.names["drug"], 0, 7).take(pa.array(drug))
        serial = pc.utf8_slice_codeunits(out.number("box", code[r]), 7, 20)
        columns = {
            "scan_id": out.number("scan", r),
            "scan_type": TYPES[kind],
            "scan_time": stamps(t[r]),
            "drug_trac_codg": pc.binary_join_element_wise(product, serial, ""),
            "fixmedins_code": out.id("inst", inst[r]),
            "med_list_codg": out.id("drug", drug),
            "setl_id": bill.ids.take(nullable(setl)),
            "psn_no": out.id("psn", np.where(setl >= 0, bill.psn[visit], -1)),
            "split_pack": (kind == SALE) & self.split[box],
        }
        out.table("trace_scan", columns, arrive[r])
