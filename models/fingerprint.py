"""What a model was made of, in one hash: the same hash, the same model."""

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
    """A hash of all that makes a model: rows in any order, settings, libraries, the code in `models`.

    Args:
        rows: the training rows.
        columns: those of their columns that count.
        settings: everything else that training depends on, as JSON can hold it.
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
    """A hash of a package's modules; a change elsewhere shows in the training rows or not at all."""
    digest = hashlib.sha256()
    for entry in sorted(resources.files(package).iterdir(), key=lambda found: found.name):
        if entry.name.endswith(".py"):
            digest.update(f"{entry.name}\0".encode() + entry.read_bytes())
    return digest.hexdigest()
