"""Which batches lie in the landing folder that bronze has not seen."""

from dataclasses import dataclass, field

from expectations.landing.plausible import Plausible
from expectations.tables import LANDING_TABLES
from jobs.landing.batch_history import Ledger
from jobs.landing.manifests import LandingBatch, landed_table
from jobs.runtime.job import JobRun


@dataclass
class Arrivals:
    """How many batches lie there; those never kept before, table by table; tables and folders that are refused."""

    found: int = 0
    new: list[list[LandingBatch]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def find_arrivals(run: JobRun, root: str, known: Ledger, plausible: Plausible) -> Arrivals:
    """Look into the folders of all tables; manifests are read, files are not."""
    arrivals = Arrivals()
    for table in LANDING_TABLES:
        landed = landed_table(root, table)
        for text in landed.warnings:
            run.log.warning(text)
        for text in landed.errors:
            run.log.error(text)
        arrivals.errors += landed.errors
        wanted = [batch for batch in landed.batches if run.options.batch in (None, batch.day)]
        arrivals.found += len(wanted)
        standing = known.of(table.name)
        for batch in wanted:
            is_known = (table.name, batch.version) in known.versions
            if is_known and batch.day in standing and standing[batch.day].version != batch.version:
                run.log.warning(
                    "an earlier version of a batch lies there again, and the later one stands: to go back to it,"
                    " send it with another manifest",
                    batch=batch.name,
                )
        new = [batch for batch in wanted if (table.name, batch.version) not in known.versions]
        for batch in new:
            if not plausible.is_batch_day(batch.day):
                batch.reasons.append(
                    f"no batch can be of {batch.day}: its year is not within"
                    f" {plausible.earliest_arrival_year} and {plausible.latest_year}"
                )
        if new:
            arrivals.new.append(new)
    return arrivals
