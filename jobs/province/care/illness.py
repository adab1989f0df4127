"""What people live with: chronic conditions, certificates, and the drugs they take for them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints, generator
from jobs.province.arrays.sampling import WeightedLists, expanded
from jobs.province.care.catalogue import (
    AGE_BANDS,
    CONDITIONS,
    SPECIAL_DISEASES,
    USES,
)
from jobs.province.care.regimens import MONTH_DAYS, regimens
from jobs.province.people.geography import SORTS, Places, attraction
from jobs.province.people.people import EMPLOYEE, People
from jobs.province.settings import Settings

#: A regimen that has no end.
ALWAYS = 1 << 40
_DIALYSIS = USES.index("dialysis")
#: Where people refill by sort of institution: with a certificate, in town, in the country.
_HOMES = np.array(
    [
        [0.24, 0.31, 0.45, 0.0, 0.0, 0.0],
        [0.14, 0.18, 0.48, 0.04, 0.16, 0.0],
        [0.05, 0.15, 0.40, 0.04, 0.08, 0.28],
    ]
)


@dataclass(frozen=True)
class Health:
    """Health of some people: one entry a person, then one entry a drug that a person takes."""

    #: bit mask over the chronic conditions (bit n is `CONDITIONS[n]`)
    conditions: Ints
    #: the condition that they refill for above all, as index into USES, -1 none
    main: Ints
    #: how ill they are compared with their age, 1 on average
    frailty: Floats
    #: index into the special diseases, -1 none
    certificate: Ints
    #: days from the start; the end is the first day no longer covered
    certificate_from: Ints
    certificate_to: Ints
    annual_cap: Floats
    #: days between two refills on average, 0 for those who take nothing regularly
    interval: Floats
    #: day of a refill (any; the others follow from the interval)
    phase: Floats
    #: who share this number go on the same days at the same time: own index, or a leader's
    group: Ints
    #: where they refill, and where some of them also go
    home: Ints
    second: Ints
    #: share of refill visits made at the second; share of days with a visit to both
    second_share: Floats
    both_share: Floats
    #: regimen rows, sorted by person: position in these people
    taker: Ints
    drug: Ints
    #: boxes a day
    boxes: Floats
    #: refilled at every how many-eth refill visit, and at which of them
    every: Ints
    turn: Ints
    #: valid from (days from the start) until before
    taken_from: Ints
    taken_to: Ints

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of several neighbourhoods in one, positions of takers moved along."""
        moved = np.cumsum([0, *(len(part.main) for part in parts[:-1])])
        columns = {
            each.name: np.concatenate([getattr(part, each.name) for part in parts])
            for each in fields(cls)
        }
        columns["taker"] = np.concatenate(
            [part.taker + start for part, start in zip(parts, moved, strict=True)]
        )
        return cls(**columns)


def health(seed: int, settings: Settings, places: Places, people: People, cell: int) -> Health:
    """Conditions, certificates and regimens of the people of a neighbourhood."""
    rng = generator(seed, "health", cell)
    count = len(people)
    frailty = rng.gamma(2.0, 0.5, count)
    has = _conditions(rng, people, frailty)
    certificate = _certificates(rng, settings, people, has)
    holds = certificate >= 0
    chronic = has @ (1 << np.arange(len(CONDITIONS), dtype=np.int64))
    treated = has.any(axis=1) & (rng.random(count) < settings.care.refilling_share) | holds
    main = np.where(treated, _main_condition(rng, has, certificate), -1)
    interval = _intervals(rng, settings, treated, holds, has[:, _DIALYSIS])
    home, second = _homes(rng, places, people, holds, cell)
    begin = -rng.integers(0, round(settings.certificates.months_before_start * MONTH_DAYS), count)
    begin = np.where(rng.random(count) < 0.12, rng.integers(1, 1000, count), begin)
    cap = _annual_caps(rng, settings, certificate)
    certs = settings.certificates
    also = settings.care.second_institution_share
    elsewhere_too = rng.random(count) < np.where(holds, certs.second_institution_share, also)
    both = holds & (rng.random(count) < certs.same_day_share)
    often = np.where(holds, rng.beta(1.2, 6, count), rng.beta(1.5, 3, count))
    second_share = np.where(elsewhere_too | both, often, 0.0)
    both_share = np.where(both, np.minimum(rng.exponential(certs.same_day_rate, count), 0.9), 0.0)
    regimen = regimens(rng, settings, has, treated, holds, places.sort[home])
    per_visit = np.where(holds, certs.drugs_a_visit * rng.lognormal(0, 0.15, count), 99.0)
    taken = np.bincount(regimen[0], minlength=count)
    every = np.maximum(1, np.round(taken / per_visit)).astype(np.int64)[regimen[0]]
    return Health(
        conditions=chronic,
        main=main,
        frailty=frailty,
        certificate=certificate,
        certificate_from=begin,
        certificate_to=np.full(count, ALWAYS),
        annual_cap=cap,
        interval=np.where(taken > 0, interval, 0.0),
        phase=rng.random(count) * 400,
        group=people.index.copy(),
        home=home,
        second=second,
        second_share=second_share,
        both_share=both_share,
        taker=regimen[0],
        drug=regimen[1],
        boxes=regimen[2],
        every=every,
        turn=expanded(taken)[1] % every,
        taken_from=np.full(len(every), -ALWAYS),
        taken_to=np.full(len(every), ALWAYS),
    )


