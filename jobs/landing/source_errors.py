"""What went wrong in a mapping, in a sentence that shows no value of the source."""

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, ParseException, PySparkException

#: Spark's own words are about the mapping, not about a value, when it failed before any row was read.
_BEFORE_READING = (AnalysisException, ParseException)
_LONGEST = 300


def is_of_mapping(error: Exception) -> bool:
    """Whether a fault is the mapping's or the reader options', seen before any row was read."""
    return isinstance(error, _BEFORE_READING) or condition(error).endswith("CHARSET")


def without_values(error: PySparkException | Py4JJavaError) -> str:
    """What went wrong, in Spark's words where they are about the mapping, else by its name for it."""
    name = condition(error)
    if name.endswith("CHARSET"):
        return "the encoding that its options name is not known to Java"
    if is_of_mapping(error):
        return str(error).strip().splitlines()[0][:_LONGEST]
    fragment = _fragment(error)
    where = f" in `{fragment}`" if fragment else ""
    return f"a value of the source can't be worked with{where} ({name or 'no name for it'})"


def unreadable_file(error: Exception) -> str | None:
    """The file that could not be read, if that is what went wrong."""
    found = re.search(
        r"FAILED_READ_FILE\S* Encountered error while reading file (\S+)\.", str(error)
    )
    return found[1] if found else None


def condition(error: Exception) -> str:
    """Spark's name for what went wrong, such as CAST_INVALID_INPUT; the innermost cause's."""
    if isinstance(error, PySparkException) and error.getCondition():
        return str(error.getCondition())
    found = re.findall(r"\[([A-Z][A-Z0-9_.]+)\]", str(error))
    return found[-1] if found else ""


def _fragment(error: Exception) -> str:
    """The piece of the mapping's SQL that failed."""
    if isinstance(error, PySparkException):
        pieces = [context.fragment() for context in error.getQueryContext() or ()]
    else:
        pieces = re.findall(r"== SQL \(.*?\) ==\n(.*?)\n", str(error))
    return " ".join(pieces[0].split())[:_LONGEST] if pieces else ""
