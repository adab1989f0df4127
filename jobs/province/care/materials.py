"""Needles, dressings, bags: what people in long treatment buy beside their drugs."""

from functools import cache

import numpy as np

from jobs.province.arrays.draws import Floats, Ints
from jobs.province.arrays.sampling import WeightedLists
from jobs.province.arrays.shapes import Lines
from jobs.province.care.catalogue import SERVICES, USES
from jobs.province.care.fees import service_lines

#: what anyone may need, and what belongs to an illness
_COMMON = ("医用敷料", "一次性针头", "医用胶带", "棉签碘伏", "引流袋")
_OF_USE = {
    "diabetes": ("血糖试纸", "一次性胰岛素针头"),
    "copd": ("雾化面罩",),
    "asthma": ("雾化面罩",),
    "bowel_cancer": ("造口袋",),
    "prostate": ("引流袋",),
}


def material_lines(
    visit: Ints, use: Ints, buyer: Floats, chance: Floats, which: Floats, share: float, often: float
) -> Lines:
    """Materials on some visits of those who buy any.

    Args:
        visit: the visits that may have some.
        use: what each is for.
        buyer: a number in [0, 1) that is always the same for a person.
        chance: in [0, 1), of the visit.
        which: in [0, 1), of the visit.
        share: of people who buy materials.
        often: how often they do, as a share of their visits.
    """
    bought = np.flatnonzero((buyer < share) & (chance < often))
    service = _lists().one(use[bought], which[bought])
    return service_lines(visit[bought], service)


@cache
def _lists() -> WeightedLists:
    """Materials by use; those of the illness are likelier."""
    number = {str(name): row for row, name in enumerate(SERVICES.name)}
    common = [number[name] for name in _COMMON]
    lists = []
    for word in USES:
        own = [number[name] for name in _OF_USE.get(word, ())]
        weights = np.array([4.0] * len(own) + [1.0] * len(common))
        lists.append((np.array([*own, *common]), weights))
    return WeightedLists.of(lists)
