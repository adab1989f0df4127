"""The rows of some members as the member features see them: refunds netted, references looked up."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from features.member.illness import explained, plain_code

#: How far back a feature may look, in days before the as-of date.
HORIZON = 365
#: Kinds of fees other than drugs that features look at.
CARE_TYPES = ("treatment", "exam")
_CENTS = 100
_FEE_SUMS = ("quantity", "cents", "stated_days", "unstated_quantity")
_DRUG_ORDER = (
    "member_id",
    "ingredient",
    "time",
    "settlement_id",
    "drug_id",
    "doctor_id",
    "day",
    "quantity",
    "cents",
    "stated_days",
)


@dataclass(frozen=True)
class References:
    """What features look up: small tables, the same for every member.

    Args:
        drugs: `drug_id, ingredient, atc, category, days_per_box, ddd_per_box, monthly_max_boxes,
            resale_ratio, chronic, cold_chain, indications, watch_from, trace_from`.
        institutions: `institution_id, institution_type, visit_cap, district, latitude, longitude`.
        diseases: `special_disease_code, indications`.
        is_care_known: whether examinations or treatments are delivered at all. Where they are not, of
            nobody can it be said that there were none.

    Indications are ICD-10 prefixes joined by semicolons as delivered, lists after
    `features.member.references.usable`.
    """

    drugs: pl.DataFrame
    institutions: pl.DataFrame
    diseases: pl.DataFrame
    is_care_known: bool = True


@dataclass(frozen=True)
class MemberRows:
    """All rows of some members within the horizon, as they stand as of a date.

    Args:
        visits: `member_id, settlement_id, original_settlement_id, is_refund, time, institution_id,
            visit_type, diagnosis, diagnoses (a list of codes), credential, proxy, start, end, cents,
            fund_cents`; refunds too.
        fees: `member_id, settlement_id, day, item_type, drug_id, doctor_id, quantity, cents,
            stated_days, unstated_quantity`; refunds too.
        persons: `member_id, paused_from, death_date, latitude, longitude`, at most one a member.
        certificates: `member_id, special_disease_code, start_date, end_date, annual_cap`.
        sales: boxes scanned as sold to the member: `member_id, drug_id, day, sold_again, gap_days`.
        shared: most accounts that share something with the member: `member_id, kind, accounts,
            relatives`.
    """

    visits: pl.DataFrame
    fees: pl.DataFrame
    persons: pl.DataFrame
    certificates: pl.DataFrame
    sales: pl.DataFrame
    shared: pl.DataFrame


@dataclass(frozen=True)
class MemberFacts:
    """What features are computed from; `ago` is days before the as-of date, 1 is the day before it.

    Args:
        as_of: the date.
        visits: one row per settlement that is left after refunds, with the place and amounts of kinds of fees.
        drugs: one row per settlement, drug, doctor and day of the fee that is left after refunds, with
            the drug and the visit.
        certificates: those that were in force on a day of the horizon.
        rows: the rows that these come from.
        references: what was looked up.
    """

    as_of: date
    visits: pl.DataFrame
    drugs: pl.DataFrame
    certificates: pl.DataFrame
    rows: MemberRows
    references: References


def member_facts(rows: MemberRows, references: References, as_of: date) -> MemberFacts:
    """Net refunds against what they reverse and attach references and visits to fees.

    A refund counts on the day of the settlement that it reverses. One whose settlement is not among
    the member's (it lies before the horizon, or was never delivered) is left out, and so are fees of
    such a settlement. A refund of a refund changes nothing.

    Args:
        rows: the rows.
        references: as of `features.member.references.usable`.
        as_of: the date.
    """
    settled = _with_own_refunds(rows.visits, as_of)
    netted = _netted_visits(settled)
    ids = settled.select(
        "settlement_id",
        owner="member_id",
        netted_id=pl.when("is_refund").then("original_settlement_id").otherwise("settlement_id"),
    )
    own_fees = rows.fees.join(ids, on="settlement_id").filter(
        pl.col("member_id") == pl.col("owner")
    )
    fees = _netted_fees(own_fees)
    day = (pl.lit(as_of) - pl.col("time").dt.date()).dt.total_days().cast(pl.Int32)
    visits = (
        netted.with_columns(ago=day)
        .filter(pl.col("ago").is_between(1, HORIZON))
        .join(references.institutions, on="institution_id", how="left")
        .join(_amounts_by_type(fees), on="settlement_id", how="left")
        .with_columns(
            pl.col("drug_cents", "treatment_cents", "exam_cents", "boxes", "drug_lines").fill_null(
                0
            ),
            diagnosis=plain_code(pl.col("diagnosis")),
        )
        .sort("member_id", "time", "settlement_id")
    )
    carried = visits.select(
        "settlement_id",
        "member_id",
        "ago",
        "time",
        "institution_id",
        "visit_type",
        "diagnosis",
        "fund_share",
    )
    drugs = (
        fees.filter(pl.col("drug_id").is_not_null())
        .join(carried, on="settlement_id")
        .join(references.drugs, on="drug_id", how="left")
        .with_columns(
            supply=(
                pl.col("stated_days")
                + pl.col("unstated_quantity") * pl.col("days_per_box").fill_null(0)
            ),
            ingredient=pl.coalesce("ingredient", "drug_id"),
            fund_cents=(pl.col("cents") * pl.col("fund_share")).round().cast(pl.Int64),
        )
        # A total order: sums of doubles may depend on it, and so does what comes first.
        .sort(*_DRUG_ORDER)
        .drop("day")
    )
    certificates = rows.certificates.filter(
        (pl.col("start_date") < pl.lit(as_of))
        & (
            pl.col("end_date").is_null()
            | (pl.col("end_date") >= pl.lit(as_of) - pl.duration(days=HORIZON))
        )
    )
    drugs = explained(drugs, visits, certificates, references.drugs, references.diseases)
    return MemberFacts(as_of, visits, drugs, certificates, rows, references)


def within(days: int) -> pl.Expr:
    """Whether a row lies in the window of so many days before the as-of date."""
    return pl.col("ago") <= days


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """A part of a whole; empty where there is no whole."""
    return pl.when(whole > 0).then(part / whole)


def if_care_is_known(facts: MemberFacts, value: pl.Expr) -> pl.Expr:
    """A value that looks at examinations or treatments; empty where no source delivers either."""
    return pl.when(pl.lit(facts.references.is_care_known)).then(value)


def per(value: pl.Expr, number: float) -> pl.Expr:
    """A value divided by a number, with the same bits for one member as for many.

    Polars multiplies a column by the reciprocal where it divides a single value.
    """
    return value * (1 / number)


def yuan(cents: pl.Expr) -> pl.Expr:
    """Cents as yuan: sums stay exact until here."""
    return per(cents, _CENTS).round(6)


def _with_own_refunds(visits: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The visits, less refunds that come later or of what is not a settlement of the same member."""
    is_refund = pl.col("is_refund")
    settled = visits.filter(~is_refund).select("member_id", original_settlement_id="settlement_id")
    refunds = visits.filter(is_refund & (pl.col("time") < pl.lit(as_of))).join(
        settled, on=["member_id", "original_settlement_id"], how="semi"
    )
    return pl.concat([visits.filter(~is_refund), refunds])


