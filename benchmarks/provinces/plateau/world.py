"""The static world: places, institutions, doctors, households, illnesses, habits."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from benchmarks.provinces.plateau import catalogue as cat
from benchmarks.provinces.plateau.settings import Arr, Ints, Settings


class Kind(IntEnum):
    """Kinds of institutions."""

    HOSPITAL, CLINIC, PHARMACY, VILLAGE = range(4)


class Along(IntEnum):
    """How somebody's carer goes along."""

    SELF, FAMILY, NEIGHBOUR, STAFF, COUPLE = range(5)


def groups(key: Arr) -> dict[int, Arr]:
    """Members of each group, by group number."""
    order = np.argsort(key, kind="stable")
    values, start = np.unique(key[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, start[1:])))


class World:
    """Arrays of places (p_), institutions (i_), doctors (doc_) and people, and of the pairs of a person
    and a drug taken for long (t_person, t_drug and what goes with them).
    """

    def __init__(self, s: Settings) -> None:
        self.s, self.rng = s, s.rng(1)
        self.habit: dict[str, Ints] = {}
        steps = (self.make_places, self.make_people, self.make_institutions, self.make_favourites)
        for make in (*steps, self.make_carers, self.make_habits, self.make_illness):
            make()
        self.make_treatment()

    def make_places(self) -> None:
        """One city, county towns around it, villages around the towns; each has a weekday of market and bus."""
        r, heads = self.rng, self.s.members
        towns, villages = int(np.clip(heads // 7000, 2, 9)), int(np.clip(heads // 700, 3, 400))
        angle, dist = r.uniform(0, 2 * np.pi, towns), r.uniform(0.35, 1.1, towns)
        parent = r.integers(0, towns + 1, villages)
        lat = np.r_[36.6, 36.6 + dist * np.sin(angle)]
        lon = np.r_[101.7, 101.7 + 1.2 * dist * np.cos(angle)]
        self.county = np.r_[np.arange(towns + 1), parent]
        self.p_kind = np.repeat([0, 1, 2], [1, towns, villages])
        self.p_lat = np.r_[lat, lat[parent] + r.normal(0, 0.12, villages)]
        self.p_lon = np.r_[lon, lon[parent] + r.normal(0, 0.15, villages)]
        in_towns, in_villages = (r.dirichlet(np.full(n, k)) for n, k in ((towns, 6), (villages, 4)))
        self.p_pop = np.r_[0.33, in_towns * 0.32, in_villages * 0.35]
        self.places, self.market = len(self.p_kind), r.integers(0, 7, len(self.p_kind))

    def make_people(self) -> None:
        """Households of one to six; a few people insured elsewhere live here too."""
        r, m = self.rng, self.s.members
        self.n = n = m + max(m // 150, 3)
        size = r.choice(np.arange(1, 7), n, p=[0.12, 0.30, 0.25, 0.19, 0.09, 0.05])
        hh = np.repeat(np.arange(n), size)[:n]
        first = np.searchsorted(hh, np.arange(hh[-1] + 1))
        self.rank, head = np.arange(n) - first[hh], r.normal(51, 17, len(first)).clip(21, 92)[hh]
        kin = head + r.normal(0, 4, n) + np.where(r.random(n) < 0.3, 26, -27)
        second = head + r.normal(-1, 3, n)
        self.age = np.select([self.rank == 0, self.rank == 1], [head, second], kin).clip(1, 97)
        self.male = r.random(n) < 0.5
        self.male[self.rank == 1] = ~self.male[np.flatnonzero(self.rank == 1) - 1]
        self.hh = r.permutation(hh[-1] + 1)[hh]
        self.place = r.choice(self.places, len(first), p=self.p_pop)[hh]
        self.from_village = self.p_kind[self.place] == 2  # also of those who move to a nursing home
        heads = self.p_pop[self.place] * n
        blocks, firms = (np.maximum((heads / k).astype(int), 1) for k in (90, 50))
        self.block = self.place * 10000 + (self.hh % 997) % blocks
        employed = np.array([0.65, 0.5, 0.12])[self.p_kind[self.place]]
        jobs = (self.age > 18) & (self.age < 60) & (r.random(n) < employed)
        self.work = np.where(jobs, self.place * 1000 + r.integers(0, firms), -1)
        self.employee = jobs & (r.random(n) < 0.8)
        self.employee |= (self.age >= 60) & (r.random(n) < 0.3)
        self.home = r.permutation(np.arange(n) < m)  # insured here; follows no household
        self.lat = self.p_lat[self.place] + r.normal(0, 0.012, n)
        self.lon = self.p_lon[self.place] + r.normal(0, 0.012, n)
        self.frail = r.gamma(1.6, 1 / 1.6, n) * (0.6 + self.age / 90)
        self.greed = r.beta(1.2, 4, n)  # readiness to sell one's card
        self.phone, self.addr = np.arange(n), self.hh.copy()
        self.voucher = r.random(n) < self.s.voucher_share * np.where(self.age > 65, 0.5, 1.2)

    def make_institutions(self) -> None:
        """Hospitals, clinics, pharmacies and village rooms, each with doctors, prices and habits of scanning."""
        r, s = self.rng, self.s
        rows = [(kind, 0, False) for kind in np.repeat(range(4), [2, 1, 5, 0]).tolist()]
        for place, kind in enumerate(self.p_kind):
            heads = self.p_pop[place] * s.members
            if kind < 2:
                hospitals = max(2, int(heads // 6000)) if kind == 0 else 1
                shops = max(2, int(heads / 800 * s.density))
                number = (hospitals, max(1, int(heads / 1600)), shops, 0)
            else:
                number = (0, int(r.random() < 0.2), int(r.random() < 0.3 * s.density), 1)
            rows += [(t, place, True) for t in range(4) for _ in range(number[t])]
        n, order = len(rows), r.permutation(len(rows))
        t, p, home = (np.array(x)[order] for x in zip(*rows))
        self.i_type, self.i_place, self.i_home, self.insts = t, p, home, n
        self.i_lat = np.round(self.p_lat[p] + r.normal(0, 0.015, n) - np.where(home, 0, 1.6), 2)
        self.i_lon = np.round(self.p_lon[p] + r.normal(0, 0.015, n) + np.where(home, 0, 2.1), 2)
        hospital, pharmacy = t == Kind.HOSPITAL, t == Kind.PHARMACY
        in_city = hospital & (self.p_kind[p] == 0)
        self.i_level = np.select([pharmacy, in_city, hospital], [9, 3, 2], 1)
        self.i_dual = pharmacy & (r.random(n) < 0.25)
        self.i_cap = np.select([hospital, self.i_dual, pharmacy], [0, 6000, 800], 500)
        self.i_price = r.normal(1, 0.05, n).clip(0.85, 1.2) * s.price_level
        self.i_busy = r.lognormal(0, 0.4, n)
        # share of boxes scanned before and after scanning is a duty
        self.i_scan = np.where(r.random(n) < s.scan_early, r.uniform(0.6, 0.98, n), 0)
        self.i_late_scan = r.uniform(0.85, 0.995, n)
        careless = r.random(n) < min(0.05 * s.benign, 1)
        self.i_careless = np.where(careless, r.uniform(0.01, 0.05, n), 0)
        self.i_notes = np.clip(r.normal(s.proxy_noted, 0.2, n), 0.05, 0.98)
        staff = [r.integers(8, 20, n), r.integers(1, 4, n)]
        self.doc_num = np.select([hospital, t == Kind.CLINIC], staff, 1)
        self.doc_first = np.r_[0, np.cumsum(self.doc_num)[:-1]]
        self.doc_inst = np.repeat(np.arange(n), self.doc_num)
        self.doc_day = r.integers(0, 5, len(self.doc_inst))

    def km(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> Arr:
        """Kilometres from points to every institution."""
        north = np.asarray(lat)[..., None] - self.i_lat
        east = np.asarray(lon)[..., None] - self.i_lon
        return np.asarray(111 * np.hypot(north, 0.8 * east))

    def make_favourites(self) -> None:
        """Two pharmacies, a clinic or village room and a hospital for everyone, mostly near, and a doctor in each."""
        r, far, everyone = self.rng, self.km(self.p_lat, self.p_lon), np.arange(self.n)
        taste = r.gumbel(0, 0.9, (self.n, self.insts))
        score = -far[self.place] / 6 + np.log(self.i_busy) + taste - 1e9 * ~self.i_home
        self.fav = np.empty((self.n, 4), int)
        near = np.where(self.i_type == Kind.VILLAGE, Kind.CLINIC, self.i_type)
        for col, kind in enumerate([Kind.PHARMACY, Kind.PHARMACY, Kind.CLINIC, Kind.HOSPITAL]):
            self.fav[:, col] = (score - 2e9 * (near != kind)).argmax(1)
            score[everyone, self.fav[:, col]] -= 1e9
        # kilometres that keep people from counters where they do not go by themselves
        self.unvisited = 1e6 * (~self.i_home | (self.i_type == Kind.VILLAGE))
        self.near_list = [np.argsort(k)[: max((k < 45).sum(), 3)] for k in far + self.unvisited]
        nth = (r.random(self.fav.shape) * self.doc_num[self.fav]).astype(int)
        self.doctor = self.doc_first[self.fav] + nth

    def pick(self, name: str, mask: Arr, unit: float = 1.0) -> Ints:
        """Give a habit to its share of people among those who may have it."""
        pool = np.flatnonzero(mask & self.home)
        number = min(round(self.s.habits[name] * self.s.members * unit), len(pool))
        self.habit[name] = self.rng.choice(pool, number, replace=False)
        return self.habit[name]

    def make_carers(self) -> None:
        """Couples, people who fetch for relatives or neighbours, and homes with their staff."""
        r, n, adult = self.rng, self.n, (self.age > 25) & (self.age < 75)
        self.carer, self.along = np.full(n, -1), np.zeros(n, int)
        self.homes: list[tuple[Ints, Ints]] = []
        wives = self.pick("couple", (self.rank == 1) & (self.age > 45), 0.5)
        self.carer[wives], self.along[wives] = wives - 1, Along.COUPLE
        self.habit["couple"] = np.r_[wives, wives - 1]
        shared = r.random(len(wives)) < 0.5
        self.phone[wives] = np.where(shared, self.phone[wives - 1], self.phone[wives])
        relatives = ("family_carer", Along.FAMILY, 0.45, self.hh)
        neighbours = ("neighbour_carer", Along.NEIGHBOUR, 0.25, self.block)
        for name, kind, unit, key in (relatives, neighbours):
            who, members = list[int](), groups(key)
            for c in self.pick(name, adult & (self.carer < 0), unit).tolist():
                pool = members[key[c]]
                free = (pool != c) & (self.carer[pool] < 0) & (self.carer[c] < 0)
                pool = pool[free & ((self.age[pool] > 50) | (kind == Along.FAMILY))]
                pool = r.permutation(pool)[: r.integers(2, 7)]
                self.carer[pool], self.along[pool] = c, kind
                who += [c, *pool]
            self.habit[name] = np.unique(np.array(who, int))
        beds = self.pick("nursing_home", (self.age > 72) & (self.carer < 0))
        for part in np.array_split(beds, max(len(beds) // 32, 1)) if len(beds) else []:
            town = int(r.choice(np.flatnonzero(self.p_kind < 2)))
            staff = np.flatnonzero((self.place == town) & adult & (self.age < 60) & self.home)
            staff = r.permutation(staff)[:3]
            self.carer[part], self.along[part], self.carer[staff] = staff[0], Along.STAFF, -1
            self.place[part], self.addr[part] = town, 10**7 + int(part[0])
            self.block[part] = 9 * 10**6 + int(part[0])
            for values in (self.lat, self.lon, self.fav, self.doctor):
                values[part] = values[staff[0]]
            self.homes.append((part, staff))

    def make_habits(self) -> None:
        """Village clerks, dormitories, shared phones; the rest of the habits act in `life`."""
        r, age, rural = self.rng, self.age, self.from_village
        self.clerk = np.full(self.n, -1)
        who = self.pick("village_batch", rural & (age > 40))
        villages = np.unique(self.place[who]).tolist()
        clerks = {p: int(r.choice(np.flatnonzero(self.place == p))) for p in villages}
        self.clerk[who] = [clerks[p] for p in self.place[who].tolist()]
        who = self.pick("dormitory", (self.work >= 0) & (age < 45))
        lead = dict(zip(self.work[who].tolist(), who.tolist()))
        boss = np.array([lead[firm] for firm in self.work[who].tolist()], int)
        self.addr[who] = 2 * 10**7 + self.work[who]
        self.phone[who] = np.where(r.random(len(who)) < 0.3, boss, self.phone[who])
        self.fav[who], self.doctor[who] = self.fav[boss], self.doctor[boss]
        who = self.pick("shared_phone", self.rank > 0)
        self.phone[who], self.voucher[who] = self.phone[who - 1], True
        adult, older = (age > 25) & (age < 75), age > 38
        for mask, names in (
            (older, "habits_of_older"),
            (adult, "transplant"),
            (self.work >= 0, "factory_shift"),
            (rural & older, "market_day"),
            (adult & (age < 62), "commuter"),
            (age > 20, "habits_of_grown"),
        ):
            for name in cat.WORDS.get(names, [names]):
                self.pick(name, mask)

    def make_illness(self) -> None:
        """Conditions and certificates."""
        r, habit = self.rng, self.habit
        share = cat.PREVALENCE[np.digitize(self.age, [40, 60])] * self.s.illness
        self.cond = r.random(share.shape) < share * self.frail[:, None].clip(0.3, 2.5)
        self.cond[~self.male, cat.COND["prostate"]] = False
        for name in ("dialysis", "transplant", "cancer"):
            self.cond[habit[name], cat.COND["renal" if name == "dialysis" else name]] = True
        multi = habit["multi_certificate"]
        needy = np.concatenate([habit[k] for k in cat.WORDS["habits_of_treated"]])
        common = [0, 1, 2, 3, 4, 5, 7, 10, 13]
        odds = [0.36, 0.23, 0.12, 0.06, 0.05, 0.03, 0.03, 0.07, 0.05]
        most, some = (needy[r.random(len(needy)) < part] for part in (0.7, 0.3))
        for who in (most, some, multi, multi):
            self.cond[who, r.choice(common, len(who), p=odds)] = True
        self.cert = self.cond & (r.random(self.cond.shape) < cat.CERTIFIED)
        self.cert[multi] = self.cond[multi] & (cat.CERTIFIED > 0)
        self.main_cond = np.where(self.cond.any(1), self.cond.argmax(1), -1)

    def make_treatment(self) -> None:
        """The drugs that people take for long, with dose, adherence and stock at home."""
        r, n, pairs = self.rng, self.n, []
        likely = np.where(np.isin(cat.DAYS, [30, 28, 20, 18]), 0.55, 0.42)
        for c in range(len(cat.COND)):
            who, drugs = np.flatnonzero(self.cond[:, c]), np.flatnonzero(c == cat.DRUG_COND)
            odds = likely[drugs] * (0.6 + 0.4 * self.frail[who, None].clip(0.4, 2))
            take, cancer = r.random((len(who), len(drugs))) < odds, c == cat.COND["cancer"]
            if cancer:  # osimertinib, letrozole; trastuzumab only in courses
                take = r.random(take.shape) < [0.1, 0.3, 0]
            take[np.arange(len(who)), r.integers(0, len(drugs) - cancer, len(who))] = True
            pairs.append(np.column_stack([who[np.nonzero(take)[0]], drugs[np.nonzero(take)[1]]]))
        self.t_person, self.t_drug = r.permutation(np.concatenate(pairs)).T
        self.adherence = r.beta(5, 1.4, n)
        self.dose = r.choice([0.5, 1, 1, 1, 1.5, 2], len(self.t_person))
        self.dose[np.isin(self.t_person, self.habit["double_dose"])] *= 2.2
        self.horizon = r.choice([14, 28, 28, 28, 56, 84], n)
        self.horizon[self.habit["long_prescription"]] = 84
        self.rate = self.dose * self.adherence[self.t_person]
        self.stock = r.random(len(self.t_person)) * self.horizon[self.t_person] * self.dose
        self.sick = np.bincount(self.t_person, minlength=n) > 0
        self.by_person = groups(self.t_person)
        self.value = np.bincount(self.t_person, self.dose * 30 / cat.DAYS[self.t_drug], n)
