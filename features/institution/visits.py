"""The input of institution features: visits with netted refunds, codes, doctors and member."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.landing.codes import STAY
from features.days import possible_day, possible_visit
from features.refunds import is_left, left_amount

#: An amount after netting; settlements have decimal(16,2).


def net_visits(visits: DataFrame) -> DataFrame:
    """Net refunds with the settlements that they reverse, one row per settlement that is not a refund.

    Several refunds of one settlement are added, whatever institution they name. `is_refunded` says that
    there was a refund. `is_claim` says whether anything is left (`features.refunds`).
    """
    is_refund = F.col("refund_flag").eqNullSafe("1")
    refunds = (
        visits.filter(is_refund & F.col("original_settlement_id").isNotNull())
        .groupBy(F.col("original_settlement_id").alias("settlement_id"))
        .agg(
            F.sum("total_amount").alias("refund_amount"),
            F.sum("fund_amount").alias("refund_fund_amount"),
        )
    )
    is_inpatient = F.col("visit_type").eqNullSafe(STAY)
    start, end = possible_visit("start_time", "end_time", "settlement_time")
    start_day = F.coalesce(start, F.to_date("settlement_time"))
    end_day = F.coalesce(end, start_day)
    return (
        visits.filter(~is_refund)
        .join(refunds, on="settlement_id", how="left")
        .select(
            "settlement_id",
            "institution_id",
            "member_id",
            F.when(is_inpatient, "inpatient").otherwise("outpatient").alias("setting"),
            F.datediff(start_day, F.lit("1970-01-01")).alias("start_day"),
            # A visit that ends before it starts is a fault of the data: it gets the shortest stay.
            F.greatest(F.datediff(end_day, start_day) + 1, F.lit(1)).alias("stay_days"),
            left_amount(F.col("total_amount"), F.col("refund_amount")).alias("amount"),
            left_amount(F.col("fund_amount"), F.col("refund_fund_amount")).alias("fund_amount"),
            F.col("diagnosis_code").alias("principal_diagnosis"),
            F.col("refund_amount").isNotNull().alias("is_refunded"),
            is_left(F.col("total_amount"), F.col("refund_amount")).alias("is_claim"),
        )
    )


def visit_marks(visit_codes: DataFrame, visit_doctors: DataFrame) -> DataFrame:
    """Gather the codes and doctors of a settlement, one row per settlement_id.

    `marks` holds each (kind, value) once: diagnosis, procedure and DRG codes, doctors by their role
    and as `doctor` in any. If there are several DRGs, or several diagnoses at one place, the smallest code
    counts.
    """
    no_code = F.lit(None).cast("string")
    codes = visit_codes.select(
        "settlement_id",
        F.col("code_type").alias("kind"),
        F.col("code").alias("value"),
        F.when(F.col("code_type") == "drg", F.col("code")).alias("drg"),
        F.when(F.col("code_type") == "diagnosis", F.struct("sequence", "code")).alias("diagnosis"),
    )
    doctors = visit_doctors.select(
        "settlement_id",
        F.explode(F.array("role", F.lit("doctor"))).alias("kind"),
        F.col("doctor_id").alias("value"),
        no_code.alias("drg"),
        F.lit(None).cast(codes.schema["diagnosis"].dataType).alias("diagnosis"),
    )
    return (
        codes.unionByName(doctors)
        .groupBy("settlement_id")
        .agg(
            F.collect_set(F.struct("kind", "value")).alias("marks"),
            F.min("drg").alias("drg"),
            F.min("diagnosis")["code"].alias("first_diagnosis"),
        )
    )


def member_facts(members: DataFrame, conditions: DataFrame) -> DataFrame:
    """Home district, death and number of chronic conditions, one row per member_id of `members`.

    A death before birth, or in a year in which nobody was insured, is a placeholder.
    """
    known = conditions.groupBy("member_id").agg(F.count("*").alias("condition_count"))
    return members.join(known, on="member_id", how="left").select(
        "member_id",
        "district",
        possible_day("death_date", "birth_date").isNotNull().alias("is_deceased"),
        "condition_count",
    )


def visit_facts(
    visits: DataFrame,
    visit_codes: DataFrame,
    visit_doctors: DataFrame,
    members: DataFrame,
    conditions: DataFrame,
) -> DataFrame:
    """Attach to each netted settlement its marks, case group and member, one row per settlement_id.

    The case group is the DRG, else the first three characters of the principal diagnosis (else of
    the first one coded), else nothing. A member who is not in `members` has no district, no
    death and no conditions.
    """
    marked = net_visits(visits).join(
        visit_marks(visit_codes, visit_doctors), on="settlement_id", how="left"
    )
    diagnosis = F.coalesce("principal_diagnosis", "first_diagnosis")
    case_group = F.coalesce(
        F.concat(F.lit("drg "), F.col("drg")),
        F.concat(F.lit("diagnosis "), F.substring(diagnosis, 1, 3)),
        F.lit("none"),
    )
    return (
        marked.withColumn("case_group", case_group)
        .withColumn("marks", _with_mark(F.col("marks"), "diagnosis", F.col("principal_diagnosis")))
        .join(member_facts(members, conditions), on="member_id", how="left")
    )


def _with_mark(marks: Column, kind: str, value: Column) -> Column:
    """The marks with one more, unless they contain it; its value may be null."""
    mark = F.array(F.struct(F.lit(kind).alias("kind"), value.alias("value")))
    return F.array_union(F.coalesce(marks, F.array()), mark)
