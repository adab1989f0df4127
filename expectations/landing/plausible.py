"""Which times of a landed row are plausible. Beyond them a value is a slip or a placeholder, not a time."""

from dataclasses import dataclass
from datetime import date, datetime

from expectations.landing.table import LandingField

#: The last year that `yyyy-MM-dd` can write: `9999-12-31` stands for "open" in many systems.
_LAST_WRITTEN_YEAR = 9999


@dataclass(frozen=True)
class Plausible:
    """The years of dates and times, and how long an event may lie after its arrival, in hours."""

    clock_skew_hours: int
    earliest_year: int
    earliest_arrival_year: int
    latest_year: int

    def years(self, column: LandingField) -> tuple[int, int]:
        """The first and the last year that a column of dates or times may hold."""
        first = self.earliest_arrival_year if column.name == "arrive_time" else self.earliest_year
        return first, _LAST_WRITTEN_YEAR if column.is_open_ended else self.latest_year

    def limits(self, column: LandingField) -> tuple[date, date]:
        """The first and the last moment that a column may hold: dates or wall-clock times, as its type is."""
        first, last = self.years(column)
        if column.type == "date":
            return date(first, 1, 1), date(last, 12, 31)
        return datetime(first, 1, 1), datetime(last, 12, 31, 23, 59, 59, 999_999)

    def is_batch_day(self, day: date) -> bool:
        """Whether a batch may be of a day: of all batches the latest wins, so that a slip would win for ever."""
        return self.earliest_arrival_year <= day.year <= self.latest_year
