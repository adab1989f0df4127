"""Tips and closed cases: few, late, biased towards the crude and the severe, sometimes wrong."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.provinces.plateau.claims import Claims
from benchmarks.provinces.plateau.gangs import Gang
from benchmarks.provinces.plateau.landing import DAY, date, dec, hexes, pick, ts
from benchmarks.provinces.plateau.truth import Used
from benchmarks.provinces.plateau.world import Kind

TRIGGER_ODDS = [0.55, 0.12, 0.1, 0.18, 0.05]
CRIMINAL, ADMINISTRATIVE = range(2)
#: What cases are about, and what clues are about.
PERSON, INSTITUTION, DOCTOR = range(3)
SUBJECTS = ["person", "institution", "doctor"]


#: Day, kind and number of the subject, channel, whether it is right.
Clue = tuple[int, int, int, int, bool]


class Case(NamedTuple):
    """One subject of a case; days: begin and end of the offence, first clue, opening, decision."""

    number: int
    kind: int
    subject: int
    role: str
    gang: int
    trigger: int
    days: tuple[int, int, int, int, int]
    outcome: int
    cents: int


class Office:
    """Collects clues, true and wrong, and the cases that came of some of them."""

    def __init__(self, c: Claims, used: Used, gang_ids: list[str]) -> None:
        self.c, self.used, self.gang_ids, self.w, self.rng = c, used, gang_ids, c.w, c.w.s.rng(8)
        self.cases, self.clues = list[Case](), list[Clue]()
        w, s, bad = c.w, c.w.s, set[int]().union(*used.values())
        spent = np.bincount(c.visits["person"], c.fund, w.n) * self.rng.lognormal(0, 1.2, w.n)
        grown = w.home & (w.age > 20)
        # the honest, the dearest first: wrong suspicions fall on them
        self.odd = [p for p in np.argsort(-spent).tolist() if p not in bad and grown[p]]
        line = np.flatnonzero(c.lines["sold"] > 0)
        visit = c.lines["visit"][line]
        gang, day = c.visits["gang"][visit].tolist(), (c.visits["minute"][visit] // 1440).tolist()
        # days and losses by gang and card
        self.loss = defaultdict[tuple[int, int], list[tuple[int, float]]](list)
        person, lost = c.visits["person"][visit].tolist(), c.loss[line].tolist()
        for key, at in zip(zip(gang, person), zip(day, lost)):
            self.loss[key].append(at)
        self.budget = max(round(s.caseload / 1e5 * s.members * s.months / 12), 2)
        self.number = 0

    def work(self) -> None:
        """Finds and writes clues and cases."""
        left = self.gang_cases(round(0.40 * self.budget))
        self.old_cases(round(0.36 * self.budget) + left // 2)
        self.wrong_cases()
        self.add_clues()
        self.write_clues()
        self.write_cases()

    def add_clue(self, day: int, person: int, inst: int, right: bool) -> None:
        """A clue; its subject is a counter or a person, a phone or unknown."""
        r = self.rng
        kind = int(r.choice(4, p=[0.6, 0, 0.15, 0.25] if inst < 0 else [0, 0.6, 0.15, 0.25]))
        channel = int(r.choice(7, p=[0.35, 0.1, 0.2, 0.1, 0.08, 0.12, 0.05]))
        self.clues.append((day, kind, inst if kind == INSTITUTION else person, channel, right))

    def gang_cases(self, left: int) -> int:
        """Cases against gangs, the crude and severe first; gives how many people could still be decided."""
        gangs = [g for g in self.c.under.gangs if self.used[g.number]]
        hit = [(g.case, g) for g in gangs if g.case is not None]

        def worth(g: Gang) -> float:
            lost = sum(x for p in self.used[g.number] for _, x in self.loss[g.number, p])
            return (1.4 - g.skill) * lost

        for opened, g in sorted(hit, key=lambda pair: -worth(pair[1])):
            left -= self.gang_case(g, opened, left)
        return left

    def gang_case(self, g: Gang, opened: int, left: int) -> int:
        """The case against one gang, with most of its people; gives how many are decided in time."""
        c, w, r, known_loss = self.c, self.w, self.rng, dict[int, float]()
        self.number += 1
        first_day = {}
        for p in self.used[g.number]:
            mine = [(day, lost) for day, lost in self.loss[g.number, p] if day < opened]
            if mine:
                first_day[p], known_loss[p] = min(mine)[0], sum(lost for _, lost in mine)
        hurt = {x.person for x in g.cards + g.gone if x.victim}
        core = [p for p in sorted(g.core()) if p < w.n and w.home[p]]
        people = [(p, "organiser" if p == g.organiser else "collector") for p in core]
        for p in sorted(known_loss, key=lambda p: (-known_loss[p], p)):
            people.append((p, "victim" if p in hurt else "card_holder"))
        people = [x for x in people if r.random() < (0.5 if x[1] == "organiser" else 0.75)]
        decided, crime = opened + int(r.integers(25, 110)), r.random() < 0.5
        begin, in_time = max(g.start, -30), 0
        if decided < c.days:
            people = people[:left]
            in_time = len(people)
        trigger, days = int(r.choice(5, p=TRIGGER_ODDS)), (opened, g.clues[0], opened, decided)
        for p, role in people:
            outcome = ADMINISTRATIVE if not crime or role == "victim" else CRIMINAL
            cents = int(known_loss.get(p, 0) * r.uniform(0.5, 0.95))
            about = (self.number, PERSON, p, role, g.number, trigger)
            self.cases.append(Case(*about, (first_day.get(p, begin), *days), outcome, cents))
        roles = ["pharmacy" if w.i_type[i] == Kind.PHARMACY else "dispenser" for i in g.counters]
        also = [(INSTITUTION, i, role) for i, role in zip(g.counters, roles)]
        if g.doctor >= 0:
            also.append((DOCTOR, g.doctor, "doctor"))
        for kind, i, role in also if g.joined < opened else []:
            about = (self.number, kind, i, role, g.number, trigger)
            self.cases.append(Case(*about, (max(g.joined, begin), *days), ADMINISTRATIVE, 0))
        return in_time

    def old_cases(self, want: int) -> None:
        """Cases of offences before the first month, by mates of gangs that go on and by gangs long gone."""
        w, r, gangs = self.w, self.rng, self.c.under.gangs
        olds = [g for g in gangs if g.start < -60 and self.used[g.number]]
        quiet, extinct = [p for p in self.odd if w.sick[p]][:4000], len(gangs)
        while want > 0 and quiet:
            if olds and r.random() < 0.5:
                g = olds[int(r.integers(len(olds)))]
                gang, place, size = g.number, g.place, int(r.integers(1, 3))
            else:
                place = int(w.place[quiet[int(r.integers(len(quiet)))]])
                gang, size = extinct, int(r.integers(1, 6))
                extinct = min(extinct + 1, len(self.gang_ids) - 1)
                gang = gang if size > 1 else -1  # a lone offender
            self.number += 1
            opened, outcome = int(r.integers(-200, -10)), int(r.random() > 0.45)
            decided = int(r.integers(3, max(int(self.c.days * 0.6), 5)))
            found = [p for p in quiet if w.place[p] == place][: min(size, want)] or quiet[:1]
            for i, p in enumerate(found):
                quiet.remove(p)
                self.odd.remove(p)
                trigger = int(r.choice(5, p=[0.5, 0.1, 0.2, 0.15, 0.05]))
                about = (self.number, PERSON, p, "collector" if i == 2 else "card_holder", gang)
                days = (opened - int(r.integers(60, 400)), opened, opened - 30, opened, decided)
                cents = int(r.lognormal(12.8, 0.8))
                self.cases.append(Case(*about, trigger, days, outcome, cents))
                want -= 1

    def wrong_cases(self) -> None:
        """Cases against the honest: upon wrong tips, and every fifth a random audit."""
        r, days = self.rng, self.c.days
        done = sum(x.kind == PERSON and x.days[-1] < days for x in self.cases)
        for k in range(max(self.budget - done, 1)):
            self.number += 1
            first, tip = int(r.integers(-60, max(days - 60, 1))), k % 5 > 0
            p = self.odd.pop(int(r.integers(min(len(self.odd), 60))) if tip else -1)
            opened = first + int(r.integers(5, 40))
            outcome = int(r.choice([2, 3, 4], p=[0.6, 0.1, 0.3]))
            decided = min(opened + int(r.integers(10, 60)), days - 3)
            about = (self.number, PERSON, p, "none", -1, 0 if tip else 5)
            when = (first - 90, first, first, opened, decided)
            self.cases.append(Case(*about, when, outcome, 0))
            if tip:
                self.add_clue(first, p, -1, False)

    def add_clues(self) -> None:
        """Clues about gangs, and more that are about nothing."""
        r, w, odd = self.rng, self.w, self.odd
        for g in self.c.under.gangs:
            known = sorted(self.used[g.number]) + [p for p in g.collectors if p < w.n]
            for day in g.clues if self.used[g.number] else []:
                counter = g.counters[0] if g.counters else -1
                self.add_clue(day, int(r.choice(known)), counter, True)
        noise = len(self.clues) * 1.5 + w.s.members * self.c.days / 365 / 1200
        for _ in range(int(noise) + 3):
            day, p = int(r.integers(-30, self.c.days)), odd[int(r.integers(min(len(odd), 800)))]
            inst = int(r.integers(w.insts)) if r.random() < 0.4 else -1
            self.add_clue(day, p, inst, False)

    def write_clues(self) -> None:
        """Each clue as received and, for half of them, again when somebody has checked it."""
        c, r, n = self.c, self.rng, len(self.clues)
        day, kind, _, channel, right = (np.array(x) for x in zip(*self.clues))
        sec = day * DAY + r.integers(8 * 3600, 20 * 3600, n)
        again = np.flatnonzero(r.random(n) < 0.5)
        names = [c.psn, c.inst, pick(c.tel, self.w.phone), pa.nulls(c.w.n)]
        subject = [names[of][number].as_py() for _, of, number, *_ in self.clues]
        checked = sec[again] + r.integers(5, 60, len(again)) * DAY
        arrive = np.r_[sec + 3600, checked]
        who, late, arrive = c.land.versions(np.arange(n), again, arrive)
        columns = {
            "clue_id": pick(hexes(r, n, 7), who),
            "channel": pick("channels", channel[who]),
            "recv_time": ts(sec[who]),
            "subject_type": pick("clue_subjects", kind[who]),
            "subject_id": pick(subject, who),
            "text": pick("clue_texts", r.integers(0, 7, n)[who]),
            "drug_text": pick("drug_texts", r.integers(0, 4, n)[who]),
            "place_text": pick(["", "near the market"], r.integers(0, 2, n)[who]),
            "verified": pa.array(right[who], mask=~late),
        }
        c.land.write("clue", columns, arrive)

    def write_cases(self) -> None:
        """Each case when it opens and again when it is decided."""
        c, r, n = self.c, self.rng, len(self.cases)
        names = [c.psn, c.inst, c.doc]
        subject = [names[x.kind][x.subject].as_py() for x in self.cases]
        fields = (np.array(x) for x in zip(*self.cases))
        number, kind, _, _, gang, trigger, days, outcome, cents = fields
        start, end, first, opened, decided = days.T
        base = r.integers(8 * 3600, 17 * 3600, self.number + 1)[number]
        arrive = np.r_[opened * DAY + base + DAY, decided * DAY + base + 2 * DAY]
        who, late, arrive = c.land.versions(np.arange(n), np.arange(n), arrive)
        base = base[who]
        columns = {
            "case_id": pick(hexes(r, self.number + 1, 6), number[who]),
            "subject_type": pick(SUBJECTS, kind[who]),
            "subject_id": pick(subject, who),
            "role": pick([x.role for x in self.cases], np.where(late, who, -1)),
            "gang_id": pick(self.gang_ids, np.where(late, gang[who], -1)),
            "trigger": pick("triggers", trigger[who]),
            "offence_start": date(start[who], ~late),
            "offence_end": date(end[who], ~late),
            "clue_time": ts(first[who] * DAY + base - 3000),
            "open_time": ts(opened[who] * DAY + base),
            "decision_time": ts(decided[who] * DAY + base, ~late),
            "outcome": pick("outcomes", np.where(late, outcome[who], -1)),
            "final": pa.array(late & (r.random(n) > 0.1)[who]),
            "loss_amt": dec(cents[who], 2, ~late),
            "recovered_amt": dec((cents * r.uniform(0.2, 1, n)).astype(int)[who], 2, ~late),
        }
        c.land.write("closed_case", columns, arrive)
