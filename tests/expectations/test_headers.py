"""Names of columns: the contract's own, those that mean them, and those that may."""

import pytest

from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.headers import ALIASES, Naming, read_header, same_names
from expectations.landing.reference import PERSON
from expectations.tables import LANDING_TABLES

BY_ALIAS = Naming(by_alias=True)


def changed(table, **names):
    return [names.get(column, column) for column in table.columns]


def test_the_names_of_the_contract_are_taken_and_others_left_out():
    header = read_header([*SETTLEMENT.columns, "colour", "psn_name"], SETTLEMENT, Naming())
    assert (header.faults, header.unknown) == ((), ("colour", "psn_name"))
    assert header.columns == (*SETTLEMENT.columns, None, None)


@pytest.mark.parametrize(
    ("table", "column", "name"),
    [
        (FEE_DETAIL, "bilg_dr_codg", "bilg_dr_code"),
        (FEE_DETAIL, "bilg_dr_codg", "BILG_DR_CODE"),
        (SETTLEMENT, "dise_codg", "dise_code"),
        (SETTLEMENT, "dise_codg", " DISE_CODG "),
        (SETTLEMENT, "orig_setl_id", "ORIG SETL ID"),
        (SETTLEMENT, "refd_setl_flag", "refund_flag"),
        (SETTLEMENT, "psn_no", "\ufeffpsn_no"),
        (SETTLEMENT, "psn_no", "\uff50sn-no"),
    ],
)
def test_a_name_that_means_a_column_is_taken_where_the_source_says_so_else_refused(
    table, column, name
):
    names = changed(table, **{column: name})
    told = read_header(names, table, Naming()).faults
    assert len(told) == 1
    assert f"column {name} is not in the contract, and {column} is missing" in told[0]
    taken = read_header(names, table, BY_ALIAS)
    assert (list(taken.columns), taken.faults) == (table.columns, ())


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("refd_setl_flag", "refd_setl_flg"),
        ("refd_setl_flag", "is_refund_setl"),
        ("orig_setl_id", "orig_setl_no"),
        ("orig_setl_id", "old_setl_id"),
        ("device_hash", "device_hsh"),
        ("terminal_id", "terminalid"),
    ],
)
def test_a_name_that_only_looks_like_a_column_is_refused_with_it(column, name):
    names = changed(SETTLEMENT, **{column: name})
    for naming in (Naming(), BY_ALIAS):
        told = read_header(names, SETTLEMENT, naming).faults
        assert [f"{name} is not in the contract, and {column}" in each for each in told] == [True]


def test_a_source_says_what_its_own_names_mean_or_that_they_mean_nothing():
    more = {"jylsh": "setl_id", "old_setl_id": None}
    names = changed(SETTLEMENT, setl_id="JYLSH", orig_setl_id="old_setl_id")
    header = read_header(names, SETTLEMENT, Naming(more=more))
    assert (header.faults, header.unknown) == ((), ())
    assert "setl_id" in header.columns
    assert "orig_setl_id" not in header.columns


def test_two_columns_that_differ_in_capitals_only_are_refused():
    told = read_header([*SETTLEMENT.columns, "ACCT_PAY"], SETTLEMENT, Naming()).faults
    assert told == ("columns acct_pay and ACCT_PAY differ in capitals or blanks only",)
    both = read_header([*SETTLEMENT.columns, "dise_code"], SETTLEMENT, BY_ALIAS).faults
    assert both == ("columns dise_codg and dise_code both are dise_codg",)


def test_every_known_alias_means_a_column_and_is_none_itself():
    for name, aliases in ALIASES.items():
        tables = [table for table in LANDING_TABLES if name in ("", table.name)]
        for alias, meant in aliases.items():
            assert any(meant in table.columns for table in tables), meant
            assert not any(alias in table.columns and meant in table.columns for table in tables)


@pytest.mark.parametrize(
    "names", [["m1", "1990-01-01", "2023-12-01 00:00:00"], ["全省明细", ""], ["sep="], []]
)
def test_a_first_record_that_is_no_header_is_told_without_its_values(names):
    header = read_header(names, SETTLEMENT, BY_ALIAS)
    assert header.faults == (
        "none of its columns is in the contract: has it no header, or lines above it?",
    )
    assert header.unknown == ()
    assert header.columns == (None,) * len(names)


def test_names_are_told_on_one_line_and_not_at_length():
    names = [*SETTLEMENT.columns[1:], "setl\n_id", "a\tb" + "x" * 100]
    header = read_header(names, SETTLEMENT, Naming())
    assert header.faults[0].startswith("column setl\\n_id is not in the contract, and setl_id")
    assert header.unknown == ("a\\tb" + "x" * 56 + "...",)


@pytest.mark.parametrize(
    ("mark", "told"),
    [("~", "'~'"), ("^", "'^'"), (" : ", "':'"), ("@@", "'@@'"), ('"~"', "'~'"), ("  ", "blanks")],
)
def test_an_unusual_separator_is_named(mark, told):
    for names in (PERSON.columns, [name.upper() for name in PERSON.columns], ["psn_no", "brdy"]):
        header = read_header([mark.join(names)], PERSON, Naming())
        assert header.faults == (f"has {told} between its fields, and the contract wants commas",)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (PERSON.columns, ""),
        ([*PERSON.columns, ""], ""),
        ([*PERSON.columns, "psn_no"], "has two columns of one name: psn_no"),
        (["psn_no", "a\n", "a\n", *"bbccddeeff"], "one name: a\\n, b, c, d, e and 1 more"),
        (["PSN_NO", "PSN_NO", "x", "x"], "has two columns of one name: PSN_NO, x"),
        ([*PERSON.columns, "", " ", "\u3000"], "has 3 columns without a name: is its first line a"),
        (["参保人员", "", ""], "has 2 columns without a name: is its first line a title"),
        # A first record is no header, and its values are not told.
        (["m1", "390", "390"], "has two columns of one name, and none of the contract: has it no"),
    ],
)
def test_names_that_occur_twice_are_told(names, told):
    found = same_names(names, PERSON)
    assert told in found
    assert bool(told) == bool(found)
