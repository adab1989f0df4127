"""The people of the city: households, ages, places they go to, illnesses and therapies."""

import numpy as np

from benchmarks.provinces.harbour.arrays import NEVER, expand
from benchmarks.provinces.harbour.city import City
from benchmarks.provinces.harbour.params import Params
from benchmarks.provinces.harbour.types import Arr, Bools, Columns, Ints, Rng

SEVERE = ("dialysis", "transplant", "cancer")
WORKER, RETIRED, RESIDENT, CHILD = range(4)
PLACES = ("hospital", "clinic", "village", "pharmacy", "dtp")
#: How many days of the label's dose somebody takes in a day.
DOSES = [0.5, 0.8, 1, 1, 1, 1.3, 1.7]


class World:
    """Parameters p, the city c and its people as arrays, known by index.

    Insured people lie below `insured`, visitors below `total`, others up to `with_extra`.
    benign: pairs of person and habit; fav: the usual place of each type; dev: whose phone one shows;
    cert_pref: 1 e-voucher, 2 identity card, 3 insurance card; certs: tuples of person, illness,
    day, institution and doctor; therapies: a row each; bundles: therapies fetched together.
    """

    def __init__(self, p: Params, c: City, rng: Rng) -> None:
        self.p, self.c, self.insured = p, c, p.members
        self.total = n = self.insured + max(5, self.insured // 150)
        self.with_extra = n + max(20, self.insured // 60)
        self.benign: list[tuple[int, str]] = []
        self.certs: list[tuple[int, int, int, int, int]] = []
        rank = self._households(rng)
        age, spouse, one = self.age, self.spouse, np.arange(n)
        aged = (age > 80) & (rng.random(n) < 0.4)
        tel = np.where((age < 16) | aged, np.maximum(one - rank, 0), one)
        others = np.arange(n, self.with_extra)
        self.tel, self.addr = np.append(tel, others), np.append(self.house, others)
        self.sex = np.where(rng.random(n) < 0.002, 9, rng.integers(1, 3, n))
        self.frail = rng.lognormal(-0.25, 0.7, n)
        self.fav = {kind: self._nearby(kind, rng) for kind in PLACES}
        voucher = rng.random(n) < np.where(age < 45, 0.65, 0.25)
        self.cert_pref = np.where(voucher, 1, np.where(rng.random(n) < 0.2, 2, 3))
        self.dev = np.where((age > 72) & (spouse >= 0) & (rng.random(n) < 0.3), spouse, one)
        self.hour = np.clip(rng.normal(10.6, 2.2, n), 7.5, 20)
        self.death = self._sometime(0.009 * (age > 68), rng)
        self.paused = self._sometime(np.where(self.migrant, 0.06, 0.008), rng)
        self.therapies: Columns = {}
        pairs, first = _therapies(self, rng)
        inst = _usual_place(self, first, rng)
        _certificates(self, pairs, rng)
        self.bundles = _bundles(self, first, inst, rng)

    def _households(self, rng: Rng) -> Ints:
        """Houses, ages, work and couples; each person's rank in the house."""
        n = self.total
        size = rng.choice([1, 2, 3, 4, 5], n, p=[0.27, 0.28, 0.23, 0.14, 0.08])
        house, rank = (column[:n] for column in expand(size))
        self.house = house
        m = house.max() + 1
        self.migrant = (rng.random(m) < 0.35)[house] & (size[house] == 1)
        head = rng.choice([30, 40, 60, 74], m, p=[0.3, 0.3, 0.2, 0.2]) + rng.normal(0, 7, m)
        head = np.clip(head, 20, 96)[house]
        partner = head + rng.normal(0, 2.5, n) * rank
        age = np.where(rank < 2, partner, head + rng.choice([-27, -29, 26], n))
        young = rng.uniform(18, 52, n)
        self.age = age = np.where(self.migrant, young, np.clip(np.abs(age), 0, 99))
        employed = rng.random(n) < np.where(self.migrant, 0.85, 0.55)
        grown = np.where(employed, np.where(age >= 58, RETIRED, WORKER), RESIDENT)
        self.kind = np.where(age < 20, CHILD, grown)
        district = rng.choice(8, m, p=rng.dirichlet(np.full(8, 6)))
        self.district = district[house]
        self.xy = (self.c.centre[district] + rng.normal(0, 0.05, (m, 2)))[house]
        self.spouse = np.full(n, -1)
        i = np.flatnonzero((rank[1:] == 1) & (house[1:] == house[:-1]) & (age[1:] > 22))
        self.spouse[i], self.spouse[i + 1] = i + 1, i
        return rank

    def _sometime(self, share: Arr, rng: Rng) -> Ints:
        """A random day for a share of the people, never for the others."""
        n = self.total
        return np.where(rng.random(n) < share, rng.integers(0, self.p.days, n), NEVER)

    def _nearby(self, kind: str, rng: Rng) -> Ints:
        """A place of a type for each person: near (less so for special drugs), crowded, by taste."""
        among, c = self.c.of_type(kind), self.c
        km = 100 * np.hypot(*(self.xy[:, None] - c.inst_xy[among][None]).transpose(2, 0, 1))
        crowd = np.log(c.crowd[among])
        liking = -km / (3 * (3.0 if kind == "dtp" else 1.2)) + crowd + rng.gumbel(0, 1, km.shape)
        return np.asarray(among[np.argmax(liking, axis=1)])

    def tag(self, who: Arr, habit: str) -> None:
        """Note that these people have this habit."""
        self.benign += [(int(i), habit) for i in np.unique(who)]

    def pick(self, habit: str, ok: Bools, rng: Rng, per: float = 1, tag: bool = True) -> Ints:
        """Random insured people who get a habit (one for each `per` people that will have it)."""
        pool = np.flatnonzero(ok[: self.insured])
        mean = self.p.habit[habit] / per * self.p.benign * self.insured
        who = rng.choice(pool, min(len(pool), rng.poisson(mean)), replace=False)
        if tag:
            self.tag(who, habit)
        return who

    def gone(self) -> Ints:
        """The day on which each person died, left, or the data end."""
        return np.minimum(np.minimum(self.death, self.paused), self.p.days)


def _therapies(w: World, rng: Rng) -> tuple[Ints, Ints]:
    """Illnesses and their drugs; pairs (person * 64 + illness), and each bundle's first therapy."""
    p, c = w.p, w.c
    found: list[tuple[Ints, ...]] = []
    for k, name in enumerate(c.ill):
        share = np.interp(w.age, [18, 30, 50, 70], [0, *c.ill_share[k]])
        share = share * np.clip(w.frail, 0.3, 2.5) * (p.benign if name in SEVERE else 1)
        who = np.flatnonzero((rng.random(w.total) < share)[: w.insured])
        if name in SEVERE:
            w.tag(who, name)
        for slot, choices in enumerate(c.ill_slots[k]):
            got = who[rng.random(len(who)) < (1 if slot == 0 else 0.48)]
            odds = np.sqrt(c.days[choices] / c.price[choices])  # dear alternatives are rarer
            drug = rng.choice(choices, len(got), p=odds / odds.sum())
            found.append((got, np.full(len(got), k), drug, rng.choice(choices, len(got))))
    psn, ill, drug, other = (np.concatenate(column) for column in zip(*found))
    keep = np.unique(psn * 100 + drug, return_index=True)[1]  # one therapy of a drug a person
    psn, ill, drug, other = psn[keep], ill[keep], drug[keep], other[keep]
    pairs, same = np.unique(psn * 64 + ill, return_inverse=True)
    alone = (rng.random(len(pairs))[same] < 0.4) | (c.ill_home[ill] != "any")
    bundle_of = psn * 64 + np.where(alone, ill + 1, 0)
    _, first, bundle = np.unique(bundle_of, return_index=True, return_inverse=True)
    w.therapies = {"psn": psn, "ill": ill, "drug": drug, "alt": other, "bundle": bundle}
    w.therapies["dose"] = rng.choice(DOSES, len(psn))
    return pairs, first


def _usual_place(w: World, first: Ints, rng: Rng) -> Ints:
    """Where each bundle is fetched."""
    psn, home = w.therapies["psn"][first], w.c.ill_home[w.therapies["ill"][first]]
    r = rng.random(len(first))
    fav = {kind: places[psn] for kind, places in w.fav.items()}
    near = np.where(np.isin(w.district[psn], [6, 7]), fav["village"], fav["clinic"])
    special = np.where(r < 0.55, fav["dtp"], fav["hospital"])
    return np.select(
        [home == "hospital", home == "dtp", r < 0.36, r < 0.68],
        [fav["hospital"], special, fav["hospital"], fav["pharmacy"]],
        near,
    )


def _certificates(w: World, pairs: Ints, rng: Rng) -> None:
    """Certificates of special diseases for most of the severely ill and some of the others."""
    psn, ill = pairs // 64, pairs % 64
    share = np.where(w.c.ill_home[ill] == "any", 0.3, 0.85)
    sel = (w.c.ill_special[ill] != "") & (rng.random(len(psn)) < share)
    hospital = w.fav["hospital"][psn[sel]]
    for i, k, inst in zip(psn[sel].tolist(), ill[sel].tolist(), hospital.tolist()):
        day = int(rng.integers(-900, w.p.days if rng.random() < 0.25 else 0))
        w.certs.append((i, k, day, inst, w.c.doctor(inst, rng)))


def _bundles(w: World, first: Ints, inst: Ints, rng: Rng) -> Columns:
    """Bundles of therapies with their rhythm; habits change them later."""
    m, psn = len(first), w.therapies["psn"][first]
    bundles = {
        "psn": psn,
        "ill": w.therapies["ill"][first],
        "inst": inst,
        "gap": rng.choice([14, 28, 28, 28, 30, 30, 42, 56], m) * rng.lognormal(0, 0.06, m),
        "phase": rng.uniform(0, 30, m),
        "wobble": rng.choice([1.0, 3.0, 6.0], m),
        "adhere": rng.lognormal(-0.12, 0.28, m),
        "group": np.arange(m) + 10**6,
        "hour": w.hour[psn] + rng.normal(0, 0.4, m),
        "cert": np.isin(psn, [x[0] for x in w.certs]),
    }
    others = (
        (0.0, ("minute", "proxy_p", "roam", "away")),
        (-1, ("proxy", "dev")),
        (0, ("rel",)),
        (False, ("new_doc", "market", "yearend")),
        (NEVER, ("travel", "switch")),
    )
    return bundles | {name: np.full(m, value) for value, names in others for name in names}
