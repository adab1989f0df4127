"""When gangs are founded, how large they become, and when a case against them is opened.

Every typology has an endless sequence of gangs, drawn without regard to time. A gang founded takes up
room on a line as long as its accounts; the line runs past at a constant speed, chosen so that as many
accounts as wanted are in use within the window. So the number of active accounts is steady however
heavy the tail of the sizes, and later months never change earlier ones.
"""

from dataclasses import dataclass, replace

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints, generator, pick
from jobs.province.arrays.shapes import Columns, stacked
from jobs.province.gangs.gangs import TYPOLOGIES
from jobs.province.gangs.settings import GangSettings, Spread, Typology

_DAYS_PER_MONTH = 30.4
_DAYS_PER_YEAR = 365
#: gangs drawn at a time
_BLOCK = 64
#: how often the start of the lines is drawn; that nearest to the wanted number is taken
_PHASES = 48
_SHORTEST_USE_DAYS = 15


@dataclass(frozen=True)
class GangSketches(Columns):
    """One row per gang; days from its founding, apart from `start_day`."""

    typology: Ints
    #: number in the typology's sequence
    serial: Ints
    start_day: Ints
    life: Ints
    size: Ints
    skill: Floats
    #: -1 never
    open_after: Ints
    trigger: Ints
    after_case: Floats


@dataclass(frozen=True)
class SlotSketches(Columns):
    """One row per account that a gang will use."""

    #: row of the gang sketches
    gang: Ints
    from_after: Ints
    to_after: Ints
    found: Flags


def spread(rng: np.random.Generator, of: Spread, size: int) -> Floats:
    """Numbers from a cut-off log-normal distribution."""
    drawn = of.median * np.exp(of.sigma * rng.standard_normal(size))
    numbers: Floats = np.clip(drawn, of.smallest, of.largest)
    return numbers


def sketches(
    seed: int, settings: GangSettings, accounts: float, end_day: int
) -> tuple[GangSketches, SlotSketches]:
    """All gangs at work between the first day and `end_day`, in order of founding, and their accounts.

    Args:
        seed: the province's.
        settings: the gangs' parameters.
        accounts: accounts to be used in fraud within the window.
        end_day: the day after the last one wanted.
    """
    streams = [_Stream(seed, settings, number, accounts) for number in range(len(TYPOLOGIES))]
    phase = _best_phase(seed, settings, streams, accounts)
    gangs: list[GangSketches] = []
    slots: list[SlotSketches] = []
    for stream, part in zip(streams, phase, strict=True):
        stream_gangs, stream_slots = stream.founded_before(end_day, float(part))
        before = sum(len(each) for each in gangs)
        slots.append(replace(stream_slots, gang=stream_slots.gang + before))
        gangs.append(stream_gangs)
    return _at_work(stacked(gangs), stacked(slots))


def used_within(gangs: GangSketches, slots: SlotSketches, first_day: int, end_day: int) -> Ints:
    """Accounts in use within a range of days, by typology."""
    start = gangs.start_day[slots.gang]
    used = (start + slots.from_after < end_day) & (start + slots.to_after > first_day)
    counts: Ints = np.bincount(gangs.typology[slots.gang[used]], minlength=len(TYPOLOGIES))
    return counts


class _Stream:
    """The endless sequence of gangs of one typology, and the speed at which it runs past."""

    def __init__(self, seed: int, settings: GangSettings, number: int, accounts: float) -> None:
        self._seed, self._settings, self._number = seed, settings, number
        self._typology = settings.typology(TYPOLOGIES[number])
        wanted = accounts * self._typology.weight
        self._cap = max(self._typology.cards.smallest, settings.founding.largest_share * wanted)
        self._gangs, self._slots = self._block(0)
        self._blocks = 1
        self._extend(4)
        window = settings.founding.window_months * _DAYS_PER_MONTH
        mean_use = float(np.mean(self._slots.to_after - self._slots.from_after))
        self._mean = len(self._slots) / len(self._gangs)
        #: accounts taken on a day
        self._speed = wanted / (window + mean_use)
        self._first_day = -settings.founding.burn_in_months * _DAYS_PER_MONTH

    def founded_before(self, end_day: int, phase: float) -> tuple[GangSketches, SlotSketches]:
        """The gangs founded before a day when the line starts at a phase from 0 to 1."""
        while True:
            accounts = np.bincount(self._slots.gang, minlength=len(self._gangs))
            edges = np.cumsum(accounts)
            within = generator(self._seed, "founding", self._number).random(len(edges))
            place = edges - accounts * within - phase * 2 * self._mean
            start = np.floor(self._first_day + place / self._speed).astype(np.int64)
            if start[-1] >= end_day:
                break
            self._extend(self._blocks)
        gangs = replace(self._gangs, start_day=start)
        count = int(np.searchsorted(start, end_day, side="left"))
        return gangs.take(np.arange(count)), self._slots.take(self._slots.gang < count)

    def _extend(self, blocks: int) -> None:
        gangs, slots = [self._gangs], [self._slots]
        for number in range(self._blocks, self._blocks + blocks):
            block_gangs, block_slots = self._block(number)
            slots.append(replace(block_slots, gang=block_slots.gang + number * _BLOCK))
            gangs.append(block_gangs)
        self._gangs, self._slots = stacked(gangs), stacked(slots)
        self._blocks += blocks

    def _block(self, number: int) -> tuple[GangSketches, SlotSketches]:
        rng = generator(self._seed, "gangs", self._number, number)
        gangs = _gangs(rng, self._settings, self._typology, self._cap)
        gangs = replace(
            gangs,
            typology=np.full(_BLOCK, self._number),
            serial=number * _BLOCK + np.arange(_BLOCK),
        )
        return gangs, _slots(rng, self._settings, self._typology, gangs)


