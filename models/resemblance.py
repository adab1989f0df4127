"""How much accounts resemble accounts in fraud in simulated provinces, by the model that is shipped."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, StructType

from expectations.contract.errors import ConfigError
from expectations.feature.resemblance import RESEMBLANCE_INPUT_NAMES, RESEMBLANCE_INPUTS
from expectations.gold.member_score import MEMBER_REASON
from models.member_scoring import Trees, gathered, reasons_of
from models.surprise import surprises_among_peers

Floats = npt.NDArray[np.float64]

#: Digits that are kept of log-odds: few distinct values have to be counted to know an account's place.
_DIGITS = 3
_SCHEMA = (
    StructType()
    .add("member_id", "string")
    .add("resemblance_365d", "double")
    .add("reasons", ArrayType(MEMBER_REASON))
)
_INPUTS = {each.name: each for each in RESEMBLANCE_INPUTS}


@dataclass(frozen=True)
class ResemblanceModel:
    """Trees on how rare each input is among peers.

    Attributes:
        trees: XGBoost's own JSON.
        names: the inputs, in the trees' order.
        digest: SHA-256 of the shipped file.
    """

    trees: str
    names: tuple[str, ...]
    digest: str


def read_resemblance_model(path: Path) -> ResemblanceModel | None:
    """The shipped model; None where there is none.

    Raises:
        ConfigError: the file is not a model of these inputs.
    """
    if not path.exists():
        return None
    content = path.read_bytes()
    try:
        held = json.loads(content)
        names = tuple(held["inputs"])
        trees = json.dumps(held["trees"])
        Trees(trees.encode(), names)
    except Exception as error:
        # XGBoost has errors of its own for trees that it cannot read.
        raise ConfigError(f"{path} is not a model of resemblance: {error}") from error
    unknown = [name for name in names if name not in RESEMBLANCE_INPUT_NAMES]
    if unknown:
        raise ConfigError(
            f"{path} asks for features that are not looked at: {', '.join(unknown)}; run train_model"
            " --subject member with train.source=simulated again"
        )
    return ResemblanceModel(trees, names, hashlib.sha256(content).hexdigest())


def resembling(
    rows: DataFrame, model: ResemblanceModel, usual: Mapping[str, Floats], language: str
) -> DataFrame:
    """Weigh accounts: `member_id, resemblance_365d, reasons`, one row each.

    Reasons are the inputs whose contributions to the log-odds (TreeSHAP, exact; Lundberg et al. 2018)
    are largest and above zero.

    Args:
        rows: `member_id`, `peer_group` and the model's inputs, null where nothing is known.
        model: the trees.
        usual: from `models.surprise.usual_values`, with `model.names`; sent to every task, one
            array for each group of peers.
        language: of the sentences, en or zh.
    """
    names = model.names

    def weighed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        trees = Trees(model.trees.encode(), names)
        for batch in gathered(batches):
            columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
            values = np.column_stack(columns).astype(np.float64)
            groups = batch.column("peer_group")
            margins, parts = trees.predicted(surprises_among_peers(values, groups, usual))
            yield pa.RecordBatch.from_arrays(
                [
                    batch.column("member_id"),
                    pa.array(np.round(margins, _DIGITS) + 0.0),
                    reasons_of(values, parts, names, _INPUTS, language),
                ],
                names=list(_SCHEMA.names),
            )

    return rows.select("member_id", "peer_group", *names).mapInArrow(weighed, _SCHEMA)