def _netted_visits(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per settlement but the refunds, with what is left of its amounts."""
    is_refund = pl.col("is_refund")
    refunds = (
        visits.filter(is_refund)
        .group_by("original_settlement_id")
        .agg(refund=pl.sum("cents"), fund_refund=pl.sum("fund_cents"))
    )
    return (
        visits.filter(~is_refund)
        .drop("original_settlement_id", "is_refund")
        .join(refunds, left_on="settlement_id", right_on="original_settlement_id", how="left")
        .filter(pl.col("refund").is_null() | (pl.col("cents") + pl.col("refund") > 0))
        .with_columns(fund_share=share(pl.col("fund_cents"), pl.col("cents")).fill_null(0.0))
        .with_columns(
            cents=pl.col("cents") + pl.col("refund").fill_null(0),
            fund_cents=pl.col("fund_cents") + pl.col("fund_refund").fill_null(0),
        )
        .drop("refund", "fund_refund")
    )


def _netted_fees(fees: pl.DataFrame) -> pl.DataFrame:
    """Fees by the settlement that is left; only what a refund touches has to be summed.

    A refund need not name the doctor: what is left of a drug counts as its first doctor's.
    """
    touched = (
        fees.filter(pl.col("netted_id") != pl.col("settlement_id")).select("netted_id").unique()
    )
    columns = ["netted_id", "item_type", "drug_id", "doctor_id", "day", *_FEE_SUMS]
    untouched = fees.join(touched, on="netted_id", how="anti")
    summed = (
        fees.join(touched, on="netted_id", how="semi")
        .with_columns(item_type=pl.when(pl.col("drug_id").is_null()).then("item_type"))
        .group_by("netted_id", "item_type", "drug_id")
        .agg(pl.min("day", "doctor_id"), pl.sum(*_FEE_SUMS))
        # Ten-thousandths are all that is delivered; the rest is what binary fractions leave.
        .with_columns(pl.col("quantity", "stated_days", "unstated_quantity").round(4))
        .filter((pl.col("quantity") > 0) & (pl.col("cents") > 0))
    )
    both = pl.concat([untouched.select(columns), summed.select(columns)])
    return both.rename({"netted_id": "settlement_id"})


def _amounts_by_type(fees: pl.DataFrame) -> pl.DataFrame:
    """What a settlement holds of drugs and of other things."""
    is_drug = pl.col("drug_id").is_not_null()
    cents, kind = pl.col("cents"), pl.col("item_type")
    # Worked out before grouping: plain sums of many small groups are much faster.
    apart = fees.select(
        "settlement_id",
        drug_cents=pl.when(is_drug).then(cents).otherwise(0),
        treatment_cents=pl.when(kind == "treatment").then(cents).otherwise(0),
        exam_cents=pl.when(kind == "exam").then(cents).otherwise(0),
        boxes=pl.when(is_drug).then("quantity").otherwise(0.0),
        drug_lines=is_drug.cast(pl.UInt32),
    )
    return (
        apart.group_by("settlement_id").agg(pl.all().sum()).with_columns(pl.col("boxes").round(4))
    )
