"""Labels from closed cases: confirmed and cleared institutions, and the last day that features may use."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

POSITIVE_OUTCOMES = ("criminal", "administrative")
NEGATIVE_OUTCOMES = ("cleared", "no_finding")

#: With more distinct cut dates than this, features are taken at the first of the cut's month.
MAX_FEATURE_DATES = 12


def institution_labels(closed_cases: DataFrame, as_of: date) -> DataFrame:
    """Label the institutions of closed cases, one row per institution that has a label.

    Columns: institution_id, label, cut_date, feature_date.

    Label 1: a case with the outcome criminal or administrative was decided before `as_of`, is not under
    appeal, and the institution was no victim in it. Label 0: the institution has cases, and all of them
    were decided before `as_of` as cleared or no_finding. There is no label for open or withdrawn cases, for
    a confirmation under appeal, or for a role as victim. A role as victim does not prevent a label 0 from
    another case.

    The cut of a positive is the day before the clue of its earliest confirmed case, or before the opening
    if no clue is recorded, because from then on the inquiry changes the claims. The cut of a negative is
    one of the positives' cuts. It is drawn by a hash of the negative's id from their sorted list, repeats
    included. Both then have the same distribution, and the length of a history does not reveal the label.
    The negative's own inquiry does not limit its cut: negatives would then have earlier cuts than
    positives, which is a leak, and a clearance leaves no sanction in the claims. No cut is later than the
    day before `as_of`, even if a case's dates contradict each other. Without a positive there are no cuts
    and no rows.

    `feature_date`, the as-of date of the features, is the cut, or the first day of its month if there are
    more than MAX_FEATURE_DATES different cuts. It is never later than the cut.

    Args:
        closed_cases: rows of silver.closed_case in the versions that held as of `as_of`.
        as_of: only decisions before this day's first second count.
    """
    subjects = _judged_subjects(closed_cases, as_of)
    positives = subjects.filter("label = 1")
    negatives = subjects.filter("label = 0").drop("cut_date")
    drawn = positives.agg(F.sort_array(F.collect_list("cut_date")).alias("cuts"))
    place = F.pmod(F.xxhash64("institution_id"), F.size("cuts")).cast("int")
    placed = (
        negatives.join(F.broadcast(drawn.filter(F.size("cuts") > 0)), how="cross")
        .withColumn("cut_date", F.get("cuts", place))
        .drop("cuts")
    )
    labelled = positives.unionByName(placed)
    dates = positives.agg(F.count_distinct("cut_date").alias("date_count"))
    snapped = F.when(F.col("date_count") <= MAX_FEATURE_DATES, F.col("cut_date")).otherwise(
        F.trunc("cut_date", "month")
    )
    return labelled.join(F.broadcast(dates), how="cross").select(
        "institution_id", "label", "cut_date", snapped.alias("feature_date")
    )


def _judged_subjects(closed_cases: DataFrame, as_of: date) -> DataFrame:
    """One row per institution with a label; `cut_date` is that of positives, null for negatives."""
    is_decided = F.coalesce(
        F.col("decision_time") < F.lit(as_of.isoformat()).cast("timestamp"), F.lit(False)
    )
    is_positive = (
        is_decided & _is_in("outcome", POSITIVE_OUTCOMES) & F.coalesce("is_final", F.lit(True))
    )
    is_negative = is_decided & _is_in("outcome", NEGATIVE_OUTCOMES)
    began = F.to_date(F.coalesce("clue_time", "open_time"))
    cut = F.least(F.date_sub(began, 1), F.date_sub(F.lit(as_of), 1))
    cases = closed_cases.filter(
        (F.col("subject_type") == "institution")
        & F.coalesce(F.col("role") != "victim", F.lit(True))
    )
    judged = cases.groupBy(F.col("subject_id").alias("institution_id")).agg(
        F.max(is_positive).alias("is_confirmed"),
        F.min(is_negative).alias("is_cleared"),
        F.min(F.when(is_positive, cut)).alias("cut_date"),
    )
    return judged.filter("is_confirmed OR is_cleared").select(
        "institution_id", F.col("is_confirmed").cast("int").alias("label"), "cut_date"
    )


def _is_in(column: str, values: tuple[str, ...]) -> Column:
    return F.coalesce(F.col(column).isin(*values), F.lit(False))
