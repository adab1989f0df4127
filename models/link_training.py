"""Training the weight of links on provinces whose truth is known, and judging it on one left out."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import xgboost
from scipy.optimize import minimize

from expectations.feature.account_link import TRAITS
from models.detection import average_precision
from models.generators import leaving_one_out
from models.link_model import LinkModel

Floats = npt.NDArray[np.float64]

#: Shallow trees that may only rise where a trait can only speak for a link. Leaves have to rest on many pairs:
#: with fewer, which provinces were trained on decided what a generator left out got (docs/rings.md).
BOOSTER: dict[str, Any] = {
    "objective": "binary:logistic",
    "max_depth": 3,
    "eta": 0.2,
    "min_child_weight": 50,
    "reg_lambda": 1.0,
    "tree_method": "hist",
    "max_bin": 64,
    "nthread": 1,
    "seed": 20100103,
}
ROUNDS = 120
#: True pairs of a generator weigh so much together, and a false pair as much as a true one of its province.
_TRUE_WEIGHT = 1000.0


@dataclass(frozen=True)
class TrainingProvince:
    """Pairs of one province.

    Attributes:
        name: its name.
        generator: who made it: provinces of one generator are left out together.
        pairs: `src`, `dst`, traits, `is_true`.
        in_fraud: accounts with a fraudulent line.
        behind: people of gangs without one, who count neither as right nor as wrong.
    """

    name: str
    generator: str
    pairs: pl.DataFrame
    in_fraud: frozenset[int]
    behind: frozenset[int]


def trained(provinces: Sequence[TrainingProvince], names: Sequence[str]) -> xgboost.Booster:
    """Train on all pairs of some provinces; generators count the same, however many provinces each has."""
    labels = [each.pairs["is_true"].to_numpy().astype(float) for each in provinces]
    of_generator = Counter(each.generator for each in provinces)
    weights = [
        np.full(len(y), _TRUE_WEIGHT / of_generator[each.generator] / max(y.sum(), 1.0))
        for each, y in zip(provinces, labels, strict=True)
    ]
    rows = _matrix(pl.concat([each.pairs.select(names) for each in provinces]), names)
    rows.set_label(np.concatenate(labels))
    rows.set_weight(np.concatenate(weights))
    directions = {trait.name: trait.direction for trait in TRAITS}
    limits = tuple(directions[name] for name in names)
    return xgboost.train(BOOSTER | {"monotone_constraints": limits}, rows, ROUNDS)


def margins(booster: xgboost.Booster, pairs: pl.DataFrame, names: Sequence[str]) -> Floats:
    """Log-odds of pairs before calibration."""
    found: Floats = booster.predict(_matrix(pairs, names), output_margin=True).astype(float)
    return found


def calibration(parts: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Slope and intercept that make margins of provinces left out log-odds (Platt, 1999).

    Args:
        parts: margin and truth of the pairs of each province; provinces count the same.
    """
    weights = [np.full(len(y), 1.0 / len(y)) for _, y in parts]
    x, y = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    w = np.concatenate(weights)

    def loss(both: Floats) -> float:
        z = both[0] * x + both[1]
        return float((w * (np.logaddexp(0, z) - y * z)).sum())

    found = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-6})
    return float(found.x[0]), float(found.x[1])


def account_ranking(pairs: pl.DataFrame, weight: Floats) -> pl.DataFrame:
    """Accounts by their best link, as the list ranks them, best first: `account`, `score`."""
    weighed = pairs.select("src", "dst", weight=pl.Series(weight))
    ends = pl.concat([weighed.select(account=end, weight="weight") for end in ("src", "dst")])
    return (
        ends.group_by("account")
        .agg(score=pl.max("weight"))
        .sort("score", "account", descending=[True, False])
    )


def judged(province: TrainingProvince, weight: Floats) -> dict[str, float]:
    """How well weights rank the accounts and pairs of a province."""
    ranked = account_ranking(province.pairs, weight).filter(
        ~pl.col("account").is_in(list(province.behind))
    )
    right = ranked["account"].is_in(list(province.in_fraud)).to_numpy().astype(float)
    places = np.flatnonzero(right).astype(np.float64) + 1
    best = np.argsort(-weight, kind="stable")[:100]
    truth = province.pairs["is_true"].to_numpy()
    return {
        "average_precision": average_precision(
            places, np.ones(len(places)), len(province.in_fraud)
        ),
        "right_of_first_100_accounts": float(right[:100].sum()),
        "right_of_first_100_pairs": float(truth[best].sum()),
        "accounts_in_fraud": float(len(province.in_fraud)),
    }


def left_out(
    provinces: Sequence[TrainingProvince], names: Sequence[str]
) -> tuple[dict[str, dict[str, float]], list[tuple[Floats, Floats]]]:
    """Judge each province by a model of the other generators' truth.

    Returns:
        Figures by province, and the margins and truth of its pairs for `calibration`.
    """
    figures, parts = {}, []
    for others, own in leaving_one_out(provinces):
        booster = trained(others, names)
        for each in own:
            weight = margins(booster, each.pairs, names)
            figures[each.name] = judged(each, weight)
            parts.append((weight, each.pairs["is_true"].to_numpy().astype(float)))
    return figures, parts


def model_document(
    booster: xgboost.Booster,
    names: Sequence[str],
    calibrated: tuple[float, float],
    facts: Mapping[str, Any],
) -> str:
    """The model as the JSON that is shipped: trees, traits, calibration, and what it was trained on."""
    trees = json.loads(booster.save_raw("json").decode("utf-8"))
    document = {
        "traits": list(names),
        "calibration": {"slope": round(calibrated[0], 6), "intercept": round(calibrated[1], 6)},
        "facts": dict(facts),
        "trees": trees,
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n"


def link_model_of(document: str) -> LinkModel:
    """The model that a document holds."""
    held = json.loads(document)
    both = held["calibration"]
    return LinkModel(
        json.dumps(held["trees"]), both["slope"], both["intercept"], tuple(held["traits"])
    )


def _matrix(pairs: pl.DataFrame, names: Sequence[str]) -> xgboost.DMatrix:
    values = pairs.select(pl.col(list(names)).cast(pl.Float32)).to_numpy()
    return xgboost.DMatrix(values, feature_names=list(names), missing=math.nan, nthread=1)
