"""Honest people who look guilty: who they are, and the habits that make them look so."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.care.catalogue import ANYWHERE, CATALOGUE, SPECIAL_DISEASES, USES
from jobs.province.care.illness import Health
from jobs.province.people import crowds, gatherings
from jobs.province.people.drafts import Draft
from jobs.province.people.geography import Places
from jobs.province.people.people import People
from jobs.province.settings import Benign, Settings

#: `truth_benign.benign_type`; the first are those of `Habits.type_of`, in its order.
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
    "spouse_phone",
    "village_clerk",
    "neighbour_carer",
    "dialysis_shift",
    "shuttle_bus",
    "shared_doctor",
    "factory_shift",
    "night_clinic",
    "commuter",
    "many_doctors",
    "several_clinics",
    "broken_treatment",
    "double_dose",
    "year_end_stock",
    "herbal_course",
    "infusion_course",
    "dear_course",
    "new_treatment",
)
#: Courses of treatment, in the order of `Habits.course`.
COURSES = ("herbal_course", "infusion_course", "dear_course", "new_treatment")
#: From how many people on a phone shows so many cards that it looks like a collector's.
_MANY_CARDS = 3
#: Doses above the label on a doctor's word, as a multiple of the dose.
_HIGH_DOSE = (1.5, 2.2)


@dataclass(frozen=True)
class Habits:
    """How some people go about their care: one entry a person, then one a benign type of a person."""

    #: how far a refill may lie off its day, as a share of the interval
    jitter: Floats
    #: place in the queue of those who go together; their hour, -1 any
    position: Ints
    hour: Ints
    #: who always collects for them, -1 nobody; what that person states to be
    proxy: Ints
    relation: Ints
    #: whose doctor they have: own index, or a neighbour's
    doctor_of: Ints
    #: where they go when something comes up (-1 anywhere), with which crowd (-1 none), and when
    clinic: Ints
    crowd: Ints
    clock: Ints
    #: how many times as often as others they do
    rate: Floats
    #: index into `COURSES`, -1 none
    course: Ints
    market: Flags
    stocks_up: Flags
    #: stocks up before the end of the year, when the allowance ends
    hoards: Flags
    #: is treated for some months, then not for some
    breaks_off: Flags
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


def habits(
    seed: int, settings: Settings, places: Places, people: People, healthy: Health, cell: int
) -> tuple[Health, Habits]:
    """The habits of a neighbourhood, and its health with refills moved accordingly."""
    rng = generator(seed, "benign", cell)
    count = len(people)
    shares = settings.benign
    refills = (healthy.interval > 0) & ~people.elsewhere
    draft = Draft.of(people, healthy)
    draft.types += _on_shared_phones(people)
    patients = _by_certificate(draft, healthy)
    crowds.nursing_homes(rng, draft, people, places)
    monday = -settings.start.weekday() % 7
    on_dialysis = patients["dialysis"] & ~people.elsewhere
    crowds.dialysis_shifts(rng, draft, places, cell, on_dialysis, monday, shares.dialysis_shift)
    crowds.family_carers(rng, draft, people, shares.family_carer)
    crowds.neighbour_carers(rng, draft, people, shares.neighbour_carer)
    crowds.couples(rng, draft, people, shares.couple)
    holders = (healthy.certificate >= 0) & (healthy.interval > 3) & (draft.jitter > 0.1)
    crowds.shared_doctors(rng, draft, people, holders & ~people.elsewhere, shares.shared_doctor)
    crowds.shuttle_buses(rng, draft, people, places, cell, shares.shuttle_bus)
    crowds.village_batches(rng, draft, places, shares.village_batch)
    crowds.several_clinics(rng, draft, places, healthy.conditions, shares.several_clinics)
    gatherings.dormitories(rng, draft, people, places)
    gatherings.factories(rng, draft, people, places, shares.factory_shift)
    gatherings.night_clinics(rng, draft, people, places, shares.night_clinic)
    gatherings.commuters(rng, draft, people, places, shares.commuter)
    gatherings.many_doctors(rng, draft, people, shares.many_doctors)
    long = refills & (healthy.certificate < 0) & draft.free & (draft.interval > 20)
    long &= rng.random(count) < shares.long_prescription
    draft.interval = np.where(long, rng.choice([56.0, 63.0, 84.0], count), draft.interval)
    market = ~people.urban & (rng.random(count) < shares.market_day) & ~draft.bound
    stocks = refills & (rng.random(count) < shares.travel_stock)
    hoards = refills & (rng.random(count) < shares.year_end_stock)
    breaks_off = refills & (healthy.certificate < 0) & (draft.jitter > 0.1)
    breaks_off &= rng.random(count) < shares.broken_treatment
    course = _courses(rng, people, healthy, shares)
    draft.types += [
        (np.flatnonzero(flags), word)
        for flags, word in (
            (long, "long_prescription"),
            (market, "market_day"),
            (stocks, "travel_stock"),
            (hoards, "year_end_stock"),
            (breaks_off, "broken_treatment"),
            *((course == number, word) for number, word in enumerate(COURSES)),
        )
    ]
    moved = replace(
        healthy,
        group=draft.group,
        phase=draft.phase,
        interval=draft.interval,
        home=draft.home,
        second_share=draft.second_share,
    )
    high = refills & (rng.random(count) < shares.double_dose)
    draft.types.append((np.flatnonzero(high), "double_dose"))
    dose = np.where(high, rng.uniform(*_HIGH_DOSE, count), 1.0)
    moved = replace(moved, boxes=moved.boxes * dose[moved.taker])
    switches = refills & (rng.random(count) < shares.regimen_switch)
    moved, switched = _switched(rng, moved, switches)
    draft.types.append((switched, "regimen_switch"))
    return moved, Habits(
        jitter=draft.jitter,
        position=draft.position,
        hour=draft.hour,
        proxy=draft.proxy,
        relation=draft.relation,
        doctor_of=draft.doctor_of,
        clinic=draft.clinic,
        crowd=draft.crowd,
        clock=draft.clock,
        rate=draft.rate,
        course=course,
        market=market,
        stocks_up=stocks,
        hoards=hoards,
        breaks_off=breaks_off,
        looks=np.concatenate([rows for rows, _ in draft.types]),
        type_of=np.concatenate(
            [np.full(len(rows), BENIGN_TYPES.index(word)) for rows, word in draft.types]
        ),
    )


def _by_certificate(draft: Draft, healthy: Health) -> dict[str, Flags]:
    """Who has a certificate for a disease that takes many visits or dear drugs."""
    found: dict[str, Flags] = {}
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
        found[word] = np.isin(healthy.certificate, numbers)
        draft.types.append((np.flatnonzero(found[word]), word))
    return found


def _on_shared_phones(people: People) -> list[tuple[Ints, str]]:
    """Whose e-vouchers are on one phone: a family's, husband's and wife's, or a village's on its clerk's."""
    phones, which, count = np.unique(people.phone, return_inverse=True, return_counts=True)
    of_owner = people.household[phones - people.index[0]][which]
    outside = np.unique(which[people.household != of_owner])
    by_clerk = np.isin(which, outside)
    many = (count[which] >= _MANY_CARDS) & ~by_clerk
    pair = (count[which] == 2) & ~by_clerk
    shown = people.phone == people.spouse
    spouses = pair & np.isin(which, which[shown])
    return [
        (np.flatnonzero(many), "shared_phone"),
        (np.flatnonzero(spouses), "spouse_phone"),
        (np.flatnonzero(by_clerk), "village_clerk"),
    ]


def _courses(rng: np.random.Generator, people: People, healthy: Health, shares: Benign) -> Ints:
    """Who has courses of treatment now and then, and of which kind; one kind a person."""
    chance = rng.random(len(people))
    grown = (people.age(0) > 12) & ~people.elsewhere
    edges = np.cumsum(
        [shares.herbal_course, shares.infusion_course, shares.dear_course, shares.new_treatment]
    )
    kind = np.searchsorted(edges, chance, side="right")
    course: Ints = np.where(grown & (kind < len(COURSES)), kind, -1)
    # Dear drugs are for an illness that one has.
    dear = course == COURSES.index("dear_course")
    return np.where(dear & (healthy.conditions == 0), -1, course)


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
