"""The counter: visits become settlements, fee lines, scans, refunds, for honest and guilty alike."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.provinces.city.base import CAT, DX, Arr, Log, Rng, expand, hash01
from benchmarks.provinces.city.gangs import Gangs
from benchmarks.provinces.city.world import PHARM, World

DAY, EPOCH, NULL = 86400, 20089, -(10**9)
DECIMALS = {"$": (16, 2), "cnt": (16, 4), "pric": (16, 6), "prd": (6, 2)}


def hexes(raw: Arr) -> pa.Array:
    """Sixteen hex digits for each 64-bit number."""
    octets = np.ascontiguousarray(raw.astype(">u8")).view(np.uint8)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[
        np.stack([octets >> 4, octets & 15], axis=1)
    ]
    ends = pa.py_buffer((np.arange(len(raw) + 1) * 16).astype(np.int64))
    text = pa.LargeStringArray.from_buffers(len(raw), ends, pa.py_buffer(digits.tobytes()))
    return text.cast(pa.string())


def _array(x: Any) -> Arr:
    return np.array(x, dtype=object) if isinstance(x, list) else np.asarray(x)


class Writer:
    """Writes tables batch by batch with their manifests."""

    def __init__(self, root: Path, months: int, seed: int) -> None:
        """Knows the first day of the month after each month, and the one stream of identifiers."""
        self.root, self.ids, self.pool = root, np.random.default_rng([seed, 77]), dict[str, Any]()
        self.dates = [str((np.datetime64("2025-02") + m).astype("M8[D]")) for m in range(months)]
        self.edges = (np.array(self.dates, "M8[D]").astype(int) - EPOCH) * DAY

    def raw(self, n: int) -> Arr:
        """Identifiers of every kind come from this one stream."""
        return self.ids.integers(0, 2**64, n, dtype=np.uint64)

    def batch(self, arrive: Arr) -> Arr:
        """The batch in which a row of this arrival lands; beyond the last: not on file."""
        return np.searchsorted(self.edges, arrive, side="right")

    def column(self, kind: str, x: Any) -> pa.Array:
        """A column by kind: a pool of texts, raw text, id, date, time, boolean, number, decimal."""
        if kind in ("text", "id"):
            return hexes(x) if kind == "id" else pa.array(list(x), pa.string())
        x = np.asarray(x)
        if kind in ("int", "double"):
            return pa.array(x, pa.int32() if kind == "int" else pa.float64(), from_pandas=True)
        if kind == "bool":
            return pa.array(x > 0, mask=x < 0 if x.dtype != bool else None)
        none = x == NULL
        if kind == "date":
            return pa.array((x + EPOCH).astype(np.int32), mask=none).cast(pa.date32())
        if kind == "time":
            return pa.array((x.astype(np.int64) + EPOCH * DAY) * 10**6, mask=none).cast(
                pa.timestamp("us")
            )
        if kind in DECIMALS:
            low, real = x.astype(np.int64), pa.decimal128(*DECIMALS[kind])
            buf = pa.py_buffer(np.stack([low, low >> 63], axis=1).tobytes())
            out = pa.Array.from_buffers(real, len(low), [None, buf])
            return pc.if_else(pa.array(~none), out, pa.scalar(None, real)) if none.any() else out
        texts = self.pool.get(kind, None)
        texts = pa.array(kind.split("|"), pa.string()) if texts is None else texts
        return texts.take(pa.array(np.maximum(x, 0).astype(np.int64), mask=x < 0))

    def put(
        self, name: str, spec: str, data: dict[str, Any], arrive: Arr, ref: bool = False
    ) -> None:
        """Writes one table to a spec of `column:kind:key`, rows in random order within a batch."""
        parts = [(t + ":" + t.split(":")[0]).split(":")[:3] for t in spec.split()]
        batch = self.batch(arrive)
        order = np.lexsort((self.raw(len(batch)), batch))
        cut = np.searchsorted(batch[order], np.arange(len(self.dates) + 1))
        order = order[: cut[-1]]
        cols = {c: self.column(kind, _array(data[key])[order]) for c, kind, key in parts}
        table = pa.table(cols | {"arrive_time": self.column("time", arrive[order])})
        for m, day in enumerate(self.dates):
            part = table.slice(cut[m], cut[m + 1] - cut[m])
            if ref and m and not part.num_rows:
                continue
            folder = self.root / name / f"batch={day}"
            folder.mkdir(parents=True)
            file = folder / "part-00000.parquet"
            pq.write_table(part, file, compression="snappy", use_dictionary=False)
            money = [f.name for f in part.schema if f.type == pa.decimal128(16, 2)]
            sums = {c: str(pc.sum(part[c]).as_py() or "0.00") for c in money}
            about = {"table": name, "batch": day, "rows": part.num_rows, "control": sums}
            sha = hashlib.sha256(file.read_bytes()).hexdigest()
            about["files"] = [{"name": file.name, "rows": part.num_rows, "sha256": sha}]
            (folder / "_manifest.json").write_text(json.dumps(about, indent=1))


class Bill:
    """Settles everything in the log and writes the event tables."""

    def __init__(self, w: World, log: Log, gangs: Gangs, rng: Rng, out: Writer) -> None:
        """Runs the steps in the order in which money and paper flow."""
        self.w, self.g, self.rng, self.out = w, gangs, rng, out
        self.v, self.l = ({k: np.concatenate(a) for k, a in d.items()} for d in (log.v, log.lines))
        desks = int(w.desks.sum())
        sizes = {
            "psn": w.n,
            "place": len(w.kind),
            "drug": len(w.ing),
            "desk": desks,
            "clerk": 2 * desks,
        }
        sizes |= dict.fromkeys(("cert", "tel", "device", "addr", "house"), gangs.extra)
        out.pool |= {k: hexes(out.raw(n)) for k, n in sizes.items()} | {"dx": pa.array(DX)}
        out.pool["dr"] = hexes(out.raw(len(w.dr_same))[w.dr_same])
        for step in (self._price, self._settle, self._refund, self._write, self._scans):
            step()

    def _price(self) -> None:
        """Prices lines, keeps each visit below the cap, and drops what nobody could claim."""
        w, v, l, rng = self.w, self.v, self.l, self.rng
        day, psn = v["day"], v["psn"]
        i = np.searchsorted(w.stay_key, psn.astype(np.int64) * 4096 + day + 5, side="right") - 1
        inside = (w.stay_who[i] == psn) & (day < w.stay_end[i]) & (v["stay"] == 0) & (v["gang"] < 0)
        gone = (inside & (rng.random(len(psn)) < 0.85)) | (day + v["stay"] >= w.days)
        order = np.lexsort((rng.random(len(l["visit"])), l["visit"]))
        l = {k: a[order] for k, a in l.items()}
        at, place = l["visit"], v["place"][l["visit"]]
        unit = np.round(w.price[l["drug"]] * w.skew[place]).astype(np.int64)
        l["unit"] = unit = np.where(l["drug"] >= 0, unit, l["price"])
        cap = np.where(v["stay"][at] > 0, 10**12, w.cap[place])
        l["cnt"] = np.maximum(1, np.minimum(l["cnt"], cap // unit))
        l["amt"] = l["cnt"] * unit
        run = np.cumsum(l["amt"])
        keep = (run - (run - l["amt"])[np.searchsorted(at, at)] <= cap) & ~gone[at]
        l = {k: a[keep] for k, a in l.items()}
        used, l["visit"] = np.unique(l["visit"], return_inverse=True)
        self.v, self.l = {k: a[used] for k, a in v.items()}, l

    def _settle(self) -> None:
        w, v, l, rng = self.w, self.v, self.l, self.rng
        n, psn, place = len(v["psn"]), v["psn"], v["place"]
        v["begn"] = v["day"].astype(np.int64) * DAY + v["minute"] * 60 + rng.integers(0, 60, n)
        wait = np.where(w.kind[place] == PHARM, 120, 1500) * rng.gamma(2.0, 0.5, n)
        v["end"] = v["begn"] + v["stay"] * DAY + wait.astype(np.int64)
        v["setl"] = v["end"] + rng.integers(10, 240, n)
        cert = (v["cond"] >= 0) & w.has_cert[psn, v["cond"]]
        v["mt"] = np.select([v["stay"] > 0, w.kind[place] == PHARM, cert], [2, 3, 1], 0)
        v["total"] = np.bincount(l["visit"], weights=l["amt"], minlength=n).astype(np.int64)
        share = (
            np.array([0.55, 0.72, 0.68, 0.45])[v["mt"]] + 0.14 * w.emp[psn] - 0.15 * ~w.local[psn]
        )
        v["fund"] = np.floor(v["total"] * (share - 0.05 * (w.level[place] == "3"))).astype(np.int64)
        v["acct"] = np.floor((v["total"] - v["fund"]) * 0.6 * w.emp[psn]).astype(np.int64)
        v["show"] = np.where(rng.random(n) < w.voucher[psn], 0, np.where(rng.random(n) < 0.3, 1, 2))
        v["phone"] = np.where(v["show"] > 0, -1, np.where(v["dev"] >= 0, v["dev"], w.phone[psn]))
        usual = np.where(rng.random(n) < 0.25, rng.random(n), hash01(psn, place, 21))
        mine = w.dr_first[place] + (usual * w.dr_n[place]).astype(int)
        v["dr"] = np.where(v["doc"] >= 0, v["doc"], mine)
        v["desk"] = w.desk_first[place] + (rng.random(n) * w.desks[place]).astype(int)
        v["clerk"] = v["desk"] * 2 + (v["begn"] % DAY > 50400)
        slow, late = rng.random(n), rng.random(n) * DAY
        delay = np.select(
            [slow < 0.86, slow < 0.985], [rng.exponential(7200, n), late * 3], late * 40
        )
        v["arrive"] = v["setl"] + 30 + delay.astype(np.int64)
        v["orig"], l["orig"] = np.full(n, -1), np.full(len(l["visit"]), -1)
        inside = rng.random(len(l["visit"])) * (v["setl"] - v["begn"])[l["visit"]]
        l["time"] = v["begn"][l["visit"]] + inside.astype(np.int64)

    def _refund(self) -> None:
        """Refunds are settlements of their own: all of a visit, or one line of it."""
        v, l, rng, w = self.v, self.l, self.rng, self.w
        n = len(v["psn"])
        at = np.flatnonzero((rng.random(n) < 0.009) & (v["mt"] != 2))
        m, whole = len(at), rng.random(len(at)) < 0.5
        lo, hi = np.searchsorted(l["visit"], at), np.searchsorted(l["visit"], at + 1)
        r, k = expand(np.where(whole, hi - lo, 1))
        line = np.where(whole[r], lo[r] + k, (lo + rng.random(m) * (hi - lo)).astype(int)[r])
        nv, nl = {c: a[at] for c, a in v.items()}, {c: a[line] for c, a in l.items()}
        full = whole[r] | (rng.random(len(r)) < 0.5)
        nl["cnt"] = -np.where(full, nl["cnt"], (nl["cnt"] + 1) // 2)
        nl["amt"], nl["visit"], nl["orig"] = nl["cnt"] * nl["unit"], n + r, line
        nv["total"] = np.bincount(r, weights=nl["amt"], minlength=m).astype(np.int64)
        for c in ("fund", "acct"):
            nv[c] = np.trunc(v[c][at] * (nv["total"] / v["total"][at])).astype(np.int64)
        later = (v["setl"][at] + rng.uniform(0.02, 12, m) * DAY).astype(np.int64) // DAY * DAY
        nv["setl"] = np.maximum(later + rng.integers(9 * 3600, 18 * 3600, m), v["arrive"][at] + 600)
        nv["begn"], nv["end"], nv["orig"] = nv["setl"] - 120, nv["setl"] - 60, at
        nv["arrive"], nl["time"] = nv["setl"] + rng.integers(60, 7200, m), nv["begn"][r]
        self.v = v = {c: np.concatenate([a, nv[c]]) for c, a in v.items()}
        self.l = l = {c: np.concatenate([a, nl[c]]) for c, a in l.items()}
        v["raw"], l["raw"] = self.out.raw(len(v["psn"])), self.out.raw(len(l["cnt"]))
        v["cash"] = v["total"] - v["fund"] - v["acct"]
        self.ok = v["arrive"] < w.days * DAY
        # truth: what the fund lost by each guilty line, net of what was given back
        loss, on = l["amt"] * (v["fund"] / v["total"])[l["visit"]], self.ok[l["visit"]]
        back = (l["orig"] >= 0) & on
        np.add.at(loss, l["orig"][back], loss[back])
        self.guilty = np.flatnonzero((l["fraud"] > 0) & (l["orig"] < 0) & on)
        self.loss = np.maximum(0, np.round(loss[self.guilty]))

    def _write(self) -> None:
        w, v, l, rng, out = self.w, self.v, self.l, self.rng, self.out
        n, live = len(v["psn"]), np.flatnonzero(self.ok)
        out.pool |= {"setl": hexes(v["raw"]), "fee": hexes(l["raw"]), "mdtrt": hexes(out.raw(n))}
        v["dise"], v["visit"] = np.where(rng.random(n) < 0.03, -1, v["dx"]), np.arange(n)
        v["visit"], v["refd"] = (
            np.where(v["orig"] >= 0, v["orig"], v["visit"]),
            (v["orig"] >= 0) * 1,
        )
        v["id"] = np.arange(n)
        # late corrections: the same settlement again in a later batch, with another diagnosis
        fix = np.flatnonzero((rng.random(n) < 0.006) & self.ok)
        again = v["arrive"][fix] + rng.integers(18 * DAY, 60 * DAY, len(fix))
        fine = (out.batch(again) > out.batch(v["arrive"][fix])) & (again < w.days * DAY)
        fix, again = fix[fine], again[fine]
        i = {k: a[np.r_[live, fix]] for k, a in v.items()}
        i["dise"][len(live) :] = rng.integers(0, len(DX), len(fix))
        spec = "setl_id:setl:id mdtrt_id:mdtrt:visit psn_no:psn:psn fixmedins_code:place:place "
        spec += "setl_time:time:setl med_type:11|14|21|41:mt dise_codg:dx:dise begntime:time:begn "
        spec += "endtime:time:end mdtrt_cert_type:01|02|03:show device_hash:device:phone "
        spec += "terminal_id:desk:desk opter_no:clerk:clerk medfee_sumamt:$:total "
        spec += "fund_pay_sumamt:$:fund "
        spec += "acct_pay:$:acct psn_cash_pay:$:cash refd_setl_flag:0|1:refd orig_setl_id:setl:orig"
        out.put("settlement", spec, i, np.r_[v["arrive"][live], again])
        rows = np.flatnonzero(self.ok[l["visit"]])
        f = {k: a[rows] for k, a in l.items()} | {"id": rows, "psn": v["psn"][l["visit"][rows]]}
        f["dr"] = np.where(rng.random(len(rows)) < 0.02, -1, v["dr"][f["visit"]])
        supply = (np.abs(f["cnt"]) * w.dpb[f["drug"]] * 100).astype(np.int64)
        none = (f["drug"] < 0) | (rng.random(len(rows)) < 0.55) | (supply >= 10**6)
        f |= {
            "cnt4": f["cnt"] * 10**4,
            "unit6": f["unit"] * 10**4,
            "days": np.where(none, NULL, supply),
        }
        spec = "setl_id:setl:visit feedetl_sn:fee:id orig_feedetl_sn:fee:orig psn_no:psn:psn "
        spec += "fee_ocur_time:time:time med_list_codg:drug:drug "
        spec += "item_type:drug|exam|treatment|material|"
        spec += (
            "other:item bilg_dr_codg:dr:dr cnt:cnt:cnt4 pric:pric:unit6 det_item_fee_sumamt:$:amt "
        )
        out.put("fee_detail", spec + "prd_days:prd:days", f, v["arrive"][f["visit"]])
        two, stay = live[rng.random(len(live)) < 0.15], live[v["mt"][live] == 2]
        sizes, at = [len(live), len(two), len(stay), len(stay)], np.r_[live, two, stay, stay]
        kind, seq = np.repeat([0, 0, 1, 2], sizes), np.repeat([1, 2, 1, 1], sizes)
        code = np.where(
            np.arange(len(at)) < len(live), v["dx"][at], rng.integers(0, len(DX), len(at))
        )
        out.pool["code"] = pa.array(DX + [f"D{x}{y}" for x in "ABC" for y in range(11, 30)])
        code = np.where(kind == 2, len(DX) + code, code)
        cols = {"id": at, "kind": kind, "seq": seq, "code": code}
        spec = "setl_id:setl:id code_type:diagnosis|admit_diagnosis|drg:kind seq:int:seq "
        spec += "code_system:icd10|icd10|drg:kind code:code:code"
        out.put("settlement_code", spec, cols, v["arrive"][at])
        also = live[(rng.random(len(live)) < 0.06) & (w.dr_n[v["place"][live]] > 1)]
        first, at = w.dr_first[v["place"][also]], np.r_[live, also]
        other = first + (v["dr"][also] - first + 1) % w.dr_n[v["place"][also]]
        role, dr = np.repeat([0, 1], [len(live), len(also)]), np.r_[v["dr"][live], other]
        spec = "setl_id:setl:id role:attending|other:role dr_codg:dr:dr"
        out.put("settlement_doctor", spec, {"id": at, "role": role, "dr": dr}, v["arrive"][at])
        at = live[(v["proxy"][live] >= 0) & (v["orig"][live] < 0)]
        cols = {"id": at, "who": v["proxy"][at], "kin": rng.integers(0, 5, len(at))}
        spec = "setl_id:setl:id agnter_cert_hash:cert:who agnter_tel_hash:tel:who "
        out.put(
            "proxy_pickup", spec + "agnter_rlts:子女|配偶|亲属|邻居|其他:kin", cols, v["arrive"][at]
        )

    def _scans(self) -> None:
        """One scan a box where the counter scans; boxes come back, are sold on, lose codes."""
        w, v, l, rng, out = self.w, self.v, self.l, self.rng, self.out
        late = rng.integers(0, 181, len(w.kind))
        begins = np.where(rng.random(len(w.kind)) < w.p.coverage, -1, late)
        place_l, day_l, on = v["place"][l["visit"]], l["time"] // DAY, self.ok[l["visit"]]
        can = (l["drug"] >= 0) & (l["orig"] < 0) & on & (begins[place_l] <= day_l)
        can &= (w.trace_from[l["drug"]] <= day_l) & (rng.random(len(on)) < 0.97)
        lines = np.flatnonzero(can)
        own, k = expand(l["cnt"][lines])
        line, n = lines[own], len(own)
        place, drug, at = place_l[line], l["drug"][line], l["visit"][line]
        time, code = l["time"][line] + rng.integers(0, 60, n), np.arange(n)
        sloppy = np.flatnonzero((hash01(place, 1, 31) < 0.05) & (k > 0) & (rng.random(n) < 0.06))
        wrong = np.flatnonzero(rng.random(n) < 0.001)
        code[sloppy], code[wrong] = code[sloppy - 1], rng.integers(0, n, len(wrong))
        split = (w.kind[place] != PHARM) & (CAT[w.ing[drug]] == "c") & (rng.random(n) < 0.008)
        who = np.flatnonzero(split)
        shelf, span = place.astype(np.int64) * len(w.ing) + drug, np.int64(w.days + 2) * DAY
        _, lead, back = np.unique(shelf[who], return_index=True, return_inverse=True)
        code[who] = who[lead][back]
        order = np.argsort(shelf * span + time, kind="stable")
        ordered = (shelf * span + time)[order]

        def sell_again(codes: Arr, where: Arr, what: Arr, after: Arr) -> None:
            """The next box of this product sold at a place after a moment is that very box."""
            want = (where.astype(np.int64) * len(w.ing) + what) * span + np.minimum(after, span - 1)
            pos = np.minimum(np.searchsorted(ordered, want), n - 1)
            good = ordered[pos] // span == want // span
            code[order[pos[good]]] = codes[good]

        first = np.full(len(on), -1)
        first[lines] = np.cumsum(l["cnt"][lines]) - l["cnt"][lines]
        ret = np.flatnonzero((l["orig"] >= 0) & on)
        ret = ret[first[l["orig"][ret]] >= 0]
        r, k = expand(-l["cnt"][ret])
        r_line, box = ret[r], first[l["orig"][ret[r]]] + k
        r_time, r_at, again = l["time"][r_line], l["visit"][r_line], rng.random(len(r)) < 0.6
        b = box[again]
        sell_again(code[b], place[b], drug[b], r_time[again] + 3600)
        seen = np.array([w.p.resale_scanned * (1.25 - g.skill) for g in self.g.gangs] + [0.0])
        sold = np.flatnonzero((l["fraud"][line] > 0) & (rng.random(n) < seen[v["gang"][at]]))
        outlets = [self.g.gangs[g].outlets for g in v["gang"][at[sold]]]
        to = np.array([o[int(u * len(o))] for o, u in zip(outlets, rng.random(len(sold)))], int)
        when = time[sold] + ((rng.gamma(2, 12, len(sold)) + 2) * DAY).astype(np.int64)
        far, near = w.away[to], ~w.away[to]
        sell_again(code[sold[near]], to[near], drug[sold[near]], when[near])
        shops = np.flatnonzero(w.away & (w.kind == PHARM))  # ordinary trade of shops elsewhere
        m = int(60 * len(shops) * w.p.months)
        f_code, f_time = np.r_[code[sold[far]], n + np.arange(m)], rng.integers(0, w.days * DAY, m)
        f_place, f_time = np.r_[to[far], rng.choice(shops, m)], np.r_[when[far], f_time]
        f_drug = np.r_[drug[sold[far]], rng.integers(0, len(w.ing), m)]
        inb = np.flatnonzero((hash01(place, 2, 32) < 0.75) & (code == np.arange(n)))
        in_time = time[inb] - (rng.uniform(2, 60, len(inb)) * DAY).astype(np.int64)
        inb, in_time = inb[in_time >= 0], in_time[in_time >= 0]
        parts = [(code, time, place, drug, at), (code[box], r_time, place[box], drug[box], r_at)]
        parts += [(inb, in_time, place[inb], drug[inb], inb * 0 - 1)]
        parts += [(f_code, f_time, f_place, f_drug, f_code * 0 - 1)]
        code, time, place, drug, at = (np.concatenate([p[j] for p in parts]) for j in range(5))
        kind = np.repeat([1, 2, 0, 1], [len(p[0]) for p in parts])
        slow = time + rng.integers(600, 2 * DAY, len(time))
        arrive = np.where(at >= 0, v["arrive"][at], slow)
        out.pool["trac"] = hexes(out.raw(n + m))
        loose = np.r_[split, split[box], np.zeros(len(time) - n - len(box), bool)]
        cols = {"id": out.raw(len(time)), "code": code, "kind": kind, "time": time, "place": place}
        cols |= {"drug": drug, "at": at, "psn": np.where(at >= 0, v["psn"][at], -1), "split": loose}
        spec = "scan_id:id:id drug_trac_codg:trac:code scan_type:inbound|sale|return:kind "
        spec += "scan_time:time:time fixmedins_code:place:place med_list_codg:drug:drug "
        out.put(
            "trace_scan",
            spec + "setl_id:setl:at psn_no:psn:psn split_pack:bool:split",
            cols,
            arrive,
        )
