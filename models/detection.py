"""The quality of a list of accounts, measured against the truth of a simulated province."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from expectations.gold.account import (
    FAMILIES_APART,
    LEAST_LINK_PROBABILITY,
    LINK_FAMILY,
    LINK_PLACE_WEIGHT,
    PLACE_OFFSET,
    RESEMBLANCE_FAMILY,
    RESEMBLANCE_PLACE_WEIGHT,
)

#: The part of insured people whose place on a list counts as being seen.
TOP_SHARE = 0.01
#: Benign groups of fewer people say little.
MIN_BENIGN = 100


@dataclass(frozen=True)
class Truth:
    """The accounts in fraud with their losses, and the honest people who look guilty.

    Args:
        accounts: `member_id, typology, active_from, loss`, one row per account used in fraud; `skill`
            (0 to 1, empty where it is not known) and `gang_id` where the truth has them.
        benign: `member_id, benign_type`.
        insured: the number of insured people.
        decided: people in a case that was decided before the list was made.
    """

    accounts: pl.DataFrame
    benign: pl.DataFrame
    insured: int
    decided: frozenset[str] = frozenset()

    @property
    def top(self) -> int:
        """The number of places on a list that count as found."""
        return max(1, round(self.insured * TOP_SHARE))


@dataclass(frozen=True)
class Figure:
    """One measure of a list, for a slice of it; `n` is the number of accounts behind it."""

    measure: str
    slice: str
    value: float | None
    n: int


def reranked(indicators: pl.DataFrame, without: str | None = None) -> pl.DataFrame:
    """Rank accounts as `features.indicator.accounts` does, with a family of rules switched off.

    Args:
        indicators: `member_id, family, points, value, held_back_by, expected_loss`, and `best_link` and `two_best`,
            the strength of the account's best link and of its two best, if there are links.
        without: the family.

    Returns:
        `member_id, points, rank`.
    """
    if "best_link" not in indicators.columns:
        nothing = pl.lit(None, dtype=pl.Float64)
        indicators = indicators.with_columns(best_link=nothing, two_best=nothing)
    counted = indicators.filter(pl.col("held_back_by").is_null())
    if without is not None:
        counted = counted.filter(pl.col("family") != without)
    is_own = ~pl.col("family").is_in(FAMILIES_APART)
    accounts = (
        counted.group_by("member_id", "family")
        .agg(pl.max("points", "value"), pl.first("expected_loss", "best_link", "two_best"))
        .group_by("member_id")
        .agg(
            pl.sum("points").round(6),
            pl.first("expected_loss", "best_link", "two_best"),
            own=pl.when(is_own.any()).then(pl.col("points").filter(is_own).sum().round(6)),
            is_linked=(pl.col("family") == LINK_FAMILY).any(),
            resemblance=pl.col("value").filter(pl.col("family") == RESEMBLANCE_FAMILY).max(),
        )
    )
    own = _part_of_place(accounts, "own").filter(pl.col("own").is_not_null())
    probability = (1 / (1 + (-pl.col("two_best")).exp())).fill_null(0).clip(LEAST_LINK_PROBABILITY)
    linked = (
        _part_of_place(accounts, "is_linked", "two_best", "best_link")
        .filter("is_linked")
        .with_columns(part=pl.col("part") * probability)
    )
    alike = _part_of_place(accounts, "resemblance").filter(pl.col("resemblance").is_not_null())
    return (
        accounts.join(own.select("member_id", by_points="part"), on="member_id", how="left")
        .join(linked.select("member_id", by_links="part"), on="member_id", how="left")
        .join(alike.select("member_id", by_resemblance="part"), on="member_id", how="left")
        .with_columns(
            priority=(
                pl.col("by_points").fill_null(0.0)
                + LINK_PLACE_WEIGHT * pl.col("by_links").fill_null(0.0)
                + RESEMBLANCE_PLACE_WEIGHT * pl.col("by_resemblance").fill_null(0.0)
            )
            .log()
            .round(6)
        )
        .sort(["priority", "expected_loss", "member_id"], descending=[True, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1))
        .select("member_id", "points", "rank")
    )


def _part_of_place(accounts: pl.DataFrame, *strongest_first: str) -> pl.DataFrame:
    """Accounts with `part`: 1 / (PLACE_OFFSET + place) in the order of some columns."""
    by = [*strongest_first, "expected_loss"]
    ordered = accounts.sort(
        [*by, "member_id"], descending=[*[True] * len(by), False], nulls_last=True
    )
    return ordered.with_columns(part=1.0 / (PLACE_OFFSET + pl.int_range(1, pl.len() + 1)))


def figures(ranked: pl.DataFrame, truth: Truth, capacities: Sequence[int]) -> list[Figure]:
    """Every measure of one list.

    For average precision, accounts that are not on the list are never found. Loss is the truth's loss
    to the fund over the whole period. Lift is precision over the share of accounts in fraud.
    """
    positives = truth.accounts.height
    whole_loss = float(truth.accounts["loss"].sum())
    judged = ranked.join(truth.accounts, on="member_id", how="left").sort("rank")
    is_hit = pl.col("loss").is_not_null()
    hits = judged.with_columns(found=is_hit.cum_sum()).filter(is_hit)
    base = positives / truth.insured if truth.insured else 0.0
    result = [
        Figure(
            "average_precision",
            "",
            _share(float((hits["found"] / hits["rank"]).sum()), positives),
            positives,
        )
    ]
    for name, size in [*((str(each), each) for each in capacities), ("1%", truth.top)]:
        first = judged.filter(pl.col("rank") <= size)
        found, loss = int(first["loss"].is_not_null().sum()), float(first["loss"].sum() or 0.0)
        precision = found / size
        result += [
            Figure("precision", name, precision, size),
            Figure("recall", name, _share(found, positives), positives),
            Figure("loss_recall", name, _share(loss, whole_loss), positives),
            Figure("lift", name, _share(precision, base), size),
        ]
    return [
        *result,
        *_by_typology(judged, truth),
        *_by_benign(judged, truth),
        *_by_skill(ranked, truth),
        *_undecided(ranked, truth),
    ]


def average_precision(
    ranks: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], total: float
) -> float:
    """Average precision of a list with weighted hits.

    Args:
        ranks: the ascending places of the hits on the list, from 1.
        weights: the weight of each hit; other accounts on the list have weight 1.
        total: the total weight of all accounts in fraud, on the list or not.
    """
    hits = np.cumsum(weights)
    others = ranks - np.arange(1, len(ranks) + 1)
    at = hits / np.maximum(hits + others, 1e-12)
    return float((at * weights).sum() / total) if total else 0.0


def pooled_interval(
    provinces: Sequence[tuple[pl.DataFrame, pl.DataFrame]], draws: int = 400, seed: int = 0
) -> tuple[float, float]:
    """The 90 % interval of the mean average precision over provinces, with whole gangs resampled.

    Accounts of a gang are found or missed together, so gangs, not accounts, are drawn with replacement
    (cluster bootstrap; Field and Welsh 2007). An account without a gang is a gang of its own.

    Args:
        provinces: for each province, the ranking (`member_id, rank`) and the truth's accounts.
        draws: how many samples.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    found = np.zeros(draws)
    for ranked, accounts in provinces:
        gang = pl.col("gang_id") if "gang_id" in accounts.columns else pl.lit(None, pl.String)
        rows = (
            accounts.with_columns(gang=pl.coalesce(gang, "member_id"))
            .join(ranked.select("member_id", "rank"), on="member_id", how="left")
            .sort("rank", "member_id", nulls_last=True)
        )
        number = rows["gang"].rank("dense").to_numpy().astype(np.int64) - 1
        gangs = int(number.max()) + 1 if len(number) else 0
        is_listed = rows["rank"].is_not_null().to_numpy()
        ranks = rows["rank"].drop_nulls().to_numpy().astype(np.float64)
        for draw in range(draws if gangs else 0):
            times = np.bincount(rng.integers(0, gangs, gangs), minlength=gangs)[number]
            weights = times.astype(np.float64)
            found[draw] += average_precision(ranks, weights[is_listed], float(weights.sum()))
    low, high = np.quantile(found / max(1, len(provinces)), (0.05, 0.95))
    return float(low), float(high)


