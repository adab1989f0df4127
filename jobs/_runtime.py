"""How every job starts, is recorded and ends: options, lock, log, `ops/job_run`, exit code."""

import argparse
import hashlib
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from importlib import resources
from importlib.resources.abc import Traversable

import structlog
from pyspark.sql import SparkSession

from expectations.ops import JOB_RUN
from jobs._config import Config, load_config
from jobs._errors import ConfigError, DataRefused, JobError, in_short
from jobs._locks import job_lock
from jobs._log import CONSOLE, open_log
from jobs._session import jvm_peak_memory_mb, start_session
from jobs._tables import Lake


@dataclass(frozen=True)
class Options:
    """What the command line gives a run, beside the configuration."""

    as_of: date | None = None
    batch: date | None = None
    subject: str | None = None
    fresh: bool = False
    truth: str | None = None
    member: str | None = None
    decision: str | None = None
    reason: str | None = None
    by: str | None = None
    legal_basis: str | None = None


@dataclass(frozen=True)
class Job:
    """A job: its name, a line about it, its work, and the options it takes.

    `check` looks at the arguments and inputs before any Spark work is started.
    """

    name: str
    summary: str
    main: Callable[["JobRun"], str | None]
    takes: tuple[str, ...] = ()
    check: Callable[[Config, Options], None] | None = None


@dataclass
class JobRun:
    """One run of a job: what it may use, and where it says what it did."""

    spark: SparkSession
    config: Config
    options: Options
    lake: Lake
    log: structlog.stdlib.BoundLogger
    run_id: str
    pipeline_key: str | None = None
    legal_basis: str | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def as_of(self) -> date:
        """The as-of date of a job that takes one."""
        if self.options.as_of is None:
            raise ConfigError("--as-of DATE is missing: give the day as of which to work")
        return self.options.as_of


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    job: str
    outcome: str
    exit_code: int
    message: str
    seconds: float


def run(job: Job, arguments: Sequence[str] | None = None) -> None:
    """Run a job from the command line and leave with its exit code."""
    sys.exit(_run(job, sys.argv[1:] if arguments is None else arguments))


def _run(job: Job, arguments: Sequence[str]) -> int:
    parser = option_parser(job)
    given = parser.parse_args(arguments)
    try:
        config = load_config(given.config, given.set)
        if given.print_config:
            sys.stdout.write(json.dumps(config.masked(), indent=2) + "\n")
            return 0
        options = parsed_options(job, given)
        if job.check:
            job.check(config, options)
        spark = start_session(job.name, config.spark.properties_file)
        return execute(job, spark, config, options).exit_code
    except JobError as error:
        CONSOLE.print(f"{job.name}: {error}", style="bold red", markup=False, soft_wrap=True)
        return error.exit_code


def option_parser(job: Job) -> argparse.ArgumentParser:
    """The options of a job; argparse leaves with exit code 2 on wrong ones."""
    parser = argparse.ArgumentParser(prog=f"python -m jobs.{job.name}", description=job.summary)
    parser.add_argument(
        "--config", default="conf/local.yaml", metavar="FILE", help="environment file"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a configured value",
    )
    parser.add_argument(
        "--print-config", action="store_true", help="show what is in force and stop"
    )
    if "as_of" in job.takes:
        parser.add_argument(
            "--as-of", type=_day, metavar="DATE", help="use only what had arrived before this day"
        )
    if "batch" in job.takes:
        parser.add_argument("--batch", type=_day, metavar="DATE", help="only this landing batch")
    if "subject" in job.takes:
        parser.add_argument("--subject", choices=["institution"], default="institution")
    if "truth" in job.takes:
        parser.add_argument(
            "--truth", metavar="FOLDER", help="the truth about a simulated province, kept apart"
        )
    if "review" in job.takes:
        parser.add_argument("--member", metavar="ID", help="the account")
        parser.add_argument("--decision", help="approved or rejected")
        parser.add_argument("--reason", help="why, in your words")
        parser.add_argument("--by", metavar="NAME", help="who decides; otherwise the user's name")
    if "legal_basis" in job.takes:
        parser.add_argument(
            "--legal-basis",
            metavar="ID",
            help="warrant or request under which parcels are looked at",
        )
    if "fresh" in job.takes:
        parser.add_argument(
            "--fresh",
            action="store_true",
            help="run every job, even if the last run failed half-way",
        )
    return parser


