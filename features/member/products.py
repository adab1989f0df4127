"""What is collected: kinds of drugs, and whether an illness explains them."""

import polars as pl

from features.member.frames import MemberFacts, if_care_is_known, share, within, yuan

#: Long-term drugs worth more than this a year, in yuan, ask for a look at the patient.
_MONITORED_YUAN = 1000
#: From this part of a drug's monthly most on, a month counts as full.
_NEAR_CAP = 0.95


def product_features(facts: MemberFacts) -> pl.DataFrame:
    """Shares of kinds of drugs and of drugs that no diagnosis explains, one row per member_id."""
    drugs = facts.drugs.filter(pl.col("visit_type").ne_missing("21"))
    date = pl.lit(facts.as_of) - pl.duration(days=pl.col("ago"))
    value = pl.col("cents")
    watched = (pl.col("watch_from") <= date.cast(pl.Date)).fill_null(value=False)
    resale = value * (pl.col("resale_ratio").fill_null(0) - (1 - pl.col("fund_share"))).clip(0)
    coded = pl.col("atc").str.slice(0, 1)
    month = (date.cast(pl.Date)).dt.truncate("1mo")
    full_months = (
        drugs.with_columns(month=month)
        .group_by("member_id", "month", "drug_id")
        .agg(filled=pl.col("quantity").sum().round(4) / pl.col("monthly_max_boxes").first())
        .group_by("member_id", "month")
        .agg(filled=pl.max("filled"))
        .group_by("member_id")
        .agg(month_cap_count_365d=(pl.col("filled") >= _NEAR_CAP).sum())
    )

    def part(of: pl.Expr, days: int) -> pl.Expr:
        return share(value.filter(of & within(days)).sum(), value.filter(within(days)).sum())

    found = drugs.group_by("member_id").agg(
        cold_chain_share_90d=part(pl.col("cold_chain").fill_null(value=False), 90),
        injection_share_90d=part(pl.col("category") == "tcm_injection", 90),
        tonic_share_90d=part(pl.col("category") == "herb_tonic", 90),
        watch_share_90d=part(watched, 90),
        resalable_share_180d=part((pl.col("resale_ratio") > 0).fill_null(value=False), 180),
        resale_gain_sum_90d=yuan(resale.filter(within(90)).sum()),
        resale_gain_sum_365d=yuan(resale.sum()),
        chronic_class_count_180d=coded.filter(
            pl.col("chronic").fill_null(value=False) & coded.is_not_null() & within(180)
        ).n_unique(),
        ingredient_count_180d=pl.col("ingredient").filter(within(180)).n_unique(),
        visit_mismatch_share_180d=part(~pl.col("fits_visit"), 180),
        unexplained_share_180d=part(~pl.col("fits_member"), 180),
        unexplained_fund_sum_365d=yuan(pl.col("fund_cents").filter(~pl.col("fits_member")).sum()),
        chronic_amount_sum_365d=yuan(value.filter(pl.col("chronic").fill_null(value=False)).sum()),
    )
    return (
        found.join(full_months, on="member_id", how="left")
        .join(_monitoring(facts), on="member_id", how="left")
        .with_columns(
            is_unmonitored_365d=(
                (pl.col("chronic_amount_sum_365d") > _MONITORED_YUAN) & ~pl.col("has_exam")
            )
        )
        .drop("has_exam")
    )


def _monitoring(facts: MemberFacts) -> pl.DataFrame:
    """Whether anybody examined the member within the horizon."""
    has_exam = if_care_is_known(facts, (pl.col("exam_cents") > 0).any())
    return facts.visits.group_by("member_id").agg(has_exam=has_exam)
