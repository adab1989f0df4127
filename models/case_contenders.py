"""The methods that are compared on closed cases, fitted with scikit-learn and xgboost in one task each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import ParameterSampler
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier

from expectations.feature.member_model import MEMBER_MODEL_INPUTS
from expectations.gold.account import UNLINKED_LOG_ODDS
from models.case_rows import AMOUNT, Numbers
from models.case_splits import group_folds
from models.estimators import signed_log
from models.member_model import BLEND_WEIGHTS

Settings = Mapping[str, Any]

PRIOR = "rules_and_links"
TREES = "trees"

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
#: What a search draws from.
SPACE: dict[str, list[Any]] = {
    "max_depth": [1, 2, 3],
    "n_estimators": [60, 120, 240],
    "learning_rate": [0.05, 0.1],
    "reg_lambda": [2.0, 5.0, 15.0],
    "colsample_bynode": [0.5, 1.0],
}
_INNER_FOLDS = 3


@dataclass(frozen=True)
class CaseContender:
    """A compared method: trees, a logistic regression or a ranking by one column, on some inputs.

    A blend moves the prior by the trees, see `models.member_model.blended`.
    """

    name: str
    kind: Literal["trees", "logistic", "ranking", "blend"]
    inputs: tuple[str, ...]
    what: str
    weight: float = 1.0

    @property
    def is_probability(self) -> bool:
        """Whether its scores are probabilities."""
        return self.kind in ("trees", "logistic")


_ALL = tuple(each.name for each in MEMBER_MODEL_INPUTS)
_WITHOUT_LINKS = tuple(each.name for each in MEMBER_MODEL_INPUTS if not each.is_of_links)

#: The model first, then what it has to beat.
CONTENDERS: tuple[CaseContender, ...] = (
    CaseContender(TREES, "trees", _ALL, "trees on all inputs"),
    CaseContender(
        "trees_without_links", "trees", _WITHOUT_LINKS, "trees without links, rings and the prior"
    ),
    CaseContender("logistic", "logistic", _ALL, "logistic regression on all inputs"),
    CaseContender(
        PRIOR, "ranking", ("prior",), "the list without a model: rules, links and resemblance"
    ),
    CaseContender("amount", "ranking", (AMOUNT,), "what the fund paid for drugs in a year"),
    *(
        CaseContender(
            f"blend_{round(100 * weight)}",
            "blend",
            ("prior",),
            f"the list, moved by the trees with weight {weight}",
            weight,
        )
        for weight in BLEND_WEIGHTS
        if 0 < weight < 1
    ),
)


def monotone(inputs: Sequence[str]) -> tuple[int, ...]:
    """The declared directions of inputs, which trees keep to."""
    direction = {each.name: int(each.direction) for each in MEMBER_MODEL_INPUTS}
    return tuple(direction[name] for name in inputs)


def case_trees(settings: Settings, inputs: Sequence[str], seed: int) -> XGBClassifier:
    """Shallow monotone trees for one thread: on the same rows, the same predictions."""
    return XGBClassifier(
        random_state=seed, n_jobs=1, monotone_constraints=monotone(inputs), **FIXED, **settings
    )


def case_logistic(inputs: Sequence[str]) -> Pipeline:
    """Logistic regression on signed logarithms; an account without a link counts as barely linked."""
    without = np.array(
        [UNLINKED_LOG_ODDS if name == "link_weight_two_best_365d" else 0.0 for name in inputs]
    )

    def filled(values: Numbers) -> Numbers:
        return signed_log(np.where(np.isnan(values), without, values))

    return make_pipeline(
        FunctionTransformer(filled),
        StandardScaler(),
        LogisticRegression(C=1.0, max_iter=500),
    )


def searched(rows: pd.DataFrame, inputs: Sequence[str], budget: int, seed: int) -> dict[str, Any]:
    """The settings of the trees with the best average precision in three grouped folds of these rows.

    Tries DEFAULT and `budget - 1` draws of SPACE (scikit-learn's ParameterSampler, the same for the same
    seed). Of equal ones the first wins.
    """
    tried = [DEFAULT]
    if budget > 1:
        tried += list(ParameterSampler(SPACE, budget - 1, random_state=seed))
    target = rows["target"].to_numpy(np.int_)
    fold = group_folds(rows["component"].to_numpy(str), target, _INNER_FOLDS, seed)
    if budget == 1 or min(target[fold == each].sum() for each in range(_INNER_FOLDS)) == 0:
        return dict(DEFAULT)
    values = rows[list(inputs)].to_numpy(np.float64)
    weight, population = rows["weight"].to_numpy(), rows["population"].to_numpy()
    best, best_figure = DEFAULT, -1.0
    for settings in tried:
        scores = np.empty(len(rows))
        for each in range(_INNER_FOLDS):
            is_test = fold == each
            model = case_trees(settings, inputs, seed)
            model.fit(values[~is_test], target[~is_test], sample_weight=weight[~is_test])
            scores[is_test] = model.predict_proba(values[is_test])[:, 1]
        figure = float(average_precision_score(target, scores, sample_weight=population))
        if figure > best_figure:
            best, best_figure = dict(settings), figure
    return dict(best)


def split_scores(
    rows: pd.DataFrame,
    train: npt.NDArray[np.intp],
    test: npt.NDArray[np.intp],
    contenders: Sequence[CaseContender],
    budget: int,
    seed: int,
) -> dict[str, Numbers]:
    """Scores of the tested rows by each contender, fitted on the trained rows; its search looks at no other.

    All trees have the settings that a search with all inputs finds. Blends are left out: they follow from
    the others.
    """
    learned = rows.iloc[train]
    target, weight = learned["target"].to_numpy(np.int_), learned["weight"].to_numpy()
    found: dict[str, Numbers] = {}
    settings = searched(learned, _ALL, budget, seed)
    for each in (one for one in contenders if one.kind != "blend"):
        values = rows[list(each.inputs)].to_numpy(np.float64)
        if each.kind == "ranking":
            found[each.name] = np.nan_to_num(values[test, 0], nan=-np.finfo(np.float64).max)
        elif each.kind == "logistic":
            model = case_logistic(each.inputs)
            model.fit(values[train], target, logisticregression__sample_weight=weight)
            found[each.name] = model.predict_proba(values[test])[:, 1].astype(np.float64)
        else:
            trees = case_trees(settings, each.inputs, seed)
            trees.fit(values[train], target, sample_weight=weight)
            found[each.name] = trees.predict_proba(values[test])[:, 1].astype(np.float64)
    return found
