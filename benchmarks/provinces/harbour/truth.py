"""The answers, for the evaluation only."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa

from benchmarks.provinces.harbour.arrays import to_date
from benchmarks.provinces.harbour.cases import Office
from benchmarks.provinces.harbour.gangs import AT_COUNTERS, Card, Gang
from benchmarks.provinces.harbour.settle import Bill

TYPES: dict[str, type[pl.DataType]] = {
    "active_from": pl.Date,
    "active_to": pl.Date,
    "fund_loss": pl.Float64,
    "skill": pl.Float64,
    "victim": pl.Boolean,
}


class Truth:
    """Writes gangs, their people, places and lines, and honest people with unusual habits."""

    def __init__(self, office: Office, bill: Bill, root: Path) -> None:
        self.office, self.u, self.w, self.root = office, office.u, office.w, root
        self.psn, self.inst, self.gang = office.psn, office.inst, office.gang_ids
        self._gangs()
        self._people()
        self._places()
        self._lines(bill)

    def _save(self, name: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        schema = {column: TYPES.get(column, pl.String) for column in columns.split()}
        frame = pl.DataFrame(list(rows), schema=schema, orient="row")
        frame.write_parquet(self.root / f"truth_{name}.parquet")

    def _span(self, of: Gang | Card) -> tuple[date, date]:
        return to_date(of.start), to_date(min(of.stop, self.u.p.days - 1))

    def _gangs(self) -> None:
        columns = "gang_id typology organiser_psn_no active_from active_to fund_loss skill"
        rows = []
        for g in self.u.gangs:
            org = self.psn[g.org] if g.org < self.w.insured else None
            loss = round(float(self.office.losses[g.gid]), 2)
            rows.append((self.gang[g.gid], g.kind, org, *self._span(g), loss, round(g.skill, 4)))
        self._save("gang", columns, rows)

    def _people(self) -> None:
        psn, n = self.psn, self.w.insured
        holders = self.office.holders
        honest = {(psn[i], habit) for i, habit in self.w.benign if i < n and i not in holders}
        self._save("benign", "psn_no benign_type", sorted(honest))
        people: dict[tuple[str, str], tuple[object, ...]] = {}
        for g in self.u.gangs:
            roles = [(g.org, "organiser"), *((i, "collector") for i in g.runners)]
            for i, role in [*roles, *((self.u.dealer_psn[d], "dealer") for d in g.dealers)]:
                if i < n:
                    people[psn[i], self.gang[g.gid]] = (*self._span(g), g.kind, role, False)
            for card in g.cards:
                role = "victim" if card.victim else "card_holder"
                row = (*self._span(card), g.kind, role, card.victim)
                people[psn[card.psn], self.gang[g.gid]] = row
        columns = "psn_no gang_id active_from active_to typology role victim"
        self._save("person", columns, ((*key, *row) for key, row in people.items()))

    def _places(self) -> None:
        """Places and doctors that take part."""
        gangs, inst = self.u.gangs, self.inst
        places = [(g.inst, g, g.inst_role) for g in gangs if g.kind in AT_COUNTERS]
        selling = [g for g in gangs if g.outlet >= 0 and not g.past and g.outlet != g.inst]
        places += [(g.outlet, g, "seller") for g in selling]
        rows = ((inst[i], self.gang[g.gid], role, *self._span(g)) for i, g, role in places)
        self._save("institution", "fixmedins_code gang_id role active_from active_to", rows)
        bound = [g for g in gangs if g.kind in ("staff_hoard", "certificate_abuse") and g.doc >= 0]
        doctors = (
            (self.office.doc[g.doc], inst[g.inst], self.gang[g.gid], "doctor", *self._span(g))
            for g in bound
        )
        columns = "dr_codg fixmedins_code gang_id role active_from active_to"
        self._save("doctor", columns, doctors)

    def _lines(self, bill: Bill) -> None:
        fraud = bill.fraud()
        setl = bill.ids.take(pa.array(bill.visit_of[fraud["line"]])).to_pylist()
        line = bill.line_ids.take(pa.array(fraud["line"])).to_pylist()
        psn, gang = [self.psn[i] for i in fraud["psn"]], [self.gang[g] for g in fraud["gang"]]
        rows = zip(setl, line, psn, gang, fraud["loss"].tolist())
        self._save("line", "setl_id feedetl_sn psn_no gang_id fund_loss", rows)
