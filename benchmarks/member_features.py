"""Member features by this project, by DuckDB and by Polars, from the same Parquet to Parquet.

    python -m benchmarks.member_features build/features --members 830000 1660000

simulates a year of each size (24 fee lines a member) once, then computes the same features three times a
contender, in turn, on the cores that there are. Before anything is timed the results of all are compared,
value by value, at the smallest size. The project's contender shuffles lines once by member in a warm Spark
session; DuckDB runs `member_features.sql`; Polars runs the project's kernel on whole tables, in memory.
"""

import argparse
import os
import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich.console import Console

from benchmarks.contenders import add_times, differing_numbers, timed, timing_table
from benchmarks.landing_frames import landing_path, silver_frame
from features.member.features import member_features
from features.member.frames import MemberRows, References
from features.member.packing import KINDS
from features.member.rows import person_rows, visit_rows
from features.member.stream import computed_features, member_stream
from jobs.runtime.session import jvm_peak_memory_mb, start_session

AS_OF = date(2026, 1, 1)
_TABLES = ("settlement", "fee_detail", "person", "institution", "drug")
_SQL = Path(__file__).with_name("member_features.sql")
#: In yuan, days or counts: sums of doubles in another order differ by less.
_TOLERANCE = 1e-6
#: Runs at the smallest size before any is timed: the JVM compiles what runs often.
_WARM_UP = 3
_CONSOLE = Console(soft_wrap=True)


def main() -> None:
    """Simulate, compare, time, and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, nargs="+", default=[42_000, 830_000, 1_660_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without", nargs="*", default=[], choices=["DuckDB", "Polars"])
    given = parser.parse_args()
    spark = start_session("member_features", "conf/spark-local.conf")
    contenders = {
        "drugtrail": lambda landing, out: _by_spark(spark, landing, out),
        "DuckDB": _by_duckdb,
        "Polars": _by_polars,
    }
    for name in given.without:
        del contenders[name]
    table = timing_table()
    for at, members in enumerate(sorted(given.members)):
        landing = simulated(given.folder, members)
        lines = _row_count(landing, "fee_detail")
        seconds: dict[str, list[float]] = {name: [] for name in contenders}
        if at == 0:
            for _ in range(_WARM_UP):
                for name, compute in contenders.items():
                    compute(landing, given.folder / f"{name}-{members}.parquet")
        for _ in range(given.runs):
            for name, compute in contenders.items():
                out = given.folder / f"{name}-{members}.parquet"
                seconds[name].append(timed(partial(compute, landing, out)))
        if at == 0:
            _CONSOLE.print(_compared(given.folder, members, list(contenders)))
        add_times(table, lines, seconds)
        _CONSOLE.print(table)
    _CONSOLE.print(f"{os.cpu_count()} cores; peak of Spark's JVM {jvm_peak_memory_mb(spark)} MiB")


def simulated(folder: Path, members: int) -> Path:
    """The landing folder of a province, simulated once."""
    landing = folder / f"members{members}" / "landing"
    if not landing.exists():
        command = [sys.executable, "-m", "jobs.simulate_province", "--members", str(members)]
        command += ["--months", "12", "--seed", "1", "--tables", ",".join(_TABLES)]
        command += ["--out", str(landing), "--truth", str(landing.with_name("truth"))]
        subprocess.run(command, check=True)
    return landing


def _by_spark(spark: SparkSession, landing: Path, out: Path) -> None:
    """The project's kernel behind one shuffle of the lines."""
    kinds = line_kinds(spark, landing)
    rows = sum(_row_count(landing, table) for table in ("settlement", "fee_detail", "person"))
    found = computed_features(member_stream(kinds, rows), _references(landing), AS_OF)
    found.write.mode("overwrite").parquet(str(out))


