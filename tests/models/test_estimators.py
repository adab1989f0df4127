"""The trees of cross-validation are the trees of Spark; the folds are honest and repeatable."""

import numpy as np
import pandas as pd
import pytest
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from models.cross_validation import Contender, fold_scores, out_of_fold_scores
from models.estimators import boosted_trees, native_trees, signed_log

FEATURES = [f"f{n}" for n in range(6)]
SEED = 11


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    values = rng.lognormal(size=(400, len(FEATURES)))
    label = (values[:, 0] + values[:, 1] + rng.normal(size=400) > 4).astype(int)
    values[rng.random(values.shape) < 0.1] = np.nan
    frame = pd.DataFrame(values, columns=FEATURES)
    return frame.assign(id=[f"i{n:03}" for n in range(400)], label=label, has_basis=True)


def test_native_trees_predict_exactly_what_the_spark_estimator_predicts(
    spark: SparkSession, rows: pd.DataFrame
) -> None:
    ordered: DataFrame = (
        spark.createDataFrame(rows.sample(frac=1, random_state=1))
        .repartition(1)
        .sortWithinPartitions("id")
        .cache()
    )
    model = boosted_trees(FEATURES, SEED).fit(ordered)
    score = vector_to_array(F.col("probability"))[1].alias("score")
    scored = (
        model.transform(ordered.repartition(3)).select("id", score).toPandas().sort_values("id")
    )

    native = native_trees(SEED).fit(rows[FEATURES].to_numpy(), rows["label"].to_numpy())

    expected = native.predict_proba(rows[FEATURES].to_numpy())[:, 1]
    np.testing.assert_allclose(scored["score"], expected, rtol=0, atol=1e-6)
    ordered.unpersist()


def test_out_of_fold_scores_are_those_of_models_that_never_saw_the_fold(
    spark: SparkSession, rows: pd.DataFrame
) -> None:
    with_gaps = rows.assign(has_basis=rows.index % 10 != 0)
    folds = np.tile(np.arange(400, dtype=np.int32) % 2, (2, 1))
    contenders = [
        Contender("trees", "trees", tuple(FEATURES)),
        Contender("logistic", "logistic", tuple(FEATURES)),
        Contender("claim_count", "ranking", ("f0",)),
    ]

    found = out_of_fold_scores(spark, with_gaps, contenders, folds, SEED)

    based = with_gaps["has_basis"].to_numpy()
    test, train = based & (folds[0] == 1), based & (folds[0] == 0)
    values, labels = rows[FEATURES].to_numpy(), rows["label"].to_numpy()
    honest = native_trees(SEED).fit(values[train], labels[train]).predict_proba(values[test])[:, 1]
    np.testing.assert_allclose(found["trees"][0][test], honest, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(found["trees"][0], found["trees"][1])
    for scores in found.values():
        assert np.array_equal(~np.isnan(scores), np.tile(based, (2, 1)))


def test_labels_of_the_tested_fold_do_not_reach_its_scores(rows: pd.DataFrame) -> None:
    is_test = rows.index.to_numpy() % 4 == 0
    flipped = rows.assign(label=np.where(is_test, 1 - rows["label"], rows["label"]))

    for kind in ("trees", "logistic"):
        contender = Contender(kind, kind, tuple(FEATURES))  # type: ignore[arg-type]
        honest = fold_scores(rows, is_test, contender, SEED)
        assert honest["score"].nunique() > 50
        pd.testing.assert_frame_equal(honest, fold_scores(flipped, is_test, contender, SEED))


def test_a_ranking_adds_its_features_and_puts_rows_without_any_last(rows: pd.DataFrame) -> None:
    few = rows.head(3).assign(f0=[1.0, np.nan, np.nan], f1=[2.0, -5.0, np.nan])
    ranking = Contender("claim_count", "ranking", ("f0", "f1"))

    scores = fold_scores(few, np.array([True, True, True]), ranking, SEED)["score"]

    assert scores.iloc[:2].tolist() == [3.0, -5.0]
    assert scores.iloc[2] < -1e300


def test_signed_logarithm_keeps_signs_and_zeros() -> None:
    values = signed_log(np.array([-(np.e - 1), 0.0, np.e - 1]))

    assert values.tolist() == pytest.approx([-1, 0, 1])
