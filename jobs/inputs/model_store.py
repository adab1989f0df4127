"""The MLflow store of a configuration, and the models in it."""

from expectations.contract.errors import DataRefused
from jobs.runtime.job import JobRun
from models.model_files import ModelRefused, TreeModel, load_verified
from models.tracking import Store, Version


def store_of(run: JobRun) -> Store:
    """The MLflow store of the configuration."""
    return Store(run.config.mlflow.tracking_uri, run.config.mlflow.artifact_root)


def verified_model(store: Store, version: Version) -> TreeModel:
    """The trees of a version, after its files are checked.

    Raises:
        DataRefused: when the files are not those that were registered.
    """
    try:
        return load_verified(store, version)
    except ModelRefused as error:
        raise DataRefused(str(error)) from None
