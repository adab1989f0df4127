"""Hold the ledger and the balances against the tables themselves: every record is in one place.

It reads all tables, so it is no step of the pipeline: run it now and then, and after a machine failed.
"""

from expectations.contract.errors import DataRefused
from expectations.landing.table import LandingTable
from expectations.tables import LANDING_TABLES
from jobs.facts.checks import check_facts
from jobs.landing.batch_history import read_ledger
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.threads import each_table
from jobs.silver.changes import last_run
from jobs.silver.checks import Found, check_table

#: What a message has room for; the log has all of them.
_MOST_TOLD = 20


def main(run: JobRun) -> str:
    """Check every table that has bronze, and the facts; nothing is written."""
    lake, ledger, last = run.lake, read_ledger(run.lake), last_run(run.lake)
    tables = [table for table in LANDING_TABLES if lake.exists(table.bronze)]
    if not tables:
        raise DataRefused(f"there is no bronze table in {lake.root}: run ingest_batch first")

    def checked(table: LandingTable) -> Found:
        with step(run, f"{table.name} checked"):
            return check_table(lake, table, ledger.of(table.name), last)

    found = each_table(run.spark, tables, checked)
    with step(run, "facts checked"):
        fact_faults, is_fact_waiting = check_facts(lake)
    faults = [*(fault for each in found for fault in each.faults), *fact_faults]
    for fault in faults:
        run.log.error(fault)
    if faults:
        more = f"; and {len(faults) - _MOST_TOLD} more" if len(faults) > _MOST_TOLD else ""
        raise DataRefused(f"{len(faults)} faults: {'; '.join(faults[:_MOST_TOLD])}{more}")
    waiting = [table.name for table, each in zip(tables, found, strict=True) if each.is_waiting]
    told = (
        f"; {', '.join(waiting)}: run conform_tables, not all is in silver yet" if waiting else ""
    )
    told += "; silver has more than the facts: run build_facts" if is_fact_waiting else ""
    return f"{len(tables)} tables agree with their balances{told}"


JOB = Job("check_tables", "Hold ledger and balances against the rows of the tables", main)

if __name__ == "__main__":
    run_job(JOB)
