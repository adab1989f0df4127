"""How much a pair of accounts is linked: a weight for its traits, learned or not, with its parts."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import xgboost

from expectations.contract.errors import ConfigError
from expectations.feature.account_link import TRAIT_NAMES

Floats = npt.NDArray[np.float64]
#: Digits that are kept of weights: trees add single-precision numbers.
_DIGITS = 5
_REASONS = 3


@dataclass(frozen=True)
class LinkModel:
    """Trees on traits, with a calibration of their sum.

    Attributes:
        trees: XGBoost's own JSON.
        slope: of the calibration of log-odds.
        intercept: of the same.
    """

    trees: str
    slope: float
    intercept: float
    names: tuple[str, ...] = TRAIT_NAMES

    def weigh(self, traits: pl.DataFrame) -> pl.DataFrame:
        """Add `weight` (log-odds), `probability` and `reasons` to rows of traits."""
        if traits.is_empty():
            return _with_weight(traits, np.zeros(0), np.zeros((0, len(self.names))), self.names)
        booster = xgboost.Booster()
        booster.load_model(bytearray(self.trees, "utf-8"))
        booster.set_param({"nthread": 1})
        values = traits.select(pl.col(self.names).cast(pl.Float32)).to_numpy()
        rows = xgboost.DMatrix(values, feature_names=list(self.names), missing=math.nan, nthread=1)
        parts = booster.predict(rows, pred_contribs=True).astype(float)
        # The last column is what holds for every pair.
        weight = self.slope * parts.sum(axis=1) + self.intercept
        return _with_weight(traits, weight, self.slope * parts[:, :-1], self.names)


@dataclass(frozen=True)
class UnlearnedWeight:
    """The larger of the tail of meetings at two or more places and three times the operator's.

    With p the tail as a chance, the odds are those of a pair of which one in all pairs is expected to
    be linked: log-odds = ln(1/p) - ln(pairs). Pairs with a shared address weigh nothing.

    Attributes:
        pairs_possible: pairs of accounts that could have met.
    """

    pairs_possible: float

    def weigh(self, traits: pl.DataFrame) -> pl.DataFrame:
        """Add `weight` (log-odds), `probability` and `reasons` to rows of traits."""
        names = ("places_surprise", "operator_surprise")
        places, operator = (traits[name].fill_null(0).to_numpy() for name in names)
        apart = (traits["is_same_address"].fill_null(0) < 1).to_numpy()
        parts = np.stack([places, 3 * operator], axis=1) * math.log(10) * apart[:, None]
        parts = np.where(parts == parts.max(axis=1, keepdims=True), parts, 0.0)
        weight = parts.max(axis=1) - math.log(max(self.pairs_possible, 1.0))
        return _with_weight(traits, weight, parts, names)


def read_link_model(path: Path) -> LinkModel | None:
    """The shipped model; None where there is none.

    Raises:
        ConfigError: the file is not a model of these traits.
    """
    if not path.exists():
        return None
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        names = tuple(held["traits"])
        calibration = held["calibration"]
        model = LinkModel(
            json.dumps(held["trees"]), calibration["slope"], calibration["intercept"], names
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is not a model of links: {error}") from error
    unknown = [name for name in names if name not in TRAIT_NAMES]
    if unknown:
        raise ConfigError(
            f"{path} asks for traits that are not measured: {', '.join(unknown)};"
            " run train_link_model again"
        )
    return model


def _with_weight(
    traits: pl.DataFrame, weight: Floats, parts: Floats, names: Sequence[str]
) -> pl.DataFrame:
    weight = np.round(weight, _DIGITS)
    probability = np.round(1 / (1 + np.exp(-np.clip(weight, -500, 500))), 6)
    return traits.with_columns(
        weight=pl.Series(weight, dtype=pl.Float64),
        probability=pl.Series(probability, dtype=pl.Float64),
        reasons=_strongest(traits, parts, names),
    )


def _strongest(traits: pl.DataFrame, parts: Floats, names: Sequence[str]) -> pl.Series:
    """The traits that add most, largest first, as structs of `trait`, `value`, `points`."""
    shape = pl.List(pl.Struct({"trait": pl.String, "value": pl.Float64, "points": pl.Float64}))
    if traits.is_empty():
        return pl.Series("reasons", [], dtype=shape)
    few = min(_REASONS, len(names))
    order = np.argsort(-parts, axis=1, kind="stable")[:, :few]
    points = np.round(np.take_along_axis(parts, order, axis=1), 3)
    values = traits.select(pl.col(names).cast(pl.Float64)).to_numpy()
    frame = pl.DataFrame(
        {
            "row": np.repeat(np.arange(len(parts)), few),
            "trait": np.array(names)[order].ravel(),
            "value": np.round(np.take_along_axis(values, order, axis=1).ravel(), 4),
            "points": points.ravel(),
        }
    )
    each = pl.struct("trait", "value", "points").filter(pl.col("points") > 0)
    return frame.group_by("row", maintain_order=True).agg(reasons=each)["reasons"].cast(shape)
