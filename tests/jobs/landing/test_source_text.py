"""What the bytes of a CSV or JSON file of a source tell before Spark reads it."""

import bz2
import gzip
import json

import pytest

from jobs.landing import json_records
from jobs.landing.json_records import JsonScan
from jobs.landing.line_ends import LONE_RETURNS, text_lines
from jobs.landing.source_text import first_record, text_fault

PLAIN = {"multiline": "true", "escape": '"', "header": "true"}
MIXED = "ends some lines in CR LF and others in LF: use one kind"
RECORDS = b"".join(
    json.dumps({"a": text, "b": [1, {"c": "]"}]}, ensure_ascii=False).encode() + b"\n"
    for text in ('x"y', "\\", "it's\\\"", "{", "张", "")
)


def fault(folder, content, kind="csv", name="part", **options):
    path = folder / name
    path.write_bytes(content)
    return text_fault(str(path), kind, (PLAIN if kind == "csv" else {}) | options)


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"a,b\n1,2\n", {}, ""),
        (b"a,b\r\n1,2\r\n", {}, ""),
        (b"a,b\r1,2\r", {}, ""),
        (b"", {}, ""),
        (b"\n", {}, ""),
        (b"a,b\n1,2\r\n", {}, MIXED),
        (b"a,b\r\n1,2\n", {}, MIXED),
        (b"a,b\n1,2\n3,4\r\n", {}, MIXED),
        (b"a,b\n1,2\r\n", {"multiline": "false"}, ""),
        (b"a,b\n1,2\r\n", {"multiline": "false", "linesep": "\n"}, MIXED),
        (b"a,b\r1,2\n", {}, LONE_RETURNS),
        (b'a,b\n1,"x\r\ny\rz"\n', {}, ""),
        (b'a,b\r\n1,"x\ny"\r\n', {}, ""),
        # Spark takes the first break of the file for the end of all lines.
        (b'a,"b\nc"\r\n1,2\r\n', {}, MIXED),
        # A quote within a field opens nothing.
        (b'a,b\n5" pipe,2\r\n', {}, MIXED),
        (b"a\tb\n1\t'x\r\ny'\n", {"sep": "\\t", "quote": "'"}, ""),
        (b'a||b\n1||"x\r\ny"\n', {"sep": "||"}, ""),
        (b'a,b\n1,"x\r\ny"\n', {"quote": ""}, MIXED),
        (b'a,b\n1,"x\\"\r\ny"\n', {"escape": "\\"}, ""),
        (b'#,"open\na,b\n1,"x\r\ny"\n', {"comment": "#"}, ""),
        ("a,b\n1,张\n".encode("utf-16-le"), {"encoding": "UTF-16LE"}, ""),
        ("a,b\n1,张\r\n".encode("utf-16-le"), {"encoding": "UTF-16LE"}, MIXED),
        ("a,b\n1,张\n".encode("gbk"), {"encoding": "GBK"}, ""),
        # What is unknown to Python is left to Java.
        (b"a,b\n1,2\r\n", {"encoding": "GB99"}, ""),
        (b"a,b\n1,2\r\n", {"encoding": "hex"}, ""),
    ],
)
def test_records_have_to_end_in_one_way(tmp_path, content, options, told):
    assert fault(tmp_path, content, **options) == told


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("encoding", [{}, {"encoding": "utf8"}])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("张伟,感冒\n".encode("gbk"), "is not UTF-8, its bytes look like GB18030 (GBK): set the"),
        ("{}\n中".encode()[:-1], "is not UTF-8"),
        ('{"a":"b,c"}\n'.encode("utf-16"), "is UTF-16: set the reader option encoding"),
        ('{"a":"b,c"}\n'.encode("utf-16-le"), "is UTF-16: set the reader option encoding"),
        (b"PK\x03\x04", "is an Excel workbook or another ZIP archive"),
        (gzip.compress(RECORDS, mtime=0), "is gzip data where text should be"),
        (b"PAR1", "is a Parquet file"),
    ],
)
def test_a_file_that_is_no_text_in_utf8_says_what_it_is(tmp_path, kind, encoding, content, told):
    assert fault(tmp_path, content, kind, **encoding).startswith(told)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.gz", gzip.compress(b"a,b\n1,2\r\n", mtime=0), MIXED),
        (
            "x.gz",
            gzip.compress(b"a,b\n1,2\n", mtime=0) + b"\0" * 512,
            "has zeros after the end of its gzip",
        ),
        ("x.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-3], "is a damaged or truncated gzip file"),
        ("x.gz", b"a,b\n1,2\n", "is no gzip file, although its name says so"),
        (
            "x.gz",
            gzip.compress(b"a\n" * 2_000_000 + "张伟".encode("gbk"), mtime=0),
            "is not UTF-8, its",
        ),
        ("x.bz2", bz2.compress(b"a,b\n1,2\n"), ""),
        ("x.bz2", bz2.compress(b"a,b\n1,2\r\n"), MIXED),
    ],
)
def test_packed_files_are_looked_into(tmp_path, name, content, told):
    found = fault(tmp_path, content, name=name)
    assert found.startswith(told)
    assert bool(found) == bool(told)


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (RECORDS, {}, ""),
        (b"\xef\xbb\xbf" + RECORDS, {}, ""),
        (RECORDS.replace(b"\n", b",\r\n"), {}, ""),
        (b"\n\n", {}, ""),
        (b"[{},{}]\n{}", {}, ""),
        (b"{'a\"':\"it's\"}\n{'b':'}'}\n", {}, ""),
        (b"{}{}", {}, json_records.TWO_IN_LINE),
        (b"{} x\n{}", {}, json_records.STRAY),
        (b"null\n{}", {}, json_records.STRAY),
        (b'{"a":"x\n{"a":1}\n', {}, json_records.OPEN_TEXT),
        (b"{'a':'x\n{'a':1}\n", {}, json_records.OPEN_TEXT),
        (b'{"a":1,\n{"a":2}\n', {}, json_records.OVER_LINES),
        (b"[{},\n{}]", {}, json_records.OVER_LINES),
        (b'{"a":1', {}, json_records.CUT),
        (b'{"a":"x\\', {}, json_records.CUT),
        (b"[{},\n{}]\n", {"multiline": "true"}, ""),
        (b"{}\n{}\n", {"multiline": "true"}, json_records.TWO_IN_FILE),
        (b"[{},\n{}", {"multiline": "true"}, json_records.CUT),
        (b"{} // {'\n/* } \n */", {"allowcomments": "true", "multiline": "true"}, ""),
        (b"{} // x\n", {}, json_records.STRAY),
        (b"{}\x1e{\n}", {"linesep": "\x1e"}, ""),
        # A letter whose second byte is that of a brace.
        ('{"a":"亄"}\n'.encode("gbk"), {"encoding": "GBK"}, ""),
    ],
)
def test_a_line_or_a_file_of_json_holds_one_document(tmp_path, content, options, told):
    assert fault(tmp_path, content, "json", **options) == told


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100, 10_000])
@pytest.mark.parametrize("is_multiline", [False, True])
def test_json_is_looked_at_across_chunks(size, is_multiline):
    content = b"[" + RECORDS.replace(b"\n", b",\n") + b"1]" if is_multiline else RECORDS

    def faults(text):
        scan = JsonScan(is_multiline)
        chunks = [text[start : start + size] for start in range(0, len(text), size)]
        return {*map(scan.feed, chunks), scan.end()} - {""}

    assert faults(content) == set()
    assert faults(content + b"{}{}")
    assert faults(content[:-2]) == {json_records.CUT}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_lines_are_told_apart_across_pieces(size):
    text = "a\r\nb\n\rc\r\r\n\nd"
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert list(text_lines(pieces)) == ["a\r\n", "b\n", "\r", "c\r", "\r\n", "\n", "d"]


def test_the_first_record_of_a_file_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "x").write_bytes("\ufeff\n张,b\n".encode())
    assert first_record(str(tmp_path / "x"), PLAIN) == ["张", "b"]
    (tmp_path / "x").write_bytes("张,b\n".encode("gbk"))
    assert first_record(str(tmp_path / "x"), PLAIN) == []
