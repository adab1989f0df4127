"""The weight of a link: learned and unlearned, its parts, and the JSON that is shipped."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from expectations.contract.errors import ConfigError
from expectations.feature.account_link import TRAIT_NAMES
from models.link_model import UnlearnedWeight, read_link_model
from models.link_training import (
    TrainingProvince,
    account_ranking,
    calibration,
    judged,
    left_out,
    margins,
    model_document,
    trained,
)


def pairs(seed, rows=1500):
    """True pairs meet more surprisingly; one generator's homes lie nearer than the other's."""
    draw = np.random.default_rng(seed)
    is_true = draw.random(rows) < 0.1
    values = {name: draw.random(rows) for name in TRAIT_NAMES}
    values["places_surprise"] = draw.exponential(1.0, rows) + 7 * is_true
    values["home_km"] = draw.random(rows) * (1 + seed % 2)
    frame = pl.DataFrame(values).with_columns(
        src=pl.Series(np.arange(rows) * 2),
        dst=pl.Series(np.arange(rows) * 2 + 1),
        is_true=pl.Series(is_true),
    )
    guilty = frame.filter("is_true")
    return frame, frozenset(guilty["src"]) | frozenset(guilty["dst"])


@pytest.fixture(scope="module")
def provinces():
    found = []
    for seed, generator in ((1, "one"), (2, "two")):
        frame, guilty = pairs(seed)
        found.append(TrainingProvince(f"{generator}-{seed}", generator, frame, guilty, frozenset()))
    return found


def test_what_is_shipped_weighs_as_it_was_trained(provinces, tmp_path):
    figures, parts = left_out(provinces, TRAIT_NAMES)
    booster = trained(provinces, TRAIT_NAMES)
    slope, intercept = calibration(parts)
    path = tmp_path / "model.json"
    path.write_text(model_document(booster, TRAIT_NAMES, (slope, intercept), {}))

    model = read_link_model(path)
    weighed = model.weigh(provinces[0].pairs)

    expected = slope * margins(booster, provinces[0].pairs, TRAIT_NAMES) + intercept
    assert weighed["weight"].to_numpy() == pytest.approx(expected, abs=1e-4)
    assert set(figures) == {"one-1", "two-2"}
    assert all(found["average_precision"] > 0.8 for found in figures.values())
    [best] = weighed.sort("weight").tail(1).to_dicts()
    assert best["reasons"][0]["trait"] == "places_surprise"
    assert best["reasons"][0]["value"] == pytest.approx(best["places_surprise"], abs=1e-4)
    # Calibrated on what was left out: as many true pairs as the probabilities add up to.
    total = sum(each.pairs["is_true"].sum() for each in provinces)
    assert sum(model.weigh(each.pairs)["probability"].sum() for each in provinces) == pytest.approx(
        total, rel=0.3
    )


def test_more_of_a_trait_that_speaks_for_a_link_never_lowers_its_weight(provinces):
    booster = trained(provinces, TRAIT_NAMES)
    rows = provinces[0].pairs.head(200)
    more = rows.with_columns(pl.col("met_surprise") + 3, pl.col("places_surprise") + 3)
    assert (margins(booster, more, TRAIT_NAMES) >= margins(booster, rows, TRAIT_NAMES)).all()


def test_training_gives_the_same_document_twice(provinces):
    one, two = (
        model_document(trained(provinces, TRAIT_NAMES), TRAIT_NAMES, (1.0, 0.0), {})
        for _ in range(2)
    )
    assert one == two


def test_the_unlearned_weight_is_the_larger_tail_and_nothing_at_one_address():
    rows = pl.DataFrame(
        {
            "places_surprise": [9.0, 1.0, 9.0],
            "operator_surprise": [1.0, 4.0, 4.0],
            "is_same_address": [0.0, 0.0, 1.0],
        }
    )
    weighed = UnlearnedWeight(1e6).weigh(rows)

    tens = math.log(10)
    assert weighed["weight"].to_list() == pytest.approx([3 * tens, 6 * tens, -6 * tens], abs=1e-4)
    assert weighed["probability"][0] == pytest.approx(1000 / 1001, abs=1e-5)
    assert [[each["trait"] for each in row] for row in weighed["reasons"]] == [
        ["places_surprise"],
        ["operator_surprise"],
        [],
    ]


def test_a_file_that_is_no_model_is_refused_and_none_is_none(tmp_path):
    assert read_link_model(tmp_path / "absent.json") is None
    broken = tmp_path / "broken.json"
    broken.write_text('{"traits": ["met_days"]}')
    with pytest.raises(ConfigError, match="is not a model of links"):
        read_link_model(broken)
    other = tmp_path / "other.json"
    other.write_text(
        '{"traits": ["moon_phase"], "trees": {}, "calibration": {"slope": 1, "intercept": 0}}'
    )
    with pytest.raises(ConfigError, match="moon_phase"):
        read_link_model(other)


def test_the_shipped_model_reads_and_asks_for_traits_that_there_are():
    model = read_link_model(Path(__file__).parents[2] / "models/shipped/account_link.json")
    assert model is not None
    assert model.names == TRAIT_NAMES
    nothing = pl.DataFrame(schema=dict.fromkeys(TRAIT_NAMES, pl.Float64))
    assert model.weigh(nothing).is_empty()


def test_accounts_rank_by_their_best_link_and_who_is_behind_does_not_count():
    is_true = [True, True, False, False]
    frame = pl.DataFrame({"src": [1, 1, 4, 4], "dst": [2, 3, 5, 6], "is_true": is_true})
    weight = np.array([2.0, 1.0, 1.8, 1.7])

    ranked = account_ranking(frame, weight)

    # The second link of 4 is better than that of 1, and does not count.
    assert ranked["account"].to_list() == [1, 2, 4, 5, 6, 3]
    province = TrainingProvince("p", "p", frame, frozenset({1, 2}), frozenset({3, 4, 5, 6}))
    assert judged(province, weight)["average_precision"] == 1.0
