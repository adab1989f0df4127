"""From the sums of an institution to its measures: means, spreads, quantiles, ratios to peers."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

# Counts that are measures as they are.
_KEPT = (
    "claim_count",
    "member_count",
    "claims_per_member_max",
    "repeat_member_count",
    "shared_member_count",
    "shared_institution_count",
    "shared_member_max",
    "deceased_member_count",
    "home_district_count",
    "home_province_count",
    "doctor_count",
    "attending_doctor_count",
    "operating_doctor_count",
    "other_doctor_count",
    "diagnosis_count",
    "procedure_count",
    "drg_count",
    "refunded_claim_count",
)


def setting_measures(sums: DataFrame) -> DataFrame:
    """Turn the sums of an institution into measures, one row per (institution_id, setting).

    Null where a measure has no value: the spread of one claim, a ratio to nothing.
    """
    claims, members = F.col("claim_count"), F.col("member_count")
    top, quantiles = F.col("top_district"), F.col("amount_quantiles")
    amount, stay = F.col("amount"), F.col("stay")
    settlements = claims + F.coalesce("refunded_in_full", F.lit(0))
    measures = {
        "amount_sum": amount,
        "amount_mean": _ratio(amount, claims),
        "amount_max": F.col("amount_max"),
        "amount_std": _std(claims, amount, F.col("amount_squares")),
        "amount_median": quantiles[0],
        "amount_p75": quantiles[1],
        "fund_amount_sum": F.col("fund_amount"),
        "amount_peer_ratio": _peer_ratio("amount"),
        "claims_per_member": _ratio(claims, members),
        "repeat_claim_count": claims - members,
        "shared_member_share": _ratio(F.col("shared_member_count"), members),
        "deceased_member_share": _ratio(F.col("deceased_member_count"), members),
        "conditions_per_member_mean": _ratio(F.coalesce("conditions", F.lit(0)), members),
        "top_district_share": _ratio(-top["negative_claims"], top["all_claims"]),
        "top_district_institution_count": top["all_institutions"],
        "top_doctor_share": _ratio(F.col("top_doctor_claims"), claims),
        "visit_gap_variation": _gap_variation(claims, F.array_sort("days")),
        "refunded_claim_share": _ratio(F.col("refunded_claim_count"), settlements),
        "stay_days_sum": stay,
        "stay_days_mean": _ratio(stay, claims),
        "stay_days_std": _std(claims, stay, F.col("stay_squares")),
        "stay_days_median": F.col("stay_median"),
        "stay_days_peer_ratio": _peer_ratio("stay"),
        "amount_per_day": _ratio(amount, stay),
        "amount_per_day_mean": _ratio(F.col("daily_amount"), claims),
        "amount_per_day_median": _ratio(quantiles[0], F.col("stay_median")),
        **_longest_stays(claims, stay, F.sort_array("stays", asc=False)),
    }
    return sums.select(
        "institution_id",
        "setting",
        *_KEPT,
        *(value.cast("double").alias(name) for name, value in measures.items()),
    )


def _ratio(numerator: Column, denominator: Column) -> Column:
    """A quotient of doubles, null where the denominator is zero."""
    divisor = denominator.cast("double")
    return F.when(divisor != 0, numerator.cast("double") / divisor)


def _std(count: Column, total: Column, squares: Column) -> Column:
    """The sample standard deviation from exact sums; null below two, or beyond 38 digits."""
    times = count.cast("decimal(20,0)")
    exact_total = total.cast("decimal(28,2)")
    deviations = F.try_subtract(
        F.try_multiply(times, squares.cast("decimal(38,4)")),
        F.try_multiply(exact_total, exact_total),
    )
    return F.sqrt(_ratio(deviations, count.cast("double") * (count - 1).cast("double")))


def _peer_ratio(what: str) -> Column:
    """The sum of an institution divided by the expected sum of its case groups among peers."""
    setting = Window.partitionBy("setting").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    overall_mean = _ratio(F.sum(what).over(setting), F.sum("claim_count").over(setting))
    weight = F.col("expected_weight").cast("double")
    return _ratio(F.col(what), F.col(f"expected_{what}").cast("double") + overall_mean * weight)


def _gap_variation(claims: Column, days: Column) -> Column:
    """Spread over mean of the gaps between consecutive visits; `days` are distinct, in order.

    Visits of one day have gaps of 0, which change only the number of gaps.
    """
    gaps = F.zip_with(F.slice(days, 2, F.size(days)), days, lambda later, earlier: later - earlier)
    # The last day has no later one: its gap is null.
    squares = F.aggregate(
        gaps,
        F.lit(0).cast("long"),
        lambda total, gap: total + F.coalesce(gap * gap, F.lit(0)),
    )
    count, total = claims - 1, F.array_max(days) - F.array_min(days)
    return _ratio(_std(count, total, squares), _ratio(total, count))


def _longest_stays(claims: Column, stay: Column, longest_first: Column) -> dict[str, Column]:
    """Measures of the longest stays, from each length of stay with its number of claims."""
    longest = F.get(longest_first, F.lit(0))
    next_longest = F.get(longest_first, F.lit(1))
    return {
        "stay_days_max": longest["stay"],
        "stay_days_second_max": F.when(longest["claims"] > 1, longest["stay"]).otherwise(
            next_longest["stay"]
        ),
        "stay_days_max_to_mean": _ratio(longest["stay"], _ratio(stay, claims)),
    }
