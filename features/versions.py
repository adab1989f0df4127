"""The time in which each version of a row holds, and rows whose parent has not arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.landing.reasons import REASONS, no_reasons
from expectations.landing.table import ARRIVE_TIME, LandingTable, Reference
from features.placeholders import FAULTS
from features.provinces import most_common_province, province_of

#: What becomes of a row of bronze.
STATES = ("standing", "superseded", "orphan")
#: Rows that differ in one thing alone may be corrections of each other.
_FEWEST_COMPARED = 2
#: What tells people, places, drugs and fee lines apart that were given one key; what is empty tells nothing.
_TOLD_APART_BY = {
    "fee_detail": ["psn_no", "fee_ocur_time", "med_list_codg", "det_item_fee_sumamt"],
    "person": ["brdy", "cert_hash"],
    "institution": ["fixmedins_name", "admdvs"],
    "drug": ["drug_name", "ingredient"],
}


@dataclass(frozen=True)
class References:
    """When the parents of one table's rows first arrived.

    Args:
        table: the table whose rows refer.
        parents: by name of the parent table, `parent_key` (in landing names) and `valid_from`, one row per
            key. A table that no source delivers is left out, and no row is an orphan because of it. Rows of
            the table itself that others reverse have to be among the rows.
        is_any_reversing: whether some of the rows may reverse others of the table.
        elsewhere: `institution_id` of `institutions_elsewhere`, if a row may be there.
        late: by referring column, `parent_hash, valid_from` of `late_parents`, broadcast instead of the
            parent if neither table is small enough.
    """

    table: LandingTable
    parents: Mapping[str, DataFrame]
    is_any_reversing: bool = True
    late: Mapping[str, DataFrame] = field(default_factory=dict)
    elsewhere: DataFrame | None = None

    @property
    def held(self) -> list[Reference]:
        """The references to delivered tables, those to other tables first."""
        others = [each for each in self.table.references if each.parent in self.parents]
        if not self.is_any_reversing:
            return others
        return others + [each for each in self.table.references if each.parent == self.table.name]


def arrived_rows(rows: DataFrame, references: References) -> DataFrame:
    """Add `valid_from` (the latest arrival of a row and its parents), `is_orphan` and `reasons`.

    `reasons` (of `expectations.landing.reasons`) says which references point at nothing; it is empty for a
    row that is no orphan. A row with `faults` of its own (of `features.placeholders`) waits like an orphan,
    and they are among its reasons.
    """
    followed: list[Reference] = []
    for reference in references.held:
        if reference.column in references.late:
            rows = _with_late(rows, reference, references.late[reference.column])
        else:
            if reference.parent == references.table.name:
                firsts = _own_firsts(rows, reference, followed)
            else:
                firsts = references.parents[reference.parent]
            rows = _with_firsts(rows, reference, firsts)
        if reference.place and references.elsewhere is not None:
            rows = _excused(rows, reference, references.elsewhere)
        followed.append(reference)
    reasons = [
        F.when(F.col(_missing(reference)), _missing_reason(rows, reference))
        for reference in followed
    ]
    missing = F.array_compact(F.array(*reasons)).cast(REASONS) if reasons else no_reasons()
    return rows.withColumns(
        {
            "valid_from": _arrived(followed),
            "is_orphan": _is_orphan(followed) | _is_faulty(rows),
            "reasons": F.concat(FAULTS, missing) if FAULTS in rows.columns else missing,
        }
    ).drop(*(name(each) for each in followed for name in (_arrival, _missing, _is_reversing)))


def institutions_elsewhere(institutions: DataFrame) -> DataFrame:
    """`institution_id` of institutions outside the province that most of them are in, one row each.

    Args:
        institutions: first versions of silver.institution; one without a district is taken to lie here.
    """
    provinces = institutions.select(
        "institution_id", province_of("district").alias("province")
    ).distinct()
    here = F.broadcast(most_common_province(provinces))
    elsewhere = provinces.crossJoin(here).filter(F.col("province") != F.col("here"))
    return elsewhere.select("institution_id").distinct()


def late_parents(rows: DataFrame, column: str, firsts: DataFrame) -> DataFrame:
    """Parents that arrived later than the first row that refers to them, or never.

    Nearly all parents arrive with their children, so the result is small. Only hashes of keys and arrivals
    are shuffled, not rows with all their columns.

    Args:
        rows: with `arrive_time`.
        column: the referring column.
        firsts: a key and `valid_from`, one row per key of the parent.

    Returns:
        `parent_hash, valid_from`: the arrival, null if the parent never arrived.
    """
    [key] = [name for name in firsts.columns if name != "valid_from"]
    wanted = (
        rows.filter(F.col(column).isNotNull())
        .groupBy(F.xxhash64(column).alias("parent_hash"))
        .agg(F.min("arrive_time").alias("first_wanted"))
    )
    known = firsts.groupBy(F.xxhash64(key).alias("parent_hash")).agg(
        F.max("valid_from").alias("valid_from")
    )
    is_late = F.col("valid_from").isNull() | (F.col("valid_from") > F.col("first_wanted"))
    found = wanted.join(known, on="parent_hash", how="left").filter(is_late)
    return found.select("parent_hash", "valid_from")


def lone_versions(rows: DataFrame) -> DataFrame:
    """Add `valid_to` and `is_first` to rows that are the only ones of their key and no orphans."""
    return rows.withColumns({"valid_to": F.lit(None).cast("timestamp"), "is_first": F.lit(True)})


def ranked_versions(rows: DataFrame, key: Sequence[str], columns: Sequence[str]) -> DataFrame:
    """Add `valid_to`, `is_first` and `state` to all the rows of some keys.

    Of several rows with one key the later batch wins, then the later arrive_time, then the larger hash of
    the row's `columns`. Rows that agree in all three are one row delivered twice; file and record number
    decide. A row that arrived no earlier than a better one never held: its `valid_to` is not after its
    `valid_from`. The result does not depend on the order of ingest. Orphans are ranked separately: they
    must not win over a row whose parent exists.
    """
    versions = Window.partitionBy("is_orphan", *key)
    best_first = versions.orderBy(
        F.desc("batch"),
        F.desc("arrive_time"),
        F.desc("row_hash"),
        F.asc("source_file"),
        F.asc("record_number"),
    )
    better = best_first.rowsBetween(Window.unboundedPreceding, -1)
    state = (
        F.when(F.col("is_orphan"), "orphan")
        .when(F.col("valid_to").isNull(), "standing")
        .otherwise("superseded")
    )
    return (
        rows.withColumn("row_hash", F.xxhash64(*columns))
        .withColumn("valid_to", F.min("valid_from").over(better))
        .withColumn("is_first", F.col("valid_from") == F.min("valid_from").over(versions))
        .withColumn("state", state)
        .drop("row_hash")
    )


def clashing_rows(rows: DataFrame, table: LandingTable) -> DataFrame | None:
    """How many rows share their key with others of their batch that are no versions of them, as `rows`.

    They differ in two of whose they are, where and when, or in what tells one person, place, drug or fee line from
    another. Or the latest of them arrived at the same time and are not alike, so that chance would decide which one
    stands: three diagnoses with the number 1. None for a table whose rows are keys and nothing else.

    Args:
        rows: in landing names, with `batch` and `key_hash`.
        table: the landing table.
    """
    said = _TOLD_APART_BY.get(table.name) or [
        column.name
        for column in table.fields
        if column.required and column.name in ("psn_no", "fixmedins_code", table.event_time)
    ]
    compared = [name for name in said if name not in table.key]
    others = [name for name in table.columns if name not in (*table.key, ARRIVE_TIME.name)]
    if not others:
        return None
    of_row = F.xxhash64(*others)
    # The largest hash of the latest rows, and the smallest, whose complement is the largest.
    latest = [
        F.max(F.struct(ARRIVE_TIME.name, each.alias("of_row")))["of_row"]
        for each in (of_row, F.bitwise_not(of_row))
    ]
    # An id that a spreadsheet rounded is mostly one of the same place, so that two differences are enough.
    differences = reduce(
        Column.__add__,
        (F.coalesce(F.min(name) != F.max(name), F.lit(False)).cast("int") for name in compared),
        F.lit(0),
    )
    is_clash = (differences >= _FEWEST_COMPARED) | (latest[0] != F.bitwise_not(latest[1]))
    keys = rows.groupBy("batch", "key_hash").agg(
        F.count("*").alias("of_key"), is_clash.alias("is_clash")
    )
    return keys.filter("is_clash").agg(F.coalesce(F.sum("of_key"), F.lit(0)).alias("rows"))


def ever_held() -> Column:
    """Whether a row held at any time. Silver keeps such rows."""
    was_better_later = F.col("valid_to") > F.col("valid_from")
    return (F.col("state") == "standing") | ((F.col("state") == "superseded") & was_better_later)


def _own_firsts(rows: DataFrame, reference: Reference, followed: list[Reference]) -> DataFrame:
    """The first arrival of the rows that others of the table reverse, one row per referenced key.

    Only an original can be reversed: a row that reverses another is no parent itself, which `_is_reversing` says.
    Few rows reverse another, so the referenced keys are broadcast. A shuffle by this column, which is nearly
    always null, would put all rows into one task.
    """
    own, key = F.col(reference.column), reference.parent_key
    wanted = rows.select(own.alias(key)).distinct()
    is_original = own.isNull() & ~_is_orphan(followed) & ~_is_faulty(rows)
    asked = rows.select(
        key,
        F.when(is_original, _arrived(followed)).alias("valid_from"),
        (own.isNotNull() & (own != F.col(key))).alias(_is_reversing(reference)),
    ).join(F.broadcast(wanted), on=key, how="left_semi")
    firsts = asked.groupBy(key).agg(
        F.min("valid_from").alias("valid_from"),
        F.bool_or(_is_reversing(reference)).alias(_is_reversing(reference)),
    )
    return F.broadcast(firsts)


def _missing_reason(rows: DataFrame, reference: Reference) -> Column:
    """Why what a row refers to is no parent for it."""
    if _is_reversing(reference) not in rows.columns:
        return reference.missing.literal
    return F.when(F.col(_is_reversing(reference)), reference.reversing.literal).otherwise(
        reference.missing.literal
    )


def _with_firsts(rows: DataFrame, reference: Reference, firsts: DataFrame) -> DataFrame:
    renamed = firsts.withColumnsRenamed(
        {reference.parent_key: reference.column, "valid_from": _arrival(reference)}
    )
    is_missing = F.col(reference.column).isNotNull() & F.col(_arrival(reference)).isNull()
    return rows.join(renamed, on=reference.column, how="left").withColumn(
        _missing(reference), is_missing
    )


def _with_late(rows: DataFrame, reference: Reference, late: DataFrame) -> DataFrame:
    """The same with a table of late parents: a parent that is not in it arrived in time."""
    arrival, found = _arrival(reference), f"{reference.column}__late"
    renamed = late.select(F.col("parent_hash").alias(found), F.col("valid_from").alias(arrival))
    is_late = F.col(reference.column).isNotNull() & (F.xxhash64(reference.column) == F.col(found))
    is_missing = F.col(found).isNotNull() & F.col(arrival).isNull()
    return (
        rows.join(F.broadcast(renamed), on=is_late, how="left")
        .withColumn(_missing(reference), is_missing)
        .drop(found)
    )


def _excused(rows: DataFrame, reference: Reference, elsewhere: DataFrame) -> DataFrame:
    """A row from another province does not wait for its settlement, which may arrive late or never."""
    far = elsewhere.select(
        F.col("institution_id").alias(reference.place), F.lit(True).alias("is_elsewhere")
    )
    arrival, missing = _arrival(reference), _missing(reference)
    is_here = F.col("is_elsewhere").isNull()
    return (
        rows.join(F.broadcast(far), on=reference.place, how="left")
        .withColumns({arrival: F.when(is_here, F.col(arrival)), missing: F.col(missing) & is_here})
        .drop("is_elsewhere")
    )


def _arrival(reference: Reference) -> str:
    return f"{reference.column}__arrived"


def _missing(reference: Reference) -> str:
    return f"{reference.column}__missing"


def _is_reversing(reference: Reference) -> str:
    return f"{reference.column}__reversing"


def _arrived(references: list[Reference]) -> Column:
    if not references:
        return F.col("arrive_time")
    return F.greatest("arrive_time", *(_arrival(reference) for reference in references))


def _is_orphan(references: list[Reference]) -> Column:
    missing = F.lit(False)
    for reference in references:
        missing = missing | F.col(_missing(reference))
    return missing


def _is_faulty(rows: DataFrame) -> Column:
    return F.size(FAULTS) > 0 if FAULTS in rows.columns else F.lit(False)
