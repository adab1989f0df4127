"""The configuration: YAML in layers (base, environment, --set), checked by typed models at start."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from expectations.contract.errors import ConfigError
from expectations.contract.yaml_files import (
    dotted,
    fault_sentence,
    known_keys,
    parse_yaml,
    read_yaml,
)
from jobs.lake.locks import is_local, local_path
from jobs.runtime.secrets import masked_tree, with_environment

_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_SERVERS = ("http", "https", "databricks")


def _root(text: str) -> str:
    """Check a local folder or an address of object storage."""
    if not text.strip() or "\0" in text:
        raise ValueError("give a folder or an address such as s3a://bucket/folder")
    if "://" in text:
        _split(text)
    return text


def _tracking_uri(text: str) -> str:
    """Check an address of MLflow; MLflow no longer supports folders."""
    if text == "databricks":
        return text
    scheme = _split(text).partition("+")[0]
    if scheme == "sqlite" and not re.match(r"sqlite:///.", text):
        raise ValueError("write it as sqlite:///FOLDER/FILE.db")
    if scheme not in (*_DATABASES, *_SERVERS):
        raise ValueError(
            "it is no address of an MLflow server or database:"
            " give sqlite:///FILE, https://HOST or postgresql://HOST/DATABASE"
        )
    return text


def _split(address: str) -> str:
    """Split an address. Its text may hold a password, so no message shows it."""
    try:
        parts = urlsplit(address)
        # Asked for because only then is it looked at.
        _ = (parts.hostname, parts.port)
    except ValueError:
        raise ValueError(
            "it is a malformed address: look at its brackets and its port, and write"
            " @ : / ? # in a password as %40 %3A %2F %3F %23"
        ) from None
    if re.search(r"\s", address):
        raise ValueError("it is a malformed address: there is white space in it")
    return address.partition("://")[0].lower() if "://" in address else ""


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}") from None
    return text


Root = Annotated[str, AfterValidator(_root)]


class _Section(BaseModel):
    """A part of the configuration: frozen, without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Landing(_Section):
    """The folder for the files of settlement centres."""

    root: Root
    max_file_gib: float = Field(gt=0)
    time_zone: str | None
    known_aliases: bool
    aliases: dict[str, str | None]

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError("is no time zone; write it as Asia/Shanghai")
        return name

    @field_validator("aliases")
    @classmethod
    def _are_different(cls, aliases: dict[str, str | None]) -> dict[str, str | None]:
        seen: dict[str, str] = {}
        for alias in aliases:
            other = seen.setdefault(alias.casefold(), alias)
            if other != alias:
                raise ValueError(f"{other} and {alias} differ in capitals only")
        return aliases


class Source(_Section):
    """A foreign claims format and the folder of its files."""

    mapping: str | None
    folder: str | None


class LakeSettings(_Section):
    """The place of the tables."""

    root: Root


class Quarantine(_Section):
    """Limits for rows, and the share of invalid rows that refuses a batch."""

    max_share: float = Field(ge=0, le=1)
    share_from_rows: int = Field(ge=0)
    max_share_of_few: float = Field(ge=0, le=1)
    clock_skew_hours: int = Field(ge=0, le=8784)
    earliest_year: int = Field(ge=1, le=9999)
    earliest_arrival_year: int = Field(ge=1, le=9999)
    latest_year: int = Field(ge=1, le=9999)


class Values(_Section):
    """Which values stand for nothing."""

    placeholders: str = Field(min_length=1)


class Report(_Section):
    """The page for readers."""

    root: Root
    language: Literal["en", "zh"]
    top: int = Field(ge=1, le=10_000)
    timeline_accounts: int = Field(ge=0, le=50)
    rings: int = Field(ge=0, le=100)


class Links(_Section):
    """Making and filtering pairs of institutions."""

    max_bucket: int = Field(ge=2)
    min_weight: int = Field(ge=1)
    max_component_share: float = Field(gt=0, le=1)
    max_component_size: int = Field(ge=2)


class AccountLinks(_Section):
    """How pairs of accounts are made and weighed."""

    days: int = Field(ge=30)
    sharers: int = Field(ge=2)
    model: str | None
    train_on: list[str]
    min_probability: float = Field(ge=0, le=1)
    kept_share: float = Field(ge=0, le=1)
    pass_probability: float = Field(ge=0, le=1)


class Rings(_Section):
    """Which groups of linked accounts stand as rings."""

    resolution: float = Field(gt=0, le=1)
    min_accounts: int = Field(ge=2)
    min_density: float = Field(ge=0, le=1)
    min_significance: float = Field(ge=0)


class Resemblance(_Section):
    """The model of likeness to accounts in fraud in simulated provinces."""

    model: str | None
    train_on: list[str]


class Detect(_Section):
    """The rules for accounts, and the number of accounts for a week."""

    typologies: str
    capacity: int = Field(ge=1)
    audit_share: float = Field(ge=0, le=1)
    expires_days: int = Field(ge=1)


class Triage(_Section):
    """The warrant or request that allows parcels to be read; without one they are not read."""

    legal_basis: str | None
    legal_basis_form: Annotated[str, AfterValidator(_regular_expression)]
    legal_bases: str


