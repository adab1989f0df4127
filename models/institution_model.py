"""The model of institutions: which rows it can score, its contenders, its folds."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.feature.institution import PLAIN_FEATURES
from models.cross_validation import Contender
from models.splits import repeated_folds

#: What a model of a care setting has a basis to judge: subjects with any of these claims.
CLAIM_COUNTS = {
    "inpatient": ("inpatient_claim_count",),
    "all": ("inpatient_claim_count", "outpatient_claim_count"),
}
_AMOUNTS = {
    "inpatient": ("inpatient_amount_sum",),
    "all": ("inpatient_amount_sum", "outpatient_amount_sum"),
}


def model_name(subject: str) -> str:
    """The registered model of a subject."""
    return f"drugtrail-{subject}"


def claim_number(care_setting: str) -> Column:
    """The number of a row's claims that a model of the care setting may use; 0 means no basis."""
    counts = [F.coalesce(F.col(name), F.lit(0.0)) for name in CLAIM_COUNTS[care_setting]]
    return reduce(Column.__add__, counts)


def contenders(care_setting: str, inputs: Sequence[str]) -> list[Contender]:
    """The methods that are evaluated in the same folds, the model first."""
    return [
        Contender("trees", "trees", tuple(inputs)),
        Contender("trees_plain", "trees", tuple(PLAIN_FEATURES)),
        Contender("logistic", "logistic", tuple(inputs)),
        Contender("claim_count", "ranking", CLAIM_COUNTS[care_setting]),
        Contender("amount", "ranking", _AMOUNTS[care_setting]),
    ]


def institution_folds(
    frame: pd.DataFrame, folds: int, repeats: int, seed: int
) -> npt.NDArray[np.int32]:
    """Folds with the same share of positives and of rows with a basis; components stay whole."""
    strata = 2 * frame["label"] + frame["has_basis"].astype(int)
    return repeated_folds(
        frame["institution_id"].tolist(),
        strata.tolist(),
        frame["component"].tolist(),
        folds,
        repeats,
        seed,
    )
