"""The collected drugs: their kinds, and whether an illness explains them."""

import polars as pl

from features.member.frames import MemberFacts, if_care_is_known, share, within, yuan

#: Long-term drugs worth more than this a year, in yuan, ask for a look at the patient.
_MONITORED_YUAN = 1000
#: From this part of a drug's monthly most on, a month counts as full.
_NEAR_CAP = 0.95
_QUARTER = 90


def product_features(facts: MemberFacts) -> pl.DataFrame:
    """Shares of kinds of drugs and of drugs that no diagnosis explains, one row per member_id."""
    day, value = pl.col("time").dt.date(), pl.col("cents")
    watched = (pl.col("watch_from") <= day).fill_null(value=False)
    resale = value * (pl.col("resale_ratio").fill_null(0) - (1 - pl.col("fund_share"))).clip(0)
    chronic = pl.col("chronic").fill_null(value=False)
    is_recent, is_half_year = within(_QUARTER), within(180)

    def part(of: pl.Expr) -> pl.Expr:
        return pl.when(of).then(value).otherwise(0)

    # Worked out before grouping: plain sums of many small groups are much faster.
    parts = facts.outside_drugs.select(
        "member_id",
        amount_90=part(is_recent),
        amount_180=part(is_half_year),
        cold_chain=part(is_recent & pl.col("cold_chain")),
        injection=part(is_recent & (pl.col("category") == "tcm_injection")),
        tonic=part(is_recent & (pl.col("category") == "herb_tonic")),
        watch=part(is_recent & watched),
        resalable=part(is_half_year & (pl.col("resale_ratio") > 0)),
        visit_mismatch=part(is_half_year & ~pl.col("fits_visit")),
        unexplained=part(is_half_year & ~pl.col("fits_member")),
        resale_gain_90=pl.when(is_recent).then(resale).otherwise(0.0),
        resale_gain=resale,
        unexplained_fund=pl.when("fits_member").then(0).otherwise("fund_cents"),
        chronic_amount=part(chronic),
    )
    sums = parts.group_by("member_id").agg(pl.all().sum())
    recent, half_year = pl.col("amount_90"), pl.col("amount_180")
    found = sums.select(
        "member_id",
        cold_chain_share_90d=share(pl.col("cold_chain"), recent),
        injection_share_90d=share(pl.col("injection"), recent),
        tonic_share_90d=share(pl.col("tonic"), recent),
        watch_share_90d=share(pl.col("watch"), recent),
        resalable_share_180d=share(pl.col("resalable"), half_year),
        resale_gain_sum_90d=yuan(pl.col("resale_gain_90")),
        resale_gain_sum_365d=yuan(pl.col("resale_gain")),
        visit_mismatch_share_180d=share(pl.col("visit_mismatch"), half_year),
        unexplained_share_180d=share(pl.col("unexplained"), half_year),
        unexplained_fund_sum_365d=yuan(pl.col("unexplained_fund")),
        chronic_amount_sum_365d=yuan(pl.col("chronic_amount")),
    )
    return (
        found.join(_kinds(facts), on="member_id", how="left")
        .join(_full_months(facts), on="member_id", how="left")
        .join(_monitoring(facts), on="member_id", how="left")
        .with_columns(
            is_unmonitored_365d=(
                (pl.col("chronic_amount_sum_365d") > _MONITORED_YUAN) & ~pl.col("has_exam")
            )
        )
        .drop("has_exam")
    )


def _kinds(facts: MemberFacts) -> pl.DataFrame:
    """Numbers of ingredients and of kinds of long-term drugs in half a year."""
    drugs = facts.outside_drugs.select("member_id", "ago", "ingredient", "chronic_group")
    return (
        drugs.filter(within(180))
        .group_by("member_id")
        .agg(
            ingredient_count_180d=pl.n_unique("ingredient"),
            chronic_class_count_180d=pl.col("chronic_group").drop_nulls().n_unique(),
        )
    )


def _full_months(facts: MemberFacts) -> pl.DataFrame:
    """The number of months with at least the allowed boxes of a drug."""
    return (
        facts.outside_drugs.select(
            "member_id",
            "drug_id",
            "quantity",
            "monthly_max_boxes",
            month=pl.col("time").dt.year() * 12 + pl.col("time").dt.month(),
        )
        .group_by("member_id", "month", "drug_id")
        .agg(pl.sum("quantity"), pl.first("monthly_max_boxes"))
        .filter(pl.col("quantity").round(4) / pl.col("monthly_max_boxes") >= _NEAR_CAP)
        .select("member_id", "month")
        .unique()
        .group_by("member_id")
        .agg(month_cap_count_365d=pl.len())
    )


def _monitoring(facts: MemberFacts) -> pl.DataFrame:
    """Whether anybody examined the member within the horizon."""
    has_exam = if_care_is_known(facts, (pl.col("exam_cents") > 0).any())
    return facts.visits.group_by("member_id").agg(has_exam=has_exam)
