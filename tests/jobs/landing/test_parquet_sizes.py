"""What a Parquet file would take in memory is known before its rows are read, and they are read in slices."""

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.landing.event import SETTLEMENT
from expectations.landing.plausible import Plausible
from jobs.landing import parquet_sizes
from jobs.landing.files import Limits, inspect_file

NOW = datetime(2024, 1, 6)
MONEY = pa.decimal128(16, 2)


def settlements(rows, text="s1"):
    """Rows that are all the same, so that the file is tiny."""
    texts = pa.repeat(pa.scalar(text), rows)
    times = pa.repeat(pa.scalar(NOW, pa.timestamp("us")), rows)
    amounts = pa.repeat(pa.scalar(Decimal("1.00"), MONEY), rows)
    named = dict.fromkeys(("setl_id", "mdtrt_id", "psn_no", "fixmedins_code"), texts)
    named |= {"setl_time": times, "arrive_time": times}
    return pa.table(named | {"medfee_sumamt": amounts, "fund_pay_sumamt": amounts})


def inspected(folder, table, max_bytes, **how):
    path = folder / "part-0.parquet"
    pq.write_table(table, path, row_group_size=table.num_rows, **how)
    assert path.stat().st_size < 100_000
    return inspect_file(str(path), SETTLEMENT, Limits(max_bytes, Plausible(24, 1880, 1990, 2100)))


def test_many_rows_in_a_small_file_are_refused_by_the_numbers_of_the_footer(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_sizes.pq.ParquetFile, "iter_batches", None)
    found = inspected(tmp_path, settlements(100_000), 1 << 20)
    assert found.error == "unpacks to more than landing.max_file_gib (0.000977)"


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"use_dictionary": False, "column_encoding": {"setl_id": "DELTA_BYTE_ARRAY"}},
    ],
)
def test_a_long_text_in_every_row_is_refused_although_it_is_stored_once(tmp_path, how):
    long = settlements(2_000).set_column(0, "setl_id", pa.repeat(pa.scalar("x" * 50_000), 2_000))
    assert "unpacks to more" in inspected(tmp_path, long, 90 << 20, **how).error
    assert inspected(tmp_path, long, 110 << 20, **how).error == ""


def test_a_row_group_is_looked_at_in_slices_with_the_sums_of_all_rows(tmp_path, monkeypatch):
    seen = []
    sound_sums = parquet_sizes.slices

    def watched(*arguments):
        for piece in sound_sums(*arguments):
            seen.append(piece.num_rows)
            yield piece

    monkeypatch.setattr("jobs.landing.files.slices", watched)
    found = inspected(tmp_path, settlements(300_000), 1 << 30)
    assert (found.rows, found.sums["medfee_sumamt"]) == (300_000, Decimal("300000.00"))
    assert sum(seen) == 300_000
    assert max(seen) <= 1 << 17


def test_a_slice_has_fewer_rows_where_a_text_in_them_is_long(tmp_path):
    path = tmp_path / "part-0.parquet"
    rows = 40_000
    pq.write_table(pa.table({"setl_id": pa.repeat(pa.scalar("x" * 10_000), rows)}), path)
    with pa.OSFile(str(path)) as source:
        pieces = parquet_sizes.slices(source, pq.ParquetFile(source), ["setl_id"])
        assert max(piece.nbytes for piece in pieces) < 300_000_000
