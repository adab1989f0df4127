"""The rows of some members as the member features see them: refunds netted, references looked up."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from features.member.illness import explained

#: How far back a feature may look, in days before the as-of date.
HORIZON = 365
_CENTS = 100


@dataclass(frozen=True)
class References:
    """What features look up: small tables, the same for every member.

    Args:
        drugs: `drug_id, ingredient, atc, category, days_per_box, ddd_per_box, monthly_max_boxes,
            resale_ratio, list_price, chronic, cold_chain, indications, watch_from, trace_from`.
        institutions: `institution_id, institution_type, visit_cap, district, latitude, longitude`.
        diseases: `special_disease_code, indications`.
    """

    drugs: pl.DataFrame
    institutions: pl.DataFrame
    diseases: pl.DataFrame


@dataclass(frozen=True)
class MemberRows:
    """All rows of some members within the horizon, as they stand as of a date.

    Args:
        visits: `member_id, settlement_id, original_settlement_id, time, institution_id, visit_type,
            diagnosis, diagnoses (a list of codes), credential, device, terminal, proxy, start, end, cents, fund_cents`; refunds too.
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
        drugs: one row per settlement and drug that is left after refunds, with the drug and the visit.
        rows: the rows that these come from.
        references: what was looked up.
    """

    as_of: date
    visits: pl.DataFrame
    drugs: pl.DataFrame
    rows: MemberRows
    references: References


def member_facts(rows: MemberRows, references: References, as_of: date) -> MemberFacts:
    """Net refunds against what they reverse and attach references and visits to fees.

    A refund counts on the day of the settlement that it reverses. One whose settlement lies before
    the horizon is left out with it, and so is a fee of a settlement that is not among the visits.
    """
    netted = _netted_visits(rows.visits)
    ids = rows.visits.select(
        "settlement_id", netted_id=pl.coalesce("original_settlement_id", "settlement_id")
    )
    fees = _netted_fees(rows.fees.join(ids, on="settlement_id"))
    day = (pl.lit(as_of) - pl.col("time").dt.date()).dt.total_days().cast(pl.Int32)
    visits = (
        netted.with_columns(ago=day)
        .filter(pl.col("ago").is_between(1, HORIZON))
        .join(references.institutions, on="institution_id", how="left")
        .join(_amounts_by_type(fees), on="settlement_id", how="left")
        .with_columns(
            pl.col("drug_cents", "other_cents", "exam_cents", "boxes", "drug_lines").fill_null(0)
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
        .drop("day")
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
        .sort("member_id", "ingredient", "time", "settlement_id", "drug_id", "doctor_id")
    )
    drugs = explained(drugs, visits, rows.certificates, references.drugs, references.diseases)
    return MemberFacts(as_of, visits, drugs, rows, references)


def within(days: int) -> pl.Expr:
    """Whether a row lies in the window of so many days before the as-of date."""
    return pl.col("ago") <= days


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """A part of a whole; empty where there is no whole."""
    return pl.when(whole > 0).then(part / whole)


def yuan(cents: pl.Expr) -> pl.Expr:
    """Cents as yuan: sums stay exact until here."""
    return cents / _CENTS


def _netted_visits(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per settlement but the refunds, with what is left of its amounts."""
    is_refund = pl.col("original_settlement_id").is_not_null()
    refunds = (
        visits.filter(is_refund)
        .group_by("original_settlement_id")
        .agg(refund=pl.sum("cents"), fund_refund=pl.sum("fund_cents"))
    )
    return (
        visits.filter(~is_refund & ~pl.col("is_refund"))
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
    """Fees by the settlement that is left; only what a refund touches has to be summed."""
    touched = (
        fees.filter(pl.col("netted_id") != pl.col("settlement_id")).select("netted_id").unique()
    )
    untouched = fees.join(touched, on="netted_id", how="anti")
    summed = (
        fees.join(touched, on="netted_id", how="semi")
        .group_by("netted_id", "item_type", "drug_id", "doctor_id")
        .agg(
            pl.min("day"),
            pl.sum("quantity", "cents", "stated_days", "unstated_quantity"),
        )
        .filter((pl.col("quantity") > 0) & (pl.col("cents") > 0))
    )
    columns = [
        "netted_id",
        "item_type",
        "drug_id",
        "doctor_id",
        "day",
        "quantity",
        "cents",
        "stated_days",
        "unstated_quantity",
    ]
    both = pl.concat([untouched.select(columns), summed.select(columns)])
    return both.rename({"netted_id": "settlement_id"})


def _amounts_by_type(fees: pl.DataFrame) -> pl.DataFrame:
    """What a settlement holds of drugs and of other things."""
    is_drug = pl.col("drug_id").is_not_null()
    is_care = pl.col("item_type").is_in(["exam", "treatment"])
    return fees.group_by("settlement_id").agg(
        drug_cents=pl.col("cents").filter(is_drug).sum(),
        other_cents=pl.col("cents").filter(is_care).sum(),
        exam_cents=pl.col("cents").filter(pl.col("item_type") == "exam").sum(),
        boxes=pl.col("quantity").filter(is_drug).sum().round(4),
        drug_lines=is_drug.sum(),
    )
