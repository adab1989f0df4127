"""The suite of a table: rules from its contract, rows that break them counted, Great Expectations on the counts."""

from decimal import Decimal

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest
from pyspark.sql import functions as F
from support.frames import frame_of

from expectations.contract.errors import ContractError
from expectations.contract.suite import ROWS, facts, rules, suite
from expectations.contract.table import Check, Field, TableContract
from expectations.landing.event import FEE_DETAIL, SETTLEMENT

VISIT = TableContract(
    name="gold.visit",
    grain="one row per visit",
    fields=(
        Field("visit_id", "string", "Key"),
        Field("line", "long", "Key"),
        Field("kind", "string", "Kind", nullable=False, values=("a", "b")),
        Field("low", "double", "Low"),
        Field("high", "double", "High"),
    ),
    primary_key=(),
    checks=(
        Check("ExpectColumnValuesToBeBetween", {"column": "low", "min_value": 0, "max_value": 9}),
        Check(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {
                "column_A": "high",
                "column_B": "low",
                "or_equal": True,
                "ignore_row_if": "either_value_is_missing",
            },
            severity="warning",
        ),
        Check(
            "ExpectColumnValuesToBeBetween",
            {
                "column": "high",
                "max_value": 1,
                "row_condition": "kind is null or kind = 'b'",
                "condition_parser": "spark",
            },
        ),
    ),
)
KEY = ("visit_id", "line")
ROWS_OF_VISITS = [
    ("v1", 1, "a", 1.0, 2.0),
    ("v1", 1, "b", -1.0, 2.0),
    ("v1", 2, "c", 3.0, 2.0),
    ("v2", 1, None, None, 2.0),
    ("v2", 1, "a", 10.0, None),
    ("v2", 1, "a", 4.0, 4.0),
]


def test_the_rules_follow_from_the_contract():
    found = {
        (each.expectation, each.columns, each.severity)
        for each in rules(SETTLEMENT.silver, SETTLEMENT.silver_key)
    }
    assert {
        ("expect_column_values_to_not_be_null", ("member_id",), "critical"),
        ("expect_column_values_to_be_in_set", ("visit_type",), "critical"),
        ("expect_column_values_to_be_unique", ("settlement_id",), "critical"),
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            ("end_time", "start_time"),
            "warning",
        ),
    } <= found
    assert not [each for each in found if each[1] == ("diagnosis_code",)]


@pytest.fixture(scope="module")
def visits(spark):
    return spark.createDataFrame(
        ROWS_OF_VISITS, "visit_id string, line long, kind string, low double, high double"
    )


def test_rows_that_break_a_rule_are_counted(visits):
    counted = facts(visits, VISIT, KEY).first().asDict()
    assert counted.pop(ROWS) == 6
    assert {name.removeprefix("rows that break expect_"): n for name, n in counted.items()} == {
        "column_values_to_not_be_null (kind)": 1,
        "column_values_to_be_in_set (kind)": 1,
        # Two rows of (v1, 1) and three of (v2, 1).
        "compound_columns_to_be_unique (visit_id, line)": 5,
        "column_values_to_be_between (low)": 2,
        "column_pair_values_a_to_be_greater_than_b (high, low)": 1,
        # The rows of which the kind is b or empty.
        "column_values_to_be_between (high)": 2,
    }


