"""A code that is seen again says something about the holder only where the box left the holder's hands."""

from datetime import date, datetime, timedelta

import pytest
from support.frames import frame_of

from expectations.landing.inquiry import TRACE_SCAN
from features.boxes import box_sales, holder_sales
from features.dispensing.sums import resale_rate, resales

AS_OF = date(2025, 7, 1)


def scan(code, days, kind="sale", settlement="s1", member="m1", place="h1", **changes):
    return {
        "scan_id": f"{code}-{days}-{settlement}-{place}",
        "trace_code": code,
        "scan_type": kind,
        "scan_time": datetime(2025, 7, 1, 12) - timedelta(days=days),
        "settlement_id": settlement,
        "member_id": member,
        "institution_id": place,
        "drug_id": code,
        **changes,
    }


SCANS = [
    scan("once", 10),
    scan("once", 20, "inbound", None, None),
    scan("one label twice", 9),
    scan("one label twice", 8),
    scan("sent again", 9),
    scan("sent again", 9, settlement="s2", member="m2", scan_id="z other"),
    scan("billed again", 9),
    scan("billed again", 7, settlement="s2"),
    scan("same counter", 9),
    scan("same counter", 7, settlement="s2", member="m2"),
    scan("came back", 9),
    scan("came back", 8, "return"),
    scan("came back", 7, settlement="s2", member="m2", place="h2"),
    # That the second buyer brought it back does not undo that the first one's was sold elsewhere.
    scan("elsewhere and back", 9),
    scan("elsewhere and back", 7, settlement="s2", member="m2", place="h2"),
    scan("elsewhere and back", 6, "return", settlement="s2", member="m2", place="h2"),
    scan("split", 9, is_split_pack=True),
    scan("split", 8, settlement="s2", place="h2", is_split_pack=True),
    scan("elsewhere", 40),
    # The buyer is nobody's member; still it was sold again.
    scan("elsewhere", 30, settlement="s2", member=None, place="h2"),
    scan("elsewhere", 10, settlement="s3", member="m3", place="h3"),
]


@pytest.fixture(scope="module")
def scans(spark):
    return frame_of(spark, TRACE_SCAN.silver, *SCANS)


def test_each_repeat_has_the_kind_that_explains_it(scans):
    found = {
        (row["drug_id"], row["member_id"], (AS_OF - row["scan_time"].date()).days): (
            row["previous_kind"],
            row["next_kind"],
        )
        for row in box_sales(scans).collect()
    }
    assert found == {
        ("once", "m1", 10): (None, None),
        ("one label twice", "m1", 9): (None, "same_settlement"),
        ("one label twice", "m1", 8): ("same_settlement", None),
        ("sent again", "m1", 9): (None, "resent"),
        ("sent again", "m2", 9): ("resent", None),
        ("billed again", "m1", 9): (None, "same_member"),
        ("billed again", "m1", 7): ("same_member", None),
        ("same counter", "m1", 9): (None, "same_counter"),
        ("same counter", "m2", 7): ("same_counter", None),
        ("came back", "m2", 7): (None, None),
        ("elsewhere and back", "m1", 9): (None, "elsewhere"),
        ("elsewhere", "m1", 40): (None, "elsewhere"),
        ("elsewhere", None, 30): ("elsewhere", "elsewhere"),
        ("elsewhere", "m3", 10): ("elsewhere", None),
    }


def test_only_boxes_that_left_the_hands_count_against_a_holder(scans):
    rows = holder_sales(scans, AS_OF, 365).collect()

    assert {row["drug_id"] for row in rows if row["is_resold"]} == {
        "elsewhere",
        "elsewhere and back",
    }
    assert {(row["drug_id"], row["member_id"]) for row in rows} >= {("once", "m1")}
    assert all(row["member_id"] for row in rows)


def test_a_code_that_is_sold_again_and_again_is_that_of_a_kind_of_packs_and_names_no_box(spark):
    def sold(code, times):
        return [
            scan(code, 100 - n, settlement=f"s{n}", member=f"m{n}", place=f"h{n}")
            for n in range(times)
        ]

    scans = frame_of(spark, TRACE_SCAN.silver, *sold("kind", 21), *sold("box", 20))

    rows = holder_sales(scans, AS_OF, 365).filter("is_resold").collect()

    assert [row["drug_id"] for row in rows] == ["box"] * 19
    # It is still a finding about those who sold it.
    assert resales(scans, AS_OF, 365).filter("is_repeat AND drug_id = 'kind'").count() == 20


def test_institutions_answer_for_their_own_counter_but_not_for_one_label_scanned_twice(scans):
    sold = resales(scans, AS_OF, 365)

    assert {row["drug_id"] for row in sold.filter("is_repeat").collect()} == {
        "same counter",
        "elsewhere",
    }
    # Three of the fourteen sales: one at the same counter, two of one box elsewhere.
    assert sold.agg(resale_rate().alias("rate")).first()["rate"] == pytest.approx(10_000 * 3 / 14)


def test_chance_is_the_rate_of_other_members_at_the_counter_drawn_towards_all_counters(spark):
    # Counter a: m1 has 10 boxes of which 2 were resold, m2 has 500 with 4. Counter b: m3 has 490 with none.
    boxes = [("a", "m1", 10, 2), ("a", "m2", 500, 4), ("b", "m3", 490, 0)]
    rows = []
    for place, member, count, resold in boxes:
        for n in range(count):
            code = f"{member}-{n}"
            rows.append(scan(code, 20, settlement=code, member=member, place=place))
            if n < resold:
                rows.append(scan(code, 10, settlement=f"{code}x", member=None, place="c"))
    found = {
        (row["institution_id"], row["member_id"]): row["chance_ppb"]
        for row in holder_sales(frame_of(spark, TRACE_SCAN.silver, *rows), AS_OF, 365)
        .select("institution_id", "member_id", "chance_ppb")
        .distinct()
        .collect()
    }
    usual = 6 / 1000
    assert found == {
        ("a", "m1"): round(1e9 * (4 + 500 * usual) / 1000),
        ("a", "m2"): round(1e9 * (2 + 500 * usual) / 510),
        ("b", "m3"): round(1e9 * 500 * usual / 500),
    }
