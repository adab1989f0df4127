"""Unexpected errors as one line."""

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark import SparkContext
from pyspark.errors import PythonException

#: Characters of each sentence that are kept.
_LONGEST = 300


def in_short(error: Exception) -> str:
    """An unexpected error in one line: its class and its message.

    An error from inside Spark only says that a call failed. Its causes are therefore added, the innermost
    first: they name, for example, the file that could not be read.
    """
    if _is_without_jvm(error):
        return (
            "Spark's JVM is gone: it was killed, or had no memory left (see the system's log, and"
            " spark.driver.memory in spark.properties_file); run it again"
        )
    name = type(error).__name__
    if isinstance(error, Py4JJavaError):
        causes = [error.java_exception]
        while (cause := causes[-1].getCause()) is not None:
            causes.append(cause)
        name = causes[-1].getClass().getSimpleName()
        said = [_line(each.getMessage(), 0) for each in reversed(causes)]
    elif isinstance(error, PythonException):
        # A traceback: what was raised comes last.
        said = [_line(str(error), -1)]
    else:
        said = [_line(str(error), 0)]
    return f"{name}: {'; '.join(dict.fromkeys(each for each in said if each)) or 'no message'}"


def _is_without_jvm(error: Exception) -> bool:
    """Whether a call to Spark failed because its JVM has ended."""
    if isinstance(error, Py4JJavaError):
        return False
    if isinstance(error, Py4JNetworkError | ConnectionError):
        return True
    process = getattr(SparkContext._gateway, "proc", None)
    is_over = process is not None and process.poll() is not None
    return is_over and isinstance(error, Py4JError | OSError | EOFError | TypeError)


def _line(text: str | None, number: int) -> str:
    lines = (text or "").strip().splitlines()
    return lines[number].strip()[:_LONGEST] if lines else ""
