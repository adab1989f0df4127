"""Parents that arrived late, found by hashes alone, tell of every row what the parents themselves tell."""

import random
from datetime import datetime, timedelta

from pyspark.sql import functions as F

from expectations.landing_event import FEE_DETAIL
from features.versions import References, arrived_rows, late_parents

START = datetime(2024, 1, 1)


def test_late_parents_say_what_all_parents_say(spark):
    rng = random.Random(7)
    parents = [(f"s{number}", START + timedelta(days=rng.randint(0, 9))) for number in range(30)]
    rows = [
        (rng.choice([None, *(f"s{number}" for number in range(36))]), number, rng.randint(0, 9))
        for number in range(200)
    ]
    firsts = spark.createDataFrame(parents, "setl_id string, valid_from timestamp")
    children = spark.createDataFrame(rows, "setl_id string, number int, day int").select(
        "setl_id", "number", F.timestamp_add("day", "day", F.lit(START)).alias("arrive_time")
    )
    late = late_parents(children, "setl_id", firsts)
    usual = arrived_rows(children, References(FEE_DETAIL, {"settlement": firsts}))
    by_hash = arrived_rows(
        children, References(FEE_DETAIL, {"settlement": firsts}, late={"setl_id": late})
    )
    expected = {row["number"]: row.asDict() for row in usual.collect()}
    assert {row["number"]: row.asDict() for row in by_hash.collect()} == expected

    known = dict(parents)
    for setl_id, number, day in rows:
        arrived = START + timedelta(days=day)
        is_orphan = setl_id is not None and setl_id not in known
        assert expected[number]["is_orphan"] is is_orphan
        if not is_orphan:
            assert expected[number]["valid_from"] == max(arrived, known.get(setl_id, arrived))
    first_wanted = {}
    for setl_id, _, day in rows:
        first_wanted[setl_id] = min(first_wanted.get(setl_id, 99), day)
    wanted_late = {
        setl_id
        for setl_id, day in first_wanted.items()
        if setl_id and (setl_id not in known or known[setl_id] > START + timedelta(days=day))
    }
    assert late.count() == len(wanted_late) > 10
