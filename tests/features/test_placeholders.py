"""What a row of silver gets of a value that stands for nothing, and which values too many people carry."""

from decimal import Decimal

import pytest
from support.frames import frame_of

from expectations.landing.placeholders import SHARED, Shared, column_placeholders, load_placeholders
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from features.placeholders import (
    TablePlaceholders,
    shared_values,
    with_marks,
    with_row_faults,
    without_placeholders,
)

LIMITS = Shared(columns=(), most_people=200, times_next=3, history_days=92)


def placeholders_of(name, **shared):
    table, listed = (
        LANDING_BY_NAME[name],
        load_placeholders("conf/placeholders.yaml", LANDING_TABLES),
    )
    found = {each.name: column_placeholders(listed, table, each, {}) for each in table.fields}
    return TablePlaceholders(table, {key: value for key, value in found.items() if value}, shared)


def emptied(rows, placeholders):
    return without_placeholders(with_marks(rows, placeholders), placeholders)


def test_what_may_be_empty_is_emptied_and_what_may_not_is_a_fault(spark):
    placeholders = placeholders_of("proxy_pickup", agnter_tel_hash=["everyone's"])
    rows = frame_of(
        spark,
        placeholders.table.bronze,
        {"setl_id": "s1", "agnter_cert_hash": "p1", "agnter_tel_hash": "everyone's"},
        {"setl_id": "s2", "agnter_cert_hash": "d41d8cd98f00b204e9800998ecf8427e"},
        {"setl_id": "s3", "agnter_cert_hash": "p3", "agnter_tel_hash": "t", "agnter_rlts": "N/A"},
        {"setl_id": "s4", "agnter_cert_hash": "p4"},
    )
    columns = ("setl_id", "agnter_cert_hash", "agnter_tel_hash", "agnter_rlts", "faults.text")
    found = emptied(rows, placeholders).orderBy("setl_id").select(*columns).collect()
    assert [tuple(row) for row in found] == [
        ("s1", "p1", None, None, []),
        (
            "s2",
            "d41d8cd98f00b204e9800998ecf8427e",
            None,
            None,
            ["agnter_cert_hash: holds a placeholder, not a value"],
        ),
        ("s3", "p3", "t", None, []),
        ("s4", "p4", None, None, []),
    ]
    phone = next(each for each in placeholders.table.fields if each.name == "agnter_tel_hash")
    [row] = rows.filter("setl_id = 's1'").select(placeholders.entry(phone)).collect()
    assert row[0] == SHARED


def test_refunds_that_are_not_as_the_contract_has_them_are_faults(spark):
    placeholders = placeholders_of("settlement")
    settlements = {
        "visit": (None, None, 10, 6),
        "free visit": ("0", None, 0, 0),
        "refund": ("1", "visit", -10, -6),
        "part": ("1", "visit", 0, -6),
        "nameless": ("1", None, -10, -6),
        "itself": ("1", "itself", -10, -6),
        "positive": ("1", "visit", 10, 6),
        "mixed": ("1", "visit", -10, 6),
        "no flag": (None, "visit", -10, -6),
        "flag 0": ("0", "visit", -10, -6),
        "no sign": (None, "visit", 10, 6),
        "sign alone": ("0", None, -10, -6),
        "fund alone": (None, None, 10, -6),
    }
    rows = [
        {
            "setl_id": name,
            "refd_setl_flag": flag,
            "orig_setl_id": original,
            "medfee_sumamt": Decimal(amount),
            "fund_pay_sumamt": Decimal(fund),
        }
        for name, (flag, original, amount, fund) in settlements.items()
    ]
    frame = frame_of(spark, placeholders.table.bronze, *rows)
    found = with_row_faults(emptied(frame, placeholders), placeholders.table)
    medfee, fund = "medfee_sumamt: is", "fund_pay_sumamt: is"
    no_flag = ["refd_setl_flag: is not 1 in a row that takes another back"]
    assert {
        row["setl_id"]: [each["text"] for each in row["faults"]]
        for row in found.collect()
        if row["faults"]
    } == {
        "itself": ["orig_setl_id: names the row itself"],
        "nameless": ["orig_setl_id: is empty in a refund"],
        "positive": [f"{medfee} above zero in a refund", f"{fund} above zero in a refund"],
        "mixed": [f"{fund} above zero in a refund"],
        "no flag": no_flag,
        "flag 0": no_flag,
        "no sign": no_flag,
        "sign alone": [
            f"{medfee} below zero in a row that is no refund",
            f"{fund} below zero in a row that is no refund",
        ],
        "fund alone": [f"{fund} below zero in a row that is no refund"],
    }


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        # A clinic's own phone in a village is one, whoever else there is.
        ({"clinic": 100, "p": 1}, []),
        ({"nobody": 400, "clinic": 100, "p": 2}, ["nobody"]),
        # Two values that nobody has do not hide each other.
        ({"nobody": 400, "zero": 390, "clinic": 100}, ["nobody", "zero"]),
        # Where 150 carry one phone, 400 may carry another.
        ({"large": 400, "clinic": 150}, []),
    ],
)
def test_a_value_that_far_more_people_carry_than_any_other_is_nobodys(spark, people, expected):
    rows = [
        (value, f"{value} {number}", 0)
        for value, count in people.items()
        for number in range(count)
    ]
    # Many visits of one person are one person, and people of another period do not add up.
    rows += [("one", "the same", 0)] * 900
    rows += [("slow", f"{period} {n}", period) for period in range(4) for n in range(90)]
    rows = [("phone", *row) for row in rows]
    # What is common in one column says nothing about another.
    rows += [("door", "large house", f"{number}", 0) for number in range(1000)]
    frame = spark.createDataFrame(rows, "column string, value string, person string, period long")
    found = shared_values(frame, LIMITS)
    assert found.pop("door") == ["large house"]
    assert found == ({"phone": expected} if expected else {})
