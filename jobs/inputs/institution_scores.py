"""Institutions of a day scored by a version of their model."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused
from expectations.feature.institution import INSTITUTION_FEATURES
from jobs.inputs.model_store import verified_model
from models.explain import typical_values, with_reasons
from models.scoring import CONTRIBUTIONS, scored_rows
from models.tracking import Store, Version


def institution_scores(store: Store, version: Version, rows: DataFrame) -> DataFrame:
    """Rows of gold.institution_score.

    Args:
        store: where the model is registered.
        version: the model.
        rows: gold.institution_feature of a day, those with a basis.

    Raises:
        DataRefused: when the model is refused, or looks at what is not computed.
    """
    model = verified_model(store, version)
    by_name = {feature.name: feature for feature in INSTITUTION_FEATURES}
    unknown = [name for name in model.features if name not in by_name]
    if unknown:
        raise DataRefused(
            f"version {version.version} of {version.name} looks at {', '.join(unknown)}, which this"
            " version of the project does not compute: run train_model again"
        )
    features = [by_name[name] for name in model.features]
    looked_at = rows.select("institution_id", "as_of_date", *model.features)
    scored = scored_rows(looked_at, model)
    explained = with_reasons(scored, features, CONTRIBUTIONS, typical_values(looked_at, features))
    # One partition for all: a rank over everything needs it, and a country has some hundred thousand
    # institutions at most, a kilobyte each.
    best_first = Window.orderBy(F.desc("score"), F.asc("institution_id"))
    return explained.select(
        "institution_id",
        "as_of_date",
        "score",
        F.row_number().over(best_first).cast("long").alias("rank"),
        F.lit(version.name).alias("model_name"),
        F.lit(version.version).alias("model_version"),
        "reasons",
    )