def age_bands(people: People) -> Ints:
    """Index into `AGE_BANDS` at the start of the province."""
    bands: Ints = np.searchsorted(np.array(AGE_BANDS[1:]), people.age(0), side="right")
    return bands


def _conditions(rng: np.random.Generator, people: People, frailty: Floats) -> Flags:
    """Who has what: prevalence by age and sex; the frail have more of everything."""
    by_age = np.array([each.by_age for each in CONDITIONS])
    male = np.array([each.male_factor for each in CONDITIONS])
    likely = by_age.T[age_bands(people)] * np.where(people.sex[:, None] == 1, male, 2 - male)
    chance = np.minimum(likely * (0.25 + 0.75 * frailty[:, None]), 0.95)
    has: Flags = rng.random(likely.shape, np.float32) < chance
    return has


def _certificates(rng: np.random.Generator, settings: Settings, people: People, has: Flags) -> Ints:
    """One certificate at most, the gravest disease first (the order of the catalogue)."""
    certificate = np.full(len(has), -1)
    common = settings.certificates.common_uptake
    # Common diseases are certified when they come together: only the grave course counts.
    burden = np.minimum((has.sum(axis=1) / 3.0) ** 2, 2.5)
    # Employees' insurance is freer with certificates than that of residents.
    burden = burden * np.where(people.insutype == EMPLOYEE, 1.5, 0.6)
    for number, disease in enumerate(SPECIAL_DISEASES):
        ill = has[:, list(disease.uses)].any(axis=1)
        uptake = disease.uptake if disease.uptake > 0.8 else disease.uptake * common * burden
        found = ill & (rng.random(len(has)) < uptake) & (certificate < 0)
        certificate[found] = number
    return certificate


def _main_condition(rng: np.random.Generator, has: Flags, certificate: Ints) -> Ints:
    """The certified condition, otherwise one at random."""
    score = np.where(has, rng.random(has.shape, np.float32), -1.0)
    for number, disease in enumerate(SPECIAL_DISEASES):
        rows = np.flatnonzero(certificate == number)
        cells = np.ix_(rows, np.array(disease.uses))
        score[cells] += 2.0 * has[cells]
    main: Ints = np.argmax(score, axis=1)
    return main


def _annual_caps(rng: np.random.Generator, settings: Settings, certificate: Ints) -> Floats:
    low, high = settings.certificates.least_cap
    caps = np.array([each.annual_cap for each in SPECIAL_DISEASES])
    chance = rng.random(len(certificate))
    drawn = np.maximum(caps[certificate], [low, high])
    cap: Floats = np.round(drawn[:, 0] + chance * (drawn[:, 1] - drawn[:, 0]), -3)
    return cap


def _intervals(
    rng: np.random.Generator, settings: Settings, treated: Flags, holds: Flags, dialysis: Flags
) -> Floats:
    certs = settings.certificates
    often = certs.visits_a_month * rng.lognormal(0, certs.visits_spread, len(treated))
    care = settings.care
    usual = care.refill_days * rng.lognormal(0, care.refill_spread, len(treated))
    interval = np.where(holds, MONTH_DAYS / often, usual)
    # Haemodialysis is three times a week, for some twice.
    thrice = np.where(rng.random(len(treated)) < 0.8, 7 / 3, 7 / 2)
    interval = np.where(holds & dialysis, thrice, np.clip(interval, 1.6, 90))
    found: Floats = np.where(treated, interval, 0.0)
    return found


def _homes(
    rng: np.random.Generator, places: Places, people: People, holds: Flags, cell: int
) -> tuple[Ints, Ints]:
    """Where each refills, and another place of another sort."""
    urban = bool(people.urban[0])
    near = WeightedLists.of([attraction(places, cell, sort) for sort in range(len(SORTS))])
    count = len(people)
    which = np.where(holds, 0, 1 if urban else 2)
    sorts = WeightedLists.of([(np.arange(len(SORTS)), row) for row in _HOMES])
    home = near.one(sorts.one(which, rng.random(count)), rng.random(count))
    second = near.one(sorts.one(which, rng.random(count)), rng.random(count))
    return home, second
