"""Rules over features, and the indicators that they give."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

#: Where peers do not matter, a value of four times the threshold counts twice as much, and no value more
#: unless the rule says so.
MOST_WEIGHT = 2.0
#: How much a value counts that reaches the 90th, the 99th and the 99.9th percentile of peers.
AMONG_PEERS = (0.5, 1.0, 1.5)


class Part(BaseModel):
    """A part of the rules, as the file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Condition(Part):
    """A limit for a feature; null never fulfils it."""

    feature: str
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_bound(self) -> "Condition":
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least or at_most")
        return self

    @property
    def holds(self) -> str:
        """The condition in SQL."""
        bounds = {">=": self.at_least, "<=": self.at_most}
        tests = [
            f"{self.feature} {sign} {_number(x)}" for sign, x in bounds.items() if x is not None
        ]
        return f"coalesce({' AND '.join(tests)}, false)"


class Rule(Part):
    """A rule fires if a feature reaches a value and, among peers, their 90th percentile too.

    Among peers a value at their 99th percentile counts `points`, others as `AMONG_PEERS` says. Otherwise a
    value at the threshold counts `points`, a larger value up to `grows_to` times as many, `MOST_WEIGHT` unless
    given. `evidence` names the visits that are the evidence, see `features.indicator.evidence`.
    """

    code: str
    family: str
    typology: str
    feature: str
    at_least: float = Field(gt=0)
    also: tuple[Condition, ...] = ()
    among_peers: bool = True
    evidence: str = "drugs"
    points: float = Field(gt=0)
    grows_to: float | None = Field(default=None, ge=1)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of the rule."""
        return (Condition(feature=self.feature, at_least=self.at_least), *self.also)

    @property
    def features(self) -> set[str]:
        """All features that the rule uses."""
        return {each.feature for each in self.conditions}

    @property
    def most_weight(self) -> float:
        """How many times its points a value counts at most if the rule does not look at peers."""
        return MOST_WEIGHT if self.grows_to is None else self.grows_to


class Allowance(Part):
    """An explanation for indicators of some families, if all of `when` holds; the first that holds is named."""

    code: str
    holds_back: tuple[str, ...]
    when: tuple[Condition, ...] = Field(min_length=1)


def indicators(
    features: DataFrame,
    peers: DataFrame | None,
    rules: Sequence[Rule],
    allowances: Sequence[Allowance],
    windows: Mapping[str, int],
) -> DataFrame:
    """Apply rules to features, one row per subject_id and rule that fires.

    What is common among peers says little, however far above the threshold. So the points of a rule that
    looks at peers follow the share of peers with such a value: half of them where it is one in ten, all
    where it is one in a hundred, half as many again where it is one in a thousand, and in between by the
    logarithm of the value. The points of other rules grow with the value, by half with each doubling of
    the threshold, until they are `grows_to` times as many.

    Args:
        features: `subject_id`, `peer_group` if there are peers, and the features.
        peers: gold.peer_statistic of the date, or None where subjects have no peers.
        rules: the rules.
        allowances: the explanations.
        windows: the days that each feature looks back.
    """
    peer_group = "CAST(NULL AS STRING)" if peers is None else "peer_group"
    described = [_described(rule, allowances, windows[rule.feature]) for rule in rules]
    found = _fired(features, rules, allowances, described, peer_group)
    compared = _beside_peers(found, peers, rules)
    own, upper = F.col("own"), F.col("upper")
    doublings = F.log2(F.col("value") / own)
    grown = F.least(F.greatest(1 + doublings / 2, F.lit(1.0)), "grows_to")
    weight = F.when(F.col("among_peers"), _weight_among_peers()).otherwise(grown)
    return compared.select(
        "subject_id",
        "typology",
        "family",
        "reason_code",
        "feature",
        "value",
        F.when(F.col("among_peers"), F.greatest(own, upper)).otherwise(own).alias("threshold"),
        F.col("median").alias("peer_median"),
        "window_days",
        (F.col("points") * weight).alias("points"),
        F.get(F.array_intersect("explained_by", "explained"), F.lit(0)).alias("held_back_by"),
        "evidence",
    )


def _fired(
    features: DataFrame,
    rules: Sequence[Rule],
    allowances: Sequence[Allowance],
    described: Sequence[str],
    peer_group: str,
) -> DataFrame:
    """The rules that fire without peers, one row for each, with the explanation of the row if there is one."""
    # As text: built part by part, thirty rules are thousands of calls from Python to the JVM.
    fires = [_all_hold(rule.conditions) for rule in rules]
    # A row is given little for each rule, so that the code for all of them can be compiled.
    fired = ", ".join(
        f"CASE WHEN {holds} THEN struct({place} AS place, CAST({rule.feature} AS DOUBLE) AS value) END"
        for place, (rule, holds) in enumerate(zip(rules, fires, strict=True), start=1)
    )
    explained = ", ".join(
        f"CASE WHEN {_all_hold(each.when)} THEN {_text(each.code)} END" for each in allowances
    )
    return (
        features.filter(" OR ".join(fires))
        .select(
            "subject_id",
            F.expr(peer_group).alias("peer_group"),
            F.expr(f"CAST(array({explained}) AS array<string>)").alias("explained"),
            F.explode(F.expr(f"array({fired})")).alias("one"),
        )
        .filter("one IS NOT NULL")
        .withColumn("rule", F.expr(f"element_at(array({', '.join(described)}), one.place)"))
        .select("subject_id", "peer_group", "explained", "one.value", "rule.*")
    )


def _beside_peers(found: DataFrame, peers: DataFrame | None, rules: Sequence[Rule]) -> DataFrame:
    """Add the usual value among peers, and drop rows that are usual if the rule compares with peers."""
    if peers is None:
        nothing = F.lit(None).cast("double")
        columns = dict.fromkeys(("median", "upper", "high", "extreme"), nothing)
        return found.withColumns(columns | {"among_peers": F.lit(False)})
    names = sorted({rule.feature for rule in rules})
    usual = peers.filter(F.col("feature").isin(*names)).select(
        "peer_group",
        "feature",
        "median",
        # Statistics of older versions have the 99th percentile only.
        *(F.coalesce(name, "high").alias(name) for name in ("upper", "high", "extreme")),
    )
    is_high = F.col("value") >= F.coalesce("upper", F.lit(0.0))
    return found.join(F.broadcast(usual), on=["peer_group", "feature"], how="left").filter(
        ~F.col("among_peers") | is_high
    )


def _weight_among_peers() -> Column:
    """How much a `value` counts that reaches `upper`; as much as at `high` where nothing is known of peers."""
    value = F.col("value")
    at_upper, at_high, at_extreme = AMONG_PEERS

    def between(low: str, high: str) -> Column:
        """0 at `low` to 1 at `high`, by the logarithm; 0 where `low` is 0."""
        return F.when(F.col(low) > 0, F.log(value / F.col(low)) / F.log(F.col(high) / F.col(low)))

    def weight(low: str, high: str, least: float, most: float) -> Column:
        return least + (most - least) * F.coalesce(between(low, high), F.lit(0.0))

    return (
        F.when(F.col("extreme").isNull(), at_high)
        .when(value >= F.col("extreme"), at_extreme)
        .when(value >= F.col("high"), weight("high", "extreme", at_high, at_extreme))
        .otherwise(weight("upper", "high", at_upper, at_high))
    )


def _described(rule: Rule, allowances: Sequence[Allowance], window_days: int) -> str:
    """The columns that are the same for every subject of a rule, in SQL."""
    explained_by = [_text(each.code) for each in allowances if rule.family in each.holds_back]
    parts = {
        "typology": _text(rule.typology),
        "family": _text(rule.family),
        "reason_code": _text(rule.code),
        "feature": _text(rule.feature),
        "own": _number(rule.at_least),
        "among_peers": str(rule.among_peers),
        "window_days": str(window_days),
        "points": _number(rule.points),
        "grows_to": _number(rule.most_weight),
        "evidence": _text(rule.evidence),
        "explained_by": f"CAST(array({', '.join(explained_by)}) AS array<string>)",
    }
    return f"struct({', '.join(f'{value} AS {name}' for name, value in parts.items())})"


def _all_hold(conditions: Sequence[Condition]) -> str:
    return f"({' AND '.join(each.holds for each in conditions)})"


def _number(value: float) -> str:
    return f"{float(value)!r}D"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
