"""Turn bronze into silver: the project's names, every version with the time it held, no orphans.

Only what is affected is worked on: the rows of new batches, the orphans that still wait, and the rows of older
batches that share a key with them. `docs/incremental.md` draws how that is found and in which order it is
committed.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from expectations.contract.errors import DataRefused
from expectations.landing.placeholders import EMPTY_TEXT, Placeholders, load_placeholders
from expectations.landing.table import LandingTable
from expectations.ops import TABLE_BALANCE, VALUE_PROFILE
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from jobs.lake.progress import write_progress
from jobs.lake.sequence import next_sequence
from jobs.landing.batch_history import read_ledger
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, refuse, step
from jobs.runtime.threads import each_table
from jobs.silver.changes import JOB_NAME, changes_of, last_run
from jobs.silver.commits import conform_table
from jobs.silver.measures import balance, rows_lost
from jobs.silver.values import (
    landed_rows,
    listed_placeholders,
    value_profile,
    with_shared,
)


def main(run: JobRun) -> str:
    """Bring the silver table of every bronze table up to date, parents before children."""
    lake, ledger = run.lake, read_ledger(run.lake)
    tables = [table for table in LANDING_TABLES if lake.exists(table.bronze)]
    refuse(
        not any(ledger.of(table.name) for table in tables),
        f"no batch in {lake.root} was ingested to its end: run ingest_batch first",
    )
    last = last_run(lake)
    listed = _listed(run.config)
    epochs: dict[str, str] = {}
    balances: list[dict[str, Any]] = []
    profiles: list[dict[str, Any]] = []
    clashes: list[int] = []

    def conformed(table: LandingTable) -> None:
        changes = changes_of(lake, table, ledger.of(table.name), last, epochs)
        if not changes.batches:
            run.log.warning("bronze is of an ingest that did not end", table=table.name)
        if changes.is_nothing:
            if changes.epoch:
                epochs[table.name] = changes.epoch
            return
        with step(run, f"{table.name}: {len(changes.new)} batches conformed"):
            placeholders = listed_placeholders(table, listed)
            landed = landed_rows(lake, changes, placeholders)
            placeholders = with_shared(placeholders, lake, changes, landed, listed.shared)
            found = conform_table(lake, table, changes, ledger, landed, placeholders)
            profile = value_profile(landed, placeholders)
        for each in profile:
            found[f"emptied_{each['column_name']}"] += each.pop("emptied")
        profiles.extend(profile)
        if found["clashing_rows"]:
            run.log.warning(
                "rows of one key in one batch are no versions of each other: they differ in person, place or time, are"
                " of other people, places, drugs or fees, or differ and arrived at one time: only one of each key"
                " stands; look whether a spreadsheet rounded the ids or lines lost their numbers, and send the"
                " batch again",
                table=table.name,
                rows=found["clashing_rows"],
            )
        clashes.append(found["clashing_rows"])
        _tell(run, profile)
        row = balance(run.run_id, table, changes, found, lake.version(table.silver))
        epochs[table.name] = row["epoch"]
        _refuse_if_lost(table, rows_lost(row))
        balances.append(row)

    try:
        each_table(run.spark, tables, conformed, is_parent_first=True)
    finally:
        _write_profiles(run, profiles)
        _write(run, balances)
    waiting = sum(row["rows_quarantined"] for row in balances)
    told = f"{len(tables)} tables, {waiting} orphans wait in quarantine"
    if sum(clashes):
        told += f"; {sum(clashes)} rows share a key with rows of others"
    return told


def _refuse_if_lost(table: LandingTable, lost: int) -> None:
    if lost:
        raise DataRefused(
            f"{table.name}: {abs(lost)} of its rows in bronze were {'lost' if lost > 0 else 'doubled'}."
            " If an ingest was stopped, run ingest_batch again; check_tables says what else does not fit"
        )


def _tell(run: JobRun, profile: Sequence[dict[str, Any]]) -> None:
    """Warn of values that stand for nothing, by column; the values themselves are in no log."""
    found: dict[str, Counter[str]] = {}
    for each in profile:
        found.setdefault(each["column_name"], Counter()).update(each["placeholders"])
    for column, entries in found.items():
        entries.pop(EMPTY_TEXT, None)
        if entries:
            run.log.warning(
                "values that stand for nothing",
                table=profile[0]["table_name"],
                column=column,
                rows=entries.total(),
                entries=dict(entries),
            )


def _write_profiles(run: JobRun, profiles: Sequence[dict[str, Any]]) -> None:
    """Append what the new batches' columns hold."""
    if not profiles:
        return
    same = {
        "run_id": run.run_id,
        "job": JOB_NAME,
        "written_at": datetime.now(UTC),
        "sequence": next_sequence(run.lake, VALUE_PROFILE),
    }
    frame = run.spark.createDataFrame([row | same for row in profiles], VALUE_PROFILE.schema)
    run.lake.append(frame.coalesce(1), VALUE_PROFILE)


def _write(run: JobRun, balances: Sequence[dict[str, Any]]) -> None:
    """Commit the balances, then the progress without which they do not count."""
    if not balances:
        return
    number = {"sequence": next_sequence(run.lake, TABLE_BALANCE)}
    rows = [row | number for row in balances]
    frame = run.spark.createDataFrame(rows, TABLE_BALANCE.schema)
    run.lake.append(frame.coalesce(1), TABLE_BALANCE)
    silver = [LANDING_BY_NAME[row["table_name"]].silver for row in balances]
    write_progress(run.lake, JOB_NAME, run.run_id, silver)


def _listed(config: Config) -> Placeholders:
    return load_placeholders(config.values.placeholders, LANDING_TABLES)


def _check(config: Config, _: Options) -> None:
    _listed(config)


JOB = Job(
    JOB_NAME,
    "Turn bronze into silver: names, versions in time, orphans held back",
    main,
    check=_check,
)

if __name__ == "__main__":
    run_job(JOB)