def line_kinds(spark: SparkSession, landing: Path) -> dict[str, DataFrame]:
    """The kinds of rows of `member_stream`, straight from landed lines.

    Only what the compared features need: no further diagnoses, certificates, scans, phones or proxies.
    """
    settlements, fees, people = (
        silver_frame(spark, landing, table) for table in ("settlement", "fee_detail", "person")
    )
    none = F.lit(None).cast("array<struct<value:string,valid_from:timestamp,valid_to:timestamp>>")
    visits = settlements.withColumns(
        {
            "service_date": F.to_date("settlement_time"),
            "start_date": F.to_date("start_time"),
            "end_date": F.to_date("end_time"),
            "is_refund": F.col("refund_flag").eqNullSafe(F.lit("1")),
            "diagnoses": none,
            "proxies": none,
        }
    )
    day = F.to_date("fee_time")
    first, last = F.lit(AS_OF) - F.expr("INTERVAL 365 DAYS"), F.lit(AS_OF)
    is_stated = F.col("supply_days").isNotNull()
    lines = fees.filter((day >= first) & (day < last)).select(
        "member_id",
        "settlement_id",
        day.alias("day"),
        "item_type",
        "drug_id",
        F.when(F.col("drug_id").isNotNull(), F.col("doctor_id")).alias("doctor_id"),
        F.col("quantity").cast("double").alias("quantity"),
        F.rint(F.col("line_amount").cast("double") * 100).cast("long").alias("cents"),
        F.coalesce(F.col("supply_days").cast("double"), F.lit(0.0)).alias("stated_days"),
        F.when(is_stated, 0.0)
        .otherwise(F.col("quantity").cast("double"))
        .alias("unstated_quantity"),
    )
    return {
        "visits": visit_rows(visits, AS_OF),
        "fees": lines,
        "persons": person_rows(people),
        "certificates": spark.createDataFrame(
            [],
            "member_id string, special_disease_code string, start_date date, end_date date,"
            " annual_cap double",
        ),
        "sales": spark.createDataFrame(
            [], "member_id string, drug_id string, day date, sold_again boolean, gap_days double"
        ),
        "shared": spark.createDataFrame(
            [], "member_id string, kind string, accounts int, relatives int"
        ),
    }


def _by_duckdb(landing: Path, out: Path) -> None:
    with duckdb.connect() as base:
        base.execute(f"SET threads = {os.cpu_count()}")
        base.execute(f"SET VARIABLE as_of = DATE '{AS_OF}'")
        for table in _TABLES:
            read = f"read_parquet({_files(landing, table)!r}, hive_partitioning = false)"
            newest = (
                ""
                if table != "person"
                else (
                    "QUALIFY row_number() OVER (PARTITION BY psn_no ORDER BY arrive_time DESC) = 1"
                )
            )
            base.execute(f"CREATE VIEW {table} AS SELECT * FROM {read} {newest}")
        base.execute(_SQL.read_text(encoding="utf-8"))
        base.execute(f"COPY feature TO '{out}' (FORMAT parquet)")


def _by_polars(landing: Path, out: Path) -> None:
    found = member_features(_whole_rows(landing), _references(landing), AS_OF)
    is_number = pl.col(pl.Float64)
    found.with_columns(is_number.fill_nan(None)).write_parquet(out)


