"""How each ring works: findings with the numbers that they rest on."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.chance import binomial_surprise
from features.network.rotation import false_discovery, rotation

#: What serves so large a share of a ring's accounts belongs to how the ring works.
MAIN_SHARE = 0.5
#: From this share of accounts with kin in the ring on, a ring is a family's.
_FAMILY_SHARE = 0.3
_PLACES = 3
#: Of the rotations that are found, at most so many may be false.
_FALSE_SHARE = 0.05
#: -log10 of the chance that one carrier has so many of the accounts, if anybody of the ring might carry.
_SPLIT_SIGNIFICANCE = 2.0
_SHAPE: dict[str, Any] = {
    "ring_id": pl.String,
    "finding": pl.String,
    "holds": pl.Boolean,
    "value": pl.Float64,
    "expected": pl.Float64,
    "significance": pl.Float64,
    "accounts": pl.Int64,
    "subject_ids": pl.List(pl.String),
}


@dataclass(frozen=True)
class RingEvidence:
    """What findings are made from; everything is about rings of one day.

    Attributes:
        members: `ring_id`, `member`.
        carriers: from `carriers_of_rings`.
        carried: `ring_id`, `member_id`, `carrier_kind`, `carrier`.
        homes: `member_id`, `household_id`.
        visited: `ring_id`, `member_id`, `institution_id`, `visits`.
        used: `ring_id`, `member_id`, `month` (months since the year 0) in which drugs were taken that are resold.
        kin_links: `ring_id`, `kin`, `kin_of`: linked accounts of members' households that are in no ring.
    """

    members: pl.DataFrame
    carriers: pl.DataFrame
    carried: pl.DataFrame
    homes: pl.DataFrame
    visited: pl.DataFrame
    used: pl.DataFrame
    kin_links: pl.DataFrame


def ring_findings(evidence: RingEvidence) -> pl.DataFrame:
    """One row per ring and finding that could be looked at.

    `family`: the share of accounts that have kin in the ring. `linked_kin`: accounts of members' households
    that do things together with them and are in no ring; they are listed as kin, and are no evidence.
    `shared_credentials`: the share of accounts that one person or phone carries. `one_counter`: the share
    that one operator serves more often than not. `many_places`: institutions that half of the accounts use.
    `rotation`: cards that are used in turn. `role_split`: the share of the carried accounts that one person
    carries whom none of them carries.

    Returns:
        The columns of gold.ring_finding but the day.
    """
    found = [
        _family(evidence),
        _linked_kin(evidence),
        _main_carrier(evidence, "shared_credentials", ("member", "phone")),
        _main_carrier(evidence, "one_counter", ("operator",)),
        _many_places(evidence.visited),
        _rotations(evidence),
        _role_splits(evidence),
    ]
    return pl.concat([_shaped(rows) for rows in found]).sort("ring_id", "finding")


def codes_of_rings(members: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The findings that hold, one row per `ring_id` with `findings` in alphabetical order."""
    held = findings.filter("holds").group_by("ring_id").agg(findings=pl.col("finding").sort())
    return (
        members.select("ring_id")
        .unique()
        .join(held, on="ring_id", how="left")
        .select("ring_id", pl.col("findings").fill_null([]))
        .sort("ring_id")
    )


def _family(evidence: RingEvidence) -> pl.DataFrame:
    kin = (
        evidence.members.join(evidence.homes, left_on="member", right_on="member_id")
        .filter(pl.len().over("ring_id", "household_id") > 1)
        .group_by("ring_id")
        .agg(accounts=pl.n_unique("member"), subject_ids=pl.col("member").unique().sort())
        .join(_sizes(evidence.members), on="ring_id")
    )
    share = pl.col("accounts") / pl.col("size")
    return kin.with_columns(finding=pl.lit("family"), value=share, holds=share >= _FAMILY_SHARE)


def _linked_kin(evidence: RingEvidence) -> pl.DataFrame:
    found = evidence.kin_links.group_by("ring_id").agg(
        accounts=pl.n_unique("kin_of"), subject_ids=pl.col("kin").unique().sort()
    )
    return found.with_columns(
        finding=pl.lit("linked_kin"),
        value=pl.col("subject_ids").list.len(),
        holds=pl.lit(True),
    )


def _main_carrier(evidence: RingEvidence, finding: str, kinds: tuple[str, ...]) -> pl.DataFrame:
    """The carrier of some kinds with most accounts of each ring, and those with half of them and more."""
    is_one = pl.col("carrier_kind").is_in(list(kinds)) & (pl.col("carried") >= 2)
    order = ["ring_id", "reach", "carrier"]
    best = evidence.carriers.filter(is_one).sort(*order, descending=[False, True, False])
    main = pl.col("reach") >= MAIN_SHARE
    return best.group_by("ring_id", maintain_order=True).agg(
        finding=pl.lit(finding),
        holds=main.any(),
        value=pl.first("reach"),
        accounts=pl.first("carried"),
        subject_ids=pl.when(main.any())
        .then(pl.col("carrier").filter(main).implode())
        .otherwise(pl.col("carrier").head(1).implode()),
    )


