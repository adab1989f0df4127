"""From tallies to one row per institution and setting, with the sums that its measures need."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_COUNTED = {
    "member_count": "member",
    "home_district_count": "district",
    "doctor_count": "doctor",
    "attending_doctor_count": "attending",
    "operating_doctor_count": "operating",
    "other_doctor_count": "other",
    "diagnosis_count": "diagnosis",
    "procedure_count": "procedure",
    "drg_count": "drg",
}
_SUMMED = (
    "amount",
    "amount_squares",
    "fund_amount",
    "daily_amount",
    "stay",
    "stay_squares",
    "expected_amount",
    "expected_stay",
    "expected_weight",
)


def institution_sums(tallies: DataFrame) -> DataFrame:
    """Sum up tallies with peers, one row per (institution_id, setting).

    The first grouping is by institution, setting and other institution. Rows without another institution
    hold all sums. Rows with one hold the overlap: the number of members seen at both.
    """
    other = F.explode(F.concat(F.array(F.lit(None).cast("string")), F.col("other")))
    by_other = (
        tallies.withColumn("other_id", other)
        .groupBy("institution_id", "setting", "other_id")
        .agg(*_sums(), F.count("*").alias("overlap"))
    )
    is_own = F.col("other_id").isNull()
    overlap = F.when(~is_own, F.col("overlap"))
    outside = ("institution_id", "setting", "other_id", "overlap")
    own = F.struct(*(name for name in by_other.columns if name not in outside))
    return (
        by_other.groupBy("institution_id", "setting")
        .agg(
            # One row is without another institution: the maximum picks it, whatever the order.
            F.max_by(own, F.when(is_own, 1)).alias("own"),
            F.count(overlap).alias("shared_institution_count"),
            F.coalesce(F.max(overlap), F.lit(0)).alias("shared_member_max"),
        )
        .select(
            "institution_id", "setting", "own.*", "shared_institution_count", "shared_member_max"
        )
    )


def _sums() -> list[Column]:
    claims, value = F.col("claims"), F.col("value")
    top_district = F.struct(
        (-claims).alias("negative_claims"), "value", "all_claims", "all_institutions"
    )
    return [
        *(F.count(_of(kind, claims)).alias(name) for name, kind in _COUNTED.items()),
        *(F.sum(name).alias(name) for name in _SUMMED if name != "amount_squares"),
        F.try_sum("amount_squares").alias("amount_squares"),
        F.coalesce(F.sum(_of("case", claims)), F.lit(0)).alias("claim_count"),
        F.max("amount_max").alias("amount_max"),
        F.max(_of("member", claims)).alias("claims_per_member_max"),
        F.count(_of("member", F.when(claims > 1, 1))).alias("repeat_member_count"),
        F.count(_of("member", F.when(F.col("all_institutions") > 1, 1))).alias(
            "shared_member_count"
        ),
        F.count(F.when(F.col("is_deceased"), 1)).alias("deceased_member_count"),
        F.sum("condition_count").alias("conditions"),
        F.max(_of("doctor", claims)).alias("top_doctor_claims"),
        F.coalesce(F.sum(_of("refund", claims)), F.lit(0)).alias("refunded_claim_count"),
        F.sum(_of("refund", F.when(value == "full", claims))).alias("refunded_in_full"),
        F.size(F.collect_set(_of("district", F.substring(value, 1, 2)))).alias(
            "home_province_count"
        ),
        # The largest number of claims, then the smallest district.
        F.min(_of("district", top_district)).alias("top_district"),
        F.percentile(
            _of("amount", value.cast("double")), F.array(F.lit(0.5), F.lit(0.75)), claims
        ).alias("amount_quantiles"),
        F.percentile(_of("stay", value.cast("double")), F.lit(0.5), claims).alias("stay_median"),
        # As many entries as there are different lengths of stay and days, so bounded by the period.
        F.collect_list(_of("stay", F.struct(value.cast("long").alias("stay"), "claims"))).alias(
            "stays"
        ),
        F.collect_list(_of("day", value.cast("long"))).alias("days"),
    ]


def _of(kind: str, value: Column) -> Column:
    return F.when(F.col("kind") == kind, value)
