"""Simulate a province: landing batches for the pipeline, and the truth about them in a folder apart.

Not part of the lake: it takes no lake, and leaves no row in `ops/job_run`.
"""

import argparse
import hashlib
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from expectations.contract.errors import ConfigError, JobError
from expectations.tables import LANDING_BY_NAME
from jobs.province.arguments import MARKER, check_folders, check_numbers
from jobs.province.dirt.dirt import LEDGER, inject
from jobs.province.gangs.plan import no_plan, plan
from jobs.province.gangs.settings import load_gang_settings
from jobs.province.gangs.truth import write_gang_truth
from jobs.province.gangs.truth_rows import join_truth_parts
from jobs.province.landing.delivery import clear_manifests, write_manifests
from jobs.province.settings import chunks, load_settings
from jobs.province.task import Outcome, Run, simulate
from jobs.province.world import World
from jobs.runtime.log import CONSOLE
from jobs.runtime.session import SessionFiles, start_session

_GROUP = "simulate_province"


@dataclass(frozen=True)
class _Written:
    batches: int
    rows: Counter[str]
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit code."""
    given = option_parser().parse_args(arguments)
    try:
        run, marker = prepared(given)
        CONSOLE.print(f"simulate_province: starting Spark; what it says is in {given.spark_log}")
        spark = start_session(
            "simulate_province", given.spark_properties, SessionFiles(log=given.spark_log)
        )
        spark.sparkContext.setLogLevel("OFF")
        written = simulated(spark, run, marker, given.partitions)
        faults = _dirtied(run, given.dirt)
    except JobError as error:
        CONSOLE.print(f"simulate_province: {error}", style="bold red", markup=False, soft_wrap=True)
        return error.exit_code
    lines = written.rows["fee_detail"]
    speed = f", {lines / written.seconds:,.0f} fee lines a second" if lines else ""
    CONSOLE.print(
        f"simulate_province: {run.members:,} members, {run.months} months: {written.batches} batches,"
        f" {sum(written.rows.values()):,} rows, {lines:,} of them fee lines,"
        f" in {written.seconds:.1f} s{speed}",
        markup=False,
    )
    for line in faults:
        CONSOLE.print(f"simulate_province: {line}", markup=False, soft_wrap=True)
    return 0


def option_parser() -> argparse.ArgumentParser:
    """The options; argparse leaves with exit code 2 on wrong ones."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.simulate_province", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("--members", type=int, required=True, metavar="N", help="insured people")
    add("--months", type=int, required=True, metavar="M", help="calendar months")
    add("--seed", type=int, required=True, metavar="S", help="the same seed, the same province")
    add("--out", type=Path, required=True, metavar="LANDING", help="folder for the batches")
    add("--truth", type=Path, required=True, metavar="TRUTH", help="folder for the truth")
    add("--daily", action="store_true", help="a batch a day instead of one a month")
    add("--format", choices=["parquet", "csv"], default="parquet")
    add("--fraud-share", type=float, metavar="SHARE", help="accounts in fraud, of all members")
    add("--intensity", type=float, metavar="LINES", help="fee lines a member and year")
    add("--tables", metavar="NAMES", help="only these landing tables, joined by commas")
    add("--start", type=date.fromisoformat, metavar="DATE", help="first day, the first of a month")
    add(
        "--dirt",
        type=float,
        metavar="FACTOR",
        help="put faults into the batches; 1 is one row in 1,000",
    )
    add("--settings", default="conf/simulation/province.yaml", metavar="FILE")
    add("--gangs", default="conf/simulation/gangs.yaml", metavar="FILE")
    add("--partitions", type=int, metavar="N", help="Spark partitions; one a task if not given")
    add("--spark-properties", default="conf/spark-local.conf", metavar="FILE")
    add(
        "--spark-log",
        type=Path,
        default=Path("build/log/simulate_province.spark.log"),
        metavar="FILE",
        help="where goes what Ivy and Spark print",
    )
    return parser


