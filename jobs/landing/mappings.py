"""Mappings of foreign claims formats: a YAML file with source views and a SELECT per landing table."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.contract.errors import ConfigError
from expectations.contract.yaml_files import checked, read_yaml
from expectations.tables import LANDING_BY_NAME


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(_Closed):
    """A value the source does not give, and why it is what it is. In SQL a column of view `constants`."""

    value: str
    note: str


class View(_Closed):
    """Source files read as text, or a SELECT over views declared before."""

    files: str | None = None
    format: str = "csv"
    options: dict[str, str] = {}
    sql: str | None = None


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


def load_mapping(path: str | None) -> Mapping:
    """Read and check a mapping.

    Raises:
        ConfigError: naming the file and the key.
    """
    if not path:
        raise ConfigError("source.mapping is not set: name a file of conf/sources/")
    mapping = checked(Mapping, read_yaml(path, "source.mapping:"), path)
    unknown = sorted(set(mapping.tables) - set(LANDING_BY_NAME))
    if unknown:
        raise ConfigError(f"{path}: tables: {', '.join(unknown)} is no landing table")
    for name, view in mapping.views.items():
        if (view.files is None) == (view.sql is None):
            raise ConfigError(f"{path}: views.{name}: give either files or sql")
    return mapping


def source_files(mapping: Mapping, folder: Path) -> dict[str, list[str]]:
    """The files of each view.

    Raises:
        ConfigError: when a view has none.
    """
    found = {}
    for name, view in mapping.views.items():
        if view.files:
            found[name] = sorted(str(path) for path in folder.glob(view.files))
            if not found[name]:
                raise ConfigError(
                    f"source.folder: no file in {folder} is called {view.files} (view {name})"
                )
    return found


def mapped_tables(
    spark: SparkSession, mapping: Mapping, files: dict[str, list[str]], source: str
) -> dict[str, DataFrame]:
    """Register the views and give the frame of each landing table, with its `batch`.

    Raises:
        ConfigError: when a SELECT does not fit the source or the contract; names the table.
    """
    given = {name: constant.value for name, constant in mapping.constants.items()}
    spark.createDataFrame([given or {"none": ""}]).createOrReplaceTempView("constants")
    at = ""
    frames = {}
    try:
        for name, view in mapping.views.items():
            at = f"views.{name}"
            if view.sql:
                frame = spark.sql(view.sql)
            else:
                raw = spark.read.format(view.format).options(**view.options).load(files[name])
                frame = _without_null_markers(raw, mapping.null_markers)
            frame.createOrReplaceTempView(name)
        for name, select in mapping.tables.items():
            at = f"tables.{name}"
            frames[name] = spark.sql(select)
            _check_columns(frames[name], name, source)
    except (AnalysisException, ParseException) as error:
        told = str(error).strip().splitlines()[0]
        raise ConfigError(f"{source}: {at} does not fit the files: {told}") from None
    return frames


def _without_null_markers(raw: DataFrame, markers: tuple[str, ...]) -> DataFrame:
    return raw.select(
        *(
            F.when(~F.col(f"`{name}`").isin(*markers), F.col(f"`{name}`")).alias(name)
            for name in raw.columns
        )
    )


def _check_columns(frame: DataFrame, table: str, source: str) -> None:
    contract = LANDING_BY_NAME[table]
    unknown = sorted(set(frame.columns) - {*contract.columns, "batch"})
    needed = [column.name for column in contract.fields if column.required]
    missing = sorted({*needed, "batch"} - set(frame.columns))
    faults = [f"{name} is no column of the contract" for name in unknown]
    faults += [f"{name} is required and missing" for name in missing]
    if faults:
        raise ConfigError(f"{source}: tables.{table}: {'; '.join(faults)}")
