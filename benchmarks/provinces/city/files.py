"""Paper beside the claims: references, certificates, cases, clues, parcels, and the truth."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.provinces.city.base import COND_NAMES, CONDS, DRUGS, FITS, FLAG, Arr, Rng
from benchmarks.provinces.city.bill import DAY, NULL, Bill, hexes
from benchmarks.provinces.city.gangs import SPECS
from benchmarks.provinces.city.honest import Honest
from benchmarks.provinces.city.world import HOSP

CATS = {"c": "chemical", "b": "biological", "p": "tcm_patent", "j": "tcm_injection"}
CATS["h"] = "herb_tonic"
TIPS = (
    "有人收药，给现金|many cards at one counter|替人开药再卖掉|邻居家里堆满药盒|someone rents cards"
)


class Files:
    """Writes everything that is not a settlement."""

    def __init__(self, b: Bill, h: Honest, rng: Rng, truth: Path) -> None:
        """References first, then what is known of crime, then the truth."""
        self.b, self.w, self.g, self.h, self.rng, self.out = b, b.w, b.g, h, rng, b.out
        self.gang_id = hexes(self.out.raw(len(self.g.gangs) + self.w.p.members // 800 + 50))
        self.out.pool |= {
            "gang": self.gang_id,
            "case": hexes(self.out.raw(self.w.p.members // 90 + 500)),
        }
        towns = [f"41{t + 1:02d}{rng.integers(1, 30):02d}" for t in range(self.w.towns)] + [
            "330106"
        ]
        self.towns, self.past, self.rows = "|".join(towns), list[Any](), list[Any]()
        self.clues: list[tuple[int, int, int]] = []
        for step in (self._references, self._people, self._cases, self._papers, self._parcels):
            step()
        self._truth(truth)

    def soon(self, n: int) -> Arr:
        """References arrive within the first weeks."""
        return self.rng.integers(0, 20 * DAY, n)

    def _references(self) -> None:
        w, rng, out, n = self.w, self.rng, self.out, len(self.w.kind)
        kinds = ["医院", "社区卫生服务中心", "大药房", "村卫生室"]
        names = [f"{kinds[k]}{x:04d}" for k, x in zip(w.kind, rng.permutation(9999))]
        d: dict[str, Any] = {"id": np.arange(n), "name": names, "kind": w.kind, "level": w.level}
        d |= {"dual": w.dual, "cap": w.cap, "town": np.where(w.away, w.towns, w.ptown)}
        d |= {"lat": np.round(33.5 + w.py / 111, 2), "lon": np.round(113.5 + w.px / 92.6, 2)}
        d |= {"from": -rng.integers(100, 4000, n), "to": np.full(n, NULL)}
        spec = "fixmedins_code:place:id fixmedins_name:text:name "
        spec += "inst_type:hospital|clinic|pharmacy|village"
        spec += ":kind medinslv:text:level dual_channel:bool:dual visit_cap:$:cap "
        spec += f"admdvs:{self.towns}:town lat:double lon:double contract_from:date:from "
        spec += "contract_to:date:to"
        out.put("institution", spec, d, self.soon(n), True)
        i = np.unique(np.stack([w.dr_same, w.dr_place]), axis=1, return_index=True)[1]
        d = {"dr": i, "at": w.dr_place[i], "dept": rng.integers(0, 5, len(w.dr_same))[w.dr_same][i]}
        spec = "dr_codg:dr:dr fixmedins_code:place:at dept:内科|外科|中医科|全科|药学:dept"
        out.put("doctor", spec, d, self.soon(len(i)), True)
        n, x = len(w.ing), [DRUGS[i] for i in w.ing]
        fits = [";".join(sorted({CONDS[c][1] for c in np.flatnonzero(FITS[:, i])})) for i in w.ing]
        d = {
            "id": np.arange(n),
            "name": [r[0] for r in x],
            "fits": fits,
            "cat": [CATS[r[2]] for r in x],
        }
        d |= {"atc": [None if r[1] == "-" else r[1] for r in x], "dpb": w.dpb, "ddd": w.ddd}
        d |= {"month": np.ceil(45 / w.dpb), "visit": np.ceil(90 / w.dpb) + 1, "price": w.price}
        d |= {
            "resale": w.resale,
            "c": FLAG["c"][w.ing],
            "k": FLAG["k"][w.ing],
            "trace": w.trace_from,
        }
        d["watch"] = np.where(FLAG["w"][w.ing], rng.integers(-60, w.days, n), NULL)
        spec = "med_list_codg:drug:id drug_name:text:name ingredient:text:name atc:text "
        spec += "category:text:cat "
        spec += "days_per_box:double:dpb ddd_per_box:double:ddd monthly_max_boxes:double:month "
        spec += "max_boxes_visit:double:visit list_price:$:price resale_ratio:double:resale "
        spec += "chronic:bool:c cold_chain:bool:k indications:text:fits watch_from:date:watch "
        out.put("drug", spec + "trace_from:date:trace", d, self.soon(n), True)
        on = [c for c in CONDS if c[4] != "-"]
        d = {"id": [c[4] for c in on], "name": [c[0] for c in on], "fits": [c[1] for c in on]}
        spec = "opsp_dise_code:text:id opsp_dise_name:text:name indications:text:fits"
        out.put("special_disease", spec, d, self.soon(len(on)), True)
        since = w.pair_since
        i = np.flatnonzero((rng.random(len(since)) < 0.88) & (since < w.days - 40))
        d = {"psn": w.pair_p[i], "cond": w.pair_c[i], "since": since[i]}
        spec = "psn_no:psn:psn condition:" + "|".join(COND_NAMES) + ":cond since:date"
        out.put(
            "person_condition", spec, d, np.maximum(since[i], 0) * DAY + self.soon(len(i)), True
        )
        i = np.flatnonzero(w.pair_cert & (since < w.days - 40))
        place, n = w.hab[HOSP][w.pair_p[i], 0], len(i)
        a = np.maximum(since[i] + rng.integers(5, 30, n), -rng.integers(1, 700, n))
        d = {"psn": w.pair_p[i], "code": w.pair_c[i], "a": a, "z": a + 1095, "place": place}
        d["dr"] = w.dr_first[place] + (rng.random(n) * w.dr_n[place]).astype(int)
        d["cap"] = rng.choice([3000, 5000, 8000, 20000], n) * 100
        spec = (
            "psn_no:psn:psn opsp_dise_code:"
            + "|".join(c[4] for c in CONDS)
            + ":code begndate:date:a "
        )
        spec += "enddate:date:z ide_fixmedins_no:place:place diag_dr_codg:dr:dr annual_cap:$:cap"
        out.put("special_cert", spec, d, np.maximum(a, 0) * DAY + rng.integers(DAY, 9 * DAY, n))

    def _people(self) -> None:
        """Everybody in the first batch; deaths and pauses come when they happen."""
        w, rng = self.w, self.rng
        gone = np.flatnonzero(w.stop < w.days - 1)
        i, later = np.r_[np.arange(w.n), gone], np.arange(w.n + len(gone)) >= w.n
        delay = w.stop[gone] * DAY + rng.integers(31 * DAY, 45 * DAY, len(gone))
        born, minor = -(w.age * 365.25).astype(int) - 1, (w.age < 23) & (w.age > 3)
        kind = np.select([w.emp & (w.age >= 60), w.emp, minor], [1, 0, 3], 2)
        tel = np.where(rng.random(w.n) < 0.03, -1, w.phone)
        lat = np.round(33.5 + np.where(w.local, w.y, w.y + 300) / 111, 2)
        d = {"id": np.arange(w.n), "sex": w.sex - 1, "born": born, "emp": w.emp * 1, "kind": kind}
        d |= {"town": np.where(w.local, w.town, w.towns), "hh": w.hh, "tel": tel, "addr": w.addr}
        d |= {"lat": lat, "lon": np.round(113.5 + w.x / 92.6, 2)}
        d["from"] = np.maximum(born + 20, -rng.integers(400, 7000, w.n))
        d = {k: a[i] for k, a in d.items()}
        for k, when in (("pause", w.pause), ("death", w.death)):
            d[k] = np.where(later & (when[i] < w.days), when[i], NULL)
        spec = "psn_no:psn:id gend:1|2:sex brdy:date:born insutype:390|310:emp "
        spec += "psn_type:worker|retired|"
        spec += (
            f"resident|student_child:kind insuplc_admdvs:{self.towns}:town household_id:house:hh "
        )
        spec += "cert_hash:cert:id tel_hash:tel:tel addr_hash:addr:addr home_lat:double:lat "
        spec += "home_lon:double:lon insured_from:date:from paused_from:date:pause "
        spec += "death_date:date:death"
        self.out.put("person", spec, d, np.r_[self.soon(w.n), delay], True)

    def case(self, subject: tuple[str, int, str, float], *more: Any) -> None:
        """Notes a subject of a case: number, gang, trigger, span, opened, decided, outcome."""
        keys = (
            "kind",
            "who",
            "role",
            "loss",
            "no",
            "gang",
            "trigger",
            "a",
            "z",
            "open",
            "done",
            "end",
        )
        self.rows.append(dict(zip(keys, (*subject, *more), strict=True)))

    def _cases(self) -> None:
        """Few decided cases, the severe and crude first, many for years before; some are wrong."""
        w, b, g, rng, T = self.w, self.b, self.g, self.rng, self.w.days
        goal, found, no = 75e-5 * w.p.members * w.p.months / 12, 0, 0
        info: tuple[Any, ...]
        psn = b.v["psn"][b.l["visit"][b.guilty]]
        loss = np.bincount(psn, weights=b.loss / 100, minlength=w.n)
        outcomes, triggers = (
            ["criminal", "administrative"],
            ["tip", "model", "audit", "police", "tip"],
        )
        for k, x in enumerate(g.gangs):
            if x.opened >= T - 5:
                if rng.random() < 0.25:
                    self.clues.append((int(rng.integers(max(x.start, 0), T)), x.cards[0].psn, -1))
                continue
            many, sure = len(x.cards) > 1, 0.3 + 0.5 * (1 - x.skill)
            s = [("person", c.psn, "victim" if c.victim else "card_holder", loss[c.psn])
                 for c in x.cards if c.join < x.opened and rng.random() < sure]  # fmt: skip
            s += [("person", c, "collector", 0.0) for c in x.collectors if many and c < w.n]
            s += [("person", x.organiser, "organiser", 0.0)] if many and x.organiser < w.n else []
            if SPECS[x.typology][4] == "counter":
                s.append(("institution", x.places[0], "pharmacy", 0.0))
            if x.doctor >= 0 and rng.random() < 0.6:
                s.append(("doctor", x.doctor, "doctor", 0.0))
            done = x.opened + int(rng.uniform(35, 190)) if found < 0.5 * goal else T + 30
            room, no = max(3, int(0.6 * goal - found)), no + 1
            info = (str(rng.choice(triggers)), x.start, min(x.end, T), x.opened, done)
            for subject in list({q[:2]: q for q in s}.values())[:room]:
                self.case(subject, no, k, *info, str(rng.choice(outcomes)))
                found += subject[0] == "person" and done < T
            self.clues.append((max(0, x.opened - 20), x.cards[0].psn, 1))
        old, k = np.flatnonzero((w.n_cond > 0) & (w.age > 45) & w.local & ~g.taken), len(g.gangs)
        left = max(0.35 * goal, 0.8 * goal - found)
        while left > 0 and len(old):
            who = rng.choice(old, min(1 + int(rng.geometric(0.4)), int(left + 1), len(old)), False)
            a, done, typology = (
                -int(rng.integers(400, 1000)),
                int(rng.integers(5, T - 3)),
                rng.choice(list(SPECS)),
            )
            z, opened, no = (
                a + int(rng.integers(60, 380)),
                done - int(rng.integers(20, 150)),
                no + 1,
            )
            for n, q in enumerate(map(int, who)):
                role = "collector" if n == 0 and len(who) > 2 else "card_holder"
                info = (str(rng.choice(triggers)), a, z, opened, done, str(rng.choice(outcomes)))
                self.case(("person", q, role, float(rng.lognormal(8.3, 1))), no, k, *info)
                self.past.append((k, q, a, z, str(typology), role))
            k, left = k + 1, left - len(who)
        spend = np.bincount(b.v["psn"], weights=b.v["fund"], minlength=w.n)
        odd = np.unique(np.concatenate([x for x, name in self.h.benign if name != "lost_box"]))
        guess = np.r_[
            np.argsort(-spend)[:200], odd, rng.integers(0, w.p.members, len(odd) // 2 + 9)
        ]
        guess = np.setdiff1d(guess, np.flatnonzero(g.taken | ~w.local))
        for _ in range(max(1, round(0.22 * goal))):
            q, done, no = int(rng.choice(guess)), int(rng.integers(20, T - 3)), no + 1
            opened, end = (
                done - int(rng.integers(20, 120)),
                rng.choice(["cleared", "no_finding", "withdrawn"]),
            )
            trigger = str(rng.choice(["tip", "model", "random_audit"]))
            info = (no, -1, trigger, opened - 120, opened, opened, done, str(end))
            self.case(("person", q, "none", 0.0), *info)
            self.clues.append((max(0, opened), q, 0))
        for _ in range(2 + int(6e-4 * w.p.members)):
            self.clues.append(
                (int(rng.integers(0, T)), int(rng.choice(guess)), int(rng.integers(-1, 1)))
            )

    def _papers(self) -> None:
        """Case rows come when a case opens and again when it is decided; then the clues."""
        rng, out, T = self.rng, self.out, self.w.days
        c, n = {k: np.array([r[k] for r in self.rows]) for k in self.rows[0]}, len(self.rows)
        t0 = c["open"] * DAY + hash_days(c["no"], 3)
        t1 = c["done"] * DAY + hash_days(c["no"], 2)
        second = t1 < T * DAY
        first = (c["open"] >= 0) & (~second | (out.batch(t0) < out.batch(t1)))
        i = np.r_[np.flatnonzero(first), np.flatnonzero(second)]
        done = np.arange(len(i)) >= first.sum()
        kinds = np.array([["person", "institution", "doctor"].index(k) for k in c["kind"]])
        pools = [out.pool[k].to_pylist() for k in ("psn", "place", "dr")]
        cents = (c["loss"] * rng.uniform(0.5, 1.0, n) * 100).astype(np.int64)
        e: dict[str, Any] = {"no": c["no"][i], "kind": kinds[i], "trigger": c["trigger"][i]}
        e["who"] = [pools[kinds[j]][int(c["who"][j])] for j in i]
        e |= {k: [x if d else None for x, d in zip(c[k][i], done)] for k in ("role", "end")}
        e["gang"] = np.where(done, c["gang"][i], -1)
        late = {"a": c["a"], "z": c["z"], "done": t1 - 7200, "loss": cents, "back": cents * 6 // 10}
        e |= {k: np.where(done, a[i], NULL) for k, a in late.items()}
        e["clue"] = (c["open"] * DAY - rng.integers(3 * DAY, 60 * DAY, n))[i]
        e |= {"open": t0[i] - 3600, "final": np.where(done, (rng.random(n) < 0.85)[i] * 1, -1)}
        spec = "case_id:case:no subject_type:person|institution|doctor:kind subject_id:text:who "
        spec += "role:text gang_id:gang:gang trigger:text offence_start:date:a offence_end:date:z "
        spec += "clue_time:time:clue open_time:time:open decision_time:time:done outcome:text:end "
        spec += "final:bool loss_amt:$:loss recovered_amt:$:back"
        out.put("closed_case", spec, e, np.r_[t0[first], t1[second]])
        day, who, right = np.array(self.clues).T
        n, lost = len(day), rng.random(len(day)) < 0.12
        time = day * DAY + rng.integers(30000, 70000, n)
        e = {k: rng.integers(0, 4, n) for k in ("channel", "text", "drug", "place")} | {
            "time": time
        }
        e |= {"id": out.raw(n), "kind": lost * 1, "who": np.where(lost, -1, who), "right": right}
        spec = "clue_id:id:id channel:hotline|walk_in|online|police:channel recv_time:time:time "
        spec += "subject_type:person|unknown:kind subject_id:psn:who text:tips:text drug_text:"
        spec += "降压药|胰岛素|阿胶|保健品:drug place_text:医院门口|药店|village|小区:place "
        spec += "verified:bool:right"
        out.pool["tips"] = out.column(TIPS, np.arange(5))
        out.put("clue", spec, e, time + rng.integers(600, 3 * DAY, n))

    def _parcels(self) -> None:
        """Parcels seen under a warrant: gangs send to their dealers, most others send to kin."""
        w, g, rng, rows, T = self.w, self.g, self.rng, list[Any](), self.w.days
        for x in g.gangs:
            a, z = max(x.start, 0), min(x.end, T)
            for day in rng.integers(a, max(z, a + 1), max(0, (z - a) // 25)):
                known = rng.random() > x.skill * 0.6
                send = rng.choice(x.collectors) if known else rng.integers(0, g.extra)
                rows.append((day, send, rng.choice(x.dealers), rng.choice([1, 2, 3, 0]), 1))
        m = 30 + w.p.members // 60
        honest = [rng.integers(0, k, m) for k in (T, w.n, g.extra, 4, 1)]
        day, send, to, kind, bad = np.r_[
            np.array(rows, int).reshape(-1, 5), np.stack(honest, axis=1)
        ].T
        n, out = len(day), self.out
        time = day * DAY + rng.integers(9 * 3600, 19 * 3600, n)
        d = {
            "id": out.raw(n),
            "time": time,
            "send": send,
            "to": to,
            "kind": kind,
            "cold": rng.random(n) < 0.06,
        }
        d |= {"from": rng.integers(0, w.towns, n), "goods": rng.integers(0, 5, n)}
        d |= {"town": np.where(rng.random(n) < 0.7, w.towns, 0), "law": rng.integers(0, 9, n)}
        d["kg"] = np.round(rng.gamma(2, 1.5 + bad), 1) + 0.1
        out.pool["law"] = hexes(out.raw(9))
        spec = "waybill_no:id:id send_time:time:time sender_tel_hash:tel:send "
        spec += "sender_addr_hash:addr:send "
        spec += f"sender_admdvs:{self.towns}:from recv_tel_hash:tel:to recv_addr_hash:addr:to "
        spec += f"recv_admdvs:{self.towns}:town recv_addr_type:home|shop|pharmacy|warehouse:kind "
        spec += "declared_goods:茶叶|衣服|食品|日用品|clothes:goods weight_kg:double:kg "
        spec += "cold_pack:bool:cold "
        out.put("parcel", spec + "legal_basis_id:law:law", d, time + rng.integers(DAY, 9 * DAY, n))

    def _truth(self, root: Path) -> None:
        w, b, g, pool = self.w, self.b, self.g, self.out.pool
        ps, places, drs, gid = (pool[k].to_pylist() for k in ("psn", "place", "dr", "gang"))
        people, gangs, inst, docs = list[Any](), list[Any](), list[Any](), list[Any]()
        of = b.v["gang"][b.l["visit"][b.guilty]]
        loss = np.bincount(of, weights=b.loss / 100, minlength=len(g.gangs))
        for k, x in enumerate(g.gangs):
            span, boss = (x.start, x.end), ps[x.organiser] if x.organiser < w.n else None
            gangs.append((gid[k], x.typology, boss, *span, float(loss[k]), x.skill))
            for c in x.cards:
                role = "victim" if c.victim else "card_holder"
                people.append((ps[c.psn], gid[k], c.join, c.leave, x.typology, role, c.victim))
            role_of = dict.fromkeys(x.collectors, "collector") | dict.fromkeys(x.dealers, "dealer")
            for q, role in (role_of | {x.organiser: "organiser"}).items():
                if q < w.n and q not in {c.psn for c in x.cards}:
                    people.append((ps[q], gid[k], *span, x.typology, role, False))
            if SPECS[x.typology][4] in ("counter", "remote"):
                inst.append((places[x.places[0]], gid[k], "pharmacy", *span))
            if x.doctor >= 0:
                docs.append((drs[x.doctor], places[w.dr_place[x.doctor]], gid[k], "doctor", *span))
        for k, (a, z, typology) in {p[0]: p[2:5] for p in self.past}.items():
            gangs.append((gid[k], typology, None, a, z, 0.0, 0.2))
        people += [(ps[q], gid[k], a, z, typ, role, False) for k, q, a, z, typ, role in self.past]
        at, fee = b.l["visit"][b.guilty], hexes(b.l["raw"][b.guilty]).to_pylist()
        setl, who = pool["setl"].to_pylist(), b.v["psn"][at]
        lines = [
            (setl[i], f, ps[q], gid[k], x / 100) for i, f, q, k, x in zip(at, fee, who, of, b.loss)
        ]
        kinds = {(ps[int(q)], name): 0 for who, name in self.h.benign for q in who if w.local[q]}
        span_ = "active_from active_to"
        for name, rows, cols in (
            ("person", people, f"psn_no gang_id {span_} typology role victim"),
            ("gang", gangs, f"gang_id typology organiser_psn_no {span_} fund_loss skill"),
            ("institution", inst, f"fixmedins_code gang_id role {span_}"),
            ("doctor", docs, f"dr_codg fixmedins_code gang_id role {span_}"),
            ("line", lines, "setl_id feedetl_sn psn_no gang_id fund_loss"),
            ("benign", list(kinds), "psn_no benign_type"),
        ):
            types: dict[str, Any] = dict.fromkeys(span_.split(), pl.Int64) | {"victim": pl.Boolean}
            types |= {"fund_loss": pl.Float64, "skill": pl.Float64}
            schema = {c: types.get(c, pl.String) for c in cols.split()}
            frame, day = pl.DataFrame(rows, schema=schema, orient="row"), pl.date(2025, 1, 1)
            cast = [
                (day + pl.duration(days=pl.col(c))).alias(c) for c in span_.split() if c in schema
            ]
            frame.with_columns(cast).write_parquet(root / f"truth_{name}.parquet")
        (root / "truth_about.json").write_text(json.dumps(asdict(w.p), indent=1))


def hash_days(no: Arr, days: int) -> Arr:
    """A delay of some hours to some days, the same for all subjects of a case."""
    return np.asarray(7200 + no * 7919 % (days * 20) * 4000)
