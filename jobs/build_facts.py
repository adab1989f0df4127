"""Build gold.visit_fact and gold.fee_fact, of the settlements that changed since they were last built.

`docs/incremental.md` draws how that is found and in which order it is committed.
"""

from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from expectations.landing.table import LandingTable
from jobs.facts.changes import JOB_NAME, PROGRESS_TABLES, silver_changes
from jobs.facts.commits import silver_versions, write_fees, write_visits
from jobs.lake.progress import write_progress
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step
from jobs.runtime.threads import each_table


def main(run: JobRun) -> str:
    """Bring both tables up to date; safe to run again, and when nothing changed nothing is written."""
    lake = run.lake
    changes = silver_changes(lake)
    for table in (SETTLEMENT, FEE_DETAIL):
        lake.read(table.silver)
    for table in (SETTLEMENT_CODE, PROXY_PICKUP):
        # The progress says what this run saw, whether or not it looks at a row.
        silver_versions(lake, table)

    def built(table: LandingTable) -> tuple[int, int | None]:
        if table == SETTLEMENT:
            with step(run, "visits"):
                return write_visits(lake, changes)
        with step(run, "fees"):
            return write_fees(lake, changes)

    (visits, days), (fees, _) = each_table(run.spark, (SETTLEMENT, FEE_DETAIL), built)
    if changes != {}:
        write_progress(lake, JOB_NAME, run.run_id, PROGRESS_TABLES)
    told = "all days" if days is None else f"{days} days of visits"
    return f"{visits} visits and {fees} sums of fees written, {told}"


JOB = Job(JOB_NAME, "Sum visits and fees into facts, of the settlements that changed", main)

if __name__ == "__main__":
    run_job(JOB)
