"""Fees and fund shares that can't mean what they say, brought to what they can mean."""

import polars as pl

#: Stated days further than this many times from what the boxes hold are not used.
_FAR = 4
#: A box that costs less than this part of the list price is no box: the quantity is in tablets or pills.
_FRACTION = 0.2
_CENTS = 100


def plausible_fees(fees: pl.DataFrame, drugs: pl.DataFrame) -> pl.DataFrame:
    """The fees with quantities in boxes, and without days of supply that the boxes can't hold.

    Boxes are the amount over the list price where a unit costs a small fraction of it. Stated days that are
    far from the boxes' own are taken as not stated. A drug of which price or days are unknown is left.

    Args:
        fees: as of `MemberRows.fees`.
        drugs: as of `References.drugs`.
    """
    known = drugs.select("drug_id", "list_price", "days_per_box")
    quantity, list_cents = pl.col("quantity"), pl.col("list_price") * _CENTS
    same_sign = (quantity * pl.col("cents")) > 0
    is_tablets = (
        same_sign & (pl.col("cents").abs() < _FRACTION * list_cents * quantity.abs())
    ).fill_null(value=False)
    boxes = pl.col("cents") / list_cents
    stated_boxes = quantity - pl.col("unstated_quantity")
    label = (stated_boxes * pl.col("days_per_box")).abs()
    days = pl.col("stated_days").abs()
    is_far = ((days > _FAR * label) | (days * _FAR < label)) & (days > 0) & (label > 0)
    is_far = is_far.fill_null(value=False)
    return (
        fees.join(known, on="drug_id", how="left", maintain_order="left")
        .with_columns(
            quantity=pl.when(is_tablets).then(boxes.round(4)).otherwise(quantity),
            unstated_quantity=pl.when(is_tablets)
            .then((pl.col("unstated_quantity") * (boxes / quantity)).round(4))
            .otherwise("unstated_quantity"),
        )
        .with_columns(
            stated_days=pl.when(is_far).then(0.0).otherwise("stated_days"),
            unstated_quantity=pl.when(is_far).then("quantity").otherwise("unstated_quantity"),
        )
        .select(fees.columns)
    )


def capped_fund_share() -> pl.Expr:
    """`fund_share` of a visit, less where its fees would have more of the fund's money than it paid.

    That is so where lines add up to more than the visit, as in a file with other amounts than its visits.
    """
    fees = pl.sum_horizontal("drug_cents", "treatment_cents", "exam_cents")
    paid = pl.col("fund_cents").clip(0)
    is_more = fees * pl.col("fund_share") > paid
    return pl.when(is_more).then(paid / fees).otherwise("fund_share").alias("fund_share")
