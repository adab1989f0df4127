"""Mappings of foreign claims formats: a YAML file with source views and a SELECT per landing table."""

import re
from pathlib import Path, PurePath
from typing import Any, Literal

from py4j.protocol import Py4JJavaError
from pydantic import BaseModel, ConfigDict, field_validator
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from expectations.contract.errors import ConfigError, DataRefused
from expectations.contract.yaml_files import checked, read_yaml
from expectations.tables import LANDING_BY_NAME
from jobs.landing.mapping_faults import mapping_faults
from jobs.landing.reader_options import PLAIN
from jobs.landing.selects import fault_of_select
from jobs.landing.source_columns import is_hidden
from jobs.landing.source_errors import is_named, is_of_mapping, without_values
from jobs.landing.source_faults import file_fault, read_fault

#: What Spark and Hive put beside the files that they write.
_MARKS = frozenset({"_SUCCESS", "_metadata", "_common_metadata", "_temporary"})


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(_Closed):
    """A value the source does not give, and why it is what it is. In SQL a column of view `constants`."""

    value: str
    note: str


class View(_Closed):
    """Source files, or a SELECT over views declared before."""

    files: str | None = None
    format: Literal["csv", "json", "parquet", "orc"] = "csv"
    options: dict[str, str] = {}
    sql: str | None = None

    @field_validator("options", mode="before")
    @classmethod
    def _as_text(cls, options: Any) -> Any:
        """`header: true` and `header: "true"` are the same, and so are numbers and their texts."""
        if not isinstance(options, dict):
            return options
        return {
            name: str(value).lower() if isinstance(value, bool | int) else value
            for name, value in options.items()
        }

    @property
    def reader_options(self) -> dict[str, str]:
        """The options given, over those that hold for every file of the format."""
        given = {name.lower() for name in self.options}
        plain = PLAIN[self.format].items()
        return {name: text for name, text in plain if name.lower() not in given} | self.options


class Hash(_Closed):
    """Landing columns to replace by keyed hashes, and the environment variable with the key."""

    key_variable: str = "DRUGTRAIL_HASH_KEY"
    columns: tuple[str, ...] = ()


class Mapping(_Closed):
    """How one foreign format becomes landing tables."""

    title: str
    null_markers: tuple[str, ...] = ("",)
    constants: dict[str, Constant] = {}
    hash: Hash = Hash()
    views: dict[str, View]
    tables: dict[str, str]

    @property
    def text(self) -> str:
        """All SQL and options: names from there may be told, others may be values of a file without a header."""
        views = self.views.values()
        options = (text for view in views for option in view.options.items() for text in option)
        return "\n".join([*(view.sql or "" for view in views), *self.tables.values(), *options])


def load_mapping(path: str | None) -> Mapping:
    """Read and check a mapping.

    Raises:
        ConfigError: naming the file and the key.
    """
    if not path:
        raise ConfigError("source.mapping is not set: name a file of conf/sources/")
    mapping = checked(Mapping, read_yaml(path, "source.mapping:"), path)
    if faults := list(mapping_faults(mapping)):
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return mapping


def source_files(mapping: Mapping, folder: Path) -> dict[str, list[str]]:
    """The files of each view.

    Raises:
        ConfigError: when a view has none, or one outside the folder.
    """
    found = {}
    for name, view in mapping.views.items():
        if view.files:
            pattern = PurePath(view.files)
            if pattern.is_absolute() or ".." in pattern.parts:
                raise ConfigError(f"views.{name}: {view.files} leads out of source.folder")
            paths = _without_marks(sorted(folder.glob(view.files)), name)
            if not paths:
                raise ConfigError(
                    f"source.folder: no file in {folder} is called {view.files} (view {name})"
                )
            _check_inside(paths, folder, name)
            found[name] = [str(path) for path in paths]
    return found


def _without_marks(paths: list[Path], view: str) -> list[Path]:
    """The paths without what file systems and programs leave beside data.

    Raises:
        ConfigError: when Spark would pass over another one: it does so with every name that begins with _.
    """
    kept = [path for path in paths if not path.name.startswith(".") and path.name not in _MARKS]
    for path in kept:
        if is_hidden(path.name):
            raise ConfigError(
                f"views.{view}: Spark passes over {path}, as its name begins with _: give it another name"
            )
    return kept


