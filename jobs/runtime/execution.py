"""How a job is run: under its lock, logged, and recorded in `ops/job_run`."""

import hashlib
import json
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable

from pyspark.sql import SparkSession

from expectations.contract.errors import JobError
from expectations.ops import JOB_RUN
from jobs.lake.locks import job_lock
from jobs.lake.sequence import next_sequence
from jobs.lake.tables import Lake
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, Result
from jobs.runtime.log import open_log
from jobs.runtime.session import jvm_peak_memory_mb
from jobs.runtime.spark_errors import in_short


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
    run = JobRun(spark, config, options, lake, log, run_id, pipeline_key, legal_basis)
    clock = time.perf_counter()
    log.info("started", as_of=options.as_of, batch=options.batch)
    result = Result(job.name, "failed", 1, "interrupted", 0.0)
    try:
        with job_lock(config.lake.root, job.name):
            message = job.main(run)
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
        _record(run, result)
    return result


def code_version() -> str:
    """A hash of the project's sources and templates: the same code, the same version, zip or folder."""
    digest = hashlib.sha256()
    for package in ("expectations", "features", "jobs", "models"):
        _digest(resources.files(package), package, digest)
    return digest.hexdigest()[:12]


def _digest(folder: Traversable, at: str, digest: "hashlib._Hash") -> None:
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _digest(entry, f"{at}/{entry.name}", digest)
        elif entry.name.endswith((".py", ".j2", ".po", ".css", ".yaml")):
            digest.update(f"{at}/{entry.name}\0".encode())
            digest.update(entry.read_bytes())


def _record(run: JobRun, result: Result) -> None:
    """Append the run to `ops/job_run`; the log's last line says the same."""
    ended = datetime.now(UTC)
    peak = jvm_peak_memory_mb(run.spark)
    row = {
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
        "peak_memory_mb": peak,
        "parameters": json.dumps(run.config.masked(), sort_keys=True),
        "code_version": code_version(),
        "started_at": run.started_at,
        "ended_at": ended,
        "sequence": next_sequence(run.lake, JOB_RUN),
    }
    frame = run.spark.createDataFrame([row], JOB_RUN.schema).coalesce(1)
    try:
        Lake(run.spark, run.config.lake.root).append(frame, JOB_RUN)
    except JobError as error:
        # It must not hide why the job ended, nor end a run that changes nothing.
        if result.exit_code == 0 and not run.options.dry_run:
            raise
        run.log.warning("this run is not recorded", reason=str(error))
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
