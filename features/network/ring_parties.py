"""Doctors, counters and shops that have more to do with a ring than chance gives, with their roles.

Each is compared with people who are in no ring with those: a doctor with everybody who goes to the same institution,
a counter with the neighbours of the accounts, a shop where boxes come up again with boxes of others from the same
counters. Of those of a kind who are named on a day, at most one in twenty may be by chance.
"""

from typing import Any

import numpy as np
import polars as pl

from expectations.landing.codes import DOCTOR, PHARMACY, SELLER
from features.boxes import BORROWED_BOXES, MOST_BY_CHANCE
from features.chance import Floats, binomial_surprise, poisson_surprise
from features.network.rotation import false_discovery

#: Of those who are named, at most so many may be by chance.
_FALSE_SHARE = 0.05
#: One account, or one box, is never a sign of working together.
_SEVERAL = 2
_SHAPE: dict[str, Any] = {
    "ring_id": pl.String,
    "subject_type": pl.String,
    "subject_id": pl.String,
    "role": pl.String,
    "role_score": pl.Float64,
    "reasons": pl.List(pl.String),
}


def ring_doctors(
    mains: pl.DataFrame, everybody: pl.DataFrame, accounts: pl.DataFrame
) -> pl.DataFrame:
    """Doctors who are the main doctor, at an institution, of more accounts of a ring than of everybody else there.

    Accounts are counted, not visits: who has a doctor goes back to the doctor. A doctor at several
    institutions is judged by the one that says most.

    Args:
        mains: `ring_id`, `member_id`, `institution_id`, `doctor_id`: who bills at least half of an account's
            visits there; null if nobody does.
        everybody: `institution_id`, `doctor_id`, `accounts`: the same of everybody, the rings' accounts too.
        accounts: `ring_id`, `member_id` of all accounts in rings.

    Returns:
        One row per ring and doctor: the columns of gold.ring_member but the day and the rank.
    """
    found = _shared(
        mains.rename({"institution_id": "among", "doctor_id": "subject_id"}),
        everybody.rename({"institution_id": "among", "doctor_id": "subject_id"}),
        ["ring_id", "among", "subject_id"],
    )
    named = _named(found, accounts, "doctor", DOCTOR, "main_doctor_beyond_others")
    return named.sort("role_score", descending=True).unique(
        ["ring_id", "subject_id"], keep="first", maintain_order=True
    )


def ring_counters(
    mains: pl.DataFrame, everybody: pl.DataFrame, accounts: pl.DataFrame
) -> pl.DataFrame:
    """Institutions that are the main counter of more accounts of a ring than of their neighbours.

    Args:
        mains: `ring_id`, `member_id`, `area`, `institution_id`: where each account has at least half of its
            visits; null if nowhere.
        everybody: `area`, `institution_id`, `accounts`: the same of everybody who lives there, the rings' accounts
            too.
        accounts: `ring_id`, `member_id` of all accounts in rings.

    Returns:
        One row per ring and institution, as `ring_doctors`.
    """
    found = _shared(
        mains.rename({"area": "among", "institution_id": "subject_id"}),
        everybody.rename({"area": "among", "institution_id": "subject_id"}),
        ["ring_id", "subject_id"],
    )
    return _named(found, accounts, "institution", PHARMACY, "main_counter_beyond_neighbours")


