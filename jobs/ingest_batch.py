"""Read landing batches into bronze; rows that break the contract go to quarantine with their reasons."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import ConfigError, DataRefused
from expectations.contract.table import TableContract
from expectations.landing.headers import Naming
from expectations.landing.plausible import Plausible
from expectations.landing.table import LandingTable
from expectations.ops import LANDING_BATCH, quarantine
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from jobs.lake.locks import is_local, local_path
from jobs.lake.sequence import next_sequence
from jobs.landing.arrivals import Arrivals, find_arrivals
from jobs.landing.batch_history import Ledger, read_ledger
from jobs.landing.content import amount_sum, blame_files, check_content, total
from jobs.landing.copies import copies_folder, drop_copies
from jobs.landing.entries import FILE, NotReadable, folder_entries, resolved_root, shown
from jobs.landing.files import Limits, inspect_files
from jobs.landing.manifests import LandingBatch, check_files
from jobs.landing.row_counts import BadValues, bad_values, file_stats
from jobs.landing.rows import (
    READING,
    READING_TEXT,
    LandedRows,
    Reading,
    is_readable,
    landed_rows,
    reading,
)
from jobs.landing.trials import try_files
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, existing_folder
from jobs.runtime.job import Job, JobRun, Options, step
from jobs.runtime.session import session_conf
from jobs.runtime.stopping import STOP
from jobs.runtime.threads import each_table

#: Letters of an address that a library may take for a wildcard, an escape or the end of the path.
_ODD_IN_ADDRESS = re.compile(r"[\s%#?*\[\]{}\\]")


def check(config: Config, options: Options) -> None:
    """The landing folder has to be there, and aliases to mean something, before Spark is started."""
    known = {column for table in LANDING_TABLES for column in table.columns}
    for alias, meant in config.landing.aliases.items():
        if meant is not None and meant not in known:
            raise ConfigError(f"landing.aliases: {alias} is {meant}, which is no landing column")
    if is_local(config.landing.root):
        existing_folder(str(local_path(config.landing.root)), "landing.root")
    for key, root in (("landing.root", config.landing.root), ("lake.root", config.lake.root)):
        odd = [] if is_local(root) else sorted(set(_ODD_IN_ADDRESS.findall(root)))
        if odd:
            raise ConfigError(
                f"{key} is {root}: in an address on object storage {' '.join(odd)} can mean something else to"
                " each library; choose a folder without"
            )
    if is_local(config.lake.root) and not is_readable(str(local_path(config.lake.root).absolute())):
        raise ConfigError(
            f"lake.root is {config.lake.root}: Spark can't read below a path with a colon and one of {{}}[]*?\\;"
            " choose another folder"
        )
    years = config.quarantine
    if max(years.earliest_year, years.earliest_arrival_year) > years.latest_year:
        raise ConfigError(
            "quarantine.latest_year lies before earliest_year or earliest_arrival_year: no row would be kept"
        )


def main(run: JobRun) -> str:
    """Ingest every batch version that bronze has not seen, table by table; safe to run again."""
    root = resolved_root(run.config.landing.root)
    try:
        entries = folder_entries(root, 0)
    except NotReadable as error:
        raise ConfigError(f"landing.root is {root}, which {error}") from None
    for name, kind in entries.items():
        if kind != FILE and name not in LANDING_BY_NAME:
            told = shown(name)
            run.log.warning("a folder of the landing root is no table of the contract", folder=told)
    known = read_ledger(run.lake)
    arrivals = find_arrivals(run, root, known, _plausible(run))
    ledger: list[dict[str, Any]] = []
    try:
        # What a killed run has left.
        drop_copies(run.lake.root, run.run_id)
        with step(run, "files inspected"):
            _inspect(run, [batch for batches in arrivals.new for batch in batches])
        _ingest_all(run, arrivals.new, known, ledger)
    finally:
        # One commit for all tables. A run that dies before it does the same work again, to the same end.
        drop_copies(run.lake.root, run.run_id)
        _write_ledger(run, ledger)
    _refuse(run, arrivals)
    if not arrivals.found:
        at = f"batch={run.options.batch}" if run.options.batch else "any batch"
        raise ConfigError(f"landing.root: no table in {root} has {at}")
    new = sum(map(len, arrivals.new))
    return f"{new} new batches, {arrivals.found - new} already known"


def _refuse(run: JobRun, arrivals: Arrivals) -> None:
    """End the run as refused if a batch or a table was, naming the first of them."""
    refused = [batch for batches in arrivals.new for batch in batches if batch.reasons]
    told = [*arrivals.errors, *(f"{each.name}: {', '.join(each.reasons)}" for each in refused[:20])]
    if refused:
        counted = f"{len(refused)} of {arrivals.found} batches refused, the others kept"
        raise DataRefused(f"{counted}. {'; '.join(told)}")
    if told:
        raise DataRefused(f"a folder is refused, the others kept. {'; '.join(told)}")


def _inspect(run: JobRun, batches: list[LandingBatch]) -> None:
    """Look into all files of all tables at once, adding to the batches' facts and reasons."""
    files = [(batch.path(file), batch.table) for batch in _sound(batches) for file in batch.files]
    limits = Limits(int(run.config.landing.max_file_gib * (1 << 30)), _plausible(run))
    inspected = inspect_files(run.spark, files, limits, copies_folder(run.lake.root, run.run_id))
    for batch in _sound(batches):
        check_files(batch, inspected)


