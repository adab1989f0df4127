"""The usual values among peers as of a day."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused
from expectations.gold.account import PEER_STATISTIC
from jobs.lake.tables import Lake
from models.surprise import LEVELS, usual_values


def usual_among_peers(
    lake: Lake, day: date, names: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """The quantiles of features by group of peers, see `models.surprise.usual_values`.

    Raises:
        DataRefused: when the day has no statistics, or those of an older version.
    """
    rows = lake.read_day(PEER_STATISTIC, day).filter(F.col("feature").isin(*names))
    found = rows.select("peer_group", "feature", *LEVELS).collect()
    if any(row["extreme"] is None for row in found):
        raise DataRefused(
            f"{PEER_STATISTIC.name} as of {day} lacks the 90th and 99.9th percentile, an older version wrote"
            f" it: run build_member_features --as-of {day} again"
        )
    return usual_values([(row[0], row[1], tuple(row[2:])) for row in found], names)
