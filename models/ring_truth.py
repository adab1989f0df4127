"""Gangs as they are, which rings are judged by."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

#: Below this a gang is crude, as in `models.detection`.
_SKILLED = 0.5


def no_parties() -> pl.DataFrame:
    """No doctor or institution takes part in a gang."""
    names = ("gang_id", "subject_type", "subject_id", "role")
    return pl.DataFrame(schema=dict.fromkeys(names, pl.String))


@dataclass(frozen=True)
class RingTruth:
    """Gangs as they are.

    Attributes:
        people: `member_id`, `gang_id`, `role`: everybody of a gang; lone offenders left out.
        cards: accounts with a fraudulent line.
        gangs: `gang_id`, `typology`, `days` active, `organiser_id` (null where not insured here), `skill` and
            `active_from` (null where the truth does not tell).
        benign: `member_id`, `benign_type`.
        parties: `gang_id`, `subject_type` (`doctor`, `institution`), `subject_id`, `role`.
    """

    people: pl.DataFrame
    cards: frozenset[str]
    gangs: pl.DataFrame
    benign: pl.DataFrame
    parties: pl.DataFrame = field(default_factory=no_parties)


def parts_of(gangs: Iterable[str], truth: RingTruth) -> list[tuple[str, str, list[str]]]:
    """Gangs by typology and by skill: what a measure's name ends with, the slice, and its gangs."""
    of = truth.gangs.filter(pl.col("gang_id").is_in(list(gangs))).sort("gang_id")
    parts = [
        ("_by_typology", str(kind), rows["gang_id"].to_list())
        for (kind,), rows in of.sort("typology").group_by(["typology"], maintain_order=True)
    ]
    for name, is_of in (
        (f"below {_SKILLED}", pl.col("skill") < _SKILLED),
        (f"{_SKILLED} and more", pl.col("skill") >= _SKILLED),
    ):
        some = of.filter(is_of)["gang_id"].to_list()
        if some:
            parts.append(("_by_skill", name, some))
    return parts
