"""Labels from closed cases: confirmed and cleared subjects, and the last day that features may use."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.landing.codes import ADMINISTRATIVE, CLEARED, CRIMINAL, NO_FINDING, VICTIM

POSITIVE_OUTCOMES = (CRIMINAL, ADMINISTRATIVE)
NEGATIVE_OUTCOMES = (CLEARED, NO_FINDING)

#: With more distinct cut dates than this, features are taken at the first of the cut's month.
MAX_FEATURE_DATES = 12

#: What a subject is called in closed cases, by what it is called from silver on.
SUBJECT_TYPES = {"member": "person", "institution": "institution"}


def subject_labels(closed_cases: DataFrame, as_of: date, subject_type: str) -> DataFrame:
    """Label the subjects of closed cases, one row per subject that has a label.

    Columns: those of gold.subject_label but for `as_of_date`.

    Label 1: a case with the outcome criminal or administrative was decided before `as_of`, is not under
    appeal, and the subject was no victim in it. Label 0: the subject has cases, and all of them were decided
    before `as_of` as cleared or no_finding. There is no label for open or withdrawn cases, for a confirmation
    under appeal, or for a role as victim. A role as victim does not prevent a label 0 from another case.

    The cut of a positive is the day before the clue of its earliest confirmed case, or before the opening
    if no clue is recorded, because from then on the inquiry changes the claims. The cut of a negative is
    one of the positives' cuts. It is drawn by a hash of the negative's id from their sorted list, repeats
    included. Both then have the same distribution, and the length of a history does not reveal the label.
    The negative's own inquiry does not limit its cut: negatives would then have earlier cuts than
    positives, which is a leak, and a clearance leaves no sanction in the claims. No cut is later than the
    day before `as_of`, even if a case's dates contradict each other. Without a positive there are no cuts
    and no rows.

    What a row tells of a case is that of the earliest confirmed case, or of the last case of a negative.

    Args:
        closed_cases: rows of silver.closed_case in the versions that held as of `as_of`.
        as_of: only decisions before this day's first second count.
        subject_type: member or institution.
    """
    told = _deciding_cases(closed_cases, as_of, subject_type)
    labelled = _with_cuts(_judged_subjects(closed_cases, as_of, subject_type))
    decided_on = F.to_date("case.decision_time")
    since = F.datediff(F.lit(as_of), decided_on)
    rows = labelled.join(told, on="subject_id", how="inner").withColumn(
        "case", F.when(F.col("label") == 1, F.col("confirmed")).otherwise(F.col("cleared"))
    )
    return rows.select(
        F.lit(subject_type).alias("subject_type"),
        "subject_id",
        "label",
        "cut_date",
        "case.case_id",
        "case.outcome",
        "case.role",
        "case.trigger",
        F.when(F.col("label") == 1, _typology()).alias("typology"),
        decided_on.alias("decided_on"),
        since.cast("int").alias("days_since_decision"),
        "case.is_final",
        "case.loss_amount",
        _origin(since).alias("origin"),
    )


def institution_labels(closed_cases: DataFrame, as_of: date) -> DataFrame:
    """The labels of institutions with the day of their features, one row per institution that has a label.

    Columns: institution_id, label, cut_date, feature_date. Labels and cuts are those of `subject_labels`.

    `feature_date`, the as-of date of the features, is the cut, or the first day of its month if there are
    more than MAX_FEATURE_DATES different cuts. It is never later than the cut.

    Args:
        closed_cases: rows of silver.closed_case in the versions that held as of `as_of`.
        as_of: only decisions before this day's first second count.
    """
    labelled = _with_cuts(_judged_subjects(closed_cases, as_of, "institution"))
    positives = labelled.filter("label = 1")
    dates = positives.agg(F.count_distinct("cut_date").alias("date_count"))
    snapped = F.when(F.col("date_count") <= MAX_FEATURE_DATES, F.col("cut_date")).otherwise(
        F.trunc("cut_date", "month")
    )
    return labelled.join(F.broadcast(dates), how="cross").select(
        F.col("subject_id").alias("institution_id"),
        "label",
        "cut_date",
        snapped.alias("feature_date"),
    )


def _with_cuts(subjects: DataFrame) -> DataFrame:
    """Give every negative one of the positives' cuts; without a positive there are no rows."""
    positives = subjects.filter("label = 1")
    negatives = subjects.filter("label = 0").drop("cut_date")
    drawn = positives.agg(F.sort_array(F.collect_list("cut_date")).alias("cuts"))
    place = F.pmod(F.xxhash64("subject_id"), F.size("cuts")).cast("int")
    placed = (
        negatives.join(F.broadcast(drawn.filter(F.size("cuts") > 0)), how="cross")
        .withColumn("cut_date", F.get("cuts", place))
        .drop("cuts")
    )
    return positives.unionByName(placed)


