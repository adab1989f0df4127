"""The accounts to look at first, their reasons, and the state of a proposal."""

import operator
from datetime import date
from functools import reduce
from string import Formatter

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.gold.account import (
    FAMILIES_APART,
    LEAST_LINK_PROBABILITY,
    LINK_FAMILY,
    LINK_PLACE_WEIGHT,
    PLACE_OFFSET,
    RESEMBLANCE_FAMILY,
    RESEMBLANCE_PLACE_WEIGHT,
)

#: How a sentence may show `{value}`: Python's format and the one that Spark's `format_string` knows, whose
#: first argument is the value and the second a hundred times that.
TEXT_FORMATS = {".0f": "%1$.0f", ",.0f": "%1$,.0f", ".1f": "%1$.1f", ".0%": "%2$.0f%%"}


def ranked_accounts(
    indicators: DataFrame, features: DataFrame, links: DataFrame | None = None
) -> DataFrame:
    """Rank accounts by what they show, one row per member with an indicator that counts.

    Rules of a family see the same thing, so only the strongest of each counts; points of families
    add up. Accounts are ranked three times: by the points of rules about the account alone; where the rule
    about links speaks, by its two best links, then by its best; and where that about resemblance speaks, by
    how much it resembles accounts in fraud in simulated provinces. The priority is the logarithm of
    1 / (PLACE_OFFSET + place) of the first ranking plus LINK_PLACE_WEIGHT and RESEMBLANCE_PLACE_WEIGHT times
    the same of the others (reciprocal rank fusion, Cormack, Clarke and Buettcher 2009): what a link weighs
    against a rule differs from province to province, who stands first by either does not. A place by links
    counts as far as they are probable: in a province with few sure ones the others are not evidence, however
    high they stand. Of equal value the larger expected loss comes first, then the smaller id.

    Args:
        indicators: gold.indicator of a date, members only.
        features: gold.member_feature of that date.
        links: gold.member_ring_feature of that date; without it no account has links.

    Returns:
        `member_id, points, priority, ring_id, expected_loss_amount, typologies, reasons, rank`; `reasons` in the order of
        points, those held back last.
    """
    points = points_of_accounts(indicators)
    reason = F.struct(
        F.col("held_back_by").isNotNull().alias("last"),
        (-F.col("points")).alias("weight"),
        "reason_code",
        "typology",
        "value",
        "threshold",
        "peer_median",
        "points",
        "held_back_by",
    )
    reasons = indicators.groupBy("subject_id").agg(
        F.sort_array(F.collect_list(reason)).alias("reasons")
    )
    loss = features.select(
        F.col("member_id").alias("subject_id"),
        F.coalesce("excess_fund_sum_365d", F.lit(0.0))
        .cast("decimal(16,2)")
        .alias("expected_loss_amount"),
    )
    counted = F.filter("reasons", lambda each: ~each["last"])
    first = Window.orderBy(F.desc("priority"), F.desc("expected_loss_amount"), "subject_id")
    return (
        with_priority(_with_links(points.join(loss, on="subject_id", how="inner"), links))
        .drop("own_points", "is_linked", "resemblance", "best_link", "two_best")
        .join(reasons, on="subject_id", how="inner")
        .withColumn(
            "typologies", F.array_distinct(F.transform(counted, lambda each: each["typology"]))
        )
        .withColumn("rank", F.row_number().over(first).cast("long"))
        .withColumnRenamed("subject_id", "member_id")
    )


def points_of_accounts(indicators: DataFrame, *more: Column) -> DataFrame:
    """Points of accounts with an indicator that counts, one row per `subject_id`.

    Args:
        indicators: gold.indicator of a date, members only.
        *more: further aggregates over the account's families, which have `family`, `points` (those of the
            strongest rule) and `fired` (the number of rules).

    Returns:
        `subject_id`, `points`, `own_points` (without `FAMILIES_APART`; null where only they speak),
        `is_linked`, `resemblance` (the value that its rule speaks of, null where it does not), `more`.
    """
    # A sum of doubles depends on their order.
    exact = F.col("points").cast("decimal(24,12)")
    is_own = ~F.col("family").isin(*FAMILIES_APART)
    resemblance = F.when(F.col("family") == RESEMBLANCE_FAMILY, F.col("value"))
    return (
        indicators.filter(F.col("held_back_by").isNull())
        .groupBy("subject_id", "family")
        .agg(
            F.max("points").alias("points"),
            F.max("value").alias("value"),
            F.count("*").alias("fired"),
        )
        .groupBy("subject_id")
        .agg(
            F.round(F.sum(exact).cast("double"), 6).alias("points"),
            F.round(F.sum(F.when(is_own, exact)).cast("double"), 6).alias("own_points"),
            F.max(F.col("family") == LINK_FAMILY).alias("is_linked"),
            F.max(resemblance).alias("resemblance"),
            *more,
        )
    )


