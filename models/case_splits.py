"""Four ways to hold rows of accounts back for a test: at random, by group, by time, by time and group."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold

Places = npt.NDArray[np.intp]

#: From the easiest to the one that counts.
EVALUATIONS = ("random", "group", "time", "time_group")
HEADLINE = "time_group"
#: A later day with fewer confirmed accounts is no test; with fewer known before it, nothing is learned.
_MIN_POSITIVES = 5


@dataclass(frozen=True)
class Split:
    """The places of rows to train on and to test, in one of EVALUATIONS."""

    evaluation: str
    train: Places
    test: Places


def splits(rows: pd.DataFrame, folds: int, embargo_days: int, seed: int) -> list[Split]:
    """All splits of all evaluations.

    By time, each later day of features is a test of what could have been learned before it: rows with
    features at least `embargo_days` older, and of the labelled ones those that were decided before that day. By
    time and group, nobody trained on shares a household, a ring or a case with anybody tested. A day with
    fewer than five confirmed accounts to test or to learn from is left out, so there may be no split by
    time.

    Args:
        rows: of `models.case_rows.case_rows`.
        folds: parts of the random and of the grouped evaluation.
        embargo_days: between the days of features that are learned from and the day tested.
        seed: of the folds.
    """
    target = rows["target"].to_numpy()
    shuffled = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    found = [
        Split("random", train, test) for train, test in shuffled.split(np.zeros(len(rows)), target)
    ]
    fold = group_folds(rows["component"].to_numpy(str), target, folds, seed)
    found += [
        Split("group", np.flatnonzero(fold != each), np.flatnonzero(fold == each))
        for each in range(folds)
    ]
    return [*found, *_by_time(rows, embargo_days)]


def group_folds(
    components: npt.NDArray[np.str_], target: npt.NDArray[np.int_], folds: int, seed: int
) -> npt.NDArray[np.intp]:
    """The fold of each row: components stay whole, confirmed accounts are shared out evenly.

    Components with confirmed accounts go, the largest first, to the fold with the fewest so far, all others
    by chance. The order of the rows does not matter.
    """
    names, place = np.unique(components, return_inverse=True)
    positives = np.bincount(place, weights=target, minlength=len(names))
    rng = np.random.default_rng(seed)
    fold_of = rng.integers(0, folds, len(names))
    shuffle = rng.permutation(len(names))
    held = np.zeros(folds)
    for each in shuffle[np.argsort(-positives[shuffle], kind="stable")]:
        if not positives[each]:
            break
        fold_of[each] = int(np.argmin(held))
        held[fold_of[each]] += positives[each]
    found: npt.NDArray[np.intp] = fold_of[place].astype(np.intp)
    return found


def _by_time(rows: pd.DataFrame, embargo_days: int) -> list[Split]:
    days = rows["feature_day"].to_numpy("datetime64[D]")
    decided = rows["decided_day"].to_numpy("datetime64[D]")
    target = rows["target"].to_numpy(bool)
    is_labelled = rows["is_labelled"].to_numpy(bool)
    component = rows["component"].to_numpy(str)
    embargo = np.timedelta64(embargo_days, "D")
    found = []
    for day in np.unique(days)[1:]:
        is_test = days == day
        is_known = ~is_labelled | (decided < day)
        is_train = (days < day) & (days <= day - embargo) & is_known
        is_apart = is_train & ~np.isin(component, component[is_test])
        for name, chosen in (("time", is_train), ("time_group", is_apart)):
            if min(target[is_test].sum(), target[chosen].sum()) >= _MIN_POSITIVES:
                found.append(Split(name, np.flatnonzero(chosen), np.flatnonzero(is_test)))
    return sorted(found, key=lambda split: EVALUATIONS.index(split.evaluation))
