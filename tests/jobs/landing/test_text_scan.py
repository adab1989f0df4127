"""What the bytes of a CSV file tell, whatever the chunks that they come in."""

import gzip
import io
import itertools
import random
import sqlite3
import sys
import tarfile
import unicodedata
import zlib

import pyarrow as pa
import pyarrow.feather as feather
import pytest

from jobs.landing.quotes import LineScan
from jobs.landing.text_scan import TextScan, likely_encoding

HEADER = b"setl_id,psn_no,dise_codg\n"
CHINESE = "1,张伟,感冒\n2,李娜,高血压\n"


def scanned(content, size):
    scan = TextScan()
    for start in range(0, len(content), size):
        scan.feed(content[start : start + size])
    return scan.facts()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_letters_are_looked_at_across_chunks(size):
    plain = scanned(b"\xef\xbb\xbf" + HEADER + CHINESE.encode(), size)
    assert plain.columns == ("setl_id", "psn_no", "dise_codg")
    assert (plain.first_fields, plain.encoding, plain.warnings, plain.error) == (3, "", (), "")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    ("content", "is_mixed"),
    [
        (b"a,b\n1,2\n3,4\n", False),
        (b"a,b\r\n1,2\r\n3,4\r\n", False),
        (b"a,b\r1,2\r3,4\r", False),
        (b"a,b\r\n1,2\n3,4\r\n", True),
        (b'a,b\r\n1,"2\n"\r\n', True),
        (b'a,b\n1,"2\r3"\n', False),
    ],
)
def test_ends_of_lines_are_told_apart(size, content, is_mixed):
    found = scanned(content, size)
    assert (found.columns, found.first_fields, found.error) == (("a", "b"), 2, "")
    assert found.mixed_line_ends == is_mixed


@pytest.mark.parametrize("content", [b"a,b\r\n1,2\r3,4\r\n", b'a,b\n1,"x"\r"3",4\n'])
def test_a_lone_return_among_other_line_ends_is_a_fault(content):
    assert "a carriage return alone" in scanned(content, 3).error


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ((HEADER.decode() + CHINESE).encode("utf-16"), "is UTF-16, and the contract wants UTF-8"),
        ((HEADER.decode() + CHINESE).encode("utf-16-le"), "is UTF-16"),
        ((HEADER.decode() + CHINESE).encode("utf-16-be"), "is UTF-16"),
        (HEADER.decode().encode("utf-32"), "is UTF-32"),
        ("人员编号,性别,地址\n张三,男,上海\n".encode("utf-16-le"), "is UTF-16"),
        ("人员编号,性别,地址\n张三,男,上海\n".encode("utf-16-be"), "is UTF-16"),
        (b"\n \r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (bytes(100), "is empty"),
        # Files of another kind, and other signs between fields.
        (gzip.compress(HEADER, mtime=0), "is gzip data where text should be: pack it once"),
        (b"PK\x03\x04" + bytes(60) + HEADER, "is an Excel workbook or another ZIP archive"),
        (b"\xd0\xcf\x11\xe0" + bytes(60), "is an old Excel workbook"),
        (b"PAR1" + bytes(60), "is a Parquet file: let its name end in .parquet"),
        (b"<html><body>Log in</body></html>", "is XML or HTML, not CSV"),
        (b'\xef\xbb\xbf[{"setl_id": "s1"}]', "is JSON, not CSV"),
        (HEADER.replace(b",", b";"), "has semicolons between its fields, and the contract wants"),
        (HEADER.replace(b",", b"\t"), "has tabs between its fields"),
        (
            HEADER.decode().replace(",", "\uff0c").encode(),
            "has full-width commas between its fields",
        ),
        (
            "人员编号,性别\n1,2\n".encode("gbk"),
            "is not UTF-8 in its header, its bytes look like GB18030",
        ),
        (b'"setl_id,psn_no\n1,2\n', "has a header that is no CSV (an open quote?)"),
        (
            HEADER[:-1] + "\u20281,2,3\u2028".encode(),
            "has lines that end neither in LF nor in CR LF",
        ),
        (b"," * 2_000, "has a header of 2001 columns: is it one, and does its line end?"),
        (b'"' + b"x" * 200_000, "has a header that is no CSV"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, told):
    assert told in scanned(content, 1 << 20).error


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        (CHINESE, "gbk", "GB18030 (GBK)"),
        ("中", "gb18030", "GB18030 (GBK)"),
        ("張偉,人民醫院,感冒,高血壓,國家醫療保障", "big5", "Big5"),
        (
            "José, Müller, Él está en la clínica, niño, señora, años, corazón",
            "cp1252",
            "windows-1252",
        ),
        ("病院,東京,薬局,カタカナ", "shift_jis", "Shift_JIS"),
    ],
)
def test_bytes_that_are_not_utf8_are_named(text, encoding, named):
    content = HEADER + text.encode(encoding) + b"\n"
    assert scanned(content, 1 << 20).encoding == named
    assert likely_encoding(text.encode(encoding)) == named


