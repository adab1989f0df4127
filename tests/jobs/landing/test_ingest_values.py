"""Ids, codes and numbers as programs write them: read right, or in quarantine with the true reason."""

from decimal import Decimal

import pyarrow as pa
import pytest
from support.landed import Landed, csv_text, parquet, rows_of, text
from support.workspace import base_row

from jobs.ingest_batch import JOB

UNSEEN = "holds a letter that does not show"
QUOTED = "holds a quotation mark, and an id or code has none (quotes other than those of RFC 4180?)"
SHORTENED = "is a number that a spreadsheet shortened, its digits are lost"
SHEET = "is what a spreadsheet writes for a text or in place of a number"
DECIMALS = "is a number with decimals (.0), and an id or code has none"
#: Ids in the bytes of a CSV file, what is read, and the reason if nothing is.
IDS = {
    "2024-01-01": [
        ('"m1\n"', "m1", ""),
        ('"\nm2"', "m2", ""),
        ('"m\n3"', "", UNSEEN),
        ("m\x7f4", "", UNSEEN),
        ('"m5"', "m5", ""),
    ],
    # Without a line break between quotes.
    "2024-01-02": [("m1", "m1", ""), ("m\x7f2", "", UNSEEN)],
    "2024-01-03": [
        (' "q1"', "", QUOTED),
        ('"r2"x"', "", QUOTED),
        (r'"a\"b"', "", QUOTED),
        ('"a""b"', "", QUOTED),
        ("“q5”", "", QUOTED),
        ('"q6"', "q6", ""),
        *((f"q{n}", f"q{n}", "") for n in range(7, 12)),
    ],
    # Quotes as RFC 4180 has them, so that nothing is odd about the file.
    "2024-01-04": [('"a""b"', "", QUOTED), ('"q2"', "q2", ""), ("q3", "q3", "")],
}
CODES = ["440301.0", "4.40301E+05", "'440301", "###", "440301"]


def write_csv(landing):
    for batch, ids in IDS.items():
        rows = [
            base_row("settlement", setl_id=f"{batch}-{n}", psn_no=each)
            for n, (each, _, _) in enumerate(ids)
        ]
        text(landing, batch, csv_text(rows).encode(), rows)
    for batch, mark in (("2024-01-05", "~"), ("2024-01-06", "@@")):
        rows = rows_of("s", 2)
        text(landing, batch, csv_text(rows).replace(",", mark).encode(), rows)
    title = "参保人员,,,,,\n" + csv_text(rows_of("t", 2))
    text(landing, "2024-01-07", title.encode(), rows_of("t", 2))
    text(landing, "2024-01-08", b"setl_id,setl_id,psn_no\n1,1,2\n", rows_of("t", 1))
    swallowed = csv_text(rows_of("t", 4)).replace("t1", r'"t1\""').replace("t3", r'"t3\""')
    text(landing, "2024-01-09", swallowed.encode(), rows_of("t", 4))
    places = [
        base_row("institution", fixmedins_code=f"h{n}", admdvs=code, medinslv="3")
        for n, code in enumerate(CODES)
    ]
    places += [base_row("institution", fixmedins_code="h9", admdvs="", medinslv="3.0")]
    places += [base_row("institution", fixmedins_code=f"i{n}", admdvs="440301") for n in range(5)]
    landing.csv("institution", "2024-01-01", [{"medinslv": ""} | row for row in places])


def write_parquet(landing):
    names = pa.array(["a", "b", "c", "d"])
    forms = {
        "2024-02-01": pa.array([1, 0, None, 1], pa.decimal128(1, 0)),
        "2024-02-02": pa.array([1.0, 0.0, None, 0.5]),
        "2024-02-03": pa.array(
            [Decimal("0.0"), Decimal(0), None, Decimal("0.5")], pa.decimal128(38, 38)
        ),
    }
    for batch, found in forms.items():
        columns = {"fixmedins_code": names, "dual_channel": found}
        parquet(landing, batch, columns, rows=4, table="institution")
    for batch, kind in (("2024-02-04", pa.decimal64(16, 2)), ("2024-02-05", pa.decimal32(9, 2))):
        columns = {
            "fixmedins_code": names,
            "visit_cap": pa.array([Decimal("1.50"), None, Decimal(2), Decimal(3)], kind),
            "arrive_time": pa.array(["2023-12-01"] * 4).cast(pa.timestamp("us")),
        }
        parquet(landing, batch, columns, rows=4, table="institution")
    numbers = [1, 2, None, 4]
    sequences = {
        "2024-02-01": pa.array(numbers, pa.decimal128(38, 0)),
        "2024-02-02": pa.array([1.0, 2.0, None, 4.5]),
        "2024-02-03": pa.array([1.0, 2.0, float("nan"), 3e9], pa.float32()),
        "2024-02-04": pa.array(
            [Decimal(1), Decimal("2.0"), Decimal("1.5"), None], pa.decimal64(12, 3)
        ),
        "2024-02-05": pa.array([1, 2, 2**31, None], pa.int64()),
    }
    for batch, found in sequences.items():
        parquet(landing, batch, {"seq": found}, rows=4, table="settlement_code")


