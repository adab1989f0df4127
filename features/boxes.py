"""What became of a box after it was sold: whether its code was seen again, where, and what that says.

A code that is scanned as sold twice is seldom a box sold twice: counters scan one label twice, correct a
settlement, or mis-key a code. So each repeat gets a kind, and only those kinds in which the box left the
holder's hands count against a holder, beyond what chance gives at the same counters.
"""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

#: The kinds of a repeat, in the order in which they are looked for.
KINDS = ("resent", "same_settlement", "same_member", "same_counter", "elsewhere")
#: The kind that says that the box left the holder's hands.
LEFT_HANDS = "elsewhere"
#: Kinds that are a finding about the institution that sold the code again.
OF_INSTITUTION = ("same_counter", "elsewhere")

#: A code that is sold so often within what is kept is that of a kind of packs or of a carton, or stands for none.
MOST_SALES = 20

#: A counter with few boxes repeats codes about as often as all counters: so many boxes of all are added.
BORROWED_BOXES = 500
#: No counter's carelessness excuses more repeats elsewhere than this share of boxes. A: one in fifty.
MOST_BY_CHANCE = 0.02
_SCAN = ("scan_type", "scan_time", "settlement_id", "member_id", "institution_id")


def box_sales(scans: DataFrame) -> DataFrame:
    """Every sale of a box with the sales of the same code before and after it.

    One row per scan of a sale after which the box did not come back: the scan's columns, `previous` and
    `next` (the sale just before and just after, null if there is none or the box came back in
    between), `previous_kind` and `next_kind` (one of KINDS, or null), and `sales`, how many of the code
    there are. That the box came back after a later sale changes nothing. A split pack may be sold many
    times and is left out.

    Args:
        scans: silver.trace_scan as of a date.
    """
    in_time = Window.partitionBy("trace_code").orderBy("scan_time", "scan_id")
    scan = F.struct(*_SCAN)
    moved = scans.filter(
        F.col("scan_type").isin("sale", "return") & ~F.coalesce("is_split_pack", F.lit(False))
    )
    of_code = Window.partitionBy("trace_code")
    around = moved.withColumns(
        {
            "previous": F.lag(scan).over(in_time),
            "next": F.lead(scan).over(in_time),
            "sales": F.count_if(F.col("scan_type") == "sale").over(of_code),
        }
    ).filter((F.col("scan_type") == "sale") & ~F.col("next.scan_type").eqNullSafe(F.lit("return")))
    was_sold = F.when(F.col("previous.scan_type") == "sale", F.col("previous"))
    return around.withColumn("previous", was_sold).withColumns(
        {"previous_kind": _kind("previous"), "next_kind": _kind("next")}
    )


def sales_to_members(scans: DataFrame, as_of: date, days: int) -> DataFrame:
    """Boxes sold to members in a window: the rows of `box_sales` with `is_resold`, whether each left the holder's hands.

    A code of more than MOST_SALES sales says nothing of any of its holders.

    Args:
        scans: silver.trace_scan as of the date.
        as_of: the date.
        days: how far back the window reaches.
    """
    first = F.lit(as_of - timedelta(days=days))
    return (
        box_sales(scans)
        .filter(F.col("member_id").isNotNull() & (F.to_date("scan_time") >= first))
        .withColumn(
            "is_resold",
            F.col("next_kind").eqNullSafe(F.lit(LEFT_HANDS)) & (F.col("sales") <= MOST_SALES),
        )
    )


def holder_sales(scans: DataFrame, as_of: date, days: int) -> DataFrame:
    """Boxes sold to members in a window, whether each left the holder's hands, and by what chance.

    One row per sale to a member: `member_id`, `drug_id`, `institution_id`, `scan_time`, `is_resold`,
    `next` (the later sale) and `chance_ppb`, the share of boxes of other members at the same counter
    that were seen again elsewhere, in parts of 10^9 (whole, so that sums do not depend on an order).

    Args:
        scans: silver.trace_scan as of the date.
        as_of: the date.
        days: how far back the window reaches.
    """
    sold = sales_to_members(scans, as_of, days)
    by_member = sold.groupBy("institution_id", "member_id").agg(
        F.count("*").alias("boxes"), F.count_if("is_resold").alias("resold")
    )
    everywhere = by_member.agg(F.sum("boxes").alias("all"), F.sum("resold").alias("all_resold"))
    at_counter = Window.partitionBy("institution_id")
    others = {name: F.sum(name).over(at_counter) - F.col(name) for name in ("boxes", "resold")}
    usual = F.col("all_resold") / F.col("all")
    chance = (others["resold"] + BORROWED_BOXES * usual) / (others["boxes"] + BORROWED_BOXES)
    chances = by_member.join(F.broadcast(everywhere), how="cross").select(
        "institution_id",
        "member_id",
        F.rint(1e9 * F.least(chance, F.lit(MOST_BY_CHANCE))).cast("long").alias("chance_ppb"),
    )
    return sold.join(chances, on=["institution_id", "member_id"], how="inner").select(
        "member_id",
        "drug_id",
        "institution_id",
        "scan_time",
        "is_resold",
        "next",
        "chance_ppb",
    )


def _kind(other: str) -> Column:
    """The kind of a repeat, seen from a scan to the other one; null if there is no other."""

    def same(name: str) -> Column:
        return F.col(name) == F.col(f"{other}.{name}")

    return (
        F.when(F.col(other).isNull(), None)
        .when(same("institution_id") & same("scan_time"), "resent")
        .when(same("settlement_id"), "same_settlement")
        .when(same("member_id"), "same_member")
        .when(same("institution_id"), "same_counter")
        .otherwise(LEFT_HANDS)
    )
