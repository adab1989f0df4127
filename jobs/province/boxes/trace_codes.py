"""The 20 digits on a box: a drug's seven, and a serial number that no other box has.

A serial is a scrambled place: the month and unit (neighbourhoods or gang) in which the box is sold and
its number there. So every task makes its own codes, no two tasks the same, and a box that comes back
later has the code that it had.
"""

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.draws import Ints, hex_text, mixed
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.settings import CHUNK_CELLS

#: Gangs are numbered after the neighbourhoods: `unit` is the first cell of a task, or this and a gang.
GANG_UNITS = 1 << 16
#: A task's cells follow its first one, so its boxes may run on into their room: 100 boxes a person and month.
_MONTH_BITS, _UNIT_BITS, _NUMBER_BITS = 7, 17, 19
#: A serial has 43 bits, which are fewer than 13 digits hold.
_MASK = np.uint64((1 << 43) - 1)
#: For so many gangs there are units.
MOST_GANGS = (1 << _UNIT_BITS) - GANG_UNITS
#: What a scan is, in its number: one box is scanned once for each.
IN, OUT, BACK, AGAIN = range(4)


def box_serials(unit: int, month: Ints | int, number: Ints) -> Ints:
    """Serials of the boxes that a unit sells in its months.

    Raises:
        ValueError: when there are more units, months or boxes than a serial has room for.
    """
    cells = 1 if unit >= GANG_UNITS else CHUNK_CELLS
    for value, room, what in (
        (unit, 1 << _UNIT_BITS, "units"),
        (month, 1 << _MONTH_BITS, "months"),
        (number, cells << _NUMBER_BITS, "boxes of a unit in a month"),
    ):
        if np.size(value) and int(np.max(value)) >= room:
            raise ValueError(f"a trace code has no room for so many {what}")
    first = (np.asarray(month, np.int64) << _UNIT_BITS) + unit
    serials: Ints = (first << _NUMBER_BITS) + number
    return serials


def trace_codes(seed: int, drug: Ints, serial: Ints) -> npt.NDArray[np.bytes_]:
    """Codes as text; distinct serials give distinct codes."""
    digits = np.empty((len(drug), 20), np.uint8)
    digits[:, :7] = _PREFIXES[drug]
    rest = _scrambled(serial, seed).astype(np.int64)
    digits[:, 7] = ord("0") + rest // 10**12
    for place, divisor in ((8, 10**8), (12, 10**4), (16, 1)):
        digits[:, place : place + 4] = _FOUR_DIGITS[rest // divisor % 10_000]
    return digits.reshape(-1).view("S20")


def scan_ids(seed: int, serial: Ints, kind: int) -> npt.NDArray[np.bytes_]:
    """Ids of the scans of boxes numbered by `box_serials`, one for each kind of scan."""
    return hex_text(mixed((serial << 2) | kind, seed, "scan"))


def _scrambled(serial: Ints, seed: int) -> npt.NDArray[np.uint64]:
    """Numbers of 43 bits mapped one to one, as the finaliser of splitmix64 does with 64."""
    key = mixed([0], seed, "trace codes")
    z = (serial.astype(np.uint64) ^ key) & _MASK
    for shift, factor in ((21, 0xBF58476D1CE4E5B9), (23, 0x94D049BB133111EB)):
        z = ((z ^ (z >> np.uint64(shift))) * np.uint64(factor)) & _MASK
    scrambled: npt.NDArray[np.uint64] = z ^ (z >> np.uint64(20))
    return scrambled


def _digits(numbers: Ints, width: int) -> npt.NDArray[np.uint8]:
    text = np.char.zfill(numbers.astype(f"S{width}"), width)
    return text.view(np.uint8).reshape(-1, width)


_FOUR_DIGITS = _digits(np.arange(10_000), 4)
#: The first seven digits name the drug; codes of drugs begin with 8.
_PREFIXES = _digits(8_000_000 + (np.arange(len(CATALOGUE)) * 154_321 + 31_337) % 999_983, 7)
