"""Whether an illness explains a drug."""

import polars as pl


def explained(
    drugs: pl.DataFrame,
    visits: pl.DataFrame,
    certificates: pl.DataFrame,
    drug_reference: pl.DataFrame,
    diseases: pl.DataFrame,
) -> pl.DataFrame:
    """Add to `drugs` whether an illness explains each.

    `fits_visit`: the visit's diagnosis begins with one of the drug's indications. `fits_member`: that,
    or a diagnosis of the member within the horizon made at an institution other than a pharmacy does,
    or a certified disease. A drug without indications fits any. Codes are ICD-10.
    """
    prefixes = treated(drug_reference)
    limited = prefixes.select("drug_id").unique().with_columns(is_limited=True)
    pairs = drugs.select("drug_id", "diagnosis").unique()
    fitting = (
        pairs.drop_nulls("diagnosis")
        .join(prefixes, on="drug_id")
        .filter(pl.col("diagnosis").str.starts_with(pl.col("prefix")))
        .select("drug_id", "diagnosis", fits=True)
        .unique()
    )
    judged = pairs.join(limited, on="drug_id", how="left").join(
        fitting, on=["drug_id", "diagnosis"], how="left"
    )
    fits_visit = pl.col("is_limited").is_null() | pl.col("fits").fill_null(value=False)
    judged = judged.select("drug_id", "diagnosis", fits_visit=fits_visit)
    drugs = drugs.join(
        judged, on=["drug_id", "diagnosis"], how="left", nulls_equal=True, maintain_order="left"
    )
    open_pairs = drugs.filter(~pl.col("fits_visit")).select("member_id", "drug_id").unique()
    known = _known_illnesses(visits, certificates, diseases)
    by_member = (
        open_pairs.join(prefixes, on="drug_id")
        .with_columns(group=pl.col("prefix").str.slice(0, 3))
        .join(known, on=["member_id", "group"])
        .filter(alike(pl.col("illness"), pl.col("prefix")))
        .select("member_id", "drug_id", fits_known=True)
        .unique()
    )
    return (
        drugs.join(by_member, on=["member_id", "drug_id"], how="left", maintain_order="left")
        .with_columns(
            fits_member=pl.col("fits_visit") | pl.col("fits_known").fill_null(value=False)
        )
        .drop("fits_known")
    )


def treated(drug_reference: pl.DataFrame) -> pl.DataFrame:
    """`drug_id, prefix`: what each drug that has indications is for."""
    return (
        drug_reference.filter(pl.col("indications").fill_null("") != "")
        .select("drug_id", prefix=pl.col("indications").str.split(";"))
        .explode("prefix")
    )


def alike(code: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether one of two ICD-10 codes or prefixes lies within the other."""
    return code.str.starts_with(other) | other.str.starts_with(code)


def _known_illnesses(
    visits: pl.DataFrame, certificates: pl.DataFrame, diseases: pl.DataFrame
) -> pl.DataFrame:
    """`member_id, illness, group`: ICD-10 codes of a member, with their first three characters."""
    seen = visits.filter((pl.col("visit_type") != "41") & pl.col("diagnosis").is_not_null()).select(
        "member_id", illness="diagnosis"
    )
    certified = (
        certificates.join(diseases, on="special_disease_code")
        .select("member_id", illness=pl.col("indications").str.split(";"))
        .explode("illness")
        .drop_nulls()
    )
    return (
        pl.concat([seen, certified]).unique().with_columns(group=pl.col("illness").str.slice(0, 3))
    )
