"""Who does what in a ring: roles from what is asymmetric, and who is likely to run it."""

from typing import Any

import polars as pl

from expectations.landing.codes import CARD_HOLDER, COLLECTOR, DISPENSER, ORGANISER, VICTIM
from features.network.ring_findings import MAIN_SHARE

#: An operator has an account's trust who serves this share of its visits, and at least so many.
_LOYAL_SHARE, _LOYAL_VISITS = 0.5, 3
#: Who is not linked takes part from so many accounts on for which he or she comes.
_SEVERAL = 2
_SHAPE: dict[str, Any] = {
    "ring_id": pl.String,
    "subject_type": pl.String,
    "subject_id": pl.String,
    "role": pl.String,
    "role_score": pl.Float64,
    "organiser_rank": pl.Int64,
    "reasons": pl.List(pl.String),
}


def carriers_of_rings(carried: pl.DataFrame, visited: pl.DataFrame) -> pl.DataFrame:
    """How many accounts of a ring each carrier serves, one row per ring, kind and carrier.

    Operators count only where an account is with them more often than not.

    Args:
        carried: `ring_id`, `member_id`, `carrier_kind` (`member`, `phone`, `operator`), `carrier`,
            `visits`.
        visited: `ring_id`, `member_id`, `institution_id`, `visits`: all visits of the accounts.

    Returns:
        `ring_id`, `carrier_kind`, `carrier`, `carried` (accounts), `reach` (their share of the ring),
        `carried_by` (people who carry the carrier's own account).
    """
    totals = visited.group_by("ring_id", "member_id").agg(total=pl.sum("visits"))
    size = totals.group_by("ring_id").agg(accounts=pl.len())
    is_loyal = (pl.col("visits") >= _LOYAL_SHARE * pl.col("total")) & (
        pl.col("visits") >= _LOYAL_VISITS
    )
    by_others = carried.filter(pl.col("carrier") != pl.col("member_id"))
    back = (
        by_others.filter(pl.col("carrier_kind") == "member")
        .group_by("ring_id", "carrier_kind", "member_id")
        .agg(carried_by=pl.n_unique("carrier"))
        .rename({"member_id": "carrier"})
    )
    return (
        by_others.join(totals, on=["ring_id", "member_id"])
        .filter((pl.col("carrier_kind") != "operator") | is_loyal)
        .group_by("ring_id", "carrier_kind", "carrier")
        .agg(carried=pl.n_unique("member_id"))
        .join(size, on="ring_id")
        .join(back, on=["ring_id", "carrier_kind", "carrier"], how="left")
        .with_columns(
            pl.col("carried_by").fill_null(0), reach=pl.col("carried") / pl.col("accounts")
        )
        .drop("accounts")
        .sort("ring_id", "carrier_kind", "carrier")
    )


def role_rows(members: pl.DataFrame, carriers: pl.DataFrame, parties: pl.DataFrame) -> pl.DataFrame:
    """One row per ring and subject with its role.

    Who is insured here and carries two and more accounts of others (as proxy, or by the proxy's phone), and more than
    there are people who carry the own one, is a collector: cards that are shown for each other make nobody one. Who is
    not linked takes part only so. Of several collectors the one who carries most of the ring, more than anybody
    else, is an organiser. All other accounts are card holders, but victims where one
    operator serves most of the ring's accounts and nobody carries them: their cards are kept by staff.
    A phone that shows several accounts' vouchers is a collector's, such an operator a dispenser.

    Args:
        members: `ring_id`, `member`, `strength` (mean log-odds of its two best links in the ring).
        carriers: from `carriers_of_rings`.
        parties: doctors and institutions, from `features.network.ring_parties`. Of two roles of one, the
            first in the order of the alphabet stays, with the reasons of both: a pharmacy that also sells.

    Returns:
        The columns of gold.ring_member but the day.
    """
    key = ["ring_id", "subject_type", "subject_id"]
    others = (
        parties.sort(*key, "role")
        .group_by(key, maintain_order=True)
        .agg(pl.first("role"), pl.max("role_score"), pl.col("reasons").explode())
        .with_columns(organiser_rank=pl.lit(None))
        .select(pl.col(name).cast(shape) for name, shape in _SHAPE.items())
    )
    return pl.concat([_people(members, carriers), _things(carriers), others]).sort(key)


def unseen_heads(rows: pl.DataFrame) -> pl.DataFrame:
    """Whether a ring's head is not among its people, one row per `ring_id`.

    A head is seen where a person carries others of the ring; cards alone name nobody.
    """
    people = rows.filter(pl.col("subject_type") == "member")
    is_head = pl.col("role").is_in([COLLECTOR, ORGANISER])
    return people.group_by("ring_id").agg(has_unseen_head=~is_head.any()).sort("ring_id")


