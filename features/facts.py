"""Facts: the columns of settlements and fee lines that features read, with the time in which they hold."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.days import possible_visit

#: What a line may state as its days of supply; long prescriptions are of twelve weeks.
_LEAST_DAYS, _MOST_DAYS = 1, 200


def visit_facts(settlements: DataFrame, codes: DataFrame, proxies: DataFrame) -> DataFrame:
    """Give every version of a settlement its diagnoses and proxies, one row per version.

    The fund pays no more than a visit cost: a larger amount, in fen beside yuan, counts as all of it. A start or end
    that can't be (`features.days`) is taken as not known.

    Args:
        settlements: Versions of silver.settlement.
        codes: Versions of silver.settlement_code; only diagnoses are used.
        proxies: Versions of silver.proxy_pickup.
    """
    diagnoses = _dated(codes.filter(F.col("code_type") == "diagnosis"), "code", "diagnoses")
    collected = _dated(proxies, "proxy_cert_hash", "proxies")
    is_refund = F.col("refund_flag").eqNullSafe(F.lit("1"))
    start, end = possible_visit("start_time", "end_time", "settlement_time")
    return (
        settlements.select(
            "settlement_id",
            "member_id",
            F.to_date("settlement_time").alias("service_date"),
            _month("settlement_time"),
            "settlement_time",
            "institution_id",
            "visit_type",
            "diagnosis_code",
            "credential_type",
            "device_hash",
            "terminal_id",
            "operator_id",
            start.alias("start_date"),
            end.alias("end_date"),
            "total_amount",
            _plausible_fund().alias("fund_amount"),
            is_refund.alias("is_refund"),
            "original_settlement_id",
            "valid_from",
            "valid_to",
        )
        .join(diagnoses, on="settlement_id", how="left")
        .join(collected, on="settlement_id", how="left")
    )


def fee_facts(fees: DataFrame) -> DataFrame:
    """Sum the fee lines of each settlement, drug, doctor, day and time; one row each.

    Days of supply count with the sign of the quantity: a line that takes boxes back takes their days back,
    whichever sign they are stated with. Days that no prescription has are taken as not stated.

    Args:
        fees: Versions of silver.fee_detail.
    """
    days = F.abs("supply_days")
    is_unstated = ~F.coalesce(days.between(_LEAST_DAYS, _MOST_DAYS), F.lit(False))
    signed = F.when(F.col("quantity") < 0, -days).otherwise(days)
    stated = F.when(is_unstated, F.lit(0)).otherwise(signed).cast("decimal(6,2)")
    unstated = F.when(is_unstated, F.col("quantity")).otherwise(F.lit(0).cast("decimal(16,4)"))
    keys = (
        "settlement_id",
        "member_id",
        "service_date",
        "service_month",
        "item_type",
        "drug_id",
        "doctor_id",
        "valid_from",
        "valid_to",
    )
    return (
        fees.withColumn("service_date", F.to_date("fee_time"))
        .withColumn("service_month", _month("fee_time"))
        .withColumn("doctor_id", F.when(F.col("drug_id").isNotNull(), F.col("doctor_id")))
        .groupBy(*keys)
        .agg(
            F.sum("quantity").cast("decimal(18,4)").alias("quantity"),
            F.sum("line_amount").cast("decimal(18,2)").alias("line_amount"),
            F.sum(stated).cast("decimal(18,2)").alias("stated_supply_days"),
            F.sum(unstated).cast("decimal(18,4)").alias("unstated_quantity"),
        )
    )


def _plausible_fund() -> Column:
    total, fund = F.col("total_amount"), F.col("fund_amount")
    return F.when(F.abs(fund) > F.abs(total), total).otherwise(fund)


def _month(time: str) -> Column:
    return F.date_format(time, "yyyy-MM").alias("service_month")


def _dated(rows: DataFrame, column: str, name: str) -> DataFrame:
    """The values of a settlement in one array, each with the time in which it holds, sorted."""
    dated = F.struct(F.col(column).alias("value"), "valid_from", "valid_to")
    return rows.groupBy("settlement_id").agg(F.sort_array(F.collect_set(dated)).alias(name))
