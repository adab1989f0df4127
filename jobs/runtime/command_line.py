"""The options of a job on the command line, and its exit code."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from datetime import date

from expectations.contract.errors import ConfigError, JobError
from jobs.runtime.config import load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, Options
from jobs.runtime.log import CONSOLE
from jobs.runtime.session import start_session


def run_job(job: Job, arguments: Sequence[str] | None = None) -> None:
    """Run a job from the command line and leave with its exit code."""
    sys.exit(exit_code(job, sys.argv[1:] if arguments is None else arguments))


def exit_code(job: Job, arguments: Sequence[str]) -> int:
    """Run a job as from the command line; the code that the process should leave with."""
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
    if "dry_run" in job.takes:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
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


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date, write it as 2026-01-31"
        ) from None
