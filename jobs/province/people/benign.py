"""Honest people who look guilty: who they are, and the habits that make them look so."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.arrays.sampling import expanded
from jobs.province.arrays.shapes import RELATIONS
from jobs.province.care.catalogue import ANYWHERE, CATALOGUE, SPECIAL_DISEASES, USES
from jobs.province.care.illness import Health
from jobs.province.people.geography import A_VILLAGE, Places
from jobs.province.people.people import People
from jobs.province.settings import Settings

#: `truth_benign.benign_type`, in the order of `Habits.type_of`.
BENIGN_TYPES = (
    "dialysis",
    "transplant",
    "cancer",
    "family_carer",
    "nursing_home",
    "village_batch",
    "couple",
    "market_day",
    "long_prescription",
    "travel_stock",
    "regimen_switch",
    "dormitory",
    "shared_phone",
)
#: From how many people on a phone shows so many cards that it looks like a collector's.
_MANY_CARDS = 3
#: Group numbers from here on are those of homes and village doctors, below it of people.
_SHARED_GROUP = 1 << 41
_WEEK = 7.0


@dataclass(frozen=True)
class Habits:
    """How some people go about their refills: one entry a person, then one a benign type of a person."""

    #: how far a refill may lie off its day, as a share of the interval
    jitter: Floats
    #: place in the queue of those who go together
    position: Ints
    #: who always collects for them, -1 nobody; what that person states to be
    proxy: Ints
    relation: Ints
    market: Flags
    stocks_up: Flags
    #: position in these people, and index into `BENIGN_TYPES`
    looks: Ints
    type_of: Ints

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of several neighbourhoods in one."""
        moved = np.cumsum([0, *(len(part.jitter) for part in parts[:-1])])
        columns = {
            each.name: np.concatenate([getattr(part, each.name) for part in parts])
            for each in fields(cls)
        }
        columns["looks"] = np.concatenate(
            [part.looks + start for part, start in zip(parts, moved, strict=True)]
        )
        return cls(**columns)


@dataclass
class _Draft:
    """The columns while they are being decided."""

    group: Ints
    phase: Floats
    interval: Floats
    home: Ints
    jitter: Floats
    position: Ints
    proxy: Ints
    relation: Ints
    free: Flags
    types: list[tuple[Ints, str]]


def habits(
    seed: int, settings: Settings, places: Places, people: People, healthy: Health, cell: int
) -> tuple[Health, Habits]:
    """The habits of a neighbourhood, and its health with refills moved accordingly."""
    rng = generator(seed, "benign", cell)
    count = len(people)
    shares = settings.benign
    refills = (healthy.interval > 0) & ~people.elsewhere
    draft = _Draft(
        group=healthy.group.copy(),
        phase=healthy.phase.copy(),
        interval=healthy.interval.copy(),
        home=healthy.home.copy(),
        jitter=np.full(count, 0.3),
        position=np.zeros(count, np.int64),
        proxy=np.full(count, -1),
        relation=np.full(count, -1),
        free=refills & (healthy.interval > 6),
        types=[
            (np.flatnonzero(people.dormitory), "dormitory"),
            (_on_shared_phones(people), "shared_phone"),
        ],
    )
    _by_certificate(draft, healthy)
    _nursing_homes(rng, draft, people, places)
    _family_carers(rng, draft, people, shares.family_carer)
    _couples(rng, draft, people, shares.couple)
    _village_batches(rng, draft, places, shares.village_batch)
    long = refills & (healthy.certificate < 0) & draft.free
    long &= rng.random(count) < shares.long_prescription
    draft.interval = np.where(long, rng.choice([56.0, 63.0, 84.0], count), draft.interval)
    market = ~people.urban & (rng.random(count) < shares.market_day)
    stocks = refills & (rng.random(count) < shares.travel_stock)
    for flags, word in (
        (long, "long_prescription"),
        (market, "market_day"),
        (stocks, "travel_stock"),
    ):
        draft.types.append((np.flatnonzero(flags), word))
    moved = replace(
        healthy,
        group=draft.group,
        phase=draft.phase,
        interval=draft.interval,
        home=draft.home,
    )
    switches = refills & (rng.random(count) < shares.regimen_switch)
    moved, switched = _switched(rng, moved, switches)
    draft.types.append((switched, "regimen_switch"))
    return moved, Habits(
        jitter=draft.jitter,
        position=draft.position,
        proxy=draft.proxy,
        relation=draft.relation,
        market=market,
        stocks_up=stocks,
        looks=np.concatenate([rows for rows, _ in draft.types]),
        type_of=np.concatenate(
            [np.full(len(rows), BENIGN_TYPES.index(word)) for rows, word in draft.types]
        ),
    )


