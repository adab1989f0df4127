"""Run every job in order in one Spark session; after a failure, go on from the job that failed."""

import hashlib
import json
from datetime import UTC, datetime

from pyspark.sql import functions as F
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from expectations.contract.errors import JobError
from expectations.ops import JOB_RUN
from jobs.lake.locks import local_path, require_free
from jobs.lake.tables import Lake
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.execution import execute
from jobs.runtime.job import Job, JobRun, Options, Result
from jobs.runtime.log import CONSOLE
from jobs.runtime.pipeline import Step, check_all, steps_of


class StepFailed(JobError):
    """A job of the pipeline failed; the pipeline ends as that job did."""

    def __init__(self, result: Result) -> None:
        super().__init__(f"{result.job} {result.outcome}: {result.message}")
        self.exit_code = result.exit_code
        self.outcome = result.outcome


def check(config: Config, options: Options) -> None:
    """Every job's arguments, inputs and rules, and that no job is running, before Spark is started."""
    steps = steps_of(config)
    check_all(steps, config, options)
    require_free(config.lake.root, list(dict.fromkeys(step.name for step in steps)))


def main(run: JobRun) -> str:
    """Run the steps that have to be run, each recorded under the key of this pipeline."""
    steps = steps_of(run.config)
    key = run.pipeline_key = pipeline_key(run.config, run.options)
    done = {} if run.options.fresh else done_before_failure(run.lake, key)
    results: list[Result] = []
    columns = (
        TextColumn("{task.description:28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal
    ) as progress:
        bar = progress.add_task("starting", total=len(steps))
        for step in steps:
            progress.update(bar, description=step.key)
            if not results and step.key in done:
                _say(step.key, None, f"not run again: it succeeded at {done[step.key]:%F %T}")
            else:
                results.append(_run_step(run, step, key))
            progress.advance(bar)
    skipped = [result for result in results if result.outcome == "skipped"]
    _say_where(run.config)
    told = "".join(f"; {result.job} skipped: {result.message}" for result in skipped)
    return f"{len(results)} jobs run, {len(steps) - len(results)} done before{told}"


def pipeline_key(config: Config, options: Options) -> str:
    """What two runs have to share for the second to go on where the first failed."""
    identity = json.dumps([config.masked(), str(options.as_of), str(options.batch)], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _run_step(run: JobRun, step: Step, key: str) -> Result:
    job, options = step.job, step.options(run.options)
    if job.check:
        job.check(run.config, options)
    step_key = f"{key}:{step.subject}" if step.subject else key
    result = execute(job, run.spark, run.config, options, step_key)
    if result.exit_code:
        raise StepFailed(result)
    told = (
        result.message if result.outcome == "succeeded" else f"{result.outcome}: {result.message}"
    )
    _say(step.key, result.seconds, told)
    return result


def _say(name: str, seconds: float | None, message: str) -> None:
    """The one line of a step on the terminal; all that it logged is in the file."""
    took = "" if seconds is None else f"{seconds:,.1f} s"
    line = f"{datetime.now(UTC):%H:%M:%S} {name:28} {took:>9}  {message}"
    # As wide as a terminal; whole where it is kept.
    is_cut = CONSOLE.is_terminal
    CONSOLE.print(
        line,
        markup=False,
        soft_wrap=not is_cut,
        no_wrap=is_cut,
        overflow="ellipsis" if is_cut else None,
    )


def done_before_failure(lake: Lake, key: str) -> dict[str, datetime]:
    """Steps that ended well since the last time this pipeline ended well, with when they did.

    A step of a subject is recorded under the key and the subject.

    In the order in which they were recorded: a clock that goes back must not make a failure look older than the
    success before it.
    """
    if not lake.exists(JOB_RUN):
        return {}
    runs = lake.read(JOB_RUN).filter(F.split("pipeline_key", ":")[0] == key)
    oldest_first = (F.asc_nulls_first("sequence"), "ended_at")
    subject = F.get(F.split("pipeline_key", ":"), F.lit(1))
    rows = (
        runs.select(
            F.concat_ws(":", "job", subject).alias("step"), "exit_code", "ended_at", "sequence"
        )
        .orderBy(*oldest_first)
        .collect()
    )
    done: dict[str, datetime] = {}
    for row in rows:
        if row["step"] == JOB.name and row["exit_code"] == 0:
            done = {}
        elif row["exit_code"] == 0:
            done[row["step"]] = row["ended_at"]
        else:
            done.pop(row["step"], None)
    return done


def _say_where(config: Config) -> None:
    """End on what a person wants next; a list that no model made is not there to be opened."""
    pages = (
        ("accounts", f"{config.report.root}/accounts.csv"),
        ("institutions", f"{config.report.root}/ranked_list.csv"),
        ("report", f"{config.report.root}/index.html"),
        ("data docs", f"{config.report.root}/data_docs/index.html"),
    )
    for what, where in (
        *((what, where) for what, where in pages if local_path(where).exists()),
        ("MLflow UI", f"mlflow ui --backend-store-uri {config.mlflow.tracking_uri}"),
    ):
        CONSOLE.print(f"{what:12} {where}", markup=False, soft_wrap=True)


JOB = Job(
    "run_pipeline",
    "Run every job in order in one session, resuming after a failure",
    main,
    ("as_of", "batch", "fresh"),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
