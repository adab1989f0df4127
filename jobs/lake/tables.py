"""Reading and writing the lake's Delta tables. Only this module knows their places."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from threading import Lock

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused
from expectations.contract.table import TableContract
from expectations.landing.table import LandingTable
from jobs.lake.conditions import Wanted, condition
from jobs.lake.delta_log import DeltaLogReader
from jobs.lake.frames import persisted
from jobs.lake.locks import commit_lock
from jobs.lake.roots import lake_root
from jobs.lake.table_faults import Guard, another_version
from jobs.lake.table_making import create_table

#: Several jobs add to a table of these.
SHARED_LAYERS = ("ops", "quarantine")


class Lake:
    """The tables of one lake in the versions of one run, with a record of its reads and writes.

    Several threads may use it, if no two of them write the same table.
    """

    def __init__(self, spark: SparkSession, root: str) -> None:
        self.spark = spark
        self.root = lake_root(root)
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {}
        self.rows_read = 0
        self.rows_written = 0
        self.rows_quarantined = 0
        self._counting = Lock()
        self._pinned: dict[str, int] = {}
        self._frames: dict[str, DataFrame] = {}

    def path(self, contract: TableContract) -> str:
        """The address of a table."""
        return f"{self.root}/{contract.layer}/{contract.table}"

    def exists(self, contract: TableContract) -> bool:
        """Whether a table has been created."""
        if contract.name in self._pinned:
            return True
        return self._guard(contract).newest_version() is not None

    def read(self, contract: TableContract, rows: int | None = None) -> DataFrame:
        """A table in the version of this run: the newest when it first read the table, or its own last write.

        Args:
            contract: the table.
            rows: the number of rows that the run uses, if known; otherwise they are counted.

        Raises:
            DataRefused: when it does not exist; names the job that writes it.
            JobError: when Delta cannot read it, or another version of the project wrote it.
        """
        if not self.exists(contract):
            raise DataRefused(
                f"there is no table {contract.name} in {self.root}: run {contract.written_by} first"
            )
        if contract.name not in self._frames:
            version = self.version(contract)
            frame = self._loaded(contract, version)
            self._frames[contract.name] = frame
            if contract.name not in self.inputs:
                self.inputs[contract.name] = version
                if contract.layer not in SHARED_LAYERS:
                    with self._guard(contract).reading():
                        read = frame.count() if rows is None else rows
                    with self._counting:
                        self.rows_read += read
        return self._frames[contract.name]

    def read_if_exists(self, contract: TableContract, rows: int | None = None) -> DataFrame:
        """Like `read`; without rows if no job has written the table."""
        if self.exists(contract):
            return self.read(contract, rows)
        return self.spark.createDataFrame([], contract.schema)

    def read_or_none(self, contract: TableContract) -> DataFrame | None:
        """Like `read`; None if no job has written the table."""
        return self.read(contract) if self.exists(contract) else None

    def read_as_of(
        self, contract: TableContract, as_of: date | None, rows: int | None = None
    ) -> DataFrame:
        """The rows of a table that held as of a day's first second, or that hold now without a day."""
        return rows_as_of(self.read(contract, rows), as_of)

    def read_silver(self, table: LandingTable, as_of: date | None) -> DataFrame:
        """Like `read_as_of`, for a landing table's silver table."""
        return self.read_as_of(table.silver, as_of)

    def read_as_of_if_exists(self, contract: TableContract, as_of: date | None) -> DataFrame:
        """Like `read_as_of`; without rows if no job has written the table."""
        return rows_as_of(self.read_if_exists(contract), as_of)

    def of_day(self, contract: TableContract, as_of: date) -> DataFrame:
        """The rows of a gold table as of a day; there may be none."""
        return self.read(contract).filter(F.col("as_of_date") == F.lit(as_of))

    def of_day_if_exists(self, contract: TableContract, as_of: date) -> DataFrame:
        """Like `of_day`; without rows if no job has written the table."""
        return self.read_if_exists(contract).filter(F.col("as_of_date") == F.lit(as_of))

    def read_day(self, contract: TableContract, as_of: date) -> DataFrame:
        """The rows of a gold table as of a day.

        Raises:
            DataRefused: when there are none; names the job that writes them.
        """
        rows = self.of_day(contract, as_of)
        if rows.isEmpty():
            raise DataRefused(
                f"{contract.name} has no rows as of {as_of}: run {contract.written_by} --as-of {as_of} first"
            )
        return rows

    def version(self, contract: TableContract) -> int:
        """The version of an existing table that this run uses."""
        if contract.name not in self._pinned:
            version = self._guard(contract).newest_version()
            assert version is not None, f"{contract.name} does not exist"
            self._pinned[contract.name] = version
        return self._pinned[contract.name]

    def read_version(self, contract: TableContract, version: int) -> DataFrame:
        """A table in a version that another run noted; it is not one of this run's inputs.

        Raises:
            DataRefused: when the table does not exist.
            JobError: when Delta no longer has that version.
        """
        if not self.exists(contract):
            raise DataRefused(
                f"there is no table {contract.name} in {self.root}: run {contract.written_by} first"
            )
        return self._loaded(contract, version)

    def was_overwritten(self, contract: TableContract, since: int) -> bool:
        """Whether a commit between a version and this run's version replaced the table."""
        log = self._log(contract)
        return any(map(log.was_overwritten, range(since, self.version(contract) + 1)))

    def replace(
        self, frame: DataFrame, contract: TableContract, where: Mapping[str, Wanted] | None = None
    ) -> int:
        """Replace the rows of some partitions or key values (or all rows) in one commit; the number written.

        Args:
            frame: the new rows, all within `where`.
            contract: the table.
            where: columns with a value, or a list of values, each. Name a partition column, so that other
                partitions are not read.

        Raises:
            ContractError: when the frame does not fit the contract, or breaks a NOT NULL.
            JobError: when another version of the project created the table.
        """
        is_new = not self.exists(contract)
        writer = self._created(contract, frame).write.format("delta")
        if is_new:
            # Nothing to replace, and Delta need not look for it: a third of the time.
            writer = writer.mode("append")
        else:
            writer = writer.mode("overwrite")
            if where is not None:
                writer = writer.option("replaceWhere", condition(contract, where))
        with self._commit_lock(contract):
            before = self._guard(contract).newest_version()
            with self._guard(contract).writing():
                writer.save(self.path(contract))
            return self._record(contract, before)

    def merge(
        self, frame: DataFrame, contract: TableContract, identity: Sequence[str], is_kept: str
    ) -> int:
        """Update or delete single rows in one commit; the number written.

        No row is inserted, so the few rows can be broadcast and the table is not shuffled.

        Args:
            frame: existing rows with their new values, and a flag beside the table's columns.
            contract: an existing table, partitioned by the first column of `identity`.
            identity: the columns that identify a row.
            is_kept: the flag; a row without it is deleted.
        """
        every = {name: F.col(f"s.{name}") for name in contract.columns}
        return self._matched(
            frame,
            contract,
            identity,
            lambda merge: merge.whenMatchedDelete(f"NOT s.{is_kept}").whenMatchedUpdate(set=every),
        )

    def delete(self, keys: DataFrame, contract: TableContract, identity: Sequence[str]) -> int:
        """Delete the rows of some keys in one commit.

        Args:
            keys: each key once.
            contract: an existing table, partitioned by the first column of `identity`.
            identity: the columns of the key.
        """
        return self._matched(keys, contract, identity, lambda merge: merge.whenMatchedDelete())

    def _matched(
        self,
        frame: DataFrame,
        contract: TableContract,
        identity: Sequence[str],
        then: Callable[[DeltaMergeBuilder], DeltaMergeBuilder],
    ) -> int:
        with persisted(frame) as rows:
            partition = identity[0]
            values = [row[partition] for row in rows.select(partition).distinct().collect()]
            if not values:
                return 0
            same = [f"t.{name} = s.{name}" for name in identity]
            near = f"t.{condition(contract, {partition: values})}"
            before = self._guard(contract).newest_version()
            table = DeltaTable.forPath(self.spark, self.path(contract)).alias("t")
            with self._guard(contract).writing():
                then(table.merge(rows.alias("s"), " AND ".join([near, *same]))).execute()
            return self._record(contract, before)

    def append(self, frame: DataFrame, contract: TableContract) -> int:
        """Append rows in one commit; the number written."""
        with self._commit_lock(contract):
            writer = self._created(contract, frame).write.format("delta").mode("append")
            before = self._guard(contract).newest_version()
            with self._guard(contract).writing():
                writer.save(self.path(contract))
            return self._record(contract, before)

    def _commit_lock(self, contract: TableContract) -> AbstractContextManager[None]:
        """Only shared tables need this lock; every other table is written by one job, which holds its own lock."""
        if contract.layer in SHARED_LAYERS:
            return commit_lock(self.root, contract.name)
        return nullcontext()

    def _log(self, contract: TableContract) -> DeltaLogReader:
        return DeltaLogReader(self.spark, self.path(contract))

    def _guard(self, contract: TableContract) -> Guard:
        return Guard(contract, self.path(contract), self._log(contract))

    def _loaded(self, contract: TableContract, version: int | None = None) -> DataFrame:
        """A table in a version, or the newest, checked to have the columns of its contract."""
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        with self._guard(contract).reading():
            frame = reader.load(self.path(contract))
        if faults := contract.differences(frame.schema):
            raise another_version(contract, self.path(contract), faults)
        return frame

    def _created(self, contract: TableContract, frame: DataFrame) -> DataFrame:
        """Create the table if it does not exist, and return the frame with its columns."""
        conformed = contract.conform(frame)
        if not self.exists(contract):
            self._log(contract).clear_unfinished()
            create_table(self.spark, contract, self.path(contract))
        elif contract.name not in self._pinned:
            self._loaded(contract)
        return conformed

    def _record(self, contract: TableContract, before: int | None) -> int:
        log = self._log(contract)
        version = log.newest_version()
        assert version is not None, f"{contract.name} was just written"
        # Where there was nothing to do Delta may make no commit.
        rows = log.rows_written(version) if version != before else 0
        with self._counting:
            if contract.layer == "quarantine":
                self.rows_quarantined += rows
            elif contract.layer != "ops":
                self.rows_written += rows
        self.outputs[contract.name] = self._pinned[contract.name] = version
        self._frames.pop(contract.name, None)
        return rows


def rows_as_of(versions: DataFrame, as_of: date | None) -> DataFrame:
    """The versions of silver rows that held as of a day's first second, or that hold now without a day.

    A version holds as of T if it arrived before T and no better version did.
    """
    if as_of is None:
        return versions.filter(F.col("valid_to").isNull())
    cut = F.lit(as_of.isoformat()).cast("timestamp")
    return versions.filter(
        (F.col("valid_from") < cut) & (F.col("valid_to").isNull() | (F.col("valid_to") >= cut))
    )
