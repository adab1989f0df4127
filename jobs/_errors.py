"""What can go wrong in a job, each with the exit code that a scheduler sees."""

from py4j.protocol import Py4JJavaError
from pyspark.errors import PythonException

#: Characters of each sentence that are kept.
_LONGEST = 300


class JobError(Exception):
    """A job could not do its work: exit code 1."""

    exit_code = 1
    outcome = "failed"


class ConfigError(JobError):
    """An argument, a configured value or a path is wrong: exit code 2, before any Spark work."""

    exit_code = 2


class DataRefused(JobError):
    """The data fail a critical check; what was good has been kept: exit code 3."""

    exit_code = 3
    outcome = "refused"


class LockHeld(JobError):
    """Another live run of the same job is writing: exit code 1."""

    outcome = "refused"


class JobSkipped(JobError):
    """The job has nothing to do, or too little to do it with, and says so: exit code 0."""

    exit_code = 0
    outcome = "skipped"


def in_short(error: Exception) -> str:
    """An unexpected error in a line: its class and what it says.

    Of what went wrong inside Spark, the error itself only says that a call failed: its causes are told,
    the innermost first. They name the file that could not be read.
    """
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


def _line(text: str | None, number: int) -> str:
    lines = (text or "").strip().splitlines()
    return lines[number].strip()[:_LONGEST] if lines else ""
