"""Whether an illness explains a drug."""

import re
import string
import unicodedata
from collections.abc import Iterator

import polars as pl

from expectations.landing.codes import PHARMACY_VISIT

#: What joins prefixes: semicolons in the contract, commas, words and blanks in catalogues.
_BETWEEN = re.compile(r"[;,|/&+\n\u3001\u548c\u53ca\u6216]+|(?<=[\dX])\s+(?=[A-Z]\d\d)")
#: Two categories with all between them, such as I10-I15; further digits are those of the first and last ones.
_RANGE = re.compile(
    r"([A-Z])(\d\d)[.\dX]*\s*(?:[-~\u2010-\u2015\u2212\u81f3\u5230]|TO)+\s*([A-Z]?)(\d\d)(?!\d)"
)
_CATEGORIES = 100


def explained(
    drugs: pl.DataFrame,
    visits: pl.DataFrame,
    certificates: pl.DataFrame,
    drug_reference: pl.DataFrame,
    diseases: pl.DataFrame,
) -> pl.DataFrame:
    """Add to `drugs` whether an illness explains each.

    `fits_visit`: a diagnosis of the visit, principal or further, begins with one of the drug's indications.
    `fits_member`: the same, or it holds for a certified disease or for a diagnosis of the member within
    the horizon that was made at an institution other than a pharmacy. A drug without indications fits
    any visit. Codes are ICD-10, as of `plain_code`.
    """
    prefixes = treated(drug_reference)
    drugs = _fitting_principal(drugs, prefixes)
    unfit = drugs.select(
        "member_id", "settlement_id", "drug_id", "fits_visit", row=pl.int_range(pl.len())
    ).filter(~pl.col("fits_visit"))
    # What else ails somebody matters only where a drug does not fit the principal diagnosis.
    codes = _visit_codes(visits, unfit.select("member_id").unique())
    by_visit = _fitting_further(unfit, codes, prefixes)
    left = unfit.join(by_visit, on="row", how="anti")
    # The first letter leaves few pairs to look at, and codes of one letter have it too.
    by_member = (
        left.select("member_id", "drug_id")
        .unique()
        .join(prefixes, on="drug_id")
        .with_columns(letter=pl.col("prefix").str.head(1))
        .join(_known_illnesses(codes, certificates, diseases), on=["member_id", "letter"])
        .filter(alike(pl.col("illness"), pl.col("prefix")))
    )
    elsewhere = left.join(by_member, on=["member_id", "drug_id"], how="semi")
    fits_visit = drugs["fits_visit"].clone().scatter(by_visit["row"], True)
    return drugs.with_columns(
        fits_visit=fits_visit, fits_member=fits_visit.clone().scatter(elsewhere["row"], True)
    )


def plain_code(code: pl.Expr) -> pl.Expr:
    """A code in plain capitals, without dots, signs and spaces; empty when nothing is left."""
    plain = code.str.normalize("NFKC").str.to_uppercase().str.replace_all("[^A-Z0-9]", "")
    return pl.when(plain != "").then(plain)


def listed_codes(text: str | None) -> list[str]:
    """The codes or prefixes of a list, as of `plain_code`, in their order.

    The contract joins them by semicolons. Catalogues have commas and ranges too: a list that is not taken apart is one
    code that no diagnosis begins with, and the drug would be explained for nobody.
    """
    codes = []
    for each in _BETWEEN.split(unicodedata.normalize("NFKC", text or "").upper()):
        ends = _RANGE.search(each)
        plain = re.sub("[^A-Z0-9]", "", each)
        codes += list(_between(*ends.groups())) if ends else [plain] if plain else []
    return codes


def _between(first: str, low: str, last: str, high: str) -> Iterator[str]:
    """The categories from one to another; a last one without a letter is of the first one's."""
    letters = string.ascii_uppercase
    ends = (
        letters.index(letter) * _CATEGORIES + int(digits)
        for letter, digits in ((first, low), (last or first, high))
    )
    start, stop = sorted(ends)
    for number in range(start, stop + 1):
        yield f"{letters[number // _CATEGORIES]}{number % _CATEGORIES:02d}"


