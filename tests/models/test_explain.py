"""The five largest contributions in words."""

import pytest
from pyspark.sql import SparkSession

from expectations.feature.institution import Feature
from expectations.gold.institution import INSTITUTION_SCORE
from models.explain import typical_values, with_reasons

FEATURES = [
    Feature("stay", "longest stay", "", "days", "inpatient", True),
    Feature("charge", "mean charge", "", "yuan", "inpatient", True),
    Feature("share", "share of the top district", "", "share", "inpatient", True),
    Feature("ratio", "charges against peers'", "", "ratio", "inpatient", True),
    Feature("members", "members", "", "count", "inpatient", True),
    Feature("daily", "charges per day", "", "yuan a day", "inpatient", True),
]
NAMES = [feature.name for feature in FEATURES]
SCHEMA = f"id string, {', '.join(f'{name} double' for name in NAMES)}, contributions array<double>"


def reasons_of(spark: SparkSession, *rows: tuple[object, ...]) -> dict[str, list[object]]:
    scored = spark.createDataFrame(rows, SCHEMA)  # type: ignore[arg-type]
    explained = with_reasons(scored, FEATURES, "contributions", typical_values(scored, FEATURES))
    wanted = INSTITUTION_SCORE.schema["reasons"].dataType
    assert explained.schema["reasons"].dataType.simpleString() == wanted.simpleString()
    return {row["id"]: row["reasons"] for row in explained.collect()}


def test_the_five_largest_contributions_come_first_to_last_with_values_and_medians(
    spark: SparkSession,
) -> None:
    base = [0.7]  # the base value, after the features' contributions
    found = reasons_of(
        spark,
        ("a", 35.0, 12345.6, 0.755, 1.5, 40.0, 2.0, [0.9, -2.0, 0.1, 0.5, 0.2, -0.1, *base]),
        ("b", 12.0, 2000.0, 0.5, 1.0, 20.0, 1.0, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *base]),
        ("c", 1.0, 99.5, 0.25, 0.25, 30.0, 3.0, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, *base]),
    )

    first = found["a"][0]
    assert tuple(first) == ("stay", 35.0, 12.0, 0.9, "longest stay: 35 days (typical 12)")
    assert [(each["feature"], each["contribution"]) for each in found["a"]] == [
        ("stay", 0.9),
        ("ratio", 0.5),
        ("members", 0.2),
        ("share", 0.1),
        ("daily", -0.1),
    ]
    assert [each["text"] for each in found["a"]][1:4] == [
        "charges against peers': 1.5 (typical 1)",
        "members: 40 (typical 30)",
        "share of the top district: 75.5 % (typical 50 %)",
    ]
    # Ties keep the order of the features.
    assert [each["feature"] for each in found["b"]] == NAMES[:5]
    assert [each["text"] for each in found["c"]] == [
        "charges per day: 3 yuan a day (typical 2)",
        "members: 30 (typical 30)",
        "charges against peers': 0.25 (typical 1)",
        "share of the top district: 25 % (typical 50 %)",
        "mean charge: 99.5 yuan (typical 2,000)",
    ]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_value_is_said_to_be_unknown_and_leaves_the_median_alone(
    spark: SparkSession, missing: float | None
) -> None:
    found = reasons_of(
        spark,
        ("a", missing, 1.0, 0.1, 1.0, 1.0, None, [0.9, 0.1, 0.1, 0.1, 0.1, 0.2, 0.0]),
        ("b", 1.0, 1.0, 0.1, 1.0, 1.0, None, [0.9, 0.1, 0.1, 0.1, 0.1, 0.2, 0.0]),
    )

    first, second = found["a"][:2]
    assert (first["value"], first["typical"]) == (None, 1.0)
    assert first["text"] == "longest stay: not known (typical 1)"
    assert second["text"] == "charges per day: not known (typical not known)"
    assert found["b"][0]["text"] == "longest stay: 1 day (typical 1)"
