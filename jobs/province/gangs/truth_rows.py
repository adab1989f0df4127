"""Truth that comes out of the simulation itself: fraudulent fee lines, and the honest who look guilty."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.province.arrays.columns import coded, texts
from jobs.province.arrays.draws import Floats, Ints
from jobs.province.boxes.sold_boxes import MISHAPS
from jobs.province.care.bill_tables import Ids
from jobs.province.people.benign import BENIGN_TYPES
from jobs.province.people.neighbours import Neighbours

#: `truth_benign.benign_type`: what people do, then what happens to them at tills and desks.
_WORDS = (*BENIGN_TYPES, *MISHAPS, "wrong_entry")
#: Where tasks leave their parts until the driver joins them.
PARTS = "_parts"


@dataclass
class TruthParts:
    """What a task knows of the truth, month after month."""

    bills: list[Ints] = field(default_factory=list)
    serials: list[Ints] = field(default_factory=list)
    persons: list[Ints] = field(default_factory=list)
    gangs: list[Ints] = field(default_factory=list)
    losses: list[Floats] = field(default_factory=list)
    looks: list[tuple[Ints, Ints]] = field(default_factory=list)
    mishaps: list[tuple[Ints, Ints]] = field(default_factory=list)

    def add_lines(self, bill: Ints, serial: Ints, person: Ints, gang: Ints, loss: Floats) -> None:
        """Fee lines by which the fund lost something; `bill` is the settlement's number."""
        self.bills.append(bill)
        self.serials.append(serial)
        self.persons.append(person)
        self.gangs.append(gang)
        self.losses.append(loss)

    def add_benign(self, here: Neighbours, guilty: Ints) -> None:
        """Honest people with the look of guilt; `guilty` are those in gangs and their victims."""
        habits = here.habits
        person = here.people.index[habits.looks]
        honest = ~np.isin(person, guilty)
        self.looks.append((person[honest], habits.type_of[honest]))
        for person, kind in self.mishaps:
            honest = ~np.isin(person, guilty)
            self.looks.append((person[honest], kind[honest]))

    def add_mishaps(self, person: Ints, word: str) -> None:
        """People whom a till or desk has made look guilty, once for each time."""
        self.mishaps.append((person, np.full(len(person), _WORDS.index(word))))


def write_truth_parts(root: Path, unit: int, ids: Ids, parts: TruthParts) -> None:
    """Leave a task's truth beside that of the others."""
    folder = root / PARTS
    folder.mkdir(parents=True, exist_ok=True)
    none = np.empty(0, np.int64)
    bill, serial, person, gang = (
        np.concatenate([none, *columns])
        for columns in (parts.bills, parts.serials, parts.persons, parts.gangs)
    )
    loss = np.concatenate([np.empty(0), *parts.losses])
    lines = pa.table(
        {
            "setl_id": texts(ids.text(bill, "setl_id")),
            "feedetl_sn": pa.array(serial).cast(pa.string()),
            "psn_no": texts(ids.text(person, "psn_no")),
            "gang_id": texts(ids.text(gang, "gang")),
            "fund_loss": pa.array(np.round(loss, 2)),
        }
    )
    person = np.concatenate([none, *(look[0] for look in parts.looks)])
    kind = np.concatenate([none, *(look[1] for look in parts.looks)])
    _, once = np.unique(person * len(_WORDS) + kind, return_index=True)
    once.sort()
    person, kind = person[once], kind[once]
    benign = pa.table(
        {
            "psn_no": texts(ids.text(person, "psn_no")),
            "benign_type": coded(kind, pa.array(_WORDS)).cast(pa.string()),
        }
    )
    for name, rows in (("truth_line", lines), ("truth_benign", benign)):
        pq.write_table(rows, folder / f"{name}-{unit:06d}.parquet")


def join_truth_parts(root: Path) -> None:
    """Make one file of the tasks' parts, a part at a time, and remove them."""
    folder = root / PARTS
    for name in ("truth_line", "truth_benign"):
        parts = sorted(folder.glob(f"{name}-*.parquet"))
        with pq.ParquetWriter(root / f"{name}.parquet", pq.read_schema(parts[0])) as writer:
            for part in parts:
                writer.write_table(pq.read_table(part))
        for part in parts:
            part.unlink()
    folder.rmdir()
