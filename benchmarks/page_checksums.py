"""What it costs, and finds, to verify the checksums of Parquet's pages.

    python -m benchmarks.page_checksums build/pages --rows 5000000

writes a Delta table as jobs do and reads it in turn with and without verifying, all of its columns each time, so
many times each; the first reading of each kind is not counted. Then it turns single bits over in the pages of copies
of one file, without Hadoop's `.crc` files, which object storage does not have, and reads the copies both ways.
"""

import argparse
import random
import shutil
import time
from pathlib import Path
from statistics import median

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from jobs.runtime.session import start_session

_OPTION = "parquet.page.verify-checksum.enabled"
#: Bytes at the end of a file that may be its footer: damage there is noticed anyhow.
_FOOTER = 20_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--bits", type=int, default=25)
    given = parser.parse_args()
    spark = start_session("page_checksums", "conf/spark-local.conf")
    shutil.rmtree(given.folder, ignore_errors=True)
    table = given.folder / "table"
    _fee_lines(spark, given.rows).write.format("delta").save(str(table))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(given.runs + 1):
        for is_verified, measured in seconds.items():
            measured.append(_read(spark, table, is_verified))
    noticed, changed = _damaged(spark, next(table.glob("*.parquet")), given.folder, given.bits)
    shown = Table(title=f"{given.rows:,} rows, {given.runs} readings; {given.bits} bits")
    for column in ("pages", "least", "median", "most", "bits noticed", "unnoticed, other rows"):
        shown.add_column(column, justify="left" if column == "pages" else "right")
    for is_verified, measured in seconds.items():
        kept = sorted(measured[1:])
        shown.add_row(
            "verified" if is_verified else "not verified",
            *(f"{each:.2f} s" for each in (kept[0], median(kept), kept[-1])),
            str(noticed[is_verified]),
            str(changed[is_verified]),
        )
    Console().print(shown)
    plain, verified = (median(seconds[each][1:]) for each in (False, True))
    Console().print(f"verified / not verified, medians: {verified / plain:.3f}")


def _fee_lines(spark: SparkSession, rows: int) -> DataFrame:
    """Rows like fee lines: ids, a time, amounts, text."""
    number = F.col("id")
    return spark.range(rows).select(
        F.sha1(number.cast("string")).substr(1, 16).alias("settlement_id"),
        F.sha1((number % 50_000).cast("string")).substr(1, 16).alias("member_id"),
        F.timestamp_micros(number * 1_000_003).alias("fee_time"),
        (F.pmod(F.xxhash64("id"), F.lit(100_000)) / 100).cast("decimal(16,2)").alias("line_amount"),
        F.concat(F.lit("drug "), F.pmod(number, F.lit(3_000))).alias("drug_id"),
    )


def _verify(spark: SparkSession, is_verified: bool) -> None:
    spark.conf.set(_OPTION, str(is_verified).lower())


def _read(spark: SparkSession, table: Path, is_verified: bool) -> float:
    _verify(spark, is_verified)
    clock = time.perf_counter()
    spark.read.format("delta").load(str(table)).write.format("noop").mode("overwrite").save()
    return time.perf_counter() - clock


def _damaged(
    spark: SparkSession, file: Path, folder: Path, bits: int
) -> tuple[dict[bool, int], dict[bool, int]]:
    """Of so many bits turned over, how many end the reading, and how many give other rows unnoticed."""
    content = file.read_bytes()
    draws = random.Random(1)  # noqa: S311
    places = [draws.randrange(4, len(content) - _FOOTER) for _ in range(bits)]
    whole = _hash(spark, file)
    noticed, changed = {False: 0, True: 0}, {False: 0, True: 0}
    for number, place in enumerate(places):
        broken = bytearray(content)
        broken[place] ^= 1 << draws.randrange(8)
        copy = folder / f"broken-{number}.parquet"
        copy.write_bytes(broken)
        for is_verified in (False, True):
            _verify(spark, is_verified)
            try:
                changed[is_verified] += _hash(spark, copy) != whole
            except (Py4JJavaError, PySparkException):
                noticed[is_verified] += 1
        copy.unlink()
    return noticed, changed


def _hash(spark: SparkSession, file: Path) -> object:
    rows = spark.read.parquet(str(file))
    return rows.agg(F.sum(F.xxhash64(*rows.columns).cast("decimal(38,0)"))).collect()[0][0]


if __name__ == "__main__":
    main()
