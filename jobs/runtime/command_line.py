"""The options of a job on the command line, and its exit code."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import NoReturn

import structlog
from pyspark.sql import SparkSession

from expectations.contract.errors import ConfigError, JobError
from jobs.lake.locks import HeldLock, job_lock
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import finished, new_run, perform
from jobs.runtime.job import Job, JobRun, Options, Result
from jobs.runtime.log import CONSOLE, open_log, spark_log
from jobs.runtime.secrets import masked
from jobs.runtime.session import SessionFiles, removed_scratch, start_session
from jobs.runtime.spark_errors import in_short
from jobs.runtime.stopping import STOP, run_stoppable, stop_signals

#: What a model can be about.
SUBJECTS = ("institution", "member")


def run_job(job: Job, arguments: Sequence[str] | None = None) -> None:
    """Run a job from the command line and leave with its exit code."""
    sys.exit(exit_code(job, sys.argv[1:] if arguments is None else arguments))


def exit_code(job: Job, arguments: Sequence[str]) -> int:
    """Run a job as from the command line, and return the exit code."""
    given = option_parser(job).parse_args(arguments)
    try:
        with stop_signals():
            return _run(job, given)
    except JobError as error:
        shown = STOP.error() if STOP.is_asked else error
        _say(f"{job.name}: {shown}")
        return shown.exit_code
    except KeyboardInterrupt:
        # SparkContext's own handler raises it, until ours is put back.
        _say(f"{job.name}: stopped by SIGINT; run it again to go on")
        return 1
    except Exception as error:
        message = str(STOP.error()) if STOP.is_asked else in_short(error)
        _say(f"{job.name}: {message}")
        return 1


def _run(job: Job, given: argparse.Namespace) -> int:
    """Run a job; every check that needs no Spark comes before Spark starts."""
    config = load_config(given.config, given.set)
    if given.print_config:
        sys.stdout.write(json.dumps(config.masked(), indent=2) + "\n")
        return 0
    options = parsed_options(job, given)
    if config.access.owner_only:
        # What this process and its JVM write from now on, and the folders they make.
        os.umask(0o077)
    if job.check:
        job.check(config, options)
    log = open_log(config.log.file, job=job.name)
    with _logged(config, job), job_lock(config.lake.root, job.name) as lock:
        if lock.taken_over:
            log.warning(lock.taken_over)
        spark = _started(log, job, config, lock)
        run = new_run(job, spark, config, options, log=log)
        try:
            return run_stoppable(spark, lambda: perform(job, run), lambda: _leave(run)).exit_code
        except Exception:
            # Told already, and its frames are in the log.
            if run.is_recorded:
                return 1
            raise


def _started(
    log: structlog.stdlib.BoundLogger, job: Job, config: Config, lock: HeldLock
) -> SparkSession:
    """The session, with Spark's output in a file of its own."""
    clock = time.perf_counter()
    spark_output = spark_log(config.log.file)
    log.info("starting Spark; its output is in a file", file=str(spark_output))
    files = SessionFiles(
        log=spark_output,
        scratch_root=config.spark.scratch_root,
        owner_only=config.access.owner_only,
        lock=lock.descriptor,
    )
    spark = start_session(job.name, config.spark.properties_file, files)
    removed = removed_scratch()
    if removed:
        log.warning(
            "removed temporary files of killed runs",
            folders=len(removed),
            mb=round(sum(removed.values()) / 1e6, 1),
        )
    log.info("Spark runs", seconds=round(time.perf_counter() - clock, 1))
    return spark


@contextmanager
def _logged(config: Config, job: Job) -> Iterator[None]:
    """Log an error before the job's own work to the file too; the terminal shows it elsewhere."""
    try:
        yield
    except JobError as error:
        shown = STOP.error() if STOP.is_asked else error
        log = open_log(config.log.file, echo="warnings", job=job.name)
        log.info(shown.outcome, message=str(shown), exit_code=shown.exit_code)
        raise


def _leave(run: JobRun) -> None:
    """Record a stopped run whose work does not end; the log first, because it is quickest."""
    error = STOP.error()
    run.log.error("the work does not end; the process ends now", reason=str(error))
    seconds = (datetime.now(UTC) - run.started_at).total_seconds()
    finished(run, Result(run.job, error.outcome, error.exit_code, str(error), seconds))


def _say(message: str) -> None:
    CONSOLE.print(message, style="bold red", markup=False, soft_wrap=True)


class _Parser(argparse.ArgumentParser):
    """A parser of options that masks secrets in its error messages."""

    def error(self, message: str) -> NoReturn:
        """End the process with exit code 2."""
        super().error(masked(message))


def option_parser(job: Job) -> argparse.ArgumentParser:
    """The options of a job; argparse ends with exit code 2 if one is wrong."""
    parser = _Parser(prog=f"python -m jobs.{job.name}", description=job.summary)
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
        "--print-config", action="store_true", help="print the configuration in force and stop"
    )
    if "as_of" in job.takes:
        parser.add_argument(
            "--as-of",
            type=_day,
            metavar="DATE",
            help="use only rows that had arrived before this day",
        )
    if "batch" in job.takes:
        parser.add_argument("--batch", type=_day, metavar="DATE", help="only this landing batch")
    if "subject" in job.takes:
        parser.add_argument("--subject", choices=SUBJECTS, default="institution")
    if "truth" in job.takes:
        parser.add_argument(
            "--truth", metavar="FOLDER", help="folder with the truth about a simulated province"
        )
    if "review" in job.takes:
        parser.add_argument("--member", metavar="ID", help="the account")
        parser.add_argument("--decision", help="approved or rejected")
        parser.add_argument("--reason", help="why, in your words")
        parser.add_argument("--by", metavar="NAME", help="who decides; otherwise the user's name")
    if "versions" in job.takes:
        parser.add_argument(
            "--version",
            metavar="VERSION",
            help="number or alias of the challenger; otherwise train.challenger_alias",
        )
        parser.add_argument(
            "--against",
            metavar="VERSION",
            help="number or alias to compare it with; otherwise train.alias",
        )
    if "promotion" in job.takes:
        parser.add_argument("--version", metavar="VERSION", help="number or alias of the version")
        parser.add_argument("--by", metavar="NAME", help="the reviewer who decides")
        parser.add_argument("--reason", help="why, in the reviewer's words")
        parser.add_argument(
            "--override",
            action="store_true",
            help="promote it although it is worse than the champion, or cannot be compared",
        )
    if "legal_basis" in job.takes:
        parser.add_argument(
            "--legal-basis",
            metavar="ID",
            help="warrant or request that allows parcels to be read",
        )
    if "dry_run" in job.takes:
        parser.add_argument(
            "--dry-run", action="store_true", help="print the changes without making them"
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
        ConfigError: when the job needs an as-of date and has none.
    """
    if "as_of" in job.takes and given.as_of is None:
        raise ConfigError(
            "--as-of DATE is missing: give the day as of which to work, as 2026-01-31"
        )
    taken = {field.name for field in fields(Options)} & vars(given).keys()
    return Options(**{name: getattr(given, name) for name in taken})


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date, write it as 2026-01-31"
        ) from None