def _gangs(
    rng: np.random.Generator, settings: GangSettings, typology: Typology, cap: float
) -> GangSketches:
    size = np.minimum(np.rint(spread(rng, typology.cards, _BLOCK)), np.floor(cap)).astype(np.int64)
    skill = rng.beta(settings.skill.alpha, settings.skill.beta, _BLOCK)
    life = np.rint(spread(rng, typology.life_months, _BLOCK) * _DAYS_PER_MONTH).astype(np.int64)
    # The large and the clumsy are found more often.
    rate = typology.case_year * np.sqrt(size / typology.cards.median) * (1.5 - skill)
    opened = np.rint(60 + rng.exponential(1 / np.maximum(rate, 1e-9)) * _DAYS_PER_YEAR)
    caught = opened < life
    folds = caught & (rng.random(_BLOCK) < settings.after_case.folds)
    last = np.where(folds, opened + rng.integers(1, 60, _BLOCK), life)
    triggers = pick(rng, list(settings.cases.triggers.values()), _BLOCK)
    return GangSketches(
        typology=np.zeros(_BLOCK, np.int64),
        serial=np.arange(_BLOCK),
        start_day=np.zeros(_BLOCK, np.int64),
        life=np.minimum(last, life).astype(np.int64),
        size=size,
        skill=skill,
        open_after=np.where(caught, opened, -1).astype(np.int64),
        trigger=np.where(caught, triggers, -1),
        after_case=np.clip(
            settings.after_case.activity * np.exp(0.5 * rng.standard_normal(_BLOCK)), 0.02, 1
        ),
    )


def _slots(
    rng: np.random.Generator, settings: GangSettings, typology: Typology, gangs: GangSketches
) -> SlotSketches:
    """Accounts of gangs: the first ones within weeks, some later, and successors of those lost."""
    gang = np.repeat(np.arange(_BLOCK), gangs.size)
    life = gangs.life[gang]
    late = rng.random(len(gang)) < 0.3
    ramp = np.minimum(120, life / 3)
    begin = np.where(late, rng.random(len(gang)) * 0.7 * life, rng.random(len(gang)) ** 2 * ramp)
    gang_parts, begin_parts, end_parts = [], [], []
    while len(gang):
        use = spread(rng, typology.card_months, len(gang)) * _DAYS_PER_MONTH
        end = np.minimum(begin + use, gangs.life[gang])
        gang_parts.append(gang)
        begin_parts.append(begin)
        end_parts.append(end)
        then = end + rng.exponential(20, len(gang))
        goes_on = rng.random(len(gang)) < typology.replaced
        goes_on &= then < gangs.life[gang] - _SHORTEST_USE_DAYS
        gang, begin = gang[goes_on], then[goes_on]
    gang, begin, end = map(np.concatenate, (gang_parts, begin_parts, end_parts))
    opened = gangs.open_after[gang]
    chance = settings.after_case.member_found * (1.25 - 0.5 * gangs.skill[gang])
    chance = chance * np.where(end < opened - 180, 0.2, 1.0)
    found = (opened >= 0) & (begin < opened - 20) & (rng.random(len(gang)) < chance)
    stop = opened + rng.exponential(settings.after_case.card_stops_days, len(gang))
    end = np.where(found, np.minimum(end, stop), end)
    kept = np.lexsort((begin, gang))
    return SlotSketches(
        gang=gang[kept],
        from_after=begin[kept].astype(np.int64),
        to_after=np.maximum(end, begin + _SHORTEST_USE_DAYS)[kept].astype(np.int64),
        found=found[kept],
    )


def _best_phase(
    seed: int, settings: GangSettings, streams: list[_Stream], accounts: float
) -> Floats:
    """The start of the lines that brings the first two windows nearest to the wanted number.

    Without the choice a small province, which has room for few large gangs, would often be far off.
    """
    window = round(settings.founding.window_months * _DAYS_PER_MONTH)
    phases = generator(seed, "phases").random((_PHASES, len(streams)))
    counts = np.empty((_PHASES, len(streams), 2))
    for column, stream in enumerate(streams):
        for row in range(_PHASES):
            gangs, slots = stream.founded_before(2 * window, float(phases[row, column]))
            for half in range(2):
                counts[row, column, half] = used_within(
                    gangs, slots, half * window, (half + 1) * window
                ).sum()
    weights = np.array([settings.typology(word).weight for word in TYPOLOGIES])
    smallest = np.array([settings.typology(word).cards.smallest for word in TYPOLOGIES])
    room = accounts * weights >= smallest
    off = np.abs(counts.sum(axis=1) / accounts - 1) @ np.array([2.0, 1.0])
    absent = ((counts[:, :, 0] == 0) & room).sum(axis=1)
    uneven = np.abs(counts[:, :, 0] / (accounts * weights) - 1) @ weights
    best: Floats = phases[np.argmin(off + absent + 0.3 * uneven)]
    return best


def _at_work(gangs: GangSketches, slots: SlotSketches) -> tuple[GangSketches, SlotSketches]:
    """Those not gone before the first day, in order of founding."""
    last = np.zeros(len(gangs), np.int64)
    np.maximum.at(last, slots.gang, slots.to_after)
    order = np.lexsort((gangs.serial, gangs.typology, gangs.start_day))
    order = order[(gangs.start_day + last > 0)[order]]
    place = np.full(len(gangs), -1)
    place[order] = np.arange(len(order))
    kept = slots.take(place[slots.gang] >= 0)
    kept = replace(kept, gang=place[kept.gang])
    return gangs.take(order), kept.take(np.lexsort((kept.from_after, kept.gang)))
