"""Reading and writing the lake's Delta tables: the one place that knows where and how they lie."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from threading import Lock

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.contract.errors import ContractError, DataRefused, JobError
from expectations.contract.table import TableContract
from expectations.landing.table import LandingTable
from jobs.lake.delta_log import DeltaLogReader
from jobs.lake.frames import persisted
from jobs.lake.locks import commit_lock, is_local, local_path

_Wanted = date | str | list[date] | list[str]
_SHARED_LAYERS = ("ops", "quarantine")


class Lake:
    """The tables of one lake as one run sees them, with a record of what it read and wrote.

    Several threads may use it, each with tables that no other writes.
    """

    def __init__(self, spark: SparkSession, root: str) -> None:
        self.spark = spark
        self.root = str(local_path(root).absolute()) if is_local(root) else root.rstrip("/")
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {}
        self.rows_read = 0
        self.rows_written = 0
        self.rows_quarantined = 0
        self._counting = Lock()
        self._pinned: dict[str, int] = {}
        self._frames: dict[str, DataFrame] = {}

    def path(self, contract: TableContract) -> str:
        """Where a table lies."""
        return f"{self.root}/{contract.layer}/{contract.table}"

    def exists(self, contract: TableContract) -> bool:
        """Whether a table has been created."""
        if contract.name in self._pinned:
            return True
        return self._log(contract).newest_version() is not None

    def read(self, contract: TableContract, rows: int | None = None) -> DataFrame:
        """A table in the version that stood when this run first read it, or last wrote it.

        Args:
            contract: the table.
            rows: how many of its rows the run looks at, where that is known; else they are counted.

        Raises:
            DataRefused: when it is not there yet; names the job that writes it.
            JobError: when another version of the project wrote it.
        """
        if not self.exists(contract):
            raise DataRefused(
                f"there is no table {contract.name} in {self.root}: run {contract.written_by} first"
            )
        if contract.name not in self._frames:
            version = self.version(contract)
            pinned = self.spark.read.format("delta").option("versionAsOf", version)
            frame = pinned.load(self.path(contract))
            self._check(contract, frame)
            self._frames[contract.name] = frame
            if contract.name not in self.inputs:
                self.inputs[contract.name] = version
                if contract.layer not in _SHARED_LAYERS:
                    read = frame.count() if rows is None else rows
                    with self._counting:
                        self.rows_read += read
        return self._frames[contract.name]

    def read_silver(self, table: LandingTable, as_of: date | None) -> DataFrame:
        """A silver table in the versions that held as of a day's first second, or that stand now."""
        return rows_as_of(self.read(table.silver), as_of)

    def read_day(self, contract: TableContract, as_of: date) -> DataFrame:
        """The rows of a gold table as of a day.

        Raises:
            DataRefused: when there are none; names the job that writes them.
        """
        rows = self.read(contract).filter(F.col("as_of_date") == F.lit(as_of))
        if rows.isEmpty():
            raise DataRefused(
                f"{contract.name} has nothing as of {as_of}: run {contract.written_by} --as-of {as_of} first"
            )
        return rows

    def version(self, contract: TableContract) -> int:
        """The version of an existing table that this run works with."""
        if contract.name not in self._pinned:
            version = self._log(contract).newest_version()
            assert version is not None, f"{contract.name} does not exist"
            self._pinned[contract.name] = version
        return self._pinned[contract.name]

    def was_overwritten(self, contract: TableContract, since: int) -> bool:
        """Whether a commit from a version on, up to the one this run works with, replaced the table."""
        log = self._log(contract)
        return any(map(log.was_overwritten, range(since, self.version(contract) + 1)))

    def replace(
        self, frame: DataFrame, contract: TableContract, where: Mapping[str, _Wanted] | None = None
    ) -> int:
        """Replace the rows of some partitions or key values (or all rows) in one commit; the number written.

        Args:
            frame: the new rows, all within `where`.
            contract: the table.
            where: column to its value, or to a list of its values; name a partition column among
                them, so that other partitions are not opened.

        Raises:
            ContractError: when the frame does not fit, or breaks a NOT NULL.
            JobError: when another version of the project made the table.
        """
        is_new = not self.exists(contract)
        writer = self._created(contract, frame).write.format("delta")
        if is_new:
            # Nothing to replace, and Delta need not look for it: a third of the time.
            writer = writer.mode("append")
        else:
            writer = writer.mode("overwrite")
            if where is not None:
                writer = writer.option("replaceWhere", _condition(contract, where))
        with self._commit_lock(contract):
            before = self._log(contract).newest_version()
            writer.save(self.path(contract))
            return self._record(contract, before)

    def merge(
        self, frame: DataFrame, contract: TableContract, identity: Sequence[str], is_kept: str
    ) -> int:
        """Update or delete single rows in one commit; the number written.

        No row is inserted: then the few rows can be sent to every task, and the table is not shuffled.

        Args:
            frame: rows that are there, as they have to be, with a flag beside the table's columns.
            contract: an existing table, partitioned by the first column of `identity`.
            identity: the columns that tell rows apart.
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
            near = f"t.{_condition(contract, {partition: values})}"
            before = self._log(contract).newest_version()
            table = DeltaTable.forPath(self.spark, self.path(contract)).alias("t")
            then(table.merge(rows.alias("s"), " AND ".join([near, *same]))).execute()
            return self._record(contract, before)

    def append(self, frame: DataFrame, contract: TableContract) -> int:
        """Append rows in one commit; the number written."""
        with self._commit_lock(contract):
            writer = self._created(contract, frame).write.format("delta").mode("append")
            before = self._log(contract).newest_version()
            writer.save(self.path(contract))
            return self._record(contract, before)

    def _commit_lock(self, contract: TableContract) -> AbstractContextManager[None]:
        """Other tables than the shared ones are written by one job only, which holds its own lock."""
        if contract.layer in _SHARED_LAYERS:
            return commit_lock(self.root, contract.name)
        return nullcontext()

    def _log(self, contract: TableContract) -> DeltaLogReader:
        return DeltaLogReader(self.spark, self.path(contract))

    def _created(self, contract: TableContract, frame: DataFrame) -> DataFrame:
        """Make sure the table exists as declared, and give the frame in its columns."""
        conformed = contract.conform(frame)
        if not self.exists(contract):
            create = DeltaTable.createIfNotExists(self.spark).location(self.path(contract))
            for column in contract.schema:
                create = create.addColumn(
                    column.name,
                    column.dataType,
                    nullable=column.nullable,
                    comment=column.metadata["comment"],
                )
            for name, value in contract.properties.items():
                create = create.property(name, value)
            if contract.partition_by:
                create = create.partitionedBy(*contract.partition_by)
            create.comment(contract.grain).execute()
        elif contract.name not in self._pinned:
            self._check(contract, self.spark.read.format("delta").load(self.path(contract)))
        return conformed

    def _check(self, contract: TableContract, frame: DataFrame) -> None:
        faults = contract.differences(frame.schema)
        if faults:
            raise JobError(
                f"{self.path(contract)} was written by another version of the project:"
                f" {'; '.join(faults)}. Rebuild it in a new lake.root, or migrate it"
            )

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
    """The versions of silver rows that held as of a day's first second, or that stand now.

    A version counts as of T when it had arrived before T and nothing better had.
    """
    if as_of is None:
        return versions.filter(F.col("valid_to").isNull())
    cut = F.lit(as_of.isoformat()).cast("timestamp")
    return versions.filter(
        (F.col("valid_from") < cut) & (F.col("valid_to").isNull() | (F.col("valid_to") >= cut))
    )


def _condition(contract: TableContract, where: Mapping[str, _Wanted]) -> str:
    """A condition on columns; only values that the project itself makes come in here."""
    parts = []
    for column, value in where.items():
        if column not in contract.columns:
            raise ContractError(f"{contract.name} has no column {column}")
        values = value if isinstance(value, list) else [value]
        parts.append(f"{column} IN ({', '.join(_literal(each) for each in values)})")
    return " AND ".join(parts)


def _literal(value: date | str) -> str:
    return f"DATE'{value.isoformat()}'" if isinstance(value, date) else f"'{value}'"
