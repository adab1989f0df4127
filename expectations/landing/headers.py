"""Which column of the contract each column of a file is: by its name, or by one that is known to mean it."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from expectations.landing.table import LandingTable

#: Other names of columns, as interfaces and warehouses of settlement centres have them; by table, "" for all.
ALIASES: dict[str, dict[str, str]] = {
    "": {
        "bilg_dr_code": "bilg_dr_codg",
        "dise_code": "dise_codg",
        "insu_admdvs": "insuplc_admdvs",
        "med_list_code": "med_list_codg",
        "dr_code": "dr_codg",
        "diag_dr_code": "diag_dr_codg",
        "drug_trac_code": "drug_trac_codg",
        "fixmedins_codg": "fixmedins_code",
        "opsp_dise_codg": "opsp_dise_code",
        "trdn_flag": "split_pack",
        "refund_flag": "refd_setl_flag",
        "refd_flag": "refd_setl_flag",
        "original_setl_id": "orig_setl_id",
        "init_setl_id": "orig_setl_id",
        "init_feedetl_sn": "orig_feedetl_sn",
    },
    "person": {"psn_insu_date": "insured_from", "paus_insu_date": "paused_from"},
    "institution": {"fix_blng_admdvs": "admdvs"},
    "doctor": {"bilg_dr_codg": "dr_codg", "bilg_dr_code": "dr_codg"},
}
#: How alike two names are from which one may be meant by the other; less for columns that refunds hang on.
_NEAR = 0.75
_LONGEST_TOLD = 60
_NO_HEADER = "none of its columns is in the contract: has it no header, or lines above it?"
_NEAR_FOR_REFUNDS = 0.6
_MOST_TOLD = 5
_FOR_REFUNDS = frozenset({"refd_setl_flag", "orig_setl_id", "orig_feedetl_sn"})


@dataclass(frozen=True)
class Naming:
    """Under which names columns are taken, beside those of the contract.

    Attributes:
        by_alias: whether capitals, blanks and known aliases are read as what they mean.
        more: further aliases of a source; one that means nothing is left out without a word.
    """

    by_alias: bool = False
    more: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Header:
    """How a file's columns are read.

    Attributes:
        columns: the column of the contract for each column of the file; None where it is left out.
        faults: why the file can't be taken.
        unknown: names of columns that are not in the contract.
    """

    columns: tuple[str | None, ...]
    faults: tuple[str, ...]
    unknown: tuple[str, ...]


def read_header(names: Sequence[str], table: LandingTable, naming: Naming) -> Header:
    """Find the column of the contract for each name of a file's header."""
    faults = [*_alike(names)]
    found = [_meant(name, table, naming) for name in names]
    for column in table.columns:
        same = [name for name, meant in zip(names, found, strict=True) if meant == column]
        if len(same) > 1 and not faults:
            faults.append(f"columns {' and '.join(same)} both are {column}")
    missing = [column for column in table.columns if column not in found]
    if not any(found) and not any(_nearest(name, missing, table) for name in names):
        # Without a header the first record would be taken for it, and its values for names: none is told.
        mark = _separator(names[0], table) if len(names) == 1 else ""
        told = (
            f"has {mark} between its fields, and the contract wants commas" if mark else _NO_HEADER
        )
        return Header((None,) * len(names), (told,), ())
    ignored = {_plain(name) for name, meant in naming.more.items() if meant is None}
    unknown = []
    for name, meant in zip(names, found, strict=True):
        if meant is not None or _plain(name) in ignored:
            continue
        nearest = _nearest(name, missing, table)
        if nearest:
            faults.append(
                f"column {_told(name)} is not in the contract, and {nearest} is missing: rename it if it is that,"
                " or say what it is in landing.aliases"
            )
        else:
            unknown.append(_told(name))
    return Header(tuple(found), tuple(faults), tuple(unknown))


def same_names(names: Sequence[str], table: LandingTable) -> str:
    """Why a header can't be one in which names occur twice; empty if none does."""
    counts = Counter(names)
    nameless = sum(count for name, count in counts.items() if not _plain(name))
    if nameless > 1:
        return (
            f"has {nameless} columns without a name: is its first line a title or a record, or do its lines end in"
            " commas?"
        )
    repeated = [name for name, count in counts.items() if count > 1]
    if not repeated:
        return ""
    if not any(
        _plain(name) in table.columns or _known_alias(_plain(name), table) for name in names
    ):
        # It may be a record, and its values are not told.
        return "has two columns of one name, and none of the contract: has it no header?"
    more = f" and {len(repeated) - _MOST_TOLD} more" if len(repeated) > _MOST_TOLD else ""
    told = ", ".join(map(_told, repeated[:_MOST_TOLD]))
    return f"has two columns of one name: {told}{more}"


def _separator(name: str, table: LandingTable) -> str:
    """What stands between names of the contract where a header has one name that holds them; empty if none do."""
    known = "|".join(map(re.escape, table.columns))
    pattern = rf"(?<!\w)(?:{known})(\W+)(?=(?:{known})(?!\w))"
    marks = Counter(mark.strip(' "') for mark in re.findall(pattern, name.casefold()))
    if not marks:
        return ""
    [(mark, _)] = marks.most_common(1)
    return repr(mark) if mark else "blanks"


def _alike(names: Sequence[str]) -> list[str]:
    seen: dict[str, str] = {}
    faults = []
    for name in names:
        other = seen.setdefault(_plain(name), name)
        if other != name:
            faults.append(
                f"columns {_told(other)} and {_told(name)} differ in capitals or blanks only"
            )
    return faults


def _meant(name: str, table: LandingTable, naming: Naming) -> str | None:
    if name in table.columns:
        return name
    more = {_plain(alias): meant for alias, meant in naming.more.items()}
    plain = _plain(name)
    if plain in more:
        return more[plain] if more[plain] in table.columns else None
    if not naming.by_alias:
        return None
    return plain if plain in table.columns else _known_alias(plain, table)


def _known_alias(plain: str, table: LandingTable) -> str | None:
    meant = ALIASES.get(table.name, {}).get(plain) or ALIASES[""].get(plain)
    return meant if meant in table.columns else None


def _nearest(name: str, missing: Sequence[str], table: LandingTable) -> str | None:
    """The missing column that a name may mean."""
    plain = _plain(name)
    if plain in missing:
        return plain
    alias = _known_alias(plain, table)
    if alias in missing:
        return alias
    squeezed = plain.replace("_", "")
    alike = [
        (difflib.SequenceMatcher(None, squeezed, column.replace("_", "")).ratio(), column)
        for column in missing
    ]
    near = [
        (ratio, column)
        for ratio, column in alike
        if ratio >= (_NEAR_FOR_REFUNDS if column in _FOR_REFUNDS else _NEAR)
    ]
    return max(near)[1] if near else None


def _told(name: str) -> str:
    """A name on one line, of bearable length."""
    shown = "".join(
        repr(each)[1:-1] if unicodedata.category(each) == "Cc" else each for each in name
    )
    return shown if len(shown) <= _LONGEST_TOLD else f"{shown[:_LONGEST_TOLD]}..."


def _plain(name: str) -> str:
    """A name without capitals, full-width letters, marks that do not show, and blanks."""
    shown = unicodedata.normalize("NFKC", name).replace("\ufeff", "").replace("\u200b", "")
    return "_".join(shown.casefold().replace("-", " ").split())
