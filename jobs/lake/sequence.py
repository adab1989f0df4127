"""Numbers that give the order in which a table's rows were written.

A machine's clock may go back, and two rows may be written in the same microsecond, so a time does not show
which row is newest. Rows from before the column existed have no number. They come first, ordered by time
among themselves.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from jobs.lake.tables import Lake


def next_sequence(lake: Lake, contract: TableContract) -> int:
    """A number above those of all rows of a table's newest version; 1 for an empty table.

    Delta keeps the largest number of each file, so no row is read. Two drivers that append at the same time
    may get the same number. Break such ties by `run_id`.
    """
    # Not as the run first saw it: the run itself may have written since.
    newest = Lake(lake.spark, lake.root)
    if not newest.exists(contract):
        return 1
    [(highest,)] = newest.read(contract, rows=0).agg(F.max("sequence")).collect()
    return int(highest or 0) + 1


def newest_first(time: str) -> list[Column]:
    """The sort order that puts the row that was written last first.

    Args:
        time: the column that orders rows without a `sequence` among themselves.
    """
    is_older = F.col("sequence").isNull()
    return [F.desc_nulls_last("sequence"), F.when(is_older, F.col(time)).desc()]
