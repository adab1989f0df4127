"""Seconds that score_subjects takes for many accounts, reasons included: `python -m benchmarks.score_members FOLDER`."""

import argparse
import time
from datetime import date
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from xgboost import XGBClassifier

from expectations.feature.member_model import (
    FAMILIES,
    MEMBER_MODEL_INPUT_NAMES,
    catalogue_digest,
)
from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.gold.member_score import MEMBER_SCORE
from jobs import score_subjects
from jobs.lake.tables import Lake
from jobs.runtime.config import load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Options
from jobs.runtime.session import start_session
from models.member_model import MODEL_NAME
from models.model_files import log_model
from models.tracking import Store, version_tags

DAY = date(2026, 1, 1)
#: One account in so many has indicators; each then has those of three families.
_FLAGGED_EACH = 10


def main() -> None:
    """Write the day's features and indicators, register trees on all inputs, score, and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--config", default="conf/local.yaml")
    given = parser.parse_args()
    folder = given.folder.absolute()
    config = load_config(
        given.config,
        [
            f"lake.root={folder / 'lake'}",
            f"log.file={folder / 'log.jsonl'}",
            f"mlflow.tracking_uri=sqlite:///{folder / 'mlflow.db'}",
            f"mlflow.artifact_root={folder / 'artifacts'}",
        ],
    )
    spark = start_session("score_members", config.spark.properties_file)
    write_day(spark, Lake(spark, config.lake.root), given.members)
    register(Store(config.mlflow.tracking_uri, config.mlflow.artifact_root), given.trees)
    clock = time.perf_counter()
    result = execute(score_subjects.JOB, spark, config, Options(as_of=DAY, subject="member"))
    seconds = time.perf_counter() - clock
    print(result.message)
    scores = Lake(spark, config.lake.root).of_day(MEMBER_SCORE, DAY)
    print(f"{scores.count()} accounts in {seconds:.1f} s, {scores.count() / seconds:,.0f} a second")
    print(scores.agg(F.avg(F.size("reasons")).alias("reasons an account")).first())
    spark.stop()


def write_day(spark: SparkSession, lake: Lake, members: int) -> None:
    """Accounts with amounts from a hash, and indicators of one in ten."""
    ids = spark.range(members).select(
        F.concat(F.lit("m"), F.lpad("id", 12, "0")).alias("member_id")
    )
    share = F.pmod(F.xxhash64("member_id"), F.lit(10_000)) / 10_000
    blank = [
        F.lit(None).cast("double").alias(name)
        for name in MEMBER_FEATURE.columns
        if name not in ("member_id", "as_of_date", "peer_group", "excess_fund_sum_365d")
    ]
    features = ids.select(
        "member_id",
        F.lit(DAY).alias("as_of_date"),
        F.lit("all").alias("peer_group"),
        F.when(share > 0.7, (share - 0.7) * 9000).alias("excess_fund_sum_365d"),
        *blank,
    )
    lake.replace(features, MEMBER_FEATURE, {"as_of_date": DAY})
    families = F.array(*(F.lit(name) for name in sorted(FAMILIES)[:3]))
    flagged = ids.filter(F.pmod(F.xxhash64("member_id"), F.lit(_FLAGGED_EACH)) == 0)
    rows = flagged.select(
        F.lit(DAY).alias("as_of_date"),
        F.lit("member").alias("subject_type"),
        F.col("member_id").alias("subject_id"),
        F.lit("over_supply").alias("typology"),
        F.explode(families).alias("family"),
    ).select(
        "*",
        F.col("family").alias("reason_code"),
        F.lit("x").alias("feature"),
        F.lit(1.0).alias("value"),
        F.lit(1.0).alias("threshold"),
        F.lit(None).cast("double").alias("peer_median"),
        F.lit(365).alias("window_days"),
        (F.pmod(F.xxhash64("subject_id", "family"), F.lit(400)) / 100).alias("points"),
        F.lit(None).cast("string").alias("held_back_by"),
        F.lit(None).cast("date").alias("first_date"),
        F.lit(None).cast("date").alias("last_date"),
        F.array().cast("array<string>").alias("settlement_ids"),
    )
    lake.replace(rows, INDICATOR, {"as_of_date": DAY})


def register(store: Store, trees: int) -> None:
    """Trees of depth three on random values of all inputs, as the champion."""
    draws = np.random.default_rng(1)
    values = draws.uniform(0, 4, (5000, len(MEMBER_MODEL_INPUT_NAMES)))
    odds = values[:, :4].sum(axis=1) - 8
    labels = (draws.uniform(size=5000) < 1 / (1 + np.exp(-odds))).astype(int)
    model = XGBClassifier(n_estimators=trees, max_depth=3, n_jobs=1).fit(values, labels)
    booster = model.get_booster()
    booster.feature_names = list(MEMBER_MODEL_INPUT_NAMES)
    with store.run("score_members", "benchmark") as run_id:
        sha256 = log_model(store, run_id, booster, MEMBER_MODEL_INPUT_NAMES)
        tags = version_tags(
            train_as_of=DAY,
            fingerprint="benchmark",
            care_setting="",
            code_version="",
            features=MEMBER_MODEL_INPUT_NAMES,
            files_sha256=sha256,
            inputs={},
            blend_weight=0.5,
            catalogue_digest=catalogue_digest(),
        )
        version = store.register(MODEL_NAME, run_id, tags)
    store.place(version, "champion", "challenger")


if __name__ == "__main__":
    main()