def with_priority(accounts: DataFrame) -> DataFrame:
    """Add `priority` to accounts with an indicator that counts.

    Args:
        accounts: `subject_id`, `own_points` (null without an indicator about the account alone), `is_linked`
            (whether the rule about links speaks), `best_link` and `two_best` (how strong the links are; null
            without one), `resemblance` (null where its rule does not speak), `expected_loss_amount`.
    """
    by_points = F.when(F.col("own_points").isNotNull(), _part_of_place("own_points"))
    place_by_links = _part_of_place("is_linked", "two_best", "best_link")
    by_links = F.when(F.col("is_linked"), place_by_links * _probability("two_best"))
    by_resemblance = F.when(F.col("resemblance").isNotNull(), _part_of_place("resemblance"))
    parts = (
        by_points,
        LINK_PLACE_WEIGHT * by_links,
        RESEMBLANCE_PLACE_WEIGHT * by_resemblance,
    )
    together = reduce(operator.add, (F.coalesce(part, F.lit(0.0)) for part in parts))
    return accounts.withColumn("priority", F.round(F.log(together), 6))


def _with_links(points: DataFrame, links: DataFrame | None) -> DataFrame:
    """Accounts with `ring_id`, `best_link` and `two_best`."""
    if links is None:
        nothing = F.lit(None).cast("double")
        return points.withColumns(
            {"ring_id": F.lit(None).cast("string"), "best_link": nothing, "two_best": nothing}
        )
    of_links = links.select(
        F.col("member_id").alias("subject_id"),
        "ring_id",
        F.col("link_probability_best_365d").alias("best_link"),
        F.col("link_weight_two_best_365d").alias("two_best"),
    )
    return points.join(of_links, on="subject_id", how="left")


def _probability(log_odds: str) -> Column:
    """The probability of log-odds, never nothing: who is linked stands before who is not on the list."""
    least = F.lit(LEAST_LINK_PROBABILITY)
    return F.greatest(F.coalesce(1 / (1 + F.exp(-F.col(log_odds))), least), least)


def _part_of_place(*strongest_first: str) -> Column:
    """1 / (PLACE_OFFSET + place) in the order of some columns; ties as in the list."""
    order = [F.desc_nulls_last(name) for name in (*strongest_first, "expected_loss_amount")]
    return 1.0 / (F.row_number().over(Window.orderBy(*order, "subject_id")) + PLACE_OFFSET)


def in_words(reasons: str, texts: dict[str, str]) -> Column:
    """Add the sentence of each reason, from Python format strings by reason code.

    A sentence may show the value in one of `TEXT_FORMATS`.
    """
    pairs = [F.lit(part) for code, text in texts.items() for part in (code, _template(text))]
    sentences = F.create_map(*pairs)
    return F.transform(
        reasons,
        lambda each: F.struct(
            each["reason_code"].alias("reason_code"),
            each["typology"].alias("typology"),
            each["value"].alias("value"),
            each["threshold"].alias("threshold"),
            each["peer_median"].alias("peer_median"),
            each["points"].alias("points"),
            each["held_back_by"].alias("held_back_by"),
            _filled(sentences[each["reason_code"]], each["value"]).alias("text"),
        ),
    )


def current_state(decisions: DataFrame, as_of: date) -> DataFrame:
    """The last decision on each member before a date, one row per member_id with a decision.

    The last decision is the one with the highest `sequence`, because a clock may go back. Decisions without
    a sequence are older than all others.

    Args:
        decisions: gold.account_decision.
        as_of: the date.
    """
    noted = F.struct("sequence", "decided_at", "decision_id", "decision")
    before = decisions.filter(F.col("decided_at") < F.lit(as_of.isoformat()).cast("timestamp"))
    lasts = before.groupBy("member_id").agg(F.max(noted).alias("last"))
    return lasts.select("member_id", "last.decision", "last.decided_at")


def _template(text: str) -> str:
    """A Python format string as one of `format_string`."""
    parts = []
    for plain, name, shape, _ in Formatter().parse(text):
        parts.append(plain.replace("%", "%%"))
        if name is not None:
            parts.append(TEXT_FORMATS[shape or ""])
    return "".join(parts)


def _filled(template: Column, value: Column) -> Column:
    return F.call_function("format_string", template, value, value * 100)
