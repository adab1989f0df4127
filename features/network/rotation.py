"""Whether the cards of a ring are used in turn: months of use that overlap less than chance would have it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Draws of the null; the smallest chance that can be told is one in 10,000.
DRAWS = 9_999
_SEED = 20100103
#: Fewer cards or months than this cannot take turns.
MIN_CARDS, MIN_MONTHS = 3, 4


@dataclass(frozen=True)
class Rotation:
    """The test of one ring.

    Attributes:
        together: pairs of cards used in the same month, summed over months.
        expected: the same where each card's months lay anywhere in the period.
        chance: how often the null gives as few.
        order: rows of the cards in the order of use: by the mean of their months, then by row.
    """

    together: int
    expected: float
    chance: float
    order: tuple[int, ...]


def rotation(used: npt.NDArray[np.bool_]) -> Rotation | None:
    """Test whether cards are used in turn.

    The null keeps each card's months in their sequence, which habits give them, and lets the sequence begin
    anywhere in the period, going round at its end. Cards that are never used, or always, say nothing;
    with fewer than three others, or fewer than four months, there is no test.

    Args:
        used: a row per card, a column per month of the ring's period: whether the card took drugs that are
            resold.
    """
    cards, months = used.shape
    count = used.sum(axis=1)
    is_telling = (count > 0) & (count < months)
    if months < MIN_MONTHS or is_telling.sum() < MIN_CARDS:
        return None
    rows = used[is_telling]
    together = _pairs(rows.sum(axis=0)[None, :])[0]
    draw = np.random.default_rng(_SEED)
    shifts = draw.integers(0, months, (len(rows), DRAWS))
    begins = (np.arange(months)[None, :] - np.arange(months)[:, None]) % months
    totals = np.zeros((DRAWS, months), np.int32)
    for row, shift in zip(rows, shifts, strict=True):
        totals += row[begins][shift]
    n = count[is_telling].astype(float)
    expected = (n.sum() ** 2 - (n**2).sum()) / 2 / months
    # A card that is never used has no place in the order; it goes last.
    middle = np.where(
        count > 0, (used * np.arange(months)).sum(axis=1) / np.maximum(count, 1), np.inf
    )
    return Rotation(
        together=int(together),
        expected=round(float(expected), 4),
        chance=float((1 + (_pairs(totals) <= together).sum()) / (1 + DRAWS)),
        order=tuple(int(row) for row in np.lexsort((np.arange(cards), middle))),
    )


def _pairs(used: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Pairs of cards used in the same month, summed over the months of each row."""
    found: npt.NDArray[np.integer] = (used * (used - 1) // 2).sum(axis=1)
    return found


def false_discovery(chances: list[float], share: float) -> list[bool]:
    """Which of some tests stand if at most a share of those that stand may be false (Benjamini-Hochberg)."""
    order = sorted(range(len(chances)), key=lambda at: (chances[at], at))
    last = max(
        (
            place
            for place, at in enumerate(order, start=1)
            if chances[at] <= share * place / len(chances)
        ),
        default=0,
    )
    standing = {*order[:last]}
    return [at in standing for at in range(len(chances))]
