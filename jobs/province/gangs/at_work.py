"""One gang as its visits are made: its accounts, where it takes them, and what it deals in."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.arrays.sampling import WeightedLists
from jobs.province.care.catalogue import (
    ANYWHERE,
    CATALOGUE,
    CATEGORIES,
    CONDITIONS,
    DUAL_CHANNEL,
)
from jobs.province.gangs.gangs import (
    TYPOLOGIES,
    Cards,
    Colluders,
    Customers,
    Gangs,
    Members,
    Plan,
    Province,
)
from jobs.province.gangs.settings import GangSettings, Goods, Ladder, Typology
from jobs.province.people.geography import attraction
from jobs.province.settings import CELL_PEOPLE

#: the common drugs that the reports name: 达克宁, 速效救心丸, 三金片
_COMMON = ("达克宁", "速效救心丸", "三金片", "双歧杆菌")
#: the gang's own taste among drugs and among institutions (deviations of the logarithm)
_DRUG_TASTE = 0.9
_CARD_TASTE = 1.0
#: power of size and nearness for a gang of its own choice: it spreads over what is in reach
_ANYWHERE_NEAR = 0.5
#: drugs that tell the illnesses of a card whose holder has none
_COVER = 3
#: drugs that any pharmacy has, so that there is always something to buy
_ANYWHERE_PRODUCTS = 3


@dataclass(frozen=True)
class GangAtWork:
    """A gang with all that its months need; the people themselves are in the plan."""

    province: Province
    settings: GangSettings
    habits: Typology
    number: int
    #: its row of the plan
    row: Gangs
    cards: Cards
    members: Members
    colluders: Colluders
    customers: Customers
    #: institutions that each card is taken to, and how often to each (rows: cards)
    sites: Ints
    taste: Floats
    #: hour at which its collectors like to set out
    hour: int
    #: how busy it is compared with others of its kind
    activity: float
    #: drugs by card and place: list `2 * card`, and one more for pharmacies
    goods: WeightedLists

    @property
    def typology(self) -> int:
        """Index into `TYPOLOGIES`."""
        return int(self.row.typology[0])

    def skill(self, day: int) -> float:
        """How careful it has become by a day."""
        years = max(0, day - int(self.row.start_day[0])) / 365
        learnt = self.settings.skill.learnt_per_year * years
        return min(1.0, float(self.row.skill[0]) + learnt)


def gang_at_work(province: Province, settings: GangSettings, plan: Plan, number: int) -> GangAtWork:
    """One gang of the plan."""
    row = plan.gangs.take(np.array([number]))
    habits = settings.typology(TYPOLOGIES[int(row.typology[0])])
    cards = plan.cards.take(plan.cards.gang == number)
    rng = generator(province.seed, "at work", number)
    skill = float(row.skill[0])
    care = settings.skill
    few = habits.habits.institutions * care.places.at(skill)
    sites, taste = _sites(
        rng, province, habits, int(row.cell[0]), cards, few, care.near_home.at(skill)
    )
    return GangAtWork(
        province=province,
        settings=settings,
        habits=habits,
        number=number,
        row=row,
        cards=cards,
        members=plan.members.take(plan.members.gang == number),
        colluders=plan.colluders.take(plan.colluders.gang == number),
        customers=plan.customers.take(plan.customers.gang == number),
        sites=sites,
        taste=taste,
        hour=int(rng.integers(8, 17)),
        activity=float(np.exp(settings.skill.gang_spread * rng.standard_normal())),
        goods=_goods(rng, settings, habits, skill, cards),
    )


def sold_at(drug: Ints, pharmacy: Flags, dual: Flags) -> Flags:
    """Whether places may dispense drugs: pharmacies not all of them, dual-channel ones more."""
    channel = CATALOGUE.channel[drug]
    free: Flags = ~pharmacy | (channel == ANYWHERE) | (dual & (channel == DUAL_CHANNEL))
    return free


def is_common(word: str) -> bool:
    """Whether a drug is among those that the police reports name."""
    return any(common in word for common in _COMMON)


def resale_wish(ladder: Ladder, goods: Goods) -> Floats:
    """How much each drug of the catalogue is wanted for resale."""
    return _profit(ladder) * _kind_weights(goods)


def _sites(
    rng: np.random.Generator,
    province: Province,
    habits: Typology,
    cell: int,
    cards: Cards,
    few: float,
    near_home: float,
) -> tuple[Ints, Floats]:
    """Each card's few places, near the gang's home or near its holder's, and its taste among them."""
    institutions, likely = _in_reach(province, habits, cell, _ANYWHERE_NEAR)
    known = min(len(institutions), round(0.5 + few))
    key = np.log(likely) + rng.gumbel(size=len(likely))
    chosen = np.argsort(-key)[:known]
    # The fewer institutions a card is to see, the more unequal the shares.
    shape = 0.6 * few / known
    taste = rng.gamma(shape, 1.0, (len(cards), known)) + 1e-6
    taste *= np.sqrt(likely[chosen] / likely[chosen].max())
    homes, which = np.unique(cards.person // CELL_PEOPLE, return_inverse=True)
    near = WeightedLists.of([_in_reach(province, habits, int(home), 1.0) for home in homes])
    own = near.one(np.repeat(which, known), rng.random(len(cards) * known)).reshape(-1, known)
    at_home = rng.random((len(cards), known)) < near_home
    sites: Ints = np.where(at_home, own, institutions[chosen])
    return sites, taste


def _in_reach(province: Province, habits: Typology, cell: int, power: float) -> tuple[Ints, Floats]:
    """Institutions of the sorts that the gang prefers, and how likely each is near a neighbourhood.

    At power 1 people choose like that by size and nearness; below it these count less.
    """
    sorts = np.array(habits.habits.sorts)
    found, weight = [], []
    for sort in np.flatnonzero(sorts):
        near, drawn = attraction(province.places, cell, int(sort))
        found.append(near)
        weight.append(sorts[sort] * (drawn / drawn.max()) ** power if len(near) else drawn)
    return np.concatenate(found), np.concatenate(weight)


def _goods(
    rng: np.random.Generator, settings: GangSettings, habits: Typology, skill: float, cards: Cards
) -> WeightedLists:
    """Each card's drugs at hospitals and at pharmacies; the careful mind what the holder has."""
    wish = resale_wish(settings.ladder, habits.goods)
    # What costs more than a whole visit may draws attention.
    wish = wish * np.minimum(1, 1.2 * habits.habits.amount.median / CATALOGUE.price) ** 2
    wish = wish * np.exp(_DRUG_TASTE * rng.standard_normal(len(wish)))
    key = np.log(np.maximum(wish, 1e-300)) + rng.gumbel(size=len(wish))
    # The careful deal in more, a little of each.
    dealt = np.argsort(-key)[: round(habits.habits.products * (1 + skill))]
    free = np.argsort(-np.where(CATALOGUE.channel == ANYWHERE, key, -np.inf))[:_ANYWHERE_PRODUCTS]
    products = np.union1d(dealt, free)
    care = settings.skill
    use = CATALOGUE.use[products]
    bit = np.where(use < len(CONDITIONS), 1 << np.minimum(use, len(CONDITIONS) - 1), 0)
    # Who has nothing to be treated for gets something that the gang's drugs are for.
    has_none = (cards.conditions & np.bitwise_or.reduce(bit)) == 0
    cover = np.bitwise_or.reduce(bit[rng.integers(0, len(bit), (len(cards), _COVER))], axis=1)
    fits = (np.where(has_none, cover, cards.conditions)[:, None] & bit) != 0
    shape = (len(cards), len(products))
    likely = np.sqrt(wish[products]) * np.exp(_CARD_TASTE * rng.standard_normal(shape))
    likely = likely * np.where(fits, care.fitting.at(skill), 1.0)
    # What the holder gets himself comes on top: the careful leave it to him.
    mine = CATALOGUE.therapy[np.maximum(cards.own_drugs, 0)][:, :, None]
    taken = ((mine == CATALOGUE.therapy[products]) & (cards.own_drugs[:, :, None] >= 0)).any(axis=1)
    likely = likely * np.where(taken & ~cards.handed_over[:, None], 1 - 0.95 * skill, 1.0)
    good_for = min(round(care.products.at(skill)), len(products))
    least = np.sort(likely, axis=1)[:, -good_for]
    likely = np.where(likely >= least[:, None], likely, 0.03 * likely)
    anywhere = CATALOGUE.channel[products] == ANYWHERE
    lists = []
    for card in range(len(cards)):
        lists.append((products, likely[card]))
        lists.append((products[anywhere], likely[card][anywhere]))
    return WeightedLists.of(lists)


@cache
def _profit(ladder: Ladder) -> Floats:
    """Yuan a box between what the holder pays and what the dealer gets; nothing below the collector's price."""
    street = np.nan_to_num(CATALOGUE.resale_ratio)
    top = np.minimum(street, ladder.dealer_pays)
    gain = np.where(street >= ladder.collector_pays, top - ladder.self_pay, 0.0)
    profit: Floats = np.maximum(gain, 0) * np.sqrt(CATALOGUE.price) * np.sqrt(CATALOGUE.weight)
    return profit


@cache
def _kind_weights(goods: Goods) -> Floats:
    """The typology's weight of each drug's kind, over the number of drugs of the kind."""
    category = CATALOGUE.category
    common = np.array([is_common(str(name)) for name in CATALOGUE.name])
    kinds = (
        (common, goods.common),
        (CATALOGUE.cold_chain, goods.cold_chain),
        (category == CATEGORIES.index("herb_tonic"), goods.tonic),
        (category == CATEGORIES.index("tcm_injection"), goods.injection),
        (category == CATEGORIES.index("tcm_patent"), goods.patent),
        (CATALOGUE.chronic, goods.chronic),
    )
    weights = np.zeros(len(CATALOGUE))
    taken = np.zeros(len(CATALOGUE), np.bool_)
    sold = np.nan_to_num(CATALOGUE.resale_ratio) > 0
    for mask, weight in kinds:
        mine = mask & ~taken & sold
        weights[mine] = weight / max(1, int(mine.sum()))
        taken |= mask
    return weights
