"""Parents that arrived late, found by hashes alone, tell of every row what the parents themselves tell."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

from pyspark.sql import functions as F
from support.frames import frame_of

from expectations.landing.event import (
    FEE_DETAIL,
    SETTLEMENT,
    SETTLEMENT_CODE,
    SETTLEMENT_DOCTOR,
)
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


def clashes(spark, table, *rows):
    """How many of some rows clash; each arrives a day after the one before it unless it says when."""
    landed = [
        {"batch": START.date(), "arrive_time": START + timedelta(days=n)} | row
        for n, row in enumerate(rows)
    ]
    frame = frame_of(spark, table.bronze, *landed).withColumn("key_hash", F.xxhash64(*table.key))
    return clashing_rows(frame, table).collect()[0]["rows"]


def visit(key, who, place, time, **more):
    return {"setl_id": key, "psn_no": who, "fixmedins_code": place, "setl_time": time} | more


def test_rows_of_one_key_that_differ_in_person_place_and_time_are_no_versions(spark):
    day, other = START, START + timedelta(days=1)
    found = clashes(
        spark,
        SETTLEMENT,
        # A spreadsheet made one id of two.
        visit("8.5E+18", "m1", "h1", day),
        visit("8.5E+18", "m2", "h2", other),
        visit("8.5E+18", "m3", "h1", day),
        # A correction of the time or the person, and one that came in another batch.
        visit("s1", "m1", "h1", day),
        visit("s1", "m1", "h1", other),
        visit("s2", "m1", "h1", day),
        visit("s2", "m2", "h1", day),
        visit("s3", "m1", "h1", day),
        visit("s3", "m2", "h2", other, batch=other.date()),
        # Two records of one place, whose ids are rounded to one.
        visit("s4", "m1", "h1", day),
        visit("s4", "m2", "h1", other),
    )
    assert found == 5
    # Two people, a corrected birthday, and one of whom less is known.
    people = [("4.4E+17", day, "c1"), ("4.4E+17", other, "c2"), ("m1", day, "c1")]
    people += [("m1", other, "c1"), ("m2", day, "c1"), ("m2", None, None)]
    rows = [
        {"psn_no": who, "brdy": born and born.date(), "cert_hash": paper}
        for who, born, paper in people
    ]
    assert clashes(spark, PERSON, *rows) == 2
    # Lines that lost their numbers: other drugs for other amounts. One whose amount was put right is a version.
    lines = [
        ("s1", "d1", "10"),
        ("s1", "d2", "15"),
        ("s1", "d3", "5"),
        ("s2", "d1", "10"),
        ("s2", "d1", "12"),
    ]
    fees = [
        {
            "setl_id": key,
            "feedetl_sn": "1",
            "med_list_codg": drug,
            "det_item_fee_sumamt": Decimal(yuan),
        }
        for key, drug, yuan in lines
    ]
    assert clashes(spark, FEE_DETAIL, *fees) == 3


def test_rows_of_one_key_that_arrived_at_one_time_and_differ_are_no_versions(spark):
    at_once = {"setl_id": "s1", "code_type": "diagnosis", "seq": 1, "arrive_time": START}
    codes = [at_once | {"code": code} for code in ("I10", "E11", "N18")]
    # Delivered twice, and put right later: one row, and two versions of it.
    twice = {
        "setl_id": "s2",
        "code_type": "diagnosis",
        "seq": 1,
        "code": "I10",
        "arrive_time": START,
    }
    later = at_once | {"setl_id": "s3", "code": "J40"}
    right = later | {"code": "J41", "arrive_time": START + timedelta(days=1)}
    # What came first differs, and the last one says how it is.
    first = [later | {"setl_id": "s4", "code": code} for code in ("I10", "E11")]
    rows = [*codes, twice, twice, later, right, *first, right | {"setl_id": "s4"}]
    assert clashes(spark, SETTLEMENT_CODE, *rows) == 3
    assert clashing_rows(frame_of(spark, SETTLEMENT_DOCTOR.bronze), SETTLEMENT_DOCTOR) is None
