"""The ledger of visits and lines that both honest and dishonest life write to."""

from typing import Any

import numpy as np

from benchmarks.provinces.plateau.settings import Arr, Bools

Columns = dict[str, Arr]
#: Columns and what stands in them unless told.
VISIT = {"person": -1, "inst": -1, "minute": -1, "cond": -1, "proxy": -1, "phone": -1}
VISIT |= {"doctor": -1, "gang": -1, "stay": 0, "icd": -1}
LINE = {"visit": 0, "drug": -1, "boxes": 1, "sold": 0, "cents": 0, "item": 0}


class Ledger:
    """Columns in chunks; joined once at the end."""

    def __init__(self) -> None:
        self.visits, self.lines = ({k: list[Arr]() for k in columns} for columns in (VISIT, LINE))
        self.count = 0

    def add(self, lines: Columns, **visit: Any) -> None:
        """Adds visits (arrays or scalars) and their lines; a line's `visit` counts within the chunk."""
        for chunks, columns, key in ((self.visits, visit, "person"), (self.lines, lines, "visit")):
            for k, default in (VISIT if key == "person" else LINE).items():
                values = np.asarray(columns.get(k, default), np.int64)
                chunks[k].append(np.broadcast_to(values, len(columns[key])))
        self.lines["visit"][-1] = self.lines["visit"][-1] + self.count
        self.count += len(visit["person"])

    def join(self) -> tuple[Columns, Columns]:
        """All visits and all lines; visits without a line are left out."""
        v = {k: np.concatenate(x) for k, x in self.visits.items()}
        lines = {k: np.concatenate(x) for k, x in self.lines.items()}
        return select(v, lines, np.bincount(lines["visit"], minlength=self.count) > 0)


def select(visits: Columns, lines: Columns, keep: Bools) -> tuple[Columns, Columns]:
    """Some of the visits and their lines."""
    number, stays = np.cumsum(keep) - 1, keep[lines["visit"]]
    lines = {k: x[stays] for k, x in lines.items()}
    return {k: x[keep] for k, x in visits.items()}, lines | {"visit": number[lines["visit"]]}
