"""A simulated countryside of medical insurance: landing batches and the truth beside them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.provinces.countryside.cases import SEEN, Cases, districts
from benchmarks.provinces.countryside.files import (
    DAY,
    NULL,
    Ints,
    Landing,
    column,
    month_start,
    pick,
)
from benchmarks.provinces.countryside.gangs import KINDS, Gangs
from benchmarks.provinces.countryside.honest import Honest, merge
from benchmarks.provinces.countryside.office import Office
from benchmarks.provinces.countryside.world import HOSPITAL, Params, World


def references(w: World, out: Landing) -> None:
    """All reference tables but the people."""
    rng, own, conds = np.random.default_rng([w.par.seed, 83]), districts(w), w.conds

    def when(n: int) -> Ints:
        return rng.integers(0, 20 * DAY, n)

    k, d, q = len(w.i_kind), len(w.doc_inst), len(w.cents)
    kinds, special = ["hospital", "clinic", "pharmacy", "village"], [c for c in conds if c[3]]
    where = np.where(w.i_county < 0, w.counties - 1 - w.i_county, w.i_county)
    out.add("institution", [
        w.id_inst, [f"{kinds[x]} {i}" for i, x in zip(rng.permutation(k), w.i_kind, strict=True)],
        pick(kinds, w.i_kind), [str(x) for x in w.i_level], w.i_dual > 0, w.i_cap,
        pick(own, where), np.round(w.i_lat, 2), np.round(w.i_lon, 2), -rng.integers(200, 4000, k),
        np.full(k, NULL),
    ], when(k))  # fmt: skip
    depts = ["internal", "surgery", "tcm", "neurology", "oncology", "nephrology", "general"]
    dept = np.where(w.i_kind[w.doc_inst] == HOSPITAL, rng.integers(0, 7, d), 6)
    codes = [pick(w.id_doc, w.doc_code), pick(w.id_inst, w.doc_inst)]
    out.add("doctor", [*codes, pick(depts, dept)], when(d))
    out.add("drug", [
        w.id_drug, [f"{w.ing_names[i]} {j % 7 + 1}" for j, i in enumerate(w.ing)],
        pick(w.ing_names, w.ing), [a or None for a in w.atc], w.cat, w.dpb,
        np.round(w.dpb * rng.uniform(0.8, 1.2, q), 1), np.ceil(46 / w.dpb), w.max_visit, w.cents,
        np.where(rng.random(q) < 0.2, np.nan, w.resale), w.flag["c"], w.flag["k"], w.indic,
        w.watch_from, w.trace_from,
    ], when(q))  # fmt: skip
    names = [[c[j] for c in special] for j in (3, 0)] + [[c[1][:3] for c in special]]
    out.add("special_disease", names, when(len(special)))
    psn, cond = np.nonzero(w.ill)
    values = [pick(w.id_psn, psn), pick([c[0] for c in conds], cond)]
    since = -rng.integers(10, 4000, len(psn))
    out.add("person_condition", [*values, since], when(len(psn)))


def people(w: World, i: Ints, arrive: Any, out: Landing, died: bool) -> None:
    """Rows of persons; a death comes as a later row of the same key."""
    rng, n = np.random.default_rng([w.par.seed, 97]), w.n
    where = np.where(w.guest, w.counties + 1, w.county)
    kind = np.where(w.employee, (w.age >= 60) * 1, np.where(w.age < 18, 3, 2))
    born = -np.round(w.age * 365.25).astype(np.int64) - 1
    since = np.maximum(born + 20, -rng.integers(60, 5000, n)).clip(max=-1)
    paused = np.where((rng.random(n) < 0.004) & ~died, -rng.integers(20, 50, n), NULL)
    sex = np.where(rng.random(n) < 0.002, 2, w.sex - 1)
    kinds = ["worker", "retired", "resident", "student_child"]
    out.add("person", [
        pick(w.id_psn, i), pick(["1", "2", "9"], sex[i]), born[i],
        pick(["390", "310"], w.employee[i]), pick(kinds, kind[i]), pick(districts(w), where[i]),
        pick(w.id_hh, w.hh[i]), pick(w.id_cert, i), pick(w.id_tel, w.phone[i]),
        pick(w.id_addr, w.hh[i]), np.round(w.lat[i], 2), np.round(w.lon[i], 2), since[i], paused[i],
        w.death[i] if died else np.full(len(i), NULL),
    ], arrive)  # fmt: skip


def certificates(w: World, gangs: Gangs, m: int, out: Landing) -> None:
    """Certificates of the month; the first batch holds those of before."""
    rng, (psn, cond) = np.random.default_rng([w.par.seed, 89]), np.nonzero(w.certified)
    fresh = rng.integers(0, month_start(w.par.months), len(psn))
    begin = np.where(rng.random(len(psn)) < 0.12, fresh, rng.integers(-700, 0, len(psn)))
    inst = w.known[psn, 4]
    doc = w.doc_ptr[inst] + rng.integers(0, 99, len(psn)) % np.diff(w.doc_ptr)[inst]
    bought = np.array(gangs.certs, dtype=np.int64).reshape(-1, 5)
    rows = np.concatenate([np.stack([psn, cond, begin, inst, doc], axis=1), bought])
    low, high = month_start(m), month_start(m + 1)
    who, what, day, inst, doc = rows[(rows[:, 2] < high) & ((rows[:, 2] >= low) | (m == 0))].T
    out.add("special_cert", [
        pick(w.id_psn, who), pick([c[3] for c in w.conds], what), day, day + 730,
        pick(w.id_inst, inst), pick(w.id_doc, w.doc_code[doc]), 300000 + 40000 * what,
    ], np.maximum(day, low) * DAY + 36000 + (who * 7919 + what) % 40000)  # fmt: skip


def truths(w: World, gangs: Gangs, office: Office, folder: Path) -> None:
    """Write the truth tables."""
    people_, heads, places, doctors = list[Any](), list[Any](), list[Any](), list[Any]()
    for k, g in enumerate([*gangs.list, *gangs.past]):
        victim, span = KINDS[g.kind][5], (g.start, g.stop)
        role = "victim" if victim else "card_holder"
        seen: set[int] = set()
        for c, a, b in zip(g.cards, g.since, np.minimum(g.until, g.stop), strict=True):
            people_.append((int(c), k, int(a), int(max(a, b)), g.kind, role, victim))
            seen.add(int(c))
        others = [(g.organiser, "organiser"), *((int(c), "collector") for c in g.crew)]
        # Two dealers in three are insured here.
        if g.dealer % 3 < 2:
            others.append((int(gangs.dealers[g.dealer]), "dealer"))
        for psn, role in others:
            if psn >= 0 and psn not in seen:
                people_.append((psn, k, *span, g.kind, role, False))
                seen.add(psn)
        heads.append((k, g.kind, g.organiser, *span, round(g.loss, 2), round(g.skill, 4)))
        if g.kind in SEEN or g.kind == "village_room":
            role = "pharmacy" if g.kind in SEEN else "dispenser"
            places += [(int(i), k, role, *span) for i in g.ally]
        if g.doctor >= 0:
            doctors.append((g.doctor, w.doc_inst[g.doctor], k, "doctor", *span))
    honest = np.ones(w.n, dtype=bool)
    honest[[p[0] for p in people_]] = False
    kinds: list[Any] = []
    for name, flag in w.habit.items():
        kinds += [(i, name, None) for i in np.flatnonzero(flag & honest)]
    crowd = np.flatnonzero((w.group >= 0) & honest)
    names = [f"{kind} {k}" for k, kind in enumerate(w.g["kind"])]
    kinds += [(i, str(w.g["kind"][w.group[i]]), names[w.group[i]]) for i in crowd]
    doc_code = pick(w.id_doc, w.doc_code)
    pools = {"P": w.id_psn, "G": office.gang_ids, "I": w.id_inst, "D": doc_code}
    types = {"s": pa.string(), "f": pa.float64(), "b": pa.bool_()}
    when = "active_from:d active_to:d"
    tables: list[tuple[str, str, list[Any]]] = [
        ("person", f"psn_no:P gang_id:G {when} typology:s role:s victim:b", people_),
        ("gang", f"gang_id:G typology:s organiser_psn_no:P {when} fund_loss:f skill:f", heads),
        ("institution", f"fixmedins_code:I gang_id:G role:s {when}", places),
        ("doctor", f"dr_codg:D fixmedins_code:I gang_id:G role:s {when}", doctors),
        ("benign", "psn_no:P benign_type:s group:s", kinds),
    ]
    for name, columns, rows in tables:
        cols = {}
        for j, part in enumerate(columns.split()):
            key, kind = part.split(":")
            v: Any = [r[j] for r in rows]
            if kind in types:
                cols[key] = pa.array(v, types[kind])
            else:
                cols[key] = column("d", v) if kind == "d" else pick(pools[kind], v)
        pq.write_table(pa.table(cols), folder / f"truth_{name}.parquet")
    pq.write_table(pa.concat_tables(office.truth), folder / "truth_line.parquet")


def main() -> int:
    """Read the arguments and make a countryside."""
    ask = argparse.ArgumentParser(description=__doc__)
    for name, default in (("members", 20000), ("months", 12), ("seed", 1)):
        ask.add_argument(f"--{name}", type=int, default=default)
    ask.add_argument("--fraud-share", type=float, default=0.003)
    ask.add_argument("--benign", type=float, default=1.0)
    ask.add_argument("--draw", action="store_true")
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--truth", type=Path, required=True)
    arg = ask.parse_args()
    for folder in (arg.out, arg.truth):
        if folder.exists() and any(folder.iterdir()):
            print(f"{folder} is not empty", file=sys.stderr)
            return 2
        folder.mkdir(parents=True, exist_ok=True)
    par = Params(arg.members, arg.months, arg.seed, arg.fraud_share, arg.benign)
    if arg.draw:
        rng = np.random.default_rng([arg.seed, 5])
        par.skill_power, par.gang_scale = rng.uniform(0.4, 0.95), rng.uniform(0.5, 1.6)
        par.appetite, par.price = rng.uniform(0.6, 1.5), rng.uniform(0.75, 1.35)
        par.pharmacies, par.village_rooms = rng.uniform(0.5, 1.8), rng.uniform(0.15, 0.7)
        par.scan_share = rng.uniform(0.5, 0.98)
        par.typologies = tuple(map(str, rng.permutation(list(KINDS))[: rng.integers(5, 13)]))
    w = World(par)
    honest = Honest(w)
    gangs = Gangs(w, honest)
    cases, out = Cases(w, gangs), Landing(arg.out, np.random.default_rng([arg.seed, 61]))
    office = Office(w, gangs, out)
    references(w, out)
    arrive = np.random.default_rng([arg.seed, 67]).integers(0, 20 * DAY, w.n)
    people(w, np.arange(w.n), arrive, out, False)
    for m in range(par.months):
        trip, line = merge([*honest.month(m), *gangs.month(m)])
        effort = np.where(trip["gang"] >= 0, 0.15 + 0.75 * office.skill[trip["gang"]], 1.0)
        office.month(m, *honest.finish(trip, line, effort))
        high = month_start(m + 1)
        dead = np.flatnonzero((w.death >= month_start(m)) & (w.death < high - 2))
        people(w, dead, (w.death[dead] + 1) * DAY + 40000 + dead % 3000, out, True)
        certificates(w, gangs, m, out)
        cases.month(m, office, out)
        out.flush(high)
    truths(w, gangs, office, arg.truth)
    about = asdict(par) | {"gangs": len(gangs.list), "past_gangs": len(gangs.past)}
    (arg.truth / "truth_about.json").write_text(json.dumps(about, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
