"""What a list could reach at best: trees that are given the truth of other provinces of the same generator.

    python -m benchmarks.upper_bound build/detection/city-12000-101-0123456789 build/detection/city-12000-102-0123456789

takes folders as `benchmarks.detection` leaves them. Each province of a generator is judged by trees that learned from
its other seeds, on features of single accounts, and with those of links and rings beside them. The province's own
list, which had no truth, stands beside it. The last day on file counts.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table
from xgboost import XGBClassifier

from expectations.contract.table import TableContract
from expectations.feature.member import MEMBER_FEATURES
from expectations.feature.member_ring import MEMBER_RING_FEATURES
from expectations.feature.resemblance import RESEMBLANCE_INPUT_NAMES
from expectations.gold.account import HIGH_RISK_ACCOUNT, MEMBER_FEATURE
from expectations.gold.ring import MEMBER_RING_FEATURE
from jobs.inputs.peers import usual_among_peers
from jobs.inputs.truth import read_truth
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake
from jobs.runtime.session import start_session
from jobs.training.shipped import generator_of
from models.detection import Truth, figures
from models.surprise import surprises_among_peers

_CONSOLE = Console(soft_wrap=True, width=140)
_ACCOUNTS = tuple(feature.name for feature in MEMBER_FEATURES)
_GROUPS = tuple(feature.name for feature in MEMBER_RING_FEATURES)
_HABITS = tuple(f"rarity of {name}" for name in RESEMBLANCE_INPUT_NAMES)
#: What trees see, by the name of the row.
_SEEN = {
    "trees, accounts alone": (*_ACCOUNTS, *_HABITS),
    "trees, with links and rings": (*_ACCOUNTS, *_HABITS, *_GROUPS),
}
_HEADLINES = (("average_precision", ""), ("precision", "100"), ("loss_recall", "1%"))


@dataclass(frozen=True)
class _Province:
    """A province: its members with what trees see, its list, and its truth."""

    name: str
    members: pl.DataFrame
    listed: pl.DataFrame
    truth: Truth

    @property
    def in_fraud(self) -> npt.NDArray[np.bool_]:
        known = self.truth.accounts["member_id"].implode()
        return self.members["member_id"].is_in(known).to_numpy()


def main() -> None:
    """Learn from all but one province of a generator, judge that one, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("provinces", type=Path, nargs="+")
    given = parser.parse_args()
    spark = start_session("upper_bound", "conf/spark-local.conf")
    provinces = [_province(spark, folder) for folder in given.provinces]
    table = Table("province", "ranking", *(f"{name} {of}".strip() for name, of in _HEADLINES))
    for province in provinces:
        others = [
            each
            for each in provinces
            if generator_of(each.name) == generator_of(province.name) and each is not province
        ]
        if not others:
            sys.exit(f"{province.name}: give another province of {generator_of(province.name)} too")
        rankings = {"the list": province.listed}
        rankings |= {told: _ranked(province, others, seen) for told, seen in _SEEN.items()}
        for told, ranked in rankings.items():
            found = {
                (each.measure, each.slice): each.value
                for each in figures(ranked, province.truth, [100])
            }
            table.add_row(province.name, told, *(f"{found[key] or 0:.3f}" for key in _HEADLINES))
    _CONSOLE.print(table)


def _ranked(province: _Province, others: list[_Province], seen: tuple[str, ...]) -> pl.DataFrame:
    trees = XGBClassifier(
        n_estimators=300, max_depth=4, learning_rate=0.05, subsample=0.8, colsample_bytree=0.5,
        min_child_weight=3, n_jobs=2, random_state=1,
    )  # fmt: skip
    rows = [each.members.select(seen).to_numpy() for each in others]
    trees.fit(np.vstack(rows), np.concatenate([each.in_fraud for each in others]))
    score = trees.predict_proba(province.members.select(seen).to_numpy())[:, 1]
    return (
        province.members.select("member_id", score=pl.Series(score))
        .sort("score", "member_id", descending=[True, False])
        .select("member_id", rank=pl.int_range(1, pl.len() + 1))
    )


def _province(spark: SparkSession, folder: Path) -> _Province:
    lake = Lake(spark, str(folder / "lake"))
    [last] = lake.read(MEMBER_FEATURE).agg(F.max("as_of_date").alias("day")).collect()
    day = last["day"]

    def of_day(table: TableContract) -> DataFrame:
        return lake.of_day(table, day)

    wide = to_polars(of_day(MEMBER_FEATURE).select("member_id", "peer_group", *_ACCOUNTS))
    rings = to_polars(of_day(MEMBER_RING_FEATURE).select("member_id", *_GROUPS))
    habits = wide.select(pl.col(RESEMBLANCE_INPUT_NAMES).cast(pl.Float64)).to_numpy()
    usual = usual_among_peers(lake, day, RESEMBLANCE_INPUT_NAMES)
    rare = surprises_among_peers(habits, wide["peer_group"].to_arrow(), usual)
    members = (
        wide.hstack(pl.from_numpy(rare, schema=list(_HABITS)))
        .join(rings, on="member_id", how="left")
        .with_columns(pl.col(*_ACCOUNTS, *_HABITS, *_GROUPS).cast(pl.Float64))
    )
    listed = to_polars(of_day(HIGH_RISK_ACCOUNT).select("member_id", "rank")).sort("rank")
    truth = read_truth(folder / "truth", insured=members.height)
    return _Province(folder.name, members, listed, truth)


if __name__ == "__main__":
    main()
