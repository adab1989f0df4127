"""Bring the tables of a lake to what this version declares: columns, comments, properties. No row changes."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from expectations.contract.errors import JobError
from expectations.contract.table import TableContract
from expectations.tables import all_contracts
from jobs.lake.locks import commit_lock, job_lock
from jobs.lake.migration import Plan, apply, planned, state_of
from jobs.lake.tables import SHARED_LAYERS
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun

#: It begins one job after the other, and must not do so meanwhile.
_PIPELINE = "run_pipeline"


def main(run: JobRun) -> str:
    """Compare every table with its contract, and change all or, where one can't be changed, none.

    With `--dry-run` it only says what it would do. A run that dies half-way is made good by running it again.

    Raises:
        JobError: naming each table that can't be changed and what to do about it.
        LockHeld: when a job that writes one of the tables is running.
    """
    lake, is_dry = run.lake, run.options.dry_run
    tables = [contract for contract in all_contracts() if lake.exists(contract)]
    with ExitStack() as held:
        if not is_dry:
            held.enter_context(_locked(run, tables))
        plans = [(each, planned(each, state_of(run.spark, lake.path(each)))) for each in tables]
        changed = 0
        for contract, plan in plans:
            changed += bool(plan.changes)
            _tell(run, contract, plan)
        refused = [
            f"{contract.name}: {'; '.join(plan.refusals)}"
            for contract, plan in plans
            if plan.refusals
        ]
        if refused:
            raise JobError(f"nothing was changed. {'. '.join(refused)}")
        if not is_dry:
            for contract, plan in plans:
                for change in plan.changes:
                    apply(run.spark, lake.path(contract), change)
    told = "would be brought" if is_dry else "were brought"
    return f"{changed} of {len(tables)} tables {told} to what this version declares"


@contextmanager
def _locked(run: JobRun, tables: Sequence[TableContract]) -> Iterator[None]:
    """Hold the locks of all jobs that write the tables, and those of commits to shared tables."""
    root = run.config.lake.root
    jobs = {job for contract in tables for job in contract.written_by.split(", ")}
    with ExitStack() as held:
        for job in sorted({job for job in jobs if " " not in job} | {_PIPELINE}):
            held.enter_context(job_lock(root, job))
        for contract in tables:
            if contract.layer in SHARED_LAYERS:
                held.enter_context(commit_lock(root, contract.name))
        yield


def _tell(run: JobRun, contract: TableContract, plan: Plan) -> None:
    told = "would change" if run.options.dry_run else "changes"
    for change in plan.changes:
        run.log.info(told, table=contract.name, what=change.what)


JOB = Job(
    "migrate_tables",
    "Bring the tables of a lake to what this version declares, or say what it would change (--dry-run)",
    main,
    ("dry_run",),
)

if __name__ == "__main__":
    run_job(JOB)
