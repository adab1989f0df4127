"""A Delta table's newest version and what its commit wrote, from its log: no Spark job is needed to ask.

Asking for the history starts a Spark job each time, half a second that a run over twenty tables
pays a hundred times. The log is read through Hadoop's file systems, so it may lie wherever Spark
writes. What is read is Delta's protocol: commits are `<version, 20 digits>.json`, one action a
line; `_last_checkpoint` names a version that is there.
"""

import json
from typing import Any

from pyspark.sql import SparkSession


class DeltaLogReader:
    """The log of one table."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        jvm: Any = spark._jvm
        self._jvm = jvm
        self._log = f"{path}/_delta_log"
        configuration = spark.sparkContext._jsc.hadoopConfiguration()
        self._files = self._path("").getFileSystem(configuration)

    def newest_version(self) -> int | None:
        """The last version; None when there is no table."""
        version = self._checkpoint_version()
        if version is None:
            if not self._is_committed(0):
                return None
            version = 0
        while self._is_committed(version + 1):
            version += 1
        return version

    def rows_written(self, version: int) -> int:
        """The rows of the files that a commit added; 0 where it tells no number."""
        metrics = self._commit_info(version).get("operationMetrics") or {}
        return int(metrics.get("numOutputRows", 0))

    def was_overwritten(self, version: int) -> bool:
        """Whether a commit replaced the whole table."""
        given = self._commit_info(version).get("operationParameters") or {}
        return given.get("mode") == "Overwrite" and not given.get("predicate")

    def _commit_info(self, version: int) -> dict[str, Any]:
        for line in self._lines(self._commit(version)):
            action = json.loads(line)
            if "commitInfo" in action:
                return dict(action["commitInfo"])
        return {}

    def _checkpoint_version(self) -> int | None:
        if not self._files.exists(self._path("_last_checkpoint")):
            return None
        return int(json.loads(next(self._lines("_last_checkpoint")))["version"])

    def _is_committed(self, version: int) -> bool:
        return bool(self._files.exists(self._path(self._commit(version))))

    def _commit(self, version: int) -> str:
        return f"{version:020d}.json"

    def _path(self, name: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(f"{self._log}/{name}".rstrip("/"))

    def _lines(self, name: str) -> Any:
        stream = self._files.open(self._path(name))
        try:
            reader = self._jvm.java.io.BufferedReader(
                self._jvm.java.io.InputStreamReader(stream, "UTF-8")
            )
            while (line := reader.readLine()) is not None:
                yield line
        finally:
            stream.close()
