"""Blanks around texts, and how ids, codes and hashes are written that programs have spoilt on their way. Pure.

Java and RE2 read the patterns alike: rows are looked at in Spark, columns in Arrow.
"""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

#: Blanks of any kind around a text, and marks without width, such as a byte order mark amid concatenated files.
_BLANK = r"[\s\p{Z}\p{Cf}]"
OUTER_BLANKS = rf"^{_BLANK}+|{_BLANK}+\z"
#: What does not show, a plain blank apart.
UNSEEN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]"
#: One of these letters is in every name that a spreadsheet or a program has spoilt, and hardly in others.
SPOILT_MARKS = "+.,=#'"
#: A large number as spreadsheets show it, and as Java and Python write it.
SHORTENED = r"^-?[0-9]([.,][0-9]+)?[eE]\+[0-9]+\z|^-?[0-9][.,][0-9]+[eE][0-9]+\z"
#: A whole number by a program that took it for a measure.
WITH_DECIMALS = r"^-?[0-9]+\.0+\z"
#: ="123", '123 and ####.
OF_SPREADSHEET = r"^=.*\z|^'.*\z|^#+\z"

#: The faults of a name, the first that applies: pattern, reason, and whether only `whole_id_columns` have it.
NAME_FAULTS = (
    (UNSEEN, "holds a letter that does not show", False),
    (SHORTENED, "is a number that a spreadsheet shortened, its digits are lost", False),
    (OF_SPREADSHEET, "is what a spreadsheet writes for a text or in place of a number", False),
    (WITH_DECIMALS, "is a number with decimals (.0), and an id has none", True),
)


def fault_pattern(*, is_whole: bool) -> str:
    """The pattern of all faults of a name but what does not show.

    Args:
        is_whole: whether the name is one of `whole_id_columns`.
    """
    return "|".join(pattern for pattern, _, only in NAME_FAULTS[1:] if is_whole or not only)


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


def name_fault(value: Column, column: str, *, is_whole: bool, is_bare: bool) -> Column:
    """Why an id, a code or a hash is not what the sender's system has; null if it may be.

    Args:
        value: the text.
        column: its name, for the reason.
        is_whole: whether it is one of `whole_id_columns`.
        is_bare: whether it is known that no letter in it does not show.
    """
    # In nearly every row none of these letters is there, and no pattern is looked for.
    is_odd = reduce(Column.__or__, (value.contains(mark) for mark in SPOILT_MARKS))
    if not is_bare:
        is_odd = is_odd | value.rlike(UNSEEN)
    told = F.when(F.lit(False), F.lit(""))
    for pattern, reason, is_of_whole in NAME_FAULTS:
        if is_whole or not is_of_whole:
            told = told.when(value.rlike(pattern), F.lit(f"{column}: {reason}"))
    return F.when(is_odd, told)
