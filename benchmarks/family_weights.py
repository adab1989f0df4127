"""By what the points of each family of rules would be multiplied to add up best.

    python -m benchmarks.family_weights --generator build/dev/seed11 build/dev/seed12 --generator other/a

Each folder holds `lake`, with indicators, and `truth`, as `benchmarks.detection` leaves them; the last date of
each lake is taken. Provinces of one generator count together as much as those of another.
"""

import argparse
from pathlib import Path

import polars as pl
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from expectations.gold.account import INDICATOR
from jobs.inputs.truth import read_truth
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake
from jobs.runtime.session import start_session
from models.family_weights import Shown, family_factors


def main() -> None:
    """Fit and print a factor for each family."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--generator", type=Path, nargs="+", action="append", required=True)
    parser.add_argument("--shrinkage", type=float, default=0.1)
    given = parser.parse_args()
    spark = start_session("family_weights", "conf/spark-local.conf")
    weights = {folder: 1 / len(folders) for folders in given.generator for folder in folders}
    shown = {folder: most_points(spark, folder) for folder in weights}
    families = sorted({name for frame in shown.values() for name in frame.columns[1:]})
    provinces = []
    for folder, weight in weights.items():
        fraud = read_truth(folder / "truth", insured=0).accounts["member_id"]
        frame = shown[folder]
        missing = [pl.lit(0.0).alias(name) for name in families if name not in frame.columns]
        points = frame.with_columns(missing).select(families).to_numpy()
        provinces.append(
            Shown(points, frame["member_id"].is_in(fraud.implode()).to_numpy(), weight)
        )
    table = Table("family", "factor", box=None)
    for name, factor in zip(families, family_factors(provinces, given.shrinkage), strict=True):
        table.add_row(name, f"{factor:.2f}")
    Console(soft_wrap=True).print(table)


def most_points(spark: SparkSession, folder: Path) -> pl.DataFrame:
    """`member_id` and a column per family: the points of its strongest rule that counts, as of the last date."""
    rows = Lake(spark, str(folder / "lake")).read(INDICATOR).filter("subject_type = 'member'")
    [(last,)] = rows.agg(F.max("as_of_date")).collect()
    counting = (
        rows.filter(F.col("held_back_by").isNull() & (F.col("as_of_date") == F.lit(last)))
        .groupBy(F.col("subject_id").alias("member_id"), "family")
        .agg(F.max("points").alias("points"))
    )
    frame = to_polars(counting)
    return frame.pivot(on="family", index="member_id", values="points").fill_null(0.0)


if __name__ == "__main__":
    main()
