"""Delta's errors as sentences that name the table and what to do."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from expectations.contract.errors import JobError
from expectations.contract.table import TableContract
from jobs.lake.delta_log import DeltaLogReader
from jobs.lake.log_files import BrokenLog

#: The largest versions of Delta's protocol that the Delta of this project knows.
_KNOWN_READER, _KNOWN_WRITER = 3, 7
#: How Delta calls a table that needs what it does not know: parts of Java classes, and conditions.
_NEWER_CLASSES = ("InvalidProtocolVersion", "UnsupportedTableFeature")
_NEWER_CONDITIONS = ("DELTA_UNSUPPORTED_FEATURES", "DELTA_INVALID_PROTOCOL")


@dataclass(frozen=True)
class Guard:
    """Turns Delta's errors with one table into sentences that name the table."""

    contract: TableContract
    path: str
    log: DeltaLogReader

    def newest_version(self) -> int | None:
        """The newest version of the table; None if there is none.

        Raises:
            JobError: when the log has a gap, or the folder holds something else.
        """
        try:
            return self.log.newest_version()
        except BrokenLog as fault:
            raise self._broken(str(fault)) from None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn every error of Spark into a `JobError`."""
        try:
            yield
        except (Py4JJavaError, PySparkException) as error:
            self._refuse_newer(error)
            raise self._broken(self.log.broken_commit() or _first_line(error)) from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn Delta's refusal to write to a newer table into a `JobError`; let other errors pass."""
        try:
            yield
        except (Py4JJavaError, PySparkException) as error:
            self._refuse_newer(error)
            raise

    def _broken(self, fault: str) -> JobError:
        return JobError(
            f"{self.contract.name} in {self.path} cannot be read: {fault}. Restore the lost files from a copy of"
            f" the lake, or {how_to_rebuild(self.contract)}"
        )

    def _refuse_newer(self, error: Exception) -> None:
        reader, writer = self.log.protocol()
        if reader > _KNOWN_READER or writer > _KNOWN_WRITER:
            needs = (
                f"it needs reader version {reader} and writer version {writer} of Delta's protocol, and this"
                f" version knows {_KNOWN_READER} and {_KNOWN_WRITER}"
            )
        elif _is_newer(error):
            needs = _first_line(error)
        else:
            return
        raise JobError(
            f"{self.contract.name} in {self.path} was written by a newer Delta: {needs}. Use the version of"
            " drugtrail that wrote it, or drop the feature with it (ALTER TABLE ... DROP FEATURE)"
        ) from error


def how_to_rebuild(contract: TableContract) -> str:
    """An instruction for a table that cannot be kept."""
    if contract.is_entered:
        return "restore an earlier copy of the table: people entered its rows, so no job can make them again"
    if contract.layer in ("bronze", "quarantine"):
        return "give another lake.root and run everything again on all landing batches"
    if contract.layer == "ops":
        return "move the folder away: the next job creates a new one"
    each = " for every as-of date that is needed" if "as_of_date" in contract.columns else ""
    return f"move the folder away and run {contract.written_by} again{each}"


def another_version(contract: TableContract, path: str, faults: Sequence[str]) -> JobError:
    """The error for a table without the columns of its contract."""
    return JobError(
        f"{contract.name} in {path} was written by another version of drugtrail: {'; '.join(faults)}."
        " Run migrate_tables: it adds columns, and says what to do about the rest"
    )


def _is_newer(error: Exception) -> bool:
    if isinstance(error, PySparkException):
        return (error.getCondition() or "").startswith(_NEWER_CONDITIONS)
    cause = error.java_exception if isinstance(error, Py4JJavaError) else None
    while cause is not None:
        if any(part in cause.getClass().getSimpleName() for part in _NEWER_CLASSES):
            return True
        cause = cause.getCause()
    return False


def _first_line(error: Exception) -> str:
    """The first line of a Spark error, without the error class in brackets."""
    text = str(error)
    if isinstance(error, Py4JJavaError):
        text = error.java_exception.getMessage() or error.java_exception.getClass().getName()
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return re.sub(r"^\[[A-Z_.]+\]\s*|\s*SQLSTATE: \w+$", "", first).rstrip(". ")
