"""Numbers that say in which order a table's rows were written.

A machine's clock may go back, and two rows may be written in the same microsecond, so a time says when something
was written but never what is newest. Rows from before the column existed have no number: they come first, and
among themselves their time is all that is known.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from jobs.lake.tables import Lake


def next_sequence(lake: Lake, contract: TableContract) -> int:
    """A number above those of all rows of a table, as it stands now: 1 for the first.

    Delta knows the largest number of each file, so no row is read. Two drivers that append at the same time may
    get the same number: whoever orders by it breaks ties by `run_id`.
    """
    # Not as the run first saw it: the run itself may have written since.
    newest = Lake(lake.spark, lake.root)
    if not newest.exists(contract):
        return 1
    [(highest,)] = newest.read(contract, rows=0).agg(F.max("sequence")).collect()
    return int(highest or 0) + 1


def newest_first(time: str) -> list[Column]:
    """What to order by, so that the row that was written last comes first.

    Args:
        time: the column that orders rows from before `sequence` existed, among themselves.
    """
    is_older = F.col("sequence").isNull()
    return [F.desc_nulls_last("sequence"), F.when(is_older, F.col(time)).desc()]
