"""Values that stand for nothing: found in landed rows, and taken as empty or as a fault of the row."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.landing.placeholders import HASH_HEAD, SHARED, ColumnPlaceholders, Shared
from expectations.landing.reasons import PLACEHOLDER, REASONS, RowReason, no_reasons
from expectations.landing.table import LandingField, LandingTable

#: The column with the reasons that keep a row out of silver whatever it refers to.
FAULTS = "faults"
_PLAIN = "lower(trim(`{}`))"
_HEAD = f"substring({_PLAIN}, 1, {HASH_HEAD})"


@dataclass(frozen=True)
class TablePlaceholders:
    """What stands for nothing in the columns of one table.

    Args:
        table: the landing table.
        listed: by column, from the list.
        shared: by column, values that too many people carry, as texts.
    """

    table: LandingTable
    listed: Mapping[str, ColumnPlaceholders]
    shared: Mapping[str, Sequence[str]]

    def is_placeholder(self, column: LandingField) -> Column | None:
        """Whether a value of marked rows stands for nothing; None where none can."""
        found = []
        if column.name in self.listed:
            found.append(F.col(_mark(column.name)))
        if self.shared.get(column.name):
            found.append(F.coalesce(self._is_shared(column), F.lit(False)))
        return reduce(Column.__or__, found) if found else None

    def entry(self, column: LandingField) -> Column:
        """The entry of the list that a value is, as text; null where it is none."""
        name = F.lit(None).cast("string")
        if column.name in self.listed:
            name = _listed_entry(column, self.listed[column.name])
        if self.shared.get(column.name):
            name = F.coalesce(name, F.when(self._is_shared(column), F.lit(SHARED)))
        return name

    def _is_shared(self, column: LandingField) -> Column:
        return F.col(column.name).cast("string").isin(*self.shared[column.name])


def with_marks(rows: DataFrame, placeholders: TablePlaceholders) -> DataFrame:
    """Add `<column>__listed`, whether a value is on the list, for the columns that have one.

    All else looks at the marks: a list has hundreds of texts, and a plan that holds it twenty times is slow to make.
    """
    marks = {
        _mark(column.name): F.coalesce(
            _is_listed(column, placeholders.listed[column.name]), F.lit(False)
        )
        for column in placeholders.table.fields
        if column.name in placeholders.listed
    }
    return rows.withColumns(marks)


def without_placeholders(rows: DataFrame, placeholders: TablePlaceholders) -> DataFrame:
    """Empty the placeholders of columns that may be empty, and add `faults` for those that may not.

    Args:
        rows: in the columns of bronze, with the marks of `with_marks`, which are taken off.
        placeholders: of the table.
    """
    table = placeholders.table
    emptied: dict[str, Column] = {}
    faults = []
    for column in table.fields:
        is_placeholder = placeholders.is_placeholder(column)
        if is_placeholder is None:
            continue
        if column.required or column.name in table.key:
            faults.append(F.when(is_placeholder, RowReason(PLACEHOLDER, column.name).literal))
        else:
            emptied[column.name] = F.when(~is_placeholder, F.col(column.name))
    found = F.array_compact(F.array(*faults)).cast(REASONS) if faults else no_reasons()
    marks = [_mark(name) for name in placeholders.listed]
    return rows.withColumns({**emptied, FAULTS: found}).drop(*marks)


def with_row_faults(rows: DataFrame, table: LandingTable) -> DataFrame:
    """Add to `faults` what the table declares as such."""
    if not table.faults:
        return rows
    found = [F.when(F.expr(each.condition), each.reason.literal) for each in table.faults]
    return rows.withColumn(FAULTS, F.concat(FAULTS, F.array_compact(F.array(*found))))


def shared_values(people: DataFrame, shared: Shared) -> dict[str, list[str]]:
    """The values that more people carry than any could be, by column.

    Args:
        people: `column, value, person, period`, in any number of rows; the people of a value are counted by period.
        shared: the limits.
    """
    by_value = people.filter(F.col("value").isNotNull()).groupBy("column", "value", "period")
    # Nearly always no value has so many rows, which is told without a look at the people.
    if by_value.count().filter(F.col("count") > shared.most_people).isEmpty():
        return {}
    by_period = by_value.agg(F.count_distinct("person").alias("people"))
    counted = by_period.groupBy("column", "value").agg(F.max("people").alias("people"))
    is_many = F.col("people") > shared.most_people
    many = counted.filter(is_many).orderBy("column", "value").collect()
    if not many:
        return {}
    others = counted.filter(~is_many).groupBy("column").agg(F.max("people").alias("people"))
    commonest = {row["column"]: row["people"] for row in others.collect()}
    found: dict[str, list[str]] = {}
    for row in many:
        if row["people"] > shared.times_next * commonest.get(row["column"], 0):
            found.setdefault(row["column"], []).append(row["value"])
    return found


def _mark(column: str) -> str:
    return f"{column}__listed"


def _plain(column: LandingField) -> Column:
    return F.expr(_PLAIN.format(column.name))


def _day(column: LandingField) -> Column:
    # At whatever hour: midnight is shown as another hour by the clock of another zone.
    return F.to_date(column.name)


def _is_listed(column: LandingField, listed: ColumnPlaceholders) -> Column:
    if listed.days:
        return _day(column).isin(*(F.lit(str(day)).cast("date") for day in listed.days))
    if listed.numbers:
        return F.col(column.name).isin(*listed.numbers)
    found = _is_among(_PLAIN.format(column.name), listed.texts)
    if listed.hash_heads:
        found = found | _is_among(_HEAD.format(column.name), listed.hash_heads)
    if listed.patterns:
        found = found | _plain(column).rlike(_whole(listed.patterns))
    return found


def _is_among(value: str, texts: Iterable[str]) -> Column:
    """Whether a value, in SQL, is one of some texts."""
    # As one text: a literal each would be a call to Spark's JVM each.
    quoted = (text.replace("\\", "\\\\").replace("'", "\\'") for text in texts)
    return F.expr("{} IN ({})".format(value, ", ".join(f"'{text}'" for text in quoted)))


def _listed_entry(column: LandingField, listed: ColumnPlaceholders) -> Column:
    if listed.days or listed.numbers:
        value = _day(column) if listed.days else F.col(column.name).cast("double")
        return F.when(_is_listed(column, listed), value.cast("string"))
    name = _named(_plain(column), listed.texts)
    if listed.hash_heads:
        head = F.expr(_HEAD.format(column.name))
        name = F.coalesce(name, _named(head, listed.hash_heads))
    for pattern in listed.patterns:
        name = F.coalesce(name, F.when(_plain(column).rlike(_whole((pattern,))), F.lit(pattern)))
    return name


def _named(text: Column, entries: Mapping[str, str]) -> Column:
    """The name of the entry that a text is; null if it is none."""
    # One literal, for the same reason; Spark reads it once.
    names = F.from_json(F.lit(json.dumps(dict(entries))), "map<string,string>")
    return F.try_element_at(names, text)


def _whole(patterns: Sequence[str]) -> str:
    return f"^(?:{'|'.join(patterns)})$"
