"""Days of a person's life that can't be, and stand for nothing."""

from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

#: This insurance came later (State Council, decision 44 of December 1998): a pause or death until this day stands for none.
_NOBODY_INSURED = date(1998, 12, 31)


def possible_day(day: str, *firsts: str) -> Column:
    """A day of silver.person on which somebody was insured, and not before some others, if known; else null."""
    is_said = F.col(day) > F.lit(_NOBODY_INSURED)
    for first in firsts:
        is_said = is_said & F.coalesce(F.col(day) >= F.col(first), F.lit(True))
    return F.when(is_said, F.col(day))
