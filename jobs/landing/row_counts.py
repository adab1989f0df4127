"""What landed rows add up to, and what is wrong with them: a row per file or reason comes to the driver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from expectations.landing.reasons import WRONG_FIELD_COUNT
from expectations.landing.row_rules import MALFORMED
from jobs.landing.manifests import LandingBatch
from jobs.landing.rows import LandedRows, all_rows

_ROLES = ("landed", "kept")


def file_stats(landed: LandedRows, batches: list[LandingBatch]) -> list[Mapping[str, Any]]:
    """Rows, bad rows and sums of each file: a row per file comes to the driver."""
    known: list[Mapping[str, Any]] = [
        {"batch": batch.day, "source_file": file.name, "rows": facts.rows, "bad": 0}
        | {f"{name}__{role}": total for name, total in facts.sums.items() for role in _ROLES}
        for batch in batches
        for file in batch.files
        if (facts := batch.facts[file.name]).sums is not None
    ]
    typed = all_rows(landed.others)
    if typed is None:
        return known
    is_bad = F.size("reasons") > 0
    sums = [
        F.sum(value).cast("decimal(38,6)").alias(f"{name}__{role}")
        for name in landed.table.amounts
        for role, value in zip(_ROLES, (F.col(name), F.when(~is_bad, F.col(name))), strict=True)
    ]
    files = typed.groupBy("batch", "source_file")
    counts = files.agg(F.count("*").alias("rows"), F.count_if(is_bad).alias("bad"), *sums)
    return known + [row.asDict() for row in counts.collect()]


@dataclass(frozen=True)
class BadValues:
    """What is wrong with the rows of a batch.

    Attributes:
        unreadable: by column, how many values could not be read and how many could.
        malformed: records with another number of fields than the header.
        reasons: how many rows each reason holds for, by its sentence; without the malformed records.
    """

    unreadable: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    malformed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


def bad_values(landed: LandedRows) -> dict[date, BadValues]:
    """What is wrong with rows, by batch; only of batches with any that is."""
    typed = all_rows(landed.others)
    if typed is None:
        return {}
    named = F.transform(
        "unreadable", lambda name: F.struct(name.alias("column"), F.lit("").alias("reason"))
    )
    of_values = F.filter("reasons", lambda each: each["code"] != WRONG_FIELD_COUNT)
    said = F.transform(
        of_values, lambda each: F.struct(F.lit("").alias("column"), each["text"].alias("reason"))
    )
    faults = typed.select("batch", F.inline(F.concat(named, said)))
    rows = faults.groupBy("batch", "column", "reason").count().collect()
    if not rows:
        return {}
    names = sorted({row["column"] for row in rows} - {MALFORMED, ""})
    read: dict[date, Any] = {}
    if names:
        every = all_rows([frame.select("batch", *names) for frame in (*landed.sound, typed)])
        assert every is not None
        counts = every.groupBy("batch").agg(*(F.count(name).alias(name) for name in names))
        read = {row["batch"]: row for row in counts.collect()}
    return {
        day: BadValues(
            {
                row["column"]: (row["count"], read[day][row["column"]])
                for row in rows
                if row["batch"] == day and row["column"] in names
            },
            sum(row["count"] for row in rows if (row["batch"], row["column"]) == (day, MALFORMED)),
            {row["reason"]: row["count"] for row in rows if row["batch"] == day and row["reason"]},
        )
        for day in {row["batch"] for row in rows}
    }
