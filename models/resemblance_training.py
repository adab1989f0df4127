"""Training the model of resemblance on provinces whose truth is known, and judging it on a generator left out."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from expectations.feature.resemblance import RESEMBLANCE_INPUT_NAMES
from models.detection import average_precision
from models.generators import leaving_one_out

Floats = npt.NDArray[np.float64]

#: Shallow trees: deeper ones learn the ways of one generator (docs/models.md).
BOOSTER: dict[str, Any] = {
    "objective": "binary:logistic",
    "max_depth": 2,
    "eta": 0.1,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "tree_method": "hist",
    "max_bin": 256,
    "nthread": 1,
    "seed": 20100103,
}
ROUNDS = 150


@dataclass(frozen=True)
class KnownAccounts:
    """The accounts of one province, of which it is known who was in fraud.

    Attributes:
        name: the province's.
        generator: who made it: provinces of one generator are left out together.
        surprise: accounts by inputs, see `models.surprise`.
        in_fraud: whether each account had a fraudulent line.
    """

    name: str
    generator: str
    surprise: Floats
    in_fraud: npt.NDArray[np.bool_]


def trained(provinces: Sequence[KnownAccounts]) -> xgboost.Booster:
    """Train on all accounts of some provinces.

    Generators count the same, however many provinces each has, and provinces of a generator by their
    accounts in fraud the same; an account in fraud counts as much as another of its province.
    """
    of_generator = Counter(each.generator for each in provinces)
    weights = np.concatenate(
        [
            np.full(
                len(each.in_fraud), 1 / max(each.in_fraud.sum(), 1) / of_generator[each.generator]
            )
            for each in provinces
        ]
    )
    rows = _matrix(np.vstack([each.surprise for each in provinces]))
    rows.set_label(np.concatenate([each.in_fraud for each in provinces]).astype(float))
    rows.set_weight(weights / weights.mean())
    return xgboost.train(BOOSTER, rows, ROUNDS)


def left_out(provinces: Sequence[KnownAccounts]) -> dict[str, dict[str, float]]:
    """Judge each province by a model of the other generators: figures by province."""
    figures = {}
    for others, own in leaving_one_out(provinces):
        booster = trained(others)
        for each in own:
            weight = booster.predict(_matrix(each.surprise), output_margin=True)
            figures[each.name] = judged(weight.astype(np.float64), each.in_fraud)
    return figures


def judged(weight: Floats, in_fraud: npt.NDArray[np.bool_]) -> dict[str, float]:
    """How well weights rank the accounts of a province; equal ones keep their order."""
    right = in_fraud[np.argsort(-weight, kind="stable")].astype(float)
    places = np.flatnonzero(right).astype(np.float64) + 1
    return {
        "average_precision": average_precision(places, np.ones(len(places)), len(places)),
        "right_of_first_100": float(right[:100].sum()),
        "accounts": float(len(right)),
        "accounts_in_fraud": float(right.sum()),
    }


def model_document(booster: xgboost.Booster, facts: Mapping[str, Any]) -> str:
    """The model as the JSON that is shipped: trees, inputs, and what it was trained on."""
    document = {
        "inputs": list(RESEMBLANCE_INPUT_NAMES),
        "facts": dict(facts),
        "trees": json.loads(booster.save_raw("json").decode("utf-8")),
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n"


def _matrix(surprise: Floats) -> xgboost.DMatrix:
    return xgboost.DMatrix(
        surprise, feature_names=list(RESEMBLANCE_INPUT_NAMES), missing=math.nan, nthread=1
    )