def _by_certificate(draft: _Draft, healthy: Health) -> None:
    for word, uses in (
        ("dialysis", {"dialysis"}),
        ("transplant", {"transplant"}),
        ("cancer", {use for use in USES if use.endswith("cancer")} | {"leukaemia"}),
    ):
        numbers = [
            number
            for number, disease in enumerate(SPECIAL_DISEASES)
            if {USES[use] for use in disease.uses} & uses
        ]
        draft.types.append((np.flatnonzero(np.isin(healthy.certificate, numbers)), word))


def _on_shared_phones(people: People) -> Ints:
    """Families whose e-vouchers are all on one phone: children, and the old without one of their own."""
    _, which, count = np.unique(people.phone, return_inverse=True, return_counts=True)
    return np.flatnonzero(count[which] >= _MANY_CARDS)


def _go_together(draft: _Draft, rows: Ints, leader: Ints, group: Ints, position: Ints) -> None:
    """Let people go with a leader: same days, same place, one after the other."""
    weeks = np.maximum(1, np.round(np.maximum(draft.interval[leader], 14) / _WEEK))
    draft.group[rows] = group
    draft.phase[rows] = draft.phase[leader]
    draft.interval[rows] = weeks * _WEEK
    draft.home[rows] = draft.home[leader]
    draft.jitter[rows] = 0.02
    draft.position[rows] = position
    draft.free[rows] = False


def _nursing_homes(rng: np.random.Generator, draft: _Draft, people: People, places: Places) -> None:
    """An employee of the home collects for all residents on one day."""
    rows = np.flatnonzero(people.nursing_home & draft.free)
    runners = np.flatnonzero((people.age(0) > 25) & (people.age(0) < 58) & ~people.elsewhere)
    if not len(rows) or not len(runners):
        return
    homes, which = np.unique(people.address[rows], return_inverse=True)
    runner = rng.choice(runners, len(homes))
    order = np.argsort(np.argsort(which, kind="stable"))
    position = order - np.searchsorted(np.sort(which), which)
    first = rows[np.unique(which, return_index=True)[1]]
    _go_together(draft, rows, first[which], _SHARED_GROUP + people.index[first[which]], position)
    draft.proxy[rows] = people.index[runner[which]]
    draft.relation[rows] = RELATIONS.index("carer")
    draft.types += [(rows, "nursing_home"), (runner, "nursing_home")]


def _family_carers(rng: np.random.Generator, draft: _Draft, people: People, share: float) -> None:
    """One person collects for two to six old relatives, some of them in other households."""
    age = people.age(0)
    old = rng.permutation(
        np.flatnonzero(draft.free & (age > 64) & (rng.random(len(age)) < 4 * share))
    )
    sizes = 2 + np.minimum(rng.geometric(0.45, len(old)) - 1, 4)
    sizes = sizes[np.cumsum(sizes) <= len(old)]
    carers = np.flatnonzero((age > 32) & (age < 66) & (people.sex == 2) & ~people.elsewhere)
    if not len(sizes) or len(carers) < len(sizes):
        return
    carer = rng.choice(carers, len(sizes), replace=False)
    which, position = expanded(sizes)
    rows = old[: len(which)]
    leader = rows[(np.cumsum(sizes) - sizes)][which]
    _go_together(draft, rows, leader, people.index[carer[which]] + _SHARED_GROUP * 2, position)
    draft.proxy[rows] = people.index[carer[which]]
    draft.relation[rows] = rng.choice([1, 1, 1, 3], len(rows))
    draft.types += [(rows, "family_carer"), (carer, "family_carer")]


