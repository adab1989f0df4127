"""Work on several tables at a time: while Spark plans a query of one, another uses the cores."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

from expectations.landing.table import LandingTable

#: Most queries are small and wait for the driver, not for cores; more threads only hold more in memory.
_AT_ONCE = 4
_Found = TypeVar("_Found")


def each_table(
    spark: SparkSession,
    tables: Sequence[LandingTable],
    work: Callable[[LandingTable], _Found],
    *,
    is_parent_first: bool = False,
) -> list[_Found]:
    """Do some work for every table, several at a time; the results in the tables' order.

    After an error no further table is started. Started tables are finished, and then the error is raised.

    Args:
        spark: the session.
        tables: parents before children.
        work: the work; called once for each table, in a thread of its own.
        is_parent_first: whether a table waits for the tables that it refers to.
    """
    begun: dict[str, Future[_Found]] = {}

    def in_turn(table: LandingTable) -> _Found:
        parents = {each.parent for each in table.references} - {table.name}
        for name in parents if is_parent_first else ():
            if name in begun:
                begun[name].result()
        return work(table)

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for table in tables:
            # Parents were begun before: whoever waits here waits for one that has a thread.
            # Wrapped for each alone, as what is inherited would be shared otherwise.
            begun[table.name] = pool.submit(inheritable_thread_target(spark)(in_turn), table)
        wait(begun.values(), return_when=FIRST_EXCEPTION)
    finally:
        pool.shutdown(cancel_futures=True)
    # Of several errors that of the first table: children have their parents'.
    return [each.result() for each in begun.values() if not each.cancelled()]
