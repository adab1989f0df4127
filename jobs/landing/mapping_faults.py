"""What is wrong with a mapping although every key of it has the right form."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from expectations.contract.yaml_files import nearest_name
from expectations.tables import LANDING_BY_NAME

if TYPE_CHECKING:
    from jobs.landing.mappings import Mapping, View

_CONSTANTS = "constants"
#: Options with two names.
_SAME = {"delimiter": "sep", "charset": "encoding"}


def mapping_faults(mapping: "Mapping", known_options: dict[str, set[str]]) -> Iterator[str]:
    """Sentences without the file's name, each beginning with the key.

    Args:
        mapping: the mapping.
        known_options: the options that a view may give, by format.
    """
    if unknown := sorted(set(mapping.tables) - set(LANDING_BY_NAME)):
        yield f"tables: {', '.join(unknown)} is no landing table"
    yield from _hash_faults(mapping)
    yield from _name_faults("views", [*mapping.views])
    yield from _name_faults("constants", [*mapping.constants])
    for name, view in mapping.views.items():
        if name.lower() == _CONSTANTS:
            yield f"views.{name}: the view of this name holds the constants; choose another name"
        if (view.files is None) == (view.sql is None):
            yield f"views.{name}: give either files or sql"
        elif fault := _pattern_fault(view.files):
            yield f"views.{name}.files {fault}"
        yield from (f"views.{name}: {fault}" for fault in _option_faults(view, known_options))


def _hash_faults(mapping: "Mapping") -> Iterator[str]:
    """A column by a wrong name would be delivered as it is, without a word."""
    known = {
        column
        for name in mapping.tables
        if name in LANDING_BY_NAME
        for column in LANDING_BY_NAME[name].columns
    }
    for column in mapping.hash.columns:
        if column not in known:
            yield (
                f"hash.columns: {column} is no column of the tables here;"
                f" {nearest_name(column, sorted(known))}"
            )


def _name_faults(key: str, names: Iterable[str]) -> Iterator[str]:
    """To Spark names that differ in capitals only are one."""
    seen: dict[str, str] = {}
    for name in names:
        if not name.strip():
            yield f"{key}: a name is empty"
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield f"{key}: {other} and {name} differ in capitals only, and Spark takes them for one"


def _pattern_fault(files: str | None) -> str:
    if files is None:
        return ""
    parts = PurePath(files).parts
    if not parts:
        return "names no file: give a pattern such as '*.csv'"
    if any("**" in part and part != "**" for part in parts):
        return f"is {files}: ** stands for any folders, alone between slashes"
    return ""


def _option_faults(view: "View", known_options: dict[str, set[str]]) -> Iterator[str]:
    known = {name.lower() for name in known_options[view.format]}
    if unknown := sorted(name for name in view.options if name.lower() not in known):
        yield f"{', '.join(unknown)} is no option that a mapping may give for {view.format}"
    seen: dict[str, str] = {}
    for name in view.options:
        other = seen.setdefault(_SAME.get(name.lower(), name.lower()), name)
        if other != name:
            yield f"options {other} and {name} are one: give it once"
    mode = {key.lower(): text for key, text in view.options.items()}.get("mode", "FAILFAST")
    if mode.upper() != "FAILFAST":
        yield f"mode {mode} would lose records in silence, only FAILFAST does not"
