"""Habits while they are being decided: who goes when, where, with whom, and what that looks like."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.care.illness import Health
from jobs.province.people.people import People

#: Group numbers from here on are those of crowds, a range of them for each kind; below it of people.
SHARED_GROUP = 1 << 41
_WEEK = 7.0


@dataclass
class Draft:
    """One entry a person, as in `benign.Habits`; a person in no crowd yet is free."""

    group: Ints
    phase: Floats
    interval: Floats
    home: Ints
    second_share: Floats
    jitter: Floats
    position: Ints
    hour: Ints
    proxy: Ints
    relation: Ints
    doctor_of: Ints
    clinic: Ints
    crowd: Ints
    clock: Ints
    rate: Floats
    #: takes regular drugs and is in no crowd yet
    free: Flags
    #: has an own rhythm, which market days do not change
    bound: Flags
    #: positions, and the benign type that these people have
    types: list[tuple[Ints, str]] = field(default_factory=list)

    @classmethod
    def of(cls, people: People, healthy: Health) -> Self:
        """Nobody in a crowd."""
        count = len(people)
        none = np.full(count, -1)
        return cls(
            group=healthy.group.copy(),
            phase=healthy.phase.copy(),
            interval=healthy.interval.copy(),
            home=healthy.home.copy(),
            second_share=healthy.second_share.copy(),
            jitter=np.full(count, 0.3),
            position=np.zeros(count, np.int64),
            hour=none.copy(),
            proxy=none.copy(),
            relation=none.copy(),
            doctor_of=people.index.copy(),
            clinic=none.copy(),
            crowd=none.copy(),
            clock=np.zeros(count, np.int64),
            rate=np.ones(count),
            free=(healthy.interval > 6) & ~people.elsewhere,
            bound=np.zeros(count, np.bool_),
        )

    def go_together(self, rows: Ints, leader: Ints, group: Ints, position: Ints) -> None:
        """Let people go with a leader: same days, same place, one after the other."""
        weeks = np.maximum(1, np.round(np.maximum(self.interval[leader], 14) / _WEEK))
        self.group[rows] = group
        self.phase[rows] = self.phase[leader]
        self.interval[rows] = weeks * _WEEK
        self.home[rows] = self.home[leader]
        self.jitter[rows] = 0.02
        self.position[rows] = position
        self.free[rows] = False
