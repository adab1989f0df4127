"""Settles trips and scans boxes: one office for honest and guilty visits alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.provinces.countryside.files import (
    DAY,
    NULL,
    NUM,
    Frame,
    Ints,
    Landing,
    fill,
    hexes,
    month_start,
    pick,
    rows,
    stack,
    within,
)
from benchmarks.provinces.countryside.gangs import Gangs
from benchmarks.provinces.countryside.world import HOSPITAL, PHARMACY, World

SCAN = {"code": -2, "type": 1, "t": 0, "s": -1, "inst": 0, "drug": 0, "arrive": 0, "late": 0}


class Office:
    """Turns trips and lines into the month's batches and the truth of lines."""

    def __init__(self, world: World, gangs: Gangs, landing: Landing) -> None:
        self.w, self.gangs, self.out = world, gangs, landing
        self.rng = np.random.default_rng([world.par.seed, 53])
        self.truth: list[pa.Table] = []
        self.loss = np.zeros(world.n)
        # Codes of boxes that wait for another sale, and where and when that may be.
        self.codes = pa.array([], pa.string())
        self.wait: Frame = {k: np.zeros(0, np.int64) for k in ("inst", "drug", "t", "abroad")}
        self.gang_ids = hexes(self.rng, len(gangs.list) + len(gangs.past), 10)
        self.skill = np.array([g.skill for g in gangs.list] + [1.0])
        self.swaps = np.array([g.kind == "code_swap" for g in gangs.list] + [False])

    def month(self, m: int, trip: Frame, line: Frame) -> None:
        """Settle a month."""
        w, rng, psn, n = self.w, self.rng, trip["psn"], len(trip["psn"])
        end, count = month_start(m + 1) * DAY, np.diff(w.doc_ptr)[trip["inst"]]
        usual = (psn * 7919 + trip["inst"] * 31) % count
        nth = np.where(rng.random(n) < 0.8, usual, (rng.random(n) * count).astype(np.int64))
        doc = np.where(trip["doc"] >= 0, trip["doc"], w.doc_ptr[trip["inst"]] + nth)
        moved = (trip["t"] > w.doc_when[doc] * DAY) & (trip["med"] != 2)
        doc = np.where(moved, w.doc_move[doc], doc)
        inst, t, ward = w.doc_inst[doc], np.minimum(trip["t"], end - 120), trip["med"] == 2
        at, drug = line["trip"], line["drug"]
        dear = 0.94 + 0.012 * ((inst[at] * 7919) % 11)
        price = np.where(drug >= 0, np.round(w.cents[drug] * dear).astype(np.int64), line["cents"])
        amount = price * line["n"]
        total, level = np.bincount(at, amount, n).astype(np.int64), (w.i_level[inst] - 1).clip(0, 2)
        ratio = NUM["pay"][trip["med"] * 3 + level] + 0.1 * w.employee[psn]
        cap = np.where(w.i_cap[inst] == NULL, 10**12, w.i_cap[inst])
        fund = np.floor(ratio.clip(0, 0.92) * np.minimum(total, cap)).astype(np.int64)
        shown = np.where(trip["dev"] == -2, rng.random(n) < w.voucher[psn], trip["dev"] >= 0)
        begin = t - np.where(ward, trip["los"] * DAY, rng.integers(120, 5400, n))
        desk = inst * 4 + rng.integers(0, np.where(w.i_kind[inst] == HOSPITAL, 4, 1))
        late = (rng.random(n) < 0.01) & (m + 1 < w.par.months)
        lag = rng.lognormal(8, 1.3, n).astype(np.int64)
        soon = np.where(t + lag < end, t + lag, t + ((end - t) * rng.random(n)).astype(np.int64))
        phone = np.where(trip["dev"] >= 0, trip["dev"], w.phone[psn])
        s: Frame = {
            "psn": psn,
            "inst": inst,
            "t": t,
            "med": trip["med"],
            "begin": begin,
            "doc": doc,
        }
        s |= {"dx": np.where(rng.random(n) < 0.02, -1, trip["dx"]), "desk": desk, "late": late}
        s |= {"cert": np.where(shown, 0, 1 + (rng.random(n) > 0.25)), "orig": np.full(n, -1)}
        s |= {"dev": np.where(shown, phone, -1), "oper": inst * 4 + (t // DAY + desk) % 3}
        s |= {"total": total, "fund": fund, "acct": (total - fund) * 6 // 10 * w.employee[psn]}
        s["arrive"] = np.where(late, end + rng.integers(0, 20 * DAY, n), soon)
        stay = ((t - begin)[at] * rng.random(len(at))).astype(np.int64)
        f = line | {"s": at, "price": price, "amount": amount, "orig": np.full(len(at), -1)}
        f |= {"t": np.where(ward[at], begin[at] + stay, t[at] - 60)}
        given = (drug >= 0) & (rng.random(len(at)) < 0.4)
        f["days"] = np.where(given, np.round(w.dpb[drug] * line["n"] * 100), NULL).astype(np.int64)
        boxes = self.boxes(s, f)
        s, f = self.refunds(s, f, end)
        ids, sns = hexes(rng, len(s["psn"]), 24), hexes(rng, len(f["s"]), 16)
        self.settle(m, s, ids)
        x, items = rows(s, f["s"]), ["drug", "exam", "treatment", "material", "other"]
        self.out.add("fee_detail", [
            pick(ids, f["s"]), sns, pick(sns, f["orig"]), pick(w.id_psn, x["psn"]), f["t"],
            pick(w.id_drug, f["drug"]), pick(items, f["item"]),
            pick(w.id_doc, w.doc_code[x["doc"]]), f["n"], f["price"], f["amount"],
            np.where(f["days"] == NULL, NULL, f["days"].clip(0, 999900)),
        ], x["arrive"], x["late"])  # fmt: skip
        self.beside(s, trip["proxy"], ids, n)
        self.scan(m, s, f, boxes, ids)
        guilty = np.setdiff1d(np.flatnonzero((f["gang"] >= 0) & (f["orig"] < 0)), f["orig"])
        share = f["amount"][guilty] / np.maximum(1, x["total"][guilty])
        loss = np.round(x["fund"][guilty] * share) / 100
        np.add.at(self.loss, x["psn"][guilty], loss)
        for k, g in enumerate(self.gangs.list):
            g.loss += float(loss[f["gang"][guilty] == k].sum())
        cols = [pick(ids, f["s"][guilty]), pick(sns, guilty), pick(w.id_psn, x["psn"][guilty])]
        cols += [pick(self.gang_ids, f["gang"][guilty]), pa.array(loss)]
        names = ["setl_id", "feedetl_sn", "psn_no", "gang_id", "fund_loss"]
        self.truth.append(pa.table(cols, names=names))

    def refunds(self, s: Frame, f: Frame, end: int) -> tuple[Frame, Frame]:
        """Settlements of their own that reverse all or one line of another."""
        rng, n = self.rng, len(s["psn"])
        hit = (rng.random(n) < 0.006) & ~s["late"] & (s["t"] < end - 3 * 3600)
        line = np.flatnonzero(hit[f["s"]])
        line = line[np.argsort(f["s"][line], kind="stable")]
        lead = np.diff(f["s"][line], prepend=-1) != 0
        line = line[lead | (rng.random(n) > 0.3)[f["s"][line]]]
        which = np.unique(f["s"][line])
        r, q, k = rows(s, which), rows(f, line), len(which)
        to = np.searchsorted(which, q["s"])
        q |= {"s": to + n, "orig": line, "n": -q["n"], "amount": -q["amount"]}
        total = np.bincount(to, q["amount"], k).astype(np.int64)
        part = total / np.maximum(1, r["total"])
        r |= {c: np.ceil(r[c] * part).astype(np.int64) for c in ("fund", "acct")}
        late = end - 3600 - rng.integers(0, 3600, k)
        t = np.minimum(r["t"] + rng.integers(1800, 5 * DAY, k), late)
        r |= {"total": total, "orig": which, "t": t, "begin": t - 600}
        r["arrive"], q["t"] = t + rng.integers(60, 3500, k), t[to]
        return stack([s, r]), stack([f, q])

    def settle(self, m: int, s: Frame, ids: pa.Array) -> None:
        """Settlement rows, and some of them corrected a month later."""
        w, rng, k = self.w, self.rng, len(s["psn"])
        visit = hexes(rng, k, 24)
        again, refund = np.flatnonzero((rng.random(k) < 0.003) & ~s["late"]), s["orig"] >= 0
        visit = pick(visit, np.where(refund, s["orig"], np.arange(k)))
        when = month_start(m + 1) * DAY + rng.integers(0, 20 * DAY, len(again))
        todo = [(np.arange(k), s["oper"], s["arrive"], s["late"])]
        if m + 1 < w.par.months:
            todo.append((again, s["inst"] * 4 + 3, when, np.ones(len(again), dtype=bool)))
        for i, oper, arrive, late in todo:
            x = rows(s, i)
            self.out.add("settlement", [
                pick(ids, i), pick(visit, i), pick(w.id_psn, x["psn"]), pick(w.id_inst, x["inst"]),
                x["t"], pick(["11", "14", "21", "41"], x["med"]), pick(w.icds, x["dx"]), x["begin"],
                x["t"], pick(["01", "02", "03"], x["cert"]), pick(w.id_phone, x["dev"]),
                pick(w.id_desk, x["desk"]), pick(w.id_oper, oper[i]), x["total"], x["fund"],
                x["acct"], x["total"] - x["fund"] - x["acct"], pick(["0", "1"], refund[i]),
                pick(ids, x["orig"]),
            ], arrive, late)  # fmt: skip

    def beside(self, s: Frame, proxy: Ints, ids: pa.Array, n: int) -> None:
        """Codes, doctors and proxies of the settlements."""
        w, rng, dx, psn = self.w, self.rng, s["dx"][:n], s["psn"][:n]
        other = np.where((rng.random(n) < 0.35) & w.ill[psn].any(1), w.ill[psn].argmax(1), -1)
        second = np.flatnonzero((other >= 0) & (other != dx))
        first, ward = np.flatnonzero(dx >= 0), np.flatnonzero(s["med"][:n] == 2)
        cut = ward[rng.random(len(ward)) < 0.2]
        names = w.icds + [f"{'EFGH'[k % 4]}{'RSTX'[k // 4]}{k + 15}" for k in range(12)]
        names += [f"{k + 37}.{k}1" for k in range(9)]
        own, top = dx[ward].clip(0), len(w.icds)
        code = [dx[first], other[second], own, top + own % 12, top + 12 + cut % 9]
        on, kind = np.concatenate([first, second, ward, ward, cut]), [len(x) for x in code]
        of = np.repeat([0, 0, 1, 2, 3], kind)
        self.out.add("settlement_code", [
            pick(ids, on), pick(["diagnosis", "admit_diagnosis", "drg", "procedure"], of),
            np.repeat([1, 2, 1, 1, 1], kind), pick(["icd10", "icd10", "drg", "icd9"], of),
            pick(names, np.concatenate(code)),
        ], s["arrive"][on], s["late"][on])  # fmt: skip
        on = np.concatenate([np.arange(n), cut])
        doc = np.concatenate([s["doc"][:n], w.doc_ptr[s["inst"][cut]]])
        role = np.where(w.i_kind[s["inst"][on]] == PHARMACY, 2, np.arange(len(on)) >= n)
        cols = [pick(ids, on), pick(["attending", "operating", "ordering"], role)]
        cols.append(pick(w.id_doc, w.doc_code[doc]))
        self.out.add("settlement_doctor", cols, s["arrive"][on], s["late"][on])
        who = np.where((rng.random(n) < 0.1) & (proxy < 0), w.phone[psn], proxy)
        on = np.flatnonzero((who >= 0) & (who != psn))
        who, far = who[on], w.hh[who[on]] != w.hh[psn[on]]
        tie = pick(["child", "relative", "neighbour", "other"], rng.integers(0, 2, len(on)) + far)
        cols = [pick(ids, on), pick(w.id_cert, who), pick(w.id_tel, who), tie]
        self.out.add("proxy_pickup", cols, s["arrive"][on], s["late"][on])

    def boxes(self, s: Frame, f: Frame) -> Frame:
        """One row a scanned box: its line and the number of its code."""
        w, rng, drug, at = self.w, self.rng, f["drug"], f["s"]
        scanned = (drug >= 0) & (s["t"][at] // DAY >= w.trace_from[drug]) & w.i_scans[s["inst"][at]]
        line, nth = within(np.where(scanned, f["n"], 0))
        gang, code = f["gang"][line], np.arange(len(line)) + len(self.codes)
        twice = w.i_careless[s["inst"][at[line]]] & (rng.random(len(line)) < 0.05) & (nth > 0)
        twice |= self.swaps[gang] & (rng.random(len(line)) < 0.5 * (1 - self.skill[gang]))
        code = np.where(twice, np.roll(code, 1), code)
        # Boxes that were given back or sold on take the place of a later honest box.
        key = (s["inst"][at[line]] * 1000 + drug[line]) * 10**9 + s["t"][at[line]]
        order = np.argsort(np.where(gang < 0, key, 2**62), kind="stable")
        mine = (self.wait["inst"] * 1000 + self.wait["drug"]) * 10**9 + self.wait["t"]
        spot = np.searchsorted(np.where(gang < 0, key, 2**62)[order], mine)
        box = np.append(order, 0)[spot.clip(max=len(order))]
        same = np.append(key, 0)[box] // 10**9 == mine // 10**9
        good = np.flatnonzero((spot < len(order)) & same & (np.append(gang, 0)[box] < 0))
        used = good[np.unique(box[good], return_index=True)[1]]
        code[box[used]] = used
        return {"line": line, "code": code, "gang": gang, "used": used}

    def scan(self, m: int, s: Frame, f: Frame, b: Frame, ids: pa.Array) -> None:
        """Scan rows of the month, and the boxes that will be sold again."""
        w, rng, line, code, n = self.w, self.rng, b["line"], b["code"], len(b["line"])
        begin, end, at = month_start(m) * DAY, month_start(m + 1) * DAY, f["s"][b["line"]]
        x, drug = rows(s, at), f["drug"][line]
        names = pa.concat_arrays([self.codes, hexes(rng, n, 20)])
        on: dict[str, Any] = {"inst": x["inst"], "drug": drug}
        # A code keyed in wrongly is nobody's, or that of a box elsewhere.
        slip, elsewhere = rng.random(n) < 0.001, np.append(code, 0)[rng.integers(0, max(1, n), n)]
        keyed = np.where(slip, np.where(rng.random(n) < 0.4, -2, elsewhere), code)
        sale = fill(
            SCAN, n, code=keyed, t=x["t"] - 30, s=at, arrive=x["arrive"], late=x["late"], **on
        )
        past = x["t"] - rng.integers(DAY, 45 * DAY, n)
        early = begin + ((x["t"] - begin) * rng.random(n)).astype(np.int64)
        came = np.where(past + 7200 < begin, early, past + 7200)
        inbound = fill(SCAN, n, code=code, type=0, t=past, arrive=came, **on)
        undo = np.full(len(f["s"]), -1)
        undo[f["orig"][f["orig"] >= 0]] = f["s"][f["orig"] >= 0]
        back = np.flatnonzero(undo[line] >= 0)
        ref = undo[line[back]]
        given = {"type": 2, "t": s["t"][ref], "s": ref, "arrive": s["arrive"][ref]}
        given = fill(SCAN, len(back), code=code[back], **given, **rows(on, back))
        # Self-pay sales here and shops of another province, most of them with boxes of their own.
        free = rng.integers(0, max(1, n), rng.poisson(0.012 * n))
        here = rng.random(len(free)) < 0.7
        shop = np.where(here, rng.choice(w.shops, len(free)), rng.choice(w.foreign, len(free)))
        t = rng.integers(begin, end - 8000, len(free))
        other = fill(SCAN, len(free), t=t, arrive=t + 3600, inst=shop, drug=drug[free])
        p = self.wait
        due = np.flatnonzero((p["abroad"] > 0) & (p["t"] < end - 8000))
        t, there = np.maximum(p["t"][due], begin), {"inst": p["inst"][due], "drug": p["drug"][due]}
        away = fill(SCAN, len(due), code=due, t=t, arrive=t + 3600, **there)
        told = rows(given, rng.random(len(back)) < 0.8)
        y = stack([sale, rows(inbound, rng.random(n) < 0.96), told, other, away])
        odd, k = np.flatnonzero(y["code"] == -2), len(y["code"])
        y["code"][odd] = np.arange(len(odd)) + len(names)
        names = pa.concat_arrays([names, hexes(rng, len(odd), 20)])
        owner = np.where(y["s"] >= 0, s["psn"][y["s"]], -1)
        self.out.add("trace_scan", [
            hexes(rng, k, 24), pick(names, y["code"]),
            pick(["inbound", "sale", "return"], y["type"]), y["t"], pick(w.id_inst, y["inst"]),
            pick(w.id_drug, y["drug"]), pick(ids, y["s"]), pick(w.id_psn, owner),
            rng.random(k) < 0.004,
        ], y["arrive"], y["late"] > 0)  # fmt: skip
        # Returned boxes go back on the shelf; gangs sell on, and the skilled peel the codes off.
        resold = (b["gang"] >= 0) & (rng.random(n) < 0.35 * (1 - self.skill[b["gang"]]) ** 1.2)
        sold = np.setdiff1d(np.flatnonzero(resold), back)
        abroad = rng.random(len(sold)) < 0.5
        to = np.where(
            abroad,
            rng.choice(w.foreign, len(sold)),
            rng.choice(w.shops[: -len(w.foreign)], len(sold)),
        )
        t = x["t"][sold] + rng.integers(3 * DAY, 45 * DAY, len(sold))
        more = {"inst": np.append(x["inst"][back], to), "t": np.append(s["t"][ref], t)}
        more |= {"drug": drug[np.append(back, sold)], "abroad": np.append(back * 0, abroad * 1)}
        keep = np.flatnonzero(p["t"] > begin - 90 * DAY)
        keep = np.setdiff1d(keep, np.append(due, b["used"]))
        self.codes = pick(names, np.concatenate([keep, code[np.append(back, sold)]]))
        self.wait = stack([rows(p, keep), {c: more[c] for c in p}])