def parsed_options(job: Job, given: argparse.Namespace) -> Options:
    """The given options, checked to be complete.

    Raises:
        ConfigError: when the job needs an as-of date and none was given.
    """
    if "as_of" in job.takes and given.as_of is None:
        raise ConfigError(
            "--as-of DATE is missing: give the day as of which to work, as 2026-01-31"
        )
    taken = {field.name for field in fields(Options)} & vars(given).keys()
    return Options(**{name: getattr(given, name) for name in taken})


def execute(
    job: Job, spark: SparkSession, config: Config, options: Options, pipeline_key: str | None = None
) -> Result:
    """Run a job in a session under its lock, record it, and say how it ended."""
    run_id = uuid.uuid4().hex
    log = open_log(config.log.file, job=job.name, run_id=run_id)
    lake = Lake(spark, config.lake.root)
    # Recorded of the jobs that look at what is restricted, and of no others.
    basis = options.legal_basis or config.triage.legal_basis
    legal_basis = basis if "legal_basis" in job.takes else None
    this = JobRun(spark, config, options, lake, log, run_id, pipeline_key, legal_basis)
    clock = time.perf_counter()
    log.info("started", as_of=options.as_of, batch=options.batch)
    result = Result(job.name, "failed", 1, "interrupted", 0.0)
    try:
        with job_lock(config.lake.root, job.name):
            message = job.main(this)
        result = Result(job.name, "succeeded", 0, message or "", 0.0)
    except JobError as error:
        result = Result(job.name, error.outcome, error.exit_code, str(error), 0.0)
    except Exception as error:
        told = in_short(error)
        log.error("stopped by an unexpected error", error=told, exc_info=False)
        result = Result(job.name, "failed", 1, told, 0.0)
        raise
    finally:
        result = replace(result, seconds=round(time.perf_counter() - clock, 3))
        _record(this, result)
    return result


@contextmanager
def step(this: JobRun, what: str) -> Iterator[None]:
    """Log how long a part of a job took."""
    clock = time.perf_counter()
    yield
    this.log.info(what, seconds=round(time.perf_counter() - clock, 1))


def code_version() -> str:
    """A hash of the project's sources and templates: the same code, the same version, zip or folder."""
    digest = hashlib.sha256()
    for package in ("expectations", "features", "jobs", "models"):
        _digest(resources.files(package), package, digest)
    return digest.hexdigest()[:12]


def refuse(condition: bool, message: str) -> None:
    """Raise when data fail a critical check."""
    if condition:
        raise DataRefused(message)


def _digest(folder: Traversable, at: str, digest: "hashlib._Hash") -> None:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _digest(entry, f"{at}/{entry.name}", digest)
        elif entry.name.endswith((".py", ".j2", ".po", ".css", ".yaml")):
            digest.update(f"{at}/{entry.name}\0".encode())
            digest.update(entry.read_bytes())


def _record(this: JobRun, result: Result) -> None:
    """Append the run to `ops/job_run`; the log's last line says the same."""
    ended = datetime.now(UTC)
    peak = jvm_peak_memory_mb(this.spark)
    row = {
        "run_id": this.run_id,
        "job": result.job,
        "pipeline_key": this.pipeline_key,
        "as_of_date": this.options.as_of,
        "batch": this.options.batch,
        "legal_basis_id": this.legal_basis,
        "outcome": result.outcome,
        "exit_code": result.exit_code,
        "message": result.message,
        "inputs": this.lake.inputs,
        "outputs": this.lake.outputs,
        "rows_read": this.lake.rows_read,
        "rows_written": this.lake.rows_written,
        "rows_quarantined": this.lake.rows_quarantined,
        "seconds": result.seconds,
        "peak_memory_mb": peak,
        "parameters": json.dumps(this.config.masked(), sort_keys=True),
        "code_version": code_version(),
        "started_at": this.started_at,
        "ended_at": ended,
    }
    frame = this.spark.createDataFrame([row], JOB_RUN.schema).coalesce(1)
    Lake(this.spark, this.config.lake.root).append(frame, JOB_RUN)
    say = this.log.info if result.exit_code == 0 else this.log.error
    say(
        result.outcome,
        message=result.message,
        exit_code=result.exit_code,
        seconds=result.seconds,
        rows_read=this.lake.rows_read,
        rows_written=this.lake.rows_written,
        rows_quarantined=this.lake.rows_quarantined,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date, write it as 2026-01-31"
        ) from None
