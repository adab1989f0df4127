"""What accounts took of drugs that are resold, and how alike that is."""

import polars as pl


def account_baskets(taken: pl.DataFrame) -> pl.DataFrame:
    """The basket of each account, one row per `member`.

    Args:
        taken: `member`, `drug` (a number of the ingredient), `value` (resale value, yuan), one row per account
            and ingredient.

    Returns:
        `member`, and lists `drugs` and `drug_values` in the order of drugs.
    """
    return (
        taken.filter(pl.col("value") > 0)
        .sort("member", "drug")
        .group_by("member", maintain_order=True)
        .agg(drugs=pl.col("drug"), drug_values=pl.col("value"))
    )


def basket_likeness(pairs: pl.DataFrame) -> pl.DataFrame:
    """Cosine of the resale values by ingredient, one row per pair with an ingredient in common.

    Args:
        pairs: `src`, `dst`, and of each end `drugs` and `drug_values`.

    Returns:
        `src`, `dst`, `basket_likeness` in (0, 1].
    """
    sides = [
        pairs.select(
            "src",
            "dst",
            drug=f"{end}_drugs",
            **{f"{end}_drug_value": f"{end}_drug_values"},
            **{
                f"{end}_length": pl.col(f"{end}_drug_values")
                .list.eval(pl.element() ** 2)
                .list.sum()
            },
        )
        .explode("drug", f"{end}_drug_value")
        .drop_nulls("drug")
        for end in ("src", "dst")
    ]
    both = sides[0].join(sides[1], on=["src", "dst", "drug"]).sort("src", "dst", "drug")
    product = (pl.col("src_drug_value") * pl.col("dst_drug_value")).sum()
    lengths = (pl.first("src_length") * pl.first("dst_length")).sqrt()
    return both.group_by("src", "dst", maintain_order=True).agg(
        basket_likeness=(product / lengths).clip(0, 1)
    )
