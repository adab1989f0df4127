"""Rules over features, and the indicators that they give."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
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
    def holds(self) -> str:
        """Whether a row fulfils it, in SQL."""
        bounds = {">=": self.at_least, "<=": self.at_most}
        tests = [
            f"{self.feature} {sign} {_number(x)}" for sign, x in bounds.items() if x is not None
        ]
        return f"coalesce({' AND '.join(tests)}, false)"


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
    has_peers = peers is not None
    rows = features if peers is None else _with_peers(features, peers, rules)
    # As text: built part by part, thirty rules are thousands of calls from Python to the JVM.
    speaks = " OR ".join(_speaks(rule, has_peers) for rule in rules)
    found = ", ".join(_spoken(rule, allowances, has_peers) for rule in rules)
    one = F.explode(F.expr(f"array_compact(array({found}))")).alias("one")
    # Few rows are left for what is too much code to be compiled.
    return rows.filter(speaks).select("subject_id", one).select("subject_id", "one.*")


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


def _speaks(rule: Rule, has_peers: bool) -> str:
    tests = [condition.holds for condition in rule.conditions]
    if has_peers and rule.among_peers:
        name = rule.main.feature
        tests.append(f"{name} >= coalesce({_peer(name)}.high, 0D)")
    return f"({' AND '.join(tests)})"


def _spoken(rule: Rule, allowances: Sequence[Allowance], has_peers: bool) -> str:
    """What a rule says of a row, or nothing, in SQL."""
    assert rule.main.at_least is not None
    name, own = rule.main.feature, _number(rule.main.at_least)
    among_peers = has_peers and rule.among_peers
    weight = f"least(greatest(1D + log2({name} / {own}) / 2D, 1D), {_number(rule.grows_to)})"
    explained = [
        f"WHEN {' AND '.join(each.holds for each in allowance.when)} THEN {_text(allowance.code)}"
        for allowance in allowances
        if rule.family in allowance.holds_back
    ]
    parts = {
        "typology": _text(rule.typology),
        "family": _text(rule.family),
        "reason_code": _text(rule.code),
        "feature": _text(name),
        "value": name,
        "threshold": f"greatest({own}, {_peer(name)}.high)" if among_peers else own,
        "peer_median": f"{_peer(name)}.median" if has_peers else "CAST(NULL AS DOUBLE)",
        "window_days": str(rule.window_days),
        "points": f"{_number(rule.points)} * {weight}",
        "held_back_by": f"CASE {' '.join(explained)} END" if explained else "CAST(NULL AS STRING)",
        "evidence": _text(rule.evidence),
    }
    named = ", ".join(f"{value} AS {name}" for name, value in parts.items())
    return f"CASE WHEN {_speaks(rule, has_peers)} THEN struct({named}) END"


def _number(value: float) -> str:
    return f"{float(value)!r}D"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _peer(feature: str) -> str:
    return f"peer_{feature}"
