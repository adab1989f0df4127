"""Ranking accounts by one number finds hardly more of the fraud than chance does."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from jobs.province.gangs.truth_rows import join_truth_parts
from jobs.province.settings import chunks
from jobs.province.task import simulate
from jobs.simulate_province import option_parser, prepared

MEMBERS, SHARE = 12_000, 0.01


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("naive")
    arguments = ["--members", str(MEMBERS), "--months", "12", "--seed", "10"]
    arguments += ["--out", str(folder / "landing"), "--truth", str(folder / "truth")]
    arguments += ["--fraud-share", str(SHARE), "--tables", "settlement,fee_detail,drug"]
    run, _ = prepared(option_parser().parse_args(arguments))
    for number in range(len(chunks(run.members))):
        simulate(run, number)
    join_truth_parts(Path(run.truth))
    return folder


@pytest.fixture(scope="module")
def tables(folder):
    def read(table):
        files = sorted((folder / "landing" / table).glob("batch=*/part-*.parquet"))
        return pl.concat([pl.read_parquet(file) for file in files], how="vertical_relaxed")

    visits = read("settlement").select(
        pl.col("setl_id", "psn_no", "device_hash").cast(pl.String),
        pl.col("medfee_sumamt", "fund_pay_sumamt").cast(pl.Float64),
        pl.col("med_type").cast(pl.String),
    )
    drugs = (
        read("fee_detail")
        .filter(pl.col("item_type").cast(pl.String) == "drug")
        .select(
            pl.col("setl_id", "psn_no", "med_list_codg").cast(pl.String),
            pl.col("cnt", "det_item_fee_sumamt").cast(pl.Float64),
        )
        .join(visits.drop("psn_no"), on="setl_id")
        .join(
            read("drug").select(pl.col("med_list_codg").cast(pl.String), "days_per_box"),
            on="med_list_codg",
        )
        .filter(pl.col("med_type") != "21")
    )
    return visits.filter(pl.col("med_type") != "21"), drugs


def average_precision(scores, guilty):
    """Of a ranking of everyone by score; people without one come last."""
    ranked = scores.sort("score", "psn_no", descending=True)["psn_no"]
    hit = ranked.is_in(guilty).to_numpy()
    place = np.arange(1, len(hit) + 1)
    return float((np.cumsum(hit) / place)[hit].sum() / len(guilty))


@pytest.mark.parametrize("word", ["drug fund", "visits", "supply", "phones"])
def test_no_single_number_finds_the_accounts(folder, tables, word):
    visits, drugs = tables
    share = pl.col("fund_pay_sumamt") / pl.col("medfee_sumamt").replace(0, 1)
    scores = {
        "drug fund": drugs.group_by("psn_no").agg(
            score=(pl.col("det_item_fee_sumamt") * share).sum()
        ),
        "visits": visits.group_by("psn_no").agg(score=pl.len()),
        "supply": drugs.group_by("psn_no").agg(
            score=(pl.col("cnt") * pl.col("days_per_box")).sum()
        ),
        "phones": visits.drop_nulls("device_hash")
        .with_columns(score=pl.n_unique("psn_no").over("device_hash"))
        .group_by("psn_no")
        .agg(pl.max("score")),
    }[word]
    guilty = pl.read_parquet(folder / "truth" / "truth_line.parquet")["psn_no"].unique().to_list()

    assert len(guilty) == pytest.approx(MEMBERS * SHARE, rel=0.2)
    assert 0.005 < average_precision(scores, guilty) < 0.06