def test_chinese_letters_that_happen_to_be_utf8_are_warned_of():
    found = scanned(HEADER + "1,模,x\n".encode("gbk"), 1 << 20)
    assert (found.encoding, found.error) == ("", "")
    assert ["may as well be Chinese ones in GBK" in told for told in found.warnings] == [True]


def test_a_byte_order_mark_alone_is_no_letter_of_another_encoding():
    for size in (1, 2, 1 << 20):
        assert scanned(b"\xef\xbb\xbf" + HEADER + b"1,2,3\n", size).warnings == ()


def test_letters_as_two_surrogates_are_named():
    assert "CESU-8" in scanned(HEADER + b"1,\xed\xa0\xbd\xed\xb8\x80,x\n", 1 << 20).encoding


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_a_quote_that_may_not_be_closed_is_told(size):
    assert scanned(HEADER + b'1,"2,x\n3,4,y\n', size).is_quote_open
    assert not scanned(HEADER + b'1,"2 ""b""",x\n', size).is_quote_open


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize(
    ("line", "is_bare"),
    [
        (b"1,2 3,x\n", True),
        (b'1,"2 3",x\r\n', True),
        ("1,张伟,x\n".encode(), True),
        (b"1 ,2,x\n", False),
        (b"1, 2,x\n", False),
        (b" 1,2,x\n", False),
        (b"1,2,x \r\n", False),
        (b'1,2,"x "\n', False),
        (b"1,2,x ", False),
        (b"1,2\t,x\n", False),
        ("1,2\u00a0,x\n".encode(), False),
        ("1,\ufeff2,x\n".encode(), False),
        ("1,2\u200b3,x\n".encode(), False),
        ("1,\U000e00612,x\n".encode(), False),
        (b"1,2\x7f3,x\n", False),
        (b'1,"2\n",x\n', False),
        (b'1,"\r\n2",x\r\n', False),
        (b'1,"2\r3",x\n', False),
        (b'1,"2-""b""",x\n', True),
        (b'1,"","x"\n"1","""","x"\r\n', True),
        (b'1,"2\\"3",x\n', False),
        # By the first quote the second one opens a text, and the line break stands outside.
        (b'1"x,"2\n3",5"y\n', False),
    ],
)
def test_blanks_around_fields_and_letters_that_do_not_show_are_seen(size, line, is_bare):
    assert scanned(b"\xef\xbb\xbf" + HEADER + b"1,2,x\n" + line, size).is_bare == is_bare


def test_every_letter_that_does_not_show_is_seen():
    odd = ("Cc", "Cf", "Zs", "Zl", "Zp")
    letters = (letter for letter in map(chr, range(0x21, sys.maxunicode + 1)))
    for letter in (letter for letter in letters if unicodedata.category(letter) in odd):
        assert not scanned(HEADER + f"1,2{letter}3,x\n".encode(), 1 << 20).is_bare, hex(ord(letter))


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize(
    ("content", "is_odd"),
    [
        (b'"a","b"\n"1",2\n1,"2 ""b"""\r\n"","""2"""', False),
        (b'a,b\n1, "2"\n', True),
        (b'a,b\n1,"2" \n', True),
        (b'a,b\n"r"x",2\n', True),
        (b'a,b\n"a\\"b",2\n', True),
        (b'a,b\n1,5" pipe\n', True),
        (b"a;b\n1;'2'\n", False),
    ],
)
def test_quotes_that_stand_elsewhere_than_in_rfc_4180_are_told(size, content, is_odd):
    for begin in (b"", b"\xef\xbb\xbf"):
        found = LineScan()
        for start in range(0, len(begin + content), size):
            found.feed((begin + content)[start : start + size])
        found.feed(b"", is_last=True)
        assert found.is_odd == is_odd
    told = [each for each in scanned(content, size).warnings if "RFC 4180" in each]
    assert len(told) == is_odd or b";" in content


def told_by_letter(content):
    """What `LineScan` tells, letter by letter."""
    found = {
        "crlf": False,
        "lf": False,
        "has_cr": False,
        "is_odd": False,
        "is_within": False,
    }
    quotes, letters = 0, [None, *content.decode(), None]
    for before, letter, after in zip(letters, letters[1:], letters[2:], strict=False):
        found["crlf"] |= (letter, after) == ("\r", "\n")
        found["lf"] |= letter == "\n" and before != "\r"
        found["has_cr"] |= letter == "\r" and after != "\n" and quotes % 2 == 0
        found["is_within"] |= letter in ("\r", "\n") and quotes % 2 == 1
        if letter == '"':
            beside = after if quotes % 2 else before
            found["is_odd"] |= beside not in (None, ",", "\n", "\r", '"')
            quotes += 1
    return found | {"quotes": quotes}


