"""Reasons for a score: the largest contributions of an institution's features, in words."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.feature.institution import Feature

REASON_COUNT = 5


def typical_values(scored: DataFrame, features: Sequence[Feature]) -> DataFrame:
    """The median of each feature over the scored institutions: one row, the features' names.

    Exact, so that it depends only on the rows. A feature without any value is null.
    """
    return scored.agg(*(F.median(_known(feature.name)).alias(feature.name) for feature in features))


def with_reasons(
    scored: DataFrame, features: Sequence[Feature], contributions: str, typical: DataFrame
) -> DataFrame:
    """Add `reasons`: the REASON_COUNT largest contributions to the log-odds, largest first.

    Contributions that raise the score come first; one that lowers it is listed only when fewer than
    REASON_COUNT raise it. Equal contributions keep the order of the features. The text is a sentence
    such as "longest stay: 35 days (typical 12)"; a missing value is "not known".

    Args:
        scored: rows with the features and their contributions.
        features: the model's features, in its order.
        contributions: the name of an array of contributions in the order of `features`; more elements
            after these (the base value) are left out.
        typical: the row of `typical_values`.
    """
    medians = typical.select(
        F.struct(*(F.col(each.name) for each in features)).alias("typical_values")
    )
    candidates = F.array(
        *(_candidate(feature, place, contributions) for place, feature in enumerate(features))
    )
    # Ascending by (-contribution, place): largest first, ties in the order of the features.
    ordered = F.slice(F.array_sort(candidates), 1, REASON_COUNT)
    reasons = F.transform(ordered, lambda each: each["reason"])
    return (
        scored.join(F.broadcast(medians), how="cross")
        .withColumn("reasons", reasons)
        .drop("typical_values")
    )


def _candidate(feature: Feature, place: int, contributions: str) -> Column:
    contribution = F.get(F.col(contributions), F.lit(place))
    value = _known(feature.name)
    typical = F.col("typical_values")[feature.name]
    text = F.concat(
        F.lit(f"{feature.label}: "),
        F.coalesce(_in_words(value, feature.unit), F.lit("not known")),
        F.lit(" (typical "),
        F.coalesce(_number(typical, feature.unit), F.lit("not known")),
        F.lit(")"),
    )
    reason = F.struct(
        F.lit(feature.name).alias("feature"),
        value.alias("value"),
        typical.alias("typical"),
        contribution.alias("contribution"),
        text.alias("text"),
    )
    return F.struct(
        (-contribution).alias("down"), F.lit(place).alias("place"), reason.alias("reason")
    )


def _known(name: str) -> Column:
    """The value, null where it is NaN."""
    return F.when(~F.isnan(name), F.col(name))


def _in_words(value: Column, unit: str) -> Column:
    """A value with its unit."""
    number = _number(value, unit)
    match unit:
        case "days":
            return F.concat(number, F.when(number == "1", F.lit(" day")).otherwise(F.lit(" days")))
        case "yuan" | "yuan a day":
            return F.concat(number, F.lit(f" {unit}"))
        case _:
            return number


def _number(value: Column, unit: str) -> Column:
    """A value as a reader wants it: shares in percent, small numbers with decimals, large without."""
    if unit == "share":
        return F.concat(_trimmed(value * 100, 1), F.lit(" %"))
    return F.when(F.abs(value) >= 100, F.format_number(value, 0)).otherwise(_trimmed(value, 2))


def _trimmed(value: Column, digits: int) -> Column:
    """A number with a maximum of decimals and without trailing zeros."""
    return F.regexp_replace(F.format_number(value, digits), r"\.?0+$", "")
