"""The estimators: gradient-boosted trees, on Spark and in one task, and a logistic baseline."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier
from xgboost.spark import SparkXGBClassifier

#: Shallow trees, slow learning and strong shrinkage for some thousand rows and skewed amounts.
#: Missing values stay missing: each split learns which way they go. Rows are neither resampled nor
#: weighted (no scale_pos_weight): weights move every probability away from what it means and did not
#: better the ranking; about a fifth of the rows being positive, the loss sees enough of them. The
#: imbalance is met in the folds (stratified) and in the figures (average precision).
BOOSTER: dict[str, Any] = {
    "learning_rate": 0.03,
    "max_depth": 3,
    "n_estimators": 200,
    "subsample": 0.7,
    "colsample_bynode": 0.3,
    "min_child_weight": 1,
    "reg_lambda": 5,
    "tree_method": "hist",
    "max_bin": 64,
}


def boosted_trees(features: Sequence[str], seed: int, workers: int = 1) -> SparkXGBClassifier:
    """The trees as a Spark estimator, trained on `workers` Spark tasks at once.

    Reads the columns `features` and `label` and gives `probability`; a null feature is missing. With
    exactly `workers` partitions in a fixed order of rows, the same rows make the same model. Its tasks run
    at the same time (a barrier stage), which Spark refuses with dynamic allocation.
    """
    return SparkXGBClassifier(
        features_col=list(features),
        label_col="label",
        num_workers=workers,
        verbose=False,
        random_state=seed,
        **BOOSTER,
    )


def native_trees(seed: int) -> XGBClassifier:
    """The same trees for one process and one thread: on the same rows, the same predictions.

    Cross-validation fits these inside Spark tasks, because most of the time of a Spark fit on some thousand
    rows is start-up, not training.
    """
    return XGBClassifier(random_state=seed, n_jobs=1, **BOOSTER)


def logistic_baseline() -> Pipeline:
    """Logistic regression on signed logarithms with unit variance; medians replace missing values.

    In scikit-learn, not Spark ML, because it is only a baseline: it is fitted in each fold beside the trees
    and never registered. It has no class weights, so that its probabilities can be compared.
    """
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        FunctionTransformer(signed_log),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=2000),
    )


def signed_log(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """log(1 + |x|) with the sign of x: compresses amounts and keeps negative differences."""
    return np.sign(values) * np.log1p(np.abs(values))
