"""Reference tables, people, certificates and parcels."""

import re

import numpy as np
import pyarrow as pa

from benchmarks.provinces.plateau import catalogue as cat
from benchmarks.provinces.plateau.claims import Claims
from benchmarks.provinces.plateau.landing import DAY, NEVER, date, dec, hexes, pick, ts
from benchmarks.provinces.plateau.settings import Ints, Rng
from benchmarks.provinces.plateau.world import Kind

#: Districts of the plateau's twelve counties and, from 12 on, districts elsewhere.
DISTRICT = np.array([f"63{1 + k:02d}{21 + k:02d}" for k in range(12)])
DISTRICT = np.r_[DISTRICT, ["620102", "620502", "510104", "410105"]]
CATEGORIES = {"C": "chemical", "B": "biological", "P": "tcm_patent"}
CATEGORIES |= {"I": "tcm_injection", "H": "herb_tonic"}
CERTIFICATE = cat.named("conditions", "certificate")
ICD = cat.named("conditions", "icd") | {"cancer": "C34;C50;C16"}


def before(r: Rng, n: int) -> Ints:
    """Times of arrival in the weeks before the first day."""
    return -r.integers(5, 25, n) * DAY + r.integers(0, DAY, n)


def reference(c: Claims) -> None:
    """Institutions, doctors, drugs, people, conditions and certificates."""
    r = c.w.s.rng(6)
    for write in (institutions, drugs, people, certificates):
        write(c, r)


def institutions(c: Claims, r: Rng) -> None:
    """Institutions and their doctors."""
    w, n, kind = c.w, c.w.insts, c.w.i_type
    kinds = pick("institutions", kind)
    names = [f"plateau {a} {b + 1}" for a, b in zip(kinds, r.permutation(n))]
    district = np.where(w.i_home, w.county[w.i_place], 12 + np.arange(n) % 2)
    columns = {
        "fixmedins_code": c.inst,
        "fixmedins_name": pa.array(names),
        "inst_type": kinds,
        "medinslv": pa.array(w.i_level.astype(str)),
        "dual_channel": pa.array(w.i_dual),
        "visit_cap": dec(w.i_cap * 100, 2, w.i_cap == 0),
        "lat": pa.array(w.i_lat),
        "lon": pa.array(w.i_lon),
        "admdvs": pa.array(DISTRICT[district]),
        "contract_from": date(-r.integers(100, 4000, n)),
        "contract_to": date(np.full(n, 1095), r.random(n) < 0.3),
    }
    c.land.write("institution", columns, before(r, n))
    at, n = kind[w.doc_inst], len(w.doc_inst)
    dept = np.select([at == Kind.HOSPITAL, at == Kind.PHARMACY], [r.integers(0, 5, n), 6], 5)
    columns = {"dr_codg": c.doc, "fixmedins_code": pick(c.inst, w.doc_inst)}
    columns["dept"] = pick("departments", dept)
    c.land.write("doctor", columns, before(r, n))


def drugs(c: Claims, r: Rng) -> None:
    """The drug catalogue and the special diseases."""
    n, d = len(cat.DAYS), cat.DRUGS
    no_atc, names = d["atc"] == "", d["name"].tolist()
    ingredients = [re.split(r" (?=CR|SR|[0-9])", name)[0] for name in names]
    categories = [CATEGORIES[letter] for letter in d["category"].tolist()]
    indications = [ICD.get(name, "") for name in d["condition"].tolist()]
    columns = {
        "med_list_codg": c.med,
        "drug_name": pa.array(names),
        "ingredient": pa.array(ingredients),
        "atc": pa.array(d["atc"].tolist(), mask=no_atc),
        "category": pa.array(categories),
        "days_per_box": pa.array(cat.DAYS),
        "ddd_per_box": pa.array(cat.DAYS, mask=no_atc),
        "monthly_max_boxes": pa.array(np.ceil(36 / cat.DAYS)),
        "max_boxes_visit": pa.array(cat.MOST_BOXES.astype(float)),
        "list_price": dec(np.round(cat.YUAN * c.w.s.price_level * 100)),
        "resale_ratio": pa.array(cat.STREET, mask=r.random(n) < 0.2),
        "chronic": pa.array(d["condition"] != ""),
        "cold_chain": pa.array(d["cold"] == "1"),
        "indications": pa.array(indications),
        "watch_from": date(np.full(n, 334), d["watched"] == "0"),
        "trace_from": date(np.full(n, 181)),
    }
    c.land.write("drug", columns, before(r, n))
    names = [name for name, code in CERTIFICATE.items() if code]
    codes = [CERTIFICATE[name] for name in names]
    columns = {"opsp_dise_code": pa.array(codes), "opsp_dise_name": pa.array(names)}
    columns["indications"] = pa.array([ICD[name] for name in names])
    c.land.write("special_disease", columns, before(r, len(names)))


