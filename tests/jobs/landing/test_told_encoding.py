"""An encoding that a mapping tells wrongly is refused; one that it tells rightly is read."""

import pytest

from jobs.landing.entries import NotReadable
from jobs.landing.told_encoding import ToldEncoding, UnknownEncoding

NAMES = "欧阳建国,上官婉儿,司马相如,感冒发烧,糖尿病,高血压,杭州市,宁波市,温州市,嘉兴市,湖州市\n"
CHINESE = "psn_no,name\n" + NAMES * 3
TRADITIONAL = (
    "編號,姓名\n" + "歐陽建國,感冒發燒,糖尿病,醫院,臺北,高雄,陳志明,林淑芬,黃俊傑,張雅婷\n" * 3
)
LATIN = (
    "id,ciudad\n"
    + "Málaga,Córdoba,León,Cáceres,Ávila,Coruña,Logroño,Mérida,Jaén,Cádiz,Ibáñez,Núñez\n" * 3
)
CYRILLIC = "id,город\n" + "1,Уфа\n2,Омск\n3,Тула\n4,Пермь\n5,Самара\n6,Казань\n7,Тверь\n" * 3
JAPANESE = "番号,名前\n" + "東京都,あいうえお,カタカナ,病院,診療所\n" * 3
HOSPITALS = "code,name\n" + "".join(
    f"{city}市中医院\n"
    for city in [
        "杭",
        "宁波",
        "湖州",
        "金华",
        "衢州",
        "舟山",
        "台州",
        "丽水",
        "海宁",
        "平湖",
        "江山",
    ]
)
PLAIN = "psn_no,name\nm1,a\n"
UTF8, ZEROS, OTHER = "its bytes are UTF-8", "none of its bytes is zero", "those of another encoding"
ORDER, GBK = "no plain letter", "its bytes are GB18030 (GBK)"
UTF16, MARK = "is UTF-16", "it begins with the mark of UTF-8"
GUESS = "its bytes look like GB18030 (GBK)"
#: What a file's first letters say needs some of them.
BY_THE_FIRST = {ZEROS, ORDER, UTF16, MARK, GUESS}


def read(content, encoding, size=1 << 20):
    """The text of bytes that come in blocks of a size."""
    told = ToldEncoding(encoding)
    blocks = [content[at : at + size] for at in range(0, len(content), size)]
    told.begin(blocks[0] if blocks else b"")
    return "".join([*map(told.text, blocks), told.text(b"", is_last=True)])


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((CHINESE, name) for name in ("UTF-8", "utf8", "GBK", "gb2312", "GB18030", "UTF-32LE")),
        *((HOSPITALS, name) for name in ("GBK", "GB18030")),
        *((TRADITIONAL, name) for name in ("Big5", "UTF-16LE", "UTF-16BE")),
        *((LATIN, name) for name in ("ISO-8859-1", "windows-1252", "cp850")),
        *((CYRILLIC, name) for name in ("windows-1251", "KOI8-R", "ISO-8859-5", "cp866")),
        *((JAPANESE, name) for name in ("Shift_JIS", "EUC-JP")),
        *((PLAIN, name) for name in ("US-ASCII", "GBK", "windows-1252")),
        # A hospital whose name has rare letters.
        ("朱镕,朱镕喆,镕堃\n" * 30, "GBK"),
        # Half-width letters of a byte each, in words of two.
        ("ｱｲ,ｶﾅ,ｻﾄ,ﾀｶ,ﾅｶ,ﾊﾗ,ﾏﾂ,ﾔﾏ,ﾗﾝ,ﾜｶ,ﾐｷｵ\n" * 3, "Shift_JIS"),
        # Two letters that are UTF-8 too, as many a word is by chance.
        ("联通," * 30, "GBK"),
        ("", "GBK"),
        ("", "UTF-16"),
    ],
)
def test_what_is_in_the_encoding_is_read(text, encoding, size):
    if encoding.upper().startswith(("UTF-16", "UTF-32")):
        size = max(size, 8)
    assert read(text.encode(encoding), encoding, size) == text


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("text", "written", "told", "fault"),
    [
        *((CHINESE, "utf-8", told, UTF8) for told in ("GBK", "GB18030", "Big5", "windows-1252")),
        (CHINESE, "utf-8-sig", "GBK", MARK),
        (PLAIN, "utf-8-sig", "GBK", MARK),
        (LATIN, "utf-8", "ISO-8859-1", UTF8),
        (CYRILLIC, "utf-8", "windows-1251", UTF8),
        (JAPANESE, "utf-8", "Shift_JIS", UTF8),
        *((CHINESE, "gbk", told, GBK) for told in ("windows-1252", "KOI8-R", "Shift_JIS", "ascii")),
        (CHINESE, "gbk", "Big5", GBK),
        # Every letter of it is one of Big5 too.
        (HOSPITALS, "gbk", "Big5", GBK),
        (TRADITIONAL, "big5", "GBK", OTHER),
        (CHINESE, "gbk", "EUC-JP", OTHER),
        (TRADITIONAL, "big5", "EUC-JP", OTHER),
        (LATIN, "cp1252", "GBK", OTHER),
        *((CHINESE, written, "UTF-16", ZEROS) for written in ("utf-8", "gbk")),
        *((text, "utf-8", "UTF-32", ZEROS) for text in (PLAIN, CHINESE)),
        (CHINESE, "utf-16", "GBK", UTF16),
        (PLAIN, "utf-16-le", "windows-1252", UTF16),
        (CHINESE, "utf-16-le", "UTF-16BE", ORDER),
        (CHINESE, "utf-16-be", "UTF-16LE", ORDER),
        # Java takes the high byte first where no mark says otherwise.
        (CHINESE, "utf-16-le", "UTF-16", ORDER),
        (CHINESE, "gbk", "UTF-8", GUESS),
    ],
)
def test_what_is_in_another_is_refused_with_what_it_is(text, written, told, fault, size):
    size = max(size, 64) if fault in BY_THE_FIRST else size
    with pytest.raises(NotReadable, match="reader option encoding") as refused:
        read(text.encode(written), told, size)
    assert fault in str(refused.value)


def test_java_reads_without_a_mark_as_with_the_high_byte_first():
    assert read(CHINESE.encode("utf-16-be"), "UTF-16") == CHINESE
    assert read(CHINESE.encode("utf-16"), "UTF-16").endswith(CHINESE)


@pytest.mark.parametrize("name", ["GB99", "hex", "rot13"])
def test_what_is_no_encoding_of_text_is_left_to_java(name):
    with pytest.raises(UnknownEncoding):
        ToldEncoding(name)
