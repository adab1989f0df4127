"""The reader options that a mapping may give, and which texts each takes.

They say how a file is to be read. Others name files or run code, or read on in silence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: CSV as RFC 4180 has it: a header, quotes doubled inside quotes, line breaks inside quotes, and no other
#: escape. A record of another shape and a file with other columns are refused.
PLAIN_CSV = {
    "header": "true",
    "multiLine": "true",
    "escape": '"',
    "mode": "FAILFAST",
    "enforceSchema": "false",
}
#: JSON: a record that is none is refused, not read as nulls.
PLAIN_JSON = {"mode": "FAILFAST"}
#: What holds unless a mapping says otherwise, by format.
PLAIN: dict[str, dict[str, str]] = {"csv": PLAIN_CSV, "json": PLAIN_JSON, "parquet": {}, "orc": {}}
#: Options with two names.
_SAME = {"delimiter": "sep", "charset": "encoding"}


@dataclass(frozen=True)
class _Form:
    """A pattern that the whole text has to match, and how it is told."""

    pattern: str
    told: str

    def takes(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text, re.DOTALL | re.IGNORECASE) is not None


_ANY = _Form(r".*", "a text")
_SOME = _Form(r".+", "a text that is not empty")
_YES_NO = _Form(r"true|false", "true or false")
_LETTER = _Form(r".?|\\.", "one letter, or empty for none")
_SEPARATOR = _Form(r".+", "one letter or more, such as ';' or '\\t'")
_LINE_END = _Form(r"..?", 'one letter or two, such as "\\n"')
_COUNT = _Form(r"-1|[1-9]\d{0,8}", "a whole number from 1 on, or -1 for no bound")
_FAIL_FAST = _Form(r"FAILFAST", "FAILFAST: any other would lose records in silence")
_REBASE = _Form(r"EXCEPTION|CORRECTED|LEGACY", "EXCEPTION, CORRECTED or LEGACY")
_QUOTES = _Form(
    r"STOP_AT_CLOSING_QUOTE|BACK_TO_DELIMITER|STOP_AT_DELIMITER|SKIP_VALUE|RAISE_ERROR",
    "STOP_AT_CLOSING_QUOTE, BACK_TO_DELIMITER, STOP_AT_DELIMITER, SKIP_VALUE or RAISE_ERROR",
)
_TIMES = {"dateFormat": _SOME, "timestampFormat": _SOME, "timestampNTZFormat": _SOME}
_TEXT_FILES = {"encoding": _SOME, "charset": _SOME, "mode": _FAIL_FAST, "locale": _SOME} | _TIMES

_FORMS: dict[str, dict[str, _Form]] = {
    "csv": _TEXT_FILES
    | {"sep": _SEPARATOR, "delimiter": _SEPARATOR, "lineSep": _LINE_END}
    | dict.fromkeys(("quote", "escape", "comment", "charToEscapeQuoteEscaping"), _LETTER)
    | dict.fromkeys(("header", "multiLine", "enforceSchema", "inferSchema", "preferDate"), _YES_NO)
    | dict.fromkeys(("ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace"), _YES_NO)
    | dict.fromkeys(("nullValue", "emptyValue", "nanValue", "positiveInf", "negativeInf"), _ANY)
    | dict.fromkeys(("maxColumns", "maxCharsPerColumn"), _COUNT)
    | {"unescapedQuoteHandling": _QUOTES},
    "json": _TEXT_FILES
    | {"lineSep": _SOME}
    | dict.fromkeys(("multiLine", "primitivesAsString", "prefersDecimal"), _YES_NO)
    | dict.fromkeys(("allowComments", "allowUnquotedFieldNames", "allowSingleQuotes"), _YES_NO)
    | dict.fromkeys(("allowNumericLeadingZeros", "allowNonNumericNumbers"), _YES_NO)
    | dict.fromkeys(("allowBackslashEscapingAnyCharacter", "dropFieldIfAllNull"), _YES_NO),
    "parquet": {"mergeSchema": _YES_NO}
    | dict.fromkeys(("datetimeRebaseMode", "int96RebaseMode"), _REBASE),
    "orc": {"mergeSchema": _YES_NO},
}


def by_plain_name(options: Mapping[str, str]) -> dict[str, str]:
    """Options by the one name that each has here, in small letters, as Spark takes any capitals."""
    return {_plain(name): text for name, text in options.items()}


def option_faults(kind: str, options: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the options of a view, a sentence each.

    Args:
        kind: the format of the files.
        options: as the mapping gives them.
    """
    forms = {name.lower(): form for name, form in _FORMS[kind].items()}
    if unknown := sorted(name for name in options if name.lower() not in forms):
        yield f"{', '.join(unknown)} is no option that a mapping may give for {kind}"
    seen: dict[str, str] = {}
    for name, text in options.items():
        other = seen.setdefault(_plain(name), name)
        if other != name:
            yield f"options {other} and {name} are one: give it once"
        form = forms.get(name.lower(), _ANY)
        if not form.takes(text):
            yield f"option {name} is {text!r}: it takes {form.told}"
    if kind == "csv":
        yield from _clashes(options)


def _clashes(options: Mapping[str, str]) -> Iterator[str]:
    """Two options of a CSV that say the same letter means two things."""
    given = {"sep": ",", "quote": '"'} | by_plain_name(options)
    letters = ("sep", "quote", "comment")
    for at, one in enumerate(letters):
        for two in letters[at + 1 :]:
            if given.get(one) and given.get(one) == given.get(two):
                yield f"options {one} and {two} are both {given[one]!r}: one letter can't be both"


def _plain(name: str) -> str:
    return _SAME.get(name.lower(), name.lower())
