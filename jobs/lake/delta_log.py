"""A Delta table's newest version and what its commit wrote, from its log: no Spark job is needed to ask.

Asking for the history starts a Spark job each time, half a second that a run over twenty tables
pays a hundred times. The log is read through Hadoop's file systems, so it may lie wherever Spark
writes. What is read is Delta's protocol: commits are `<version, 20 digits>.json`, one action a
line; `_last_checkpoint` names a version that is there.
"""

import json
from collections.abc import Iterator
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

    def data_version(self, version: int) -> int | None:
        """The last commit, up to a version, that changed data; None where the log no longer says.

        OPTIMIZE, VACUUM and changes of properties or columns change no data, and a RESTORE has the data of the
        version that it went back to. So two versions with the same data version hold the same rows.
        """
        while version > 0:
            if not self._is_committed(version):
                return None
            went_back_to = self._restored(version)
            if went_back_to is None and self._changed_data(version):
                return version
            version = version - 1 if went_back_to is None else went_back_to
        return version

    def first_new_version(self, seen: int, newest: int) -> int | None:
        """The first version whose changes, which the feed tells, are new to a reader of an older one.

        Args:
            seen: a data version.
            newest: the version up to which to look.

        Returns:
            `newest + 1` where nothing is new; None where the log no longer says, where the table is older than
            `seen`, or went back to data that are not those seen, of which the feed is not relied upon.
        """
        for version in range(newest, seen, -1):
            found = self.data_version(version)
            if found == seen:
                return version + 1
            if found is None or self._is_restore(version):
                return None
        return seen + 1 if seen <= newest else None

    def table_id(self) -> str | None:
        """What Delta calls a table from its first commit on; None where that is gone from the log."""
        if self._is_committed(0):
            for action in self._actions(0):
                if "metaData" in action:
                    return str(action["metaData"]["id"])
        return None

    def _restored(self, version: int) -> int | None:
        """The version that a commit went back to; None for every other commit.

        A RESTORE to a time does not say which version it found, and counts as new data.
        """
        to = str((self._commit_info(version).get("operationParameters") or {}).get("version"))
        return int(to) if self._is_restore(version) and to.isdigit() else None

    def _is_restore(self, version: int) -> bool:
        return bool(self._commit_info(version).get("operation") == "RESTORE")

    def _changed_data(self, version: int) -> bool:
        changes = (action.get("add") or action.get("remove") for action in self._actions(version))
        # The protocol lets a writer leave the flag out only where data changed.
        return any(change.get("dataChange", True) for change in changes if change)

    def _actions(self, version: int) -> Iterator[dict[str, Any]]:
        for line in self._lines(self._commit(version)):
            yield json.loads(line)

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
