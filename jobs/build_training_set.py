"""Build gold.member_training_row: labelled accounts, and a drawn rest, with features of a day before their cut."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import JobSkipped
from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES
from expectations.gold.account import UNLISTED_PRIORITY
from expectations.gold.member_model import MEMBER_TRAINING_ROW, SUBJECT_LABEL
from jobs.inputs.training_inputs import (
    DAILY_JOBS,
    components_of,
    feature_days,
    inputs_of,
    people_in_cases,
)
from jobs.lake.frames import persisted
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step
from models.training_set import days_to_build, draw_share, is_drawn, with_feature_date

#: Days that a message names; the log has all.
_MOST_DAYS = 6


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again.

    Raises:
        JobSkipped: when no label has features of a day before its cut.
    """
    lake = run.lake
    labels = lake.of_day(SUBJECT_LABEL, run.as_of).filter("subject_type = 'member'")
    days = feature_days(lake, run.as_of)
    with persisted(with_feature_date(labels, days)) as dated:
        cuts = dated.select("cut_date", "feature_date").collect()
        missing = days_to_build([(row["cut_date"], row["feature_date"]) for row in cuts])
        used = sorted({row["feature_date"] for row in cuts if row["feature_date"]})
        rows = _written(run, dated, used)
    told = _how_to_build(missing)
    if missing:
        run.log.warning(
            "features of more days would serve more labels",
            days=", ".join(map(str, missing)),
            jobs=", ".join(DAILY_JOBS),
        )
    if not rows:
        raise JobSkipped(
            f"none of {len(cuts)} labelled members has features of a day before its cut{told}"
        )
    return rows + told


def _written(run: JobRun, labels: DataFrame, days: Sequence[date]) -> str:
    """Write the rows; say how many, nothing if none is labelled."""
    lake = run.lake
    if not days:
        nothing = run.spark.createDataFrame([], MEMBER_TRAINING_ROW.schema)
        lake.replace(nothing, MEMBER_TRAINING_ROW, {"as_of_date": run.as_of})
        return ""
    inputs = reduce(DataFrame.unionByName, (inputs_of(lake, day) for day in days))
    with persisted(inputs) as known:
        labelled = _labelled(labels, known)
        with step(run, "accounts without a label drawn"):
            drawn, candidates = _drawn(run, known)
        with persisted(labelled.unionByName(drawn, allowMissingColumns=True)) as chosen:
            found = {
                row["label"]: row["count"] for row in chosen.groupBy("label").count().collect()
            }
            with step(run, "components"):
                components = run.spark.createDataFrame(
                    components_of(
                        lake, run.as_of, chosen.select("member_id").distinct(), list(days)
                    ).to_pandas(),
                    "member_id string, component string",
                )
            rows = chosen.join(components, on="member_id", how="inner").withColumn(
                "as_of_date", F.lit(run.as_of)
            )
            lake.replace(rows, MEMBER_TRAINING_ROW, {"as_of_date": run.as_of})
    positives, negatives = found.get(1, 0), found.get(0, 0)
    if not positives + negatives:
        return ""
    return (
        f"{positives} confirmed and {negatives} cleared members with features of {len(days)} days,"
        f" {found.get(None, 0):,} of {candidates:,} rows of members in no case drawn"
    )


def _labelled(labels: DataFrame, inputs: DataFrame) -> DataFrame:
    """Labels with the inputs of their day. A label without features of it has no row: it had no settlement."""
    told = labels.drop("as_of_date", "subject_type", "origin").withColumnRenamed(
        "subject_id", "member_id"
    )
    of_day = inputs.withColumnRenamed("as_of_date", "feature_date")
    return told.join(of_day, on=["member_id", "feature_date"], how="inner").withColumn(
        "propensity", F.lit(1.0)
    )


def _drawn(run: JobRun, inputs: DataFrame) -> tuple[DataFrame, int]:
    """Rows of members in no case, drawn with a known chance, and the number they were drawn from.

    Half of `train.unlabelled` are drawn from rows on the list, where a week's work is decided, and half
    from all others.
    """
    settings = run.config.train
    others = inputs.join(
        F.broadcast(people_in_cases(run.lake, run.as_of)), on="member_id", how="left_anti"
    ).withColumn("is_listed", _is_listed())
    counts = {
        row["is_listed"]: row["count"] for row in others.groupBy("is_listed").count().collect()
    }
    half = settings.unlabelled // 2
    shares = {key: draw_share(half, counts.get(key, 0)) for key in (True, False)}
    chance = F.when(F.col("is_listed"), shares[True]).otherwise(shares[False])
    drawn = (
        others.withColumn("propensity", chance)
        .filter(is_drawn(F.col("propensity"), settings.seed))
        .withColumn("label", F.lit(None).cast("int"))
    )
    columns = ["member_id", "label", "propensity", "drug_fund_sum_365d", *MEMBER_MODEL_INPUT_NAMES]
    return (
        drawn.select(F.col("as_of_date").alias("feature_date"), *columns),
        sum(counts.values()),
    )


def _is_listed() -> Column:
    """Whether rules or links have the account on the list."""
    return F.col("prior") > UNLISTED_PRIORITY


def _how_to_build(days: Sequence[date]) -> str:
    if not days:
        return ""
    named = ", ".join(map(str, days[:_MOST_DAYS])) + (", ..." if len(days) > _MOST_DAYS else "")
    return (
        f"; features of {named} would serve more labels, as far as claims reach back: run"
        f" {', '.join(DAILY_JOBS)} with --as-of each of these days"
    )


JOB = Job(
    "build_training_set",
    "Join labels of members with features of a day before their cut, and draw members without a label",
    main,
    ("as_of",),
)

if __name__ == "__main__":
    run_job(JOB)
