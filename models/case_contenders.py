"""The methods that are compared on closed cases, fitted with scikit-learn and xgboost in one task each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from expectations.feature.member_model import MEMBER_MODEL_INPUTS
from expectations.gold.account import UNLINKED_LOG_ODDS
from models.case_rows import AMOUNT, Numbers
from models.case_search import searched
from models.case_trees import case_trees
from models.estimators import signed_log
from models.member_model import BLEND_WEIGHTS

PRIOR = "rules_and_links"
TREES = "trees"


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
    settings = searched(learned, _ALL, budget, seed).settings
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
