"""The page of the watch over a model: figures in, one HTML document out."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from expectations.gold.member_score import MEASURES
from jobs.report.rendering import rendered
from jobs.report.strings import Words
from jobs.report.words import ADVICE, DRAWS, REFERENCES, WATCHED, WATCHED_TEXTS
from models.watched import Watched

#: How the slices of accounts drawn at random begin.
DRAWN = "drawn "
#: Measures that are shares, shown in percent.
_SHARES = ("precision", "district_share", "calibration_gap")


@dataclass(frozen=True)
class Monitored:
    """A day's watch.

    Attributes:
        reference: what the day was compared with, `scores` or `training`, and of which day; None if there
            was nothing.
        rows: the figures.
        history: the days so far: day, index of the scores, warnings.
    """

    name: str
    version: str
    as_of: date
    reference: tuple[str, date] | None
    rows: tuple[Watched, ...]
    history: tuple[tuple[str, float | None, int], ...] = ()

    @property
    def warned(self) -> tuple[str, ...]:
        """The measures with a warning, in the order in which they are shown."""
        found = {each.measure for each in self.rows if each.is_warning}
        return tuple(measure for measure in MEASURES if measure in found)

    @property
    def measures(self) -> list[tuple[str, list[Watched]]]:
        """The figures of each measure: warnings first, then as they came."""
        ordered = sorted(
            self.rows, key=lambda each: (MEASURES.index(each.measure), not each.is_warning)
        )
        return [(name, list(rows)) for name, rows in groupby(ordered, lambda each: each.measure)]

    def slices(self, measure: str) -> list[str]:
        """Of what a measure has warnings."""
        return [each.slice for each in self.rows if each.measure == measure and each.is_warning]


def monitor_page(found: Monitored, words: Words, written_at: datetime, code: str) -> str:
    """Render the watch; the page loads nothing from outside."""

    def shown(measure: str, value: float | None) -> str:
        if value is None:
            return words.number(None)
        if measure in _SHARES:
            return words.percent(value)
        return words.number(value, 0 if measure == "label_delay_days" else 3)

    def of_what(each: Watched) -> str:
        if each.measure == "input_psi":
            return words.label(each.slice)
        if each.slice.startswith(DRAWN):
            return words.text(DRAWS[each.slice.removeprefix(DRAWN)])
        return each.slice or words.text("all")

    reference = ""
    if found.reference:
        kind, day = found.reference
        reference = words.text(REFERENCES[kind], day=words.day(day))
    return rendered(
        "monitor.html.j2",
        words,
        found=found,
        reference=reference,
        title={name: words.text(text) for name, text in WATCHED.items()},
        meaning={name: words.text(text) for name, text in WATCHED_TEXTS.items()},
        advice={name: words.text(text) for name, text in ADVICE.items()},
        shown=shown,
        of_what=of_what,
        written_at=written_at,
        code=code,
    )
