"""`flag_indicators` beside DuckDB: the same rules over the same features and facts, to written Parquet.

    python -m benchmarks.indicator_speed build/facts/members42000/anew build/facts/members830000/anew

takes lakes that `benchmarks.facts_speed` left, whose facts have no deleted rows. DuckDB reads the Parquet files
behind the Delta tables and has the rules as SQL. All indicators of members are compared at each size.
"""

import argparse
import os
import sys
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlparse

import duckdb
import polars as pl
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from rich.console import Console

from benchmarks.contenders import add_times, differing_numbers, timed, timing_table
from expectations.gold.account import INDICATOR, MEMBER_FEATURE, PEER_STATISTIC
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.event import FEE_DETAIL
from expectations.landing.reference import DRUG
from features.indicator.evidence import EVIDENCE, MOST_NAMED
from features.indicator.rules import Allowance, Condition, Rule
from jobs import flag_indicators
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake
from jobs.rules.rulebook import rulebook
from jobs.runtime.config import Config, load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Options
from jobs.runtime.session import jvm_peak_memory_mb, start_session

_SQL = Path(__file__).with_name("indicators.sql")
#: What the conditions of `EVIDENCE` look at, as the SQL gives it.
_VISIT_COLUMNS = "has_drug, has_cold_chain, has_tonic, has_proxy, has_certificate, has_e_voucher"
_TOLERANCE = 1e-9
_WARM_UP = 2
_KEY = ["subject_id", "reason_code"]
_CONSOLE = Console(soft_wrap=True)


