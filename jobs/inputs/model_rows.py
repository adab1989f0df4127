"""The rows that a version was trained on, as one frame with the same columns for every subject."""

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES
from expectations.gold.institution import INSTITUTION_TRAINING_ROW
from expectations.gold.member_model import MEMBER_TRAINING_ROW
from jobs.runtime.job import JobRun
from models.case_rows import SOURCE_COLUMNS, case_rows
from models.comparison import NotComparable
from models.cross_validation import MAX_ROWS
from models.institution_model import claim_number
from models.tracking import Version


def training_frame(run: JobRun, subject: str, version: Version) -> pd.DataFrame:
    """The training rows of a version that a model can score.

    Columns: subject (one for each row), identity (whom it is about), group, label, weight and the
    features; of accounts, which are a sample, also population (how many accounts a row stands for).

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
        rows = rows.filter(F.pmod(F.xxhash64("component"), F.lit(total)) < MAX_ROWS * 0.9)
    if subject == "member":
        return _of_accounts(case_rows(rows.select(*SOURCE_COLUMNS).toPandas()))
    frame = rows.orderBy("institution_id").toPandas()
    named = frame.rename(columns={"institution_id": "subject", "component": "group"})
    return named.assign(identity=named["subject"], weight=1.0)


def _of_accounts(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as training weighs them; an account that was drawn on several days is several rows."""
    days = rows["feature_day"].astype(str)
    return pd.DataFrame(
        {
            "subject": rows["member_id"] + " " + days,
            "identity": rows["member_id"],
            "group": rows["component"],
            "label": rows["target"],
            "weight": rows["weight"],
            "population": rows["population"],
            **{name: rows[name] for name in MEMBER_MODEL_INPUT_NAMES},
        }
    )


def _institutions(run: JobRun, version: Version) -> DataFrame:
    rows = _rows_of(run, INSTITUTION_TRAINING_ROW, version)
    features = (name for name in rows.columns if _is_feature(INSTITUTION_TRAINING_ROW, name))
    return rows.filter(claim_number(version.care_setting) > 0).select(
        "institution_id", "component", "label", *features
    )


def _members(run: JobRun, version: Version) -> DataFrame:
    return _rows_of(run, MEMBER_TRAINING_ROW, version)


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
