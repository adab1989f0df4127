"""Boxes that come back: which box of a visit carries the trace code of a box sold before."""

from dataclasses import dataclass

import numpy as np

from jobs.province.arrays.draws import Ints
from jobs.province.arrays.shapes import DRUG, Columns, Lines


@dataclass(frozen=True)
class ReusedCodes(Columns):
    """One row per box whose code was scanned at an earlier sale of the same unit (gang).

    Boxes of a unit's month are numbered as `box_starts` counts them, from 0, so that a code is a pure
    function of (seed, unit, month, number) and `scans` can scan the old code instead of a new one. A
    box without a code (not yet scanned in its month) hands none on.
    """

    #: row of the Lines that these come with, and which of its boxes, from 0
    line: Ints
    box: Ints
    #: where the code was first sold: the unit's month and the number of the box in it
    origin_month: Ints
    origin_number: Ints


def box_starts(lines: Lines) -> Ints:
    """Number of the first box of every line within its unit's month; other fees hold no box."""
    boxes = np.where(lines.item_type == DRUG, np.ceil(lines.quantity), 0).astype(np.int64)
    starts: Ints = np.cumsum(boxes) - boxes
    return starts


def no_reuse() -> ReusedCodes:
    """No box comes back."""
    none = np.empty(0, np.int64)
    return ReusedCodes(none, none, none, none)