def main() -> None:
    """Compare, time, and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lakes", nargs="+")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 2, 1))
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    spark = start_session("indicator_speed", "conf/spark-local.conf")
    table = timing_table()
    for root in given.lakes:
        config, lake, out = _config(root), Lake(spark, root), Path(root) / "duckdb.parquet"
        inputs = _inputs(lake, given.as_of)

        def by_job(config: Config = config) -> None:
            result = execute(flag_indicators.JOB, spark, config, Options(as_of=given.as_of))
            if result.exit_code:
                sys.exit(f"{flag_indicators.JOB.name}: {result.message}")

        def by_duckdb(
            config: Config = config, inputs: dict[str, list[str]] = inputs, out: Path = out
        ) -> None:
            _by_duckdb(config, inputs, given.as_of, out)

        contenders = {"DuckDB": by_duckdb, "drugtrail": by_job}
        # The first runs of each are not timed: the JVM compiles what runs often.
        for compute in contenders.values():
            for _ in range(_WARM_UP):
                compute()
        _CONSOLE.print(_compared(lake, given.as_of, out))
        seconds = {
            name: [timed(compute) for _ in range(given.runs)]
            for name, compute in contenders.items()
        }
        add_times(table, lake.read(FEE_DETAIL.silver).count(), seconds)
    _CONSOLE.print(table)
    _CONSOLE.print(f"{os.cpu_count()} cores; peak of Spark's JVM {jvm_peak_memory_mb(spark)} MiB")


def rule_sql(rule: Rule, allowances: tuple[Allowance, ...], window_days: int) -> str:
    """The indicators of one rule, from `member` and `peer`."""
    value, own = rule.feature, rule.at_least
    speaks = [_holds(each) for each in rule.conditions]
    threshold = f"{own}::DOUBLE"
    if rule.among_peers:
        speaks.append(f"{value} >= coalesce(p.upper, 0)")
        threshold = f"greatest({threshold}, p.upper)"
    explained = [
        f"WHEN {' AND '.join(_holds(part) for part in each.when)} THEN '{each.code}'"
        for each in allowances
        if rule.family in each.holds_back
    ]
    held_back_by = f"CASE {' '.join(explained)} END" if explained else "NULL"
    weight = f"least(greatest(1 + log2({value} / {own}) / 2, 1), {rule.most_weight})"
    if rule.among_peers:
        weight = f"""CASE WHEN p.extreme IS NULL THEN 1 WHEN {value} >= p.extreme THEN 1.5
            WHEN {value} >= p.high AND p.high = 0 THEN 1
            WHEN {value} >= p.high THEN 1 + ln({value} / p.high) / ln(p.extreme / p.high) / 2
            WHEN p.upper = 0 THEN 0.5
            ELSE 0.5 + ln({value} / p.upper) / ln(p.high / p.upper) / 2 END"""
    return f"""
        SELECT m.member_id AS subject_id, '{rule.code}' AS reason_code, '{rule.family}' AS family,
            {value} AS value, {threshold} AS threshold, p.median AS peer_median,
            {window_days} AS window_days, {rule.points} * {weight} AS points,
            {held_back_by} AS held_back_by, '{rule.evidence}' AS evidence
        FROM member m LEFT JOIN peer p ON p.peer_group = m.peer_group AND p.feature = '{value}'
        WHERE {" AND ".join(speaks)}
    """


def _holds(condition: Condition) -> str:
    bounds = {">=": condition.at_least, "<=": condition.at_most}
    tests = [f"{condition.feature} {sign} {x}" for sign, x in bounds.items() if x is not None]
    return f"coalesce({' AND '.join(tests)}, false)"


def _config(root: str) -> Config:
    return load_config("conf/local.yaml", [f"lake.root={root}", f"log.file={root}.log.jsonl"])


def _inputs(lake: Lake, as_of: date) -> dict[str, list[str]]:
    """The Parquet files behind the tables; of a day, where a table is kept by day."""
    frames = {
        "member": lake.of_day(MEMBER_FEATURE, as_of),
        "peer": lake.of_day(PEER_STATISTIC, as_of),
        "visit_fact": lake.read(VISIT_FACT),
        "fee_fact": lake.read(FEE_FACT),
        "drug": lake.read(DRUG.silver),
    }
    return {name: _files(frame) for name, frame in frames.items()}


def _files(frame: DataFrame) -> list[str]:
    return sorted(unquote(urlparse(each).path) for each in frame.inputFiles())


def _by_duckdb(config: Config, inputs: dict[str, list[str]], as_of: date, out: Path) -> None:
    rules = rulebook(config)
    with duckdb.connect() as base:
        base.execute(f"SET threads = {os.cpu_count()}")
        base.execute("SET TimeZone = 'UTC'")
        base.execute(f"SET VARIABLE as_of = DATE '{as_of}'")
        base.execute(f"SET VARIABLE most_named = {MOST_NAMED}")
        for name, files in inputs.items():
            base.execute(
                f"CREATE VIEW {name} AS"
                f" SELECT * FROM read_parquet({files!r}, hive_partitioning = false)"
            )
        windows = rules.windows["member"]
        each = [
            rule_sql(rule, rules.allowances, windows[rule.feature])
            for rule in rules.rules["member"]
        ]
        base.execute(f"CREATE TABLE found AS {' UNION ALL '.join(each)}")
        shows = " OR ".join(f"(evidence = '{name}' AND {what})" for name, what in EVIDENCE.items())
        base.execute(f"CREATE MACRO shows(evidence, {_VISIT_COLUMNS}) AS {shows}")
        base.execute(_SQL.read_text(encoding="utf-8"))
        base.execute(f"COPY indicator TO '{out}' (FORMAT parquet)")


def _compared(lake: Lake, as_of: date, out: Path) -> str:
    """How many indicators agree, evidence and all.

    Raises:
        SystemExit: naming the columns that differ and in how many indicators.
    """
    theirs = pl.read_parquet(out).sort(_KEY)
    written = lake.of_day(INDICATOR, as_of).filter(F.col("subject_type") == "member")
    ours = to_polars(written.select(theirs.columns)).sort(_KEY)
    if not ours.select(_KEY).equals(theirs.select(_KEY)):
        sys.exit(f"{ours.height} indicators by drugtrail, {theirs.height} by DuckDB, not the same")
    differing = {}
    for name, values in theirs.to_dict().items():
        if values.dtype.is_float() or values.dtype.is_integer():
            wrong = differing_numbers(ours[name], values, _TOLERANCE)
        else:
            wrong = int(ours[name].ne_missing(values).sum())
        if wrong:
            differing[name] = wrong
    if differing:
        sys.exit(f"indicators differ: {differing}")
    return f"{ours.height:,} indicators agree in {', '.join(theirs.columns)}"


if __name__ == "__main__":
    main()
