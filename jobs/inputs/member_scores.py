"""Accounts of a day scored by a version of their model."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused
from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES, catalogue_digest
from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.gold.ring import MEMBER_RING_FEATURE
from features.indicator.model_inputs import member_rows
from jobs.inputs.model_store import verified_model
from jobs.lake.tables import Lake
from jobs.runtime.job import JobRun
from models.member_scoring import calibration_of, scored_members
from models.model_files import TreeModel
from models.tracking import Store, Version


def inputs_of_day(lake: Lake, day: date) -> DataFrame:
    """The model's inputs of every member of a day.

    Raises:
        DataRefused: when the day has no features, or no job has written indicators.
    """
    links = lake.of_day(MEMBER_RING_FEATURE, day) if lake.exists(MEMBER_RING_FEATURE) else None
    features = lake.read_day(MEMBER_FEATURE, day)
    return member_rows(features, links, lake.of_day(INDICATOR, day))


def member_scores(run: JobRun, store: Store, version: Version) -> DataFrame:
    """Rows of gold.member_score of the run's day.

    Raises:
        DataRefused: when the model is refused, or what it looks at means something else today.
    """
    model = verified_model(store, version)
    require_same_inputs(version, model)
    scored = scored_members(
        inputs_of_day(run.lake, run.as_of),
        model,
        calibration_of(version.signed_tags),
        run.config.report.language,
    )
    return scored.withColumns(
        {
            "model_name": F.lit(version.name),
            "model_version": F.lit(version.version),
            "blend_weight": F.lit(version.blend_weight or 0.0),
        }
    )


def require_same_inputs(version: Version, model: TreeModel) -> None:
    """Refuse a model whose inputs differ in name or meaning from today's.

    Raises:
        DataRefused: naming what differs.
    """
    refusal = f"version {version.version} of {version.name} cannot score"
    remedy = (
        "run train_model --subject member again and promote it, or score with the version of drugtrail"
        " that trained it"
    )
    if model.features != version.features:
        raise DataRefused(
            f"{refusal}: its trees look at other inputs than its tag feature_names says; {remedy}"
        )
    unknown = [name for name in model.features if name not in MEMBER_MODEL_INPUT_NAMES]
    if unknown:
        raise DataRefused(
            f"{refusal}: it looks at {', '.join(unknown)}, which this version of the project does not"
            f" compute; {remedy}"
        )
    today = catalogue_digest()
    if version.catalogue_digest != today:
        trained = version.catalogue_digest[:12] or "none"
        raise DataRefused(
            f"{refusal}: the inputs meant something else when it was trained (catalogue digest {trained},"
            f" today {today[:12]}); {remedy}"
        )
