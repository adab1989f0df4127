"""How rare a value is among peers, from four quantiles."""

import math

import numpy as np
import pytest

from models.surprise import LEVELS, surprises, usual_values

#: Median, 90th, 99th and 99.9th percentile of one feature.
QUANTILES = (4.0, 10.0, 100.0, 400.0)


def surprise_of(value: float, quantiles: tuple[float, ...] = QUANTILES) -> float:
    usual = np.array(quantiles).reshape(1, len(LEVELS), 1)
    return float(surprises(np.array([[value]]), usual)[0, 0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, 0.0),
        (-3.0, 0.0),
        (2.0, 0.301 / 2),
        (4.0, 0.301),
        (math.sqrt(40), 0.301 + (1 - 0.301) / 2),
        (10.0, 1.0),
        (math.sqrt(1000), 1.5),
        (100.0, 2.0),
        (200.0, 2.5),
        (400.0, 3.0),
        (1e9, 3.0),
    ],
)
def test_quantiles_are_exact_and_values_between_go_by_the_logarithm(value, expected):
    assert surprise_of(value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "quantiles", "expected"),
    [
        # Of what hardly anybody has any is rare, however little.
        (1.0, (0.0, 0.0, 0.0, 0.0), 3.0),
        (1.0, (0.0, 0.0, 0.0, 2.0), 2.0),
        (1.0, (0.0, 0.0, 2.0, 2.0), 1.0),
        # What most have says nothing beyond the level that it surely reaches.
        (1.0, (1.0, 1.0, 1.0, 1.0), 3.0),
        (0.5, (1.0, 1.0, 1.0, 1.0), 0.1505),
    ],
)
def test_quantiles_that_are_alike(value, quantiles, expected):
    assert surprise_of(value, quantiles) == pytest.approx(expected)


def test_it_never_falls_with_the_value_and_comes_near_the_share_that_was_counted():
    rng = np.random.default_rng(5)
    peers = np.sort(rng.lognormal(2, 1, 100_000))
    usual = np.quantile(peers, [0.5, 0.9, 0.99, 0.999]).reshape(1, len(LEVELS), 1)
    found = surprises(peers[:, None], usual)[:, 0]
    assert (np.diff(found) >= 0).all()
    counted = -np.log10(1 - np.arange(len(peers)) / len(peers))
    upper = (counted > 0.301) & (counted < 3)
    assert np.abs(found - counted)[upper].max() < 0.12


def test_usual_values_are_kept_by_group_in_the_order_of_the_names():
    rows = [("g", "b", (1.0, 2.0, 3.0, 4.0)), ("g", "other", (9.0,) * 4), ("h", "a", (5.0,) * 4)]
    found = usual_values(rows, ["a", "b"])
    assert found["g"].tolist() == [[0, 1], [0, 2], [0, 3], [0, 4]]
    assert found["h"].tolist() == [[5, 0]] * 4
