"""Several tables at a time: parents before children, and an error ends it."""

import threading
import time

import pytest

from expectations.landing.event import FEE_DETAIL, SETTLEMENT, SETTLEMENT_CODE
from expectations.landing.reference import INSTITUTION, PERSON
from expectations.tables import LANDING_TABLES
from jobs.runtime.threads import each_table


def test_found_in_the_tables_order_and_children_after_parents(spark):
    ended: list[str] = []

    def work(table):
        # Parents take longest: a child that did not wait would end before them.
        time.sleep(0.2 if table in (PERSON, INSTITUTION) else 0.02)
        ended.append(table.name)
        return table.name

    found = each_table(spark, LANDING_TABLES, work, is_parent_first=True)
    assert found == [table.name for table in LANDING_TABLES]
    assert sorted(ended) == sorted(found)
    for table in LANDING_TABLES:
        for reference in table.references:
            assert ended.index(reference.parent) <= ended.index(table.name)


def test_an_error_is_raised_after_what_has_begun_and_children_are_not_begun(spark):
    ended: list[str] = []
    is_failing = threading.Event()

    def work(table):
        if table == PERSON:
            is_failing.wait(5)
            raise ValueError("person cannot be read")
        is_failing.set()
        time.sleep(0.1)
        ended.append(table.name)

    tables = (PERSON, INSTITUTION, SETTLEMENT, FEE_DETAIL, SETTLEMENT_CODE)
    with pytest.raises(ValueError, match="person cannot be read"):
        each_table(spark, tables, work, is_parent_first=True)
    assert ended == ["institution"]


def test_an_error_ends_it_though_an_earlier_table_is_still_at_work(spark):
    ended: list[str] = []
    has_failed = threading.Event()

    def work(table):
        if table == INSTITUTION:
            has_failed.set()
            raise ValueError("institution cannot be read")
        has_failed.wait(5)
        time.sleep(1 if table == PERSON else 0.1)
        ended.append(table.name)

    with pytest.raises(ValueError, match="institution cannot be read"):
        each_table(spark, LANDING_TABLES, work)
    # Those that had a thread by then and no more; within the first one's second all would have ended.
    assert PERSON.name in ended
    assert len(ended) <= 6


def test_tables_are_worked_on_at_the_same_time(spark):
    both = threading.Barrier(2, timeout=20)
    assert each_table(spark, (PERSON, SETTLEMENT), lambda _: both.wait() >= 0) == [True, True]
