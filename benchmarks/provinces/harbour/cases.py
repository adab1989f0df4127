"""Closed cases, clues and parcels: few, late, biased to the severe and crude."""

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.provinces.harbour.arrays import DAY, NULL, stamps, to_date
from benchmarks.provinces.harbour.gangs import AT_COUNTERS, Case, Gang, Underworld
from benchmarks.provinces.harbour.types import Arr, Floats
from benchmarks.provinces.harbour.writer import Writer

TEXTS = [
    "同一个人拿着好几张医保卡配药", "医院门口有人收药", "把医保卡借给别人每月拿钱", "药店刷卡不给药",
    "card lent out for money", "开药太多，家里堆满", "怀疑倒卖医保药品",
]  # fmt: skip
WHERE = ["医院门口", "药店", "pharmacy", "菜场", "宿舍"]
GOODS = ["茶叶", "衣服", "food", "日用品", "medicine", "药品", "documents"]
CHANNELS = ["hotline", "walk_in", "online", "institution", "police"]
RECEIVERS = ["home", "shop", "pharmacy", "clinic", "warehouse", "unknown"]
CASE: dict[str, pl.DataType | type[pl.DataType]] = {
    "case_id": pl.String, "subject_type": pl.String, "subject_id": pl.String, "role": pl.String,
    "gang_id": pl.String, "trigger": pl.String, "offence_start": pl.Date, "offence_end": pl.Date,
    "clue_time": pl.Int64, "open_time": pl.Int64, "decision_time": pl.Int64, "outcome": pl.String,
    "final": pl.Boolean, "loss_amt": pl.Decimal(16, 2), "recovered_amt": pl.Decimal(16, 2),
}  # fmt: skip
#: A subject's type and id, and what somebody is found to be.
Subject = tuple[str, str | None]
Named = tuple[str, str, str]