@pytest.mark.parametrize("letters", ['a,\n"', 'a,\r\n""""', "a\r\n"])
def test_ends_of_lines_and_quotes_are_those_found_letter_by_letter(letters):
    rng = random.Random(7)
    for _ in range(3_000):
        content = "".join(rng.choices(letters, k=rng.randrange(1, 12))).encode()
        scan, at = LineScan(), 0
        while at < len(content):
            size = rng.randrange(1, 6)
            scan.feed(content[at : at + size])
            at += size
        scan.feed(b"", is_last=True)
        wanted = told_by_letter(content)
        found = {name: getattr(scan if hasattr(scan, name) else scan.ends, name) for name in wanted}
        assert found == wanted, content


def tar_of(content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        told = tarfile.TarInfo("part-0.csv")
        told.size = len(content)
        archive.addfile(told, io.BytesIO(content))
    return packed.getvalue()


def sqlite_of(names):
    database = sqlite3.connect(":memory:")
    database.execute(f"create table person ({names})")
    return database.serialize()


def arrow_of(is_stream):
    table, written = pa.table({"psn_no": ["m1"]}), io.BytesIO()
    if not is_stream:
        feather.write_feather(table, written, compression="uncompressed")
    else:
        with pa.ipc.new_stream(written, table.schema) as stream:
            stream.write_table(table)
    return written.getvalue()


#: A table of dBASE III with one column, as old desktop programs write it.
DBF = (
    b"\x03\x7c\x05\x1e\x02\0\0\0\x41\0\x0b\0" + bytes(20)
    + b"PSN_NO".ljust(11, b"\0") + b"C" + bytes(4) + b"\x0a" + bytes(15)
    + b"\r M1        \x1a"
)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (tar_of(HEADER * 9), "is a tar archive, not text: unpack it, and deliver each CSV file"),
        (DBF, "is a dBASE table (DBF), not text: export the table as CSV in UTF-8"),
        (sqlite_of("psn_no"), "is an SQLite database, not text: export the table as CSV in UTF-8"),
        (
            b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1\0\0\0\2m1",
            "is a binary COPY of PostgreSQL, not text: export",
        ),
        (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(range(200)), "is a 7z archive, not text: unpack it"),
        (b"Rar!\x1a\x07\x01\0" + bytes(range(200)), "is a RAR archive, not text: unpack it"),
        (b"Obj\x01\x04\x14avro.codec", "is an Avro file, not text: deliver CSV or Parquet"),
        (arrow_of(is_stream=False), "is a Feather or Arrow file, not text: deliver CSV or Parquet"),
        (arrow_of(is_stream=True), "is a stream of Arrow, not text: deliver CSV or Parquet"),
        (zlib.compress(HEADER * 9), "is packed by zlib: deliver it plain or as gzip"),
        (zlib.compress(HEADER * 9, 1), "is packed by zlib: deliver it plain or as gzip"),
        (pa.compress(HEADER, "lz4", asbytes=True), "is packed by lz4: deliver it plain or as gzip"),
        (b"{\\rtf1\\ansi setl_id,psn_no}", "is an RTF document, not CSV: save it as CSV"),
        (b"\r\n\n <!DOCTYPE html>\n<html>", "is XML or HTML, not CSV"),
        (b"\xef\xbb\xbf\n\t{}", "is JSON, not CSV"),
        (b"--\n-- PostgreSQL database dump\n--\nCOPY a FROM stdin;\n", "is SQL, not CSV"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA", "is encrypted, and there is no key for it here"),
        (b"\x00\x01\x00\x00" + bytes(range(200)), "is binary data, not text"),
        (HEADER[:9] + bytes(90), "is binary data, not text"),
        (random.Random(3).randbytes(5_000), "is binary data, not text: deliver CSV in UTF-8"),
        ("人员编号\t性别\n张三\t男\n".encode("utf-16-le"), "is UTF-16"),
        ("setl_id;psn_no".encode("utf-16-be"), "is UTF-16"),
        (HEADER.decode().encode("utf-32-le"), "is UTF-32"),
    ],
)
def test_a_file_of_another_kind_says_which_and_what_to_deliver(content, told):
    assert scanned(content, 1 << 20).error.startswith(told)


@pytest.mark.parametrize(
    "row",
    [b"a,\0b,c\n", b"a\0,b,c\n", b"a\0,b,c\0\n", b"m\0,a,b\n", b"\0a,b,\0\n", b"x\x9c,\x01,\x04\n"],
)
def test_odd_letters_below_the_header_make_a_file_no_other_kind(row):
    for count, begin in itertools.product((1, 2, 3), (HEADER, b"x^,a\n", b"0,\n")):
        assert scanned(begin + row * count, 1 << 20).error == ""
