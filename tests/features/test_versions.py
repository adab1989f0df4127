"""Parents that arrived late, found by hashes alone, tell of every row what the parents themselves tell."""

import random
from datetime import datetime, timedelta

from pyspark.sql import functions as F

from expectations.landing.event import FEE_DETAIL, SETTLEMENT, SPECIAL_CERT
from expectations.landing.inquiry import TRACE_SCAN
from expectations.landing.reference import PERSON
from features.versions import (
    References,
    arrived_rows,
    clashing_rows,
    institutions_elsewhere,
    late_parents,
)

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


def test_institutions_elsewhere_lie_in_another_province_than_most(spark):
    rows = [("h1", "510104"), ("h2", "511302"), ("h3", None), ("h4", "440100"), ("h4", "440300")]
    institutions = spark.createDataFrame(rows, "institution_id string, district string")
    found = institutions_elsewhere(institutions)
    assert [row["institution_id"] for row in found.collect()] == ["h4"]
    assert institutions_elsewhere(institutions.limit(0)).count() == 0


def test_a_scan_in_another_province_waits_for_no_settlement(spark):
    places = {"h1": START, "h9": START + timedelta(days=2)}
    firsts = {
        "institution": spark.createDataFrame(
            list(places.items()), "fixmedins_code string, valid_from timestamp"
        ),
        "settlement": spark.createDataFrame(
            [("s1", START + timedelta(days=5))], "setl_id string, valid_from timestamp"
        ),
    }
    scans = spark.createDataFrame(
        [(place, setl_id) for place in ("h1", "h9", "h8") for setl_id in ("s1", "s2", None)],
        "fixmedins_code string, setl_id string",
    ).withColumn("arrive_time", F.lit(START + timedelta(days=1)))
    elsewhere = spark.createDataFrame([("h9",), ("h8",)], "institution_id string")
    rows = arrived_rows(scans, References(TRACE_SCAN, firsts, elsewhere=elsewhere)).collect()
    found = {(row["fixmedins_code"], row["setl_id"]): row for row in rows}

    assert {key for key, row in found.items() if row["is_orphan"]} == {
        ("h1", "s2"),
        # What the institution table does not hold is still missing.
        *(("h8", setl_id) for setl_id in ("s1", "s2", None)),
    }
    texts = {key: [each["text"] for each in row["reasons"]] for key, row in found.items()}
    assert texts["h1", "s2"] == ["setl_id: points at no row of settlement"]
    assert texts["h8", "s2"] == ["fixmedins_code: points at no row of institution"]
    days = {key: (row["valid_from"] - START).days for key, row in found.items()}
    # Its own arrival, its settlement's and its institution's, whichever is last; elsewhere the settlement's
    # counts for nothing, so that it makes no difference whether it comes in time.
    assert (days["h1", "s1"], days["h1", None]) == (5, 1)
    assert (days["h9", "s1"], days["h9", "s2"], days["h9", None]) == (2, 2, 2)


def test_rows_of_one_key_that_differ_in_person_place_and_time_are_no_versions(spark):
    day, other = START, START + timedelta(days=1)
    rows = [
        # A spreadsheet made one id of two.
        ("8.5E+18", "m1", "h1", day, 1),
        ("8.5E+18", "m2", "h2", other, 1),
        ("8.5E+18", "m3", "h1", day, 1),
        # A correction of the time or the person, and one that came in another batch.
        ("s1", "m1", "h1", day, 1),
        ("s1", "m1", "h1", other, 1),
        ("s2", "m1", "h1", day, 1),
        ("s2", "m2", "h1", day, 1),
        ("s3", "m1", "h1", day, 1),
        ("s3", "m2", "h2", other, 2),
        # Two records of one place, whose ids are rounded to one.
        ("s4", "m1", "h1", day, 1),
        ("s4", "m2", "h1", other, 1),
    ]
    frame = spark.createDataFrame(
        rows,
        "setl_id string, psn_no string, fixmedins_code string, setl_time timestamp, batch int",
    ).withColumn("key_hash", F.xxhash64("setl_id"))
    assert clashing_rows(frame, SETTLEMENT).collect()[0]["rows"] == 5
    people = [
        # Two people, a corrected birthday, and one of whom less is known.
        ("4.4E+17", day, "c1", 1),
        ("4.4E+17", other, "c2", 1),
        ("m1", day, "c1", 1),
        ("m1", other, "c1", 1),
        ("m2", day, "c1", 1),
        ("m2", None, None, 1),
    ]
    schema = "psn_no string, brdy timestamp, cert_hash string, batch int"
    frame = spark.createDataFrame(people, schema).withColumn("key_hash", F.xxhash64("psn_no"))
    assert clashing_rows(frame, PERSON).collect()[0]["rows"] == 2
    assert clashing_rows(frame, SPECIAL_CERT) is None