def _judged_subjects(closed_cases: DataFrame, as_of: date, subject_type: str) -> DataFrame:
    """One row per subject with a label; `cut_date` is that of positives, null for negatives."""
    is_positive, is_negative = _is_positive(as_of), _is_negative(as_of)
    judged = (
        _of_subjects(closed_cases, subject_type)
        .groupBy("subject_id")
        .agg(
            F.max(is_positive).alias("is_confirmed"),
            F.min(is_negative).alias("is_cleared"),
            F.min(F.when(is_positive, _cut(as_of))).alias("cut_date"),
        )
    )
    return judged.filter("is_confirmed OR is_cleared").select(
        "subject_id", F.col("is_confirmed").cast("int").alias("label"), "cut_date"
    )


def _deciding_cases(closed_cases: DataFrame, as_of: date, subject_type: str) -> DataFrame:
    """The earliest confirmed and the last cleared case of each subject, one row per subject_id."""
    told = (
        *("case_id", "outcome", "role", "trigger", "decision_time", "is_final", "loss_amount"),
        "gang_id",
    )
    first = F.struct(_cut(as_of).alias("cut"), *told)
    last = F.struct("decision_time", *(name for name in told if name != "decision_time"))
    cases = _of_subjects(closed_cases, subject_type).groupBy("subject_id")
    found = cases.agg(
        F.min(F.when(_is_positive(as_of), first)).alias("first"),
        F.max(F.when(_is_negative(as_of), last)).alias("last"),
    )
    return found.select(
        "subject_id",
        F.struct(*(f"first.{name}" for name in told)).alias("confirmed"),
        F.struct(*(f"last.{name}" for name in told)).alias("cleared"),
    )


def _of_subjects(closed_cases: DataFrame, subject_type: str) -> DataFrame:
    """The cases of a kind of subject in which it was no victim."""
    return closed_cases.filter(
        (F.col("subject_type") == SUBJECT_TYPES[subject_type])
        & F.coalesce(F.col("role") != VICTIM, F.lit(True))
    )


def _cut(as_of: date) -> Column:
    """The day before a case began, at the latest the day before the as-of date."""
    began = F.to_date(F.coalesce("clue_time", "open_time"))
    return F.least(F.date_sub(began, 1), F.date_sub(F.lit(as_of), 1))


def _is_positive(as_of: date) -> Column:
    is_final = F.coalesce("is_final", F.lit(True))
    return _is_decided(as_of) & _is_in("outcome", POSITIVE_OUTCOMES) & is_final


def _is_negative(as_of: date) -> Column:
    return _is_decided(as_of) & _is_in("outcome", NEGATIVE_OUTCOMES)


def _is_decided(as_of: date) -> Column:
    return F.coalesce(
        F.col("decision_time") < F.lit(as_of.isoformat()).cast("timestamp"), F.lit(False)
    )


def _typology() -> Column:
    """Alone or in a gang, and the part in it: closed cases say no more of how it was done."""
    alone = F.when(F.col("case.gang_id").isNull(), "lone").otherwise("gang")
    return F.concat_ws("_", alone, F.coalesce("case.role", F.lit("unknown")))


def _origin(since: Column) -> Column:
    """The sentence that says where a label comes from and how mature it is."""
    appeal = F.when(F.col("case.is_final"), "no appeal is pending").when(
        F.col("case.is_final").isNull(), "nothing is said of an appeal"
    )
    opened = F.when(
        F.col("case.trigger").isNotNull(),
        F.concat(F.lit(", opened by "), F.regexp_replace("case.trigger", "_", " ")),
    )
    return F.concat(
        F.lit("a case decided as "),
        F.regexp_replace("case.outcome", "_", " "),
        F.lit(" "),
        since.cast("string"),
        F.lit(" days before the as-of date"),
        F.coalesce(opened, F.lit("")),
        F.lit("; "),
        appeal.otherwise("an appeal is pending"),
    )


def _is_in(column: str, values: tuple[str, ...]) -> Column:
    return F.coalesce(F.col(column).isin(*values), F.lit(False))
