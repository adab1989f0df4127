"""The files of a registered model: written by this project, hashed and signed, checked before they are read.

A model is two files that are data: the booster in XGBoost's JSON, and a description with its features.
`MLmodel` and its environment files lie beside them for MLflow's pages and for other readers. This module
ignores them, so that a user who can write to the registry or the artifacts cannot run code in a job.
"""

import hashlib
import hmac
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import mlflow.artifacts
import mlflow.xgboost
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema
from xgboost import Booster

from expectations.contract.errors import JobError
from models.tracking import MODEL_PATH, Store, Version

BOOSTER = "model.json"
DESCRIPTION = "drugtrail.json"
#: Everything that `save_model` writes; a folder with any other file is refused.
FILES = frozenset(
    {BOOSTER, DESCRIPTION, "MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt"}
)
#: The environment variable with the key that signs and checks models, where one is wanted.
KEY_VARIABLE = "DRUGTRAIL_MODEL_KEY"

_FORMAT = 1
_OBJECTIVE = "binary:logistic"
_MOST_BYTES = 256 << 20
_PACKAGES = ("xgboost-cpu", "mlflow", "pandas", "scikit-learn")


class ModelRefused(JobError):
    """A registered model is not what was registered, or not in a format that is safe to load."""


@dataclass(frozen=True)
class TreeModel:
    """Boosted trees as data.

    Attributes:
        booster: XGBoost's own JSON.
        features: the features of the trees, in their order.
    """

    booster: bytes
    features: tuple[str, ...]


def save_model(folder: Path, booster: Booster, features: Sequence[str]) -> None:
    """Write the files of a model into a new folder, without an input example, which would hold claims."""
    model_signature = ModelSignature(
        inputs=Schema([ColSpec("double", name, required=False) for name in features]),
        outputs=Schema([ColSpec("double", "prediction")]),
    )
    mlflow.xgboost.save_model(
        booster,
        folder,
        signature=model_signature,
        model_format="json",
        pip_requirements=[f"{name}=={metadata.version(name)}" for name in _PACKAGES],
    )
    description = {"format": _FORMAT, "objective": _OBJECTIVE, "features": list(features)}
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")
    _require_known_files("the new model", {path.name for path in folder.rglob("*")})


def log_model(store: Store, run_id: str, booster: Booster, features: Sequence[str]) -> str:
    """Log a model into a run; the SHA-256 of its files as they were written."""
    with tempfile.TemporaryDirectory(prefix="drugtrail-model-") as scratch:
        folder = Path(scratch) / MODEL_PATH
        save_model(folder, booster, features)
        store.client.log_artifacts(run_id, str(folder), MODEL_PATH)
        return folder_sha256(folder)


def load_verified(store: Store, version: Version) -> TreeModel:
    """Read a registered model after its files are checked.

    Raises:
        ModelRefused: when a file was changed, added or removed since the registration, when the
            signature does not fit the key, or when the files are not those of boosted trees.
    """
    refusal = f"model {version.name} version {version.version} is refused"
    _require_signature(refusal, version)
    with _downloaded(store, version.run_id, refusal) as folder:
        found = folder_sha256(folder)
        if found != version.files_sha256:
            raise ModelRefused(
                f"{refusal}: its files have the SHA-256 {found[:12]}..., {version.files_sha256[:12]}..."
                " was registered; find out who changed them, or train again"
            )
        return read_model(folder, refusal)


def read_model(folder: Path, refusal: str = "the model is refused") -> TreeModel:
    """Read the two files that make a model.

    Raises:
        ModelRefused: when they are not boosted trees for two classes over the features they name.
    """
    description = _json(folder / DESCRIPTION, refusal)
    content = _json(folder / BOOSTER, refusal)
    try:
        learner = content["learner"]
        features = tuple(description["features"])
        found_format = (description["format"], description["objective"])
        trees = (learner["gradient_booster"]["name"], learner["objective"]["name"])
        named = tuple(learner["feature_names"])
    except (KeyError, TypeError) as error:
        raise ModelRefused(
            f"{refusal}: its files do not have the form of this project's: {error}"
        ) from None
    if found_format != (_FORMAT, _OBJECTIVE) or trees != ("gbtree", _OBJECTIVE):
        raise ModelRefused(
            f"{refusal}: it is {found_format} with {trees}, not boosted trees of two classes"
        )
    if named != features or not all(isinstance(name, str) for name in features):
        raise ModelRefused(f"{refusal}: {DESCRIPTION} and {BOOSTER} name other features")
    return TreeModel((folder / BOOSTER).read_bytes(), features)


def folder_sha256(folder: Path) -> str:
    """One hash over the names and contents of all files in a folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def signature(tags: Mapping[str, str], name: str) -> str | None:
    """The signature of a version's tags, which include the hash of its files; None without a key.

    HMAC-SHA-256 (RFC 2104) with the key in DRUGTRAIL_MODEL_KEY.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if not key:
        return None
    signed = json.dumps([name, sorted(tags.items())], ensure_ascii=True)
    return hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()


def _require_signature(refusal: str, version: Version) -> None:
    wanted = signature(version.signed_tags, version.name)
    if wanted is not None and not hmac.compare_digest(wanted, version.signature):
        raise ModelRefused(
            f"{refusal}: it is not signed with the key in {KEY_VARIABLE}; find out who registered it, or train again"
        )


def _require_known_files(refusal: str, names: set[str]) -> None:
    if unknown := sorted(names - FILES):
        raise ModelRefused(
            f"{refusal}: it holds {', '.join(unknown)}, which this project does not write"
        )
    if absent := sorted({BOOSTER, DESCRIPTION} - names):
        raise ModelRefused(
            f"{refusal}: it has no {' and no '.join(absent)}; a model of an older version of the project"
            " has to be trained again"
        )


def _json(path: Path, refusal: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise ModelRefused(
            f"{refusal}: {path.name} is not readable JSON: {type(error).__name__}"
        ) from None


@contextmanager
def _downloaded(store: Store, run_id: str, refusal: str) -> Iterator[Path]:
    """The files of a run's model in a folder of their own, names and sizes checked before."""
    try:
        listed = store.client.list_artifacts(run_id, MODEL_PATH)
        names = {Path(entry.path).name + ("/" if entry.is_dir else "") for entry in listed}
        _require_known_files(refusal, names)
        if sum(entry.file_size or 0 for entry in listed) > _MOST_BYTES:
            raise ModelRefused(f"{refusal}: its files are larger than {_MOST_BYTES >> 20} MiB")
        source = f"{store.client.get_run(run_id).info.artifact_uri}/{MODEL_PATH}"
        with tempfile.TemporaryDirectory(prefix="drugtrail-model-") as scratch:
            local = mlflow.artifacts.download_artifacts(
                artifact_uri=source, dst_path=scratch, tracking_uri=store.tracking_uri
            )
            yield Path(local)
    except (MlflowException, OSError) as error:
        said = str(error).strip().partition("\n")[0][:200]
        raise ModelRefused(f"{refusal}: its files cannot be fetched: {said}") from None
