"""What goes over a member's special-disease certificates."""

import polars as pl

from features.member.frames import HORIZON, MemberFacts, share, within, yuan
from features.member.illness import alike, treated


def certificate_features(facts: MemberFacts) -> pl.DataFrame:
    """What goes over a member's special-disease certificates, one row per holder."""
    as_of = pl.lit(facts.as_of)
    held = facts.rows.certificates.filter(
        (pl.col("start_date") < as_of)
        & (pl.col("end_date").is_null() | (pl.col("end_date") >= as_of - pl.duration(days=HORIZON)))
    )
    diseases = held.join(facts.references.diseases, on="special_disease_code", how="left")
    covered = (
        diseases.select("member_id", covered=pl.col("indications").str.split(";"))
        .explode("covered")
        .unique()
    )
    spent = facts.drugs.filter(pl.col("visit_type") == "14").select(
        "member_id", "settlement_id", "drug_id", "ago", "cents", "supply", group=pl.col("diagnosis")
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
    limited = treats.select("drug_id").unique().with_columns(is_limited=True)
    lines = spent.join(fitting, on=["member_id", "drug_id"], how="left").join(
        limited, on="drug_id", how="left"
    )
    unrelated = pl.col("fits").is_null() & pl.col("is_limited").fill_null(value=False)
    use = lines.group_by("member_id").agg(
        certificate_amount_sum_365d=yuan(pl.col("cents").sum()),
        certificate_unrelated_share_180d=share(
            pl.col("cents").filter(unrelated & within(180)).sum(),
            pl.col("cents").filter(within(180)).sum(),
        ),
    )
    holders = held.group_by("member_id").agg(
        certificate_age_days=(as_of - pl.col("start_date").max()).dt.total_days().cast(pl.Float64),
        annual_cap=pl.col("annual_cap").sum(),
        has_certificate=pl.lit(1.0),
    )
    return (
        holders.join(use, on="member_id", how="left")
        .with_columns(
            certificate_cap_share_365d=share(
                pl.col("certificate_amount_sum_365d"), pl.col("annual_cap")
            )
        )
        .drop("annual_cap")
    )
