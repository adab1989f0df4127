"""Columns are sound only if no row can break the contract; then their sums are those of the rows."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from expectations.landing.column_rules import has_contract_types, sound_sums
from expectations.landing.event import SETTLEMENT, SETTLEMENT_CODE
from expectations.landing.inquiry import PARCEL
from expectations.landing.plausible import Plausible
from expectations.landing.reference import DRUG, INSTITUTION, PERSON
from expectations.landing.value_rules import VALUE_RULES, Values

TIMES = pa.timestamp("us")
MONEY = pa.decimal128(16, 2)
ARRIVED = datetime(2024, 1, 6)
PLAUSIBLE = Plausible(24, 1880, 1990, 2100)
#: Two settlements, the second with every optional text empty in one way or the other.
COLUMNS = {
    "setl_id": (pa.string(), ["s1", "s2"]),
    "mdtrt_id": (pa.string(), ["v1", "v2"]),
    "psn_no": (pa.string(), ["m1", "m1"]),
    "fixmedins_code": (pa.string(), ["h1", "h1"]),
    "setl_time": (TIMES, [datetime(2024, 1, 5), datetime(2024, 1, 7)]),
    "med_type": (pa.string(), ["11", None]),
    "dise_codg": (pa.string(), ["I10", ""]),
    "medfee_sumamt": (MONEY, [Decimal("99999999999999.99"), Decimal("0.02")]),
    "fund_pay_sumamt": (MONEY, [Decimal("-6.00"), Decimal("1.00")]),
    "acct_pay": (MONEY, [None, None]),
    "arrive_time": (TIMES, [ARRIVED, ARRIVED]),
}


def settlements(*, is_coded=False, **changes):
    """The two rows, with the second one's value changed; text in dictionaries on demand."""
    columns = {}
    for name, (kind, values) in COLUMNS.items():
        column = pa.array([values[0], changes.get(name, values[1])], kind)
        is_text = pa.types.is_string(kind)
        columns[name] = column.dictionary_encode() if is_coded and is_text else column
    return pa.table(columns)


@pytest.mark.parametrize("is_coded", [False, True])
def test_sound_rows_have_the_sums_of_their_amounts(is_coded):
    rows = settlements(is_coded=is_coded)
    assert has_contract_types(rows.schema, SETTLEMENT)
    pieces = [rows.slice(0, 1), rows.slice(1, 1)]
    assert sound_sums(pieces, SETTLEMENT, PLAUSIBLE) == {
        "medfee_sumamt": Decimal("100000000000000.01"),
        "fund_pay_sumamt": Decimal("-5.00"),
        "acct_pay": Decimal(0),
        "psn_cash_pay": Decimal(0),
    }


@pytest.mark.parametrize("is_coded", [False, True])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("psn_no", None),
        ("psn_no", ""),
        ("med_type", "99"),
        ("dise_codg", "I\ufffd0"),
        ("dise_codg", "I\x000"),
        ("setl_id", "\0"),
        ("setl_id", "4.10123E+17"),
        ("setl_id", "4.10123e17"),
        ("mdtrt_id", "4,10123E+017"),
        ("psn_no", "10001.0"),
        ("psn_no", "'10001"),
        ("psn_no", "########"),
        ("psn_no", "m1 "),
        ("psn_no", "m1\n"),
        ("psn_no", "m\n1"),
        ("psn_no", "m\x7f1"),
        ("psn_no", ' "m1"'),
        ("psn_no", "“m1”"),
        ("dise_codg", "\x0bI10"),
        ("psn_no", "\ufeffm1"),
        ("psn_no", "m\u200b1"),
        ("psn_no", "m\u00a01"),
        ("fixmedins_code", "\u3000h1"),
        ("med_type", "11 "),
        ("dise_codg", "I10\t"),
        ("medfee_sumamt", None),
        ("setl_time", None),
        ("setl_time", datetime(2024, 1, 7, 0, 0, 1)),
        ("arrive_time", None),
        ("arrive_time", datetime(1989, 12, 31, 23, 59, 59)),
        ("setl_time", datetime(1, 1, 1)),
    ],
)
def test_one_row_that_breaks_the_contract_is_seen(is_coded, column, value):
    rows = settlements(is_coded=is_coded, **{column: value})
    assert sound_sums([rows], SETTLEMENT, PLAUSIBLE) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        # A code of an illness, an id with a dot or a blank in it, a hash that looks like a number.
        ("dise_codg", "250.0"),
        ("psn_no", "m.1"),
        ("psn_no", "m 1"),
        ("psn_no", "5e12345678901234"),
        ("psn_no", "张三"),
    ],
)
def test_a_name_that_only_looks_odd_is_sound(column, value):
    assert sound_sums([settlements(**{column: value})], SETTLEMENT, PLAUSIBLE) is not None


def test_text_that_is_not_utf8_is_seen():
    rows = settlements()
    broken = pa.array([b"I10", "感冒".encode("gbk")]).cast(pa.string(), safe=False)
    for column in (broken, pa.DictionaryArray.from_arrays(pa.array([0, 1]), broken)):
        place = rows.column_names.index("dise_codg")
        assert (
            sound_sums([rows.set_column(place, "dise_codg", column)], SETTLEMENT, PLAUSIBLE) is None
        )


