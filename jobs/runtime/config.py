"""The configuration: YAML in layers (base, environment, --set), checked by typed models at start."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from expectations.contract.errors import ConfigError


class _Section(BaseModel):
    """A part of the configuration: frozen, and closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Landing(_Section):
    """Where settlement centres drop their files."""

    root: str
    max_file_gib: float = Field(gt=0)


class Source(_Section):
    """A foreign claims format and where its files lie."""

    mapping: str | None
    folder: str | None


class LakeSettings(_Section):
    """Where the tables live."""

    root: str


class Quarantine(_Section):
    """When refused rows make a batch refused."""

    max_share: float = Field(ge=0, le=1)
    share_from_rows: int = Field(ge=0)
    clock_skew_hours: int = Field(ge=0)


class Report(_Section):
    """The page for readers."""

    root: str
    language: Literal["en", "zh"]
    top: int = Field(ge=1, le=10_000)
    timeline_accounts: int = Field(ge=0, le=50)


class Links(_Section):
    """How pairs of institutions are made and filtered."""

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
    pass_probability: float = Field(ge=0, le=1)


class Rings(_Section):
    """Which groups of linked accounts stand as rings."""

    resolution: float = Field(gt=0, le=1)
    min_accounts: int = Field(ge=2)
    min_density: float = Field(ge=0, le=1)
    min_significance: float = Field(ge=0)


class Detect(_Section):
    """The rules for accounts, and how many a week people can look at."""

    typologies: str
    capacity: int = Field(ge=1)
    expires_days: int = Field(ge=1)


class Triage(_Section):
    """Under which warrant or request parcels may be looked at; without one nobody does."""

    legal_basis: str | None


class Train(_Section):
    """What a model is trained on and how it is judged."""

    subject: Literal["institution"]
    care_setting: Literal["all", "inpatient"]
    min_positives: int = Field(ge=2)
    folds: int = Field(ge=2)
    repeats: int = Field(ge=1)
    seed: int
    experiment: str
    alias: str


class Mlflow(_Section):
    """Where runs and models are kept."""

    tracking_uri: str
    artifact_root: str


class Log(_Section):
    """Where structured log lines go."""

    file: str


class SparkSettings(_Section):
    """The Spark properties for runs that spark-submit did not start."""

    properties_file: str


class Config(_Section):
    """All that can be configured."""

    landing: Landing
    source: Source
    lake: LakeSettings
    quarantine: Quarantine
    report: Report
    links: Links
    account_links: AccountLinks
    rings: Rings
    detect: Detect
    triage: Triage
    train: Train
    mlflow: Mlflow
    log: Log
    spark: SparkSettings

    def masked(self) -> dict[str, Any]:
        """The values in force, with passwords inside addresses replaced."""
        masked: dict[str, Any] = json.loads(
            json.dumps(self.model_dump()), object_hook=_mask_strings
        )
        return masked


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
        _merge(merged, _read_yaml(path), origin, str(path))
    for override in overrides:
        key, sign, text = override.partition("=")
        if not sign or not key:
            raise ConfigError(
                f"--set {override}: write it as key=value, for example lake.root=/data"
            )
        nested: Any = _parse_value(text, key)
        for part in reversed(key.split(".")):
            nested = {part: nested}
        _merge(merged, nested, origin, "--set")
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("\n".join(_sentences(error, origin))) from None


def existing_folder(path: str | None, key: str) -> Path:
    """A configured local folder that has to be there.

    Raises:
        ConfigError: when it is not set or not a folder.
    """
    if not path:
        raise ConfigError(f"{key} is not set: give it in the configuration or with --set {key}=...")
    if not Path(path).is_dir():
        raise ConfigError(f"{key} is {path}, which is not a folder: create it or correct {key}")
    return Path(path)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold sections with keys, such as lake: and below it root:")
    return content


def _parse_value(text: str, key: str) -> Any:
    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        raise ConfigError(f"--set {key}: {text!r} is not a YAML value; quote it") from None


def _merge(
    into: dict[str, Any], layer: Mapping[str, Any], origin: dict[str, str], name: str, at: str = ""
) -> None:
    for key, value in layer.items():
        dotted = f"{at}{key}"
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value, origin, name, f"{dotted}.")
        elif isinstance(value, Mapping):
            into[key] = {}
            origin[dotted] = name
            _merge(into[key], value, origin, name, f"{dotted}.")
        else:
            into[key] = value
            origin[dotted] = name


def _sentences(error: ValidationError, origin: Mapping[str, str]) -> list[str]:
    sentences = []
    for fault in error.errors():
        path = [str(part) for part in fault["loc"]]
        key = ".".join(path)
        where = origin.get(key, "the configuration")
        if fault["type"] == "extra_forbidden":
            nearest = difflib.get_close_matches(key, _known_keys(Config), n=1, cutoff=0.0)[0]
            sentences.append(f"{where}: unknown key {key}; the nearest valid name is {nearest}")
        elif fault["type"] == "missing":
            sentences.append(
                f"{where}: {key} is missing; set it in base.yaml or with --set {key}=..."
            )
        else:
            sentences.append(f"{where}: {key} is {fault['input']!r}: {fault['msg']}")
    return sentences


def _known_keys(model: type[BaseModel], at: str = "") -> list[str]:
    keys = []
    for name, declared in model.model_fields.items():
        inner = declared.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys += [f"{at}{name}", *_known_keys(inner, f"{at}{name}.")]
        else:
            keys.append(f"{at}{name}")
    return keys


def _mask_strings(node: dict[str, Any]) -> dict[str, Any]:
    return {key: _mask(value) if isinstance(value, str) else value for key, value in node.items()}


def _mask(value: str) -> str:
    if "://" in value and urlsplit(value).password:
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", value)
    return value
