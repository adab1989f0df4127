"""The search for settings of the trees, within a budget, on rows that a fold may learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
import pandas as pd
from optuna.samplers import TPESampler
from sklearn.metrics import average_precision_score

from models.case_rows import Numbers
from models.case_splits import group_folds
from models.case_trees import DEFAULT, Settings, case_trees

#: What a search chooses from.
SPACE: dict[str, list[Any]] = {
    "max_depth": [1, 2, 3],
    "n_estimators": [60, 120, 240],
    "learning_rate": [0.05, 0.1],
    "reg_lambda": [2.0, 5.0, 15.0],
    "colsample_bynode": [0.5, 1.0],
}
_INNER_FOLDS = 3
#: So many are drawn by chance before the sampler goes by what it has seen, the default among them.
_BY_CHANCE = 4


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes:
        settings: those of the best average precision; of equal ones the first tried.
        tried: a row for each, in the order of trial, with `average_precision`.
    """

    settings: dict[str, Any]
    tried: pd.DataFrame


def searched(rows: pd.DataFrame, inputs: Sequence[str], budget: int, seed: int) -> Search:
    """The settings of the trees with the best average precision in three grouped folds of these rows.

    Tries DEFAULT, then what Optuna's TPESampler proposes from SPACE, the same for the same seed. With a budget
    of one, or where a fold would have no confirmed account, nothing is tried and DEFAULT stands.
    """
    target = rows["target"].to_numpy(np.int_)
    fold = group_folds(rows["component"].to_numpy(str), target, _INNER_FOLDS, seed)
    if budget == 1 or min(target[fold == each].sum() for each in range(_INNER_FOLDS)) == 0:
        return Search(dict(DEFAULT), pd.DataFrame(columns=[*SPACE, "average_precision"]))
    values = rows[list(inputs)].to_numpy(np.float64)
    weight, population = rows["weight"].to_numpy(), rows["population"].to_numpy()
    known: dict[tuple[Any, ...], float] = {}

    def figure(trial: optuna.Trial) -> float:
        settings = {name: trial.suggest_categorical(name, SPACE[name]) for name in SPACE}
        key = tuple(settings.values())
        if key not in known:
            scores = _held_out(settings, inputs, seed, (values, target, weight), fold)
            known[key] = float(average_precision_score(target, scores, sample_weight=population))
        return known[key]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=_sampler(seed))
    study.enqueue_trial(dict(DEFAULT))
    study.optimize(figure, n_trials=budget)
    tried = pd.DataFrame(
        [{**each.params, "average_precision": each.value} for each in study.trials]
    )
    best = int(tried["average_precision"].to_numpy().argmax())
    return Search(dict(study.trials[best].params), tried)


def search_facts(budget: int, seed: int) -> dict[str, str]:
    """How a search was made, for who reads the run: budget, sampler and seed."""
    return {
        "search": f"{budget} settings, Optuna {optuna.__version__}",
        "search_sampler": f"TPESampler, {_BY_CHANCE} by chance, not multivariate, seed {seed}",
    }


def _sampler(seed: int) -> TPESampler:
    # Said in full: Optuna's own defaults have changed from release to release.
    return TPESampler(seed=seed, n_startup_trials=_BY_CHANCE, multivariate=False, group=False)


def _held_out(
    settings: Settings,
    inputs: Sequence[str],
    seed: int,
    rows: tuple[Numbers, Numbers, Numbers],
    fold: npt.NDArray[np.intp],
) -> Numbers:
    """The score of each row by trees that have not seen its fold."""
    values, target, weight = rows
    scores = np.empty(len(values))
    for each in range(_INNER_FOLDS):
        is_test = fold == each
        model = case_trees(settings, inputs, seed)
        model.fit(values[~is_test], target[~is_test], sample_weight=weight[~is_test])
        scores[is_test] = model.predict_proba(values[is_test])[:, 1]
    return scores
