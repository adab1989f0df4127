"""Days of a person's life that can't be, and stand for nothing."""

from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

#: This insurance came later (State Council, decision 44 of December 1998): a pause or death until this day stands for none.
_NOBODY_INSURED = date(1998, 12, 31)
#: A stay is settled at the end of the year at the latest, however long it lasts.
_LONGEST_VISIT = 366


def possible_day(day: str, *firsts: str) -> Column:
    """A day of silver.person on which somebody was insured, and not before some others, if known; else null."""
    is_said = F.col(day) > F.lit(_NOBODY_INSURED)
    for first in firsts:
        is_said = is_said & F.coalesce(F.col(day) >= F.col(first), F.lit(True))
    return F.when(is_said, F.col(day))


def possible_visit(start: str, end: str, settled: str) -> tuple[Column, Column]:
    """The first and the last day of a visit; null where they can't be.

    It began no more than a year before it was settled, and it was over then. A day from which a program counts, such
    as 2000-01-01, would make a stay of all the years since.

    Args:
        start: the column with its start, a time.
        end: with its end.
        settled: with the time of its settlement.
    """
    settled_on = F.to_date(settled)
    earliest = F.date_sub(settled_on, _LONGEST_VISIT)
    first = F.when(F.to_date(start).between(earliest, settled_on), F.to_date(start))
    last = F.least(F.to_date(end), settled_on)
    return first, F.when(F.col(end).isNotNull() & (last >= F.coalesce(first, earliest)), last)
