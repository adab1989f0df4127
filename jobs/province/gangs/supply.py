"""How long the boxes last that a gang has bought with each card, so that no card buys too much of a drug."""

from dataclasses import replace

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Floats, Ints
from jobs.province.arrays.sampling import rank_within
from jobs.province.arrays.shapes import Lines
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.gangs.at_work import GangAtWork
from jobs.province.gangs.outings import Outings

#: so much of what may lie ahead has to be used up before a box is bought that lasts longer than all of it
_USED_UP = 1 / 3


class Supply:
    """The day until which the supply of each ingredient lasts, by card; a gang's months follow each other."""

    def __init__(self, cards: int) -> None:
        self._ingredients = int(CATALOGUE.therapy.max()) + 1
        self._until = np.full(cards * self._ingredients, -np.inf)

    def granted(
        self, card: Ints, drug: Ints, day: Ints, boxes: Floats, cover_days: float
    ) -> Floats:
        """How many of the boxes are bought, so that the supply goes at most so many days ahead.

        Args:
            card: row of the gang's cards.
            drug: index into the catalogue.
            day: of the purchase; never before that of an earlier call.
            boxes: as many as are wanted.
            cover_days: how far ahead the supply of an ingredient may go.
        """
        key = card * self._ingredients + CATALOGUE.therapy[drug]
        lasts = CATALOGUE.days_per_box[drug]
        turn = rank_within(key)
        given = np.zeros(len(boxes))
        for number in range(int(turn.max(initial=-1)) + 1):
            rows = np.flatnonzero(turn == number)
            ahead = np.maximum(self._until[key[rows]] - day[rows], 0.0)
            room = np.floor((cover_days - ahead) / lasts[rows])
            room = np.where(ahead <= cover_days * _USED_UP, np.maximum(room, 1.0), room)
            bought = np.clip(room, 0.0, boxes[rows])
            given[rows] = bought
            until = day[rows] + ahead + bought * lasts[rows]
            self._until[key[rows]] = np.where(bought > 0, until, self._until[key[rows]])
        return given


def within_supply(gang: GangAtWork, outings: Outings, drugs: Lines, supply: Supply) -> Lines:
    """The drug lines as far as they keep each ingredient near what its label allows."""
    card, day = outings.card[drugs.visit], outings.time[drugs.visit] // DAY
    careful = gang.skill(int(day.min(initial=0)))
    cover_days = gang.settings.skill.cover_days.at(careful)
    boxes = supply.granted(card, drugs.drug, day, drugs.quantity, cover_days)
    days = np.minimum(
        drugs.days, np.maximum(np.round(boxes * CATALOGUE.days_per_box[drugs.drug]), 1)
    )
    return replace(drugs, quantity=boxes, days=days).take(boxes > 0)
