"""From the ledger to settlements, lines, codes, doctors, proxies and refunds."""

import numpy as np
import pyarrow as pa

from benchmarks.provinces.plateau import catalogue as cat
from benchmarks.provinces.plateau.gangs import Underworld
from benchmarks.provinces.plateau.landing import DAY, NEVER, Landing, dec, hexes, pick, ts
from benchmarks.provinces.plateau.ledger import Ledger, select
from benchmarks.provinces.plateau.settings import Ints
from benchmarks.provinces.plateau.world import Kind

ICD = [f"{icd}.900" for icd in [*cat.CONDITIONS["icd"].tolist(), *cat.ACUTE_ICD]]
DRG = [f"{x}{y}{z}" for x in "BEFGHI" for y in "RSTU" for z in (11, 13, 15)]
#: Kinds of visit: outpatient, with a certificate, in a bed, at a pharmacy.
MED_TYPES = ["11", "14", "21", "41"]
OUTPATIENT, SPECIAL, INPATIENT, COUNTER_SALE = range(4)
#: What the fund pays of each kind for residents and employees, and its deductible in cents.
RATE = np.array([[0.45, 0.55], [0.64, 0.84], [0.66, 0.80], [0.30, 0.40]])
DEDUCTIBLE = np.array([2000, 0, 40000, 2000])


