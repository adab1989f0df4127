"""One hash of everything that determines a model: the same hash means the same model."""

import hashlib
import json
from collections.abc import Sequence
from importlib import metadata, resources

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_LIBRARIES = ("xgboost-cpu", "scikit-learn", "pyspark")


def training_fingerprint(
    rows: DataFrame, columns: Sequence[str], settings: Sequence[object]
) -> str:
    """A hash of the training rows in any order, the settings, the libraries and the code in `models`.

    Args:
        rows: the training rows.
        columns: the columns to hash.
        settings: all other settings of the training, as values that JSON can hold.
    """
    content = rows.select(
        F.count("*").alias("rows"),
        F.sum(F.xxhash64(*columns).cast("decimal(38,0)")).alias("hashes"),
    ).first()
    made_of = [
        str(content),
        *settings,
        [metadata.version(name) for name in _LIBRARIES],
        [_sources_sha256("models")],
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def _sources_sha256(package: str) -> str:
    """A hash of a package's modules. Changes in other packages affect a model only through its rows."""
    digest = hashlib.sha256()
    for entry in sorted(resources.files(package).iterdir(), key=lambda found: found.name):
        if entry.name.endswith(".py"):
            digest.update(f"{entry.name}\0".encode() + entry.read_bytes())
    return digest.hexdigest()