@pytest.mark.parametrize("kind", [pa.decimal64(16, 2), pa.decimal256(16, 2)])
def test_amounts_in_decimals_of_another_width_are_added_up(kind):
    rows = settlements()
    for name in ("medfee_sumamt", "acct_pay"):
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, rows[name].cast(kind))
    assert has_contract_types(rows.schema, SETTLEMENT)
    sums = sound_sums([rows], SETTLEMENT, PLAUSIBLE)
    assert (sums["medfee_sumamt"], sums["acct_pay"]) == (Decimal("100000000000000.01"), Decimal(0))


#: What a spreadsheet or pandas makes of codes.
SPOILT = ("440301.0", "4.40301E+05", "'440301", "###", '"440301"', "440\u200b301")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *((PERSON, "insuplc_admdvs"), (INSTITUTION, "admdvs"), (INSTITUTION, "medinslv")),
        *((PARCEL, "sender_admdvs"), (PARCEL, "recv_admdvs"), (DRUG, "atc")),
        (SETTLEMENT_CODE, "code"),
    ],
)
def test_codes_that_a_spreadsheet_spoilt_are_seen(table, column):
    spoilt = [code for code in SPOILT if is_seen(table, column, code)]
    # A code of an illness may be a number with decimals.
    assert spoilt == [code for code in SPOILT if (column, code) != ("code", "440301.0")]
    assert not is_seen(table, column, "440301")


def is_seen(table, column, code):
    rows = pa.table({column: pa.array([code])})
    [field] = [each for each in table.fields if each.name == column]
    values = Values(field, rows[column], PLAUSIBLE)
    rules = [rule for rule in VALUE_RULES if rule.concerns(table, field)]
    return any(rule.may_be_broken(values) for rule in rules)


def test_a_double_that_is_no_number_is_seen():
    people = {
        "psn_no": pa.array(["m1", "m2"]),
        "home_lat": pa.array([30.5, None]),
        "arrive_time": pa.array([ARRIVED, ARRIVED], TIMES),
    }
    assert sound_sums([pa.table(people)], PERSON, PLAUSIBLE) == {}
    for number in (float("nan"), float("inf"), float("-inf")):
        people["home_lat"] = pa.array([30.5, number])
        assert sound_sums([pa.table(people)], PERSON, PLAUSIBLE) is None


@pytest.mark.parametrize(
    ("column", "days", "is_sound"),
    [
        ("contract_from", [date(1880, 1, 1), date(2100, 12, 31), None], True),
        ("contract_from", [date(1879, 12, 31)], False),
        ("contract_from", [date(2101, 1, 1)], False),
        ("contract_from", [None], True),
        ("contract_from", [2**31 - 1], False),
        ("contract_from", [-(2**31)], False),
        ("contract_to", [date(9999, 12, 31)], True),
        ("contract_to", [2**31 - 1], False),
        ("contract_to", [date(1, 1, 1)], False),
    ],
)
def test_only_days_that_may_be_open_lie_beyond_the_plausible_years(column, days, is_sound):
    is_number = isinstance(days[0], int)
    found = (
        pa.array(days, pa.int32()).cast(pa.date32()) if is_number else pa.array(days, pa.date32())
    )
    rows = {
        "fixmedins_code": pa.array(["h1"] * len(days)),
        column: found,
        "arrive_time": pa.array([ARRIVED] * len(days), TIMES),
    }
    sums = sound_sums([pa.table(rows)], INSTITUTION, PLAUSIBLE)
    assert sums == ({"visit_cap": Decimal(0)} if is_sound else None)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("medfee_sumamt", pa.array([Decimal("1.0"), Decimal("2.0")], pa.decimal128(16, 1))),
        ("medfee_sumamt", pa.array([1.0, 2.0])),
        ("setl_time", pa.array([ARRIVED, ARRIVED], pa.timestamp("ns"))),
        ("setl_time", pa.array([ARRIVED.replace(tzinfo=UTC)] * 2, pa.timestamp("us", tz="UTC"))),
        ("setl_time", pa.array(["2024-01-05 10:00:00"] * 2)),
        ("arrive_time", pa.array([date(2024, 1, 6)] * 2)),
        ("psn_no", pa.array([1, 2])),
    ],
)
def test_a_column_of_another_type_is_left_to_be_looked_at_by_row(column, values):
    rows = settlements()
    changed = rows.set_column(rows.column_names.index(column), column, values)
    assert not has_contract_types(changed.schema, SETTLEMENT)


def test_required_columns_have_to_be_there_and_optional_ones_need_not():
    rows = settlements()
    assert not has_contract_types(rows.drop_columns("psn_no").schema, SETTLEMENT)
    assert has_contract_types(rows.drop_columns("acct_pay").schema, SETTLEMENT)
    twice = rows.append_column("psn_no", rows["psn_no"])
    assert not has_contract_types(twice.schema, SETTLEMENT)


def test_only_the_rows_of_a_slice_are_looked_at():
    rows = settlements(dise_codg="I\0")
    assert sound_sums([rows.slice(0, 1)], SETTLEMENT, PLAUSIBLE) is not None
    assert sound_sums([rows.slice(1, 1)], SETTLEMENT, PLAUSIBLE) is None
    assert sound_sums([rows.slice(0, 0)], SETTLEMENT, PLAUSIBLE) is not None
