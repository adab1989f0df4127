"""A landed file is copied and inspected whole: gzip members and what comes after them, sizes, faults of disks."""

import errno
import gzip
import hashlib
import io
import os
import time
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.landing.plausible import Plausible
from expectations.tables import LANDING_BY_NAME
from jobs.landing import copies
from jobs.landing.files import Limits, inspect_landed

PERSON = LANDING_BY_NAME["person"]
LIMITS = Limits(8 << 20, Plausible(24, 1880, 1990, 2100))
HEADER = b"psn_no,arrive_time\n"
ROWS = HEADER + b"m1,2024-01-01 00:00:00\n" * 1000
#: Four hundred times smaller than what it holds, so that it unpacks in many steps.
DENSE = gzip.compress(HEADER + b"0" * (4 << 20), mtime=0)


def member(content):
    return gzip.compress(content, mtime=0)


def inspected(tmp_path, content, name="part-0.csv.gz"):
    """What is found out about a file, and the bytes that Spark would read."""
    folder = tmp_path / "person" / "batch=2024-01-31"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    facts = inspect_landed(f"{folder}/{name}", PERSON, LIMITS, f"{tmp_path}/copies")
    if facts.error or facts.failure:
        return facts, None
    return facts, Path(facts.copy).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        member(ROWS),
        member(ROWS) + member(b"m2,2024-01-01 00:00:00\n"),
        member(b"") + member(ROWS) + member(b""),
        DENSE,
        DENSE + member(b"1"),
        b"".join(member(ROWS[at : at + 1]) for at in range(len(ROWS))),
    ],
    ids=["one", "two", "empty ones", "dense", "dense and another", "one a byte"],
)
def test_whole_gzip_files_are_read_with_all_their_members(tmp_path, content):
    facts, copy = inspected(tmp_path, content)
    assert (facts.error, facts.columns) == ("", ("psn_no", "arrive_time"))
    assert facts.sha256 == hashlib.sha256(content).hexdigest()
    assert copy == content


@pytest.mark.parametrize("length", [1, 512, 3 << 20])
@pytest.mark.parametrize("content", [member(ROWS), DENSE, DENSE + member(b"1")])
def test_zeros_that_pad_a_gzip_file_are_hashed_but_kept_from_spark(tmp_path, content, length):
    facts, copy = inspected(tmp_path, content + bytes(length))
    assert facts.sha256 == hashlib.sha256(content + bytes(length)).hexdigest()
    assert (facts.error, copy) == ("", content)


DAMAGED = "is a damaged or truncated gzip file: send it again"
NO_GZIP = "is no gzip file, although its name says so"
MORE = "has other bytes after the end of its gzip data: send it again"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (member(ROWS) + b"\n", MORE),
        (DENSE + b"\n", MORE),
        (DENSE + b"m1,2024-01-01 00:00:00\n" * 100_000, MORE),
        (DENSE + bytes(600) + b"\n", MORE),
        (DENSE + bytes(600) + member(b"1"), MORE),
        (DENSE + b"\x1f", DAMAGED),
        (DENSE + b"\x1f\x8b", DAMAGED),
        (DENSE + b"\x1f\x00", DAMAGED),
        (DENSE + member(ROWS)[:-1], DAMAGED),
        (DENSE[:-1], DAMAGED),
        (DENSE[:-9], DAMAGED),
        (DENSE[:5], DAMAGED),
        (DENSE[:-8] + bytes(8), DAMAGED),
        (ROWS, NO_GZIP),
        (bytes(600), NO_GZIP),
        (zlib.compress(ROWS), NO_GZIP),
        (b"PK\x03\x04" + bytes(600), NO_GZIP),
        (member(ROWS) + member(HEADER + b"0" * (9 << 20)), "unpacks to more than landing.max_file"),
        (DENSE * 3, "unpacks to more than landing.max_file_gib (0.00781)"),
        (b"", "is empty: even a file without rows needs a header"),
        (member(b""), "is empty: even a file without rows needs a header"),
        (member(b"") + bytes(600), "is empty: even a file without rows needs a header"),
    ],
)
def test_what_is_no_whole_gzip_file_is_refused_with_the_reason(tmp_path, content, error):
    facts, _ = inspected(tmp_path, content)
    assert error in facts.error


