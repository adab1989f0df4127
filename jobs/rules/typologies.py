"""Reading conf/typologies.yaml: rules, what explains them, and their words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Literal

from pydantic import Field, ValidationError

from expectations.contract.errors import ConfigError
from expectations.contract.feature import FeatureDefinition
from expectations.contract.yaml_files import nearest_name, read_yaml
from features.indicator.accounts import TEXT_FORMATS
from features.indicator.evidence import EVIDENCE
from features.indicator.rules import Allowance, Condition, Part, Rule

Subject = Literal["member", "institution", "doctor"]


class _Words(Part):
    en: str
    zh: str


class _Rule(Rule):
    source: str
    text: _Words
    check: _Words


class _Allowance(Allowance):
    text: _Words


class _File(Part):
    member: tuple[_Rule, ...] = Field(min_length=1)
    institution: tuple[_Rule, ...] = ()
    doctor: tuple[_Rule, ...] = ()
    allowed: tuple[_Allowance, ...] = ()


_PARTS = (_File, _Rule, Condition, _Allowance, _Words)
_KEYS = sorted({key for part in _PARTS for key in part.model_fields})


@dataclass(frozen=True)
class Typologies:
    """The rules of each kind of subject, what explains those of members, and the words for all.

    `windows` has the days that each feature of a kind of subject looks back.
    """

    rules: Mapping[Subject, tuple[Rule, ...]]
    windows: Mapping[Subject, Mapping[str, int]]
    allowances: tuple[Allowance, ...]
    texts: dict[str, dict[str, str]]
    checks: dict[str, dict[str, str]]


def load_typologies(path: str, known: Mapping[Subject, Iterable[FeatureDefinition]]) -> Typologies:
    """Read and check the rules.

    Args:
        path: the YAML file.
        known: the features that there are of each kind of subject.

    Raises:
        ConfigError: naming every rule and key that is wrong, with the nearest valid name.
    """
    file = _parsed(path)
    windows = {
        subject: {each.name: each.window for each in features}
        for subject, features in known.items()
    }
    faults = _faults(file, windows)
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    rules = (*file.member, *file.institution, *file.doctor)
    return Typologies(
        rules={subject: getattr(file, subject) for subject in windows},
        windows=windows,
        allowances=file.allowed,
        texts={each.code: each.text.model_dump() for each in rules}
        | {each.code: each.text.model_dump() for each in file.allowed},
        checks={each.code: each.check.model_dump() for each in rules},
    )


def _parsed(path: str) -> _File:
    content = read_yaml(path, "the rules in")
    if not content:
        raise ConfigError(
            f"{path} must hold sections, such as member: and below it a list of rules"
        )
    try:
        return _File.model_validate(content)
    except ValidationError as error:
        told = [f"{path}: {_sentence(content, dict(fault))}" for fault in error.errors()]
        raise ConfigError("\n".join(told)) from None


def _sentence(content: dict[str, Any], fault: dict[str, Any]) -> str:
    """What is wrong and in which rule, by its code if it has one."""
    section, *inner = fault["loc"]
    where = str(section)
    if inner and isinstance(inner[0], int):
        entry = content[section][inner[0]]
        code = entry.get("code") if isinstance(entry, dict) else None
        where = str(code or f"{section}, entry {inner.pop(0) + 1}")
        inner = inner[1:] if code else inner
    key = ".".join(map(str, inner))
    if fault["type"] == "extra_forbidden":
        return (
            f"{where}: unknown key {key or section}; {nearest_name(str(fault['loc'][-1]), _KEYS)}"
        )
    if fault["type"] == "missing":
        return f"{where}: {key} is missing" if key else f"{where} is missing"
    return f"{where}: {key}: {fault['msg']}" if key else f"{where}: {fault['msg']}"


def _faults(file: _File, windows: dict[Subject, dict[str, int]]) -> list[str]:
    faults = []
    codes: set[str] = set()
    for subject, known in windows.items():
        for rule in getattr(file, subject):
            if rule.code in codes:
                faults.append(f"{rule.code} occurs twice")
            codes.add(rule.code)
            if rule.evidence not in EVIDENCE:
                faults.append(
                    f"{rule.code}: evidence is {rule.evidence!r}, not one of {', '.join(EVIDENCE)}"
                )
            if rule.grows_to is not None and rule.among_peers and subject == "member":
                faults.append(
                    f"{rule.code}: grows_to is for rules that do not look at peers: leave it out, or give"
                    " among_peers: false"
                )
            names = [rule.feature, *(each.feature for each in rule.also)]
            faults += [
                f"{rule.code}: {_unknown(name, known)}" for name in names if name not in known
            ]
            faults += [
                f"{rule.code}: text {text!r} may show {{value}} only, as one of"
                f" {', '.join(f'{{value:{each}}}' for each in TEXT_FORMATS)}"
                for text in (rule.text.en, rule.text.zh)
                if not _shows_value_at_most(text)
            ]
    families = {rule.family for rule in file.member}
    for allowance in file.allowed:
        if allowance.code in codes:
            faults.append(f"{allowance.code} occurs twice")
        codes.add(allowance.code)
        names = [each.feature for each in allowance.when]
        faults += [
            f"{allowance.code}: {_unknown(name, windows['member'])}"
            for name in names
            if name not in windows["member"]
        ]
        faults += [
            f"{allowance.code}: no rule is of the family {family}"
            for family in allowance.holds_back
            if family not in families
        ]
    return faults


def _shows_value_at_most(text: str) -> bool:
    try:
        shown = [each for each in Formatter().parse(text) if each[1] is not None]
    except ValueError:
        return False
    return all(
        name == "value" and shape in TEXT_FORMATS and conversion is None
        for _, name, shape, conversion in shown
    )


def _unknown(name: str, known: dict[str, int]) -> str:
    return f"there is no feature {name}; {nearest_name(name, known)}"
