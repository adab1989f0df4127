"""Reference tables: institutions, doctors, drugs, people, certificates and conditions."""

from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.provinces.harbour.arrays import DAY, dates, decimals
from benchmarks.provinces.harbour.types import Arr, Bools, Ints, Rng
from benchmarks.provinces.harbour.world import RESIDENT, World
from benchmarks.provinces.harbour.writer import Writer

DEPARTMENTS = [
    "internal medicine", "cardiology", "endocrinology", "oncology", "neurology", "general practice",
]  # fmt: skip
PERSON_TYPES = np.array(["worker", "retired", "resident", "student_child"])


def reference(w: World, out: Writer, rng: Rng) -> None:
    """Write all reference tables."""
    _institutions(w, out, rng)
    doctors = len(w.c.doc_inst)
    columns = {
        "dr_codg": out.names["doc"],
        "fixmedins_code": out.id("inst", w.c.doc_inst),
        "dept": rng.choice(DEPARTMENTS, doctors),
    }
    out.table("doctor", columns, _first(doctors, rng))
    out.table("drug", _drugs(w, out), _first(len(w.c.drug), rng))
    _illnesses(w, out, rng)
    _people(w, out, rng)


def _first(n: int, rng: Rng) -> Ints:
    """Seconds of arrival of rows that are there before the first day."""
    return rng.integers(-5 * DAY, -4 * DAY, n)


def _arrival(day: Ints, delay: int, rng: Rng) -> Ints:
    """Seconds of arrival of rows about a day: within some days, or before the data."""
    before = _first(len(day), rng)
    return np.where(day < 0, before, day * DAY + rng.integers(0, delay * DAY, len(day)))


def _district(district: Ints, away: Bools) -> Arr:
    return np.where(away, "320100", np.array([f"33020{1 + number}" for number in district]))


def _institutions(w: World, out: Writer, rng: Rng) -> None:
    c, m, xy = w.c, len(w.c.inst_type), np.round(w.c.inst_xy, 2)
    codes, cap = out.names["inst"], np.where(c.inst_type == "hospital", 3000000, 1000000)
    columns = {
        "fixmedins_code": codes,
        "fixmedins_name": [f"{t} {x[-5:]}" for t, x in zip(c.inst_type, codes.to_pylist())],
        "inst_type": c.inst_type,
        "medinslv": c.level.astype(str),
        "dual_channel": c.dtp,
        "visit_cap": decimals(cap, 16, 2),
        "admdvs": _district(c.inst_district, c.away),
        "lat": xy[:, 0],
        "lon": xy[:, 1],
        "contract_from": dates(rng.integers(-4000, -200, m)),
        "contract_to": dates(np.zeros(m), np.ones(m, bool)),
    }
    out.table("institution", columns, _first(m, rng))


def _drugs(w: World, out: Writer) -> dict[str, Any]:
    c = w.c
    watched = (c.ratio > 0.45) & (c.price > 30)
    return {
        "med_list_codg": out.names["drug"],
        "drug_name": c.drug,
        "ingredient": c.drug,
        "atc": [atc or None for atc in c.atc],
        "category": c.category,
        "days_per_box": c.days,
        "ddd_per_box": c.days,
        "monthly_max_boxes": np.ceil(60 / c.days),
        "max_boxes_visit": np.ceil(120 / c.days),
        "list_price": decimals(np.round(c.price * 100), 16, 2),
        "resale_ratio": pa.array(c.ratio, mask=c.ratio == 0),
        "chronic": c.chronic,
        "cold_chain": c.cold,
        "indications": [";".join(icd) for icd in c.icd],
        "watch_from": dates(np.where(c.price > 100, 0, 334), ~watched),
        "trace_from": dates(c.trace_from),
    }


def _illnesses(w: World, out: Writer, rng: Rng) -> None:
    """Special diseases, certificates, and the conditions that registers know."""
    c, p = w.c, w.p
    special = np.flatnonzero(c.ill_special != "")
    code = np.array([f"M{3900 + 7 * k:05d}" for k in range(len(c.ill))])
    columns: dict[str, Any] = {
        "opsp_dise_code": code[special],
        "opsp_dise_name": c.ill_special[special],
        "indications": np.array(c.ill_icd)[special],
    }
    out.table("special_disease", columns, _first(len(special), rng))
    certs = np.array(sorted(set(w.certs)))
    is_first = np.append(True, np.diff(certs[:, 0] * 64 + certs[:, 1]) != 0)
    who, ill, day, inst, doc = certs[(certs[:, 2] < p.days) & is_first].T
    columns = {
        "psn_no": out.id("psn", who),
        "opsp_dise_code": code[ill],
        "begndate": dates(day),
        "enddate": dates(day + 1095),
        "ide_fixmedins_no": out.id("inst", inst),
        "diag_dr_codg": out.id("doc", doc),
        "annual_cap": decimals(np.where(c.ill_home[ill] == "any", 600000, 12000000), 16, 2),
    }
    out.table("special_cert", columns, _arrival(day, 3, rng))
    names = [s.replace(" ", "_") if x == "cancer" else x for x, s in zip(c.ill, c.ill_special)]
    known = np.unique(w.therapies["psn"] * 64 + w.therapies["ill"])
    known = known[rng.random(len(known)) < 0.85]
    pair, at = np.unique(np.append(who * 64 + ill, known), return_index=True)
    certified = day - rng.integers(0, 60, len(day))
    since = np.append(certified, rng.integers(-3500, -10, len(known)))[at]
    columns = {
        "psn_no": out.id("psn", pair // 64),
        "condition": np.array(names)[pair % 64],
        "since": dates(since),
    }
    out.table("person_condition", columns, _arrival(since, 9, rng), p.days * DAY)


def _people(w: World, out: Writer, rng: Rng) -> None:
    """People, and a second version of those who died or left."""
    n, days, over = w.total, w.p.days, np.minimum(w.death, w.paused)
    born = -(w.age * 365.25 + rng.random(n) * 360).astype(int)
    i = np.append(np.arange(n), np.flatnonzero(over < days))
    is_new, xy = np.arange(len(i)) >= n, np.round(w.xy, 2)[i]
    died, left = (
        dates(np.where(day[i] < days, day[i], 0), ~(is_new & (day[i] < days)))
        for day in (w.death, w.paused)
    )
    columns = {
        "psn_no": out.id("psn", i),
        "gend": w.sex[i].astype(str),
        "brdy": dates(born[i]),
        "insutype": np.where(w.kind < RESIDENT, "310", "390")[i],
        "psn_type": PERSON_TYPES[w.kind[i]],
        "insuplc_admdvs": _district(w.district, np.arange(n) >= w.insured)[i],
        "household_id": out.number("house", w.house[i]),
        "cert_hash": out.id("cert", i),
        "tel_hash": out.id("tel", w.tel[i]),
        "addr_hash": out.id("addr", w.addr[i]),
        "home_lat": xy[:, 0],
        "home_lon": xy[:, 1],
        "insured_from": dates(rng.integers(-7000, -400, n)[i]),
        "paused_from": left,
        "death_date": died,
    }
    later = (over[i] + 1) * DAY + rng.integers(0, 20 * DAY, len(i))
    arrive = np.where(is_new, later, _first(len(i), rng))
    out.table("person", columns, arrive, days * DAY)