def test_a_hundred_thousand_empty_members_end_soon(tmp_path):
    clock = time.perf_counter()
    facts, _ = inspected(tmp_path, member(ROWS) + member(b"") * 100_000)
    assert facts.error == ""
    assert time.perf_counter() - clock < 20


def test_a_plain_file_beyond_the_limit_is_refused(tmp_path):
    facts, _ = inspected(tmp_path, HEADER + b"0" * (9 << 20), "part-0.csv")
    assert facts.error == "is larger than landing.max_file_gib (0.00781)"


class FailingDisk(io.BytesIO):
    def read(self, size=-1):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_disk_that_fails_is_the_fault_of_that_file_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "open_landed", lambda path: FailingDisk())
    facts, _ = inspected(tmp_path, ROWS, "part-0.csv")
    assert (facts.error, facts.failure) == ("can't be read: Input/output error", "")


def test_a_copy_that_cannot_be_written_is_no_fault_of_the_file(tmp_path):
    (tmp_path / "copies").touch()
    facts, _ = inspected(tmp_path, ROWS, "part-0.csv")
    assert facts.error == ""
    assert facts.failure.endswith("part-0.csv can't be copied below lake.root: Not a directory")


def parquet(table, **how):
    buffer = io.BytesIO()
    pq.write_table(pa.table(table), buffer, **how)
    return buffer.getvalue()


PEOPLE = {"psn_no": ["m1"], "arrive_time": ["2024-01-01 00:00:00"]}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (
            parquet(PEOPLE, compression="brotli"),
            "is compressed by BROTLI, which can't be read here",
        ),
        (
            parquet(
                PEOPLE | {"home_lat": [1.5]},
                use_dictionary=False,
                use_byte_stream_split=["home_lat"],
            ),
            "is encoded by BYTE_STREAM_SPLIT, which can't be read here",
        ),
        (b"PAR1" + bytes(99) + b"PARE", "is encrypted, and there is no key for it here"),
        (b"PARE" + bytes(99) + b"PARE", "is encrypted, and there is no key for it here"),
        (parquet(PEOPLE)[:-9], "is a truncated Parquet file: send it again"),
        (ROWS, "is no Parquet file: it does not begin as one"),
        (b"", "is empty: even a file without rows needs a footer"),
        (b"PAR1" + bytes(99) + b"PAR1", "is a damaged Parquet file"),
    ],
)
def test_parquet_that_cannot_be_read_says_why(tmp_path, content, error):
    facts, _ = inspected(tmp_path, content, "part-0.parquet")
    assert error in facts.error


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4"])
def test_parquet_is_read_in_the_usual_compressions(tmp_path, codec):
    facts, _ = inspected(tmp_path, parquet(PEOPLE, compression=codec), "part-0.parquet")
    assert (facts.error, facts.columns) == ("", ("psn_no", "arrive_time"))


def test_text_in_views_is_text_and_counts_as_such(tmp_path):
    views = PEOPLE | {
        "household_id": pa.array(["h"], pa.string_view()),
        "cert_hash": pa.array([b"c"], pa.binary_view()),
    }
    facts, _ = inspected(tmp_path, parquet(views), "part-0.parquet")
    assert {form.spark for form in facts.forms} == {"string"}
    long = {"household_id": pa.array(["x" * 50_000] * 2_000, pa.string_view())}
    facts, _ = inspected(tmp_path / "long", parquet(long), "part-0.parquet")
    assert "unpacks to more than landing.max_file" in facts.error
