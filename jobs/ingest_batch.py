"""Read landing batches into bronze; rows that break the contract go to quarantine with their reasons."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import ConfigError, DataRefused
from expectations.contract.table import TableContract
from expectations.landing.headers import Naming
from expectations.landing.table import LandingTable
from expectations.ops import LANDING_BATCH, quarantine
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from jobs.lake.locks import is_local
from jobs.landing.bad_rows import common, encoding_faults, shape_faults, too_many_bad
from jobs.landing.batch_history import Ledger, read_ledger
from jobs.landing.files import Limits, folder_entries, inspect_files
from jobs.landing.manifests import LandingBatch, check_files, landed_batches
from jobs.landing.row_counts import BadValues, bad_values, file_stats
from jobs.landing.rows import (
    READING,
    READING_TEXT,
    LandedRows,
    Reading,
    landed_rows,
    reading,
)
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, existing_folder
from jobs.runtime.job import Job, JobRun, Options, step
from jobs.runtime.session import session_conf
from jobs.runtime.threads import each_table


def check(config: Config, options: Options) -> None:
    """The landing folder has to be there, and aliases to mean something, before Spark is started."""
    known = {column for table in LANDING_TABLES for column in table.columns}
    for alias, meant in config.landing.aliases.items():
        if meant is not None and meant not in known:
            raise ConfigError(f"landing.aliases: {alias} is {meant}, which is no landing column")
    if is_local(config.landing.root):
        existing_folder(config.landing.root, "landing.root")


def main(run: JobRun) -> str:
    """Ingest every batch version that bronze has not seen, table by table; safe to run again."""
    root = run.config.landing.root.rstrip("/")
    for name, is_folder in folder_entries(root):
        if is_folder and name not in LANDING_BY_NAME:
            run.log.warning("a folder of the landing root is no table of the contract", folder=name)
    known = read_ledger(run.lake)
    found, arrivals = _arrivals(run, root, known)
    ledger: list[dict[str, Any]] = []
    try:
        with step(run, "files inspected"):
            _inspect(run, [batch for batches in arrivals for batch in batches])
        _ingest_all(run, arrivals, known, ledger)
        refused = [batch for batches in arrivals for batch in batches if batch.reasons]
    finally:
        # One commit for all tables. A run that dies before it does the same work again, to the same end.
        _write_ledger(run, ledger)
    if not found:
        at = f"batch={run.options.batch}" if run.options.batch else "any batch"
        raise ConfigError(f"landing.root: no table in {root} has {at}")
    if refused:
        told = "; ".join(f"{batch.name}: {', '.join(batch.reasons)}" for batch in refused[:20])
        raise DataRefused(f"{len(refused)} of {found} batches refused, the others kept. {told}")
    new = sum(map(len, arrivals))
    return f"{new} new batches, {found - new} already known"


def _arrivals(run: JobRun, root: str, known: Ledger) -> tuple[int, list[list[LandingBatch]]]:
    """How many batches lie there, and table by table those that were not kept before."""
    found, arrivals = 0, []
    for table in LANDING_TABLES:
        batches, warnings = landed_batches(root, table)
        for text in warnings:
            run.log.warning(text)
        wanted = [batch for batch in batches if run.options.batch in (None, batch.day)]
        found += len(wanted)
        new = [batch for batch in wanted if (table.name, batch.version) not in known.versions]
        if new:
            arrivals.append(new)
    return found, arrivals


def _inspect(run: JobRun, batches: list[LandingBatch]) -> None:
    """Look into all files of all tables at once, adding to the batches' facts and reasons."""
    files = [(batch.path(file), batch.table) for batch in _sound(batches) for file in batch.files]
    limits = Limits(
        max_bytes=int(run.config.landing.max_file_gib * (1 << 30)),
        clock_skew_hours=run.config.quarantine.clock_skew_hours,
    )
    inspected = inspect_files(run.spark, files, limits)
    for batch in _sound(batches):
        check_files(batch, inspected)


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
        with session_conf(run.spark, **settings):
            each_table(run.spark, tables, ingested)


