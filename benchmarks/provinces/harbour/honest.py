"""Honest life: visits for chronic illness, acute illness, hospital stays, courses of treatment."""

import numpy as np

from benchmarks.provinces.harbour.arrays import DAY, expand, moments, month_of, salt, uniform
from benchmarks.provinces.harbour.book import OUTPATIENT, SPECIAL, STAY, Book, fees, packs, visits
from benchmarks.provinces.harbour.city import ACUTE_ICD, City
from benchmarks.provinces.harbour.types import Arr, Bools, Columns, Floats, Ints, Rng
from benchmarks.provinces.harbour.world import RESIDENT, World

#: Hours of the habits that come in the evening.
EVENINGS = {"dormitory": 18.7, "night_shift": 22.0, "night_clinic": 21.0}
#: Courses: habit, drugs, days between visits, fewest and most visits, boxes a visit, place.
COURSES: tuple[tuple[str, list[str], list[int], tuple[int, int], int, str], ...] = (
    ("infusion_course", ["danhong injection", "xueshuantong injection"], [1], (7, 15), 4, "clinic"),
    ("herbal_course", ["herbal decoction"], [7, 14], (3, 9), 1, "clinic"),
    ("dear_course", ["sofosbuvir velpatasvir", "omalizumab", "adalimumab"], [28], (3, 7), 1, "dtp"),
)  # fmt: skip


def hours(c: City, inst: Arr, wish: Arr, rng: Rng) -> Floats:
    """Hour of day near the wish, within opening hours (a few come at any hour)."""
    n, late = len(wish), c.night[inst]
    h = np.where(rng.random(n) < 0.12, rng.uniform(8, 21, n), wish + rng.normal(0, 1.1, n))
    top = np.where(late, 23.9, np.where(c.inst_type[inst] == "pharmacy", 21, 18.5))
    closed = (h < 7.5) & ~late | (h > top)
    return np.where(closed, rng.uniform(8, np.minimum(top, 18), n), np.clip(h, 0.1, 23.9))


def some(mask: Bools, share: float, rng: Rng) -> Ints:
    """Indices of a random share of the marked."""
    return np.flatnonzero(mask & (rng.random(len(mask)) < share))


