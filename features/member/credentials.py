"""Who shows the card: shared phones, proxies, and what became of the boxes."""

import polars as pl

from features.member.frames import MemberFacts, share, within
from features.member.visits import drug_visits


def credential_features(facts: MemberFacts) -> pl.DataFrame:
    """Proxies and sharing, one row per member_id with a drug visit."""
    visits = drug_visits(facts)
    proxies = visits.group_by("member_id").agg(
        proxy_count_180d=pl.col("proxy")
        .filter(within(180))
        .drop_nulls()
        .n_unique()
        .cast(pl.Float64),
        proxy_visit_share_180d=pl.col("proxy").filter(within(180)).is_not_null().mean(),
    )
    shared = facts.rows.shared.group_by("member_id").agg(
        *(
            pl.col("accounts")
            .filter(pl.col("kind") == kind)
            .max()
            .fill_null(0)
            .cast(pl.Float64)
            .alias(f"accounts_per_{kind}_90d")
            for kind in ("device", "proxy")
        ),
        *(
            (pl.col("accounts") - pl.col("relatives"))
            .filter(pl.col("kind") == kind)
            .max()
            .fill_null(0)
            .cast(pl.Float64)
            .alias(f"strangers_per_{kind}_90d")
            for kind in ("device", "proxy")
        ),
        kin_share_90d=share(
            (pl.col("relatives") - 1).sum().cast(pl.Float64),
            (pl.col("accounts") - 1).sum().cast(pl.Float64),
        ),
    )
    return proxies.join(shared, on="member_id", how="left").join(
        _boxes(facts), on="member_id", how="left"
    )


def _boxes(facts: MemberFacts) -> pl.DataFrame:
    """What the scans say of the boxes sold to the member."""
    scans = facts.rows.sales.group_by("member_id").agg(
        resold_box_count_365d=pl.col("sold_again").sum().cast(pl.Float64),
        resold_gap_days_median_365d=pl.col("gap_days").median(),
    )
    coded = facts.drugs.filter(
        within(90)
        & (pl.lit(facts.as_of) - pl.duration(days=pl.col("ago")) >= pl.col("trace_from"))
        & (pl.col("visit_type") != "21")
    )
    sold = coded.group_by("member_id").agg(boxes=pl.col("quantity").sum())
    start = facts.as_of
    scanned = (
        facts.rows.sales.filter((pl.lit(start) - pl.col("day")).dt.total_days().is_between(1, 90))
        .group_by("member_id")
        .agg(scanned=pl.len())
    )
    missing = sold.join(scanned, on="member_id", how="left").select(
        "member_id",
        uncoded_share_90d=(1 - pl.col("scanned").fill_null(0) / pl.col("boxes")).clip(0, 1),
    )
    return missing.join(scans, on="member_id", how="full", coalesce=True)
