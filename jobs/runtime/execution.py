"""Runs a job under its lock, logs it, and records it in `ops/job_run`."""

import hashlib
import json
import time
import traceback
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable

import structlog
from pyspark.sql import SparkSession

from expectations.contract.errors import JobError, LockHeld
from expectations.ops import JOB_RUN
from jobs.lake.locks import job_lock
from jobs.lake.sequence import next_sequence
from jobs.lake.tables import Lake
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, Result
from jobs.runtime.log import open_log
from jobs.runtime.secrets import masked
from jobs.runtime.session import jvm_peak_memory_mb
from jobs.runtime.spark_errors import in_short
from jobs.runtime.stopping import STOP


def execute(
    job: Job,
    spark: SparkSession,
    config: Config,
    options: Options,
    pipeline_key: str | None = None,
) -> Result:
    """Run a job in a session under its lock, record the run, and return its result.

    If the job is a step of a pipeline, which has a key, the terminal shows only warnings and errors.
    """
    run = new_run(job, spark, config, options, pipeline_key)
    try:
        with job_lock(config.lake.root, job.name) as lock:
            if lock.taken_over:
                run.log.warning(lock.taken_over)
            return perform(job, run)
    except LockHeld as error:
        return finished(run, Result(job.name, error.outcome, error.exit_code, str(error), 0.0))


def new_run(
    job: Job,
    spark: SparkSession,
    config: Config,
    options: Options,
    pipeline_key: str | None = None,
    log: structlog.stdlib.BoundLogger | None = None,
) -> JobRun:
    """A new run with an id, a log and the lake in its newest versions."""
    run_id = uuid.uuid4().hex
    if log is None:
        log = open_log(config.log.file, echo="warnings" if pipeline_key else "all")
    # Recorded of the jobs that look at what is restricted, and of no others.
    basis = options.legal_basis or config.triage.legal_basis
    return JobRun(
        job=job.name,
        spark=spark,
        config=config,
        options=options,
        lake=Lake(spark, config.lake.root),
        log=log.bind(job=job.name, run_id=run_id),
        run_id=run_id,
        pipeline_key=pipeline_key,
        legal_basis=basis.strip() if basis and "legal_basis" in job.takes else None,
    )


def perform(job: Job, run: JobRun) -> Result:
    """Do the work of a job whose lock is held, and record the result.

    Raises:
        Exception: unexpected errors, after they are recorded.
    """
    clock = time.perf_counter()
    run.log.info("started", as_of=run.options.as_of, batch=run.options.batch)
    result = Result(job.name, "failed", 1, "interrupted", 0.0)
    try:
        message = job.main(run)
        result = Result(job.name, "succeeded", 0, message or "", 0.0)
    except Exception as error:
        # A query that is cancelled says all sorts of things.
        ended = STOP.error() if STOP.is_asked else error
        if isinstance(ended, JobError):
            result = Result(job.name, ended.outcome, ended.exit_code, str(ended), 0.0)
        else:
            cause = in_short(error)
            frames = traceback.format_tb(error.__traceback__)
            run.log.error("stopped by an unexpected error", error=cause, frames=frames)
            result = Result(job.name, "failed", 1, cause, 0.0)
            raise
    finally:
        result = finished(run, replace(result, seconds=round(time.perf_counter() - clock, 3)))
    return result


def finished(run: JobRun, result: Result) -> Result:
    """Record the result of a run once and return it; the log's last line says the same."""
    result = replace(result, message=masked(result.message))
    STOP.is_recording.set()
    try:
        if not run.is_recorded:
            run.is_recorded = True
            try:
                _record(run, result)
            except Exception:
                # What cancels a stopped run's queries may have met this one too.
                if not STOP.is_asked:
                    raise
                _record(run, result)
    except Exception as error:
        cause = masked(in_short(error))
        run.log.error("the run is not in ops/job_run", error=cause)
        if result.exit_code == 0:
            message = f"its work is done, but it is not in ops/job_run: {cause}"
            result = replace(result, outcome="failed", exit_code=1, message=message)
    finally:
        STOP.is_recording.clear()
    say = run.log.info if result.exit_code == 0 else run.log.error
    say(
        result.outcome,
        message=result.message,
        exit_code=result.exit_code,
        seconds=result.seconds,
        rows_read=run.lake.rows_read,
        rows_written=run.lake.rows_written,
        rows_quarantined=run.lake.rows_quarantined,
    )
    return result


def code_version() -> str:
    """A hash of the project's sources and templates, the same for a zip and a folder."""
    digest = hashlib.sha256()
    for package in ("expectations", "features", "jobs", "models"):
        _digest(resources.files(package), package, digest)
    return digest.hexdigest()[:12]


def _digest(folder: Traversable, at: str, digest: "hashlib._Hash") -> None:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _digest(entry, f"{at}/{entry.name}", digest)
        elif entry.name.endswith((".py", ".j2", ".po", ".css", ".yaml", ".json")):
            digest.update(f"{at}/{entry.name}\0".encode())
            digest.update(entry.read_bytes())


def _record(run: JobRun, result: Result) -> None:
    """Append the run to `ops/job_run`."""
    try:
        frame = run.spark.createDataFrame([_row(run, result)], JOB_RUN.schema).coalesce(1)
        Lake(run.spark, run.config.lake.root).append(frame, JOB_RUN)
    except JobError as error:
        # It must not hide why the job ended, nor end a run that changes nothing.
        if result.exit_code == 0 and not run.options.dry_run:
            raise
        run.log.warning("this run is not recorded", reason=str(error))


def _row(run: JobRun, result: Result) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "job": result.job,
        "pipeline_key": run.pipeline_key,
        "as_of_date": run.options.as_of,
        "batch": run.options.batch,
        "legal_basis_id": run.legal_basis,
        "outcome": result.outcome,
        "exit_code": result.exit_code,
        "message": result.message,
        "inputs": run.lake.inputs,
        "outputs": run.lake.outputs,
        "rows_read": run.lake.rows_read,
        "rows_written": run.lake.rows_written,
        "rows_quarantined": run.lake.rows_quarantined,
        "seconds": result.seconds,
        "peak_memory_mb": jvm_peak_memory_mb(run.spark),
        "parameters": json.dumps(run.config.masked(), sort_keys=True),
        "code_version": code_version(),
        "started_at": run.started_at,
        "ended_at": datetime.now(UTC),
        "sequence": next_sequence(run.lake, JOB_RUN),
    }
