"""References in the one form that features expect, from any source."""

import math
from dataclasses import replace

import polars as pl

from features.member.frames import References
from features.member.illness import listed_codes, plain_code

#: ATC codes of this length name a class of drugs.
_CLASS_LENGTH = 5
#: No box lasts longer than the longest depot drugs, which are given once a year.
_MOST_BOX_DAYS = 366
#: So many digits of a district name its city; no city reaches so many degrees from its middle.
_CITY_DIGITS = 4
_CITY_DEGREES = 10
#: Of fewer places nobody knows which one is wrong.
_FEWEST_PLACES = 3


def usable(references: References) -> References:
    """One row per key, codes in one spelling, and no number that a calculation cannot use.

    If several rows have the same key, the first counts. A number that is not finite, or not positive where
    it has to be, becomes null, and so do days of a box beyond a year and a place that is on no globe or far from its city.
    """
    drugs = (
        _first_of_key(references.drugs, "drug_id")
        .with_columns(
            *(_positive(name) for name in ("ddd_per_box", "monthly_max_boxes")),
            _positive("days_per_box", _MOST_BOX_DAYS),
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
    institutions = _in_their_city(
        _first_of_key(references.institutions, "institution_id").with_columns(
            _positive("visit_cap"), _on_globe("latitude", 90), _on_globe("longitude", 180)
        )
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


def _in_their_city(institutions: pl.DataFrame) -> pl.DataFrame:
    """Institutions without the place of those that are said to lie far from the middle of their city's others.

    So it is where latitude and longitude are confused, a sign is lost, or a service that finds no address gives the
    capital: whoever visits such a place seems to travel too fast.
    """
    city = pl.col("district").str.head(_CITY_DIGITS)
    degrees = ("latitude", "longitude")
    is_far = pl.any_horizontal(
        (pl.col(name) - pl.col(name).median().over(city)).abs() > _CITY_DEGREES for name in degrees
    )
    is_known = city.is_not_null() & (pl.len().over(city) >= _FEWEST_PLACES)
    is_wrong = (is_far & is_known).fill_null(value=False)
    return institutions.with_columns(pl.when(~is_wrong).then(name).alias(name) for name in degrees)


def _positive(name: str, most: float = math.inf) -> pl.Expr:
    is_usable = pl.col(name).is_finite() & (pl.col(name) > 0) & (pl.col(name) <= most)
    return pl.when(is_usable).then(name).alias(name)