def prepared(given: argparse.Namespace) -> tuple[Run, dict[str, Any]]:
    """The run that the arguments ask for, and what is written down about it.

    Raises:
        ConfigError: one sentence about an argument that cannot be.
    """
    check_numbers(given)
    changes = {
        name: value
        for name, value in (
            ("start", given.start),
            ("intensity", given.intensity),
            ("fraud_share", given.fraud_share),
        )
        if value is not None
    }
    settings = load_settings(given.settings, changes)
    gang_settings = load_gang_settings(Path(given.gangs))
    tables = frozenset(LANDING_BY_NAME)
    if given.tables:
        tables = frozenset(given.tables.split(","))
        unknown = sorted(tables - set(LANDING_BY_NAME))
        if unknown:
            raise ConfigError(
                f"--tables: {', '.join(unknown)} is no landing table;"
                f" they are {', '.join(sorted(LANDING_BY_NAME))}"
            )
    out, truth = given.out.absolute(), given.truth.absolute()
    parameters = json.dumps(
        [settings.model_dump(mode="json"), gang_settings.model_dump(mode="json")], sort_keys=True
    )
    marker = {
        "members": given.members,
        "seed": given.seed,
        "start": settings.start.isoformat(),
        "format": given.format,
        "daily": given.daily,
        "tables": sorted(tables),
        "dirt": given.dirt,
        "parameters": hashlib.sha256(parameters.encode()).hexdigest(),
        "months": given.months,
    }
    check_folders(out, truth, marker)
    world = World(given.seed, settings, given.members)
    gangs = (
        plan(world.province(), gang_settings, settings.fraud_share, given.months)
        if settings.fraud_share
        else no_plan()
    )
    run = Run(
        seed=given.seed,
        settings=settings,
        gang_settings=gang_settings,
        members=given.members,
        months=given.months,
        out=str(out),
        truth=str(truth),
        format=given.format,
        daily=given.daily,
        tables=tables,
        plan=gangs,
    )
    return run, marker


def simulated(
    spark: SparkSession, run: Run, marker: dict[str, Any], partitions: int | None = None
) -> _Written:
    """Run the tasks, and announce what they wrote when all of it is there."""
    clock = time.perf_counter()
    out, truth = Path(run.out), Path(run.truth)
    out.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    clear_manifests(out, sorted(LANDING_BY_NAME))
    (out / MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")
    outcomes = _with_progress(spark, run, partitions)
    files = [file for outcome in outcomes for file in outcome.files]
    batches = write_manifests(out, files)
    join_truth_parts(truth)
    world = World(run.seed, run.settings, run.members)
    write_gang_truth(truth, world.province(), run.plan, run.months)
    rows: Counter[str] = Counter()
    for outcome in outcomes:
        rows.update(outcome.rows)
    return _Written(batches, rows, time.perf_counter() - clock)


def _dirtied(run: Run, factor: float | None) -> list[str]:
    """Put faults into what was written, if they are wanted; what to tell of them."""
    if factor is None:
        return []
    out, truth = Path(run.out), Path(run.truth)
    late = out.with_name(f"{out.name}-late")
    faults = inject(out, late, truth, run.seed, factor)
    return [
        f"{len(faults):,} faults, listed in {truth / LEDGER}",
        f"batches to be delivered later are in {late}: copy them over {out} then",
    ]


def _with_progress(spark: SparkSession, run: Run, partitions: int | None) -> list[Outcome]:
    """The outcomes of all tasks, with a bar that moves as they end."""
    context = spark.sparkContext
    count = len(chunks(run.members))
    shared = context.broadcast(run)
    outcomes: list[Outcome] = []
    failure: list[BaseException] = []

    def collect() -> None:
        context.setJobGroup(_GROUP, "simulate the province")
        try:
            numbers = context.parallelize(range(count), partitions or count)
            outcomes.extend(numbers.map(lambda number: simulate(shared.value, number)).collect())
        except BaseException as error:
            failure.append(error)

    with Progress(
        TextColumn("simulating {task.fields[members]:,} members"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tasks"),
        TimeElapsedColumn(),
        console=CONSOLE,
        transient=True,
        disable=not CONSOLE.is_terminal,
    ) as progress:
        bar = progress.add_task("", total=count, members=run.members)
        thread = threading.Thread(target=collect, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(0.3)
            progress.update(bar, completed=_completed(spark))
    shared.unpersist()
    if failure:
        raise failure[0]
    return outcomes


def _completed(spark: SparkSession) -> int:
    """How many tasks of the simulation have ended."""
    tracker = spark.sparkContext.statusTracker()
    done = 0
    for job in tracker.getJobIdsForGroup(_GROUP):
        info = tracker.getJobInfo(job)
        stages = [tracker.getStageInfo(stage) for stage in info.stageIds] if info else []
        done += sum(stage.numCompletedTasks for stage in stages if stage)
    return done


if __name__ == "__main__":
    sys.exit(main())
