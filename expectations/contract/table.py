"""The contract of a table: its grain, key, typed columns, partitioning and checks, declared once.

One `TableContract` gives the Spark schema, the Delta table, the conformance errors, the Great Expectations
suite and the data dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructType

from expectations.contract.errors import ContractError

Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class Field:
    """One column. `type` is one of Spark's JSON names (`long`, `decimal(16,2)`) or a nested type."""

    name: str
    type: str | DataType
    description: str
    nullable: bool = True
    values: tuple[str, ...] = ()
    source: str = ""

    @property
    def data_type(self) -> DataType:
        """The Spark type; needs no running session, unlike `StructType.fromDDL`."""
        return StructType().add("x", self.type)["x"].dataType

    @property
    def comment(self) -> str:
        """The column comment that is stored in the Delta table."""
        allowed = f" One of: {', '.join(self.values)}." if self.values else ""
        landed = f" Landing name: {self.source}." if self.source else ""
        return f"{self.description}.{allowed}{landed}"


@dataclass(frozen=True)
class Check:
    """One Great Expectations expectation on a table, by class name and arguments."""

    expectation: str
    arguments: Mapping[str, Any]
    severity: Severity = "critical"
    note: str = ""


@dataclass(frozen=True)
class Belonging:
    """What rows have to agree on with the row of another table, or of their own, that they belong to.

    Together they have at most its amount, apart from a cent for each of them, and each has the same value of `same`.
    Rows whose parent is not there are not judged.

    Attributes:
        parent: the other table's name in landing.
        column: names the parent's row.
        parent_key: what it is called there.
        amount: of the rows.
        parent_amount: of the parent.
        same: a column of both.
        note: why.
    """

    parent: str
    column: str
    parent_key: str
    amount: str
    parent_amount: str
    same: str
    note: str


@dataclass(frozen=True)
class TableContract:
    """A Delta table as `<layer>.<table>`.

    `is_entered` means that people entered its rows, so no job can compute them again. `read_by` names the
    readers of a table that no job reads.

    Raises:
        ContractError: when the key, the partitioning or a name does not fit the columns.
    """

    name: str
    grain: str
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    belongs: Belonging | None = None
    written_by: str = ""
    is_entered: bool = False
    read_by: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself, naming every fault at once."""
        faults = []
        names = [column.name for column in self.fields]
        if self.name.count(".") != 1:
            faults.append(f"name {self.name!r} is not <layer>.<table>")
        faults += [f"column {name} is declared twice" for name in {*names} if names.count(name) > 1]
        by_name = {column.name: column for column in self.fields}
        for role, columns in (("key", self.primary_key), ("partition", self.partition_by)):
            faults += [
                f"{role} column {name} is unknown" for name in columns if name not in by_name
            ]
        faults += [
            f"key column {name} is nullable"
            for name in self.primary_key
            if name in by_name and by_name[name].nullable
        ]
        if faults:
            raise ContractError(f"contract {self.name}: " + "; ".join(sorted(faults)))

    @property
    def layer(self) -> str:
        """The first half of the name: bronze, silver, gold, quarantine or ops."""
        return self.name.split(".")[0]

    @property
    def table(self) -> str:
        """The second half of the name."""
        return self.name.split(".")[1]

    @property
    def comment(self) -> str:
        """The table comment that is stored in the Delta table."""
        return f"{self.grain}; read by {self.read_by}" if self.read_by else self.grain

    @property
    def columns(self) -> list[str]:
        """The column names in order."""
        return [column.name for column in self.fields]

    @property
    def schema(self) -> StructType:
        """The Spark schema, nullability and comments included."""
        schema = StructType()
        for column in self.fields:
            schema.add(column.name, column.data_type, column.nullable, {"comment": column.comment})
        return schema

    def conform(self, frame: DataFrame) -> DataFrame:
        """Return the columns of the contract in its order.

        Raises:
            ContractError: with every missing, unknown and wrongly typed column.
        """
        faults = self.differences(frame.schema)
        if faults:
            raise ContractError(f"{self.name} does not fit its contract: " + "; ".join(faults))
        return frame.select(*self.columns).to(self._plain_schema())

    def differences(self, actual: StructType) -> list[str]:
        """Every difference between a schema and the contract, as sentences."""
        found = {column.name: column.dataType for column in actual}
        expected = {column.name: column.data_type for column in self.fields}
        missing = [f"column {name} is missing" for name in expected if name not in found]
        unknown = [f"column {name} is unknown" for name in found if name not in expected]
        wrong = [
            f"column {name} is {found[name].simpleString()}, not {wanted.simpleString()}"
            for name, wanted in expected.items()
            if name in found and _bare(found[name]) != _bare(wanted)
        ]
        return missing + unknown + wrong

    def _plain_schema(self) -> StructType:
        """The schema without NOT NULL, which Delta enforces on write and reports with the column."""
        schema = StructType()
        for column in self.fields:
            schema.add(column.name, column.data_type, True)
        return schema


def _bare(data_type: DataType) -> str:
    """A type without the nullability of its inner fields, which Spark often loses."""
    return data_type.simpleString()