def _couples(rng: np.random.Generator, draft: _Draft, people: People, share: float) -> None:
    """Husband and wife who both refill go on the same day."""
    wife = people.spouse - people.index[0]
    found = (people.sex == 1) & (people.spouse >= 0) & draft.free
    found &= draft.free[np.clip(wife, 0, len(wife) - 1)] & (rng.random(len(wife)) < share)
    rows = np.flatnonzero(found)
    pair = np.concatenate([rows, wife[rows]])
    leader = np.concatenate([rows, rows])
    _go_together(draft, pair, leader, people.index[leader], (pair != leader).astype(np.int64))
    draft.types.append((pair, "couple"))


def _village_batches(rng: np.random.Generator, draft: _Draft, places: Places, share: float) -> None:
    """A village doctor settles the month's refills of a quarter of the patients in one evening."""
    chosen = rng.random(int(places.sort.size)) < share
    rows = np.flatnonzero(draft.free & (places.sort[draft.home] == A_VILLAGE) & chosen[draft.home])
    if not len(rows):
        return
    key = draft.home[rows] * 4 + rng.integers(0, 4, len(rows))
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(which, kind="stable"))
    position = order - np.searchsorted(np.sort(which), which)
    _go_together(draft, rows, rows[first][which], _SHARED_GROUP * 3 + key, position)
    draft.interval[rows] = 28.0
    draft.types.append((rows, "village_batch"))


def _switched(rng: np.random.Generator, healthy: Health, switches: Flags) -> tuple[Health, Ints]:
    """One drug of each gives way to another for the same illness, both being at home for a while."""
    rows = np.flatnonzero(switches[healthy.taker] & CATALOGUE.chronic[healthy.drug])
    rows = rng.permutation(rows)
    rows = rows[np.unique(healthy.taker[rows], return_index=True)[1]]
    old = healthy.drug[rows]
    new = rng.integers(0, len(CATALOGUE), len(rows))
    for _ in range(24):
        unfit = CATALOGUE.use[new] != CATALOGUE.use[old]
        unfit |= (CATALOGUE.therapy[new] == CATALOGUE.therapy[old]) | (
            CATALOGUE.channel[new] != ANYWHERE
        )
        near = np.clip(old + rng.integers(-30, 31, len(old)), 0, len(CATALOGUE) - 1)
        new = np.where(unfit, near, new)
    fits = (CATALOGUE.use[new] == CATALOGUE.use[old]) & (CATALOGUE.channel[new] == ANYWHERE)
    fits &= CATALOGUE.therapy[new] != CATALOGUE.therapy[old]
    rows, old, new = rows[fits], old[fits], new[fits]
    day = rng.integers(0, 730, len(rows))
    taken_to = healthy.taken_to.copy()
    taken_to[rows] = day
    taker = np.concatenate([healthy.taker, healthy.taker[rows]])
    order = np.argsort(taker, kind="stable")
    ratio = CATALOGUE.days_per_box[old] / CATALOGUE.days_per_box[new]

    def with_rows(column: npt.NDArray[Any], added: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([column, added])[order]

    changed: dict[str, Any] = {
        "taker": taker[order],
        "drug": with_rows(healthy.drug, new),
        "boxes": with_rows(healthy.boxes, healthy.boxes[rows] * ratio),
        "every": with_rows(healthy.every, healthy.every[rows]),
        "turn": with_rows(healthy.turn, (healthy.turn[rows] + 1) % healthy.every[rows]),
        "taken_from": with_rows(healthy.taken_from, day - 10),
        "taken_to": with_rows(taken_to, healthy.taken_to[rows]),
    }
    return replace(healthy, **changed), np.unique(healthy.taker[rows])