def days_to_detection(lists: dict[date, pl.DataFrame], truth: Truth) -> list[Figure]:
    """Median days from an account's first offence to the first later monthly list that has it in its top.

    An offence that began before the first list counts from the date of that list.
    """
    seen = [
        ranked.filter(pl.col("rank") <= truth.top).select("member_id", day=pl.lit(day))
        for day, ranked in lists.items()
    ]
    if not seen:
        return []
    started = pl.max_horizontal("active_from", pl.lit(min(lists)).cast(pl.Date))
    waits = (
        truth.accounts.join(pl.concat(seen), on="member_id")
        .filter(pl.col("day") >= pl.col("active_from"))
        .group_by("member_id")
        .agg(wait=(pl.col("day") - started).dt.total_days().min())
    )
    median = waits["wait"].median()
    return [
        Figure(
            "days_to_detection", "", None if median is None else float(str(median)), waits.height
        ),
        Figure("ever_seen", "", _share(waits.height, truth.accounts.height), truth.accounts.height),
    ]


def _by_typology(judged: pl.DataFrame, truth: Truth) -> list[Figure]:
    seen = judged.filter(pl.col("rank") <= truth.top).select("member_id", is_seen=pl.lit(1))
    rows = (
        truth.accounts.join(seen, on="member_id", how="left")
        .group_by("typology")
        .agg(
            n=pl.len(),
            recall=pl.col("is_seen").fill_null(0).mean(),
            loss=pl.col("loss").sum(),
            found=(pl.col("loss") * pl.col("is_seen").fill_null(0)).sum(),
        )
        .sort("typology")
    )
    result = []
    for row in rows.iter_rows(named=True):
        result += [
            Figure("recall_by_typology", row["typology"], row["recall"], row["n"]),
            Figure(
                "loss_recall_by_typology",
                row["typology"],
                _share(row["found"], row["loss"]),
                row["n"],
            ),
        ]
    return result


