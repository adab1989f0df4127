"""Rows of clues and closed cases, in the versions in which they arrive."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from expectations.landing import codes
from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Floats, Ints, hex_text, mixed, pick
from jobs.province.arrays.shapes import Columns, stacked
from jobs.province.gangs.founding import spread
from jobs.province.gangs.settings import CaseSettings

Texts = npt.NDArray[np.str_]
#: an unknown time or day
NEVER = int(np.iinfo(np.int64).min)

#: `closed_case.trigger` in this order; the settings give shares for all but the last.
TRIGGERS = ("tip", "model", "audit", "police", "other_agency", "random_audit")
RANDOM_AUDIT = TRIGGERS.index("random_audit")
#: outcomes that say that somebody did it
SANCTIONS = (codes.CRIMINAL, codes.ADMINISTRATIVE)
#: an appeal is decided within so many days, and one in so many succeeds
_APPEAL_DAYS = (60, 240)
_APPEAL_SUCCEEDS = 0.15
_WORK_BEGINS, _WORK_ENDS = 8 * 3600 + 1800, 17 * 3600 + 1800


@dataclass(frozen=True)
class Clues(Columns):
    """Rows of `clue`: texts as landed (empty is null), times in seconds since the first midnight."""

    clue_id: Texts
    channel: Texts
    recv_time: Ints
    subject_type: Texts
    subject_id: Texts
    text: Texts
    drug_text: Texts
    place_text: Texts
    #: 1 true, 0 false, -1 not checked yet
    verified: Ints
    arrive_time: Ints


@dataclass(frozen=True)
class Cases(Columns):
    """Rows of `closed_case`, one per version: an open case comes first without a decision.

    Days and times count from the province's first midnight, `NEVER` is null; amounts NaN is null.
    """

    case_id: Texts
    subject_type: Texts
    subject_id: Texts
    role: Texts
    gang_id: Texts
    trigger: Texts
    offence_start: Ints
    offence_end: Ints
    clue_time: Ints
    open_time: Ints
    decision_time: Ints
    outcome: Texts
    #: 1 true, 0 false, -1 null
    final: Ints
    loss_amt: Floats
    recovered_amt: Floats
    arrive_time: Ints


@dataclass(frozen=True)
class Inquiry:
    """Clues and cases, each to be landed when it arrives (which may be months later)."""

    clues: Clues
    cases: Cases


def hashed(numbers: Ints, seed: int, purpose: str) -> Texts:
    """Identifiers as landed."""
    found: Texts = np.char.decode(hex_text(mixed(numbers, seed, purpose)), "ascii")
    return found


def in_office(rng: np.random.Generator, day: Ints) -> Ints:
    """A time of the day at which offices work."""
    return day * DAY + rng.integers(_WORK_BEGINS, _WORK_ENDS, len(day))


def decided(rng: np.random.Generator, settings: CaseSettings, open_time: Ints, count: int) -> Ints:
    """When cases that were opened then are decided: months later, some after years."""
    days = np.rint(spread(rng, settings.decision_days, count)).astype(np.int64)
    return in_office(rng, open_time // DAY + days)


def no_cases() -> Cases:
    """No case."""
    ints, floats, texts = np.empty(0, np.int64), np.empty(0), np.empty(0, np.str_)
    return Cases(
        case_id=texts,
        subject_type=texts,
        subject_id=texts,
        role=texts,
        gang_id=texts,
        trigger=texts,
        offence_start=ints,
        offence_end=ints,
        clue_time=ints,
        open_time=ints,
        decision_time=ints,
        outcome=texts,
        final=ints,
        loss_amt=floats,
        recovered_amt=floats,
        arrive_time=ints,
    )


def no_clues() -> Clues:
    """No clue."""
    ints, texts = np.empty(0, np.int64), np.empty(0, np.str_)
    return Clues(texts, texts, ints, texts, texts, texts, texts, texts, ints, ints)


def case_versions(rng: np.random.Generator, settings: CaseSettings, decided_cases: Cases) -> Cases:
    """The versions of cases: opened, decided, and after an appeal; `arrive_time` is filled in.

    While a case is open, nothing is said of role, gang, offence or loss. A sanction under appeal is not
    final; some appeals succeed.
    """
    cases, count = decided_cases, len(decided_cases)
    if not count:
        return cases
    landed = [
        np.rint(spread(rng, settings.landed_days, count) * DAY).astype(np.int64) for _ in range(3)
    ]
    blank, unknown = np.full(count, ""), np.full(count, NEVER)
    opened = replace(
        cases,
        role=blank,
        gang_id=blank,
        offence_start=unknown,
        offence_end=unknown,
        decision_time=unknown,
        outcome=blank,
        final=np.full(count, -1),
        loss_amt=np.full(count, np.nan),
        recovered_amt=np.full(count, np.nan),
        # The row of an open case arrives before its decision, however quick that was.
        arrive_time=np.minimum(cases.open_time + landed[0], cases.decision_time - 60),
    )
    appealed = np.isin(cases.outcome, SANCTIONS) & (rng.random(count) < settings.appeal)
    closed = replace(
        cases,
        final=np.where(appealed, 0, 1),
        arrive_time=cases.decision_time + landed[1],
    )
    succeeds = rng.random(count) < _APPEAL_SUCCEEDS
    later = in_office(rng, cases.decision_time // DAY + rng.integers(*_APPEAL_DAYS, count))
    appeal = replace(
        cases,
        outcome=np.where(succeeds, codes.CLEARED, cases.outcome),
        role=np.where(succeeds, codes.NO_ROLE, cases.role),
        loss_amt=np.where(succeeds, 0.0, cases.loss_amt),
        recovered_amt=np.where(succeeds, 0.0, cases.recovered_amt),
        decision_time=later,
        final=np.ones(count, np.int64),
        arrive_time=np.maximum(later, closed.arrive_time) + landed[2],
    )
    return stacked([opened, closed, appeal.take(appealed)])


def clue_versions(rng: np.random.Generator, clues: Clues, truth: Ints) -> Clues:
    """Clues as they arrive, and for most of them a second version once someone has checked them.

    `truth` says what a check finds: 1 true, 0 false.
    """
    count = len(clues)
    first = replace(
        clues,
        verified=np.full(count, -1),
        arrive_time=clues.recv_time + rng.integers(300, 2 * DAY, count),
    )
    checked = rng.random(count) < 0.6
    # A check is sometimes wrong.
    verdict = np.where(rng.random(count) < 0.05, 1 - truth, truth)
    weeks = np.rint(rng.gamma(2.0, 12.0, count) * DAY).astype(np.int64)
    second = replace(first, verified=verdict, arrive_time=first.arrive_time + DAY + weeks)
    return stacked([first, second.take(checked)])


def outcomes(rng: np.random.Generator, shares: dict[str, float], count: int) -> Texts:
    """Outcomes drawn by their shares."""
    found: Texts = np.array(list(shares))[pick(rng, list(shares.values()), count)]
    return found
