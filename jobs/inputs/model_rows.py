"""The rows that a version was trained on, as one frame with the same columns for every subject."""

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES
from expectations.gold.institution import INSTITUTION_TRAINING_ROW
from expectations.gold.member_model import MEMBER_TRAINING_ROW
from jobs.runtime.job import JobRun
from models.comparison import NotComparable
from models.cross_validation import MAX_ROWS
from models.institution_model import claim_number
from models.tracking import Version


def training_frame(run: JobRun, subject: str, version: Version) -> pd.DataFrame:
    """The training rows of a version that a model can score: subject, group, label, weight, and features.

    They come from the version of the table that the model names, so they are the same whatever was
    written later. Of more than MAX_ROWS rows whole groups are drawn by a hash.

    Raises:
        NotComparable: when the model names no version of the table, or there are no rows.
    """
    rows = _members(run, version) if subject == "member" else _institutions(run, version)
    total = rows.count()
    if total == 0:
        raise NotComparable(f"version {version.version} has no training rows in the lake")
    if total > MAX_ROWS:
        rows = rows.filter(F.pmod(F.xxhash64("group"), F.lit(total)) < MAX_ROWS * 0.9)
    return rows.orderBy("subject").toPandas()


def _institutions(run: JobRun, version: Version) -> DataFrame:
    rows = _rows_of(run, INSTITUTION_TRAINING_ROW, version)
    return rows.filter(claim_number(version.care_setting) > 0).select(
        F.col("institution_id").alias("subject"),
        F.col("component").alias("group"),
        "label",
        F.lit(1.0).alias("weight"),
        *(name for name in rows.columns if _is_feature(INSTITUTION_TRAINING_ROW, name)),
    )


def _members(run: JobRun, version: Version) -> DataFrame:
    """Accounts without a label are weak negatives: each stands for as many as its propensity says."""
    rows = _rows_of(run, MEMBER_TRAINING_ROW, version)
    return rows.select(
        F.concat_ws(" ", "member_id", "feature_date").alias("subject"),
        F.col("component").alias("group"),
        F.coalesce("label", F.lit(0)).alias("label"),
        (1 / F.col("propensity")).alias("weight"),
        *MEMBER_MODEL_INPUT_NAMES,
    )


def _rows_of(run: JobRun, contract: TableContract, version: Version) -> DataFrame:
    """The rows of a version's day in the version of the table that it was trained with."""
    noted = version.signed_tags.get(f"input.{contract.name}")
    if noted is None:
        raise NotComparable(f"version {version.version} does not name a version of {contract.name}")
    rows = run.lake.read_version(contract, int(noted))
    return rows.filter(F.col("as_of_date") == F.lit(version.train_as_of))


def _is_feature(contract: TableContract, name: str) -> bool:
    return (
        name not in contract.primary_key and contract.schema[name].dataType.typeName() == "double"
    )