def _by_skill(ranked: pl.DataFrame, truth: Truth) -> list[Figure]:
    """Average precision and recall of loss for crude and for skilled gangs, each without the other."""
    if "skill" not in truth.accounts.columns:
        return []
    result = []
    for name, is_in in (
        ("below 0.5", pl.col("skill") < 0.5),
        ("0.5 and more", pl.col("skill") >= 0.5),
    ):
        some = truth.accounts.filter(is_in)
        others = truth.accounts.join(some, on="member_id", how="anti")
        result += _apart(ranked, some, others["member_id"], truth.top, "_by_skill", name)
    return result


def _undecided(ranked: pl.DataFrame, truth: Truth) -> list[Figure]:
    """The same for people without a decided case, because people with one are known already."""
    if not truth.decided:
        return []
    known = pl.Series("member_id", sorted(truth.decided))
    some = truth.accounts.filter(~pl.col("member_id").is_in(known.to_list()))
    return _apart(ranked, some, known, truth.top, "_undecided", "")


def _apart(
    ranked: pl.DataFrame, some: pl.DataFrame, without: pl.Series, top: int, suffix: str, name: str
) -> list[Figure]:
    """Figures for some accounts in fraud, with other accounts removed from the list."""
    left = ranked.sort("rank").filter(~pl.col("member_id").is_in(without.to_list()))
    places = left.with_columns(rank=pl.int_range(1, pl.len() + 1)).select("member_id", "rank")
    found = some.join(places, on="member_id").sort("rank")
    ranks = found["rank"].to_numpy().astype(np.float64)
    loss = float(found.filter(pl.col("rank") <= top)["loss"].sum() or 0.0)
    whole = float(some["loss"].sum() or 0.0)
    n = some.height
    precise = average_precision(ranks, np.ones(len(ranks)), float(n)) if n else None
    return [
        Figure(f"average_precision{suffix}", name, precise, n),
        Figure(f"loss_recall{suffix}", name, _share(loss, whole), n),
    ]


def _by_benign(judged: pl.DataFrame, truth: Truth) -> list[Figure]:
    innocent = truth.benign.join(truth.accounts, on="member_id", how="anti")
    seen = judged.filter(pl.col("rank") <= truth.top).select("member_id", is_seen=pl.lit(1))
    rows = (
        innocent.join(seen, on="member_id", how="left")
        .group_by("benign_type")
        .agg(n=pl.len(), alarms=pl.col("is_seen").fill_null(0).mean())
        .sort("benign_type")
    )
    return [
        Figure("false_alarms_by_benign", row["benign_type"], row["alarms"], row["n"])
        for row in rows.iter_rows(named=True)
    ]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
