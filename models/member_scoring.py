"""Calibrated scores and reasons of the model of accounts, computed in Spark's tasks on whole columns."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, StructType
from xgboost import Booster, DMatrix

from expectations.feature.member_model import MEMBER_MODEL_INPUTS, ModelInput
from expectations.gold.member_score import MEMBER_REASON, REASON_COUNT
from models.input_sentences import sentences
from models.model_files import TreeModel

Numbers = npt.NDArray[np.float64]

#: The tag of a version with its calibration, see `Calibration`.
CALIBRATION_TAG = "calibration"
#: Rows that go through the trees at once. Contributions take eight bytes a row and input; more rows share more.
BATCH_ROWS = 100_000

_SCHEMA = (
    StructType()
    .add("member_id", "string")
    .add("as_of_date", "date")
    .add("score", "double")
    .add("reasons", ArrayType(MEMBER_REASON))
)
_ARROW_REASON = pa.struct(
    [
        ("input", pa.string()),
        ("value", pa.float64()),
        ("contribution", pa.float64()),
        ("text", pa.string()),
    ]
)
_INPUTS = {each.name: each for each in MEMBER_MODEL_INPUTS}


@dataclass(frozen=True)
class Calibration:
    """A logistic calibration of the trees' log-odds (Platt 1999); 1 and 0 leave them as they are."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, log_odds: Numbers) -> Numbers:
        """The calibrated probability."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_odds + self.intercept))))


def calibration_of(tags: Mapping[str, str]) -> Calibration:
    """The calibration among the tags of a version; none if it has no such tag."""
    given = json.loads(tags.get(CALIBRATION_TAG, "{}"))
    return Calibration(float(given.get("slope", 1.0)), float(given.get("intercept", 0.0)))


def scored_members(
    rows: DataFrame, model: TreeModel, calibration: Calibration, language: str
) -> DataFrame:
    """Score members: `member_id, as_of_date, score, reasons`.

    Reasons are the inputs whose contributions to the log-odds (TreeSHAP, exact; Lundberg et al. 2018)
    are largest and above zero, at most REASON_COUNT.

    Args:
        rows: `features.indicator.model_inputs.member_rows`.
        model: the trees.
        calibration: of their log-odds.
        language: of the sentences, en or zh.
    """
    content, features = model.booster, list(model.features)

    def scored(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        trees = Trees(content, features)
        for batch in gathered(batches):
            yield _scored_batch(batch, trees, calibration, language)

    wanted = rows.select("member_id", "as_of_date", *features)
    return wanted.mapInArrow(scored, _SCHEMA)


class Trees:
    """Boosted trees that score each combination of branches once.

    Rows whose values lie between the same split points take the same branches of every tree, so they
    have the same score and the same contributions. Most accounts share their combination with many
    others: no indicator, no link.
    """

    def __init__(self, content: bytes, features: Sequence[str]) -> None:
        self.features = list(features)
        self._booster = Booster({"nthread": 1})
        self._booster.load_model(bytearray(content))
        self._splits = _split_points(content, len(self.features))

    def predicted(self, values: Numbers) -> tuple[Numbers, Numbers]:
        """The log-odds of rows, and the contributions of the features to them without the base value."""
        _, first, place = np.unique(self._branches(values), return_index=True, return_inverse=True)
        matrix = DMatrix(values[first], feature_names=self.features, nthread=1)
        margins = self._booster.predict(matrix, output_margin=True).astype(np.float64)
        parts = self._booster.predict(matrix, pred_contribs=True)[:, :-1].astype(np.float64)
        place = place.ravel()
        return margins[place], parts[place]

    def _branches(self, values: Numbers) -> npt.NDArray[np.void]:
        """For each row, between which split points its values lie, as one value to compare."""
        codes = np.empty(values.shape, dtype=np.int32)
        for at, splits in enumerate(self._splits):
            # The trees compare single-precision numbers: left if the value is below the split point.
            column = values[:, at].astype(np.float32)
            codes[:, at] = np.searchsorted(splits, column, side="right")
            codes[np.isnan(column), at] = -1
        width = codes.itemsize * len(self.features)
        return np.ascontiguousarray(codes).view(np.dtype((np.void, width))).ravel()


def _split_points(content: bytes, feature_count: int) -> list[npt.NDArray[np.float32]]:
    """The distinct split points of each feature, ascending, from XGBoost's JSON."""
    found: list[set[float]] = [set() for _ in range(feature_count)]
    for tree in json.loads(content)["learner"]["gradient_booster"]["model"]["trees"]:
        nodes = zip(
            tree["left_children"], tree["split_indices"], tree["split_conditions"], strict=True
        )
        for left, feature, point in nodes:
            if left != -1:
                found[feature].add(float(np.float32(point)))
    return [np.array(sorted(points), dtype=np.float32) for points in found]


def gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches of about BATCH_ROWS rows: Spark's are smaller, and more rows share more branches."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(each.num_rows for each in waiting) >= BATCH_ROWS:
            yield pa.Table.from_batches(waiting).combine_chunks().to_batches()[0]
            waiting = []
    rows = [each for each in waiting if each.num_rows]
    if rows:
        yield pa.Table.from_batches(rows).combine_chunks().to_batches()[0]


def _scored_batch(
    batch: pa.RecordBatch, trees: Trees, calibration: Calibration, language: str
) -> pa.RecordBatch:
    columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in trees.features]
    values = np.column_stack(columns).astype(np.float64)
    margins, contributions = trees.predicted(values)
    return pa.RecordBatch.from_arrays(
        [
            batch.column("member_id"),
            batch.column("as_of_date"),
            pa.array(calibration.probability(margins)),
            reasons_of(values, contributions, trees.features, _INPUTS, language),
        ],
        names=list(_SCHEMA.names),
    )


def reasons_of(
    values: Numbers,
    contributions: Numbers,
    features: Sequence[str],
    known: Mapping[str, ModelInput],
    language: str,
) -> pa.ListArray:
    """The largest contributions above zero of each row, largest first; equal ones in the inputs' order."""
    order = np.argsort(-contributions, axis=1, kind="stable")[:, :REASON_COUNT]
    parts = np.take_along_axis(contributions, order, axis=1)
    is_reason = parts > 0
    chosen, amounts = order[is_reason], parts[is_reason]
    of_chosen = np.take_along_axis(values, order, axis=1)[is_reason]
    ends = np.concatenate([[0], np.cumsum(is_reason.sum(axis=1))])
    names = np.array(features, dtype=object)[chosen]
    flat = pa.StructArray.from_arrays(
        [
            pa.array(names, pa.string()),
            pa.array(of_chosen, pa.float64(), from_pandas=True),
            pa.array(amounts, pa.float64()),
            pa.array(sentences(names, of_chosen, known, language), pa.string()),
        ],
        fields=list(_ARROW_REASON),
    )
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), flat)