def _ingest(run: JobRun, batches: list[LandingBatch], known: Ledger) -> list[dict[str, Any]]:
    """Ingest the new batches of one table in one commit; their rows for the ledger."""
    table = batches[0].table
    stats: list[Mapping[str, Any]] = []
    landed = landed_rows(run.spark, table, _sound(batches), _reading(run.config))
    if _sound(batches):
        stats = file_stats(landed, _sound(batches))
    bad_by_day = bad_values(landed) if _total(stats, "bad") else {}
    for batch in _sound(batches):
        mine = [row for row in stats if row["batch"] == batch.day]
        _check_content(run, batch, mine, bad_by_day.get(batch.day, BadValues()))
    if kept := _sound(batches):
        bad = sum(row["bad"] for row in stats if row["batch"] in _days(kept))
        _write(run, landed, kept, bad)
    _say(run, batches)
    return _ledger_rows(run, batches, stats, known)


def _reading(config: Config) -> Reading:
    naming = Naming(config.landing.known_aliases, config.landing.aliases)
    return Reading(config.quarantine.clock_skew_hours, config.landing.time_zone, naming)


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


def _check_content(
    run: JobRun,
    batch: LandingBatch,
    stats: list[Mapping[str, Any]],
    found_bad: BadValues,
) -> None:
    """Compare what was read with the manifest and the limits, adding to the batch's reasons.

    Args:
        run: the run.
        batch: the batch.
        stats: `file_stats` of its files.
        found_bad: what is wrong with its rows.
    """
    by_file = {row["source_file"]: row for row in stats}
    for file in batch.files:
        found = by_file[file.name]["rows"] if file.name in by_file else 0
        if found != file.rows:
            batch.reasons.append(f"{file.name} has {found} records, the manifest says {file.rows}")
    for name, (count, read) in found_bad.unreadable.items():
        if count > 1 and not read:
            batch.reasons.append(
                f"column {name} can't be read throughout: not one value fits its type"
            )
    for name, wanted in batch.control.items():
        total = _sum(stats, f"{name}__landed")
        missing = found_bad.malformed + found_bad.unreadable.get(name, (0, 0))[0]
        if total != wanted and missing:
            batch.warnings.append(
                f"the control sum of {name} can't be checked: {missing} unreadable"
            )
        elif total != wanted:
            batch.reasons.append(
                f"the sum of {name} is {total.normalize():f}, the manifest says {wanted}"
            )
    batch.warnings += [
        f"{name} {facts.text.warning}" for name, facts in batch.facts.items() if facts.text.warning
    ]
    encodings = encoding_faults(batch)
    if fault := too_many_bad(run.config.quarantine, batch, _total(stats, "bad")):
        told = [*shape_faults(batch, found_bad.malformed), *encodings, *common(found_bad.reasons)]
        batch.reasons.append(f"{fault}: {', '.join(told)}")
    else:
        batch.warnings += encodings


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
        landed, bad = _total(mine, "rows"), _total(mine, "bad")
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
                    name: _sum(mine, f"{name}__landed") for name in batch.table.amounts
                },
                "amounts_kept": {
                    name: _sum(mine, f"{name}__kept") if is_kept else Decimal(0)
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
        frame = run.spark.createDataFrame(ledger, LANDING_BATCH.schema)
        run.lake.append(frame.coalesce(1), LANDING_BATCH)


def _days(batches: list[LandingBatch]) -> list[date]:
    return [batch.day for batch in batches]


def _total(rows: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    return sum((row[name] or Decimal(0) for row in rows), Decimal(0))


JOB = Job(
    "ingest_batch",
    "Read landing batches into bronze, bad rows into quarantine",
    main,
    ("batch",),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
