"""Two versions on the same rows: nobody scores what it has seen, and noise decides nothing. No Spark."""

import numpy as np
import pandas as pd
import pytest

from models.comparison import (
    CHALLENGER,
    CHAMPION,
    Comparison,
    NotComparable,
    Side,
    VersionFacts,
    compared_figures,
    differing,
    held_out_scores,
    list_change,
)
from models.splits import repeated_folds

TREES = {"n_estimators": 20, "max_depth": 2, "learning_rate": 0.3}
NOWHERE = VersionFacts("1", "", "2025-01-01")


def rows(count=120, seed=1, groups=None):
    draws = np.random.default_rng(seed)
    label = (np.arange(count) % 3 == 0).astype(int)
    return pd.DataFrame(
        {
            "subject": [f"s{at:03d}" for at in range(count)],
            "group": [
                f"g{(groups or count) and at % (groups or count):03d}" for at in range(count)
            ],
            "identity": [f"s{at:03d}" for at in range(count)],
            "label": label,
            "weight": 1.0,
            "telling": 3.0 * label + draws.normal(size=count),
            "noise": draws.normal(size=count),
        }
    )


def folds_of(judged, folds=3, repeats=2):
    columns = (judged[name].tolist() for name in ("subject", "label", "group"))
    return repeated_folds(*columns, folds, repeats, 7)


def sides(champion, challenger, of_champion, of_challenger):
    return [
        Side(CHAMPION, (champion,), TREES, of_champion),
        Side(CHALLENGER, (challenger,), TREES, of_challenger),
    ]


def verdict(figures):
    return Comparison("member", "m", NOWHERE, NOWHERE, figures=figures).verdict


@pytest.mark.parametrize(
    ("champion", "challenger", "told"),
    [
        ("noise", "telling", "better"),
        ("telling", "noise", "worse"),
        ("telling", "telling", "alike"),
    ],
)
def test_the_verdict_is_that_of_the_interval(champion, challenger, told):
    judged = rows()
    found = compared_figures(
        judged, folds_of(judged), sides(champion, challenger, judged, judged), seed=1
    )
    assert found[0].figure == "average_precision"
    assert verdict(found) == told


def test_a_different_seed_of_the_same_noise_is_no_difference():
    judged = rows()
    judged["more_noise"] = np.random.default_rng(5).normal(size=len(judged))
    found = compared_figures(
        judged, folds_of(judged), sides("noise", "more_noise", judged, judged), seed=1
    )
    assert verdict(found) == "alike"


def in_clusters():
    """Fifteen clusters of six rows; each has one label, drawn at random, and only its own rows can tell it."""
    judged = rows(90, groups=15)
    label = pd.Series(np.random.default_rng(3).permutation([0, 1] * 8)[:15])
    place = judged["group"].str[1:].astype(int)
    return judged.assign(label=place.map(label), noise=place.astype(float))


def best_guess(judged, own):
    """The best correlation with the labels, over the repeats, of trees that can learn own rows by heart."""
    side = Side(CHAMPION, ("noise",), {"n_estimators": 60, "max_depth": 5}, own)
    scores = held_out_scores(judged, folds_of(judged), [side], seed=1)
    return max(np.corrcoef(each, judged["label"])[0, 1] for each in scores[CHAMPION])


def test_nobody_is_scored_by_trees_that_saw_its_group():
    judged = in_clusters()
    # Other people of the same groups, whom nobody judges.
    own = judged.assign(identity="other " + judged["identity"])
    assert best_guess(judged, own) < 0.5


def test_nobody_is_scored_by_trees_that_saw_itself_under_another_group():
    judged = in_clusters()
    judged["identity"] = judged["group"]
    own = judged.assign(group="other " + judged["group"])
    assert best_guess(judged, own) < 0.5


def test_the_champion_keeps_its_own_rows_of_others():
    judged = rows()
    others = rows(seed=2).assign(identity=lambda frame: "o" + frame["identity"])
    others["group"] = others["identity"]
    found = held_out_scores(
        judged, folds_of(judged), sides("telling", "telling", others, judged), seed=1
    )
    assert np.corrcoef(found[CHAMPION][0], judged["label"])[0, 1] > 0.7


def test_the_number_of_threads_and_the_order_of_rows_change_nothing():
    judged = rows()
    first = held_out_scores(judged, folds_of(judged), sides("noise", "telling", judged, judged), 1)
    again = held_out_scores(judged, folds_of(judged), sides("noise", "telling", judged, judged), 1)
    assert (first[CHALLENGER] == again[CHALLENGER]).all()


def test_rows_of_a_sample_count_as_many_as_they_stand_for():
    judged = rows().assign(population=1.0)
    twice = judged.assign(population=np.where(judged["label"] == 1, 1.0, 10.0))
    first, second = (
        compared_figures(each, folds_of(each), sides("noise", "telling", each, each), seed=1)
        for each in (judged, twice)
    )
    # Ten times as many innocent accounts: chance ranks a tenth as many of the confirmed first.
    assert second[0].champion < first[0].champion / 2
    assert {each.figure for each in second} == {"average_precision", "brier", "roc_auc"}


def test_too_little_to_learn_from_is_said():
    judged = rows()
    one = judged[judged["label"] == 0]
    with pytest.raises(NotComparable, match="the champion has no training rows of both labels"):
        compared_figures(judged, folds_of(judged), sides("noise", "noise", one, judged), seed=1)


def test_only_what_differs_is_named():
    found = differing({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4", "d": "5"})
    assert [(each.name, each.champion, each.challenger) for each in found] == [
        *(("b", "2", "4"), ("c", "3", ""), ("d", "", "5")),
    ]


def test_the_change_of_the_first_places():
    ranks = pd.DataFrame(
        {
            "subject": ["a", "b", "c", "d"],
            "champion_rank": [1.0, 2.0, 3.0, None],
            "challenger_rank": [2.0, 7.0, 9.0, 1.0],
        }
    )
    found = list_change(ranks, "2025-06-01", 2)
    assert found.stayed == 1
    assert [(each.subject, each.champion_rank, each.challenger_rank) for each in found.entered] == [
        ("d", None, 1)
    ]
    assert [(each.subject, each.champion_rank, each.challenger_rank) for each in found.left] == [
        ("b", 2, 7)
    ]
