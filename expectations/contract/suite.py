"""The Great Expectations suite of a table, derived from its contract.

A table is read once: one aggregation counts the rows that break each rule, and one grouping finds duplicate
keys. Great Expectations then certifies these counts, at a cost that does not depend on the number of rows.
Given the rows, it would read them at least once for each rule.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import ContractError
from expectations.contract.table import Belonging, Check, Severity, TableContract

#: The column of `facts` with the number of rows looked at.
ROWS = "rows"
#: Yuan by which each row may differ from what it adds up to: amounts are rounded to cents.
_ROUNDING = "0.01"


@dataclass(frozen=True)
class Rule:
    """A rule for every row. `is_broken` is its test on one row; None stands for a grouping, by key or by parent."""

    expectation: str
    columns: tuple[str, ...]
    severity: Severity
    note: str
    is_broken: Callable[[], Column] | None
    is_of_parent: bool = False

    @property
    def fact(self) -> str:
        """The column of `facts` with the number of rows that break the rule; a sentence on the pages."""
        return f"rows that break {self.expectation} ({', '.join(self.columns)})"


def rules(contract: TableContract, key: tuple[str, ...]) -> list[Rule]:
    """Not-null and allowed values of the columns, uniqueness of the key, the declared checks, and those of the parent.

    Args:
        contract: the table.
        key: the columns that are unique among the checked rows; for silver the landing key, because only
            versions that hold now are checked.
    """
    filled = [
        Rule(
            "expect_column_values_to_not_be_null", (each.name,), "critical", "", _is_null(each.name)
        )
        for each in contract.fields
        if not each.nullable
    ]
    allowed = [
        Rule(
            "expect_column_values_to_be_in_set",
            (each.name,),
            "critical",
            "",
            _is_other(each.name, each.values),
        )
        for each in contract.fields
        if each.values
    ]
    unique = "column_values" if len(key) == 1 else "compound_columns"
    single = Rule(f"expect_{unique}_to_be_unique", key, "critical", "", None)
    declared = (_declared(check, contract) for check in contract.checks)
    return [*filled, *allowed, single, *declared, *_of_parent(contract.belongs)]


def facts(
    rows: DataFrame, contract: TableContract, key: tuple[str, ...], parents: DataFrame | None = None
) -> DataFrame:
    """Count the rows that break each rule, in one row with `ROWS` and the `fact` of each rule.

    Keys are grouped by their hash first; only rows whose hash occurs twice are compared in full.

    Args:
        rows: the rows to judge.
        contract: their table's.
        key: as `rules` takes it.
        parents: rows of the table that `contract.belongs` names; None where it names none.
    """
    counted = rules(contract, key)
    broken = [
        F.count_if(F.coalesce(rule.is_broken(), F.lit(False))).alias(rule.fact)
        for rule in counted
        if rule.is_broken is not None
    ]
    (single,) = (rule for rule in counted if rule.is_broken is None and not rule.is_of_parent)
    hashed = rows.select(F.xxhash64(*key).alias("key_hash"), *key)
    suspects = hashed.groupBy("key_hash").count().filter("count > 1").select("key_hash")
    suspicious = hashed.join(suspects, on="key_hash", how="left_semi")
    double = suspicious.groupBy(*key).count().filter("count > 1")
    doubles = double.agg(F.coalesce(F.sum("count"), F.lit(0)).alias(single.fact))
    found = rows.agg(F.count("*").alias(ROWS), *broken).crossJoin(doubles)
    if contract.belongs is None:
        return found
    assert parents is not None
    return found.crossJoin(_beside_parents(rows, parents, contract.belongs))


def _of_parent(belongs: Belonging | None) -> list[Rule]:
    if belongs is None:
        return []
    pairs = {
        "expect_sum_to_be_at_most_the_amount_of_the_parent": (
            belongs.amount,
            belongs.parent_amount,
        ),
        "expect_column_values_to_be_those_of_the_parent": (belongs.same, belongs.same),
    }
    return [
        Rule(
            name,
            (own, f"{belongs.parent}.{theirs}"),
            "warning",
            belongs.note,
            None,
            is_of_parent=True,
        )
        for name, (own, theirs) in pairs.items()
    ]


def _beside_parents(rows: DataFrame, parents: DataFrame, belongs: Belonging) -> DataFrame:
    """How many rows break the rules of `_of_parent`: all those of a parent for which one does."""
    sums = (
        rows.filter(F.col(belongs.column).isNotNull())
        .groupBy(belongs.column)
        .agg(
            F.count("*").alias("rows_of_it"),
            F.sum(belongs.amount).alias("sum_of_it"),
            F.min(belongs.same).alias("least_of_it"),
            F.max(belongs.same).alias("most_of_it"),
        )
    )
    known = parents.select(
        F.col(belongs.parent_key).alias(belongs.column),
        F.col(belongs.parent_amount).alias("amount_of_parent"),
        F.col(belongs.same).alias("same_of_parent"),
    )
    rounding = F.col("rows_of_it") * F.lit(_ROUNDING).cast("decimal(3,2)")
    is_more = F.abs("sum_of_it") > F.abs("amount_of_parent") + rounding
    is_other = (F.col("least_of_it") != F.col("same_of_parent")) | (
        F.col("most_of_it") != F.col("same_of_parent")
    )
    facts = (rule.fact for rule in _of_parent(belongs))
    return sums.join(known, on=belongs.column, how="inner").agg(
        *(
            F.coalesce(F.sum(F.when(is_broken, F.col("rows_of_it"))), F.lit(0)).alias(fact)
            for fact, is_broken in zip(facts, (is_more, is_other), strict=True)
        )
    )


def suite(contract: TableContract, key: tuple[str, ...]) -> gx.ExpectationSuite:
    """The suite for the one row of `facts`: no row breaks any rule."""
    return gx.ExpectationSuite(
        name=contract.name,
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(
                column=rule.fact,
                min_value=0,
                max_value=0,
                severity=rule.severity,
                notes=rule.note or None,
            )
            for rule in rules(contract, key)
        ],
    )


def _is_null(column: str) -> Callable[[], Column]:
    return lambda: F.col(column).isNull()


def _is_other(column: str, values: tuple[str, ...]) -> Callable[[], Column]:
    return lambda: ~F.col(column).isin(*values)


def _declared(check: Check, contract: TableContract) -> Rule:
    arguments = check.arguments
    if check.expectation == "ExpectColumnPairValuesAToBeGreaterThanB":
        pair = (str(arguments["column_A"]), str(arguments["column_B"]))
        return Rule(
            "expect_column_pair_values_a_to_be_greater_than_b",
            pair,
            check.severity,
            check.note,
            _among(arguments, _is_smaller(*pair, may_equal=bool(arguments.get("or_equal")))),
        )
    if check.expectation == "ExpectColumnValuesToBeBetween":
        column = str(arguments["column"])
        return Rule(
            "expect_column_values_to_be_between",
            (column,),
            check.severity,
            check.note,
            _among(arguments, _is_outside(column, arguments)),
        )
    raise ContractError(
        f"contract {contract.name}: {check.expectation} can't be counted; add it to"
        " expectations/contract/suite.py beside ExpectColumnValuesToBeBetween"
    )


def _among(arguments: Mapping[str, Any], is_broken: Callable[[], Column]) -> Callable[[], Column]:
    """The rule limited to rows for which a check's `row_condition`, in Spark's SQL, is true."""
    condition = arguments.get("row_condition")
    return is_broken if condition is None else lambda: F.expr(condition) & is_broken()


def _is_smaller(larger: str, smaller: str, may_equal: bool) -> Callable[[], Column]:
    if may_equal:
        return lambda: F.col(larger) < F.col(smaller)
    return lambda: F.col(larger) <= F.col(smaller)


def _is_outside(column: str, arguments: Mapping[str, Any]) -> Callable[[], Column]:
    low, high = arguments.get("min_value"), arguments.get("max_value")

    def is_broken() -> Column:
        below = F.col(column) < low if low is not None else F.lit(False)
        above = F.col(column) > high if high is not None else F.lit(False)
        return below | above

    return is_broken
