"""The facts of some members from their rows: refunds netted, references joined, all sorted."""

from datetime import date

import numpy as np
import polars as pl

from features.member.frames import HORIZON, MemberFacts, MemberRows, References, share
from features.member.illness import explained, with_plain_codes
from features.member.ordering import in_order
from features.member.plausible import capped_fund_share, plausible_fees
from features.refunds import is_left_of, signed_of

_FEE_SUMS = ("quantity", "cents", "stated_days", "unstated_quantity")
_DAY_SECONDS = 86_400
#: What a drug has from its visit.
_CARRIED = (
    *("member_id", "settlement_id", "ago", "time", "institution_id", "visit_type", "diagnosis"),
    "fund_share",
)
#: Between drugs of one ingredient in one settlement.
_DRUG_ORDER = ("drug_id", "doctor_id", "day", "quantity", "cents", "stated_days")


def member_facts(rows: MemberRows, references: References, as_of: date) -> MemberFacts:
    """Net refunds against what they reverse and attach references and visits to fees.

    Refunds are netted as `features.refunds` says, and count on the day of the settlement that they reverse. If
    that settlement is not among the member's (it lies before the horizon, or was never delivered), the
    refund is left out, and so are the settlement's fees. A refund of a refund changes nothing.

    Args:
        rows: the rows.
        references: as of `features.member.references.usable`.
        as_of: the date.
    """
    settled = _with_own_refunds(rows.visits, as_of)
    visits = _placed(_netted_visits(settled), references, as_of)
    own = _own_fees(plausible_fees(rows.fees, references.drugs), settled, visits)
    fees = _netted_fees(own)
    visits = visits.with_columns(_amounts_by_type(fees, visits.height)).with_columns(
        capped_fund_share()
    )
    certificates = rows.certificates.filter(
        (pl.col("start_date") < pl.lit(as_of))
        & (
            pl.col("end_date").is_null()
            | (pl.col("end_date") >= pl.lit(as_of) - pl.duration(days=HORIZON))
        )
    )
    drugs = explained(
        _drugs(fees, visits, references),
        visits,
        certificates,
        references.drugs,
        references.diseases,
    )
    return MemberFacts(as_of, visits, drugs, certificates, rows, references)


def _with_own_refunds(visits: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The visits without refunds of later settlements or of settlements of other members."""
    is_refund = pl.col("is_refund")
    settled = visits.filter(~is_refund).select("member_id", original_settlement_id="settlement_id")
    refunds = visits.filter(is_refund & (pl.col("time") < pl.lit(as_of))).join(
        settled, on=["member_id", "original_settlement_id"], how="semi"
    )
    return pl.concat([visits.filter(~is_refund), refunds])


def _netted_visits(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per settlement that is not a refund, with its amounts after refunds."""
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
        .filter(is_left_of(pl.col("cents"), pl.col("refund")))
        .with_columns(fund_share=share(pl.col("fund_cents"), pl.col("cents")).fill_null(0.0))
        .with_columns(
            cents=pl.col("cents") + pl.col("refund").fill_null(0),
            fund_cents=pl.col("fund_cents") + pl.col("fund_refund").fill_null(0),
        )
        .drop("refund", "fund_refund")
    )


def _placed(netted: pl.DataFrame, references: References, as_of: date) -> pl.DataFrame:
    """Visits of the horizon with their place, sorted by member, time and settlement."""
    day = (pl.lit(as_of) - pl.col("time").dt.date()).dt.total_days().cast(pl.Int32)
    visits = (
        with_plain_codes(netted, "diagnosis")
        .with_columns(ago=day)
        .filter(pl.col("ago").is_between(1, HORIZON))
    )
    second = pl.col("time").dt.epoch("s") % _DAY_SECONDS - pl.col("ago") * _DAY_SECONDS
    owner = pl.col("member_id").rank("dense").cast(pl.Int64)
    number = owner * (HORIZON + 1) * _DAY_SECONDS + second
    return (
        in_order(visits, number, ("time", "settlement_id"))
        .join(references.institutions, on="institution_id", how="left", maintain_order="left")
        .with_columns(pl.col("member_id").set_sorted())
    )