def _plausible(run: JobRun) -> Plausible:
    """Which times are, as configured."""
    limits = run.config.quarantine
    return Plausible(
        limits.clock_skew_hours,
        limits.earliest_year,
        limits.earliest_arrival_year,
        limits.latest_year,
    )


def _ingest_all(
    run: JobRun, arrivals: list[list[LandingBatch]], known: Ledger, ledger: list[dict[str, Any]]
) -> None:
    """Ingest the new batches of all tables, adding their rows to the ledger's.

    Settings are the session's, so tables are worked on together that are read with the same ones.
    """
    by_table = {batches[0].table.name: batches for batches in arrivals}

    def ingested(table: LandingTable) -> None:
        batches = by_table[table.name]
        with step(run, f"{table.name}: {len(batches)} batches are new"):
            ledger.extend(_ingest(run, batches, known))

    for settings in (READING, READING_TEXT):
        tables = [batches[0].table for batches in arrivals if reading(_sound(batches)) == settings]
        with session_conf(run.spark, settings):
            each_table(run.spark, tables, ingested)


def _ingest(run: JobRun, batches: list[LandingBatch], known: Ledger) -> list[dict[str, Any]]:
    """Ingest the new batches of one table in one commit; their rows for the ledger."""
    is_first = True
    while True:
        try:
            stats = _kept_stats(run, batches)
            break
        except (Py4JJavaError, PySparkException) as error:
            # What neither we nor Arrow took exception to, Spark may: those files alone are refused. An error names
            # one of them at most, so that from the second on all are tried.
            sound = _sound(batches)
            is_blamed = is_first and blame_files(sound, error)
            if STOP.is_asked or not (is_blamed or try_files(run.spark, sound, _reading(run))):
                raise
            is_first = False
    _say(run, batches)
    return _ledger_rows(run, batches, stats, known)


def _kept_stats(run: JobRun, batches: list[LandingBatch]) -> list[Mapping[str, Any]]:
    """Write the new batches of one table that have nothing against them; `file_stats` of those read."""
    table = batches[0].table
    stats: list[Mapping[str, Any]] = []
    landed = landed_rows(run.spark, table, _sound(batches), _reading(run))
    if _sound(batches):
        stats = file_stats(landed, _sound(batches))
    bad_by_day = bad_values(landed) if total(stats, "bad") else {}
    for batch in _sound(batches):
        mine = [row for row in stats if row["batch"] == batch.day]
        found_bad = bad_by_day.get(batch.day, BadValues())
        check_content(batch, mine, found_bad, run.config.quarantine)
    if kept := _sound(batches):
        bad = sum(row["bad"] for row in stats if row["batch"] in _days(kept))
        _write(run, landed, kept, bad)
    return stats


def _reading(run: JobRun) -> Reading:
    landing = run.config.landing
    naming = Naming(landing.known_aliases, landing.aliases)
    return Reading(_plausible(run), landing.time_zone, naming)


