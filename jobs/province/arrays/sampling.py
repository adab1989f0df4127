"""Drawing from many weighted lists at once, without a loop over those who draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.province.arrays.draws import Floats, Ints


@dataclass(frozen=True)
class WeightedLists:
    """Lists of numbered things with weights, laid end to end so that one search serves all lists."""

    items: Ints
    #: running sum of the weights over all lists
    edges: Floats
    #: where each list begins on that running sum, and its total weight
    starts: Floats
    totals: Floats

    @classmethod
    def of(cls, lists: Sequence[tuple[Ints, Floats]]) -> "WeightedLists":
        """From (things, weights) of each list."""
        weights = [np.asarray(each[1], np.float64) for each in lists]
        totals = np.array([each.sum() for each in weights])
        return cls(
            items=np.concatenate([np.asarray(each[0], np.int64) for each in lists]),
            edges=np.cumsum(np.concatenate(weights)),
            starts=np.cumsum(totals) - totals,
            totals=totals,
        )

    def one(self, which: Ints, chance: Floats) -> Ints:
        """One thing from the list `which` of each who draws; `chance` in [0, 1). No list may be empty."""
        at = self.starts[which] + chance * self.totals[which]
        found = np.searchsorted(self.edges, at, side="right")
        things: Ints = self.items[np.minimum(found, len(self.items) - 1)]
        return things

    def some(self, which: Ints, counts: Ints, chance: Floats) -> tuple[Ints, Ints]:
        """So many things from the list of each who draws: (who draws, thing).

        Systematic sampling: evenly spaced points on the running sum, so that a thing comes twice only
        if its weight exceeds the distance of two points.
        """
        who, turn = expanded(counts)
        step = self.totals[which] / np.maximum(counts, 1)
        at = self.starts[which][who] + (chance[who] + turn) * step[who]
        found = np.searchsorted(self.edges, at, side="right")
        return who, self.items[np.minimum(found, len(self.items) - 1)]

    def included(self, which: Ints, chance: Floats) -> tuple[Ints, Ints]:
        """Every thing of the list with its weight as the probability (at most 1): (who draws, thing)."""
        total = self.totals[which]
        counts = np.maximum(np.ceil(total - chance), 0).astype(np.int64)
        who, turn = expanded(counts)
        at = self.starts[which][who] + chance[who] + turn
        found = np.searchsorted(self.edges, at, side="right")
        return who, self.items[np.minimum(found, len(self.items) - 1)]


def expanded(counts: Ints) -> tuple[Ints, Ints]:
    """For counts (2, 0, 3): whose turn it is (0, 0, 2, 2, 2) and which (0, 1, 0, 1, 2)."""
    who = np.repeat(np.arange(len(counts)), counts)
    turn = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
    return who, turn


def rank_within(group: Ints) -> Ints:
    """How many-eth of its group each row is, in the order of the rows."""
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], group[order])
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - first
    return rank


def first_of_each(keys: Ints) -> Ints:
    """Rows that are the first with their key, in the order of the rows."""
    _, rows = np.unique(keys, return_index=True)
    return np.sort(rows)
