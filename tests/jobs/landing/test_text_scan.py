"""What the bytes of a CSV file tell, whatever the chunks that they come in."""

import gzip

import pytest

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
    assert (plain.first_fields, plain.encoding, plain.warning, plain.error) == (3, "", "", "")


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
        (b"PAR1" + bytes(60), "is a Parquet file: call it part-*.parquet"),
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
    assert "may as well be Chinese ones in GBK" in found.warning


def test_a_byte_order_mark_alone_is_no_letter_of_another_encoding():
    for size in (1, 2, 1 << 20):
        assert scanned(b"\xef\xbb\xbf" + HEADER + b"1,2,3\n", size).warning == ""


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
    ],
)
def test_blanks_around_fields_and_letters_that_do_not_show_are_seen(size, line, is_bare):
    assert scanned(b"\xef\xbb\xbf" + HEADER + b"1,2,x\n" + line, size).is_bare == is_bare
