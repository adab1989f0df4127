"""The inputs of member features: rows, references, and facts with netted refunds."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from expectations.landing.codes import STAY

#: How far back a feature may look, in days before the as-of date.
HORIZON = 365
#: Kinds of fees other than drugs that features look at.
CARE_TYPES = ("treatment", "exam")
#: Visit type of a stay in hospital.
_CENTS = 100


@dataclass(frozen=True)
class References:
    """Small tables that features join, the same for every member.

    Args:
        drugs: `drug_id, ingredient, atc, category, days_per_box, ddd_per_box, monthly_max_boxes,
            list_price, resale_ratio, chronic, cold_chain, indications, watch_from, trace_from`.
        institutions: `institution_id, institution_type, visit_cap, district, latitude, longitude`.
        diseases: `special_disease_code, indications`.
        is_care_known: whether any source delivers examinations or treatments. If none does, no visit counts
            as one without them.

    Indications are ICD-10 prefixes joined by semicolons as delivered, lists after
    `features.member.references.usable`, which also gives drugs two numbers: `drug_class`, of ATC codes
    with the same first five characters, and `chronic_group`, of long-term drugs with the same first one.
    """

    drugs: pl.DataFrame
    institutions: pl.DataFrame
    diseases: pl.DataFrame
    is_care_known: bool = True


@dataclass(frozen=True)
class MemberRows:
    """All rows of some members within the horizon, in the versions that hold as of a date.

    Args:
        visits: `member_id, settlement_id, original_settlement_id, is_refund, time, institution_id,
            visit_type, diagnosis, diagnoses (a list of codes), credential, proxy, start, end, cents,
            fund_cents`; refunds too.
        fees: `member_id, settlement_id, day, item_type, drug_id, doctor_id, quantity, cents,
            stated_days, unstated_quantity`; refunds too.
        persons: `member_id, paused_from, death_date, latitude, longitude`, at most one a member.
        certificates: `member_id, special_disease_code, start_date, end_date, annual_cap`.
        sales: boxes scanned as sold to the member: `member_id, drug_id, day, sold_again, gap_days,
            chance_ppb`.
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
    """The input of features; `ago` is days before the as-of date, 1 is the day before it.

    Args:
        as_of: the date.
        visits: one row per settlement with an amount left after refunds, with its place and amounts by kind
            of fee.
        drugs: one row per settlement, drug, doctor and day with an amount left after refunds, with the
            columns of the drug and the visit.
        certificates: certificates in force on a day of the horizon.
        rows: the rows from which these were computed.
        references: the joined references.
    """

    as_of: date
    visits: pl.DataFrame
    drugs: pl.DataFrame
    certificates: pl.DataFrame
    rows: MemberRows
    references: References

    @cached_property
    def drug_visits(self) -> pl.DataFrame:
        """Settlements with a drug, without stays: the visits at which drugs are collected."""
        return self.visits.filter(
            (pl.col("drug_lines") > 0) & pl.col("visit_type").ne_missing(STAY)
        )

    @cached_property
    def outside_drugs(self) -> pl.DataFrame:
        """Drugs that were taken home, not given in a stay."""
        return self.drugs.filter(pl.col("visit_type").ne_missing(STAY))


def within(days: int) -> pl.Expr:
    """Whether a row lies in the window of `days` before the as-of date."""
    return pl.col("ago") <= days


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """A part divided by a whole; null if there is no whole."""
    return pl.when(whole > 0).then(part / whole)


def if_care_is_known(facts: MemberFacts, value: pl.Expr) -> pl.Expr:
    """A value that depends on examinations or treatments; null if no source delivers either."""
    return pl.when(pl.lit(facts.references.is_care_known)).then(value)


def per(value: pl.Expr, number: float) -> pl.Expr:
    """A value divided by a number, with the same bits for one member as for many.

    Polars divides a single value, but multiplies a column by the reciprocal.
    """
    return value * (1 / number)


def yuan(cents: pl.Expr) -> pl.Expr:
    """Cents as yuan. All sums before are exact, in cents."""
    return per(cents, _CENTS).round(6)
