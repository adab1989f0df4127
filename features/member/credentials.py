"""Use of the card by others: shared phones, proxies, and boxes sold again."""

import polars as pl

from features.chance import poisson_surprise
from features.member.frames import HORIZON, MemberFacts, share, within

_SHARED = ("device", "proxy")


def credential_features(facts: MemberFacts) -> pl.DataFrame:
    """Proxies, sharing and boxes, one row per member_id with a drug visit, a shared phone or proxy, or a box."""
    proxies = facts.drug_visits.group_by("member_id").agg(
        proxy_count_180d=pl.col("proxy").filter(within(180)).drop_nulls().n_unique(),
        proxy_visit_share_180d=pl.col("proxy").filter(within(180)).is_not_null().mean(),
    )
    most = {
        f"{name}_per_{kind}_90d": accounts.filter(pl.col("kind") == kind).max()
        for kind in _SHARED
        for name, accounts in (
            ("accounts", pl.col("accounts")),
            ("strangers", pl.col("accounts") - pl.col("relatives")),
        )
    }
    shared = facts.rows.shared.group_by("member_id").agg(
        **most,
        kin_share_90d=share(
            (pl.col("relatives") - 1).sum().cast(pl.Float64),
            (pl.col("accounts") - 1).sum().cast(pl.Float64),
        ),
    )
    return proxies.join(shared, on="member_id", how="full", coalesce=True).join(
        _boxes(facts), on="member_id", how="full", coalesce=True
    )


def _boxes(facts: MemberFacts) -> pl.DataFrame:
    """Counts of the boxes sold to each member, from their scans."""
    as_of = pl.lit(facts.as_of)
    sales = facts.rows.sales.with_columns(ago=(as_of - pl.col("day")).dt.total_days()).filter(
        pl.col("ago").is_between(1, HORIZON)
    )
    counted = sales.group_by("member_id").agg(
        resold_box_count_365d=pl.col("sold_again").sum(),
        resold_gap_days_median_365d=pl.col("gap_days").median(),
        expected=pl.col("chance_ppb").sum() / 1e9,
    )
    surprise = poisson_surprise(
        counted["resold_box_count_365d"].to_numpy(), counted["expected"].to_numpy()
    )
    # Rounded: the last bits depend on how many members are computed at a time.
    resold = counted.with_columns(resold_box_surprise_365d=surprise.round(6)).drop("expected")
    # A scan of one drug does not stand for a box of another; one that names no drug may be of any.
    asked = ["member_id", "drug_id"]
    sold = (
        facts.outside_drugs.select(*asked, "ago", "quantity", "trace_from")
        .filter(within(90) & (as_of - pl.duration(days=pl.col("ago")) >= pl.col("trace_from")))
        .group_by(asked)
        .agg(boxes=pl.col("quantity").sum().round(4))
    )
    scanned = (
        sales.filter(within(90))
        .join(facts.references.drugs.select("drug_id", "trace_from"), on="drug_id")
        .filter(pl.col("day") >= pl.col("trace_from"))
        .group_by(asked)
        .agg(scanned=pl.len().cast(pl.Float64))
    )
    unnamed = (
        sales.filter(within(90) & pl.col("drug_id").is_null())
        .group_by("member_id")
        .agg(unnamed=pl.len().cast(pl.Float64))
    )
    uncoded = (
        sold.join(scanned, on=asked, how="left")
        .with_columns(missing=(pl.col("boxes") - pl.col("scanned").fill_null(0)).clip(0))
        .sort("member_id", "drug_id")
        .group_by("member_id")
        .agg(pl.sum("missing", "boxes"))
        .join(unnamed, on="member_id", how="left")
        .select(
            "member_id",
            uncoded_share_90d=share(
                (pl.col("missing") - pl.col("unnamed").fill_null(0)).clip(0), pl.col("boxes")
            ),
        )
    )
    return uncoded.join(resold, on="member_id", how="full", coalesce=True)