def shared_places(visited: pl.DataFrame) -> pl.DataFrame:
    """Institutions by ring with `users` and the `share` of its accounts that used each, twice and more."""
    size = visited.group_by("ring_id").agg(size=pl.n_unique("member_id"))
    return (
        visited.filter(pl.col("visits") >= 2)
        .group_by("ring_id", "institution_id")
        .agg(users=pl.n_unique("member_id"))
        .join(size, on="ring_id")
        .with_columns(share=pl.col("users") / pl.col("size"))
    )


def _many_places(visited: pl.DataFrame) -> pl.DataFrame:
    places = shared_places(visited).filter(pl.col("share") >= MAIN_SHARE)
    found = places.group_by("ring_id").agg(
        accounts=pl.max("users"), subject_ids=pl.col("institution_id").sort()
    )
    count = pl.col("subject_ids").list.len()
    return found.with_columns(finding=pl.lit("many_places"), value=count, holds=count >= _PLACES)


def _rotations(evidence: RingEvidence) -> pl.DataFrame:
    rows, chances = [], []
    cards_of = dict(evidence.members.group_by("ring_id").agg(pl.col("member").sort()).iter_rows())
    for ring, cards in sorted(cards_of.items()):
        used = evidence.used.filter((pl.col("ring_id") == ring) & pl.col("member_id").is_in(cards))
        if used.is_empty():
            continue
        first, last = used["month"].min(), used["month"].max()
        assert isinstance(first, int)
        assert isinstance(last, int)
        months = np.zeros((len(cards), last - first + 1), np.bool_)
        row_of = {card: row for row, card in enumerate(cards)}
        for card, month in used.select("member_id", "month").iter_rows():
            months[row_of[card], month - first] = True
        test = rotation(months)
        if test is None:
            continue
        chances.append(test.chance)
        rows.append(
            {
                "ring_id": ring,
                "finding": "rotation",
                "value": float(test.together),
                "expected": test.expected,
                "significance": round(-math.log10(test.chance), 4),
                "accounts": int(months.any(axis=1).sum()),
                "subject_ids": [cards[row] for row in test.order if months[row].any()],
            }
        )
    holds = false_discovery(chances, _FALSE_SHARE)
    whole = [row | {"holds": each} for row, each in zip(rows, holds, strict=True)]
    return pl.DataFrame(whole, schema=_SHAPE)


def _role_splits(evidence: RingEvidence) -> pl.DataFrame:
    """The person who carries most, and whom none of those carries."""
    pairs = evidence.carried.filter(
        (pl.col("carrier_kind") == "member") & (pl.col("carrier") != pl.col("member_id"))
    ).select("ring_id", "member_id", "carrier")
    pairs = pairs.unique()
    back = pairs.select("ring_id", member_id="carrier", carrier="member_id")
    one_sided = pairs.join(back, on=["ring_id", "member_id", "carrier"], how="anti")
    carried = pairs.group_by("ring_id").agg(carried=pl.n_unique("member_id"))
    people = (
        pl.concat(
            [
                evidence.members.select("ring_id", person="member"),
                pairs.select("ring_id", person="carrier"),
            ]
        )
        .unique()
        .group_by("ring_id")
        .agg(people=pl.len())
    )
    best = (
        one_sided.group_by("ring_id", "carrier")
        .agg(accounts=pl.n_unique("member_id"))
        .filter(pl.col("accounts") >= 2)
        .sort("ring_id", "accounts", "carrier", descending=[False, True, False])
        .group_by("ring_id", maintain_order=True)
        .agg(pl.first("accounts"), subject_ids=pl.col("carrier").head(1))
        .join(carried, on="ring_id")
        .join(people, on="ring_id")
        .with_columns(
            value=pl.col("accounts") / pl.col("carried"), expected=1 / (pl.col("people") - 1)
        )
    )
    tail = binomial_surprise(
        best["accounts"].to_numpy(), best["carried"].to_numpy(), best["expected"].to_numpy()
    )
    # Whoever carries most was chosen among all people of the ring.
    significance = (pl.Series(tail, dtype=pl.Float64) - best["people"].log10()).clip(0).round(4)
    return best.with_columns(
        finding=pl.lit("role_split"),
        significance=significance,
        holds=(pl.col("value") >= MAIN_SHARE) & (significance >= _SPLIT_SIGNIFICANCE),
    )


def _sizes(members: pl.DataFrame) -> pl.DataFrame:
    return members.group_by("ring_id").agg(size=pl.len())


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(shape).alias(name)
        for name, shape in _SHAPE.items()
    )
