"""Use of a member's special-disease certificates."""

import polars as pl

from expectations.landing.codes import CERTIFICATE_VISIT
from features.member.frames import MemberFacts, share, within, yuan
from features.member.illness import alike, treated


def certificate_features(facts: MemberFacts) -> pl.DataFrame:
    """Use of special-disease certificates, one row per holder or member who used one.

    If the diseases of a certificate are unknown, no drug counts as unrelated to it.
    """
    as_of = pl.lit(facts.as_of)
    diseases = facts.certificates.join(
        facts.references.diseases, on="special_disease_code", how="left"
    )
    covered = (
        diseases.drop_nulls("indications")
        .select("member_id", covered="indications")
        .explode("covered")
        .unique()
    )
    spent = facts.drugs.filter(pl.col("visit_type") == CERTIFICATE_VISIT).select(
        "member_id", "drug_id", "ago", "cents"
    )
    treats = treated(facts.references.drugs)
    fitting = (
        spent.select("member_id", "drug_id")
        .unique()
        .join(treats, on="drug_id")
        .join(covered, on="member_id")
        .filter(alike(pl.col("covered"), pl.col("prefix")))
        .select("member_id", "drug_id", fits=True)
        .unique()
    )
    limited = treats.select("drug_id", is_limited=True).unique()
    lines = spent.join(fitting, on=["member_id", "drug_id"], how="left").join(
        limited, on="drug_id", how="left"
    )
    unrelated = pl.col("fits").is_null() & pl.col("is_limited").fill_null(value=False)
    use = lines.group_by("member_id").agg(
        certificate_amount_sum_365d=yuan(pl.col("cents").sum()),
        unrelated_share=share(
            pl.col("cents").filter(unrelated & within(180)).sum(),
            pl.col("cents").filter(within(180)).sum(),
        ),
    )
    # A certificate that is renewed each year has one cap, not two.
    by_disease = diseases.group_by("member_id", "special_disease_code").agg(
        pl.max("start_date", "annual_cap"), is_known=pl.col("indications").is_not_null().all()
    )
    holders = by_disease.group_by("member_id").agg(
        certificate_age_days=(as_of - pl.col("start_date").max()).dt.total_days(),
        annual_cap=pl.col("annual_cap").sort().sum(),
        has_certificate=pl.lit(1.0),
        is_known=pl.col("is_known").all(),
    )
    return (
        holders.join(use, on="member_id", how="full", coalesce=True)
        .with_columns(
            certificate_unrelated_share_180d=pl.when("is_known").then("unrelated_share"),
            certificate_cap_share_365d=share(
                pl.col("certificate_amount_sum_365d").fill_null(0), pl.col("annual_cap")
            ),
        )
        .drop("annual_cap", "is_known", "unrelated_share")
    )