class Claims:
    """Money and identifiers of all visits and lines of the ledger, and of refunds (old, back_)."""

    def __init__(self, under: Underworld, ledger: Ledger, land: Landing) -> None:
        w, days = under.w, under.days
        self.w, self.under, self.land, self.days, self.rng = w, under, land, days, w.s.rng(5)
        r, (v, lines) = self.rng, ledger.join()
        self.psn, self.inst = self.serial("63", w.n), self.serial("H", w.insts)
        self.doc, self.med = self.serial("D", len(w.doc_inst)), self.serial("X", len(cat.DAYS))
        self.cert, self.tel = hexes(r, under.ids, 16), hexes(r, under.ids, 16)
        self.dev = hexes(r, under.phones, 16)
        # nothing is billed after death or a pause of the insurance
        die = r.random(w.n) < days / 365 * 0.00008 * np.exp(0.075 * w.age.clip(30, 97))
        self.death = np.where(die, r.integers(1, days, w.n), NEVER)
        pause = (r.random(w.n) < 0.004) & ~die
        self.paused = np.where(pause, r.integers(1, days, w.n), NEVER)
        self.last = np.minimum(self.death, self.paused)
        self.visits, self.lines = select(v, lines, v["minute"] // 1440 < self.last[v["person"]])
        self.settle()
        self.refund()

    def serial(self, letter: str, n: int) -> pa.Array:
        """Serial numbers in no order."""
        numbers = self.rng.choice(9 * 10**8, n, replace=False) + 10**8
        return pa.array([f"{letter}{x}" for x in numbers.tolist()])

    def settle(self) -> None:
        """Prices, sums, who pays; times of arrival."""
        r, w, v, lines, n = self.rng, self.w, self.visits, self.lines, len(self.visits["person"])
        inst, vis = v["inst"], lines["visit"]
        sec = v["minute"] * 60 + r.integers(0, 60, n)
        slip = r.random(n) < 0.004  # a clerk's wrong hour
        self.sec = np.where(slip, sec // DAY * DAY + r.integers(7 * 3600, 20 * 3600, n), sec)
        new, shape = r.random(w.cert.shape) < 0.1, w.cert.shape
        given = np.where(new, r.integers(0, self.days, shape), -r.integers(1, 1500, shape))
        self.cert_day = np.where(w.cert, given, NEVER)
        for person, cond, day, _, _ in self.under.certs:
            self.cert_day[person, cond] = day
        since = self.cert_day[v["person"], np.maximum(v["cond"], 0)]
        certified = (v["cond"] >= 0) & (since <= v["minute"] // 1440)
        kinds = [v["stay"] > 0, certified, w.i_type[inst] == Kind.PHARMACY]
        self.kind = np.select(kinds, [INPATIENT, SPECIAL, COUNTER_SALE], OUTPATIENT)
        price = np.round(cat.YUAN[lines["drug"]] * 100 * w.i_price[inst[vis]]).astype(np.int64)
        self.price = np.where(lines["drug"] >= 0, price, lines["cents"])
        self.amount = self.price * lines["boxes"]
        self.total = np.bincount(vis, self.amount, n).astype(np.int64)
        employee = w.employee[v["person"]].astype(int)
        cap = np.where(w.i_cap > 0, w.i_cap * 100, 10**9)[inst]
        base = np.maximum(np.minimum(self.total, cap) - DEDUCTIBLE[self.kind], 0)
        self.fund = np.round(base * RATE[self.kind, employee]).astype(np.int64)
        by_account = (employee == 1) & (r.random(n) < 0.8)
        self.account = np.where(by_account, self.total - self.fund, 0)
        late = r.random(n) < 0.03
        delay = np.where(late, r.uniform(2, 45, n) * DAY, r.exponential(5 * 3600, n))
        self.arrive = self.sec + delay.astype(np.int64) + 60
        self.setl, self.line_id = hexes(r, n, 10), hexes(r, len(self.amount), 8)
        share = self.amount / np.maximum(self.total[vis], 1)
        self.loss = self.fund[vis] * (share * lines["sold"] / np.maximum(lines["boxes"], 1))

    def refund(self) -> None:
        """Settlements taken back in full or only their first line."""
        r, vis, n = self.rng, self.lines["visit"], len(self.total)
        self.old = old = np.flatnonzero(r.random(n) < 0.006)
        m, number = len(old), np.full(n, -1)
        whole = np.isin(np.arange(n), old[r.random(m) < 0.7])
        first = np.zeros(len(self.amount), bool)
        first[np.unique(vis, return_index=True)[1]], number[old] = True, np.arange(m)
        self.back = np.flatnonzero((number[vis] >= 0) & (whole[vis] | first))
        self.back_of = number[vis[self.back]]
        total = np.bincount(self.back_of, self.amount[self.back], m).astype(np.int64)
        fund, account = (
            np.where(total == self.total[old], x, x * total // np.maximum(self.total[old], 1))
            for x in (self.fund[old], self.account[old])
        )
        self.back_money = (total, fund, account)
        day = self.sec[old] // DAY + r.integers(1, 11, m)
        self.back_sec = day * DAY + r.integers(8 * 3600, 18 * 3600, m)
        received = self.back_sec + r.integers(600, 40000, m)
        self.back_arrive = np.maximum(received, self.arrive[old] + 1)
        self.all_setl = pa.concat_arrays([self.setl, hexes(r, m, 10)])
        self.loss[self.back] = 0

    def write(self) -> None:
        """Settlements, lines, codes, doctors and proxies."""
        v = self.visits
        code = np.where(v["cond"] >= 0, v["cond"], len(cat.COND) + np.maximum(v["icd"], 0))
        self.write_settlements(code)
        doctor = self.write_lines()
        self.write_codes(code)
        a = np.flatnonzero(doctor >= 0)
        role = pick(["attending", "ordering"], self.kind[a] == COUNTER_SALE)
        columns = {"setl_id": pick(self.setl, a), "role": role}
        columns["dr_codg"] = pick(self.doc, doctor[a])
        self.land.write("settlement_doctor", columns, self.arrive[a])
        self.write_proxies()

    def write_settlements(self, code: Ints) -> None:
        """Settlements and their refunds."""
        r, w, v, old, n, m = self.rng, self.w, self.visits, self.old, len(self.total), len(self.old)
        inst, both, sec = v["inst"], np.r_[np.arange(n), old], np.r_[self.sec, self.back_sec]
        tills = np.where(w.i_type[inst] == Kind.HOSPITAL, 4, 2)
        card = np.where(v["phone"] >= 0, 0, np.where(r.random(n) < 0.3, 1, 2))
        till = inst * 4 + (r.random(n) * tills).astype(int)
        clerk = inst * 5 + (self.sec // DAY % 5 + (self.sec % DAY > 50400)) % 5
        begin = self.sec - np.where(v["stay"] > 0, v["stay"] * DAY, r.integers(120, 3600, n))
        money = (self.total, self.fund, self.account)
        total, fund, account = (np.r_[a, -b] for a, b in zip(money, self.back_money))
        visits = hexes(r, n + m, 10)
        coded = np.where((self.kind == COUNTER_SALE) & (r.random(n) < 0.5), -1, code)
        columns = {
            "setl_id": self.all_setl,
            "mdtrt_id": visits,
            "psn_no": pick(self.psn, v["person"][both]),
            "fixmedins_code": pick(self.inst, inst[both]),
            "setl_time": ts(sec),
            "med_type": pick(MED_TYPES, self.kind[both]),
            "dise_codg": pick(ICD, coded[both]),
            "begntime": ts(np.r_[begin, self.back_sec]),
            "endtime": ts(sec),
            "mdtrt_cert_type": pick(["01", "02", "03"], card[both]),
            "device_hash": pick(self.dev, v["phone"][both]),
            "terminal_id": pick(hexes(r, w.insts * 4, 6), till[both]),
            "opter_no": pick(hexes(r, w.insts * 5, 5), clerk[both]),
            "medfee_sumamt": dec(total),
            "fund_pay_sumamt": dec(fund),
            "acct_pay": dec(account),
            "psn_cash_pay": dec(total - fund - account),
            "refd_setl_flag": pick(["0", "1"], np.repeat([0, 1], [n, m])),
            "orig_setl_id": pick(self.setl, np.r_[np.full(n, -1), old]),
        }
        self.land.write("settlement", columns, np.r_[self.arrive, self.back_arrive])

    def write_lines(self) -> Ints:
        """Fee lines and those taken back; gives the doctor named on each visit, or -1."""
        r, w, v, lines, n = self.rng, self.w, self.visits, self.lines, len(self.total)
        k, back, inst = len(self.amount), self.back, v["inst"]
        line, sign = np.r_[np.arange(k), back], np.repeat([1, -1], [k, len(back)])
        setl, vis = np.r_[lines["visit"], n + self.back_of], lines["visit"][line]
        no_days = (lines["drug"] < 0) | (r.random(k) < 0.6)
        unnamed = (w.i_type[inst] == Kind.PHARMACY) & (r.random(n) < 0.6)
        doctor = np.where(unnamed | (w.doc_inst[v["doctor"]] != inst), -1, v["doctor"])
        days = (cat.DAYS[lines["drug"]] * lines["boxes"] * 100).astype(int).clip(0, 999900)
        sec = np.r_[self.sec, self.back_sec][setl]
        columns = {
            "setl_id": pick(self.all_setl, setl),
            "feedetl_sn": pa.concat_arrays([self.line_id, hexes(r, len(back), 8)]),
            "orig_feedetl_sn": pick(self.line_id, np.r_[np.full(k, -1), back]),
            "psn_no": pick(self.psn, v["person"][vis]),
            "fee_ocur_time": ts(sec - r.integers(10, 110, len(line))),
            "med_list_codg": pick(self.med, lines["drug"][line]),
            "item_type": pick(["drug", "exam", "treatment"], lines["item"][line]),
            "bilg_dr_codg": pick(self.doc, doctor[vis]),
            "cnt": dec(lines["boxes"][line] * sign * 10000, 4),
            "pric": dec(self.price[line] * 10000, 6),
            "det_item_fee_sumamt": dec(self.amount[line] * sign),
            "prd_days": dec(days[line], 2, no_days[line], 6),
        }
        self.land.write("fee_detail", columns, np.r_[self.arrive, self.back_arrive][setl])
        return doctor

    def write_codes(self, code: Ints) -> None:
        """Diagnoses, a second one for some, and the groups of stays."""
        r, main = self.rng, self.w.main_cond[self.visits["person"]]
        a, bed = np.flatnonzero(self.kind != COUNTER_SALE), np.flatnonzero(self.kind == INPATIENT)
        more = a[(r.random(len(a)) < 0.3) & (main[a] >= 0) & (main[a] != code[a])]
        who = np.r_[a, more, bed, bed]
        part = np.repeat([0, 1, 2, 3], [len(a), len(more), len(bed), len(bed)])
        drg = len(ICD) + code[bed] * 7 % len(DRG)
        columns = {
            "setl_id": pick(self.setl, who),
            "code_type": pick(["diagnosis", "diagnosis", "admit_diagnosis", "drg"], part),
            "seq": pa.array(np.where(part == 1, 2, 1)),
            "code_system": pick(["icd10", "drg"], part == 3),
            "code": pick(ICD + DRG, np.r_[code[a], main[more], code[bed], drg]),
        }
        self.land.write("settlement_code", columns, self.arrive[who])

    def write_proxies(self) -> None:
        """Who fetched for others, as far as counters note it."""
        r, w, v = self.rng, self.w, self.visits
        a = np.flatnonzero((v["proxy"] >= 0) & (r.random(len(self.total)) < w.i_notes[v["inst"]]))
        proxy, n = v["proxy"][a], len(a)
        kin = (proxy < w.n) & (w.hh[np.minimum(proxy, w.n - 1)] == w.hh[v["person"][a]])
        close = r.integers(0, 2, n)
        said = r.choice([0, 1, 2, 3, 4, -1], n, p=[0.1, 0.2, 0.3, 0.2, 0.1, 0.1])
        columns = {
            "setl_id": pick(self.setl, a),
            "agnter_cert_hash": pick(self.cert, proxy),
            "agnter_rlts": pick("relations", np.where(kin, close, said)),
            "agnter_tel_hash": pick(self.tel, np.where(r.random(n) < 0.12, -1, proxy)),
        }
        self.land.write("proxy_pickup", columns, self.arrive[a])