def _check_inside(paths: list[Path], folder: Path, view: str) -> None:
    """A link must not lead out of the source folder either."""
    root = folder.resolve()
    within = [inner for path in paths if path.is_dir() for inner in path.rglob("*")]
    for path in (*paths, *within):
        if re.search(r"[\\{}\[\]*?]", str(path)):
            raise ConfigError(
                f"views.{view}: Spark takes {path} for a pattern: give it a plainer name"
            )
        if not path.resolve().is_relative_to(root):
            raise ConfigError(f"views.{view}: {path} is a link that leads out of source.folder")


def mapped_tables(
    spark: SparkSession, mapping: Mapping, files: dict[str, list[str]], source: str
) -> dict[str, DataFrame]:
    """Register the views and give the frame of each landing table, with its `batch`.

    Raises:
        ConfigError: when a SELECT does not fit the source or the contract; names the table.
        DataRefused: when a file can't be read, or would be read wrongly; names the view and the file.
    """
    given = {name: constant.value for name, constant in mapping.constants.items()}
    spark.createDataFrame([given or {"none": ""}]).createOrReplaceTempView("constants")
    at = ""
    known = ["constants"]
    frames = {}
    try:
        for name, view in mapping.views.items():
            at = f"views.{name}"
            if view.sql:
                frame = _selected(spark, view.sql, known, f"{source}: {at}")
            else:
                if fault := file_fault(spark, view, files[name]):
                    raise DataRefused(f"{source}: {at}: {fault}")
                frame = _without_null_markers(_read(spark, view, files[name]), mapping.null_markers)
            frame.createOrReplaceTempView(name)
            known.append(name)
        for name, select in mapping.tables.items():
            at = f"tables.{name}"
            frames[name] = _selected(spark, select, known, f"{source}: {at}")
            _check_columns(frames[name], name, source, mapping.text)
    except (PySparkException, Py4JJavaError) as error:
        if fault := read_fault(spark, mapping, files, error):
            raise DataRefused(f"{source}: {at}: {fault}") from None
        told = without_values(error, mapping.text)
        if not is_of_mapping(error):
            raise DataRefused(f"{source}: {at}: {told}") from None
        raise ConfigError(f"{source}: {at} does not fit the files: {told}") from None
    return frames


def _selected(spark: SparkSession, text: str, known: list[str], where: str) -> DataFrame:
    fault = fault_of_select(spark, text, known)
    if fault:
        raise ConfigError(f"{where} {fault}")
    return spark.sql(text)


def _read(spark: SparkSession, view: View, files: list[str]) -> DataFrame:
    return spark.read.format(view.format).options(**view.reader_options).load(files)


def _without_null_markers(raw: DataFrame, markers: tuple[str, ...]) -> DataFrame:
    return raw.select(
        *(
            _unmarked(F.col(f"`{column.name.replace('`', '``')}`"), column.dataType, markers).alias(
                column.name
            )
            for column in raw.schema
        )
    )


def _unmarked(value: Column, kind: DataType, markers: tuple[str, ...]) -> Column:
    """A value, or null if its text is a marker; texts within nested columns are left as they are."""
    if not markers or isinstance(kind, (ArrayType, MapType, StructType)):
        return value
    return F.when(~value.cast("string").isin(*markers), value)


def _check_columns(frame: DataFrame, table: str, source: str, text: str) -> None:
    contract = LANDING_BY_NAME[table]
    unknown = sorted(set(frame.columns) - {*contract.columns, "batch"})
    needed = [column.name for column in contract.fields if column.required]
    missing = sorted({*needed, "batch"} - set(frame.columns))
    told = [name for name in unknown if is_named(name, text)]
    faults = [f"{name} is no column of the contract" for name in told]
    if others := len(unknown) - len(told):
        faults.append(f"{others} columns that * takes from the files are none of the contract")
    faults += [f"{name} is required and missing" for name in missing]
    twice = sorted({name for name in frame.columns if frame.columns.count(name) > 1} - {*unknown})
    faults += [f"{name} is given twice" for name in twice]
    if faults:
        raise ConfigError(f"{source}: tables.{table}: {'; '.join(faults)}")
