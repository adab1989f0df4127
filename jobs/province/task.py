"""One task of the simulation: some neighbourhoods and the gangs at home there, month after month."""

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags
from jobs.province.arrays.shapes import Events, joined, stacked
from jobs.province.boxes.boxes import ReusedCodes, no_reuse
from jobs.province.boxes.scanners import Habits as ScanHabits
from jobs.province.boxes.scanners import Scanners
from jobs.province.boxes.trace_codes import GANG_UNITS
from jobs.province.boxes.unit_scans import unit_scans
from jobs.province.care.bill_tables import (
    Ids,
    fee_details,
    proxy_pickups,
    settlement_codes,
    settlement_doctors,
    settlement_ids,
    settlements,
)
from jobs.province.care.billing import Settled, fund_of_lines, settled, visit_numbers
from jobs.province.care.care import care
from jobs.province.care.desks import with_wrong_entries
from jobs.province.care.fees import kept
from jobs.province.care.totals import month_totals
from jobs.province.gangs.fraud import Ahead, GangMonth, gang_months
from jobs.province.gangs.gangs import Plan, Province, arranged_certificates, away, without_card
from jobs.province.gangs.settings import GangSettings
from jobs.province.gangs.truth_rows import TruthParts, write_truth_parts
from jobs.province.inquiry.inquiry import Inquiry, Losses, gang_inquiry, honest_inquiry
from jobs.province.inquiry.parcels import household_parcels
from jobs.province.landing.delivery import Calendar, Delivery, Format, PartFile
from jobs.province.landing.flow_tables import case_rows, clue_rows, parcel_rows
from jobs.province.people.neighbours import Neighbours
from jobs.province.people.registers import (
    Certificates,
    certificate_table,
    condition_table,
    own_certificates,
    person_table,
    place_tables,
)
from jobs.province.settings import CELL_PEOPLE, Settings, chunks
from jobs.province.world import World

#: Share of the holder's own visits that do not happen while the card is with a gang.
_WITHOUT_CARD = 0.85


@dataclass(frozen=True)
class Run:
    """What is to be simulated; the same for every task."""

    seed: int
    settings: Settings
    gang_settings: GangSettings
    members: int
    months: int
    out: str
    truth: str
    format: Format
    daily: bool
    tables: frozenset[str]
    plan: Plan


@dataclass(frozen=True)
class Outcome:
    """What a task wrote."""

    files: list[PartFile]
    rows: dict[str, int]


@dataclass(frozen=True)
class _Part:
    """Events of one unit in a month: the neighbourhoods', or a gang's."""

    unit: int
    events: Events
    reused: ReusedCodes


def simulate(run: Run, number: int) -> Outcome:
    """Simulate the chunk of that number and write its part files."""
    return _Task(run, number).done()