@pytest.fixture(scope="module")
def ingested(new_workspace):
    this = new_workspace("quarantine.max_share_of_few=0.9")
    write_csv(this.landing)
    write_parquet(this.landing)
    assert this.run(JOB).exit_code == 3
    return this


@pytest.fixture(scope="module")
def landed(ingested):
    """What became of the batches of each table."""
    tables = ("settlement", "institution", "settlement_code")
    return {table: Landed(ingested, table) for table in tables}


@pytest.mark.parametrize("batch", IDS)
def test_line_breaks_and_quotes_are_no_part_of_an_id(landed, batch):
    assert landed["settlement"].kept(batch, "psn_no") == [
        (read,) for _, read, why in IDS[batch] if not why
    ]
    assert landed["settlement"].reasons(batch) == {
        number: [f"psn_no: {why}"] for number, (_, _, why) in enumerate(IDS[batch], 1) if why
    }


@pytest.mark.parametrize("batch", IDS)
def test_a_file_with_quotes_that_are_not_those_of_rfc_4180_is_warned_of(landed, batch):
    warned = [
        told for told in landed["settlement"].batches[batch]["warnings"] if "RFC 4180" in told
    ]
    assert [told.split(" (")[0] for told in warned] == [
        "part-0.csv has quotes that are not as RFC 4180 has them"
    ] * (batch == "2024-01-03")


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        ("2024-01-05", "has '~' between its fields, and the contract wants commas"),
        ("2024-01-06", "has '@@' between its fields, and the contract wants commas"),
        ("2024-01-07", "part-0.csv has 5 columns without a name: is its first line a title"),
        ("2024-01-08", "part-0.csv has two columns of one name: setl_id"),
        ("2024-01-09", "records, the manifest says 4: its quotes are not as RFC 4180 has them"),
    ],
)
def test_what_is_wrong_with_a_header_or_quotes_is_named(landed, batch, reason):
    row = landed["settlement"].batches[batch]
    assert row["outcome"] == "refused"
    assert any(reason in each for each in row["reasons"]), row["reasons"]


def test_codes_that_a_spreadsheet_spoilt_wait(landed):
    found = landed["institution"].reasons("2024-01-01")
    assert found == {
        1: [f"admdvs: {DECIMALS}"],
        2: [f"admdvs: {SHORTENED}"],
        3: [f"admdvs: {SHEET}"],
        4: [f"admdvs: {SHEET}"],
        6: [f"medinslv: {DECIMALS}"],
    }
    places = landed["institution"].kept("2024-01-01", "admdvs")
    assert places == [("440301",)] * 6


@pytest.mark.parametrize(
    ("batch", "read", "bad"),
    [
        ("2024-02-01", [True, False, None, True], 0),
        ("2024-02-02", [True, False, None], 1),
        ("2024-02-03", [False, False, None], 1),
    ],
)
def test_booleans_are_read_from_numbers_of_any_type(landed, batch, read, bad):
    found = landed["institution"].kept(batch, "dual_channel")
    assert found == [(value,) for value in read]
    reasons = landed["institution"].reasons(batch)
    assert reasons == ({4: ["dual_channel: can't be read as boolean"]} if bad else {})


@pytest.mark.parametrize("batch", ["2024-02-04", "2024-02-05"])
def test_amounts_are_read_from_decimals_of_any_width(landed, batch):
    assert landed["institution"].batches[batch]["reasons"] == []
    caps = landed["institution"].kept(batch, "visit_cap")
    assert caps == [(Decimal("1.50"),), (None,), (Decimal(2),), (Decimal(3),)]


EMPTY, UNREAD = "seq: is empty, and it is required", "seq: can't be read as integer"


@pytest.mark.parametrize(
    ("batch", "read", "reasons"),
    [
        ("2024-02-01", [1, 2, 4], {3: [EMPTY]}),
        ("2024-02-02", [1, 2], {3: [EMPTY], 4: [UNREAD]}),
        ("2024-02-03", [1, 2], {3: [UNREAD], 4: [UNREAD]}),
        ("2024-02-04", [1, 2], {3: [UNREAD], 4: [EMPTY]}),
        ("2024-02-05", [1, 2], {3: [UNREAD], 4: [EMPTY]}),
    ],
)
def test_whole_numbers_are_read_from_numbers_of_any_type_and_never_cut(
    landed, batch, read, reasons
):
    found = landed["settlement_code"].kept(batch, "seq")
    assert found == [(number,) for number in read]
    assert landed["settlement_code"].reasons(batch) == reasons