def _own_fees(fees: pl.DataFrame, settled: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """Fees of the members' own settlements and refunds, with the number of the `visit` that they change."""
    is_refund = pl.col("is_refund")
    places = visits.select("settlement_id", owner="member_id", visit=pl.int_range(pl.len()))
    changed = settled.select(
        "settlement_id",
        "is_refund",
        changed=pl.when(is_refund).then("original_settlement_id").otherwise("settlement_id"),
    ).join(places, left_on="changed", right_on="settlement_id")
    return (
        fees.join(changed.drop("changed"), on="settlement_id")
        .filter(pl.col("member_id") == pl.col("owner"))
        .with_columns(signed_of(pl.col(name), is_refund).alias(name) for name in _FEE_SUMS)
        .select("visit", "is_refund", "item_type", "drug_id", "doctor_id", "day", *_FEE_SUMS)
    )


def _netted_fees(fees: pl.DataFrame) -> pl.DataFrame:
    """The fees of each visit after refunds; only fees with a refund, or a line that takes back, have to be summed.

    Neither need name the doctor: the remaining amount of a drug counts for its first doctor.
    """
    takes_back = pl.col("is_refund") | (pl.col("quantity") < 0) | (pl.col("cents") < 0)
    reduced = fees.filter(takes_back).get_column("visit").unique()
    is_touched = pl.col("visit").is_in(reduced.implode())
    fees = fees.drop("is_refund")
    summed = (
        fees.filter(is_touched)
        .with_columns(item_type=pl.when(pl.col("drug_id").is_null()).then("item_type"))
        .group_by("visit", "item_type", "drug_id")
        .agg(pl.min("day", "doctor_id"), pl.sum(*_FEE_SUMS))
        # Ten-thousandths are all that is delivered; the rest is what binary fractions leave.
        .with_columns(pl.col("quantity", "stated_days", "unstated_quantity").round(4))
        .filter((pl.col("quantity") > 0) & (pl.col("cents") > 0))
    )
    return pl.concat([fees.filter(~is_touched), summed.select(fees.columns)])


def _amounts_by_type(fees: pl.DataFrame, visits: int) -> pl.DataFrame:
    """The amounts of drugs and of other items in each visit."""
    visit = fees.get_column("visit").to_numpy()
    is_drug, kind, cents = pl.col("drug_id").is_not_null(), pl.col("item_type"), pl.col("cents")

    def total(value: pl.Expr) -> pl.Series:
        # Sums of doubles: whole numbers of cents are exact in them up to 2^53. What is not known adds nothing.
        weights = fees.select(value.cast(pl.Float64).fill_null(0.0)).to_series().to_numpy()
        return pl.Series(np.bincount(visit, weights, minlength=visits))

    return pl.DataFrame(
        {
            "drug_cents": total(cents * is_drug).cast(pl.Int64),
            "treatment_cents": total(cents * (kind == "treatment")).cast(pl.Int64),
            "exam_cents": total(cents * (kind == "exam")).cast(pl.Int64),
            "boxes": total(pl.col("quantity") * is_drug).round(4),
            "drug_lines": total(is_drug).cast(pl.Int64),
        }
    )


def _drugs(fees: pl.DataFrame, visits: pl.DataFrame, references: References) -> pl.DataFrame:
    """Drugs with their visit and references, sorted by member, ingredient, visit and `_DRUG_ORDER`."""
    kinds = (
        fees.select(pl.col("drug_id").drop_nulls().unique())
        .join(references.drugs.drop("indications", "atc", "list_price"), on="drug_id", how="left")
        .with_columns(ingredient=pl.coalesce("ingredient", "drug_id"))
    )
    numbers = kinds.select(
        "drug_id", kind=pl.int_range(pl.len()), substance=pl.col("ingredient").rank("dense")
    )
    owners = visits.select(pl.col("member_id").rle_id().cast(pl.Int64)).to_series()
    lines = fees.drop("item_type").join(numbers, on="drug_id")
    number = (
        pl.lit(owners[lines["visit"]]) * (kinds.height + 1) + pl.col("substance")
    ) * visits.height + pl.col("visit")
    # A total order: sums of doubles may depend on it, and so does what comes first.
    lines = in_order(lines, number, _DRUG_ORDER)
    held = ["doctor_id", *_FEE_SUMS]
    parts = [lines.select(held), visits.select(_CARRIED)[lines["visit"]], kinds[lines["kind"]]]
    return (
        pl.concat(parts, how="horizontal")
        .with_columns(
            pl.col("member_id").set_sorted(),
            supply=(
                pl.col("stated_days")
                + pl.col("unstated_quantity") * pl.col("days_per_box").fill_null(0)
            ),
            fund_cents=(pl.col("cents") * pl.col("fund_share")).round().cast(pl.Int64),
        )
        .drop("stated_days", "unstated_quantity")
    )
