"""Folds keep groups whole, balance strata, and do not depend on the order of rows."""

import numpy as np
import pytest

from models.splits import repeated_folds

RNG = np.random.default_rng(5)
IDS = [f"i{n:03}" for n in range(300)]
LABELS = (RNG.random(300) < 0.2).astype(int).tolist()
GROUPS = [f"g{n // 3}" if n < 90 else IDS[n] for n in range(300)]


def test_a_group_is_always_tested_in_one_fold() -> None:
    folds = repeated_folds(IDS, LABELS, GROUPS, folds=5, repeats=3, seed=1)

    for repeat in folds:
        for group in set(GROUPS):
            assert len({repeat[n] for n, each in enumerate(GROUPS) if each == group}) == 1


def test_every_fold_has_its_share_of_positives() -> None:
    folds = repeated_folds(IDS, LABELS, GROUPS, folds=5, repeats=3, seed=1)

    expected = sum(LABELS) / 5
    for repeat in folds:
        positives = np.bincount(repeat, weights=LABELS, minlength=5)
        assert np.all(np.abs(positives - expected) <= 2)


def test_the_order_of_the_rows_changes_nothing() -> None:
    order = RNG.permutation(300)
    straight = repeated_folds(IDS, LABELS, GROUPS, 5, 2, seed=9)

    shuffled = repeated_folds(
        [IDS[n] for n in order],
        [LABELS[n] for n in order],
        [GROUPS[n] for n in order],
        5,
        2,
        seed=9,
    )

    assert np.array_equal(shuffled, straight[:, order])


def test_repeats_and_seeds_split_anew() -> None:
    folds = repeated_folds(IDS, LABELS, GROUPS, 5, 2, seed=1)

    assert not np.array_equal(folds[0], folds[1])
    assert np.array_equal(folds[1], repeated_folds(IDS, LABELS, GROUPS, 5, 1, seed=2)[0])


def test_too_few_groups_and_double_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="2 groups of subjects cannot be split into 5 folds"):
        repeated_folds(IDS, LABELS, ["x", "y"] * 150, 5, 1, seed=1)
    with pytest.raises(ValueError, match="duplicate ids"):
        repeated_folds(["a", "a"], [0, 1], ["x", "y"], 2, 1, seed=1)