def _occasions(w: World) -> tuple[Ints, Ints, Columns, Floats]:
    """When bundles are fetched: bundle, day, its columns, and a number that its group shares."""
    p, c = w.p, w.c
    bundle, k = expand((p.days // w.bundles["gap"]).astype(int) + 3)
    b = {name: column[bundle] for name, column in w.bundles.items()}
    key, occasion = salt(p.seed, "rhythm") % 2**60, b["group"] * 4096 + k
    luck = [uniform(occasion, key + j) for j in range(7)]
    drift = (luck[0] + luck[1] + luck[2] - 1.5) * 2 * b["wobble"]
    day = np.floor(b["phase"] + (k - 1) * b["gap"] + drift).astype(int)
    weekday = (day + 2) % 7  # 2025-01-01 is a Wednesday
    closed = (c.inst_type[b["inst"]] == "hospital") & (weekday >= 5)
    day += np.where(closed & (luck[3] < 0.75), 7 - weekday, 0)
    day = np.where(b["market"], day // 5 * 5 + 2, day)
    stocked = (day > b["travel"] + b["gap"]) & (day < b["travel"] + 3 * b["gap"])
    feast = (day >= 27) & (day < 35) & (luck[5] < 0.6)
    lost = (luck[4] < 0.06) | stocked | feast
    keep = (day >= 0) & (day < w.gone()[b["psn"]]) & ~lost
    return bundle[keep], day[keep], {name: x[keep] for name, x in b.items()}, luck[6][keep]


def chronic(w: World, book: Book, rng: Rng) -> None:
    """Visits of the bundles: groups share their luck, so they come together."""
    c, th = w.c, w.therapies
    bundle, day, b, luck = _occasions(w)
    psn, n = b["psn"], len(bundle)
    roams = rng.random(n) < np.maximum(b["roam"], 0.035)
    to_clinic = rng.random(n) < 0.5
    roamed = np.where(to_clinic, w.fav["clinic"][psn], rng.choice(c.of_type("pharmacy"), n))
    travels = ~roams & (rng.random(n) < b["away"])
    far = rng.choice(c.elsewhere("hospital"), n)
    inst = np.where(travels, far, np.where(roams, roamed, b["inst"]))
    alone = hours(c, inst, b["hour"], rng)
    hour = np.where(b["group"] < 10**6, b["hour"] + (luck - 0.5) * 2, alone)
    # How often kin or neighbours fetch, each on his own phone.
    often = rng.choice([0, 0.02, 0.06, 0.3], w.total, p=[0.55, 0.25, 0.14, 0.06])
    fetched = rng.random(n) < b["proxy_p"]
    kin = (rng.random(n) < often[psn]) & ~fetched
    helper = np.clip(psn + rng.choice([-2, -1, 1, 1, 2, 3], n), 0, w.total - 1)
    store = c.inst_type[inst] == "pharmacy"
    second = np.clip(hour, 0, 23) * 3600 + b["minute"] * 60 + rng.integers(0, 100, n)
    kin_phone, own_phone = kin & (rng.random(n) < 0.6), rng.random(n) < 0.8
    kin_signs = kin & (rng.random(n) < 0.8)
    kind = np.where(b["cert"], SPECIAL, c.visit_kind(inst))
    t, dx = day * DAY + second.astype(int), c.dx_of(c.ill_icd)[b["ill"]]
    doc = np.where(b["new_doc"], -3, -2)
    dev = np.where(kin_phone, helper, np.where(own_phone, b["dev"], -1))
    proxy = np.where(fetched, b["proxy"], np.where(kin_signs, helper, -1))
    rel = np.where(kin, rng.choice([1, 1, 1, 2, 3, 4], n), b["rel"])
    visit = visits(psn, inst, t, kind, dx, doc=doc, dev=dev, proxy=proxy, rel=rel)
    # The lines are the bundle's therapies.
    order = np.argsort(th["bundle"], kind="stable")
    count = np.bincount(th["bundle"], minlength=len(w.bundles["psn"]))
    v, j = expand(count[bundle])
    therapy = order[(np.cumsum(count) - count)[bundle[v]] + j]
    at, gap, dose = day[v], b["gap"][v], th["dose"][therapy]
    # A shop was out of it, or a doctor tries another.
    restless = rng.random(len(v)) < rng.choice([0, 0.05, 0.2], w.total, p=[0.5, 0.35, 0.15])[psn[v]]
    other = (at > b["switch"][v]) | restless
    drug = np.where(other, th["alt"][therapy], th["drug"][therapy])
    december = b["yearend"][v] & (month_of(at) % 12 == 11)
    leaving = np.abs(at - b["travel"][v]) <= gap
    more = np.where(december, 2.2, 1) * np.where(leaving, 2, 1)
    need = gap * dose * b["adhere"][v] * more / c.days[drug]
    cnt = np.floor(need + rng.random(len(v))).astype(int)
    ok = (cnt > 0) & (rng.random(len(v)) < 0.95)
    has = np.isin(np.arange(n), v[ok])
    number = np.cumsum(has) - 1
    extra = some(has, 0.12, rng)
    seen = has & ~store
    book.add(
        {name: column[has] for name, column in visit.items()},
        packs(number[v[ok]], drug[ok], cnt[ok], dose=dose[ok]),
        fees(number[some(seen, 0.6, rng)], "registration", rng),
        fees(number[some(seen, 0.18, rng)], "exam", rng),
        packs(number[extra], rng.choice(c.common(), len(extra)), rng.integers(1, 3, len(extra))),
    )


def acute(w: World, book: Book, rng: Rng) -> None:
    """Colds and stomach aches, and habits tied to them."""
    p, c = w.p, w.c
    by_age = np.interp(w.age, [0, 6, 25, 60, 90], [2, 1.2, 0.6, 1.1, 1.6])
    psn = np.repeat(np.arange(w.total), rng.poisson(p.acute * w.frail * by_age * (p.days / 365)))
    day = rng.integers(0, p.days, len(psn))
    season = rng.random(len(psn)) < 0.75 + 0.25 * np.cos(2 * np.pi * day / 365)
    feast = (day > 26) & (day < 34) & (rng.random(len(psn)) < 0.5)
    ok = season & (day < w.gone()[psn]) & ~feast
    psn, day, n = psn[ok], day[ok], ok.sum()
    r = rng.random(n)
    near = np.where(w.district > 5, w.fav["village"], w.fav["clinic"])
    inst = np.select(
        [r < 0.42, r < 0.72, r < 0.92],
        [w.fav["pharmacy"][psn], near[psn], w.fav["hospital"][psn]],
        rng.choice(np.flatnonzero(~c.away), n),
    )
    wish, clinics = w.hour[psn] + rng.normal(0, 2, n), c.of_type("clinic")
    for habit, hour in EVENINGS.items():
        may = w.migrant if habit == "dormitory" else (w.age > 18) & (w.age < 62)
        who = w.pick(habit, may, rng)
        place = np.zeros(w.total, int)
        place[who] = rng.choice(clinics[c.night[clinics]], len(who))
        if habit == "dormitory":
            place[who] = _dormitories(w, who, rng)
        there = np.isin(psn, who)
        inst = np.where(there & (rng.random(n) < 0.7), place[psn], inst)
        wish = np.where(there, hour + rng.normal(0, 0.5, n), wish)
    seen = c.inst_type[inst] != "pharmacy"
    v, _ = expand(rng.choice([1, 1, 2, 3], n))
    m, buyers = len(v), w.pick("buys_for_kin", w.kind < RESIDENT, rng)
    often = rng.random(m) < rng.choice([0.02, 0.08, 0.3], w.total, p=[0.6, 0.3, 0.1])[psn[v]]
    any_drug, common = rng.choice(np.flatnonzero(c.price < 200), m), rng.choice(c.common(), m)
    drug = np.where(np.isin(psn[v], buyers) | often, any_drug, common)
    treat = ~seen[v] & (rng.random(m) < 0.015)
    tonics = [c.drug.index("donkey-hide gelatin"), c.drug.index("ginseng slices")]
    drug = np.where(treat, rng.choice(tonics, m), drug)
    t = moments(day, hours(c, inst, wish, rng))
    book.add(
        visits(psn, inst, t, c.visit_kind(inst), rng.choice(c.dx_of(ACUTE_ICD), n)),
        packs(v, drug, rng.choice([1, 1, 1, 2, 3], m)),
        fees(some(seen, 0.8, rng), "registration", rng),
        fees(some(seen, 0.35, rng), "exam", rng),
    )


def _dormitories(w: World, who: Ints, rng: Rng) -> Ints:
    """Thirty to a house, phones shared by a few; the clinic each house goes to."""
    k = np.arange(len(who))
    chief, room = who[k // 30 * 30], who[k // 5 * 5]
    w.xy[who], w.addr[who] = w.xy[chief], w.addr[chief]
    w.dev[who] = np.where(rng.random(len(who)) < 0.5, room, who)
    clinic: Ints = w.fav["clinic"][chief]
    return clinic


def stays(w: World, book: Book, rng: Rng) -> None:
    """Hospital stays."""
    c, by_age = w.c, np.interp(w.age, [0, 40, 80], [0.5, 0.6, 2.2])
    often = rng.poisson(0.055 * (w.p.days / 365) * w.frail * by_age)
    psn = np.repeat(np.arange(w.insured), often[: w.insured])
    end = rng.integers(2, w.p.days, len(psn))
    ok = end < w.gone()[psn]
    psn, end = psn[ok], end[ok]
    n, one, (v, _) = len(psn), np.arange(len(psn)), expand(rng.integers(1, 4, len(psn)))
    t, stay = moments(end, rng.uniform(9, 16, n)), rng.integers(3, 15, n)
    dx = rng.integers(0, len(c.dx), n)
    visit = visits(psn, w.fav["hospital"][psn], t, STAY, dx, stay=stay)
    paid = [fees(one, item, rng) for item in ("bed", "exam", "material")]
    drug = rng.choice(np.flatnonzero(c.price < 90), len(v))
    book.add(visit, *paid, packs(v, drug, rng.integers(1, 9, len(v))))


def courses(w: World, book: Book, rng: Rng) -> None:
    """Dialysis sessions, infusions, herbal courses, and courses of dear drugs that end."""
    c, gone = w.c, w.gone()
    plans = []  # person, day, institution, drug (-1: a session of dialysis), boxes, diagnosis
    dialysis = w.therapies["ill"] == c.ill.index("dialysis")
    for i in np.unique(w.therapies["psn"][dialysis]):
        start, times = int(rng.integers(0, 3)), int(rng.choice([2, 3, 3]))
        plans += [
            (i, week + off, w.fav["hospital"][i], -1, 1, "N18")
            for week in range(start, gone[i] - 4, 7)
            for off in (0, 2, 4)[:times]
        ]
    for habit, drugs, gaps, repeats, most, place in COURSES:
        for i in w.pick(habit, w.age > 25, rng).tolist():
            drug, gap = c.drug.index(rng.choice(drugs)), int(rng.choice(gaps))
            cnt = most if gap == 1 else max(1, round(gap / c.days[drug]))
            icd = (c.icd[drug] or ["M54"])[0]
            for _ in range(rng.integers(1, 4) if gap == 1 else 1):
                first = int(rng.integers(-20, w.p.days))
                last = first + gap * int(rng.integers(*repeats))
                plans += [
                    (i, day, w.fav[place][i], drug, cnt, icd)
                    for day in range(first, last, gap)
                    if 0 <= day < gone[i]
                ]
    if not plans:
        return
    psn, day, inst, what, number, code = (np.array(column) for column in zip(*plans))
    session, med = np.flatnonzero(what < 0), np.flatnonzero(what >= 0)
    t, kind = moments(day, hours(c, inst, w.hour[psn], rng)), c.visit_kind(inst)
    book.add(
        visits(psn, inst, t, np.where(what < 0, SPECIAL, kind), c.dx_of(code)),
        fees(session, "treatment", rng),
        packs(med, what[med], number[med]),
        fees(some((what >= 0) & (kind == OUTPATIENT), 0.5, rng), "registration", rng),
    )
