"""Jobs, their runs, and their results."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import structlog
from pyspark.sql import SparkSession

from expectations.contract.errors import ConfigError, DataRefused
from jobs.lake.tables import Lake
from jobs.runtime.config import Config


@dataclass(frozen=True)
class Options:
    """The options of a run from the command line, beside the configuration."""

    as_of: date | None = None
    batch: date | None = None
    subject: str | None = None
    fresh: bool = False
    dry_run: bool = False
    truth: str | None = None
    member: str | None = None
    decision: str | None = None
    reason: str | None = None
    by: str | None = None
    legal_basis: str | None = None
    version: str | None = None
    against: str | None = None
    override: bool = False


@dataclass(frozen=True)
class Job:
    """A job: its name, a summary, its work, and the options that it takes.

    `check` checks the arguments and inputs before Spark starts.
    """

    name: str
    summary: str
    main: Callable[["JobRun"], str | None]
    takes: tuple[str, ...] = ()
    check: Callable[[Config, Options], None] | None = None


@dataclass
class JobRun:
    """One run of a job, with everything that the job may use."""

    job: str
    spark: SparkSession
    config: Config
    options: Options
    lake: Lake
    log: structlog.stdlib.BoundLogger
    run_id: str
    pipeline_key: str | None = None
    legal_basis: str | None = None
    is_recorded: bool = False
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def as_of(self) -> date:
        """The as-of date of a job that takes one."""
        if self.options.as_of is None:
            raise ConfigError("--as-of DATE is missing: give the day as of which to work")
        return self.options.as_of


@dataclass(frozen=True)
class Result:
    """The result of a run."""

    job: str
    outcome: str
    exit_code: int
    message: str
    seconds: float


@contextmanager
def step(run: JobRun, what: str) -> Iterator[None]:
    """Log the seconds of a part of a job."""
    clock = time.perf_counter()
    yield
    run.log.info(what, seconds=round(time.perf_counter() - clock, 1))


def refuse(condition: bool, message: str) -> None:
    """Raise when data fail a critical check."""
    if condition:
        raise DataRefused(message)