class _Task:
    def __init__(self, run: Run, number: int) -> None:
        self.run, self.number = run, number
        self.world = World(run.seed, run.settings, run.members)
        self.cells = chunks(run.members)[number]
        self.here: Neighbours = self.world.neighbours(self.cells)
        self.province: Province = self.world.province()
        self.ids = Ids(run.seed)
        self.start = run.settings.epoch_day
        calendar = Calendar(run.settings, run.months, run.daily)
        self.delivery = Delivery(Path(run.out), self.cells.start, calendar, run.format, run.tables)
        desks = run.settings.desks
        scanning = ScanHabits(
            mistaken=desks.miskeyed_code,
            careless_counter=desks.careless_counter,
            careless_box=desks.careless_box,
            sold_again=desks.returned_box,
        )
        self.scanners = Scanners.of(run.seed, self.start, self.world.places.kind, scanning)
        self.gangs = [
            int(gang)
            for gang in range(len(run.plan.gangs))
            if int(run.plan.gangs.cell[gang]) in self.cells
        ]
        self.losses: dict[int, list[Losses]] = defaultdict(list)
        self.truth = TruthParts()

    def done(self) -> Outcome:
        run = self.run
        if self.number == 0:
            for arrivals in place_tables(self.ids, run.settings, self.world.places):
                self.delivery.add(arrivals)
        waiting = {
            gang: Ahead(gang_months(self.province, run.gang_settings, run.plan, gang, run.months))
            for gang in self.gangs
        }
        for month in range(run.months):
            at_work = [found for ahead in waiting.values() if (found := ahead.take(month))]
            self._registers(month)
            self._month(month, at_work)
            self.delivery.write(month)
        guilty = np.concatenate([run.plan.cards.person, run.plan.members.person])
        self.truth.add_benign(self.here, guilty)
        write_truth_parts(Path(run.truth), self.cells.start, self.ids, self.truth)
        return Outcome(self.delivery.files, dict(self.delivery.rows))

    def _wants(self, table: str) -> bool:
        return table in self.run.tables

    def _registers(self, month: int) -> None:
        run, ids, here = self.run, self.ids, self.here
        if self._wants("person"):
            self.delivery.add(person_table(ids, here, month))
        if self._wants("person_condition"):
            self.delivery.add(condition_table(ids, here, month))
        if self._wants("special_cert"):
            own, caps, arrive = own_certificates(here, month)
            first, after = run.settings.month_days(month)
            arranged = arranged_certificates(run.plan, *self._people, first, after)
            certificates = Certificates(
                np.concatenate([own.person, arranged.person]),
                np.concatenate([own.disease, arranged.disease]),
                np.concatenate([own.begin, arranged.begin_day]),
                np.concatenate([own.institution, arranged.institution]),
                np.concatenate([own.doctor, arranged.doctor]),
            )
            paper = (here.chance(arranged.person, "paper") * 14_000).astype(np.int64)
            cap = here.health.annual_cap[arranged.person - here.first] * 100
            caps = np.concatenate([caps, np.round(cap).astype(np.int64)])
            arrive = np.concatenate([arrive, np.maximum(arranged.begin_day, 0) * DAY + paper + 1])
            self.delivery.add(
                certificate_table(ids, run.settings, self.world.places, certificates, caps, arrive)
            )

    @property
    def _people(self) -> tuple[int, int]:
        return self.here.first, self.here.first + len(self.here.people)

    def _month(self, month: int, at_work: list[GangMonth]) -> None:
        run, ids, places = self.run, self.ids, self.world.places
        own = care(self.here, month)
        own = kept(own, ~self._away(month, own))
        parts = [self._entered(month, self.cells.start, own, no_reuse())]
        parts += [
            self._entered(month, GANG_UNITS + each.gang, each.events, each.reused)
            for each in at_work
        ]
        result = settled(
            run.seed,
            run.settings,
            places,
            self.cells.start,
            month,
            joined([part.events for part in parts]),
            np.concatenate(
                [visit_numbers(part.unit, month, len(part.events.visits)) for part in parts]
            ),
            self.world.insutype,
        )
        setl_ids = settlement_ids(ids, result)
        add, start, world, wants = self.delivery.add, self.start, self.world, self._wants
        if wants("settlement"):
            add(settlements(ids, start, places, result))
        if wants("fee_detail"):
            add(fee_details(ids, start, places, result, setl_ids))
        if wants("settlement_code"):
            add(settlement_codes(ids, start, result, setl_ids, world.conditions))
        if wants("settlement_doctor"):
            add(settlement_doctors(ids, start, places, result, setl_ids))
        if wants("proxy_pickup"):
            add(proxy_pickups(ids, start, result, setl_ids, world.phone))
        if wants("trace_scan"):
            units = [(part.unit, part.events, part.reused) for part in parts]
            scans, mishaps = unit_scans(ids, self.scanners, places, month, units, result, setl_ids)
            add(scans)
            for person, word in mishaps:
                self.truth.add_mishaps(person, word)
        if self._wants("parcel"):
            self._parcels(month, at_work)
        self._fraud(month, result)
        if self._wants("clue") or self._wants("closed_case"):
            self._inquiries(month, result)

    def _entered(self, month: int, unit: int, events: Events, reused: ReusedCodes) -> _Part:
        """What a unit has done as clerks enter it."""
        share, places = self.run.settings.desks.wrong_entry, self.world.places
        entered, wrong = with_wrong_entries(self.run.seed, places, unit, month, events, share)
        self.truth.add_mishaps(entered.visits.person[wrong], "wrong_entry")
        return _Part(unit, entered, reused)

    def _away(self, month: int, events: Events) -> Flags:
        """Visits that the holder cannot make, because the card is with a gang."""
        gone = away(self.run.plan, *self._people, *self.run.settings.month_days(month))
        visits = events.visits
        key = visits.person * (1 << 20) + visits.time // 3600
        missed = self.here.chance(key, "without card") < _WITHOUT_CARD
        return missed & without_card(gone, visits.person, visits.time // DAY)

    def _parcels(self, month: int, at_work: list[GangMonth]) -> None:
        every = [
            household_parcels(self.province, self.run.gang_settings, cell, month)
            for cell in self.cells
        ]
        every += [each.parcels for each in at_work]
        self.delivery.add(parcel_rows(self.ids, self.start, self.world.places, stacked(every)))

    def _fraud(self, month: int, result: Settled) -> None:
        """Keep what the fund lost, for the truth and for the cases."""
        lines = result.events.lines
        gang = result.events.visits.gang[lines.visit[result.lines.line]]
        rows = np.flatnonzero((gang >= 0) & (lines.misused[result.lines.line] > 0))
        line = result.lines.line[rows]
        loss = fund_of_lines(result)[rows] * lines.misused[line]
        person = result.events.visits.person[lines.visit[line]]
        gang = gang[rows]
        bill = result.lines.bill[rows]
        known = result.bills.arrive[bill] < self.delivery.calendar.end
        self.truth.add_lines(
            result.bills.number[bill][known],
            result.lines.serial[rows][known],
            person[known],
            gang[known],
            loss[known],
        )
        key, place = np.unique(gang << 40 | person, return_inverse=True)
        amount = np.bincount(place, loss, minlength=len(key))
        for each in np.unique(key >> 40):
            mine = key >> 40 == each
            self.losses[int(each)].append(
                Losses(key[mine] & ((1 << 40) - 1), np.full(mine.sum(), month), amount[mine])
            )

    def _inquiries(self, month: int, result: Settled) -> None:
        none = np.empty(0, np.int64)
        first, after = self.run.settings.month_days(month)
        for gang in self.gangs:
            losses = stacked([Losses(none, none, np.empty(0)), *self.losses[gang]])
            found = gang_inquiry(self.province, self.run.gang_settings, self.run.plan, gang, losses)
            self._deliver(_arriving(found, first * DAY, after * DAY))
        totals = month_totals(self.here, result)
        for cell in self.cells:
            mine = totals.take(totals.person // CELL_PEOPLE == cell)
            self._deliver(
                honest_inquiry(
                    self.province, self.run.gang_settings, self.run.plan, cell, month, mine
                )
            )

    def _deliver(self, inquiry: Inquiry) -> None:
        if len(inquiry.clues):
            self.delivery.add(clue_rows(self.start, inquiry.clues))
        if len(inquiry.cases):
            self.delivery.add(case_rows(self.start, inquiry.cases))


def _arriving(found: Inquiry, first: int, after: int) -> Inquiry:
    """What arrives within these seconds."""
    clues, cases = found.clues, found.cases
    return replace(
        found,
        clues=clues.take((clues.arrive_time >= first) & (clues.arrive_time < after)),
        cases=cases.take((cases.arrive_time >= first) & (cases.arrive_time < after)),
    )