def _sound(batches: list[LandingBatch]) -> list[LandingBatch]:
    """Those with nothing against them so far."""
    return [batch for batch in batches if not batch.reasons]


def _say(run: JobRun, batches: list[LandingBatch]) -> None:
    """Log what was tolerated once, with the number of batches, and every refusal."""
    for text, count in Counter(text for batch in batches for text in batch.warnings).items():
        run.log.warning(text, table=batches[0].table.name, batches=count)
    for batch in batches:
        for text in batch.reasons:
            run.log.error(text, batch=batch.name)


def _write(run: JobRun, landed: LandedRows, batches: list[LandingBatch], bad: int) -> None:
    """Quarantine first, then bronze: a retry after a crash between them writes the same again."""
    bronze, waiting = landed.table.bronze, quarantine(landed.table.name)
    if bad or run.lake.exists(waiting):
        refused = _stamped(run, landed.bad() if bad else None, waiting, landed.days, batches)
        where: dict[str, str | list[date]] = {"job": "ingest_batch", "batch": _days(batches)}
        run.lake.replace(refused, waiting, where)
    good = _stamped(run, landed.good(is_any_bad=bad > 0), bronze, landed.days, batches)
    run.lake.replace(good, bronze, {"batch": _days(batches)})


def _stamped(
    run: JobRun,
    rows: DataFrame | None,
    contract: TableContract,
    days: tuple[date, ...],
    batches: list[LandingBatch],
) -> DataFrame:
    """Those of some days' rows that are of some batches, with the batches' versions."""
    if rows is None:
        return run.spark.createDataFrame([], contract.schema)
    if days == (batches[0].day,):
        stamped = rows.withColumn("batch_version", F.lit(batches[0].version))
    else:
        versions = run.spark.createDataFrame(
            [(batch.day, batch.version) for batch in batches], "batch date, batch_version string"
        )
        stamped = rows.join(F.broadcast(versions), on="batch", how="inner")
    return stamped.withColumn("job", F.lit("ingest_batch")).select(*contract.columns)


def _ledger_rows(
    run: JobRun, batches: list[LandingBatch], stats: list[Mapping[str, Any]], known: Ledger
) -> list[dict[str, Any]]:
    """One row per batch for `ops/landing_batch`."""
    rows = []
    for batch in batches:
        mine = [row for row in stats if row["batch"] == batch.day]
        landed, bad = total(mine, "rows"), total(mine, "bad")
        is_kept = not batch.reasons
        before = known.of(batch.table.name).get(batch.day)
        superseded = before.rows_kept + before.rows_quarantined if before else 0
        rows.append(
            {
                "run_id": run.run_id,
                "job": "ingest_batch",
                "table_name": batch.table.name,
                "batch": batch.day,
                "batch_version": batch.version,
                "outcome": "kept" if is_kept else "refused",
                "rows_landed": landed,
                "rows_kept": landed - bad if is_kept else 0,
                "rows_quarantined": bad if is_kept else 0,
                "rows_superseded": superseded if is_kept else 0,
                "amounts_landed": {
                    name: amount_sum(mine, f"{name}__landed") for name in batch.table.amounts
                },
                "amounts_kept": {
                    name: amount_sum(mine, f"{name}__kept") if is_kept else Decimal(0)
                    for name in batch.table.amounts
                },
                "reasons": batch.reasons,
                "warnings": batch.warnings,
                "written_at": datetime.now(UTC),
            }
        )
    return rows


def _write_ledger(run: JobRun, ledger: list[dict[str, Any]]) -> None:
    if ledger:
        number = {"sequence": next_sequence(run.lake, LANDING_BATCH)}
        frame = run.spark.createDataFrame([row | number for row in ledger], LANDING_BATCH.schema)
        run.lake.append(frame.coalesce(1), LANDING_BATCH)


def _days(batches: list[LandingBatch]) -> list[date]:
    return [batch.day for batch in batches]


JOB = Job(
    "ingest_batch",
    "Read landing batches into bronze, bad rows into quarantine",
    main,
    ("batch",),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
