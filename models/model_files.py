"""The files of a registered model: hashed when it is registered, checked before it is loaded."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow.artifacts
import mlflow.spark
from pyspark.ml import PipelineModel

from expectations.contract.errors import JobError
from models.tracking import MODEL_PATH, Store, Version

#: What Spark ML may be told to build by a model's metadata; it imports whatever class they name.
ALLOWED_CLASSES = frozenset(
    {
        "pyspark.ml.pipeline.PipelineModel",
        "org.apache.spark.ml.PipelineModel",
        "xgboost.spark.estimator.SparkXGBClassifierModel",
    }
)


class ModelRefused(JobError):
    """A registered model is not what was registered, or not in a format that is safe to load."""


def logged_files_sha256(store: Store, run_id: str) -> str:
    """The hash of the model files that a run has logged."""
    with _downloaded(store, run_id) as folder:
        return folder_sha256(folder)


def load_verified(store: Store, version: Version) -> PipelineModel:
    """Load a registered model after its files are checked.

    Raises:
        ModelRefused: when a file was changed, added or removed since the registration, or when it is
            not a Spark ML pipeline of the classes in ALLOWED_CLASSES.
    """
    told = f"model {version.name} version {version.version} is refused"
    with _downloaded(store, version.run_id) as folder:
        found = folder_sha256(folder)
        if found != version.files_sha256:
            raise ModelRefused(
                f"{told}: its files have the SHA-256 {found[:12]}..., {version.files_sha256[:12]}..."
                " was registered; find out who changed them, or train again"
            )
        unknown = sorted(stage_classes(folder) - ALLOWED_CLASSES)
        if unknown or not (folder / "sparkml").is_dir() or (folder / "code").exists():
            raise ModelRefused(
                f"{told}: it is not in Spark ML's own format, or holds {unknown}, not only boosted trees"
            )
        model: PipelineModel = mlflow.spark.load_model(folder.as_uri())
        return model


def folder_sha256(folder: Path) -> str:
    """One hash over the names and contents of all files in a folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def stage_classes(folder: Path) -> set[str]:
    """The classes that the metadata of a saved Spark ML pipeline and its stages name."""
    parts = (folder / "sparkml").rglob("metadata/part-*")
    lines = [
        line for part in parts for line in part.read_text(encoding="utf-8").splitlines() if line
    ]
    return {str(json.loads(line).get("class")) for line in lines}


@contextmanager
def _downloaded(store: Store, run_id: str) -> Iterator[Path]:
    source = f"{store.client.get_run(run_id).info.artifact_uri}/{MODEL_PATH}"
    with tempfile.TemporaryDirectory(prefix="drugtrail-model-") as scratch:
        local = mlflow.artifacts.download_artifacts(
            artifact_uri=source, dst_path=scratch, tracking_uri=store.tracking_uri
        )
        yield Path(local)