def test_great_expectations_on_the_rows_themselves_counts_the_same(visits):
    counted = facts(visits, VISIT, KEY).first().asDict()
    on_rows = {
        "expect_column_values_to_not_be_null (kind)": gxe.ExpectColumnValuesToNotBeNull(
            column="kind"
        ),
        "expect_column_values_to_be_in_set (kind)": gxe.ExpectColumnValuesToBeInSet(
            column="kind", value_set=["a", "b"]
        ),
        "expect_compound_columns_to_be_unique (visit_id, line)": (
            gxe.ExpectCompoundColumnsToBeUnique(column_list=list(KEY))
        ),
        "expect_column_values_to_be_between (low)": gxe.ExpectColumnValuesToBeBetween(
            column="low", min_value=0, max_value=9
        ),
        "expect_column_pair_values_a_to_be_greater_than_b (high, low)": (
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="high",
                column_B="low",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
            )
        ),
        "expect_column_values_to_be_between (high)": gxe.ExpectColumnValuesToBeBetween(
            column="high",
            max_value=1,
            row_condition="kind != kind or kind == 'b'",
            condition_parser="pandas",
        ),
    }
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("visits").add_dataframe_asset("visits")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
        batch_parameters={"dataframe": visits.toPandas()}
    )
    said = {
        f"rows that break {name}": batch.validate(each).result["unexpected_count"]
        for name, each in on_rows.items()
    }
    assert said == {name: counted[name] for name in said}
    assert len(said) == len(counted) - 1


def test_the_suite_holds_for_counts_of_nothing_and_for_no_others(visits):
    counted = facts(visits.filter("line = 2"), VISIT, KEY).toPandas()
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("counts").add_dataframe_asset("counts")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
        batch_parameters={"dataframe": counted}
    )
    result = batch.validate(suite(VISIT, KEY))
    broken = {
        each.expectation_config.kwargs["column"] for each in result.results if not each.success
    }
    assert broken == {
        "rows that break expect_column_values_to_be_in_set (kind)",
        "rows that break expect_column_pair_values_a_to_be_greater_than_b (high, low)",
    }


def test_a_check_that_cannot_be_counted_is_refused():
    odd = TableContract(
        name="gold.odd",
        grain="one",
        fields=(Field("x", "long", "X"),),
        primary_key=(),
        checks=(Check("ExpectColumnMedianToBeBetween", {"column": "x"}),),
    )
    with pytest.raises(ContractError, match="ExpectColumnMedianToBeBetween can't be counted"):
        rules(odd, ("x",))


def test_rows_are_held_against_what_they_belong_to(spark):
    """By hand: of four visits the lines of one add up to more, of one name another member; cents are no matter."""
    visits = [
        ("v1", "m1", "10.00"),
        ("v2", "m2", "10.00"),
        ("v3", "m3", "10.00"),
        ("v4", "m4", "-10.00"),
    ]
    lines = [
        ("v1", "m1", "5.00"),
        ("v1", "m1", "5.02"),
        ("v2", "m2", "10.00"),
        ("v2", "m2", "0.03"),
        ("v3", "m3", "1.00"),
        ("v3", "m1", "1.00"),
        ("v4", "m4", "-10.00"),
        ("gone", "m9", "99.00"),
    ]
    names = "settlement_id string, member_id string, amount string"
    parents = spark.createDataFrame(visits, names).withColumn(
        "total_amount", F.col("amount").cast("decimal(16,2)")
    )
    rows = [
        {
            "settlement_id": visit,
            "line_number": str(n),
            "member_id": who,
            "line_amount": Decimal(yuan),
        }
        for n, (visit, who, yuan) in enumerate(lines)
    ]
    contract = FEE_DETAIL.silver
    found = facts(
        frame_of(spark, contract, *rows), contract, FEE_DETAIL.silver_key, parents
    ).toPandas()
    told = {
        rule.expectation: (rule.columns, int(found[rule.fact].iloc[0]))
        for rule in rules(contract, FEE_DETAIL.silver_key)
        if rule.is_of_parent
    }
    assert told == {
        "expect_sum_to_be_at_most_the_amount_of_the_parent": (
            ("line_amount", "settlement.total_amount"),
            2,
        ),
        "expect_column_values_to_be_those_of_the_parent": (
            ("member_id", "settlement.member_id"),
            2,
        ),
    }
    assert {
        rule.severity for rule in rules(contract, FEE_DETAIL.silver_key) if rule.is_of_parent
    } == {"warning"}
