"""Which drugs people take for what they have, and how much of each."""

from functools import cache

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.arrays.sampling import WeightedLists, first_of_each
from jobs.province.care.catalogue import (
    ANYWHERE,
    CATALOGUE,
    CATEGORIES,
    CONDITIONS,
    HOSPITAL_ONLY,
    USES,
    drugs_for,
)
from jobs.province.people.geography import LEVEL_1
from jobs.province.settings import Settings

MONTH_DAYS = 30.44
_HERB = CATEGORIES.index("herb_tonic")
#: What people with a certificate take beside the drugs for their conditions.
_BESIDE = ("weakness", "gastritis", "insomnia", "osteoarthritis", "dizziness", "hyperlipidaemia")
#: Places in `_drug_lists` of herbs, the dear ones after the cheap ones, and of patent medicines.
_HERBS, _PATENT = 2 * len(USES), 2 * len(USES) + 2
#: Yuan a month.
_DEAR_HERBS = 400.0


def regimens(
    rng: np.random.Generator,
    settings: Settings,
    has: Flags,
    treated: Flags,
    holds: Flags,
    home_sort: Ints,
) -> tuple[Ints, Ints, Floats]:
    """Who takes which drug in how many boxes a day, sorted by person."""
    certs = settings.certificates
    lists, beside = _drug_lists(), np.array([USES.index(word) for word in _BESIDE])
    who, use = np.nonzero(has & treated[:, None])
    mean = np.array([each.drugs for each in CONDITIONS])[use]
    number = 1 + rng.poisson(np.maximum(mean - 1, 0) * np.where(holds[who], 1.3, 0.6))
    if beside.size:
        holders = np.flatnonzero(holds)
        who = np.concatenate([who, np.repeat(holders, len(beside))])
        use = np.concatenate([use, np.tile(beside, len(holders))])
        number = np.concatenate([number, rng.integers(0, 3, len(holders) * len(beside))])
    which = np.where(holds[who], len(USES), 0) + use
    # Nearly everyone with a certificate takes one or two patent medicines as well.
    fond = np.flatnonzero(holds & (rng.random(len(holds)) < 0.8))
    who = np.concatenate([who, fond])
    use = np.concatenate([use, np.full(len(fond), -1)])
    which = np.concatenate([which, np.full(len(fond), _PATENT)])
    number = np.concatenate([number, 1 + (rng.random(len(fond)) < 0.3)])
    row, drug = lists.some(which, number, rng.random(len(which)))
    taker = who[row]
    in_hospital = home_sort[taker] <= LEVEL_1
    fits = in_hospital | (CATALOGUE.channel[drug] == ANYWHERE)
    # Injections in the vein belong to stays, not to what is taken at home.
    fits &= (CATALOGUE.channel[drug] != HOSPITAL_ONLY) | (rng.random(len(drug)) < 0.06)
    taker, drug, use = taker[fits], drug[fits], use[row][fits]
    # The drugs for what one is certified to have come first, those beside it last.
    rank = rng.random(len(taker)) + 2.0 * np.isin(use, beside) + 0.5 * (use < 0)
    order = np.lexsort((rank, taker))
    order = order[first_of_each((taker * (1 << 20) + CATALOGUE.therapy[drug])[order])]
    taker, drug = taker[order], drug[order]
    boxes = 1.0 / CATALOGUE.days_per_box[drug]
    herbs = rng.random(len(has)) < certs.herbal_share
    wanted = certs.monthly_cost * rng.lognormal(0, certs.monthly_cost_spread, len(has))
    herbal = certs.herbal_cost * rng.lognormal(0, certs.herbal_cost_spread, len(has))
    herbal = np.where(herbs, np.minimum(herbal, 0.68 * wanted), 0.0)
    budget = np.where(holds, wanted - herbal, np.inf)
    keep = _within(taker, CATALOGUE.price[drug] * boxes * MONTH_DAYS, budget)
    taker, drug, boxes = taker[keep], drug[keep], boxes[keep]
    cost = np.bincount(taker, CATALOGUE.price[drug] * boxes * MONTH_DAYS, minlength=len(has))
    with np.errstate(divide="ignore", invalid="ignore"):
        dose = np.where(holds, np.clip(budget / cost, 0.6, 1.7), rng.lognormal(0, 0.12, len(has)))
    most = CATALOGUE.monthly_max_boxes[drug] / MONTH_DAYS
    boxes = np.minimum(boxes * dose[taker], most)
    takers = np.flatnonzero(holds & (herbal > 0))
    # Who spends much takes the dearer ones.
    dear = herbal[takers] > _DEAR_HERBS
    decoction = lists.one(np.where(dear, _HERBS + 1, _HERBS), rng.random(len(takers)))
    amount = herbal[takers] / CATALOGUE.price[decoction] / MONTH_DAYS
    taker = np.concatenate([taker, takers])
    drug = np.concatenate([drug, decoction])
    boxes = np.concatenate([boxes, amount])
    order = np.argsort(taker, kind="stable")
    return taker[order], drug[order], boxes[order]


def _within(taker: Ints, cost: Floats, budget: Floats) -> Flags:
    """Rows of each taker until the budget is spent; the first always."""
    total = np.cumsum(cost)
    first = np.concatenate([[True], taker[1:] != taker[:-1]]) if len(taker) else np.empty(0, bool)
    before = total - cost
    start = before[first][np.cumsum(first) - 1] if len(taker) else before
    kept: Flags = (before - start < 0.9 * budget[taker]) | first
    return kept


@cache
def _drug_lists() -> WeightedLists:
    """For each use its drugs as usual, and as those with a certificate get them; then herbs, then patents."""
    cost = CATALOGUE.price * MONTH_DAYS / CATALOGUE.days_per_box
    no_herb = CATALOGUE.category != _HERB
    lists = [(drugs_for(use), CATALOGUE.weight[drugs_for(use)]) for use in range(len(USES))]
    for use in range(len(USES)):
        found = drugs_for(use)[no_herb[drugs_for(use)]]
        # Where the fund pays nine tenths, brands are preferred to cheap generics.
        lists.append((found, CATALOGUE.weight[found] * np.sqrt(np.minimum(cost[found], 600.0))))
    herbs = np.flatnonzero(CATALOGUE.category == _HERB)
    lists.append((herbs, CATALOGUE.weight[herbs] / CATALOGUE.price[herbs]))
    lists.append((herbs, CATALOGUE.weight[herbs] / np.sqrt(CATALOGUE.price[herbs])))
    patent = CATALOGUE.chronic & (CATALOGUE.category == CATEGORIES.index("tcm_patent"))
    found = np.flatnonzero(patent)
    lists.append((found, CATALOGUE.weight[found]))
    return WeightedLists.of(lists)
