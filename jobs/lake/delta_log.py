"""A Delta table's newest version and the effect of its commits, read from its log without a Spark job.

`DESCRIBE HISTORY` starts a Spark job each time, which a run over twenty tables would do a hundred times.
The log is read through Hadoop's file systems, so it may be anywhere that Spark writes to. The format is
Delta's protocol: commits are `<version, 20 digits>.json`, one action a line (`log_files`).
"""

import json
from collections.abc import Iterator
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from jobs.lake.log_files import BrokenLog, commits, newest_version


class DeltaLogReader:
    """The log of one table."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        jvm: Any = spark._jvm
        self._jvm = jvm
        self._table = path
        configuration = spark.sparkContext._jsc.hadoopConfiguration()
        self._files = self._hadoop_path(path).getFileSystem(configuration)

    def newest_version(self) -> int | None:
        """The last version; None when there is no table.

        Raises:
            BrokenLog: when Delta could not read the table, or the folder holds other files.
        """
        names = self._names("_delta_log")
        version = newest_version(names)
        if version in commits(names) and not self._length(self._commit(version)):
            # Delta would read on, without the rows of that commit.
            raise BrokenLog(f"commit {version} is empty (_delta_log/{self._commit(version)})")
        if version is None:
            self._refuse_other_files()
        return version

    def clear_unfinished(self) -> None:
        """Remove a log without a commit, left by a run that died in its first; Delta creates no table over it."""
        if self.newest_version() is None and self._names(""):
            self._files.delete(self._hadoop_path(f"{self._table}/_delta_log"), True)

    def _refuse_other_files(self) -> None:
        """Raise when the table's folder holds something else, because Delta would not create the table there."""
        others = set(self._names("")) - {"_delta_log"}
        if others and self._files.getFileStatus(self._hadoop_path(self._table)).isFile():
            raise BrokenLog("it is a file")
        if others:
            raise BrokenLog(f"the folder holds {len(others)} files or folders but no Delta log")

    def rows_written(self, version: int) -> int:
        """The rows of the files that a commit added; 0 if it has no number."""
        metrics = self._commit_info(version).get("operationMetrics") or {}
        return int(metrics.get("numOutputRows", 0))

    def was_overwritten(self, version: int) -> bool:
        """Whether a commit replaced the whole table. A commit that Delta has removed from the log counts as one."""
        if self._commit(version) not in self._names("_delta_log"):
            return True
        given = self._commit_info(version).get("operationParameters") or {}
        return given.get("mode") == "Overwrite" and not given.get("predicate")

    def data_version(self, version: int) -> int | None:
        """The last commit up to a version that changed data; None if the log no longer shows it.

        OPTIMIZE, VACUUM and changes of properties or columns change no data. A RESTORE has the data of the
        version that it restored. Two versions with the same data version therefore hold the same rows.
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
        """The first version whose changes in the feed are new to a reader of an older version.

        Args:
            seen: a data version.
            newest: the version up to which to look.

        Returns:
            `newest + 1` if nothing is new. None if the log no longer shows it, if the table is older than
            `seen`, or if it was restored to other data than those seen; the change feed cannot be used
            then.
        """
        for version in range(newest, seen, -1):
            found = self.data_version(version)
            if found == seen:
                return version + 1
            if found is None or self._is_restore(version):
                return None
        return seen + 1 if seen <= newest else None

    def table_id(self) -> str | None:
        """Delta's id of a table; None if the log no longer has it."""
        if self._is_committed(0):
            for action in self._actions(0):
                if "metaData" in action:
                    return str(action["metaData"]["id"])
        return None

    def _restored(self, version: int) -> int | None:
        """The version that a commit restored; None for every other commit.

        A RESTORE to a time does not name its version, and counts as new data.
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

    def protocol(self) -> tuple[int, int]:
        """The reader and the writer version of the newest commit with a protocol; 0 if there is none."""
        for version in reversed(self._commits()):
            try:
                for line in self._lines(self._commit(version)):
                    if asked := json.loads(line).get("protocol"):
                        return int(asked["minReaderVersion"]), int(asked["minWriterVersion"])
            except (ValueError, KeyError, AttributeError, Py4JJavaError):
                continue
        return 0, 0

    def broken_commit(self) -> str | None:
        """The fault of the oldest commit that is not lines of JSON; None if all are."""
        for version in self._commits():
            try:
                actions = [json.loads(line) for line in self._lines(self._commit(version))]
            except (ValueError, Py4JJavaError):
                actions = []
            if not actions:
                return f"commit {version} is damaged (_delta_log/{self._commit(version)})"
        return None

    def _commits(self) -> list[int]:
        return sorted(commits(self._names("_delta_log")))

    def _commit_info(self, version: int) -> dict[str, Any]:
        for line in self._lines(self._commit(version)):
            action = json.loads(line)
            if "commitInfo" in action:
                return dict(action["commitInfo"])
        return {}

    def _names(self, folder: str) -> list[str]:
        """The names in the table's folder or in one below it, by one listing; empty if it does not exist."""
        path = self._hadoop_path(f"{self._table}/{folder}".rstrip("/"))
        try:
            found = self._files.listStatus(path)
        except Py4JJavaError as error:
            if error.java_exception.getClass().getSimpleName() == "FileNotFoundException":
                return []
            raise
        # One string: asking the JVM for each name takes a hundred times as long.
        paths = self._java("org.apache.hadoop.fs.FileUtil").stat2Paths(found)
        text = self._java("org.apache.commons.lang3.ArrayUtils").toString(paths)[1:-1]
        return [each.rsplit("/", 1)[-1] for each in text.split(",") if each]

    def _is_committed(self, version: int) -> bool:
        path = self._hadoop_path(f"{self._table}/_delta_log/{self._commit(version)}")
        return bool(self._files.exists(path))

    def _commit(self, version: int) -> str:
        return f"{version:020d}.json"

    def _length(self, name: str) -> int:
        path = self._hadoop_path(f"{self._table}/_delta_log/{name}")
        return int(self._files.getFileStatus(path).getLen())

    def _java(self, name: str) -> Any:
        """A class by its whole name: asked package by package, the JVM looks for each of them in every jar."""
        return getattr(self._jvm, name)

    def _hadoop_path(self, path: str) -> Any:
        return self._java("org.apache.hadoop.fs.Path")(path)

    def _lines(self, name: str) -> Any:
        stream = self._files.open(self._hadoop_path(f"{self._table}/_delta_log/{name}"))
        try:
            reader = self._java("java.io.BufferedReader")(
                self._java("java.io.InputStreamReader")(stream, "UTF-8")
            )
            while (line := reader.readLine()) is not None:
                yield line
        finally:
            stream.close()
