"""Runs and models in MLflow: names of logged values, and the choice of a model version."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

# MLflow reads these when it is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
# A server that is gone in the middle of a run is given half a minute, not four.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

#: Artifact path of the model in its run.
MODEL_PATH = "model"
#: The tag of a version that signs its other tags.
SIGNATURE_TAG = "signature"
#: Tags of a version that people's decisions add after its registration; they are not signed.
PROMOTION_TAG = "promotion."
#: Tags of a version of a model of accounts, see `models.member_model.blended` and
#: `expectations.feature.member_model.catalogue_digest`.
BLEND_WEIGHT_TAG = "blend_weight"
CATALOGUE_TAG = "catalogue_digest"

_BATCH = 500


@dataclass(frozen=True)
class Version:
    """A registered model version with its tags."""

    name: str
    version: str
    run_id: str
    train_as_of: date
    fingerprint: str
    care_setting: str
    features: tuple[str, ...]
    files_sha256: str
    signed_tags: Mapping[str, str] = field(default_factory=dict)
    signature: str = ""
    #: How much the model may move the list; None for models that move none.
    blend_weight: float | None = None
    #: The hash of what its inputs mean; empty for models without declared inputs.
    catalogue_digest: str = ""


class Store:
    """An MLflow tracking server or SQLite file, with its registry.

    Args:
        tracking_uri: `sqlite:///...` or the address of a server.
        artifact_root: where artifacts lie with SQLite; a server has its own.
    """

    def __init__(self, tracking_uri: str, artifact_root: str) -> None:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        if tracking_uri.startswith("sqlite:///"):
            Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        self.tracking_uri = tracking_uri
        self.artifact_root = artifact_root
        self.client = MlflowClient(tracking_uri, tracking_uri)

    @contextmanager
    def run(self, experiment: str, name: str, is_nested: bool = False) -> Iterator[str]:
        """Open a run, inside the open one if it is nested, and give its id; it ends FAILED when the block raises."""
        found = self.client.get_experiment_by_name(experiment)
        experiment_id = (
            found.experiment_id
            if found
            else self.client.create_experiment(experiment, self._artifact_location(experiment))
        )
        # The fluent API marks a run FAILED when the block raises, wherever it points.
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.tracking_uri)
        try:
            with mlflow.start_run(
                experiment_id=experiment_id, run_name=name, nested=is_nested
            ) as run:
                yield run.info.run_id
        finally:
            mlflow.set_tracking_uri(before)

    def log_facts(self, run_id: str, params: Mapping[str, object], tags: Mapping[str, str]) -> None:
        """Log parameters and tags."""
        self.client.log_batch(
            run_id,
            params=[Param(key, str(value)) for key, value in params.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )

    def log_metrics(self, run_id: str, values: Mapping[str, float]) -> None:
        """Log figures; one that could not be computed is left out."""
        now = int(time.time() * 1000)
        metrics = [
            Metric(key, float(value), now, 0) for key, value in values.items() if value == value
        ]
        for start in range(0, len(metrics), _BATCH):
            self.client.log_batch(run_id, metrics=metrics[start : start + _BATCH])

    def log_dataset(
        self,
        run_id: str,
        name: str,
        digest: str,
        source: Mapping[str, object],
        profile: Mapping[str, object],
    ) -> None:
        """Log what a model was trained on as a dataset: no rows, only where they are and how many.

        Args:
            run_id: the run.
            name: of the table.
            digest: a hash of the rows, at most 36 characters.
            source: where the rows lie, with versions.
            profile: how many there are.
        """
        dataset = Dataset(
            name=name,
            digest=digest[:36],
            source_type="delta_table",
            source=json.dumps(source, sort_keys=True),
            profile=json.dumps(profile, sort_keys=True),
        )
        context = InputTag(MLFLOW_DATASET_CONTEXT, "training")
        self.client.log_inputs(run_id, [DatasetInput(dataset, [context])])

    def log_figures(
        self, run_id: str, by_fold: pd.DataFrame, spread: pd.DataFrame, differences: pd.DataFrame
    ) -> None:
        """Log every figure of every fold (the step), its mean and sd, and the paired differences."""
        now = int(time.time() * 1000)
        parts = ("mean", "naive_low", "naive_high", "corrected_low", "corrected_high", "folds_won")
        metrics = [
            Metric(
                metric_key(row["subset"], row["contender"], row["metric"]),
                row["value"],
                now,
                row["fold"],
            )
            for row in by_fold.to_dict("records")
        ]
        for row in spread.to_dict("records"):
            key = metric_key(row["subset"], row["contender"], row["metric"])
            metrics += [Metric(f"{key}_{part}", row[part], now, 0) for part in ("mean", "sd")]
        for row in differences.to_dict("records"):
            key = metric_key(row["subset"], f"trees_minus_{row['contender']}", row["metric"])
            metrics += [Metric(f"{key}_{part}", float(row[part]), now, 0) for part in parts]
        for start in range(0, len(metrics), _BATCH):
            self.client.log_batch(run_id, metrics=metrics[start : start + _BATCH])

    def register(self, name: str, run_id: str, tags: Mapping[str, str]) -> Version:
        """Register the model that a run logged, with its tags."""
        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self.client.get_run(run_id).info.artifact_uri}/{MODEL_PATH}"
        made = self.client.create_model_version(name, source, run_id, tags=dict(tags))
        return _version(made)

    def promote(self, version: Version, alias: str) -> bool:
        """Point the alias at a version, unless it points at one trained as of a later day. Returns whether it did.

        A backfill of an earlier day therefore does not change the model in use.
        """
        current = self.aliased(version.name, alias)
        if current is not None and current.train_as_of > version.train_as_of:
            return False
        self.client.set_registered_model_alias(version.name, alias, version.version)
        return True

    def place(self, version: Version, champion: str, challenger: str) -> str | None:
        """Give a new version its alias: champion if no other has it, else challenger; None if neither.

        Only a person makes another version the champion (`promote_model`).
        """
        current = self.aliased(version.name, champion)
        is_first = current is None or current.version == version.version
        alias = champion if is_first else challenger
        return alias if self.promote(version, alias) else None

    def find(self, name: str, wanted: str) -> Version | None:
        """A version by its number or by an alias; None if there is none."""
        if not wanted.isdigit():
            return self.aliased(name, wanted)
        return _version_or_none(self.client.get_model_version, name, wanted)

    def aliased(self, name: str, alias: str) -> Version | None:
        """The version that an alias points at."""
        return _version_or_none(self.client.get_model_version_by_alias, name, alias)

    def versions(self, name: str) -> list[Version]:
        """All versions that this project registered, by train_as_of, then by number: newest last."""
        found: list[ModelVersion] = []
        token = None
        while True:
            page = self.client.search_model_versions(f"name = '{name}'", page_token=token)
            found += page
            token = page.token
            if not token:
                break
        ours = [_version(each) for each in found if "train_as_of" in each.tags]
        return sorted(ours, key=lambda each: (each.train_as_of, int(each.version)))

    def version_to_use(self, name: str, alias: str, as_of: date) -> Version | None:
        """The version to score a day with: it has to be trained as of that day or before.

        This is the alias' version if it qualifies, else the newest that qualifies, else None.
        """
        champion = self.aliased(name, alias)
        if champion is not None and champion.train_as_of <= as_of:
            return champion
        usable = [each for each in self.versions(name) if each.train_as_of <= as_of]
        return usable[-1] if usable else None

    def newest_version(self, name: str, train_as_of: date) -> Version | None:
        """The last registered version that was trained as of exactly this day."""
        same = [each for each in self.versions(name) if each.train_as_of == train_as_of]
        return same[-1] if same else None

    def _artifact_location(self, experiment: str) -> str | None:
        if not self.tracking_uri.startswith("sqlite:"):
            return None
        root = self.artifact_root
        return (
            f"{root.rstrip('/')}/{experiment}"
            if urlsplit(root).scheme
            else ((Path(root).absolute() / experiment).as_uri())
        )


def metric_key(subset: str, contender: str, metric: str) -> str:
    """The name of a metric: `trees/average_precision`, `all_labelled/trees/average_precision`."""
    return f"{contender}/{metric}" if subset == "with_basis" else f"{subset}/{contender}/{metric}"


def version_tags(
    *,
    train_as_of: date,
    fingerprint: str,
    care_setting: str,
    code_version: str,
    features: Sequence[str],
    files_sha256: str,
    inputs: Mapping[str, int],
    blend_weight: float | None = None,
    catalogue_digest: str = "",
) -> dict[str, str]:
    """The tags of a model version, from which `Version` is read again."""
    of_accounts = {}
    if blend_weight is not None:
        of_accounts = {BLEND_WEIGHT_TAG: str(blend_weight), CATALOGUE_TAG: catalogue_digest}
    return {
        "train_as_of": train_as_of.isoformat(),
        "training_fingerprint": fingerprint,
        "care_setting": care_setting,
        "code_version": code_version,
        "feature_names": json.dumps(list(features)),
        "files_sha256": files_sha256,
        **of_accounts,
        **{f"input.{table}": str(version) for table, version in sorted(inputs.items())},
    }


def _version_or_none(
    read: Callable[[str, str], ModelVersion], name: str, wanted: str
) -> Version | None:
    """The version that MLflow gives for a number or an alias; None if there is none."""
    try:
        return _version(read(name, wanted))
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _version(made: ModelVersion) -> Version:
    tags = made.tags
    return Version(
        name=made.name,
        version=str(made.version),
        run_id=made.run_id or "",
        train_as_of=date.fromisoformat(tags.get("train_as_of", "9999-12-31")),
        fingerprint=tags.get("training_fingerprint", ""),
        care_setting=tags.get("care_setting", ""),
        features=tuple(json.loads(tags.get("feature_names", "[]"))),
        files_sha256=tags.get("files_sha256", ""),
        signed_tags={
            key: value
            for key, value in tags.items()
            if key != SIGNATURE_TAG and not key.startswith(PROMOTION_TAG)
        },
        signature=tags.get(SIGNATURE_TAG, ""),
        blend_weight=float(tags[BLEND_WEIGHT_TAG]) if BLEND_WEIGHT_TAG in tags else None,
        catalogue_digest=tags.get(CATALOGUE_TAG, ""),
    )