def with_plain_codes(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows with the codes of a column as of `plain_code`, in their order."""
    # The same few codes come up again and again.
    codes = rows.select(name).unique().with_columns(plain=plain_code(pl.col(name)))
    found = rows.select(name).join(
        codes, on=name, how="left", nulls_equal=True, maintain_order="left"
    )
    return rows.with_columns(found["plain"].alias(name))


def treated(drug_reference: pl.DataFrame) -> pl.DataFrame:
    """`drug_id, prefix`: the indications of each drug that has any."""
    return (
        drug_reference.filter(pl.col("indications").is_not_null())
        .select("drug_id", prefix="indications")
        .explode("prefix")
    )


def alike(code: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether one of two ICD-10 codes or prefixes lies within the other."""
    return code.str.starts_with(other) | other.str.starts_with(code)


def _fitting_principal(drugs: pl.DataFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """Add `fits_visit`: whether the principal diagnosis of the visit explains the drug."""
    limited = prefixes.select("drug_id", is_limited=True).unique()
    pairs = drugs.select("drug_id", code="diagnosis").unique()
    judged = (
        pairs.join(limited, on="drug_id", how="left")
        .join(_fitting(pairs, prefixes), on=["drug_id", "code"], how="left")
        .select(
            "drug_id",
            diagnosis="code",
            fits_visit=pl.col("is_limited").is_null() | pl.col("fits").fill_null(value=False),
        )
    )
    return drugs.join(
        judged, on=["drug_id", "diagnosis"], how="left", nulls_equal=True, maintain_order="left"
    )


def _fitting_further(
    unfit: pl.DataFrame, codes: pl.DataFrame, prefixes: pl.DataFrame
) -> pl.DataFrame:
    """The `row` of drugs that another diagnosis of the visit explains."""
    further = unfit.select("row", "settlement_id", "drug_id").join(
        codes.select("settlement_id", "code"), on="settlement_id"
    )
    fitting = _fitting(further.select("drug_id", "code").unique(), prefixes)
    return further.join(fitting, on=["drug_id", "code"]).select("row").unique()


def _fitting(pairs: pl.DataFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """The distinct `drug_id, code` whose code begins with an indication of the drug."""
    return (
        pairs.drop_nulls("code")
        .join(prefixes, on="drug_id")
        .filter(pl.col("code").str.starts_with(pl.col("prefix")))
        .select("drug_id", "code", fits=True)
        .unique()
    )


def _visit_codes(visits: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """`member_id, settlement_id, visit_type, code`: every diagnosis of the visits of some members."""
    names = ["member_id", "settlement_id", "visit_type"]
    visits = visits.select(*names, "diagnosis", "diagnoses").join(
        members, on="member_id", how="semi"
    )
    further = (
        visits.filter(pl.col("diagnoses").list.len() > 0)
        .select(*names, code="diagnoses")
        .explode("code")
    )
    further = with_plain_codes(further, "code")
    return pl.concat([visits.select(*names, code="diagnosis"), further]).drop_nulls("code")


def _known_illnesses(
    codes: pl.DataFrame, certificates: pl.DataFrame, diseases: pl.DataFrame
) -> pl.DataFrame:
    """`member_id, illness, letter`: ICD-10 codes of a member, with their first letter."""
    seen = codes.filter(pl.col("visit_type").ne_missing(PHARMACY_VISIT)).select(
        "member_id", illness="code"
    )
    certified = (
        certificates.join(diseases, on="special_disease_code")
        .select("member_id", illness="indications")
        .explode("illness")
        .drop_nulls()
    )
    return pl.concat([seen, certified]).unique().with_columns(letter=pl.col("illness").str.head(1))
