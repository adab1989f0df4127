"""What went wrong in a mapping, in a sentence that shows no value of the source.

A CSV file without a header has values where names of columns should be, so names are told only if the mapping
has them too.
"""

import re
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, ParseException, PySparkException

#: The mapping or its options are at fault when Spark failed before any row was read.
_BEFORE_READING = (AnalysisException, ParseException)
_LONGEST = 300
#: Spark's names for what went wrong, in words.
_WORDS = {
    "UNRESOLVED_COLUMN": "there is no column {}; if it is to come from a CSV file, has it no header?",
    "CANNOT_RESOLVE_STAR_EXPAND": "there is no {} to take all columns of",
    "AMBIGUOUS_REFERENCE": "more than one view has a column {}: say which is meant",
    "COLUMN_ALREADY_EXISTS": "a record has a column {} twice (capitals do not count)",
    "UNABLE_TO_INFER_SCHEMA": "there is nothing to read in {}",
}
_UNTOLD = {"COLUMN_ALREADY_EXISTS": "of the same name", "UNABLE_TO_INFER_SCHEMA": "the files"}
_QUOTES = "`'\"[]"
#: What `try_cast` and its like read as null instead.
_UNREADABLE_VALUE = ("CAST_", "CANNOT_PARSE_", "NUMERIC_VALUE_OUT_OF_RANGE")


def is_of_mapping(error: Exception) -> bool:
    """Whether a fault is the mapping's or the reader options', seen before any row was read."""
    return isinstance(error, _BEFORE_READING) or condition(error).endswith("CHARSET")


def is_named(name: str, text: str) -> bool:
    """Whether a name is in the text of a mapping, so that it may be told."""
    plain = re.escape(name.replace("`", ""))
    return bool(plain) and bool(re.search(rf"(?<!\w){plain}(?!\w)", text.replace("`", "")))


def without_values(error: PySparkException | Py4JJavaError, text: str) -> str:
    """What went wrong, by what the mapping and Spark call it.

    Args:
        error: Spark's.
        text: the SQL and the options of the mapping; no other names are told.
    """
    name = condition(error)
    if name.endswith("CHARSET"):
        return "the encoding that its options name is not known to Java"
    if isinstance(error, ParseException):
        return str(error).strip().splitlines()[0][:_LONGEST]
    if isinstance(error, AnalysisException):
        return _in_words(error, name, text)
    fragment = _fragment(error)
    where = f" in `{fragment}`" if fragment else ""
    return f"a value of the source can't be worked with{where} ({name or 'no name for it'})"


def is_for_try_cast(error: Exception) -> bool:
    """Whether a value could not be read as a type."""
    return condition(error).startswith(_UNREADABLE_VALUE)


def unreadable_file(error: Exception) -> str | None:
    """The path of the file that could not be read, if that is what went wrong."""
    found = re.search(
        r"FAILED_READ_FILE\S* Encountered error while reading file (\S+)\.", str(error)
    )
    return re.sub("^file:/+", "/", unquote(found[1])) if found else None


def condition(error: Exception) -> str:
    """Spark's name for what went wrong, such as CAST_INVALID_INPUT; the innermost cause's."""
    if isinstance(error, PySparkException) and error.getCondition():
        return str(error.getCondition())
    found = re.findall(r"\[([A-Z][A-Z0-9_.]+)\]", str(error))
    return found[-1] if found else ""


def _in_words(error: AnalysisException, name: str, text: str) -> str:
    parameters = [each.strip(_QUOTES) for each in (error.getMessageParameters() or {}).values()]
    named = [f"`{each.replace('`', '')}`" for each in parameters if is_named(each, text)]
    fragment = _fragment(error)
    words = _WORDS.get(name.split(".")[0])
    if words:
        untold = f"`{fragment}`" if fragment else _UNTOLD.get(name, "that a SELECT takes")
        return words.format(named[0] if named else untold)
    where = f"`{fragment}`" if fragment else ", ".join(named)
    return f"{name or 'Spark has no name for the fault'}{' in ' if where else ''}{where}"


def _fragment(error: Exception) -> str:
    """The piece of the mapping's SQL that failed."""
    if isinstance(error, PySparkException):
        pieces = [context.fragment() for context in error.getQueryContext() or ()]
    else:
        pieces = re.findall(r"== SQL \(.*?\) ==\n(.*?)\n", str(error))
    return " ".join(pieces[0].split())[:_LONGEST] if pieces else ""