def ring_shops(boxes: pl.DataFrame, usual: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Institutions that sold boxes again that accounts of a ring had got.

    Boxes are counted. How often boxes of others are seen again somewhere else is taken from the counters
    where the ring got its own; the chance of so many at one shop is at most that of so many anywhere.

    Args:
        boxes: `ring_id`, `member_id`, `institution_id` (where they were got), `shop` (where they were sold
            again; null for those that were not), `boxes`.
        usual: `institution_id`, `boxes`, `resold` of everybody who is in no ring.
        accounts: `ring_id`, `member_id` of all accounts in rings.

    Returns:
        One row per ring and institution, as `ring_doctors`.
    """
    rate = pl.sum("resold") / pl.sum("boxes")
    known = usual.filter(pl.sum("boxes") > 0).with_columns(
        chance=((pl.col("resold") + BORROWED_BOXES * rate) / (pl.col("boxes") + BORROWED_BOXES))
    )
    overall = known.select(overall=rate)
    expected = (
        boxes.group_by("ring_id", "institution_id")
        .agg(pl.sum("boxes"))
        .join(known.select("institution_id", "chance"), on="institution_id", how="left")
        .join(overall, how="cross")
        .with_columns(pl.col("chance").fill_null(pl.col("overall")).clip(0, MOST_BY_CHANCE))
        .group_by("ring_id")
        .agg(expected=(pl.col("boxes") * pl.col("chance")).sum())
    )
    found = (
        boxes.drop_nulls("shop")
        .group_by("ring_id", subject_id="shop")
        .agg(count=pl.sum("boxes"), accounts=pl.n_unique("member_id"))
        .join(expected.filter(pl.col("expected").is_not_nan()), on="ring_id")
    )
    surprise = poisson_surprise(found["count"].to_numpy(), found["expected"].to_numpy())
    return _standing(
        found, surprise, accounts, "institution", SELLER, "boxes_of_the_ring_sold_again"
    )


def _shared(mains: pl.DataFrame, everybody: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """How many accounts of a ring share a main doctor or counter, and the chance that one has it.

    Each account is compared with everybody else `among` whom it is.

    Args:
        mains: `ring_id`, `member_id`, `among`, `subject_id` (null if none).
        everybody: `among`, `subject_id`, `accounts`.
        by: what a row is of.

    Returns:
        `by`, `accounts`, `asked`, `chance`.
    """
    sums = everybody.group_by("among").agg(all_accounts=pl.sum("accounts"), subjects=pl.len())
    own = mains.group_by("ring_id", "among", "subject_id").agg(own=pl.len().cast(pl.Int64))
    asked = own.group_by("ring_id", "among").agg(asked=pl.sum("own"))
    named = own.drop_nulls("subject_id").select(by).unique()
    share = (pl.col("accounts").fill_null(0) - pl.col("own").fill_null(0) + 1) / (
        pl.col("all_accounts") - pl.col("asked") + pl.col("subjects")
    )
    return (
        named.join(asked, on=[name for name in by if name != "subject_id"])
        .join(own, on=["ring_id", "among", "subject_id"], how="left")
        .join(everybody, on=["among", "subject_id"], how="left")
        .join(sums, on="among")
        .with_columns(share=share.clip(0, 1))
        .group_by(by)
        .agg(
            accounts=pl.sum("own"),
            asked=pl.sum("asked"),
            chance=(pl.col("share") * pl.col("asked")).sum() / pl.sum("asked"),
        )
        .sort(by)
    )


def _named(
    found: pl.DataFrame, accounts: pl.DataFrame, kind: str, role: str, reason: str
) -> pl.DataFrame:
    counts = (found[name].to_numpy() for name in ("accounts", "asked", "chance"))
    found = found.with_columns(count=pl.col("accounts"))
    return _standing(found, binomial_surprise(*counts), accounts, kind, role, reason)


def _standing(
    found: pl.DataFrame,
    surprise: Floats,
    accounts: pl.DataFrame,
    kind: str,
    role: str,
    reason: str,
) -> pl.DataFrame:
    """Those that stand against chance; the score is the share of all accounts of the ring."""
    stands = false_discovery(list(np.power(10.0, -surprise)), _FALSE_SHARE)
    size = accounts.group_by("ring_id").agg(size=pl.n_unique("member_id"))
    return (
        found.filter(pl.Series(stands, dtype=pl.Boolean) & (pl.col("count") >= _SEVERAL))
        .join(size, on="ring_id")
        .select(
            "ring_id",
            "subject_id",
            subject_type=pl.lit(kind),
            role=pl.lit(role),
            role_score=(pl.col("accounts") / pl.col("size")).round(6),
            reasons=pl.concat_list(pl.lit(reason)),
        )
        .select(pl.col(name).cast(shape) for name, shape in _SHAPE.items())
        .sort("ring_id", "subject_id")
    )
