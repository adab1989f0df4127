"""The trees that learn from closed cases: their settings, and the directions that they keep to."""

from collections.abc import Mapping, Sequence
from typing import Any

from xgboost import XGBClassifier

from expectations.feature.member_model import MEMBER_MODEL_INPUTS

Settings = Mapping[str, Any]

#: A leaf has to rest on several confirmed accounts: `reg_lambda` counts them, since a row's gradient is about 1 for
#: these and about 0 for all others. Rows that stand for many need no least weight of a leaf beside it.
DEFAULT: dict[str, Any] = {
    "max_depth": 2,
    "n_estimators": 120,
    "learning_rate": 0.1,
    "reg_lambda": 5.0,
    "colsample_bynode": 0.5,
}
#: What does not vary.
FIXED: dict[str, Any] = {
    "subsample": 1.0,
    "min_child_weight": 0.0,
    "max_delta_step": 2.0,
    "tree_method": "hist",
    "max_bin": 64,
}


def monotone(inputs: Sequence[str]) -> tuple[int, ...]:
    """The declared directions of inputs, which trees keep to."""
    direction = {each.name: int(each.direction) for each in MEMBER_MODEL_INPUTS}
    return tuple(direction[name] for name in inputs)


def case_trees(settings: Settings, inputs: Sequence[str], seed: int) -> XGBClassifier:
    """Shallow monotone trees for one thread: on the same rows, the same predictions."""
    return XGBClassifier(
        random_state=seed, n_jobs=1, monotone_constraints=monotone(inputs), **FIXED, **settings
    )