class Train(_Section):
    """Training data and evaluation of a model."""

    subject: Literal["institution", "member"]
    source: Literal["cases", "simulated"]
    care_setting: Literal["all", "inpatient"]
    min_positives: int = Field(ge=2)
    folds: int = Field(ge=2)
    repeats: int = Field(ge=1)
    seed: int
    experiment: str
    alias: str
    challenger_alias: str
    earlier_days: int = Field(ge=0)
    unlabelled: int = Field(ge=2, le=150_000)
    embargo_days: int = Field(ge=0)
    search_budget: int = Field(ge=1)


class Monitor(_Section):
    """When the watch over a model of accounts warns."""

    psi_limit: float = Field(gt=0)
    min_precision: float = Field(ge=0, le=1)
    calibration_limit: float = Field(gt=0, le=1)
    label_delay_days: int = Field(ge=1)
    district_ratio: float = Field(ge=1)
    days: int = Field(ge=7)


class Mlflow(_Section):
    """The store of runs and models."""

    tracking_uri: Annotated[str, AfterValidator(_tracking_uri)]
    artifact_root: str


class Log(_Section):
    """The file for structured log lines."""

    file: str = Field(min_length=1)


class Access(_Section):
    """The access to files that a run writes."""

    owner_only: bool


class SparkSettings(_Section):
    """The Spark properties for runs without spark-submit, and the folder of Spark's blocks."""

    properties_file: str
    scratch_root: Annotated[str, Field(min_length=1)] | None


class Config(_Section):
    """The whole configuration."""

    landing: Landing
    source: Source
    lake: LakeSettings
    quarantine: Quarantine
    values: Values
    report: Report
    links: Links
    account_links: AccountLinks
    rings: Rings
    resemblance: Resemblance
    detect: Detect
    triage: Triage
    train: Train
    monitor: Monitor
    mlflow: Mlflow
    log: Log
    access: Access
    spark: SparkSettings

    def masked(self) -> dict[str, Any]:
        """The values in force, with masked secrets."""
        shown: dict[str, Any] = masked_tree(self.model_dump())
        return shown


def load_config(environment_file: str, overrides: Sequence[str] = ()) -> Config:
    """Read base.yaml beside the environment file, that file, and `key=value` overrides.

    Raises:
        ConfigError: one sentence for every unknown key, wrong value or unreadable file.
    """
    environment = Path(environment_file)
    layers = [environment.parent / "base.yaml", environment]
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for path in dict.fromkeys(layers):
        _merge(merged, read_yaml(path, "the configuration file"), origin, str(path))
    for override in overrides:
        _merge(merged, _override(override), origin, "--set")
    try:
        return Config.model_validate(_with_environment(merged))
    except ValidationError as error:
        raise ConfigError("\n".join(_sentences(error, origin))) from None


def existing_folder(path: str | None, key: str) -> Path:
    """A configured local folder that has to exist.

    Raises:
        ConfigError: when it is not set or not a folder.
    """
    if not path:
        raise ConfigError(f"{key} is not set: give it in the configuration or with --set {key}=...")
    if not Path(path).is_dir():
        raise ConfigError(f"{key} is {path}, which is not a folder: create it or correct {key}")
    return Path(path)


def writable_folder(root: str, key: str) -> Path:
    """A configured local folder, created if it does not exist.

    Raises:
        ConfigError: when it is no local folder or cannot be written.
    """
    if not is_local(root):
        raise ConfigError(f"{key} is {root}: it has to be a local folder")
    folder = local_path(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"{key} is {root}, which cannot be written to: {error.strerror}."
            " Give a folder on a writable disk with space, or change its rights"
        ) from None
    return folder


def _override(text: str) -> dict[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ConfigError(f"--set {text}: write a name and a value, for example lake.root=/data")
    try:
        nested: Any = parse_yaml(value) if value else ""
    except ValueError as error:
        # Without the value, which may be a secret.
        raise ConfigError(f"--set {key}: its value is not valid YAML, quote it: {error}") from None
    for part in reversed(key.split(".")):
        nested = {part: nested}
    layer: dict[str, Any] = nested
    return layer


def _with_environment(value: Any, key: str = "") -> Any:
    """The values with `${NAME}` in texts replaced by environment variables."""
    if isinstance(value, str):
        return with_environment(value, key)
    if isinstance(value, dict):
        return {
            name: _with_environment(each, f"{key}.{name}" if key else name)
            for name, each in value.items()
        }
    return value


def _merge(
    into: dict[str, Any], layer: Mapping[str, Any], origin: dict[str, str], name: str, at: str = ""
) -> None:
    for key, value in layer.items():
        dotted = f"{at}{key}"
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            origin[dotted] = name
            _merge(into[key], value, origin, name, f"{dotted}.")
        elif isinstance(value, Mapping):
            into[key] = {}
            origin[dotted] = name
            _merge(into[key], value, origin, name, f"{dotted}.")
        else:
            into[key] = value
            origin[dotted] = name


def _sentences(error: ValidationError, origin: Mapping[str, str]) -> list[str]:
    known = known_keys(Config)
    sentences = []
    for fault in error.errors():
        key = dotted(fault["loc"])
        sentence = fault_sentence(fault, known, key)
        if fault["type"] == "missing":
            sentence += f"; set it in base.yaml or with --set {key}=..."
        sentences.append(f"{origin.get(key, 'the configuration')}: {sentence}")
    return sentences
