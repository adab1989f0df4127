"""References in the one form that features expect, from any source."""

from dataclasses import replace

import polars as pl

from features.member.frames import References
from features.member.illness import listed_codes, plain_code

#: ATC codes of this length name a class of drugs.
_CLASS_LENGTH = 5


def usable(references: References) -> References:
    """One row per key, codes in one spelling, and no number that a calculation cannot use.

    If several rows have the same key, the first counts. A number that is not finite, or not positive where
    it has to be, becomes null.
    """
    drugs = (
        _first_of_key(references.drugs, "drug_id")
        .with_columns(
            *(_positive(name) for name in ("days_per_box", "ddd_per_box", "monthly_max_boxes")),
            _positive("resale_ratio"),
            _positive("list_price"),
            atc=plain_code(pl.col("atc")),
            indications=_listed_codes("indications"),
        )
        .with_columns(
            indications=pl.when(pl.col("indications").list.len() > 0).then("indications"),
            drug_class=_number(
                pl.when(pl.col("atc").str.len_chars() >= _CLASS_LENGTH).then(
                    pl.col("atc").str.head(_CLASS_LENGTH)
                )
            ),
            chronic_group=_number(pl.when("chronic").then(pl.col("atc").str.head(1))),
        )
    )
    institutions = _first_of_key(references.institutions, "institution_id").with_columns(
        _positive("visit_cap"), _on_globe("latitude", 90), _on_globe("longitude", 180)
    )
    diseases = _first_of_key(references.diseases, "special_disease_code").with_columns(
        indications=_listed_codes("indications")
    )
    return replace(references, drugs=drugs, institutions=institutions, diseases=diseases)


def _number(value: pl.Expr) -> pl.Expr:
    """Values as numbers from 1 on: rows of many drugs are grouped by them."""
    return value.rank("dense").cast(pl.Int64)


def _first_of_key(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.unique(subset=key, keep="first", maintain_order=True)


def _listed_codes(name: str) -> pl.Expr:
    # A catalogue has few lists: they are taken apart in Python.
    return pl.col(name).map_elements(listed_codes, return_dtype=pl.List(pl.String))


def _on_globe(name: str, most: int) -> pl.Expr:
    return pl.when(pl.col(name).is_between(-most, most)).then(name).alias(name)


def _positive(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_finite() & (pl.col(name) > 0)).then(name).alias(name)
