"""Batches as real systems write them: read right, or refused with the true reason, and no other batch lost."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from support.landed import Landed, csv_text, kept, parquet, rows_of, text
from support.workspace import base_row

from expectations.contract.errors import ConfigError
from expectations.landing.reference import INSTITUTION
from jobs.ingest_batch import JOB
from jobs.runtime.job import Options

AT = datetime(2024, 1, 5, 10)
#: The same as a moment, if the clock on the wall is Shanghai's.
MOMENT = datetime(2024, 1, 5, 2, tzinfo=UTC)
ARRIVED = datetime(2024, 1, 6)


def write_times(landing):
    """Settlement times in every type of Parquet that holds one."""
    nanos = pa.array([AT] * 3, pa.timestamp("ns"))
    parquet(landing, "2024-01-01", {"setl_time": nanos})
    parquet(landing, "2024-01-02", {"setl_time": nanos}, use_deprecated_int96_timestamps=True)
    moments = {"setl_time": pa.array([MOMENT] * 3, pa.timestamp("us", tz="UTC"))}
    parquet(landing, "2024-01-03", moments)
    nano_moments = {"setl_time": pa.array([MOMENT] * 3, pa.timestamp("ns", tz="Asia/Shanghai"))}
    parquet(landing, "2024-01-04", nano_moments)


def write_parquet_forms(landing):
    # Nothing at all in a column, text that is not said to be text, numbers in other widths.
    odd = {
        "dise_codg": pa.nulls(3),
        "psn_no": pa.array([b"m1"] * 3, pa.binary()),
        "opter_no": pa.array([2**63 + 1] * 3, pa.uint64()),
        "terminal_id": pa.array([7] * 3, pa.uint16()),
        "mdtrt_id": pa.array(["v1"] * 3).dictionary_encode(),
        "fund_pay_sumamt": pa.array([Decimal("6.0000")] * 3, pa.decimal128(38, 4)),
        "medfee_sumamt": pa.array([10] * 3, pa.int8()),
        "acct_pay": pa.array([1.5] * 3, pa.float32()),
        "begntime": pa.array([AT] * 3, pa.timestamp("ms")),
        "endtime": pa.array([date(2024, 1, 5)] * 3, pa.date32()),
        # What nobody asked for may be of any type.
        "remark": pa.array([[1]] * 3),
        "long": pa.array([Decimal(1)] * 3, pa.decimal256(50, 2)),
    }
    parquet(landing, "2024-01-05", odd)
    parquet(landing, "2024-01-06", {"psn_no": pa.array([[1]] * 3)})
    parquet(landing, "2024-01-07", {"acct_pay": pa.array([Decimal(1)] * 3, pa.decimal256(50, 2))})
    parquet(landing, "2024-01-08", {"med_type": pa.nulls(3), "psn_no": pa.nulls(3)})
    broken = pa.array([b"m1", "感冒".encode("gbk"), b"m1"], pa.binary()).cast(
        pa.string(), safe=False
    )
    parquet(landing, "2024-01-09", {"dise_codg": broken})
    parquet(
        landing, "2024-01-10", {"ACCT_PAY": pa.array(["1"] * 3), "acct_pay": pa.array(["1"] * 3)}
    )
    yes = {
        "dual_channel": pa.array([1, 0, None], pa.int8()),
        "fixmedins_code": pa.array(["a", "b", "c"]),
    }
    parquet(landing, "2024-01-31", yes, table="institution")


def write_spoilt_ids(landing):
    """Ids as they come: what is around them is no part of them, what is within spoils them."""
    odd = [
        *("i1 ", " i2", "\ti3", "\u3000i4\u00a0", "\ufeffi5", "i 6"),
        *(
            "i\u200b7",
            "i\u00a08",
            "1000.0",
            "4.4E17",
            "4,4e+017",
            "'10001",
            '="10001"',
            "####",
            " ",
        ),
    ]
    rows = [base_row("settlement", setl_id=f"w{n}", psn_no=name) for n, name in enumerate(odd)]
    rows += [
        base_row("settlement", setl_id=f"w{n + len(odd)}", med_type=" 11 ", dise_codg=code)
        for n, code in enumerate(("250.0 ", "I10", "", " ", "I10\t", "x", "y", "z", "1.0"))
    ]
    landing.csv("settlement", "2024-03-01", rows)
    columns = {
        "psn_no": pa.array([row["psn_no"] for row in rows]),
        "setl_id": pa.array([row["setl_id"] for row in rows]),
        "med_type": pa.array([row["med_type"] for row in rows]),
        "dise_codg": pa.array([row.get("dise_codg") for row in rows]),
    }
    parquet(landing, "2024-03-02", columns, rows=len(rows))


def write_other_names(landing):
    """Columns of the contract under names that are nearly theirs."""
    good = rows_of("c", 4)
    capitals = csv_text(good, names=[name.upper() for name in good[0]])
    text(landing, "2024-02-04", capitals.encode(), good)
    names = {"refd_setl_flag": "refund_flag"}
    renamed = [{names.get(name, name): row[name] for name in row} for row in rows_of("r", 2)]
    landing.csv("settlement", "2024-02-05", renamed)


def write_csv_forms(landing):
    good = rows_of("c", 4)
    lines = csv_text(good).splitlines()
    mixed = lines[0] + "\r\n" + lines[1] + "\n" + lines[2] + "\r\n" + lines[3] + "\r\n" + lines[4]
    text(landing, "2024-02-01", b"\xef\xbb\xbf" + mixed.encode(), good)
    blank = mixed.replace("\r\n", "\r\n\r\n\n") + "\n\r\n"
    text(landing, "2024-02-14", blank.encode(), good)
    text(landing, "2024-02-15", b"\xef\xbb\xbf\r\n" + blank.encode(), good)
    # Two files put together: the second header is no row of the contract, and is not lost either.
    twice = lines[0] + "\r\n" + lines[1] + "\n" + "\r\n".join([lines[0], *lines[2:]]) + "\r\n"
    text(landing, "2024-02-18", twice.encode(), [*good, good[0]])
    for day, end in (("2024-02-16", "\n"), ("2024-02-17", "\r\n")):
        text(landing, day, (end + csv_text(good, end=end + end)).encode(), good)
    quoted = csv_text(rows_of("q", 2, dise_codg='"a ""b"", \r\n\\"'), end="\r\n")
    text(landing, "2024-02-02", quoted.encode(), good[:2])
    text(landing, "2024-02-19", (quoted + "\n").encode(), good[:2])
    text(landing, "2024-02-03", csv_text(good, end=",\n").replace(",\n", "\n", 1).encode(), good)
    both = [{**row, "acct_pay": "1.00", "ACCT_PAY": "1.00"} for row in rows_of("b", 2)]
    landing.csv("settlement", "2024-02-06", both)
    chinese = rows_of("g", 110, dise_codg="感冒")
    text(landing, "2024-02-07", csv_text(chinese).encode("gbk"), chinese)
    text(landing, "2024-02-08", csv_text(rows_of("n", 3, dise_codg="模")).encode("gbk"), good[:3])
    text(landing, "2024-02-09", csv_text(good).encode("utf-16"), good)
    landing.csv("settlement", "2024-02-10", rows_of("m", 3, mdtrt_cert_type="1"))
    odd = [{**row, "": "x", "_malformed_record": "y", "a.b`c": "z"} for row in rows_of("o", 2)]
    landing.csv("settlement", "2024-02-11", odd)
    landing.csv("settlement", "2024-02-13", rows_of("", 8, setl_id="4.10123E+17"))
    one = (
        csv_text(rows_of("z", 4, dise_codg="I10"))
        .encode()
        .replace(b"z1,v1,m1,h1", b"z1,v\xb8\xd0,m1,h1")
    )
    text(landing, "2024-02-12", one, good)


@pytest.fixture(scope="module")
def ingested(new_workspace):
    this = new_workspace()
    write_times(this.landing)
    write_parquet_forms(this.landing)
    write_other_names(this.landing)
    write_csv_forms(this.landing)
    write_spoilt_ids(this.landing)
    assert this.run(JOB).exit_code == 3
    return this


@pytest.fixture(scope="module")
def landed(ingested):
    return Landed(ingested)


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        ("2024-01-02", "column setl_time is timestamp (INT96): moments in UTC"),
        ("2024-01-03", "column setl_time is timestamp[us, tz=UTC]: moments in UTC"),
        ("2024-01-04", "set landing.time_zone to the zone to convert them with"),
        ("2024-01-06", "column psn_no is list<element: int64>, which can't be string throughout"),
        (
            "2024-01-07",
            "column acct_pay is decimal256(50, 2), which can't be decimal(16,2) throughout",
        ),
        (
            "2024-01-08",
            "3 of 3 rows break the contract, more than quarantine.max_share_of_few (50%)",
        ),
        ("2024-01-10", "columns ACCT_PAY and acct_pay differ in capitals or blanks only"),
        ("2024-02-03", "4 records do not have as many fields as the header"),
        ("2024-02-03", "part-0.csv has 11 fields in its header and 12 in its first record"),
        ("2024-02-04", "column SETL_ID is not in the contract, and setl_id is missing"),
        ("2024-02-05", "column refund_flag is not in the contract, and refd_setl_flag is missing"),
        ("2024-02-06", "columns acct_pay and ACCT_PAY differ in capitals or blanks only"),
        ("2024-02-07", "part-0.csv is not UTF-8, its bytes look like GB18030 (GBK)"),
        ("2024-02-09", "part-0.csv is UTF-16, and the contract wants UTF-8"),
        (
            "2024-02-10",
            "3 of 3 rows break the contract, more than quarantine.max_share_of_few (50%)",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_true_reason(landed, batch, reason):
    row = landed.batches[batch]
    assert (row["outcome"], row["rows_kept"]) == ("refused", 0)
    assert any(reason in each for each in row["reasons"]), row["reasons"]
    assert not any("not one value fits" in each for each in row["reasons"])


def test_times_in_nanoseconds_are_read_to_the_microsecond(landed):
    assert landed.kept("2024-01-01", "setl_time") == [(AT,)] * 3


def test_columns_in_forms_of_other_writers_are_read_exactly(landed):
    names = ("psn_no", "dise_codg", "opter_no", "terminal_id", "mdtrt_id")
    assert landed.kept("2024-01-05", *names) == [("m1", None, str(2**63 + 1), "7", "v1")] * 3
    amounts = ("fund_pay_sumamt", "medfee_sumamt", "acct_pay")
    assert landed.kept("2024-01-05", *amounts) == [(Decimal(6), Decimal(10), Decimal("1.5"))] * 3
    assert landed.kept("2024-01-05", "begntime", "endtime") == [(AT, datetime(2024, 1, 5))] * 3


def test_booleans_as_numbers_are_read(ingested):
    rows = ingested.lake.read(INSTITUTION.bronze).orderBy("fixmedins_code").collect()
    assert [row["dual_channel"] for row in rows] == [True, False, None]


def test_text_of_parquet_that_is_not_utf8_goes_to_quarantine(landed):
    row = landed.batches["2024-01-09"]
    assert (row["outcome"], row["rows_kept"], row["rows_quarantined"]) == ("kept", 2, 1)


@pytest.mark.parametrize(
    "day", ["2024-02-01", "2024-02-14", "2024-02-15", "2024-02-16", "2024-02-17"]
)
def test_lines_end_in_any_mix_and_blank_ones_are_no_records(landed, day):
    found = landed.kept(day, "setl_id", "arrive_time")
    assert found == [(f"c{n}", ARRIVED) for n in (1, 2, 3, 4)]


def test_a_second_header_in_a_file_of_mixed_line_ends_goes_to_quarantine(landed):
    row = landed.batches["2024-02-18"]
    assert (row["outcome"], row["rows_kept"], row["rows_quarantined"]) == ("kept", 4, 1)


def test_quotes_line_breaks_and_backslashes_are_letters_of_a_value(landed):
    for batch in ("2024-02-02", "2024-02-19"):
        row = landed.batches[batch]
        assert (row["reasons"], [told for told in row["warnings"] if "quotes" in told]) == ([], [])
        values = {value for (value,) in landed.kept(batch, "dise_codg")}
        assert values == {'a "b", \n\\'}


def test_letters_that_may_be_of_another_encoding_are_warned_of(landed):
    warned = landed.batches["2024-02-08"]["warnings"]
    assert any("may as well be Chinese ones in GBK" in each for each in warned)
    one_row = landed.batches["2024-02-12"]
    assert (one_row["rows_kept"], one_row["rows_quarantined"]) == (3, 1)
    assert "part-0.csv is not UTF-8, its bytes look like GB18030 (GBK)" in one_row["warnings"]


@pytest.mark.parametrize("batch", ["2024-03-01", "2024-03-02"])
def test_ids_are_read_without_blanks_around_them_and_spoilt_ones_wait(landed, batch):
    found = landed.kept(batch, "psn_no", "med_type")
    assert [name for name, _ in found[:6]] == ["i1", "i2", "i3", "i4", "i5", "i 6"]
    assert found[6:] == [("m1", "11")] * 9
    codes = [code for (code,) in landed.kept(batch, "dise_codg")[6:]]
    assert codes == ["250.0", "I10", None, None, "I10", "x", "y", "z", "1.0"]
    reasons = [row["reasons"] for row in landed.waiting(batch)]
    sheet = "is what a spreadsheet writes for a text or in place of a number"
    assert reasons == [
        ["psn_no: holds a letter that does not show"],
        ["psn_no: holds a letter that does not show"],
        ["psn_no: is a number with decimals (.0), and an id or code has none"],
        ["psn_no: is a number that a spreadsheet shortened, its digits are lost"],
        ["psn_no: is a number that a spreadsheet shortened, its digits are lost"],
        [f"psn_no: {sheet}"],
        [f"psn_no: {sheet}"],
        [f"psn_no: {sheet}"],
        ["psn_no: is empty, and it is required"],
    ]


def test_a_column_may_be_called_anything(landed):
    row = landed.batches["2024-02-11"]
    assert (row["outcome"], row["rows_kept"]) == ("kept", 2)


def test_a_source_says_its_zone_and_that_aliases_are_to_be_taken(new_workspace):
    settings = ("landing.time_zone=Asia/Shanghai", "landing.known_aliases=true")
    this = new_workspace(*settings)
    write_times(this.landing)
    write_other_names(this.landing)
    this.run(JOB)
    for batch in ("2024-01-03", "2024-01-04"):
        assert kept(this, batch, "setl_time", "arrive_time") == [(AT, ARRIVED)] * 3
    # A moment of 10 o'clock in UTC.
    assert kept(this, "2024-01-02", "setl_time") == [(datetime(2024, 1, 5, 18),)] * 3
    assert kept(this, "2024-01-01", "setl_time") == [(AT,)] * 3
    assert [row[0] for row in kept(this, "2024-02-04", "setl_id")] == ["c1", "c2", "c3", "c4"]
    assert kept(this, "2024-02-05", "refd_setl_flag") == [("0",)] * 2


def test_aliases_and_zones_that_mean_nothing_are_named(new_workspace):
    this = new_workspace("landing.aliases={a: nothing}")
    with pytest.raises(
        ConfigError, match=r"landing.aliases: a is nothing, which is no landing column"
    ):
        JOB.check(this.config, Options())
    with pytest.raises(ConfigError, match="is no time zone; write it as Asia/Shanghai"):
        new_workspace("landing.time_zone=Beijing")
