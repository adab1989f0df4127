"""What is watched of a model in use: drift of distributions, and what closed cases say of its lists and scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from scipy import stats

from expectations.landing.codes import VICTIM
from models.labels import NEGATIVE_OUTCOMES, POSITIVE_OUTCOMES

#: Bins between the quantiles of the values that are neither missing nor zero, which have bins of their own.
BINS = 10
_MISSING, _ZERO = -2, -1
#: Chance of a warning where nothing has changed, for each figure of a day.
_CHANCE = 1e-4
#: Fewer decided cases, or accounts, than this say nothing.
LEAST_CASES = 10


@dataclass(frozen=True)
class Drift:
    """The population stability index of one input, and what it rests on."""

    name: str
    psi: float
    reference_rows: int
    rows: int
    bins: int

    def limit(self, least: float) -> float:
        """The configured limit, or what chance alone reaches among so few rows if that is more.

        Without a change the index times n m / (n + m) is about chi-squared with bins - 1 degrees of
        freedom (Yurdakul 2018).
        """
        if not self.rows or not self.reference_rows:
            return least
        noise = float(stats.chi2.ppf(1 - _CHANCE, max(self.bins - 1, 1)))
        return max(least, noise * (1 / self.rows + 1 / self.reference_rows))


def values_of(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """One row per row and column: name, value."""
    pairs = ", ".join(f"'{name}', CAST(`{name}` AS DOUBLE)" for name in names)
    return rows.selectExpr(f"stack({len(names)}, {pairs}) AS (name, value)")


def quantile_edges(reference: DataFrame) -> dict[str, list[float]]:
    """The edges of the bins of each name: distinct quantiles of its values that are not missing or zero.

    Args:
        reference: name, value.
    """
    shares = [each / BINS for each in range(1, BINS)]
    present = reference.filter(_is_present())
    rows = present.groupBy("name").agg(F.percentile("value", shares).alias("edges")).collect()
    return {row["name"]: sorted(set(row["edges"])) for row in rows}


def drifts(
    reference: DataFrame, values: DataFrame, edges: Mapping[str, Sequence[float]]
) -> list[Drift]:
    """The population stability index of each name, largest first.

    The sum over the bins of (q - p) ln(q / p), with half a row added to every bin so that an empty one is
    not infinite.

    Args:
        reference: name, value.
        values: name, value of the day.
        edges: `quantile_edges` of the reference.
    """
    before = _counts(reference, edges).withColumnRenamed("rows", "before")
    after = _counts(values, edges).withColumnRenamed("rows", "after")
    joined = before.join(after, on=["name", "bin"], how="full").fillna(0, ["before", "after"])
    of_name = Window.partitionBy("name")
    bins = F.count("*").over(of_name)
    share = {
        side: (F.col(side) + 0.5) / (F.sum(side).over(of_name) + 0.5 * bins)
        for side in ("before", "after")
    }
    parts = joined.withColumns({"p": share["before"], "q": share["after"]})
    found = parts.groupBy("name").agg(
        F.sum((F.col("q") - F.col("p")) * F.log(F.col("q") / F.col("p"))).alias("psi"),
        F.sum("before").alias("reference_rows"),
        F.sum("after").alias("rows"),
        F.count("*").alias("bins"),
    )
    return sorted((Drift(*row) for row in found.collect()), key=lambda each: (-each.psi, each.name))


def decided_accounts(closed_cases: DataFrame) -> DataFrame:
    """Decisions about accounts: member_id, label, decided_on, opened_on, the first decision of each.

    Label 1 for a confirmation that is not under appeal, 0 for cleared or no finding. A victim's account
    is none of them.

    Args:
        closed_cases: rows of silver.closed_case in the versions that held as of the day.
    """
    is_positive = F.col("outcome").isin(*POSITIVE_OUTCOMES) & F.coalesce("is_final", F.lit(True))
    is_negative = F.col("outcome").isin(*NEGATIVE_OUTCOMES)
    kept = closed_cases.filter(
        (F.col("subject_type") == "person")
        & F.coalesce(F.col("role") != VICTIM, F.lit(True))
        & F.col("decision_time").isNotNull()
        & (is_positive | is_negative)
    )
    first = F.struct(
        F.to_date("decision_time").alias("decided_on"),
        is_positive.cast("int").alias("label"),
        F.to_date(F.coalesce("clue_time", "open_time")).alias("opened_on"),
    )
    by_member = kept.groupBy(F.col("subject_id").alias("member_id")).agg(F.min(first).alias("case"))
    return by_member.select("member_id", "case.label", "case.decided_on", "case.opened_on")


def realised_precision(listed: DataFrame, decided: DataFrame) -> DataFrame:
    """By day of a list, the accounts of its week whose case was decided since: as_of_date, rows, confirmed.

    Args:
        listed: as_of_date, member_id of the week's accounts.
        decided: `decided_accounts` before the day of the monitoring.
    """
    since = _decided_since(listed, decided)
    return since.groupBy("as_of_date").agg(
        F.count("*").alias("rows"), F.sum("label").alias("confirmed")
    )


def calibration(scores: DataFrame, decided: DataFrame) -> DataFrame:
    """By day of the scores, the accounts decided since: as_of_date, rows, confirmed, mean_score.

    Decided accounts are no random sample: people look at high scores first.

    Args:
        scores: as_of_date, member_id, score.
        decided: `decided_accounts` before the day of the monitoring.
    """
    since = _decided_since(scores, decided)
    return since.groupBy("as_of_date").agg(
        F.count("*").alias("rows"),
        F.sum("label").alias("confirmed"),
        F.avg(F.col("score").cast("decimal(20,12)")).cast("double").alias("mean_score"),
    )


def is_below(hits: int, rows: int, limit: float) -> bool:
    """Whether a share is below a limit, and not by chance (exact binomial test)."""
    if rows < LEAST_CASES:
        return False
    return bool(stats.binomtest(hits, rows, limit, alternative="less").pvalue < 0.01)


def is_miscalibrated(confirmed: int, rows: int, mean_score: float, limit: float) -> bool:
    """Whether the mean score is further from the confirmed share than the limit, and not by chance."""
    if rows < LEAST_CASES or abs(mean_score - confirmed / rows) <= limit:
        return False
    mean = min(max(mean_score, 1e-6), 1 - 1e-6)
    return bool(stats.binomtest(confirmed, rows, mean).pvalue < 0.01)


def is_crowded(alerts: int, of_alerts: int, share_of_members: float, ratio: float) -> bool:
    """Whether a district has more than `ratio` times its part of the alerts, and not by chance."""
    if of_alerts < LEAST_CASES:
        return False
    limit = min(ratio * share_of_members, 1.0)
    if alerts / of_alerts <= limit:
        return False
    return bool(stats.binomtest(alerts, of_alerts, limit, alternative="greater").pvalue < 0.01)


def _decided_since(rows: DataFrame, decided: DataFrame) -> DataFrame:
    joined = rows.join(F.broadcast(decided), on="member_id", how="inner")
    return joined.filter(F.col("decided_on") >= F.col("as_of_date"))


def _is_present() -> Column:
    return F.col("value").isNotNull() & ~F.isnan("value") & (F.col("value") != 0)


def _counts(values: DataFrame, edges: Mapping[str, Sequence[float]]) -> DataFrame:
    """Rows by name and bin: missing, zero, or the number of edges below the value."""
    pairs = [
        part
        for name, limits in edges.items()
        for part in (F.lit(name), F.array(*(F.lit(float(each)) for each in limits)))
    ]
    none = F.array().cast("array<double>")
    known = F.coalesce(F.create_map(*pairs)[F.col("name")], none) if pairs else none
    place = F.size(F.filter(known, lambda edge: edge < F.col("value")))
    is_missing = F.col("value").isNull() | F.isnan("value")
    placed = F.when(is_missing, _MISSING).when(F.col("value") == 0, _ZERO).otherwise(place)
    return values.groupBy("name", placed.alias("bin")).agg(F.count("*").alias("rows"))