def _whole_rows(landing: Path) -> MemberRows:
    """The rows of everybody, by Polars alone."""
    start = pl.lit(AS_OF) - pl.duration(days=365)
    is_refund = (pl.col("refd_setl_flag") == "1").fill_null(value=False)
    visits = _scan(landing, "settlement").filter(
        (pl.col("setl_time") >= start) & (pl.col("setl_time") < pl.lit(AS_OF))
    )
    fees = _scan(landing, "fee_detail").filter(
        (pl.col("fee_ocur_time") >= start) & (pl.col("fee_ocur_time") < pl.lit(AS_OF))
    )
    people = _scan(landing, "person").sort("arrive_time").unique("psn_no", keep="last")
    cnt = pl.col("cnt").cast(pl.Float64)
    return MemberRows(
        visits=visits.select(
            member_id="psn_no",
            settlement_id="setl_id",
            original_settlement_id=pl.when(is_refund).then("orig_setl_id"),
            is_refund=is_refund,
            time="setl_time",
            institution_id="fixmedins_code",
            visit_type="med_type",
            diagnosis="dise_codg",
            diagnoses=pl.lit(None, pl.List(pl.String)),
            credential="mdtrt_cert_type",
            proxy=pl.lit(None, pl.String),
            start=pl.col("begntime").dt.date(),
            end=pl.col("endtime").dt.date(),
            cents=(pl.col("medfee_sumamt") * 100).cast(pl.Int64),
            fund_cents=(pl.col("fund_pay_sumamt") * 100).cast(pl.Int64),
        ).collect(),
        fees=fees.select(
            member_id="psn_no",
            settlement_id="setl_id",
            day=pl.col("fee_ocur_time").dt.date(),
            item_type="item_type",
            drug_id="med_list_codg",
            doctor_id=pl.when(pl.col("med_list_codg").is_not_null()).then("bilg_dr_codg"),
            quantity=cnt,
            cents=(pl.col("det_item_fee_sumamt") * 100).cast(pl.Int64),
            stated_days=pl.col("prd_days").cast(pl.Float64).fill_null(0.0),
            unstated_quantity=pl.when(pl.col("prd_days").is_null()).then(cnt).otherwise(0.0),
        ).collect(),
        persons=people.select(
            "paused_from",
            "death_date",
            member_id="psn_no",
            latitude="home_lat",
            longitude="home_lon",
        ).collect(),
        certificates=_no_rows("certificates"),
        sales=_no_rows("sales"),
        shared=_no_rows("shared"),
    )


def _no_rows(kind: str) -> pl.DataFrame:
    return pl.DataFrame(schema={"member_id": pl.String(), **KINDS[kind]})


def _references(landing: Path) -> References:
    drugs = _scan(landing, "drug").rename({"med_list_codg": "drug_id"}).drop("arrive_time")
    institutions = _scan(landing, "institution").select(
        institution_id="fixmedins_code",
        institution_type="inst_type",
        visit_cap=pl.col("visit_cap").cast(pl.Float64),
        district="admdvs",
        latitude="lat",
        longitude="lon",
    )
    diseases = pl.DataFrame(schema={"special_disease_code": pl.String, "indications": pl.String})
    return References(drugs.collect(), institutions.collect(), diseases)


def _scan(landing: Path, table: str) -> pl.LazyFrame:
    rows = pl.scan_parquet(_files(landing, table), hive_partitioning=False)
    return rows.with_columns(pl.col(pl.Categorical).cast(pl.String))


def _row_count(landing: Path, table: str) -> int:
    rows = pl.scan_parquet(_files(landing, table), hive_partitioning=False)
    return int(rows.select(pl.len()).collect().item())


def _files(landing: Path, table: str) -> list[str]:
    return sorted(map(str, Path(landing_path(landing, table)).glob("batch=*/*.parquet")))


def _compared(folder: Path, members: int, names: list[str]) -> str:
    """How many features of how many members agree between the contenders.

    Raises:
        SystemExit: naming the features that differ and by how many members.
    """
    found = {}
    for name in names:
        path = folder / f"{name}-{members}.parquet"
        files = path / "*.parquet" if path.is_dir() else path
        found[name] = pl.read_parquet(files).sort("member_id")
    ours = found.pop("drugtrail")
    shared = set(ours.columns).intersection(*(each.columns for each in found.values()))
    features = sorted(shared - {"member_id"})
    for name, theirs in found.items():
        if not ours["member_id"].equals(theirs["member_id"]):
            raise SystemExit(f"{name} has other members")
        differing = {}
        for feature in features:
            wrong = differing_numbers(ours[feature], theirs[feature], _TOLERANCE)
            if wrong:
                differing[feature] = wrong
        if differing:
            raise SystemExit(f"{name} differs: {differing}")
    return f"{len(features)} features of {ours.height:,} members agree between {', '.join(names)}"


if __name__ == "__main__":
    main()
