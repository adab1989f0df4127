"""Rules over features, and the indicators that they give."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

#: A value of four times the threshold counts twice as much, and no value more unless the rule says so.
MOST_WEIGHT = 2.0


@dataclass(frozen=True)
class Condition:
    """What a feature has to be; an empty value never fulfils it."""

    feature: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> Column:
        """Whether a row fulfils it."""
        value = F.col(self.feature)
        tests = []
        if self.at_least is not None:
            tests.append(value >= self.at_least)
        if self.at_most is not None:
            tests.append(value <= self.at_most)
        return F.coalesce(reduce(and_, tests), F.lit(False))


@dataclass(frozen=True)
class Rule:
    """A pattern: a feature from some value on, among peers from their 99th percentile on too.

    A value counts for `points`, a larger one for up to `grows_to` times as many. `evidence` names the
    part of a subject's visits that shows it, see `features.evidence`.
    """

    code: str
    family: str
    typology: str
    main: Condition
    also: tuple[Condition, ...]
    among_peers: bool
    points: float
    window_days: int
    evidence: str
    grows_to: float = MOST_WEIGHT

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that has to hold."""
        return (self.main, *self.also)

    @property
    def features(self) -> set[str]:
        """All the features that it looks at."""
        return {each.feature for each in self.conditions}


@dataclass(frozen=True)
class Allowance:
    """What explains patterns of some families when all of `when` holds; the first that does is named."""

    code: str
    holds_back: tuple[str, ...]
    when: tuple[Condition, ...]


def indicators(
    features: DataFrame,
    peers: DataFrame | None,
    rules: Sequence[Rule],
    allowances: Sequence[Allowance],
) -> DataFrame:
    """Apply rules to features, one row per subject_id and rule that speaks.

    The points of a rule grow with the value, by half with each doubling of the threshold, until they
    are `grows_to` times as many.

    Args:
        features: `subject_id`, `peer_group` if there are peers, and the features.
        peers: gold.peer_statistic of the date, or None where subjects have no peers.
        rules: what to look for.
        allowances: what explains it.
    """
    rows = features if peers is None else _with_peers(features, peers, rules)
    has_peers = peers is not None
    found = F.array_compact(F.array(*(_spoken(rule, allowances, has_peers) for rule in rules)))
    # Few rows are left for what is too much code to be compiled.
    shown = rows.filter(reduce(or_, (_speaks(rule, has_peers) for rule in rules)))
    return shown.select("subject_id", F.explode(found).alias("one")).select("subject_id", "one.*")


def _with_peers(features: DataFrame, peers: DataFrame, rules: Sequence[Rule]) -> DataFrame:
    """Add to each row what is usual among its peers: `peer`, a map from feature to median and high."""
    names: list[bool | float | int | str] = sorted({rule.main.feature for rule in rules})
    usual = (
        peers.filter(F.col("feature").isin(*names))
        .groupBy("peer_group")
        .pivot("feature", names)
        .agg(F.first(F.struct("median", "high")))
        .withColumnsRenamed({str(name): _peer(str(name)) for name in names})
    )
    return features.join(F.broadcast(usual), on="peer_group", how="left")


def _speaks(rule: Rule, has_peers: bool) -> Column:
    speaks = reduce(and_, (condition.holds for condition in rule.conditions))
    if has_peers and rule.among_peers:
        high = F.coalesce(F.col(_peer(rule.main.feature))["high"], F.lit(0.0))
        speaks = speaks & (F.col(rule.main.feature) >= high)
    return speaks


def _spoken(rule: Rule, allowances: Sequence[Allowance], has_peers: bool) -> Column:
    value = F.col(rule.main.feature)
    threshold: Column = F.lit(rule.main.at_least)
    median = F.lit(None).cast("double")
    if has_peers:
        usual = F.col(_peer(rule.main.feature))
        median = usual["median"]
        if rule.among_peers:
            threshold = F.greatest(threshold, usual["high"])
    assert rule.main.at_least is not None
    weight = 1 + F.log2(value / F.lit(rule.main.at_least)) / 2
    points = F.lit(rule.points) * F.least(F.greatest(weight, F.lit(1.0)), F.lit(rule.grows_to))
    explained = [
        F.when(reduce(and_, (each.holds for each in allowance.when)), allowance.code)
        for allowance in allowances
        if rule.family in allowance.holds_back
    ]
    return F.when(
        _speaks(rule, has_peers),
        F.struct(
            F.lit(rule.typology).alias("typology"),
            F.lit(rule.family).alias("family"),
            F.lit(rule.code).alias("reason_code"),
            F.lit(rule.main.feature).alias("feature"),
            value.alias("value"),
            threshold.cast("double").alias("threshold"),
            median.alias("peer_median"),
            F.lit(rule.window_days).alias("window_days"),
            points.alias("points"),
            F.coalesce(*explained, F.lit(None).cast("string")).alias("held_back_by"),
            F.lit(rule.evidence).alias("evidence"),
        ),
    )


def _peer(feature: str) -> str:
    return f"peer_{feature}"
