"""Scores and contributions of boosted trees, computed in Spark's tasks."""

from collections.abc import Iterator

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf
from xgboost import Booster, DMatrix

from models.model_files import TreeModel

SCORE = "score"
CONTRIBUTIONS = "contributions"


def scored_rows(rows: DataFrame, model: TreeModel) -> DataFrame:
    """Add `score` and `contributions` to rows that have the model's features.

    `score` is the probability in [0, 1]. `contributions` are contributions to the log-odds (TreeSHAP,
    exact; Lundberg et al. 2018), in the order of the features, the base value last. A null feature is
    missing: each split of a tree has a default branch for it.
    """
    features = list(model.features)
    content = model.booster

    def predicted(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        booster = Booster({"nthread": 1})
        booster.load_model(bytearray(content))
        for batch in batches:
            matrix = DMatrix(batch.astype("float64"), feature_names=features, nthread=1)
            scores = booster.predict(matrix)
            parts = booster.predict(matrix, pred_contribs=True)
            yield pd.DataFrame(
                {
                    SCORE: scores.astype("float64"),
                    CONTRIBUTIONS: list(parts.astype("float64")),
                }
            )

    returned = f"{SCORE} double, {CONTRIBUTIONS} array<double>"
    as_column = pandas_udf(predicted, returned)  # type: ignore[call-overload]
    predictions = as_column(F.struct(*(F.col(name).cast("double") for name in features)))
    return rows.withColumn("_predicted", predictions).select(
        *rows.columns, F.col(f"_predicted.{SCORE}"), F.col(f"_predicted.{CONTRIBUTIONS}")
    )
