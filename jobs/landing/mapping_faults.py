"""What is wrong with a mapping although every key of it has the right form."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from expectations.contract.yaml_files import nearest_name
from expectations.tables import LANDING_BY_NAME
from jobs.landing.reader_options import option_faults

if TYPE_CHECKING:
    from jobs.landing.mappings import Mapping

_CONSTANTS = "constants"


def mapping_faults(mapping: "Mapping") -> Iterator[str]:
    """Sentences without the file's name, each beginning with the key."""
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
        yield from (f"views.{name}: {fault}" for fault in option_faults(view.format, view.options))


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
