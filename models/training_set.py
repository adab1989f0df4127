"""Which rows a model of accounts is trained on: labels beside the day of their features, and a drawn rest."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

#: Features of a day may be this much older than a label's cut before a nearer day is worth building.
NEAR_DAYS = 31

_PLACES = 1 << 32


def with_feature_date(labels: DataFrame, days: Sequence[date]) -> DataFrame:
    """Add `feature_date`, the latest of `days` that is not after `cut_date`; null where there is none.

    Args:
        labels: rows with `cut_date`.
        days: the days of which there are features.
    """
    known = F.array(*(F.lit(day) for day in days)).cast("array<date>")
    latest = F.array_max(F.filter(known, lambda day: day <= F.col("cut_date")))
    return labels.withColumn("feature_date", latest)


def days_to_build(cuts: Sequence[tuple[date, date | None]]) -> list[date]:
    """First days of months of which features would serve labels that have none, or none near their cut.

    Args:
        cuts: `cut_date` and `feature_date` of each label.
    """
    wanted = {
        cut.replace(day=1)
        for cut, day in cuts
        if day is None or ((cut - day).days > NEAR_DAYS and cut.replace(day=1) > day)
    }
    return sorted(wanted)


def days_that_serve_most(cuts: Sequence[date], number: int) -> list[date]:
    """The `number` first days of months in which most cuts lie, the earlier of equals; in order.

    They depend on the cuts alone, not on the days of which there are features already: whoever builds those
    that are missing builds none the second time.
    """
    served = Counter(cut.replace(day=1) for cut in cuts)
    best = sorted(served, key=lambda day: (-served[day], day))
    return sorted(best[:number])


def draw_share(wanted: int, rows: int) -> float:
    """The chance with which each of `rows` is drawn so that about `wanted` are."""
    return min(1.0, wanted / rows) if rows else 1.0


def is_drawn(share: Column, seed: int) -> Column:
    """Whether a row is drawn: a hash of seed, day and member below its share, whatever the partitioning.

    Args:
        share: the chance of the row.
        seed: of the draw.
    """
    hashed = F.xxhash64(F.lit(seed), F.col("as_of_date").cast("string"), F.col("member_id"))
    return F.pmod(hashed, F.lit(_PLACES)) < share * _PLACES
