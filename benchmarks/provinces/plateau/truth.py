"""The truth folder: what was done, by whom, and who only looks as if."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.provinces.plateau.claims import Claims
from benchmarks.provinces.plateau.gangs import Gang
from benchmarks.provinces.plateau.landing import date, pick
from benchmarks.provinces.plateau.settings import Arr
from benchmarks.provinces.plateau.world import Kind

Used = dict[int, set[int]]
WORD, MONEY = pa.string(), pa.float64()
SPAN = {"active_from": "date", "active_to": "date"}


def save(root: Path, name: str, rows: list[tuple[Any, ...]], **kinds: Any) -> None:
    """Writes columns by kind: a list of words to number, `date` or an Arrow type."""
    columns, values = {}, list(zip(*rows)) if rows else [()] * len(kinds)
    for x, (column, kind) in zip(values, kinds.items()):
        if isinstance(kind, pa.DataType):
            columns[column] = pa.array(x, kind)
        else:
            columns[column] = date(x) if isinstance(kind, str) else pick(kind, x)
    pq.write_table(pa.table(columns), root / f"{name}.parquet")


def write_truth(c: Claims, root: Path, touched: dict[str, Arr], gang_ids: list[str]) -> Used:
    """Writes the truth; gives the cards really used by each gang."""
    root.mkdir(parents=True, exist_ok=True)
    w, v, gangs = c.w, c.visits, c.under.gangs
    arrived = c.arrive[c.lines["visit"]] < c.land.end
    line = np.flatnonzero((c.lines["sold"] > 0) & arrived)
    visit = c.lines["visit"][line]
    gang, person, loss = v["gang"][visit], v["person"][visit], np.round(c.loss[line] / 100, 2)
    used = {g.number: set(person[gang == g.number].tolist()) for g in gangs}
    live, insured = [g for g in gangs if used[g.number]], set(np.flatnonzero(w.home).tolist())

    def until(g: Gang) -> int:
        return min(g.stop if g.stop is not None else c.days, c.days - 1)

    rows: list[tuple[Any, ...]] = list(zip(visit, line, person, gang, loss))
    keys = {"setl_id": c.setl, "feedetl_sn": c.line_id, "psn_no": c.psn, "gang_id": gang_ids}
    save(root, "truth_line", rows, **keys, fund_loss=MONEY)
    rows = []
    for g in live:
        lost = float(np.round(loss[gang == g.number].sum(), 2))
        organiser = g.organiser if g.organiser in insured else -1
        rows.append((g.number, g.typology, organiser, g.start, until(g), lost, g.skill))
    keys = {"gang_id": gang_ids, "typology": WORD, "organiser_psn_no": c.psn}
    save(root, "truth_gang", rows, **keys, **SPAN, fund_loss=MONEY, skill=MONEY)
    members = {}
    for g in live:
        for x in g.cards + g.gone:
            if x.person in used[g.number] and x.used:
                end = until(g) if x.end is None else x.end
                role = "victim" if x.victim else "card_holder"
                members[x.person, g.number, x.start] = (end, g.typology, role, x.victim)
        for p in g.core() & insured:
            role = "organiser" if p == g.organiser else "collector"
            members[p, g.number, g.start] = (until(g), g.typology, role, False)
    rows = sorted(key + values for key, values in members.items())
    keys = {"psn_no": c.psn, "gang_id": gang_ids, **SPAN, "typology": WORD, "role": WORD}
    save(root, "truth_person", rows, **keys, victim=pa.bool_())
    rows, doctors = [], []
    for g in live:
        for i in g.counters if g.joined <= until(g) else []:
            role = "pharmacy" if w.i_type[i] == Kind.PHARMACY else "dispenser"
            rows.append((i, g.number, role, g.joined, until(g)))
        if g.doctor >= 0 and g.joined <= until(g):
            since = max(g.joined, g.start)
            doctors.append((g.doctor, w.doc_inst[g.doctor], g.number, "doctor", since, until(g)))
    keys = {"fixmedins_code": c.inst, "gang_id": gang_ids, "role": WORD}
    save(root, "truth_institution", rows, **keys, **SPAN)
    save(root, "truth_doctor", doctors, dr_codg=c.doc, **keys, **SPAN)
    honest, rows = insured - {person for person, *_ in members}, []
    for habit, who in sorted((w.habit | touched).items()):
        rows += [(p, habit) for p in np.unique(who).tolist() if p in honest]
    save(root, "truth_benign", rows, psn_no=c.psn, benign_type=WORD)
    return used
