"""Blanks around texts, and how ids, codes and hashes are written that programs have spoilt on their way. Pure.

Java and RE2 read the patterns alike: rows are looked at in Spark, columns in Arrow.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

#: Blanks of any kind around a text, and marks without width, such as a byte order mark amid concatenated files.
_BLANK = r"[\s\x0B\p{Z}\p{Cf}]"
OUTER_BLANKS = rf"^{_BLANK}+|{_BLANK}+\z"
#: What does not show, a plain blank apart.
UNSEEN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]"
#: A large number as spreadsheets show it, and as Java and Python write it.
SHORTENED = r"^-?[0-9]([.,][0-9]+)?[eE]\+[0-9]+\z|^-?[0-9][.,][0-9]+[eE][0-9]+\z"
#: A whole number by a program that took it for a measure.
WITH_DECIMALS = r"^-?[0-9]+\.0+\z"
#: ="123", '123 and ####.
OF_SPREADSHEET = r"^=.*\z|^'.*\z|^#+\z"
#: A quotation mark, straight, curly or of full width: what is left of quotes that are not read as such.
QUOTED = r"[\"\x{201C}\x{201D}\x{FF02}]"


#: What is delivered in place of a spoilt name, by what spoilt it: a text that is spoilt in the same way and is nobody's.
SIGNS = {
    UNSEEN: "x\u200bx",
    SHORTENED: "0E+0",
    OF_SPREADSHEET: "#",
    QUOTED: '"',
    WITH_DECIMALS: "0.0",
}


def sign_of_spoilt(name: Column, *, has_decimals: bool) -> Column:
    """The sign that stands for a spoilt name; null for one that is as it was given.

    A hash of what a program has spoilt can't be told from others: all numbers that a spreadsheet shortened alike would
    be one person's.

    Args:
        name: an id, a code or a number that is to be hashed, without blanks around it.
        has_decimals: whether decimals may be part of it.
    """
    known = (each for each in SIGNS if not (has_decimals and each == WITH_DECIMALS))
    return F.coalesce(*(F.when(name.rlike(each), F.lit(SIGNS[each])) for each in known))


def bare_text(found: Column, *, is_bare: bool) -> Column:
    """A text without blanks around it; null if nothing is left.

    Args:
        found: the text.
        is_bare: whether it is known that it has none.
    """
    if not is_bare:
        bare = F.when(found.rlike(OUTER_BLANKS), F.regexp_replace(found, OUTER_BLANKS, ""))
        found = F.coalesce(bare, found)
    return F.when(found != "", found)
