"""Folds that keep groups together and do not depend on the order of the rows."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold


def repeated_folds(
    ids: Sequence[str],
    strata: Sequence[int],
    groups: Sequence[str],
    folds: int,
    repeats: int,
    seed: int,
) -> npt.NDArray[np.int32]:
    """Give every row the fold that tests it, once per repeat: an array of shape (repeats, rows).

    Rows of one group are always in one fold; each fold gets about the same share of every stratum.
    Depends on the seed and on the rows, not on their order: they are sorted by id first.

    Args:
        ids: the unique id of each row.
        strata: the values to balance, for example the label.
        groups: groups that stay in one fold, for example the component.
        folds: parts of each repeat.
        repeats: the number of splits.
        seed: of the first repeat; each further one uses the next number.

    Raises:
        ValueError: when an id comes twice, or there are fewer groups than folds.
    """
    order = np.argsort(np.asarray(ids, dtype=str), kind="stable")
    sorted_ids = np.asarray(ids, dtype=str)[order]
    if np.any(sorted_ids[1:] == sorted_ids[:-1]):
        raise ValueError("the rows to split have duplicate ids")
    group_count = len(set(groups))
    if group_count < folds:
        raise ValueError(f"{group_count} groups of subjects cannot be split into {folds} folds")
    sorted_strata = np.asarray(strata)[order]
    sorted_groups = np.asarray(groups, dtype=str)[order]
    assigned = np.full((repeats, len(order)), -1, dtype=np.int32)
    for repeat in range(repeats):
        splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed + repeat)
        parts = splitter.split(np.zeros(len(order)), sorted_strata, sorted_groups)
        for fold, (_, test) in enumerate(parts):
            assigned[repeat, order[test]] = fold
    return assigned