def _ranked_people(members: pl.DataFrame, carriers: pl.DataFrame) -> pl.DataFrame:
    """Who takes part, with `is_carrier` and `is_victim`, in the order in which each may head the ring."""
    carrying = carriers.filter(pl.col("carrier_kind") == "member").select(
        "ring_id", "carried", "reach", "carried_by", member="carrier"
    )
    staffed = (
        carriers.filter((pl.col("carrier_kind") == "operator") & (pl.col("reach") >= MAIN_SHARE))
        .select("ring_id", is_staffed=pl.lit(True))
        .unique()
    )
    is_carried = carriers.filter((pl.col("carrier_kind") != "operator") & (pl.col("carried") >= 2))
    return (
        members.join(carrying, on=["ring_id", "member"], how="full", coalesce=True)
        # Whoever comes for one account alone, and is not linked, is mostly a relative of its holder.
        .filter(pl.col("strength").is_not_null() | (pl.col("carried") >= _SEVERAL))
        .join(staffed, on="ring_id", how="left")
        .join(
            is_carried.select("ring_id", has_carrier=pl.lit(True)).unique(),
            on="ring_id",
            how="left",
        )
        .with_columns(
            pl.col("carried", "carried_by").fill_null(0),
            pl.col("reach").fill_null(0.0),
            is_linked=pl.col("strength").is_not_null(),
            strength=pl.col("strength").fill_null(0.0),
            is_victim=pl.col("is_staffed").fill_null(False)
            & ~pl.col("has_carrier").fill_null(False),
        )
        .with_columns(
            is_carrier=(pl.col("carried") >= _SEVERAL) & (pl.col("carried") > pl.col("carried_by"))
        )
        .sort(
            *("ring_id", "is_carrier", "reach", "strength", "member"),
            descending=[False, True, True, True, False],
        )
        .with_columns(
            organiser_rank=pl.int_range(1, pl.len() + 1).over("ring_id"),
            # Of the next in rank; null if there is none who carries.
            next_reach=pl.when("is_carrier").then("reach").shift(-1).over("ring_id"),
        )
    )


def _people(members: pl.DataFrame, carriers: pl.DataFrame) -> pl.DataFrame:
    people = _ranked_people(members, carriers)
    carries = pl.col("is_carrier")
    is_head = (
        (pl.col("organiser_rank") == 1)
        & (pl.col("reach") >= MAIN_SHARE)
        & (pl.col("reach") > pl.col("next_reach")).fill_null(False)
    )
    role = (
        pl.when(is_head)
        .then(pl.lit(ORGANISER))
        .when(carries)
        .then(pl.lit(COLLECTOR))
        .when(pl.col("is_victim"))
        .then(pl.lit(VICTIM))
        .otherwise(pl.lit(CARD_HOLDER))
    )
    reasons = pl.concat_list(
        pl.when("is_linked").then(pl.lit("linked_account")),
        pl.when(pl.col("carried") > 0).then(pl.lit("carries_accounts_of_others")),
        pl.when(is_head).then(pl.lit("carries_most_of_the_ring")),
        pl.when(pl.col("is_victim") & ~carries).then(pl.lit("kept_by_staff")),
    ).list.drop_nulls()
    score = pl.when(carries).then("reach").otherwise(1 / (1 + (-pl.col("strength")).exp()))
    return _shaped(people, "member", pl.col("member"), role, score, reasons)


def _things(carriers: pl.DataFrame) -> pl.DataFrame:
    """Phones and operators that serve several accounts of a ring."""
    is_phone = pl.col("carrier_kind") == "phone"
    rows = carriers.filter((pl.col("carrier_kind") != "member") & (pl.col("carried") >= 2))
    rows = rows.with_columns(organiser_rank=pl.lit(None))
    role = pl.when(is_phone).then(pl.lit(COLLECTOR)).otherwise(pl.lit(DISPENSER))
    why = (
        pl.when(is_phone)
        .then(pl.lit("shows_vouchers_of_several"))
        .otherwise(pl.lit("serves_several_more_often_than_not"))
    )
    kind = pl.col("carrier_kind")
    return _shaped(rows, kind, pl.col("carrier"), role, pl.col("reach"), pl.concat_list(why))


def _shaped(
    rows: pl.DataFrame,
    kind: str | pl.Expr,
    subject: pl.Expr,
    role: pl.Expr,
    score: pl.Expr,
    reasons: pl.Expr,
) -> pl.DataFrame:
    found = rows.select(
        ring_id="ring_id",
        subject_type=pl.lit(kind) if isinstance(kind, str) else kind,
        subject_id=subject,
        role=role,
        role_score=score.clip(0, 1).round(6),
        organiser_rank=pl.col("organiser_rank"),
        reasons=reasons,
    )
    return found.select(pl.col(name).cast(shape) for name, shape in _SHAPE.items())