class Office:
    """Collects cases, clues and parcels, and writes them."""

    def __init__(self, u: Underworld, out: Writer, losses: Floats) -> None:
        self.u, self.w, self.p, self.out, self.rng, self.losses = u, u.w, u.p, out, u.rng, losses
        self.holders = {card.psn for g in u.gangs for card in g.cards}
        lists = (out.names[kind].to_pylist() for kind in ("psn", "inst", "doc"))
        self.psn, self.inst, self.doc = lists
        self.cases: list[tuple[object, ...]] = []
        self.clues: list[tuple[int, Subject, bool | None]] = []
        self.senders: list[tuple[int, int, bool]] = []  # person, day of the request, suspected
        self.numbers = iter(out.number("case", np.arange(99999)).to_pylist())
        self.gang_ids = out.number("gang", np.arange(len(u.gangs))).to_pylist()
        for g in u.gangs:
            self._of_gang(g)
        self._wrong_tips()
        self._vague_tips()
        self._write_cases()
        self._write_clues()
        self._write_parcels()

    def _case(
        self, named: list[Named], days: Case, outcome: str, trigger: str, g: Gang | None = None
    ) -> None:
        """Two rows a person, at opening and decision; those of one month are one."""
        rng, end, number = self.rng, self.p.days, next(self.numbers)
        begun = (days.clue * DAY + 36000, days.opened * DAY + 36000)
        is_decided, same_month = days.decided < end, days.decided // 28 == days.opened // 28
        for kind, who, role in named:
            head, none = (number, kind, who), (None, None, None, None)
            if not is_decided or not same_month:
                empty = ("none", None, trigger, None, None)
                self.cases.append((*head, *empty, *begun, NULL, *none))
            if is_decided:
                gang, start, stop, loss = none
                if g is not None:
                    gang, start = self.gang_ids[g.gid], to_date(g.start)
                    stop = to_date(min(g.stop, days.opened))
                if g is not None and role != "victim":
                    loss = round(self.losses[g.gid] / len(named) * rng.uniform(0.4, 0.9), 2)
                final = bool(rng.random() < 0.85)
                back = loss and round(loss * rng.random(), 2)
                found = (role, gang, trigger, start, stop, *begun, days.decided * DAY + 50000)
                self.cases.append((*head, *found, outcome, final, loss, back))

    def _of_gang(self, g: Gang) -> None:
        """The case of a gang, with a clue and requests about parcels, or a clue without a case."""
        rng, psn, days = self.rng, self.psn, self.p.days
        a, b = max(g.start, 0), min(g.stop, days)
        if case := g.case:
            named = self._named(g, case)
            outcome = str(rng.choice(["criminal", "administrative"]))
            triggers = ["tip", "police", "audit", "model"]
            trigger = str(rng.choice(triggers, p=[0.45, 0.3, 0.15, 0.1]))
            self._case(named, case, outcome, trigger, g)
            if case.clue >= 0:
                who = [*g.runners, *(card.psn for card in g.cards), g.org][0]
                self.clues.append((case.clue, ("person", psn[who]), True))
            if 0 <= case.opened < days:
                self.senders += [(g.org, case.opened, True)] * int(rng.integers(4, 20))
        elif g.cards and b > a and rng.random() < 0.35 * (1 - g.skill) + 0.06:
            phone = self.out.names["tel"][g.org].as_py()
            subjects = [("person", psn[g.cards[0].psn]), ("unknown", None), ("phone", phone)]
            subject = subjects[rng.integers(3)]
            self.clues.append((int(rng.integers(a, b)), subject, None))

    def _named(self, g: Gang, case: Case) -> list[Named]:
        """Who and what is found guilty, or a victim."""
        rng, psn = self.rng, self.psn
        holder = "victim" if g.kind == "staff_hoard" else "card_holder"
        named = [("person", psn[i], holder) for i in case.who if i in self.holders]
        others = [(g.org, "organiser"), *((i, "collector") for i in g.runners)]
        insured = ((psn[i], role) for i, role in others if i < self.w.insured)
        named += [("person", *who) for who in insured if rng.random() < 0.6]
        if g.kind in AT_COUNTERS and rng.random() < 0.7:
            named.append(("institution", self.inst[g.inst], g.inst_role))
        if g.kind == "staff_hoard" and rng.random() < 0.7:
            named.append(("doctor", self.doc[g.doc], "doctor"))
        return named

    def _wrong_tips(self) -> None:
        """Tips that were wrong, and looks without a finding."""
        rng, w, p = self.rng, self.w, self.p
        honest = sorted({i for i, _ in w.benign if i < w.insured} - self.u.used)
        for _ in range(round(20e-5 * p.members * p.months / 12) if honest else 0):
            i, opened = int(rng.choice(honest)), int(rng.integers(-60, max(1, p.days - 70)))
            is_audit = rng.random() < 0.3
            clue, decided = opened - int(rng.integers(4, 40)), opened + int(rng.integers(25, 130))
            outcome, trigger = "no_finding", "random_audit"
            if not is_audit:
                outcome, trigger = str(rng.choice(["cleared", "cleared", "withdrawn"])), "tip"
            named = [("person", self.psn[i], "none")]
            self._case(named, Case(clue, opened, decided, []), outcome, trigger)
            if not is_audit and opened > 10:
                self.clues.append((opened - 4, ("person", self.psn[i]), False))
                self.senders += [(i, opened, False)] * int(rng.integers(0, 5))

    def _vague_tips(self) -> None:
        """Tips about nobody in particular."""
        rng = self.rng
        for _ in range(round(1.1e-3 * self.p.members * self.p.months / 12)):
            person = self.psn[rng.integers(self.w.insured)]
            place = self.inst[rng.integers(len(self.inst))]
            subjects = [("person", person), ("unknown", None), ("institution", place)]
            subject, day = subjects[rng.integers(3)], int(rng.integers(self.p.days))
            self.clues.append((day, subject, None if rng.random() < 0.7 else False))

    def _write_cases(self) -> None:
        table = pl.DataFrame(self.cases, schema=CASE, orient="row", strict=False).to_arrow()
        columns = {}
        for name in CASE:
            values = table[name].combine_chunks()
            if name.endswith("_time"):
                values = stamps(values.to_numpy(zero_copy_only=False))
            elif pa.types.is_large_string(values.type):
                values = values.cast(pa.string())
            columns[name] = values
        opened, decided = (table[name].to_numpy() for name in ("open_time", "decision_time"))
        arrive = np.where(decided > NULL, decided, opened) + 7200
        self.out.table("closed_case", columns, arrive, self.p.days * DAY)

    def _write_clues(self) -> None:
        rng, n, out = self.rng, len(self.clues), self.out
        day = np.array([day for day, *_ in self.clues], dtype=int)
        when = day * DAY + rng.integers(30000, 66000, n)
        columns = {
            "clue_id": out.number("clue", np.arange(n)),
            "channel": rng.choice(CHANNELS, n),
            "subject_type": pa.array([kind for _, (kind, _), _ in self.clues], pa.string()),
            "subject_id": pa.array([who for _, (_, who), _ in self.clues], pa.string()),
            "verified": pa.array([is_true for *_, is_true in self.clues], pa.bool_()),
            "recv_time": stamps(when),
            "text": rng.choice(TEXTS, n),
            "drug_text": rng.choice(self.w.c.drug, n),
            "place_text": rng.choice(WHERE, n),
        }
        out.table("clue", columns, when + rng.integers(600, 90000, n), self.p.days * DAY)

    def _side(self, side: str, who: Arr) -> dict[str, pa.Array]:
        """Phone and address of a parcel's sender or receiver."""
        return {
            f"{side}_{kind}_hash": self.out.id(kind, getattr(self.w, kind)[who])
            for kind in ("tel", "addr")
        }

    def _write_parcels(self) -> None:
        """Parcels of suspects, which were asked for, among others."""
        rng, w, days, out = self.rng, self.w, self.p.days, self.out
        self.senders += [
            (int(rng.integers(w.insured)), int(rng.integers(5, days)), False)
            for _ in range(2 * len(self.senders) + 20)
        ]
        n, (who, asked, bad) = len(self.senders), (np.array(x) for x in zip(*self.senders))
        to_dealer, dealer = bad & (rng.random(n) < 0.6), rng.choice(self.u.dealer_psn or [0], n)
        to = np.where(to_dealer, dealer, rng.integers(0, w.with_extra, n))
        sent = (asked - rng.integers(1, 90, n)) * DAY + rng.integers(30000, 70000, n)
        columns = {
            "waybill_no": out.number("bill", np.arange(n)),
            "send_time": stamps(sent),
            **self._side("sender", who),
            "sender_admdvs": np.full(n, "330200"),
            **self._side("recv", to),
            "recv_admdvs": rng.choice(["330200", "320100", "440100"], n),
            "recv_addr_type": rng.choice(RECEIVERS, n),
            "declared_goods": rng.choice(GOODS, n),
            "weight_kg": np.round(rng.lognormal(np.where(bad, 1.0, 0.6), 0.6), 1),
            "cold_pack": rng.random(n) < np.where(bad, 0.2, 0.05),
            "legal_basis_id": out.number("basis", asked),
        }
        out.table("parcel", columns, asked * DAY + rng.integers(30000, 80000, n), days * DAY)