def people(c: Claims, r: Rng) -> None:
    """People, and again those who died or whose insurance paused."""
    w, n, last = c.w, c.w.n, c.last
    lost = np.flatnonzero(last < NEVER)
    who, again = np.r_[np.arange(n), lost], np.repeat([False, True], [n, len(lost)])
    no_place = r.random(n) < 0.04
    job = np.select([w.age < 18, w.employee], [3, (w.age < 60).astype(int)], 2)
    district = np.where(w.home, w.county[w.place], 12 + np.arange(n) % 2)
    columns = {
        "psn_no": c.psn,
        "gend": pick(["1", "2", "9"], np.where(r.random(n) < 0.005, 2, ~w.male)),
        "brdy": date(-(w.age * 365.25)),
        "insutype": pick(["390", "310"], w.employee),
        "psn_type": pick("person_types", job),
        "insuplc_admdvs": pa.array(DISTRICT[district]),
        "household_id": pick(hexes(r, n, 6), np.where(r.random(n) < 0.03, -1, w.hh)),
        "cert_hash": pick(c.cert, np.arange(n)),
        "tel_hash": pick(c.tel, np.where(r.random(n) < 0.05, -1, w.phone)),
        "addr_hash": pick(hexes(r, n, 16), np.unique(w.addr, return_inverse=True)[1]),
        "home_lat": pa.array(np.round(w.lat, 2), mask=no_place),
        "home_lon": pa.array(np.round(w.lon, 2), mask=no_place),
        "insured_from": date(-np.minimum(r.integers(200, 6000, n), w.age * 365)),
    }
    columns = {k: pick(x, who) for k, x in columns.items()}
    for name, day in (("paused_from", c.paused[who]), ("death_date", c.death[who])):
        columns[name] = date(day.clip(0, 9999), ~again | (day > 9999))
    known = before(r, n)
    told = (last[lost] + r.integers(2, 30, len(lost))) * DAY
    c.land.write("person", columns, np.r_[known, told])


def certificates(c: Claims, r: Rng) -> None:
    """Known conditions and special-disease certificates."""
    w = c.w
    p, q = np.nonzero((w.cond & (r.random(w.cond.shape) < 0.8)) | w.cert)
    has = w.cert[p, q]
    day = np.where(has, c.cert_day[p, q], -r.integers(1, 2500, len(p)))
    columns = {"psn_no": pick(c.psn, p), "condition": pick(list(CERTIFICATE), q)}
    columns["since"] = date(day - r.integers(0, 60, len(p)))
    arrive = np.maximum(day * DAY + 40000, before(r, len(p)))
    c.land.write("person_condition", columns, arrive)
    p, q, day = p[has], q[has], day[has]
    given = {(who, cond): by for who, cond, _, *by in c.under.certs}
    usual = zip(w.fav[p, 3].tolist(), w.doctor[p, 3].tolist())
    by = [given.get(key, at) for key, at in zip(zip(p.tolist(), q.tolist()), usual)]
    inst, doctor = np.array(by).T
    columns = {
        "psn_no": pick(c.psn, p),
        "opsp_dise_code": pick(list(CERTIFICATE.values()), q),
        "begndate": date(day),
        "enddate": date(day + 1825, r.random(len(p)) < 0.4),
        "ide_fixmedins_no": pick(c.inst, inst),
        "diag_dr_codg": pick(c.doc, doctor),
        "annual_cap": dec(cat.CONDITIONS["cap"].astype(int)[q] * 100),
    }
    arrive = np.maximum(day * DAY + 50000, before(r, len(p)))
    c.land.write("special_cert", columns, arrive)


def parcels(c: Claims) -> None:
    """Parcels seen under requests: mostly honest senders, some that carry boxes to a dealer."""
    w, days, ids, r = c.w, c.days, c.under.ids, c.w.s.rng(7)
    shops, rows = r.choice(w.n, 40), list[tuple[int, ...]]()
    honest, dealt = [0.5, 0.22, 0.03, 0.02, 0.08, 0.15], [0.35, 0.25, 0.1, 0.02, 0.18, 0.1]
    for p in r.choice(w.n, max(int(w.n * days / 365 * 0.02), 5)).tolist():
        to = int(r.choice(shops) if r.random() < 0.4 else r.integers(w.n))
        for _ in range(int(r.integers(1, 8))):
            rows.append((int(r.integers(days)), p, to, int(r.choice(6, p=honest))))
    for g in c.under.gangs:
        day, kind = max(g.start, 0) + 20, int(r.choice(6, p=dealt))
        while g.ships and day < min(days, g.stop or days):
            own = r.random() > 0.6 * g.skill
            sender = int(r.choice(g.collectors)) if own else int(r.integers(w.n))
            rows.append((day, sender, g.dealer, kind))
            day += int(r.integers(9, 35))
    (day_sent, a, b, kinds), n = np.array(rows).T, len(rows)
    addr, tel = hexes(r, ids, 16), np.r_[w.phone, np.arange(w.n, ids)]
    sec = day_sent * DAY + r.integers(9 * 3600, 20 * 3600, n)
    columns = {
        "waybill_no": hexes(r, n, 7),
        "send_time": ts(sec),
        "sender_tel_hash": pick(c.tel, tel[a]),
        "sender_addr_hash": pick(addr, a),
        "sender_admdvs": pa.array(DISTRICT[w.county[w.place[a % w.n]]]),
        "recv_tel_hash": pick(c.tel, tel[b]),
        "recv_addr_hash": pick(addr, b),
        "recv_admdvs": pa.array(DISTRICT[b % 5 + 11 - 11 * (b % 5 == 0)]),
        "recv_addr_type": pick("addresses", kinds),
        "declared_goods": pick("goods", r.integers(0, 6, n)),
        "weight_kg": pa.array(np.round(r.lognormal(0.4, 0.7, n), 2)),
        "cold_pack": pa.array(r.random(n) < 0.05),
        "legal_basis_id": pick(hexes(r, 30, 5), day_sent * 30 // days),
    }
    c.land.write("parcel", columns, sec + r.integers(DAY, 20 * DAY, n))
