"""From visits to the rows a settlement centre sees: hands, money, refunds, arrivals."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.provinces.harbour.arrays import DAY, decimals, expand, nullable, stamps
from benchmarks.provinces.harbour.book import OUTPATIENT, SPECIAL, STAY, Book
from benchmarks.provinces.harbour.types import Columns, Ints, Rng
from benchmarks.provinces.harbour.world import RESIDENT, World
from benchmarks.provinces.harbour.writer import Writer

#: Types of items: a drug, then the fees in the order of their numbers.
ITEMS = np.array(["drug", "other", "exam", "treatment", "material", "treatment"])
RELATIONS = np.array(["other", "family", "carer", "neighbour", "friend"])
DRGS = [f"{a}{b}1" for a in "BEFGR" for b in "RSVX"]
PROCEDURES = [f"{x}.{y}" for x in (38, 45, 93, 99) for y in (1, 4)]
#: Kinds of codes of a settlement.
CODE_TYPES = np.array(["diagnosis", "admit_diagnosis", "drg", "procedure", "diagnosis"])
CODE_SYSTEMS = np.array(["icd10", "icd10", "drg", "icd9", "icd10"])


class Bill:
    """All visits settled: settlements (visits first, then refunds) and their fee lines."""

    def __init__(self, w: World, book: Book, out: Writer, rng: Rng) -> None:
        self.w, self.c, self.p, self.out, self.rng = w, w.c, w.p, out, rng
        self.v, self.lines = book.close()
        self.n, self.psn, self.inst = len(self.v["psn"]), self.v["psn"], self.v["inst"]
        self.visit_of, self.drug = self.lines["v"], self.lines["drug"]
        hands = self._hands()
        self._money()
        self._refunds()
        self._settlements(*hands)
        self._fee_lines()
        self._codes()
        self._doctors_and_proxies()

    def _hands(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Hours, doctors, then certificates shown, phones, desks and operators."""
        w, c, v, rng, n, psn, inst = self.w, self.c, self.v, self.rng, self.n, self.psn, self.inst
        day = v["t"] // DAY
        slip = np.where(rng.random(n) < 0.004, rng.integers(-4, 5, n) * 3600, 0)  # a wrong hour
        v["t"] = day * DAY + np.clip(v["t"] % DAY + slip, 0, DAY - 1)
        # A shop sells on a hospital doctor's word, if any.
        self.base = np.where(c.doc_count[inst] > 0, inst, w.fav["hospital"][psn])
        count = c.doc_count[self.base]
        usual = (rng.random(n) < 0.7) & (v["doc"] != -3)
        any_doc = (rng.random(n) * count).astype(int)
        drawn = c.doc_start[self.base] + np.where(usual, (psn * 7919 + 13) % count, any_doc)
        unnamed = (self.base != inst) & (rng.random(n) < 0.5)
        self.doc = np.where(v["doc"] >= 0, v["doc"], np.where(unnamed, -1, drawn))
        habit = rng.random(n) < 0.86
        shown = np.where(habit, w.cert_pref[psn], rng.integers(1, 4, n))
        shown = np.where(v["dev"] >= 0, 1, shown)
        dev = np.where(v["dev"] >= 0, v["dev"], w.dev[psn])
        bought = rng.integers(0, self.p.days * 4, w.with_extra)  # the day of a new phone, if ever
        dev = np.where(shown == 1, dev + np.where(day > bought[dev], w.with_extra, 0), -1)
        given, desks = v["seat"] >= 0, c.desks[inst]
        desk = np.where(given, v["seat"], rng.integers(0, 9, n)) % desks
        shift = np.where(given, desk, desk + desks * ((day + desk) % 2))
        return shown, dev, inst * 40 + desk, inst * 40 + shift

    def _money(self) -> None:
        """Amounts in cents; a drug's price differs by institution."""
        w, c, rng, lines, n, psn = self.w, self.c, self.rng, self.lines, self.n, self.psn
        self.med, drug = self.drug >= 0, np.maximum(self.drug, 0)
        local = 1 + 0.04 * np.sin(self.inst[self.visit_of] * 12.9 + drug * 78.2)
        price = np.round(c.price[drug] * 100 * local).astype(int)
        self.unit = np.where(self.med, price, lines["cents"])
        self.amount = self.unit * lines["cnt"]
        self.fee = np.bincount(self.visit_of, self.amount, n).astype(int)
        insured = c.chronic | (c.price > 300) & (np.array(c.category) != "herb_tonic")
        covered = np.bincount(self.visit_of, self.med & insured[drug], n) > 0
        kind = self.v["mtype"]
        cases = [kind == SPECIAL, kind == STAY, kind == OUTPATIENT, covered]
        rate = np.select(cases, [0.8, 0.72, 0.5, 0.55], 0)
        rate = np.clip(rate + np.array([0, 0.08, -0.1, -0.1])[w.kind[psn]], 0, 0.95)
        less = np.where(rng.random(n) < 0.1, 0.8, 1)
        self.fund = np.round(self.fee * rate * less).astype(int)
        acct = np.round((self.fee - self.fund) * rng.choice([0, 0.5, 1, 1], n))
        self.acct = np.where(w.kind[psn] < RESIDENT, acct, 0).astype(int)

    def _refunds(self) -> None:
        """Refunds, whole or of the first line only."""
        w, v, rng, n, end = self.w, self.v, self.rng, self.n, self.p.days * DAY
        often = np.isin(self.psn, w.pick("returns", w.age > 18, rng))
        chosen = rng.random(n) < np.where(often, 0.2, 0.006)
        back = np.flatnonzero(chosen & (v["mtype"] != STAY))
        later = rng.choice([0, 0, 1, 2, 5, 9], len(back)) * DAY
        when = v["t"][back] + later + rng.integers(600, 9000, len(back))
        self.back, self.when = back[when < end], when[when < end]
        by_visit = np.argsort(self.visit_of, kind="stable")
        count = np.bincount(self.visit_of, minlength=n)
        whole = rng.random(len(self.back)) < 0.65
        refund, j = expand(np.where(whole, count[self.back], 1))
        first = (np.cumsum(count) - count)[self.back[refund]]
        self.reversed, self.refund_of = by_visit[first + j], n + refund  # lines, their settlements
        self.is_reversed = np.isin(np.arange(len(self.visit_of)), self.reversed)
        self.back_fee = np.bincount(refund, self.amount[self.reversed], len(self.back)).astype(int)

    def _part(self, paid: Ints) -> Ints:
        """What is refunded of a payment."""
        share = paid[self.back] * self.back_fee / np.maximum(self.fee[self.back], 1)
        return np.asarray(np.round(share), dtype=np.int64)

    def _settlements(self, shown: Ints, dev: Ints, desk: Ints, oper: Ints) -> None:
        v, c, out, rng = self.v, self.c, self.out, self.rng
        at, self.t = np.append(np.arange(self.n), self.back), np.append(v["t"], self.when)
        orig = np.append(np.full(self.n, -1), self.back)
        self.ids = out.number("setl", np.arange(len(at)))
        self.arrive = self.t + out.lag(len(at))
        stay = np.where(orig < 0, v["stay"][at], 0)
        ahead = rng.integers(120, 2400, len(at))
        self.begin = self.t - np.where(stay > 0, stay * DAY + 7200, ahead)
        dx = np.where(rng.random(len(at)) < 0.02, -1, v["dx"][at])
        fund, acct = self._part(self.fund), self._part(self.acct)
        money = {
            "medfee_sumamt": (self.fee, self.back_fee),
            "fund_pay_sumamt": (self.fund, fund),
            "acct_pay": (self.acct, acct),
            "psn_cash_pay": (self.fee - self.fund - self.acct, self.back_fee - fund - acct),
        }
        columns = {
            "setl_id": self.ids,
            "mdtrt_id": out.number("visit", at),
            "psn_no": out.id("psn", self.psn[at]),
            "fixmedins_code": out.id("inst", self.inst[at]),
            "setl_time": stamps(self.t),
            "med_type": v["mtype"][at].astype(str),
            "dise_codg": pa.array(c.dx).take(nullable(dx)),
            "begntime": stamps(self.begin),
            "endtime": stamps(self.t - 60),
            "mdtrt_cert_type": np.array(["01", "02", "03"])[shown[at] - 1],
            "device_hash": out.id("dev", dev[at]),
            "terminal_id": out.number("desk", desk[at]),
            "opter_no": out.number("oper", oper[at]),
            **{k: decimals(np.append(paid, -b), 16, 2) for k, (paid, b) in money.items()},
            "refd_setl_flag": np.where(orig >= 0, "1", "0"),
            "orig_setl_id": self.ids.take(nullable(orig)),
        }
        out.table("settlement", columns, self.arrive)

    def _fee_lines(self) -> None:
        c, out, lines = self.c, self.out, self.lines
        n, m = len(self.visit_of), len(self.visit_of) + len(self.reversed)
        one, setl = np.append(np.arange(n), self.reversed), np.append(self.visit_of, self.refund_of)
        sign, visit = np.where(np.arange(m) < n, 1, -1), self.visit_of[one]
        self.line_ids = out.number("line", np.arange(m))
        told = ((self.inst * 37) % 11 < 4)[visit] & self.med[one]  # some places tell the days
        days = c.days[np.maximum(self.drug, 0)] * lines["cnt"] / lines["dose"]
        supply = decimals(np.round(np.minimum(days, 999)[one] * 100), 6, 2)
        ahead = self.rng.integers(30, 600, m)
        columns = {
            "setl_id": self.ids.take(pa.array(setl)),
            "feedetl_sn": self.line_ids,
            "orig_feedetl_sn": self.line_ids.take(nullable(np.where(sign < 0, one, -1))),
            "psn_no": out.id("psn", self.psn[visit]),
            "fee_ocur_time": stamps(np.maximum(self.t[setl] - ahead, self.begin[setl])),
            "med_list_codg": out.id("drug", self.drug[one]),
            "item_type": ITEMS[np.maximum(-self.drug[one], 0)],
            "bilg_dr_codg": out.id("doc", self.doc[visit]),
            "cnt": decimals(lines["cnt"][one] * sign * 10000, 16, 4),
            "pric": decimals(self.unit[one] * 10000, 16, 6),
            "det_item_fee_sumamt": decimals(self.amount[one] * sign, 16, 2),
            "prd_days": pc.if_else(pa.array(told), supply, pa.scalar(None, supply.type)),
        }
        out.table("fee_detail", columns, self.arrive[setl])

    def _codes(self) -> None:
        """Diagnoses, second ones, and the groups and procedures of stays."""
        rng, c, n, dx = self.rng, self.c, self.n, self.v["dx"]
        stays = np.flatnonzero(self.v["mtype"] == STAY)
        second = np.flatnonzero(rng.random(n) < 0.12)
        groups = [np.arange(n), second, stays, stays, stays]
        s, kind = np.concatenate(groups), np.repeat([0, 4, 1, 2, 3], [len(x) for x in groups])
        known = len(c.dx)
        drg, procedure = known + dx[s] % 20, known + 20 + dx[s] % 8
        any_dx = rng.integers(0, known, len(s))
        code = np.select([kind == 4, kind == 2, kind == 3], [any_dx, drg, procedure], dx[s])
        columns = {
            "setl_id": self.ids.take(pa.array(s)),
            "code_type": CODE_TYPES[kind],
            "code": pa.array([*c.dx, *DRGS, *PROCEDURES]).take(pa.array(code)),
            "seq": np.where(kind == 4, 2, 1).astype(np.int32),
            "code_system": CODE_SYSTEMS[kind],
        }
        self.out.table("settlement_code", columns, self.arrive[s])

    def _doctors_and_proxies(self) -> None:
        out, v = self.out, self.v
        s = np.flatnonzero(self.doc >= 0)
        columns = {
            "setl_id": self.ids.take(pa.array(s)),
            "role": np.where(self.base[s] == self.inst[s], "attending", "ordering"),
            "dr_codg": out.id("doc", self.doc[s]),
        }
        out.table("settlement_doctor", columns, self.arrive[s])
        s = np.flatnonzero(v["proxy"] >= 0)
        columns = {
            "setl_id": self.ids.take(pa.array(s)),
            "agnter_cert_hash": out.id("cert", v["proxy"][s]),
            "agnter_tel_hash": out.id("tel", v["proxy"][s]),
            "agnter_rlts": RELATIONS[v["rel"][s]],
        }
        out.table("proxy_pickup", columns, self.arrive[s])

    def fraud(self) -> Columns:
        """Lines that are fraud and were not refunded: line, person, gang, loss of the fund."""
        part = (self.fund / np.maximum(self.fee, 1))[self.visit_of]
        loss = np.round(self.lines["frac"] * self.amount * part) / 100
        line = np.flatnonzero((self.lines["frac"] > 0) & ~self.is_reversed)
        person = self.psn[self.visit_of[line]]
        return {"line": line, "psn": person, "gang": self.lines["gang"][line], "loss": loss[line]}
